import { afterEach, expect, test, vi } from "vitest";
import { isWatched, progressLine, progressOn } from "../src/cli/progress.js";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** A terminal that is only written to, and what a person sees on its line. */
function terminal() {
  const written: string[] = [];
  return {
    written,
    write: (text: string | Uint8Array) => written.push(String(text)) > 0,
    line: () => written.join("").split("\r\u001B[K").at(-1),
  };
}

test("the line has thousands apart", () => {
  expect(progressLine(0, 7)).toBe("0/7 files");
  expect(progressLine(1234, 1234567)).toBe("1,234/1,234,567 files");
});

test("a short run says nothing", () => {
  const stream = terminal();
  let now = 0;
  const progress = progressOn(stream, 99, () => now);
  for (; now < 990; now += 10) progress.step();
  progress.end();
  expect(stream.written).toEqual([]);
});

test("a long run has one line, ten times a second at most, that goes away", () => {
  const stream = terminal();
  let now = 0;
  const progress = progressOn(stream, 4567, () => now);
  for (let done = 1; done <= 4567; done++) {
    now += 1;
    progress.step();
    if (now === 1000) expect(stream.line()).toBe("1,000/4,567 files");
  }
  expect(stream.written).toHaveLength(36);
  expect(stream.line()).toBe("4,500/4,567 files");
  progress.end();
  expect(stream.line()).toBe("");
  progress.end();
  expect(stream.written).toHaveLength(37);
});

test("only somebody at a terminal sees it", () => {
  for (const name of ["CI", "TERM"]) vi.stubEnv(name, undefined);
  expect(isWatched({ isTTY: true }, {})).toBe(true);
  expect(isWatched({}, {})).toBe(false);
  expect(isWatched({ isTTY: true }, { quiet: true })).toBe(false);
  vi.stubEnv("CI", "false");
  expect(isWatched({ isTTY: true }, {})).toBe(true);
  vi.stubEnv("CI", "true");
  expect(isWatched({ isTTY: true }, {})).toBe(false);
  vi.stubEnv("CI", undefined);
  vi.stubEnv("TERM", "dumb");
  expect(isWatched({ isTTY: true }, {})).toBe(false);
});

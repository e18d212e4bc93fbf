import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { shellCommand, shellComment, shellValue, shellWord } from "../src/compile/shell-words.js";

/** What a shell hands to a command, by what the command prints. */
function argumentsOf(script: string): string[] {
  const output = execFileSync("/bin/sh", ["-c", script], { encoding: "utf8" });
  return output === "" ? [] : output.slice(0, -1).split("\0");
}

const hostile = fc.string({
  unit: fc.oneof(
    fc.constantFrom("$", "`", "'", '"', "\\", "\n", "-", "~", "*", " ", "!", "#", ";", "\r", "\t"),
    fc.constantFrom("$(id)", "${HOME}", "é", "語", "😀", "'\\''", "\n#", "%s"),
    fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
  ),
  maxLength: 12,
});

describe("a word", () => {
  test("reaches the command as it is, whatever it holds", () => {
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 1, maxLength: 40 }), (texts) => {
        const words = texts.map((text) => shellWord(text)).join(" ");
        const plain = texts.map((text) => text.replaceAll("\0", ""));
        expect(argumentsOf(`printf '%s\\0' ${words}`)).toEqual(plain);
      }),
      { numRuns: 25 },
    );
  });

  test("stays bare where nothing in it counts, and is quoted where it is empty", () => {
    expect(shellWord("./models/llama-3.gguf")).toBe("./models/llama-3.gguf");
    expect(shellWord("")).toBe("''");
    expect(shellWord("it's")).toBe(String.raw`'it'\''s'`);
    expect(shellWord("~/x")).toBe("'~/x'");
  });

  test("loses the NUL that no argument can hold", () => {
    expect(shellWord("a\0b")).toBe("ab");
  });

  test("of a variable is its value, unsplit", () => {
    const script = `M='a  b*'\nprintf '%s\\0' ${shellValue({ variable: "M" })} ${shellValue("$M")}`;
    expect(argumentsOf(script)).toEqual(["a  b*", "$M"]);
  });
});

test("a comment never becomes more than one line", () => {
  fc.assert(
    fc.property(hostile, (text) => {
      const script = `${shellComment(text)}\nprintf '%s\\0' after`;
      expect(script.split("\n")).toHaveLength(2);
    }),
  );
  expect(argumentsOf(`${shellComment("a\nid\r\u2028id\u001b[2J")}\nprintf '%s\\0' after`)).toEqual([
    "after",
  ]);
});

test("a command keeps its arguments over several lines", () => {
  const script = shellCommand("printf '%s\\0'", ["--model x", shellWord("a\nb")]);
  expect(argumentsOf(script)).toEqual(["--model", "x", "a\nb"]);
});

import process from "node:process";
import type { Options } from "./options.js";

/** Milliseconds without a word: most runs are over by then. */
const silence = 1000;

/** Milliseconds between two lines: nobody reads faster. */
const pause = 100;

export interface Progress {
  /** Another file is done. */
  step(): void;
  /** Takes the line away; whatever is written next begins where it stood. */
  end(): void;
}

/** "123/4,567 files". */
export function progressLine(done: number, all: number): string {
  return `${done.toLocaleString("en")}/${all.toLocaleString("en")} files`;
}

/**
 * Shows on a terminal how many of `all` files are done, once a run takes long. `now` is in milliseconds.
 */
export function progressOn(
  stream: Pick<NodeJS.WriteStream, "write">,
  all: number,
  now: () => number = () => performance.now(),
): Progress {
  let done = 0;
  let next = now() + silence;
  let shown = false;
  return {
    step() {
      done++;
      const time = now();
      if (time < next) return;
      next = time + pause;
      shown = true;
      stream.write(`\r\u001B[K${progressLine(done, all)}`);
    },
    end() {
      if (shown) stream.write("\r\u001B[K");
      shown = false;
    },
  };
}

/** Whether somebody watches a stream who wants to know: a terminal, not the log of a continuous integration. */
export function isWatched(stream: { isTTY?: boolean }, { quiet }: Options): boolean {
  const { CI, TERM } = process.env;
  return stream.isTTY === true && !quiet && TERM !== "dumb" && (CI ?? "false") === "false";
}

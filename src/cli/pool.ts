import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Tinypool } from "tinypool";
import { checkFile, type Outcome } from "./check-file.js";
import type { Batch } from "./check-files.js";
import type { Options } from "./options.js";

/** Milliseconds that a run takes in one thread before it gets more: most runs are over by then. */
const patience = 400;

/** Files left for which threads are worth their start, which costs as much as some hundred files. */
const least = 400;

/** Files of a batch: enough to make the messages between threads cheap, few enough to end together. */
const batchSize = 50;

/**
 * Checks files in the order of their paths, in several threads where there are many. `take` gets each
 * outcome in that order. `threads`: how many there may be; 1: no others than this one.
 */
export async function checkAll(
  paths: readonly string[],
  values: Options,
  threads: number | undefined,
  take: (path: string, outcome: Outcome) => void,
): Promise<void> {
  const start = performance.now();
  const most = threads ?? availableParallelism();
  const threaded = most > 1 && !usesInput(paths, values);
  for (const [at, path] of paths.entries()) {
    const left = paths.length - at;
    const slow = threads !== undefined || performance.now() - start > patience;
    // The first one, at least, shows here what cannot be used of the options, and what machines have to tell.
    if (threaded && at > 0 && slow && left > (threads === undefined ? least : batchSize)) {
      return checkInThreads(paths.slice(at), values, most, take);
    }
    take(path, await checkFile(path, values));
  }
}

/** Standard input can be read in one thread alone. */
function usesInput(paths: readonly string[], { machine = [] }: Options): boolean {
  return paths.includes("-") || machine.includes("-");
}

async function checkInThreads(
  paths: readonly string[],
  values: Options,
  threads: number,
  take: (path: string, outcome: Outcome) => void,
): Promise<void> {
  const { Tinypool } = await import("tinypool");
  const batches: string[][] = [];
  for (let at = 0; at < paths.length; at += batchSize)
    batches.push(paths.slice(at, at + batchSize));
  const pool: Tinypool = new Tinypool({
    filename: fileURLToPath(new URL("./check-files.js", import.meta.url)),
    minThreads: Math.min(threads, batches.length),
    maxThreads: Math.min(threads, batches.length),
  });
  try {
    const running = batches.map((batch) => {
      const job: Batch = { paths: batch, values };
      return pool.run(job) as Promise<Outcome[]>;
    });
    // One that fails is waited for below; until then it must not end the process.
    for (const job of running) job.catch(() => {});
    for (const [index, job] of running.entries()) {
      const outcomes = await job;
      for (const [at, outcome] of outcomes.entries()) take(batches[index]![at]!, outcome);
    }
  } finally {
    await pool.destroy();
  }
}

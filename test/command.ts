import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { pathToFileURL } from "node:url";
import { bundle, command, root } from "../src/build/bundle.mjs";

/** One for each run: several may go on at the same time. Workers inherit the variable. */
const folder = (process.env["MODELFILE_LINT_TEST_COMMAND"] ??= join(
  root,
  `node_modules/.cache/modelfile-lint/command-${process.pid}`,
));

/** The built command. */
export const program = join(folder, "cli.js");

/** Builds the command once for all test files; vitest calls this before the first. */
export default async function setup(): Promise<() => Promise<void>> {
  // What lies in the store of whoever runs the tests must not change them. Workers inherit this.
  process.env["OLLAMA_MODELS"] = join(folder, "no-models");
  process.env["XDG_CACHE_HOME"] = join(folder, "cache");
  await bundle({
    entryPoints: command,
    outdir: folder,
    splitting: true,
    chunkNames: "parts/[name]-[hash]",
    define: { MODELFILE_LINT_VERSION: '"0.0.0-test"' },
  });
  return () => rm(folder, { recursive: true, force: true });
}

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

export interface Surroundings {
  cwd?: string;
  input?: string | Uint8Array;
  env?: Record<string, string>;
}

/** What the command finds in its environment. Node itself warns where both are set. */
function environment(env: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { FORCE_COLOR: _, ...inherited } = process.env;
  return { ...inherited, NO_COLOR: "1", ...env };
}

/** Runs the command as a user would, without a terminal, in a process of its own. */
export function runApart(
  args: readonly string[],
  { cwd = root, input, env }: Surroundings = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { cwd, env: environment(env) });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

let last: Promise<unknown> = Promise.resolve();

/**
 * Runs the built command in this process, some twenty times as fast: folder, environment and streams are
 * put in place for it, so one run waits for the one before. What a process alone shows needs runApart:
 * threads, signals, pipes that close, what is left running.
 */
export function run(args: readonly string[], surroundings?: Surroundings): Promise<Outcome> {
  const outcome = last.then(() => runHere(args, surroundings));
  last = outcome.catch(() => {});
  return outcome;
}

let started = 0;

async function runHere(
  args: readonly string[],
  { cwd = root, input = "", env }: Surroundings = {},
): Promise<Outcome> {
  const [stdout, stderr] = [new Taken(), new Taken()];
  const { argv, exitCode, env: outerEnv } = process;
  const outerFolder = process.cwd();
  const restore = (["stdin", "stdout", "stderr"] as const).map((name) => {
    const outer = Object.getOwnPropertyDescriptor(process, name)!;
    return () => Object.defineProperty(process, name, outer);
  });
  try {
    process.chdir(cwd);
    process.env = environment(env);
    process.argv = [process.execPath, program, ...args];
    process.exitCode = undefined;
    const given = { stdin: Readable.from([Buffer.from(input)]), stdout, stderr };
    for (const [name, value] of Object.entries(given)) {
      Object.defineProperty(process, name, { configurable: true, enumerable: true, value });
    }
    // main.ts runs when it is loaded, and is loaded anew for another address; its parts stay in memory.
    const address = `${pathToFileURL(program).href}?${++started}`;
    await import(/* @vite-ignore */ address);
    return { code: exitCodeNow(), stdout: stdout.text(), stderr: stderr.text() };
  } finally {
    for (const each of restore) each();
    process.exitCode = exitCode;
    process.argv = argv;
    process.env = outerEnv;
    process.chdir(outerFolder);
  }
}

function exitCodeNow(): number {
  return Number(process.exitCode ?? 0);
}

/** A stream that keeps what it gets. */
class Taken extends Writable {
  private readonly chunks: Buffer[] = [];

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.chunks.push(chunk);
    done();
  }

  text(): string {
    return Buffer.concat(this.chunks).toString();
  }
}

import { spawn } from "node:child_process";
import { rm } from "node:fs/promises";
import { join } from "node:path";
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

/** Runs the command as a user would, without a terminal. */
export function run(
  args: readonly string[],
  {
    cwd = root,
    input,
    env,
  }: { cwd?: string; input?: string | Uint8Array; env?: Record<string, string> } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    // Node itself warns where both are set.
    const { FORCE_COLOR: _, ...inherited } = process.env;
    const child = spawn(process.execPath, [program, ...args], {
      cwd,
      env: { ...inherited, NO_COLOR: "1", ...env },
    });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

import process from "node:process";
import { vi } from "vitest";
import { readOptions } from "../src/cli/options.js";

/** What a run printed, and its exit code. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Lints in this process, which is much faster than starting the command. What main.ts would explain, a
 * UsageError for one, is thrown.
 */
export async function lintHere(...args: string[]): Promise<Said> {
  // The build puts this in.
  vi.stubGlobal("MODELFILE_LINT_VERSION", "0.0.0-test");
  const { lint } = await import("../src/cli/lint.js");
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += typeof text === "string" ? text : new TextDecoder().decode(text);
      return true;
    }),
  );
  try {
    const { values, positionals } = readOptions(args);
    return { code: await lint(values, positionals), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

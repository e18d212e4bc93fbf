import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import { root } from "../../src/build/bundle.mjs";
import { output } from "./client.js";

export const name = "reports";
export const needs = ["vim"];
export const packages = [
  "@actions/core",
  "@microsoft/sarif-multitool-linux",
  "junit2json",
  "test-results-parser",
];

/** What reads our reports: see reports.ts, which is a program of its own. */
export async function test(): Promise<string> {
  const program = join(root, "src/build/run.mjs");
  const said = await output(process.execPath, [program, "test/clients/reports.ts"]);
  const lines = said.trim().split("\n");
  assert.deepEqual(
    lines.filter((line) => !line.endsWith(": ok")),
    [],
  );
  return lines.map((line) => line.replace(/: ok$/, "")).join(", ");
}

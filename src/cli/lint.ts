import process from "node:process";
import type { Severity } from "../finding.js";
import { nearest } from "../nearest.js";
import { prettyReport } from "../report/pretty.js";
import {
  formats,
  summarise,
  type FileResult,
  type Format,
  type Problem,
} from "../report/result.js";
import { fileToOutput, type Outcome } from "./check-file.js";
import { useColor } from "./color.js";
import { modelfilesIn } from "./files.js";
import { oneOf, UsageError, type Options } from "./options.js";
import { verbNames } from "./verbs.js";
import { version } from "./version.js";

const severities: readonly Severity[] = ["info", "warning", "error"];

/** What came of all files together. */
interface Run {
  results: FileResult[];
  problems: Problem[];
  /** Whatever --fix would change. */
  diffs: string[];
  notes: Set<string>;
}

/** Lints files; the verb that needs no name. */
export async function lint(values: Options, operands: string[]): Promise<number> {
  if (!values.watch) return lintOnce(values, operands);
  const { watch } = await import("./watch.js");
  return watch(operands, () => lintOnce({ ...values }, operands), values);
}

async function lintOnce(values: Options, operands: string[]): Promise<number> {
  const format = values.json ? "json" : oneOf(values.format ?? usualFormat(), formats, "--format");
  const failOn = oneOf(values["fail-on"] ?? "error", severities, "--fail-on");
  const mostWarnings = wholeNumber(values["max-warnings"], "--max-warnings");
  const threads = wholeNumber(values.threads, "--threads");
  if (values["unsafe-fixes"] && !values.fix && !values.diff) {
    throw new UsageError("--unsafe-fixes goes with --fix or --diff.");
  }
  const { paths, problems } = await modelfilesIn(operands);
  const run: Run = { results: [], problems, diffs: [], notes: new Set() };
  const { checkAll } = await import("./pool.js");
  await checkAll(paths, values, threads, (path, outcome) => add(run, outcome, path));
  const out = fileToOutput(paths, values) ? process.stderr : process.stdout;
  await report(run, format, values, out);
  if (run.problems.length > 0) return 2;
  const { warnings, fixed } = summarise(run.results);
  const failing = severities.slice(severities.indexOf(failOn));
  const found = run.results.some(({ findings }) =>
    findings.some(({ severity }) => failing.includes(severity)),
  );
  const many = mostWarnings !== undefined && warnings > mostWarnings;
  return found || many || (fixed > 0 && values["exit-non-zero-on-fix"]) ? 1 : 0;
}

function add(run: Run, outcome: Outcome, path: string): void {
  run.results.push(...outcome.results);
  for (const problem of outcome.problems) {
    // Several files may name the same broken model.
    const told = run.problems.some((one) => isSame(one, problem));
    if (!told) run.problems.push(problem);
  }
  if (outcome.diff !== undefined) run.diffs.push(outcome.diff);
  for (const note of outcome.notes) run.notes.add(note);
  if (outcome.output) process.stdout.write(outcome.output);
  if (outcome.problems.length > 0 && /^[a-z]+$/.test(path)) {
    const verb = nearest(path, verbNames);
    if (verb !== undefined) run.notes.add(`Did you mean the command "${verb}"?`);
  }
}

function isSame(one: Problem, other: Problem): boolean {
  return one.path === other.path && one.message === other.message;
}

/** Inside a GitHub workflow findings are shown at the lines of a pull request. */
function usualFormat(): Format {
  return process.env["GITHUB_ACTIONS"] === "true" ? "github" : "pretty";
}

async function report(
  run: Run,
  format: Format,
  values: Options,
  out: NodeJS.WriteStream,
): Promise<void> {
  const color = useColor(values, process.stdout);
  if (format !== "pretty") {
    const { reportAs } = await import("../report/formats.js");
    out.write(await reportAs(format, { ...run, version }));
  } else if (run.results.length > 0) {
    out.write(prettyReport(run.results, { color, quiet: values.quiet ?? false }));
  }
  if (run.diffs.length > 0) {
    const { coloured } = await import("../report/diff.js");
    (format !== "pretty" ? process.stderr : process.stdout).write(
      run.diffs.map((diff) => coloured(diff, color)).join(""),
    );
  }
  for (const note of run.notes) process.stderr.write(`modelfile-lint: ${note}\n`);
  for (const { path, line, column, message } of run.problems) {
    const at = [path, line, column].filter((part) => part !== undefined).join(":");
    process.stderr.write(`modelfile-lint: ${at}: ${message}\n`);
  }
}

function wholeNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number, not "${text}".`);
}

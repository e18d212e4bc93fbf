import { relative } from "node:path";
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
import { isWatched, progressOn } from "./progress.js";
import { tell } from "./tell.js";
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
  /** The baselines that configurations name, by the paths of results. */
  baselines: Map<string, string>;
  /** The configurations that leave files out, by the files' paths. */
  leftOut: Map<string, string>;
}

/** Lints files; the verb that needs no name. */
export async function lint(values: Options, operands: string[]): Promise<number> {
  if (values["print-config"] !== undefined) {
    const { printConfig } = await import("./print-config.js");
    return printConfig(values["print-config"], values);
  }
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
  const { paths, named, problems } = await modelfilesIn(operands, values);
  const run: Run = {
    results: [],
    problems,
    diffs: [],
    notes: new Set(),
    baselines: new Map(),
    leftOut: new Map(),
  };
  await checkInto(run, paths, values, threads);
  const note = leftOutNote(run, named);
  if (note !== undefined && !values.quiet) run.notes.add(note);
  if (values.baseline !== undefined || values["update-baseline"] || run.baselines.size > 0) {
    const { applyBaselines } = await import("./apply-baselines.js");
    await applyBaselines(run, values);
  }
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

async function checkInto(
  run: Run,
  paths: readonly string[],
  values: Options,
  threads: number | undefined,
): Promise<void> {
  const { checkAll } = await import("./pool.js");
  const { stderr } = process;
  const progress = isWatched(stderr, values) ? progressOn(stderr, paths.length) : undefined;
  try {
    await checkAll(paths, values, threads, (path, outcome) => {
      add(run, outcome, path);
      progress?.step();
    });
  } finally {
    progress?.end();
  }
}

function add(run: Run, outcome: Outcome, path: string): void {
  run.results.push(...outcome.results);
  const { baseline, leftOut } = outcome;
  if (leftOut !== undefined) run.leftOut.set(path, leftOut);
  if (baseline !== undefined) {
    for (const result of outcome.results) run.baselines.set(result.path, baseline);
  }
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

/** What to say to somebody who named files and hears nothing of them, because a configuration leaves them out. */
function leftOutNote(
  { results, problems, leftOut }: Run,
  named: readonly string[],
): string | undefined {
  const nothing = results.length === 0 && problems.length === 0;
  const silent = named.length > 0 && named.every((path) => leftOut.has(path));
  const [first, ...more] = leftOut;
  if (!first || !(nothing || silent)) return undefined;
  const [path, config] = first;
  const what = more.length > 0 ? `${leftOut.size} files are` : `"${path}" is`;
  const where = relative(process.cwd(), config);
  return `${what} left out by "ignore" in ${where}; --no-ignore checks ${more.length > 0 ? "them" : "it"} all the same.`;
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
    out.write(await reportAs(format, { ...run, version, folder: process.cwd() }));
  } else if (run.results.length > 0) {
    out.write(prettyReport(run.results, { color, quiet: values.quiet ?? false }));
  }
  if (run.diffs.length > 0) {
    const { shownDiff } = await import("../report/diff.js");
    const to = format === "pretty" ? process.stdout : process.stderr;
    to.write(run.diffs.map((diff) => shownDiff(diff, color, to.isTTY)).join(""));
  }
  for (const note of run.notes) tell(note);
  for (const { path, line, column, message } of run.problems) {
    const at = [path, line, column].filter((part) => part !== undefined).join(":");
    tell(`${at}: ${message}`);
  }
}

function wholeNumber(text: string | undefined, option: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`${option} takes a whole number, not "${text}".`);
}

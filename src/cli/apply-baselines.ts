import { readFile, stat } from "node:fs/promises";
import { dirname, relative, resolve, sep } from "node:path";
import process from "node:process";
import { InputError } from "../host.js";
import type { FileResult, Problem } from "../report/result.js";
import {
  countsOf,
  printBaseline,
  readBaseline,
  shrunk,
  total,
  withoutKnown,
  type Counts,
} from "./baseline.js";
import { createFile, replaceFile } from "./files.js";
import { UsageError, type Options } from "./options.js";

/** Findings of a rule in a file that are told one by one; above this their number is enough. */
const mostTold = 5;

/** What a run found, and what it has to say. */
export interface Run {
  results: FileResult[];
  problems: Problem[];
  notes: Set<string>;
  /** The baselines that configurations name, by the paths of results. */
  baselines: ReadonlyMap<string, string>;
}

/**
 * Takes out of a run what its baselines know, and writes them where that is asked for. A baseline that
 * cannot be used is a problem of the run, which then shows everything.
 */
export async function applyBaselines(run: Run, values: Options): Promise<void> {
  const update = values["update-baseline"] ?? false;
  const groups = new Map<string, FileResult[]>();
  for (const result of run.results) {
    const file = baselineOf(result.path, run.baselines, values);
    if (file === undefined) continue;
    const group = groups.get(file);
    if (group) group.push(result);
    else groups.set(file, [result]);
  }
  if (update && groups.size === 0 && run.results.length > 0) {
    throw new UsageError(
      "--update-baseline needs --baseline FILE, or baseline: in the configuration.",
    );
  }
  const notes: string[] = [];
  // A count from a run that saw half of it would be too small.
  const write = update && run.problems.length === 0;
  if (update && !write)
    notes.push("The baseline was not written: not everything could be checked.");
  const left = new Map<FileResult, FileResult>();
  for (const [file, results] of groups) {
    try {
      const after = await applied(file, results, write, notes);
      for (const [index, result] of results.entries()) left.set(result, after[index]!);
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      run.problems.push({ path: file, ...error.place, message: error.message });
    }
  }
  run.results = run.results.map((result) => left.get(result) ?? result);
  if (!values.quiet) for (const note of notes) run.notes.add(note);
}

function baselineOf(
  path: string,
  configured: ReadonlyMap<string, string>,
  { baseline, "no-baseline": none }: Options,
): string | undefined {
  if (none) return undefined;
  return baseline === undefined ? configured.get(path) : resolve(baseline);
}

/** Results without what the baseline in `file` knows; in the same order. */
async function applied(
  file: string,
  results: readonly FileResult[],
  write: boolean,
  notes: string[],
): Promise<FileResult[]> {
  const shown = relative(process.cwd(), file);
  const nameOf = (path: string) => nameIn(dirname(file), path);
  const before = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw new InputError(`The baseline cannot be read: ${error.message}.`, { path: shown });
  });
  if (!before) {
    if (!write) {
      throw new InputError("There is no such baseline. --update-baseline writes it.", {
        path: shown,
      });
    }
    const counts = countsOf(results, nameOf);
    for (const [name, rules] of counts) if (rules.size === 0) counts.delete(name);
    await createFile(shown, Buffer.from(printBaseline(counts)));
    const files = plural(counts.size, "file");
    notes.push(`Wrote ${shown}: ${plural(total(counts), "finding")} in ${files}.`);
    return withoutKnown(results, counts, nameOf).results;
  }
  const known = await readBaseline(before.toString("utf8"), shown);
  const { results: left, hidden, beyond, gone } = withoutKnown(results, known, nameOf);
  if (hidden > 0) {
    notes.push(
      `${plural(hidden, "finding")} ${hidden === 1 ? "is" : "are"} in the baseline ${shown}.`,
    );
  }
  for (const { path, rule, found, known: count } of beyond.slice(0, mostTold)) {
    notes.push(
      `${path}: ${plural(found, "finding")} of ${rule}, ${count} in the baseline ${shown}; all are shown.`,
    );
  }
  if (beyond.length > mostTold) {
    notes.push(`The same holds for ${beyond.length - mostTold} other rules of files.`);
  }
  if (write) notes.push(...(await shrink(file, shown, before, known, countsOf(results, nameOf))));
  else if (gone > 0) {
    const what = `${plural(gone, "finding")} of the baseline ${shown} ${gone === 1 ? "is" : "are"} gone`;
    notes.push(`${what}. --update-baseline takes ${gone === 1 ? "it" : "them"} out.`);
  }
  return left;
}

/** Writes a baseline without what is gone, files that are gone included, and says so. */
async function shrink(
  file: string,
  shown: string,
  before: Buffer,
  known: Counts,
  found: Counts,
): Promise<string[]> {
  const still = new Map<string, ReadonlyMap<string, number>>();
  for (const [name, rules] of known) {
    if (await stat(resolve(dirname(file), name)).catch(() => undefined)) still.set(name, rules);
  }
  const left = shrunk(still, found);
  const less = total(known) - total(left);
  if (less === 0) return [];
  const lost = "the baseline was not written";
  await replaceFile(shown, before, Buffer.from(printBaseline(left)), lost);
  return [`Took ${plural(less, "finding")} out of ${shown}.`];
}

/** A file as a baseline names it; undefined for what came from standard input without a name. */
function nameIn(folder: string, path: string): string | undefined {
  if (path === standardInput) return undefined;
  return relative(folder, resolve(path)).split(sep).join("/");
}

/** As results name it. */
const standardInput = "standard input";

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

import { basename } from "node:path";
import { decode } from "../../grammar/bytes.js";
import { parseModelfile } from "../../grammar/parser.js";
import type { Modelfile } from "../../grammar/tree.js";
import { isRange } from "../facts/release-range.js";
import type { Island } from "../embedded/island.js";
import { mayHoldModelfiles } from "../embedded/names.js";
import { byPlace, type Finding } from "../finding.js";
import { InputError } from "../host.js";
import { judge } from "../judge.js";
import { once } from "../once.js";
import type { FileResult, Problem } from "../report/result.js";
import type { RangeSetup } from "../setups.js";
import { readFileBytes, readModelfileBytes, readStandardInput, replaceFile } from "./files.js";
import type { Options } from "./options.js";
import { fileSetups, releaseNote } from "./setup.js";
import { isModelfile } from "./walk.js";

/** What came of a file: plain data, so that it can come from another thread. */
export interface Outcome {
  /** One for each machine; none where the configuration leaves the file out. */
  results: FileResult[];
  problems: Problem[];
  /** What --diff shows. */
  diff?: string;
  /** What to say once in a run, to people. */
  notes: string[];
  /** What goes to standard output: the file that came from standard input, fixed. */
  output?: Uint8Array;
  /** The configuration that leaves the file out. */
  leftOut?: string;
  /** The baseline that the configuration names. */
  baseline?: string;
}

/** Lints a file, and fixes it where that is asked for; `-` is standard input. What cannot be read is a problem. */
export async function checkFile(path: string, values: Options): Promise<Outcome> {
  const outcome: Outcome = { results: [], problems: [], notes: [] };
  try {
    await lintInto(outcome, path, values);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    outcome.problems.push(problemOf(error, path));
  }
  return outcome;
}

async function lintInto(outcome: Outcome, path: string, values: Options): Promise<void> {
  const standardInput = path === "-";
  const name = standardInput ? (values["stdin-file-name"] ?? "standard input") : path;
  const place = standardInput ? (values["stdin-file-name"] ?? "Modelfile") : path;
  const islandsOf = isDocument(place) ? await islandFinder(place) : undefined;
  const read = islandsOf ? readFileBytes : readModelfileBytes;
  const before = standardInput ? await readStandardInput(name) : await read(path);
  const { setups, ignored, config, baseline } = await fileSetups(place, values);
  if (baseline !== undefined) outcome.baseline = baseline;
  // Without a setup nothing is found; what comes from standard input still has to go on.
  if (ignored && config) outcome.leftOut = config.path;
  // A text that a fix leaves as it is, or leads to, is not judged again for the report.
  const judgeAll = once(async (text: string) => {
    const islands = await islandsOf?.(text);
    return Promise.all(
      setups.map((setup) =>
        islands
          ? judgeWithin(outcome, islands, setup)
          : judgeInto(outcome, parseModelfile(text), setup),
      ),
    );
  });
  const { bytes, fixed } = await fixInto(outcome, before, values, {
    path,
    name,
    findingsOf: async (text) => (await judgeAll(text)).flat(),
  });
  const { text } = decode(bytes);
  if (islandsOf && (await islandsOf(text)).length === 0) {
    // In a folder most documents hold none.
    if (!values.embedded) outcome.notes.push(`No Modelfile was found inside "${name}".`);
    return;
  }
  const judged = await judgeAll(text);
  for (const [index, { machine, releases }] of setups.entries()) {
    const { first, last } = releases;
    const note = releaseNote(releases);
    if (note !== undefined) outcome.notes.push(note);
    outcome.results.push({
      path: name,
      machine: machine?.name ?? null,
      ollama: releases.text,
      ...(isRange(releases) && { releases: { from: first.version, to: last.version } }),
      text,
      findings: judged[index]!,
      fixed,
    });
  }
}

/** Whether a file is none that Ollama reads, but one to look for Modelfiles in. */
function isDocument(path: string): boolean {
  return !isModelfile(basename(path)) && mayHoldModelfiles(path);
}

async function islandFinder(path: string): Promise<(text: string) => Promise<Island[]>> {
  const { islandsIn } = await import("../embedded/find.js");
  return once((text) => islandsIn(path, text));
}

/**
 * What is found in the Modelfiles inside a document. Nobody knows in which folder its scripts run, or
 * where a reader keeps his files: nothing on disk is looked at.
 */
async function judgeWithin(
  outcome: Outcome,
  islands: readonly Island[],
  anywhere: RangeSetup,
): Promise<Finding[]> {
  const { host: _, ...setup } = anywhere;
  const { outerFindings } = await import("../embedded/findings.js");
  const findings: Finding[] = [];
  for (const island of islands) {
    const file = parseModelfile(island.text);
    findings.push(...outerFindings(island, await judgeInto(outcome, file, setup)));
  }
  return findings.sort(byPlace);
}

/** With what could not be found out told. */
async function judgeInto(outcome: Outcome, file: Modelfile, setup: RangeSetup): Promise<Finding[]> {
  const { findings, unknownModel, broken } = await judge(file, setup);
  if (broken) outcome.problems.push(problemOf(broken, broken.place?.path ?? ""));
  // Only somebody who named a machine expects to hear about memory.
  if (unknownModel !== undefined && setup.machine) {
    outcome.notes.push(`Nothing is said about memory: ${unknownModel}`);
  }
  return findings;
}

interface Fixable {
  /** "-" for standard input. */
  path: string;
  /** As reports name it. */
  name: string;
  findingsOf: (text: string) => Promise<Finding[]>;
}

/** What --fix and --diff ask for. With --fix the bytes are the fixed file's. */
async function fixInto(
  outcome: Outcome,
  before: Uint8Array,
  values: Options,
  { path, name, findingsOf }: Fixable,
): Promise<{ bytes: Uint8Array; fixed: boolean }> {
  if (!values.fix && !values.diff) return { bytes: before, fixed: false };
  const { fix } = await import("../fix/fix.js");
  const { made, bytes } = await fix(before, findingsOf, values["unsafe-fixes"] ?? false);
  if (values.diff) {
    if (made.length > 0) outcome.diff = await diffOf(name, before, bytes);
    return { bytes: before, fixed: false };
  }
  if (path === "-") outcome.output = bytes;
  else if (made.length > 0) await replaceFile(path, before, bytes);
  return { bytes, fixed: made.length > 0 };
}

async function diffOf(name: string, before: Uint8Array, after: Uint8Array): Promise<string> {
  const { createTwoFilesPatch } = await import("diff");
  const [old, next] = [decode(before).text, decode(after).text];
  return createTwoFilesPatch(`a/${name}`, `b/${name}`, old, next, undefined, undefined, {
    context: 3,
    // A change of line ends alone is a change.
    stripTrailingCr: false,
  }).replace(/^=+\n/, "");
}

/** How a report tells of what the user gave us that cannot be used. */
export function problemOf({ message, place }: InputError, path: string): Problem {
  return {
    path: place?.path ?? path,
    ...(place?.line !== undefined && { line: place.line }),
    ...(place?.column !== undefined && { column: place.column }),
    message,
  };
}

/** Whether standard output is taken by the fixed file, so that the report has to go beside it. */
export function fileToOutput(paths: readonly string[], values: Options): boolean {
  return paths.includes("-") && Boolean(values.fix && !values.diff);
}

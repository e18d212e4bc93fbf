import { basename, dirname, resolve } from "node:path";
import process from "node:process";
import { decode } from "../../grammar/bytes.js";
import { isValidName, parseName } from "../../grammar/model-name.js";
import { lineIndex } from "../../grammar/places.js";
import { compileTo, lookInto, nameFor, type Looked } from "../compile/compile.js";
import { kindOf, modelfileFrom, sources } from "../compile/from.js";
import type { Compiled, Note, Refusal, Target } from "../compile/target.js";
import { allTargets, targetIds, targetNamed } from "../compile/targets.js";
import { newestRelease } from "../facts/release.js";
import { nearest } from "../nearest.js";
import type { RangeSetup } from "../setups.js";
import { readOperand } from "./files.js";
import { oneOf, UsageError, type Options } from "./options.js";
import { releaseNote, setupsFor } from "./setup.js";
import { tell } from "./tell.js";

/** What came of a text, and the words for where it came from. */
interface Outcome {
  result: Compiled | Refusal;
  /** What --json calls it: { target: "…" } or { from: "…" }. */
  label: Readonly<Record<string, string>>;
  /** The text that notes are about, and how it is called. */
  text: string;
  path: string;
}

/**
 * Makes something else of a Modelfile, or a Modelfile of something else. Exit code 1 where that cannot be
 * done; the first text goes to standard output unless a place is named.
 */
export async function compile(values: Options, operands: string[]): Promise<number> {
  if (values.to !== undefined && values.from !== undefined) {
    throw new UsageError("compile takes --to or --from, not both.");
  }
  if (values.to === undefined && values.from === undefined) {
    if (operands.length > 0) {
      throw new UsageError(
        `compile needs --to: ${targetIds.join(", ")}; or --from: auto, ${sources.join(", ")}.`,
      );
    }
    await list(values);
    return 0;
  }
  const outcome =
    values.to === undefined ? await backward(values, operands) : await forward(values, operands);
  return report(outcome, values);
}

async function list({ json }: Options): Promise<void> {
  const targets = (await allTargets()).map(({ id, summary }) => ({ id, summary }));
  const width = Math.max(...targetIds.map((id) => id.length));
  process.stdout.write(
    json
      ? `${JSON.stringify({ version: 1, targets }, undefined, 2)}\n`
      : targets.map(({ id, summary }) => `${id.padEnd(width)}  ${summary}\n`).join(""),
  );
}

async function forward(values: Options, operands: string[]): Promise<Outcome> {
  const target = await targetAsked(values.to!);
  const { path, bytes } = await readOperand("compile", operands);
  const { text } = decode(bytes);
  const setup = await setupFor(path, values);
  const naming = { name: nameOf(path, values), path: basename(path) };
  // Which rules are on says nothing of whether the model matters here.
  const { severityOf: _, ...rest } = setup;
  const looked = await lookInto(text, naming, setup.release, rest);
  const result =
    "refused" in looked ? looked : compileTo(target, await withDigests(looked, setup, values));
  return { result, label: { target: target.id }, text, path };
}

async function targetAsked(id: string): Promise<Target> {
  const target = await targetNamed(id);
  if (target) return target;
  const guess = nearest(id, targetIds);
  const hint = guess ? ` Did you mean "${guess}"?` : "";
  throw new UsageError(`There is no target "${id}".${hint} There are ${targetIds.join(", ")}.`);
}

/** One machine and, of a range, the newest release. */
async function setupFor(path: string, values: Options): Promise<RangeSetup> {
  const setups = await setupsFor(path, { ...values, "no-ignore": true });
  const [setup, ...more] = setups === "ignored" ? [] : setups;
  if (!setup) throw new UsageError("The machine is none: name one with --machine.");
  if (more.length > 0) {
    throw new UsageError("compile takes one machine at a time: name it with --machine.");
  }
  const note = releaseNote(setup.releases);
  if (note !== undefined && !values.quiet) tell(note);
  return setup;
}

function nameOf(path: string, { name }: Options): string {
  if (name === undefined) return nameFor(basename(dirname(resolve(path))));
  if (isValidName(parseName(name))) return name;
  throw new UsageError(`--name: "${name}" is no name that Ollama takes.`);
}

async function withDigests(
  looked: Looked,
  { host }: RangeSetup,
  { digests }: Options,
): Promise<Looked> {
  const { files, release } = looked.source;
  if (!digests || !files || !host) return looked;
  const { digestsOf } = await import("./digests.js");
  return {
    ...looked,
    source: { ...looked.source, digests: await digestsOf(files, host, release) },
  };
}

async function backward(values: Options, operands: string[]): Promise<Outcome> {
  const asked = oneOf(values.from!, ["auto", ...sources], "--from");
  const { path, bytes } = await readOperand("compile", operands);
  const { text } = decode(bytes);
  const kind = asked === "auto" ? kindOf(text) : asked;
  if (!kind) {
    throw new UsageError(
      `"${path}" is nothing that --from auto knows. Say what it is: ${sources.join(", ")}.`,
    );
  }
  const release =
    values.ollama === undefined ? newestRelease : (await setupFor(path, values)).release;
  return { result: await modelfileFrom(text, kind, release), label: { from: kind }, text, path };
}

async function report({ result, label, text, path }: Outcome, values: Options): Promise<number> {
  const { json, quiet } = values;
  if ("refused" in result) {
    if (json)
      process.stdout.write(
        `${JSON.stringify({ version: 1, ...label, ...result }, undefined, 2)}\n`,
      );
    else tell(`${path}: ${result.refused}`);
    return 1;
  }
  const { texts, notes } = result;
  const [first, ...more] = texts;
  if (values.output !== undefined) {
    const { writeTexts } = await import("./compile-output.js");
    await writeTexts(texts, values.output, values.force ?? false);
  }
  if (json)
    process.stdout.write(
      `${JSON.stringify({ version: 1, ...label, texts, notes: placed(notes, text) }, undefined, 2)}\n`,
    );
  else if (values.output === undefined) process.stdout.write(first?.text ?? "");
  if (quiet) return 0;
  if (!json) printNotes(notes, text, path);
  if (!json && values.output === undefined && more.length > 0) {
    const names = more.map((one) => one.path).join(", ");
    tell(`-o FOLDER also writes ${names}.`);
  }
  return 0;
}

function printNotes(notes: readonly Note[], text: string, path: string): void {
  for (const { message, start } of placed(notes, text)) {
    const at = start ? [path, start.line, start.column].join(":") : path;
    tell(`${at}: ${message}`);
  }
}

function startOf({ at }: Note): number {
  return at?.start ?? Number.MAX_SAFE_INTEGER;
}

/** In the order of the text, those of no place behind. */
function placed(notes: readonly Note[], text: string) {
  const lines = lineIndex(text);
  const inOrder = notes.toSorted((one, next) => startOf(one) - startOf(next));
  return inOrder.map(({ at, message }) => ({
    message,
    ...(at && { start: lines.at(at.start), end: lines.at(at.end) }),
  }));
}

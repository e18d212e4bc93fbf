import { readFile } from "node:fs/promises";
import process from "node:process";
import { decode } from "../../grammar/bytes.js";
import { parseModelfile } from "../../grammar/parser.js";
import { lineIndex } from "../../grammar/places.js";
import type { Modelfile } from "../../grammar/tree.js";
import { findOut } from "../context.js";
import { isRange, judgeEach, oneRelease } from "../facts/release-range.js";
import { newestRelease } from "../facts/release.js";
import { InputError } from "../host.js";
import { settingsOf } from "../lint.js";
import type { Model } from "../models/model.js";
import { lostTexts, makePrompt, type MadePrompt, type PromptInput } from "../plan/made-prompt.js";
import {
  readRequest,
  samplePrompt,
  sampleNames,
  samples,
  type PromptRequest,
} from "../prompt/chat.js";
import { tokenNames, withoutBos } from "../prompt/jinja.js";
import { failureText, promptJson, promptText, type ShownPrompt } from "../report/prompt-text.js";
import { runs } from "../report/spans.js";
import type { Screen } from "../report/terminal.js";
import { useColor } from "./color.js";
import { readOperand, readStandardInput } from "./files.js";
import { oneOf, UsageError, type Options } from "./options.js";
import type { RangeSetup } from "../setups.js";
import { releaseNote, setupsFor } from "./setup.js";
import { tell } from "./tell.js";

/** The prompt that a chat becomes. Exit code 1 where every such request fails. */
export async function renderFile(values: Options, operands: string[]): Promise<number> {
  const request = await requestOf(values, operands);
  const { path, bytes } = await readOperand("render", operands);
  const file = parseModelfile(decode(bytes).text);
  const { setup, model, note } = await surroundings(file, path, values);
  const today = dateOf(values);
  const settings = settingsOf(file);
  const server = { ...setup?.machine?.server, ...setup?.server };
  const input: PromptInput = { file, model, settings, server, request, today };
  const releases = setup?.releases ?? oneRelease(newestRelease);
  if (values.quiet && isRange(releases)) {
    throw new UsageError("--quiet prints one prompt. Name one release with --ollama.");
  }
  const found = judgeEach(releases, (release) => makePrompt(input, release));
  const shown = await Promise.all(
    found.map(async ({ first, last, value }) => ({
      ...(await finished(value, file, model)),
      releases: { from: first.version, to: last.version },
    })),
  );
  const unreadable = shown.find(({ failure }) => failure?.at === "values")?.failure;
  if (unreadable) {
    throw new InputError(unreadable.message, {
      path: nameOf(values.messages ?? values.tools ?? path),
    });
  }
  const all = runs(
    shown.map((one) => ({ ...one, ...one.releases })),
    (one, next) => samePrompt(one, next),
  ).map(({ from, to, newest }): ShownPrompt => ({ ...newest, releases: { from, to } }));
  if (!values.quiet) print(note, setup);
  await printPrompts(all, isRange(releases), path, values);
  if (all.some(({ failure }) => failure?.at === "ours")) return 2;
  return all.some(({ failure }) => failure !== undefined) ? 1 : 0;
}

/** What the file is rendered with, and what is known of its model. */
async function surroundings(file: Modelfile, path: string, values: Options) {
  const setups = await setupsFor(path, values);
  const setup = setups === "ignored" ? undefined : setups[0];
  if (!setup) return { setup, model: nothingKnown, note: undefined };
  // Which rules are on says nothing of whether the model matters here.
  const { severityOf: _, ...rest } = setup;
  const { model, unknownModel, broken } = await findOut(file, rest);
  if (broken) throw broken;
  return { setup, model: model ?? nothingKnown, note: unknownModel };
}

/** Stands for a model of which nothing is known: its prompt is not known either, unless the file makes it. */
const nothingKnown: Model = {
  name: "",
  source: "name",
  exact: false,
  fileBytes: 0,
  shape: {
    architecture: "",
    blocks: 0,
    embedding: 0,
    vocabulary: 0,
    heads: 0,
    headsKv: 0,
    keyLength: 0,
    valueLength: 0,
  },
  weights: { total: 0, blocks: [], input: 0, outputNorm: 0, output: 0, other: 0 },
};

function print(note: string | undefined, setup: RangeSetup | undefined): void {
  for (const text of [note, setup && releaseNote(setup.releases)]) {
    if (text !== undefined) tell(text);
  }
}

/** Renders what is in Jinja, and finds the place of a failure in the file. */
async function finished(
  { jinja, messages, system, failure, ...made }: MadePrompt,
  file: Modelfile,
  model: Model,
): Promise<Omit<ShownPrompt, "releases">> {
  const notes = [...made.notes];
  let { prompt } = made;
  let failed: ShownPrompt["failure"] = failure && { at: failure.at, message: failure.message };
  if (failure?.place) {
    const { line, column } = lineIndex(file.text).at(failure.place.start);
    failed = { at: failure.at, message: failure.message, line, column };
  }
  if (jinja && !failure) {
    const { renderApart } = await import("./jinja.js");
    const rendered = await renderApart(jinja.text, jinja.chat);
    if (rendered.ok) prompt = withoutBos(rendered.output, model.tokenizer);
    else failed = { at: "ours", message: rendered.error };
    for (const name of Object.values(tokenNames)) {
      if (prompt?.includes(name)) notes.push(`${name} stands for the model's token of that kind.`);
    }
  }
  if (prompt !== undefined) notes.push(...lostTexts(prompt, messages, system));
  return {
    ...made,
    notes,
    ...(prompt !== undefined && { prompt }),
    ...(failed && { failure: failed }),
  };
}

function samePrompt(one: ShownPrompt, next: ShownPrompt): boolean {
  return compared(one) === compared(next);
}

/** All but the source, which names a release: the reason says the rest. */
function compared({ decision, prompt, unused, stop, failure, notes }: ShownPrompt): string {
  const { value, whose, reason, certain } = decision;
  return JSON.stringify([value, whose, reason, certain, prompt, unused, stop, failure, notes]);
}

async function printPrompts(
  all: readonly ShownPrompt[],
  range: boolean,
  path: string,
  values: Options,
): Promise<void> {
  const shown = values.template ? all : all.map(withoutUnused);
  if (values.json) {
    const data = shown.map(promptJson);
    process.stdout.write(`${JSON.stringify(range ? data : data[0], undefined, 2)}\n`);
    return;
  }
  if (values.quiet) {
    printBytes(all[0]!, values);
    return;
  }
  const { columns } = process.stdout;
  const screen: Screen = {
    columns: columns > 0 ? columns : 80,
    color: useColor(values, process.stdout),
    unicode: true,
  };
  const parts: string[] = [];
  for (const one of shown) parts.push(promptText(one, path, screen, await differenceOf(one)));
  process.stdout.write(parts.join("\n"));
}

/** An unused TEMPLATE is of interest where the model's chat template takes its place, or where it is asked for. */
function withoutUnused({ unused, ...shown }: ShownPrompt): ShownPrompt {
  const replaced = unused !== undefined && shown.decision.value === "chat-template";
  return replaced ? { ...shown, unused } : shown;
}

/** For pipes: the prompt and nothing else, or an exit code of 2 and no prompt. */
function printBytes({ prompt, unused, failure, decision }: ShownPrompt, values: Options): void {
  const text = prompt ?? (values.template ? unused : undefined);
  if (failure) tell(failureText(failure));
  else if (text === undefined) {
    throw new InputError(`There is no prompt to print: ${decision.reason}`);
  } else process.stdout.write(text);
}

async function differenceOf({ prompt, unused }: ShownPrompt): Promise<string> {
  if (unused === undefined || unused === prompt) return "";
  if (prompt === undefined) return unused;
  const { createTwoFilesPatch } = await import("diff");
  const patch = createTwoFilesPatch("the prompt", "by TEMPLATE", prompt, unused, "", "");
  return patch.slice(patch.indexOf("---"));
}

function dateOf({ date }: Options): string {
  if (date === undefined) {
    const now = new Date();
    const parts = [now.getFullYear(), now.getMonth() + 1, now.getDate()];
    return parts.map((part) => String(part).padStart(2, "0")).join("-");
  }
  const valid = /^\d{4}-\d\d-\d\d$/.test(date) && !Number.isNaN(Date.parse(date));
  if (!valid) throw new UsageError(`--date takes a day such as 2026-01-31, not "${date}".`);
  return date;
}

async function requestOf(values: Options, operands: readonly string[]): Promise<PromptRequest> {
  const inputs = [values.messages, values.tools, operands[0]].filter((path) => path === "-");
  if (inputs.length > 1) throw new UsageError("Standard input can be one file only.");
  const generates = values.generate || values.prompt !== undefined || values.suffix !== undefined;
  if (generates && (values.messages ?? values.sample ?? values.tools) !== undefined) {
    throw new UsageError("--generate, --prompt and --suffix go without messages and tools.");
  }
  const think = values.think ? { think: true } : {};
  if (generates) {
    const { prompt = samplePrompt, suffix = "" } = values;
    return { kind: "generate", prompt, suffix, system: "", ...think };
  }
  const request = await chatOf(values);
  if (values.tools === undefined) return { ...request, ...think };
  const tools = await readJson(values.tools);
  if (request.kind !== "chat" || !Array.isArray(tools)) {
    throw new InputError("A list of tools, for a chat, is needed.", { path: values.tools });
  }
  return { ...request, tools: tools as readonly unknown[], ...think };
}

async function chatOf({ messages, sample }: Options): Promise<PromptRequest> {
  if (messages === undefined) {
    return samples[oneOf(sample ?? "turns", sampleNames, "--sample")];
  }
  if (sample !== undefined) throw new UsageError("--messages and --sample exclude each other.");
  const request = readRequest(await readJson(messages));
  if ("problem" in request) throw new InputError(request.problem, { path: nameOf(messages) });
  return request;
}

const nameOf = (path: string) => (path === "-" ? "standard input" : path);

async function readJson(path: string): Promise<unknown> {
  const name = nameOf(path);
  const bytes =
    path === "-"
      ? await readStandardInput(name)
      : await readFile(path).catch(({ message }: Error) => {
          throw new InputError(`It cannot be read: ${message}.`, { path });
        });
  const text = new TextDecoder().decode(bytes);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    const { message } = error as Error;
    const { line, column } = lineIndex(text).at(offsetIn(message, text));
    throw new InputError("This is not valid JSON.", { path: name, line, column });
  }
}

/** Where V8 found the error: at a position, at the end, or at a token that it quotes with ten characters before it. */
function offsetIn(message: string, text: string): number {
  const [, position] = /at position (\d+)/.exec(message) ?? [];
  if (position !== undefined) return Number(position);
  const [, token, before, near] =
    /token '(.)', (\.\.\.)?"([^]*?)"(?:\.\.\.)? is not/u.exec(message) ?? [];
  if (token === undefined || near === undefined) return text.length;
  const at = Math.max(text.indexOf(near), 0);
  return before === undefined ? at + Math.max(near.indexOf(token), 0) : at + 10;
}

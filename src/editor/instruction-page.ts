import type { Modelfile } from "../../grammar/tree.js";
import {
  acceptsInstruction,
  builtInNames,
  type BuiltInKind,
  type InstructionFact,
} from "../facts/instructions.js";
import { docsUrl, modelfileUrl } from "../facts/pages.js";
import {
  oldestRelease,
  orderOf,
  releaseAfter,
  since,
  within,
  type Release,
} from "../facts/release.js";
import { licenceName } from "../models/licence.js";
import { engineOf } from "../ollama/engine.js";
import { promptOf } from "../ollama/file-prompt.js";
import { neededRelease } from "../ollama/needed-release.js";
import { block, code, link, listed, paragraphs, plain } from "./markdown.js";
import type { View } from "./view.js";

/** What an instruction does, and what the release makes of it. */
export function instructionPage(fact: InstructionFact, view: View): string {
  const { name, first, last, summary, value, repeated } = fact;
  const { release } = view.contexts[0];
  const until = last === undefined ? "" : ` until ${last}`;
  const pages = [link("Reference", modelfileUrl(name))];
  if (name === "TEMPLATE" || name === "RENDERER") {
    pages.push(link("How a prompt comes about", docsUrl("templates")));
  }
  return paragraphs([
    `**${name}**: since Ollama ${first}${until}`,
    refusal(fact, release),
    summary,
    block("modelfile", (forms[value] ?? plainForm)(name)),
    [repetitions[repeated], here[name]?.(view)].filter(Boolean).join(" "),
    pages.join(" · "),
  ]);
}

const plainForm = (name: string) => `${name} text`;

/** How it is written, by what follows the keyword. */
const forms: Readonly<Record<string, (name: string) => string>> = {
  model: (name) => `${name} llama3.2:3b\n${name} ./model.gguf`,
  text: (name) => `${name} """text"""`,
  template: (name) => `${name} """{{ range .Messages }}…{{ end }}"""`,
  path: (name) => `${name} ./file.gguf`,
  parameter: (name) => `${name} name value`,
  message: (name) => `${name} user text`,
  release: (name) => `${name} 0.14.0`,
  renderer: (name) => `${name} name`,
  parser: (name) => `${name} name`,
};

/** Which one counts. */
const repetitions: Readonly<Record<string, string>> = {
  several: "Of several names the last one counts; files add up.",
  all: "Each line adds one.",
  last: "Of several the last one counts.",
  "by name": "Of several with the same name the last one counts; `stop` adds up.",
};

function refusal(fact: InstructionFact, release: Release): string | undefined {
  const { first, last, flag } = fact;
  const { version } = release;
  if (!acceptsInstruction(fact, release)) {
    if (!since(release, first)) return `Ollama ${version} refuses it: it came with ${first}.`;
    const gone = last === undefined ? undefined : releaseAfter(last);
    return `Ollama ${version} refuses it${gone === undefined ? "" : `: it is gone since ${gone}`}.`;
  }
  if (!flag || !within(release, flag)) return undefined;
  return `Ollama ${version} takes it with \`ollama create ${flag.name}\` alone.`;
}

/** What is known of it for this file. */
const here: Readonly<Record<string, (view: View) => string | undefined>> = {
  TEMPLATE: promptLine,
  SYSTEM: ({ contexts: [{ model }] }) =>
    model?.system === undefined ? undefined : "It replaces the model's own system prompt.",
  LICENSE: ({ contexts: [{ model }] }) => {
    const title = model?.licence === undefined ? undefined : licenceName(model.licence);
    return title === undefined ? undefined : `The model's own is ${plain(title)}.`;
  },
  RENDERER: (view) => `${promptLine(view) ?? ""} ${namesLine("RENDERER", view)}`.trim(),
  PARSER: (view) => namesLine("PARSER", view),
  ADAPTER: ({ contexts: [{ model, release, plan }] }) =>
    model && engineOf(model, release, plan?.server ?? {}) === "ollama-engine"
      ? `Ollama ${release.version} cannot load one for ${plain(model.shape.architecture)}.`
      : undefined,
  REQUIRES: ({ file }) => neededLine(file),
};

function promptLine({ file, contexts: [context] }: View): string | undefined {
  const made = promptOf(file, context);
  return made && `Prompts in ${context.release.version}: ${plain(made.reason, 300)}`;
}

function namesLine(kind: BuiltInKind, { contexts: [{ release }] }: View): string {
  const names = builtInNames(kind, release);
  if (names.length === 0) return "";
  return `Ollama ${release.version} has ${listed(names.map((name) => code(name)))}.`;
}

/** The oldest release that knows all of the file, where it is not one before all that are supported. */
export function neededLine(file: Modelfile): string | undefined {
  const needed = neededRelease(file);
  if (!needed || orderOf(needed.version) <= oldestRelease.order) return undefined;
  return `${plain(needed.what)} needs Ollama ${needed.version} at least.`;
}

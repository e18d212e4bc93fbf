import type { Modelfile, Span, Value } from "../../grammar/tree.js";
import {
  builtInNames,
  builtInSince,
  instructionFact,
  type BuiltInKind,
} from "../facts/instructions.js";
import { knownReleases, orderOf } from "../facts/release.js";
import { licenceName } from "../models/licence.js";
import { neededRelease } from "../ollama/needed-release.js";
import type { Completion, Slot, Sources } from "./completion.js";
import { directiveItems } from "./directive-items.js";
import { instructionItems, wholeTemplates } from "./instruction-items.js";
import { parameterItems, valueItems } from "./parameter-items.js";
import { holds, lineAt, nodeAt, within } from "./place-at.js";
import { referenceItems } from "./reference-items.js";
import { templateItems } from "./template-items.js";
import { builtInPage } from "./value-page.js";
import type { View } from "./view.js";

/**
 * What may be written at a place, the likeliest first. `explicit`: somebody asked for it, rather than
 * typed. A list as long as `longestList` may go on: it is to be asked for again with more typed.
 */
export async function complete(
  view: View,
  offset: number,
  sources: Sources,
  explicit = false,
): Promise<Completion[]> {
  const at = within(view.file.text, offset);
  const items = await itemsAt(view, at, sources, explicit);
  return items.map((item, index) => ({ ...item, sort: String(index).padStart(4, "0") }));
}

async function itemsAt(
  view: View,
  at: number,
  sources: Sources,
  explicit: boolean,
): Promise<Completion[]> {
  const { file } = view;
  const node = nodeAt(file, at);
  if (node?.kind === "comment") return directiveItems(view, node, at, explicit);
  const line = lineAt(file.text, at);
  const long = longValueAt(file, at, line);
  if (!long) return lineItems(view, at, line, sources);
  return long.name === "TEMPLATE" ? templateItems(view, long.value, at, explicit) : [];
}

/**
 * The value that a place is within, where it is text between quotes or a template: also one whose quote is
 * still open, up to the next instruction.
 */
function longValueAt(
  file: Modelfile,
  at: number,
  line: Span,
): { name: string; value: Value } | undefined {
  const { statements } = file;
  let low = 0;
  let high = statements.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((statements[middle]?.start ?? 0) <= at) low = middle + 1;
    else high = middle;
  }
  const node = statements[low - 1];
  if (!node || !("value" in node) || !node.value) return undefined;
  const { value, name } = node;
  const { content, quote, closed, after } = value;
  const isOpen = quote !== "" && !closed && !after && isLong(name);
  // Behind what has been typed within an open quote comes more of it.
  const inside = at >= content.start && (at <= content.end || isOpen);
  if (!inside) return undefined;
  if (quote === "")
    return name === "TEMPLATE" && content.end > content.start ? { name, value } : undefined;
  return isLong(name) || value.start < line.start ? { name, value } : undefined;
}

function isLong(name: string): boolean {
  const kind = instructionFact(name)?.value;
  return kind === "text" || kind === "template" || kind === "message";
}

/** What may stand in a line by what stands in front of it. */
async function lineItems(
  view: View,
  at: number,
  line: Span,
  sources: Sources,
): Promise<Completion[]> {
  const { text } = view.file;
  const [, indent = "", keyword = ""] =
    /^([ \t]*)(\w*)/.exec(text.slice(line.start, line.end)) ?? [];
  const word = {
    start: line.start + indent.length,
    end: line.start + indent.length + keyword.length,
  };
  if (word.end < line.end && !/[ \t]/.test(text[word.end] ?? "")) return [];
  if (holds(word, at)) return instructionItems(view, slotOf(text, word, at, line));
  if (at < word.start) return [];
  const name = keyword.toUpperCase();
  if (name === "PARAMETER") return parameterLine(view, at, { start: word.end, end: line.end });
  if (name === "MESSAGE") return roleItems(view, at, { start: word.end, end: line.end });
  const value = valueSlot(text, at, { start: word.end, end: line.end });
  if (!value) return [];
  switch (name) {
    case "FROM":
    case "ADAPTER":
    case "DRAFT":
      return referenceItems(view, name, value, sources);
    case "RENDERER":
    case "PARSER":
      return builtInItems(view, name, value);
    case "REQUIRES":
      return releaseItems(view, value);
    case "LICENSE":
      return licenceItems(view, value);
    case "TEMPLATE":
      return value.typed === "" ? wholeTemplates(view, value.replaces) : [];
    default:
      return [];
  }
}

function slotOf(text: string, replaces: Span, at: number, line: Span): Slot {
  return {
    replaces,
    typed: text.slice(replaces.start, at),
    last: replaces.end >= line.end,
  };
}

/** The word around a place, as far as blanks. */
function wordSlot(text: string, at: number, rest: Span): Slot {
  let { start, end } = { start: at, end: at };
  while (start > rest.start && !/\s/.test(text[start - 1] ?? "")) start--;
  while (end < rest.end && !/\s/.test(text[end] ?? "")) end++;
  return slotOf(text, { start, end }, at, rest);
}

/** The whole value, without its quotes; undefined for a place outside of it. */
function valueSlot(text: string, at: number, rest: Span): (Slot & { quoted: boolean }) | undefined {
  const written = text.slice(rest.start, rest.end);
  const trimmed = written.trim();
  if (trimmed === "") {
    // The blank behind the keyword belongs to it.
    if (at === rest.start) return undefined;
    return { replaces: { start: at, end: at }, typed: "", last: true, quoted: false };
  }
  let start = rest.start + written.indexOf(trimmed);
  let end = start + trimmed.length;
  const [quotes = ""] = /^(?:"""|")/.exec(trimmed) ?? [];
  if (quotes !== "") {
    start += quotes.length;
    if (end - quotes.length >= start && text.slice(0, end).endsWith(quotes)) end -= quotes.length;
  }
  if (at < start || at > end) return undefined;
  return { ...slotOf(text, { start, end }, at, rest), quoted: quotes !== "" };
}

function parameterLine(view: View, at: number, rest: Span): Completion[] {
  const { text } = view.file;
  const name = wordSlot(text, at, rest);
  const before = text.slice(rest.start, name.replaces.start);
  if (before.trim() === "") return before === "" ? [] : parameterItems(view, name);
  const [, blanks = "", parameter = ""] =
    /^([ \t]+)([^ \t]+)/.exec(text.slice(rest.start, rest.end)) ?? [];
  const start = rest.start + blanks.length + parameter.length;
  const value = valueSlot(text, at, { start, end: rest.end });
  return value ? valueItems(view, parameter, value, value.quoted) : [];
}

const roles: Readonly<Record<string, string>> = {
  user: "what the user says",
  assistant: "what the model answers",
  system: "an instruction to the model",
};

function roleItems({ file }: View, at: number, rest: Span): Completion[] {
  const { replaces, last } = wordSlot(file.text, at, rest);
  const before = file.text.slice(rest.start, replaces.start);
  if (before === "" || before.trim() !== "") return [];
  return Object.entries(roles).map(([role, detail]) => ({
    label: role,
    kind: "role",
    replaces,
    text: last ? `${role} ` : role,
    detail,
  }));
}

/** Names of code in Ollama: the model's own first, then the newest. */
function builtInItems(view: View, kind: BuiltInKind, { replaces }: Slot): Completion[] {
  const { model, release } = view.contexts[0];
  const own = kind === "RENDERER" ? model?.renderer : model?.parser;
  const names = builtInNames(kind, release).toReversed();
  return names
    .toSorted((one, other) => Number(other === own) - Number(one === own))
    .map((name) => ({
      label: name,
      kind: "value",
      replaces,
      text: name,
      detail: name === own ? "the model's own" : `since ${builtInSince(kind, name)}`,
      markdown: async () => builtInPage(view, kind, name),
    }));
}

/** The release that the file needs first, then all that know REQUIRES. */
function releaseItems({ file, contexts: [{ release }] }: View, { replaces }: Slot): Completion[] {
  const first = instructionFact("REQUIRES")?.first ?? "";
  const needed = neededRelease(file);
  const isLater = needed !== undefined && orderOf(needed.version) > orderOf(first);
  const least = isLater ? needed.version : first;
  const releases = knownReleases(orderOf(first), release.order).map(({ version }) => version);
  const details = new Map([
    [release.version, "this file is checked for it"],
    [least, isLater ? `${needed.what} needs it` : "the first that knows REQUIRES"],
  ]);
  return [...new Set([least, ...releases.toReversed()])].map((version) => {
    const detail = details.get(version);
    return {
      label: version,
      kind: "value",
      replaces,
      text: version,
      ...(detail !== undefined && { detail }),
    };
  });
}

/** Licences that models come under, as SPDX names them (https://spdx.org/licenses). */
const licences = [
  "Apache-2.0",
  "MIT",
  "BSD-3-Clause",
  "GPL-3.0-only",
  "AGPL-3.0-only",
  "LGPL-3.0-only",
  "MPL-2.0",
  "CC-BY-4.0",
  "CC-BY-SA-4.0",
  "CC-BY-NC-4.0",
  "CC-BY-NC-SA-4.0",
  "CC0-1.0",
];

function licenceItems({ contexts: [{ model }] }: View, { replaces }: Slot): Completion[] {
  const own = model?.licence === undefined ? undefined : licenceName(model.licence);
  const names = licences.filter((name) => name.toLowerCase() !== own?.toLowerCase());
  const item = (name: string): Completion => ({ label: name, kind: "value", replaces, text: name });
  return [
    ...(own === undefined ? [] : [{ ...item(own), detail: "the model's own" }]),
    ...names.map(item),
  ];
}

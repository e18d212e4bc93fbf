import { templateFunction } from "../../grammar/template/functions.js";
import type { Leaf, Node, Template } from "../../grammar/template/tree.js";
import type { Span, Value } from "../../grammar/tree.js";
import { docsUrl } from "../facts/pages.js";
import type { Release } from "../facts/release.js";
import {
  hasTemplateFact,
  templateTypes,
  templateValues,
  type TemplateField,
  type TemplateMode,
} from "../facts/template.js";
import { fieldsOf, nodesOf, root } from "../prompt/template-fields.js";
import { holderInWords } from "../prompt/template-words.js";
import { code, link, listed, paragraphs, plain } from "./markdown.js";
import { holds } from "./place-at.js";
import { innerPlace, templateIn, usesIn } from "./template-place.js";
import { tokenAt, tokenPage } from "./token-page.js";
import type { View } from "./view.js";

/** What stands at a place of a TEMPLATE's value. */
export function templatePage(
  view: View,
  value: Value,
  offset: number,
): { at: Span; markdown: string } | undefined {
  const { release } = view.contexts[0];
  const found = templateIn(view, value);
  if (!found) return undefined;
  const { template, inFile } = found;
  const at = innerPlace(view, value, offset);
  // A character that Ollama drops may lie between the place and what stands there.
  const around = (span: Span): Span => {
    const { start, end } = inFile(span);
    return { start: Math.min(start, offset), end: Math.max(end, offset) };
  };
  const leaf = leafAt(template, at);
  if (!leaf) return undefined;
  if (leaf.type === "Text") {
    const token = tokenAt(template.text, at);
    const markdown = token && tokenPage(token.token, view);
    return token && markdown !== undefined ? { at: around(token), markdown } : undefined;
  }
  const markdown = leafPage(template, leaf, release);
  if (markdown === undefined) return undefined;
  const more = link("How a prompt comes about", docsUrl("templates"));
  return { at: around(leaf), markdown: paragraphs([markdown, more]) };
}

/** The leaf that a place is in; between two, the one that says more than a blank or a delimiter. */
function leafAt({ leaves }: Template, at: number): Leaf | undefined {
  let low = 0;
  let high = leaves.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((leaves[middle]?.end ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  const near = leaves.slice(low, low + 3).filter((leaf) => holds(leaf, at));
  const word = near.find(({ type }) => !silent.has(type));
  return word ?? near.find((leaf) => at < leaf.end);
}

const silent = new Set(["Space", "Trimmed", "Text", "LeftDelim", "RightDelim", "RightParen"]);

function leafPage(template: Template, leaf: Leaf, release: Release): string | undefined {
  const text = template.text.slice(leaf.start, leaf.end);
  switch (leaf.type) {
    case "Field":
      return fieldPage(template, leaf, text.slice(1), release);
    case "Identifier":
      return functionPage(text, release);
    case "Variable":
      return variablePage(template, leaf, text);
    case "Dot":
      return dotPage();
    case "LeftDelim":
      return text.endsWith("-") || text.endsWith("- ") ? trims("{{-", "in front of it") : undefined;
    case "RightDelim":
      return text.includes("-") ? trims("-}}", "behind it") : undefined;
    default:
      return keywordPage(template, leaf, text);
  }
}

function trims(marks: string, where: string): string {
  return `${code(marks)} takes away all blanks and line ends ${where}.`;
}

function dotPage(): string {
  return `${code(".")}: what the enclosing \`range\` or \`with\` is at; outside of both, all values.`;
}

function fieldPage(
  template: Template,
  leaf: Leaf,
  name: string,
  release: Release,
): string | undefined {
  const use = usesIn(template).find(({ start, end }) => start >= leaf.start && end <= leaf.end);
  const holder = use?.holder;
  const known = (fields: readonly TemplateField[] = []) => fields.find((one) => one.name === name);
  if (holder !== undefined) {
    const field = known(fieldsOf(holder));
    return field && fieldText(field, holder, release);
  }
  // Where the dot is not known, all that could be meant.
  const all = [
    ...[known(templateValues)].map((field) => field && fieldText(field, root, release)),
    ...templateTypes.map((type) => {
      const field = known(type.fields);
      return field && fieldText(field, type.name, release);
    }),
  ].filter((text) => text !== undefined);
  return all.length === 1 ? all[0] : undefined;
}

const modes: Readonly<Record<TemplateMode, string>> = {
  messages: "templates with `.Messages`",
  legacy: "templates that run once a turn",
  suffix: "filling in the middle",
};

/** A field or value, its type and when it is set. */
export function fieldText(field: TemplateField, holder: string, release: Release): string {
  const { name, type, first, summary } = field;
  const value = holder === root ? templateValues.find((one) => one.name === name) : undefined;
  const of = value ? "" : ` of ${holderInWords(holder).toLowerCase()}`;
  const set =
    value && value.modes.length < 3
      ? ` Set in ${listed(value.modes.map((mode) => modes[mode]))}.`
      : "";
  return paragraphs([
    `**.${name}**${of}: ${plain(type)}${first === undefined ? "" : `, since Ollama ${first}`}`,
    hasTemplateFact(field, release) ? undefined : `Ollama ${release.version} does not have it.`,
    summary + set,
  ]);
}

/** A function with its arguments. */
export function functionPage(name: string, release: Release): string | undefined {
  const fact = templateFunction(name);
  if (!fact) return undefined;
  const by = fact.of === "ollama" ? "Ollama's" : "Go's";
  const from = fact.first === undefined ? "" : `, since Ollama ${fact.first}`;
  return paragraphs([
    `${code([name, fact.arguments].filter(Boolean).join(" "))} → ${plain(fact.result)}: ${by}${from}`,
    hasTemplateFact(fact, release) ? undefined : `Ollama ${release.version} does not have it.`,
    fact.summary,
  ]);
}

/** Where a variable gets its value. */
function variablePage(template: Template, leaf: Leaf, name: string): string | undefined {
  if (name === "$") return `${code("$")}: the topmost values, wherever it stands.`;
  const declaring = nodesOf(template).filter(
    (node) =>
      "pipe" in node &&
      node.pipe?.declared.some(({ names: [first] }) => first.text === name) &&
      node.start <= leaf.start,
  );
  const last = declaring.at(-1);
  return last && `Variable ${code(name)}, set in ${code(openingOf(template, last))}`;
}

/** An action, of a branch the one that opens it. */
function openingOf({ text }: Template, node: Node): string {
  const close = text.indexOf("}}", "pipe" in node && node.pipe ? node.pipe.end : node.start);
  return text.slice(node.start, close < 0 ? node.end : close + 2);
}

/** What the words of Go's templates do. */
export const keywords: ReadonlyMap<string, string> = new Map([
  ["if", "Writes what follows where the value is not empty."],
  ["else", "Writes what follows where the branch before it is not taken."],
  ["range", "Writes what follows once for each element; the dot is the element."],
  ["with", "Writes what follows where the value is not empty; the dot is the value."],
  ["end", "Ends the innermost branch or definition."],
  ["define", "Defines a template that `template` writes."],
  ["block", "Defines a template and writes it."],
  ["template", "Writes a defined template, with the value behind its name as the dot."],
  ["break", "Ends the innermost `range`."],
  ["continue", "Goes on with the next element of the innermost `range`."],
  ["nil", "Nothing."],
]);

function keywordPage(template: Template, leaf: Leaf, text: string): string | undefined {
  const summary = keywords.get(text);
  if (summary === undefined) return undefined;
  if (text !== "end" && text !== "else") return `**${text}**: ${summary}`;
  const branches = nodesOf(template).filter(
    (node) => "list" in node && node.start < leaf.start && leaf.end <= node.end,
  );
  const innermost = branches.reduce<Node | undefined>(
    (best, node) => (best && best.end - best.start < node.end - node.start ? best : node),
    undefined,
  );
  const of = innermost && `Of ${code(openingOf(template, innermost))}`;
  return paragraphs([`**${text}**: ${summary}`, of]);
}

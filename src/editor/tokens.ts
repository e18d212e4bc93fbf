import { parseBareName } from "../../grammar/model-name.js";
import type { Leaf, Template } from "../../grammar/template/tree.js";
import type { Modelfile, Parameter, Span, Statement, Value } from "../../grammar/tree.js";
import { readValue } from "../../grammar/values.js";
import { directivesIn, type Directive } from "../directives.js";
import { parameterFact, standing } from "../facts/parameters.js";
import type { Release } from "../facts/release.js";
import { fromsOf, type From } from "../ollama/from.js";
import type { FileTemplate } from "../prompt/file-template.js";
import { specialTokens } from "../prompt/tokens.js";
import { templatesIn } from "./templates.js";
import type { View } from "./view.js";

/** What colours are asked for by: names of the Language Server Protocol, which every theme knows. */
export const tokenTypes = [
  "namespace",
  "type",
  "enumMember",
  "variable",
  "property",
  "function",
  "macro",
  "keyword",
  "comment",
  "string",
  "number",
  "operator",
] as const;

export const tokenModifiers = ["readonly", "deprecated", "documentation"] as const;

export type TokenType = (typeof tokenTypes)[number];
export type TokenModifier = (typeof tokenModifiers)[number];

/** A piece of one line. */
export interface Token extends Span {
  type: TokenType;
  modifiers: readonly TokenModifier[];
}

/** Takes a piece of the text; in order, and none twice. */
type Add = (span: Span, type: TokenType, ...modifiers: TokenModifier[]) => void;

interface Known {
  file: Modelfile;
  release: Release;
  /** By where their values begin. */
  froms: ReadonlyMap<number, From>;
  templates: ReadonlyMap<number, FileTemplate>;
  directives: ReadonlyMap<number, Directive>;
  /** What is asked for. */
  within: Span;
}

/**
 * The colours of a file, or of those of its statements that `within` touches: in order, without overlap,
 * none across a line end.
 */
export function tokens(view: View, within: Span = view.file): Token[] {
  const { file, contexts } = view;
  const [{ release, localFrom }] = contexts;
  const known: Known = {
    file,
    release,
    froms: new Map(fromsOf(file, localFrom).map((from) => [from.value.start, from])),
    templates: new Map(templatesIn(view).map((found) => [found.value.start, found])),
    directives: new Map(directivesIn(file).map((directive) => [directive.start, directive])),
    within,
  };
  const found: Token[] = [];
  const add: Add = (span, type, ...modifiers) => {
    const { start, end } = span;
    if (touches(span, within)) addLines(found, file.text, { start, end, type, modifiers });
  };
  for (const node of file.nodes) {
    if (node.kind === "gap" || !touches(node, within)) continue;
    if (node.kind === "comment") commentTokens(node, known, add);
    else statementTokens(node, known, add);
  }
  return found;
}

function touches(one: Span, other: Span): boolean {
  return one.start < other.end && other.start < one.end;
}

/** Adds a token for each line of a piece; what goes on in the same way makes the last token longer. */
function addLines(found: Token[], text: string, piece: Token): void {
  const { type, modifiers } = piece;
  let { start } = piece;
  for (let at = start; at <= piece.end; at++) {
    const code = text.charCodeAt(at);
    if (at < piece.end && code !== 0x0a && code !== 0x0d) continue;
    const last = found.at(-1);
    const goesOn = last?.end === start && last.type === type;
    if (goesOn && last.modifiers.length + modifiers.length === 0) last.end = at;
    else if (at > start) found.push({ start, end: at, type, modifiers });
    start = at + 1;
  }
}

/** A comment; the words of a directive stand out. */
function commentTokens({ start, end }: Span, { file, directives }: Known, add: Add): void {
  const directive = directives.get(start);
  let from = start;
  const piece = (span: Span, type: TokenType, ...modifiers: TokenModifier[]) => {
    add({ start: from, end: span.start }, "comment");
    add({ start: span.start, end: span.end }, type, ...modifiers);
    from = span.end;
  };
  if (directive) {
    const word = `modelfile-lint-${directive.kind}`;
    const at = file.text.indexOf(word, start);
    piece({ start: at, end: at + word.length }, "keyword", "documentation");
    for (const rule of directive.rules) piece(rule, "enumMember");
  }
  add({ start: from, end }, "comment");
}

function statementTokens(node: Statement, known: Known, add: Add): void {
  if (node.kind === "stray") return;
  // What is no keyword is not coloured as one.
  if (node.kind === "unknown") return;
  add(node.keyword, "keyword");
  if (node.kind === "parameter") {
    const gone = ["deprecated", "removed"].includes(standing(node.parameter, known.release));
    add(node.parameterSpan, "property", ...(gone ? (["deprecated"] as const) : []));
  }
  if (node.kind === "message") add(node.roleSpan, "enumMember", "readonly");
  if (node.value) valueTokens(node, node.value, known, add);
}

function valueTokens(
  node: Exclude<Statement, { kind: "stray" | "unknown" }>,
  value: Value,
  known: Known,
  add: Add,
): void {
  const { start, end, content } = value;
  add({ start, end: content.start }, "string");
  const template = known.templates.get(start);
  const from = known.froms.get(start);
  if (template) templateTokens(template, known.within, add);
  else if (from?.kind === "name") nameTokens(known.file, value, add);
  else if (node.kind === "parameter") parameterTokens(node, value, known, add);
  else if (node.name === "RENDERER" || node.name === "PARSER") add(content, "enumMember");
  else if (node.name === "REQUIRES") add(content, "number");
  else textTokens(known.file, content, add);
  add({ start: content.end, end }, "string");
}

function parameterTokens(node: Parameter, value: Value, { file }: Known, add: Add): void {
  const type = parameterFact(node.parameter)?.type;
  const reads = type !== undefined && readValue(type, value.text) !== undefined;
  if (reads && type === "bool") add(value.content, "enumMember", "readonly");
  else if (reads && type !== "strings") add(value.content, "number");
  else textTokens(file, value.content, add);
}

/** Host and namespace, model and tag: the parts that parseBareName tells apart. */
function nameTokens({ text: source }: Modelfile, { content, text }: Value, add: Add): void {
  // Characters that Ollama drops lie between the others; or blanks do around a name in quotes.
  const written = source.slice(content.start, content.end);
  const { model, tag } = parseBareName(text);
  const before = written.lastIndexOf("/") + 1;
  if (written !== text || !text.startsWith(model, before)) {
    add(content, "type");
    return;
  }
  const at = (start: number, end: number): Span => {
    return { start: content.start + start, end: content.start + end };
  };
  for (const { index, 0: part } of text.slice(0, before).matchAll(/[^/]+/g)) {
    add(at(index, index + part.length), "namespace");
  }
  const colon = before + model.length;
  add(at(before, colon), "type");
  if (tag === "") return;
  add(at(colon, colon + 1), "operator");
  add(at(colon + 1, text.length), "enumMember");
}

/** A text in which special tokens stand out. */
function textTokens({ text }: Modelfile, { start, end }: Span, add: Add): void {
  let from = start;
  for (const special of specialTokens(text.slice(start, end))) {
    add({ start: from, end: start + special.start }, "string");
    from = start + special.end;
    add({ start: start + special.start, end: from }, "macro");
  }
  add({ start: from, end }, "string");
}

/** By the names of grammar/template/tokens.ts; text is looked at more closely. What is missing has no colour. */
const templateTypes: Readonly<Record<string, readonly [TokenType, ...TokenModifier[]]>> = {
  LeftDelim: ["operator"],
  RightDelim: ["operator"],
  Comment: ["comment"],
  Assign: ["operator"],
  Declare: ["operator"],
  Pipe: ["operator"],
  Identifier: ["function"],
  Variable: ["variable"],
  Field: ["property"],
  Dot: ["variable"],
  Nil: ["enumMember", "readonly"],
  Bool: ["enumMember", "readonly"],
  Numeral: ["number"],
  Complex: ["number"],
  Char: ["string"],
  QuotedString: ["string"],
  RawString: ["string"],
  If: ["keyword"],
  Range: ["keyword"],
  With: ["keyword"],
  Else: ["keyword"],
  End: ["keyword"],
  Define: ["keyword"],
  Block: ["keyword"],
  Template: ["keyword"],
  Break: ["keyword"],
  Continue: ["keyword"],
};

function templateTokens({ template, inFile }: FileTemplate, within: Span, add: Add): void {
  for (const leaf of template.leaves) {
    const place = inFile(leaf);
    if (place.start >= within.end) return;
    if (!touches(place, within)) continue;
    if (leaf.type === "Text") {
      printedTokens(template, leaf, (span, type) => add(inFile(span), type));
      continue;
    }
    const type = templateTypes[leaf.type];
    if (type) add(place, ...type);
  }
}

function printedTokens({ text }: Template, leaf: Leaf, add: Add): void {
  let from = leaf.start;
  for (const { start, end } of specialTokens(text.slice(leaf.start, leaf.end))) {
    add({ start: from, end: leaf.start + start }, "string");
    from = leaf.start + end;
    add({ start: leaf.start + start, end: from }, "macro");
  }
  add({ start: from, end: leaf.end }, "string");
}

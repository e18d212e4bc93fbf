import type { List, Template } from "../../grammar/template/tree.js";
import {
  parameterNamed,
  type Instruction,
  type Modelfile,
  type Parameter,
  type Span,
} from "../../grammar/tree.js";
import { instructionFact } from "../facts/instructions.js";
import { parameterFact } from "../facts/parameters.js";
import { fromsOf, ignoredFroms } from "../ollama/from.js";
import type { FileTemplate } from "../prompt/file-template.js";
import { nodesOf, operandsOf } from "../prompt/template-fields.js";
import { pathLinks } from "./links.js";
import { holds } from "./place-at.js";
import { templatesIn } from "./templates.js";
import type { View } from "./view.js";

/** Where something comes from. */
export interface Definition {
  /** What was asked about. */
  from: Span;
  to:
    /** A path as written, from the folder of the file. */
    | { kind: "path"; path: string }
    /** A place in the file, and the name in it. */
    | { kind: "place"; at: Span; selection: Span };
}

/**
 * Of a path the file, of {{template "x"}} its {{define}}, of $x where it is declared, and of a parameter or
 * instruction that does not count the one that does. Undefined for what comes from nowhere else.
 */
export function definition(view: View, offset: number): Definition | undefined {
  const path = pathLinks(view).find(({ at }) => holds(at, offset));
  if (path?.to.kind === "path") return { from: path.at, to: path.to };
  const template = templatesIn(view).find(({ value }) => holds(value.content, offset));
  if (template) return inTemplate(template, offset);
  return counting(view, offset);
}

function inTemplate({ template, inFile }: FileTemplate, offset: number): Definition | undefined {
  const holdsIt = (span: Span) => holds(inFile(span), offset);
  const found = called(template, holdsIt) ?? declared(template, holdsIt);
  if (!found) return undefined;
  const [at, selection] = [inFile(found.at), inFile(found.selection)];
  return { from: inFile(found.from), to: { kind: "place", at, selection } };
}

interface Found {
  from: Span;
  at: Span;
  selection: Span;
}

type Holds = (span: Span) => boolean;

function called(template: Template, holdsIt: Holds): Found | undefined {
  for (const node of nodesOf(template)) {
    if (node.kind !== "template" || !holdsIt(node.nameSpan)) continue;
    const at = template.defined.get(node.name);
    // A {{block}} calls itself where it stands.
    if (!at || at.start === node.start) return undefined;
    const name = template.leaves.find(
      ({ type, start }) => start >= at.start && /^(?:Quoted|Raw)String$/.test(type),
    );
    return { from: node.nameSpan, at, selection: name ?? at };
  }
  return undefined;
}

/** A variable that begins to exist, and where it can be seen. */
interface Declaration {
  text: string;
  at: Span;
  scope: Span;
}

function declared(template: Template, holdsIt: Holds): Found | undefined {
  const assigned = nodesOf(template).flatMap((node) =>
    "pipe" in node && node.pipe?.assigns ? node.pipe.declared : [],
  );
  const variables = [...operandsOf(template), ...assigned].filter(
    ({ kind }) => kind === "variable",
  );
  const names = variables.flatMap((one) => (one.kind === "variable" ? [one.names[0]] : []));
  const use = names.find(holdsIt);
  if (!use) return undefined;
  const declaration = declarations(rootOf(template, use))
    .filter(({ text, scope }) => text === use.text && holds(scope, use.start))
    // What is declared later hides what was before.
    .findLast(() => true);
  return declaration && { from: use, at: declaration.at, selection: declaration.at };
}

/** The list of the definition that something stands in, or the main one: variables do not reach into others. */
function rootOf({ defined, main }: Template, { start }: Span): List {
  const around = [...defined.values()].filter(({ list }) => holds(list, start));
  around.sort((one, other) => one.end - one.start - (other.end - other.start));
  return around[0]?.list ?? main;
}

/** In the order of the text. */
function declarations(list: List): Declaration[] {
  return list.nodes.flatMap((node) => {
    if (!("pipe" in node) || !node.pipe) return [];
    const branch = "list" in node;
    const scope = branch
      ? { start: node.pipe.end, end: node.end }
      : { start: node.end, end: list.end };
    const own = node.pipe.assigns ? [] : node.pipe.declared;
    return [
      ...own.map(({ names: [{ text, start, end }] }) => ({ text, at: { start, end }, scope })),
      ...(branch ? declarations(node.list) : []),
      ...(branch && node.elseList ? declarations(node.elseList) : []),
    ];
  });
}

/** The parameter or instruction that counts in the place of the one whose keyword or name is at an offset. */
function counting({ file, contexts }: View, offset: number): Definition | undefined {
  const node = file.statements.find((one) => holds(one, offset));
  if (!node) return undefined;
  if (node.kind === "parameter") {
    const own = { start: node.keyword.start, end: node.parameterSpan.end };
    const last = holds(own, offset) && lastParameter(file, node);
    return last ? leading(own, last, last.parameterSpan) : undefined;
  }
  if (node.kind !== "instruction" || !holds(node.keyword, offset)) return undefined;
  if (node.name === "FROM") {
    const [{ release, localFrom }] = contexts;
    const froms = ignoredFroms(fromsOf(file, localFrom), release);
    const ignored = froms?.ignored.some((from) => from.node === node);
    return ignored && froms
      ? leading(node.keyword, froms.counts.node, froms.counts.value)
      : undefined;
  }
  const last = lastInstruction(file, node);
  return last && leading(node.keyword, last, last.keyword);
}

/** None where each adds something, as stop does. */
function lastParameter(file: Modelfile, node: Parameter): Parameter | undefined {
  const { parameter } = node;
  if (parameter === "model" || parameterFact(parameter)?.type === "strings") return undefined;
  return parameterNamed(file, parameter);
}

function lastInstruction(
  { statements }: Modelfile,
  { name }: Instruction,
): Instruction | undefined {
  if (instructionFact(name)?.repeated !== "last") return undefined;
  return statements.findLast(
    (node): node is Instruction => node.kind === "instruction" && node.name === name,
  );
}

function leading(from: Span, { start, end }: Span, selection: Span): Definition | undefined {
  if (holds({ start, end }, from.start)) return undefined;
  const { start: first, end: last } = selection;
  return {
    from: { start: from.start, end: from.end },
    to: { kind: "place", at: { start, end }, selection: { start: first, end: last } },
  };
}

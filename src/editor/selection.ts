import { nodesOf, operandsOf } from "../prompt/template-fields.js";
import type { Span } from "../../grammar/tree.js";
import type { FileTemplate } from "../prompt/file-template.js";
import { holds, lineAt, within } from "./place-at.js";
import { runsIn } from "./runs.js";
import { templatesIn } from "./templates.js";
import type { View } from "./view.js";

/**
 * What a selection grows to, from the word at an offset to the whole file: each span holds the one before
 * and is longer. In a TEMPLATE they follow its tree.
 */
export function selection(view: View, offset: number): Span[] {
  const { file } = view;
  const at = within(file.text, offset);
  const candidates: Span[] = [file, ...runsIn(file), ...wordsAround(file.text, at)];
  // Between two statements the one that begins there.
  const node = file.nodes.findLast((one) => one.kind !== "gap" && holds(one, at));
  if (node) candidates.push(node);
  if (node && "keyword" in node) candidates.push(node.keyword);
  if (node?.kind === "parameter") candidates.push(node.parameterSpan);
  if (node?.kind === "message") candidates.push(node.roleSpan);
  if (node && "value" in node && node.value) {
    candidates.push(node.value, node.value.content);
    const template = templatesIn(view).find(({ value }) => value === node.value);
    if (template) candidates.push(...templateSpans(template));
    else candidates.push(lineWithin(file.text, node.value.content, at));
  }
  return nested(candidates, at);
}

/** Everything in a template that has a place. */
function templateSpans({ template, inFile }: FileTemplate): Span[] {
  const { leaves, defined } = template;
  const definitions = [...defined.values()].flatMap((one) => [one, one.list]);
  const nodes = nodesOf(template).flatMap((node): Span[] => {
    if (!("pipe" in node)) return [node];
    const lists = "list" in node ? [node.list, ...(node.elseList ? [node.elseList] : [])] : [];
    return [node, ...lists, ...(node.pipe ? [node.pipe, ...node.pipe.commands] : [])];
  });
  const operands = operandsOf(template).flatMap((one): Span[] =>
    one.kind === "pipe" ? [one, ...one.commands] : [one],
  );
  return [...leaves, ...definitions, ...nodes, ...operands].map(inFile);
}

/** The words of the line at an offset. */
function wordsAround(text: string, offset: number): Span[] {
  const { start, end } = lineAt(text, offset);
  return [...text.slice(start, end).matchAll(/[\p{L}\p{N}\p{M}_]+/gu)].map(({ index, 0: word }) => {
    return { start: start + index, end: start + index + word.length };
  });
}

/** The line at an offset as far as it is in a span, without the blanks around it. */
function lineWithin(text: string, around: Span, offset: number): Span {
  const line = lineAt(text, offset);
  const start = Math.max(line.start, around.start);
  const end = Math.min(line.end, around.end);
  const piece = text.slice(start, end);
  return { start: end - piece.trimStart().length, end: start + piece.trimEnd().length };
}

/** Those spans that hold the offset and each other, from the shortest to the longest. */
function nested(spans: readonly Span[], offset: number): Span[] {
  const around = spans.filter((span) => span.end > span.start && holds(span, offset));
  // Between two pieces the one that begins there.
  around.sort((one, other) => length(one) - length(other) || other.start - one.start);
  const found: Span[] = [];
  for (const span of around) {
    const last = found.at(-1);
    const inside = !last || (span.start <= last.start && span.end >= last.end);
    if (inside && (!last || length(span) > length(last))) {
      found.push({ start: span.start, end: span.end });
    }
  }
  return found.length > 0 ? found : [{ start: offset, end: offset }];
}

function length({ start, end }: Span): number {
  return end - start;
}

import type { Modelfile, Span } from "../../grammar/tree.js";
import { lineOf } from "../../grammar/places.js";
import type { FileTemplate } from "../prompt/file-template.js";
import { nodesOf } from "../prompt/template-fields.js";
import { runsIn } from "./runs.js";
import { blocksOf, isChained, templatesIn, type Block } from "./templates.js";
import type { View } from "./view.js";

/** Lines that can be hidden: those below the line of `start`, that of `end` included. */
export interface Fold extends Span {
  kind?: "comment" | "region";
}

/**
 * What can be folded, in the order of the text; of folds that begin in one line the longest, since editors
 * show one there. None cuts into another. What closes a value or a block in a line of its own stays visible.
 */
export function folding(view: View): Fold[] {
  const { file } = view;
  const runs = runsIn(file).map(({ kind, start, end }): Fold => {
    return { start, end, kind: kind === "comment" ? "comment" : "region" };
  });
  const folds = [...runs, ...values(file), ...templatesIn(view).flatMap(ofTemplate(file))];
  const long = folds.filter(({ start, end }) => lineOf(file, end) > lineOf(file, start));
  long.sort((one, other) => one.start - other.start || other.end - one.end);
  return apart(file, long);
}

/** Of each line the first fold that begins there, as far as it does not end outside of one that it begins in. */
function apart(file: Modelfile, folds: readonly Fold[]): Fold[] {
  const kept: Fold[] = [];
  const open: Fold[] = [];
  let taken = 0;
  for (const fold of folds) {
    const line = lineOf(file, fold.start);
    while (open.length > 0 && lineOf(file, open.at(-1)!.end) < line) open.pop();
    const outer = open.at(-1);
    if (line === taken || (outer && lineOf(file, outer.end) < lineOf(file, fold.end))) continue;
    taken = line;
    kept.push(fold);
    open.push(fold);
  }
  return kept;
}

function values(file: Modelfile): Fold[] {
  return file.statements.flatMap((node) => {
    if (node.kind === "stray" || !node.value) return [];
    const { content, quote, end } = node.value;
    const { text } = file;
    const alone = quote !== "" && isAlone(text, content.end);
    return [{ start: node.start, end: alone ? lineBefore(text, content.end) : end }];
  });
}

function ofTemplate(file: Modelfile): (found: FileTemplate) => Fold[] {
  return ({ template, inFile }) => {
    const at = (offset: number) => inFile({ start: offset, end: offset }).start;
    const part = (start: number, end: number): Fold => {
      return { start: at(start), end: lineBefore(file.text, at(end)) };
    };
    const parts = (block: Block): Fold[] => {
      const { start, list } = block;
      const first = part(start, list.end);
      const elseList = "kind" in block ? block.elseList : undefined;
      if (!elseList) return [first];
      const [next] = elseList.nodes;
      // {{else if}} is a block of its own.
      const chained = next && "keyword" in next && isChained(next, template.text);
      return chained ? [first] : [first, part(list.end, elseList.end)];
    };
    const comments = nodesOf(template).flatMap((node): Fold[] =>
      node.kind === "comment" ? [{ ...inFile(node), kind: "comment" }] : [],
    );
    return [...blocksOf(template).flatMap(parts), ...comments];
  };
}

/** Whether only blanks stand before an offset in its line. */
function isAlone(text: string, offset: number): boolean {
  return /(?:^|[\r\n])[ \t]*$/.test(text.slice(Math.max(0, offset - 200), offset));
}

/** The end of the line above that of an offset; the offset itself in the first line. */
function lineBefore(text: string, offset: number): number {
  let at = offset;
  while (at > 0 && text[at - 1] !== "\n" && text[at - 1] !== "\r") at--;
  if (at === 0) return offset;
  return text.startsWith("\r\n", at - 2) ? at - 2 : at - 1;
}

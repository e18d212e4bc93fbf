import type { Modelfile, Node, Span } from "../../grammar/tree.js";

/** Whether a place lies in a span or at one of its ends. */
export function holds({ start, end }: Span, offset: number): boolean {
  return start <= offset && offset <= end;
}

/**
 * The node that a place is in. At its end a statement or comment still counts: that is where somebody who
 * types is. Undefined in an empty file.
 */
export function nodeAt({ nodes }: Modelfile, offset: number): Node | undefined {
  let low = 0;
  let high = nodes.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (startOf(nodes[middle]) <= offset) low = middle;
    else high = middle - 1;
  }
  const node = nodes[low];
  const before = nodes[low - 1];
  return node?.kind === "gap" && before?.end === offset ? before : node;
}

function startOf(node: Node | undefined): number {
  return node?.start ?? 0;
}

/** The line that a place is in, without its end. */
export function lineAt(text: string, offset: number): Span {
  const isEnd = (at: number) => text[at] === "\n" || text[at] === "\r";
  let start = offset;
  while (start > 0 && !isEnd(start - 1)) start--;
  let end = offset;
  while (end < text.length && !isEnd(end)) end++;
  return { start, end };
}

/** A place of an editor as a place of the text. */
export function within(text: string, offset: number): number {
  return Math.min(text.length, Math.max(0, Math.trunc(offset) || 0));
}

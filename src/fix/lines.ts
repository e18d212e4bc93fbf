import type { TextEdit } from "../../grammar/bytes.js";
import type { Modelfile, Span } from "../../grammar/tree.js";

/** The first line end of the file: "\n", "\r\n" or "\r"; "\n" where it has none. */
export function lineEnding({ text }: Modelfile): string {
  return /\r\n|\r|\n/.exec(text)?.[0] ?? "\n";
}

/**
 * Takes the lines that a statement stands on, line end included. In a last line without a line end, the
 * one in front of it goes, so that the file ends as it did.
 */
export function removeLine({ text }: Modelfile, node: Span): TextEdit {
  const start = lineStart(text, node.start);
  const end = lineEnd(text, node.end);
  if (end < text.length) return { start, end: afterBreak(text, end), text: "" };
  return { start: beforeBreak(text, start), end, text: "" };
}

/** Puts `added` on a line of its own behind the lines that a statement stands on. */
export function insertLineAfter(file: Modelfile, node: Span, added: string): TextEdit {
  // In front of the line end: a file without a final line end stays without one.
  const at = lineEnd(file.text, node.end);
  return { start: at, end: at, text: lineEnding(file) + added };
}

function isBreak(text: string, at: number): boolean {
  return text[at] === "\n" || text[at] === "\r";
}

/** The start of the line that `at` stands on. */
function lineStart(text: string, at: number): number {
  while (at > 0 && !isBreak(text, at - 1)) at--;
  return at;
}

/** The end of the line that `at` stands on, in front of its line end. */
function lineEnd(text: string, at: number): number {
  while (at < text.length && !isBreak(text, at)) at++;
  return at;
}

function afterBreak(text: string, at: number): number {
  return text.startsWith("\r\n", at) ? at + 2 : at + 1;
}

function beforeBreak(text: string, at: number): number {
  if (at === 0) return 0;
  return text.startsWith("\r\n", at - 2) ? at - 2 : at - 1;
}

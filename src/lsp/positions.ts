import type { Position, Range, TextDocumentContentChangeEvent } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import type { Span } from "../../grammar/tree.js";
import { isRecord } from "./settings.js";

/** What `character` of a position counts. */
export const encodings = ["utf-8", "utf-16", "utf-32"] as const;

export type Encoding = (typeof encodings)[number];

/** The first that the client offers and that is known here; UTF-16 where it offers none (LSP 3.17). */
export function negotiated(offered: readonly string[] = []): Encoding {
  for (const name of offered) {
    const known = encodings.find((encoding) => encoding === name);
    if (known) return known;
  }
  return "utf-16";
}

/** Places of a text as the client counts them, and as offsets in UTF-16 units. */
export interface Places {
  /** The nearest offset there is: beyond a line's end that end. */
  offset(position: Position): number;
  position(offset: number): Position;
  span(range: Range): Span;
  range(span: Span): Range;
}

export function placesIn(document: TextDocument, encoding: Encoding): Places {
  const offset = (position: Position) => document.offsetAt(inUnits(document, position, encoding));
  const counted = counter(document, encoding);
  const position = (at: number) => {
    const found = document.positionAt(at);
    if (encoding === "utf-16") return found;
    return { line: found.line, character: counted(found) };
  };
  return {
    offset,
    position,
    span: ({ start, end }) => {
      const [one, other] = [offset(start), offset(end)];
      return { start: Math.min(one, other), end: Math.max(one, other) };
    },
    range: ({ start, end }) => ({ start: position(start), end: position(end) }),
  };
}

/** Whether a change is one, of a part of the text or of all of it. */
export function isChange(value: unknown): value is TextDocumentContentChangeEvent {
  if (!isRecord(value) || typeof value["text"] !== "string") return false;
  return value["range"] === undefined || isRange(value["range"]);
}

export function isRange(value: unknown): value is Range {
  return isRecord(value) && isPosition(value["start"]) && isPosition(value["end"]);
}

export function isPosition(value: unknown): value is Position {
  if (!isRecord(value)) return false;
  return isCount(value["line"]) && isCount(value["character"]);
}

function isCount(value: unknown): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0;
}

/** Makes a client's changes, one behind the other: each speaks of the text that the one before left. */
export function change(
  document: TextDocument,
  changes: readonly TextDocumentContentChangeEvent[],
  version: number,
  encoding: Encoding,
): TextDocument {
  let changed = document;
  for (const one of changes) {
    const ranged =
      "range" in one && one.range ? { range: rangeInUnits(changed, one.range, encoding) } : {};
    changed = TextDocument.update(changed, [{ text: one.text, ...ranged }], version);
  }
  return changed;
}

function rangeInUnits(document: TextDocument, { start, end }: Range, encoding: Encoding): Range {
  return {
    start: inUnits(document, start, encoding),
    end: inUnits(document, end, encoding),
  };
}

/** With `character` in UTF-16 units, as TextDocument counts. */
function inUnits(document: TextDocument, { line, character }: Position, encoding: Encoding) {
  if (encoding === "utf-16" || character === 0) return { line, character };
  return { line, character: unitsOf(lineOf(document, line), character, encoding) };
}

/** How many UTF-16 units take `count` units of another encoding; of a character that is cut none. */
function unitsOf(text: string, count: number, encoding: Encoding): number {
  let units = 0;
  let counted = 0;
  for (const character of text) {
    counted += sizeOf(character, encoding);
    if (counted > count) break;
    units += character.length;
  }
  return units;
}

/**
 * Counts what lies in front of a position in its line. Goes on from where it stopped before, since most
 * questions come in the order of the text, and a line may have a megabyte.
 */
function counter(document: TextDocument, encoding: Encoding): (position: Position) => number {
  let last = { line: -1, character: 0, count: 0, text: "" };
  return (position) => {
    const { line } = position;
    const text = line === last.line ? last.text : lineOf(document, line);
    const character = position.character - (splitsPair(text, position.character) ? 1 : 0);
    if (line !== last.line || character < last.character) {
      last = { line, character: 0, count: 0, text };
    }
    let { count } = last;
    for (const one of text.slice(last.character, character)) count += sizeOf(one, encoding);
    last = { ...last, character, count };
    return count;
  };
}

/** Whether an offset lies between the two units of one character. */
function splitsPair(text: string, at: number): boolean {
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(text.slice(at - 1, at + 1));
}

/** A lone surrogate takes three bytes, as U+FFFD does in its place. */
function sizeOf(character: string, encoding: Encoding): number {
  if (encoding === "utf-16") return character.length;
  if (encoding === "utf-32") return 1;
  const code = character.codePointAt(0) ?? 0;
  return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
}

function lineOf(document: TextDocument, line: number): string {
  return document.getText({
    start: { line, character: 0 },
    end: { line: line + 1, character: 0 },
  });
}

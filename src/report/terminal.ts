import { eastAsianWidth } from "get-east-asian-width";

/** What a report is read on. */
export interface Screen {
  /** Characters a line. */
  columns: number;
  color: boolean;
  /** Whether it shows more than ASCII. */
  unicode: boolean;
}

// Control characters, and those that reorder or hide text: a file must not be able to steer a terminal.
const unsafe =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** Text that is safe to print: what cannot be seen is named, as in `<U+200B>`. Tabs become spaces. */
export function visible(text: string): string {
  return text.replaceAll("\t", "  ").replaceAll(unsafe, (character) => {
    const code = character.codePointAt(0)!;
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/** As `visible`, for what must stay on its line. */
export function oneLine(text: string): string {
  return visible(text).replaceAll("\n", "<U+000A>");
}

/** Columns that printed text takes. */
export function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    columns += eastAsianWidth(character.codePointAt(0)!);
  }
  return columns;
}

/** The beginning of a text, with a mark where there was more. */
export function cut(text: string, columns: number, { unicode }: Screen): string {
  if (width(text) <= columns) return text;
  const mark = unicode ? "…" : "..";
  return `${split(text, columns - width(mark))[0].trimEnd()}${mark}`;
}

/** Lines of words, none wider than `columns`; a longer word is broken. */
export function wrapped(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (width(longer) <= columns) {
      line = longer;
      continue;
    }
    if (line !== "") lines.push(line);
    line = word;
    while (width(line) > columns) {
      const [head, rest] = split(line, columns);
      lines.push(head);
      line = rest;
    }
  }
  return [...lines, line];
}

/** Longer lines of words are hard to read. */
const longestLine = 100;

/** Lines of words, `indent` spaces before each. */
export function paragraph(text: string, { columns }: Screen, indent: number): string[] {
  const lines = wrapped(text, Math.min(columns, longestLine) - indent);
  return lines.map((line) => " ".repeat(indent) + line);
}

/** What fits into `columns`, at least one character, and what does not. */
function split(text: string, columns: number): [string, string] {
  let head = "";
  let taken = 0;
  for (const character of text) {
    taken += width(character);
    if (taken > columns && head !== "") break;
    head += character;
  }
  return [head, text.slice(head.length)];
}

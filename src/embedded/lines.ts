import type { TextEdit } from "../../grammar/bytes.js";
import { outerOffset, type Passage, type Written } from "./passage.js";

/** How the lines of a passage are written in the outer file. */
export interface LineStyle {
  source: string;
  /** What stands in front of each line's own text. */
  prefix: string;
  /** The line end outside of what is "\n" in the text; undefined: the text has those of the file. */
  eol: string | undefined;
  /** A line of its own ends the passage, so that its text always ends in a line end. */
  closed: boolean;
  /** Whether the text may have these lines, and read so as a whole. */
  accepts(lines: readonly string[], whole: string): boolean;
  /** What is put in, with the characters escaped that mean something outside; all of it where left out. */
  escaped?(text: string, edit: TextEdit, passage: Passage): string | undefined;
}

/** Writing by lines: edits may break lines and join them. */
export function byLines(style: LineStyle): Written {
  const { prefix, eol, closed } = style;
  return (edit, passage) => {
    const { text } = passage;
    if (eol !== undefined && edit.text.includes("\r")) return undefined;
    const whole = text.slice(0, edit.start) + edit.text + text.slice(edit.end);
    if (whole === "" || (closed && !whole.endsWith("\n"))) return undefined;
    const from = text.lastIndexOf("\n", edit.start - 1) + 1;
    const atLineStart = edit.start === 0 || from === edit.start;
    const lineEnd = text.indexOf("\n", edit.end);
    const behind = text.slice(edit.end, lineEnd < 0 ? text.length : lineEnd);
    const head = atLineStart ? "" : text.slice(from, edit.start);
    const lines = (head + edit.text + behind).split("\n");
    if (!style.accepts(lines, whole)) return undefined;

    const put = style.escaped ? style.escaped(edit.text, edit, passage) : edit.text;
    if (put === undefined) return undefined;
    const lead = atLineStart ? missingPrefix(edit, passage, style, lines[0]!) : "";
    if (lead === undefined) return undefined;
    const pieces = put.split("\n");
    const last = pieces.length - 1;
    const written = pieces.map((piece, index) => {
      if (index === 0) return piece;
      const line = index === last ? piece + behind : piece;
      // The closing line has a prefix of its own.
      if (index === last && closed && edit.end === text.length && line === "") return "";
      return (line === "" || line === "\r" ? prefix.trimEnd() : prefix) + piece;
    });
    return lead + written.join(eol ?? "\n");
  };
}

/**
 * What a line's prefix lacks for the text that it gets: empty lines often have none, and a text that
 * begins with a blank needs the whole of it. Undefined where the prefix is another one altogether.
 */
function missingPrefix(
  edit: TextEdit,
  passage: Passage,
  { source, prefix }: LineStyle,
  line: string,
): string | undefined {
  const start = outerOffset(passage, edit.start);
  if (start === undefined) return undefined;
  const actual = source.slice(lineStart(source, start), start);
  const old = passage.text[edit.start];
  const wasEmpty = old === undefined || old === "\n" || old === "\r";
  const empty = line === "" || line === "\r";
  if (edit.text === "" && (edit.start === edit.end || empty)) return "";
  const wanted = empty ? prefix.trimEnd() : prefix;
  if (actual.startsWith(wanted) || (!wasEmpty && !/^[ \t]/.test(line))) return "";
  return wanted.startsWith(actual) ? wanted.slice(actual.length) : undefined;
}

function lineStart(source: string, at: number): number {
  let start = at;
  while (start > 0 && source[start - 1] !== "\n" && source[start - 1] !== "\r") start--;
  return start;
}

/** The line end that a stretch of text uses first; that of most files where it has none. */
export function lineEndIn(source: string, start: number, end: number): string {
  const at = source.indexOf("\n", start);
  return at > start && at < end && source[at - 1] === "\r" ? "\r\n" : "\n";
}

import type { TextEdit } from "../../grammar/bytes.js";
import type { Passage, Reader } from "./passage.js";

/** What a special character of the source makes of the text. */
export type Meaning =
  /** It stands for a text; `length` of the source. */
  | { text: string; length: number }
  /** In its place comes something that is not known. */
  | { unknown: number };

/**
 * Reads source up to `end` in which some characters mean something, for the match and where it stands;
 * undefined leaves them as they are, and false gives up: then the whole answer is false.
 */
export function readSpecial(
  read: Reader,
  source: string,
  end: number,
  special: RegExp,
  meaning: (match: RegExpExecArray, at: number) => Meaning | false | undefined,
): boolean {
  const from = read.outer;
  // What lies behind the end is not to be searched again for each line.
  const piece = source.slice(from, end);
  special.lastIndex = 0;
  for (let match = special.exec(piece); match; match = special.exec(piece)) {
    const at = from + match.index;
    const meant = meaning(match, at);
    if (meant === false) return false;
    if (!meant) continue;
    read.same(at - read.outer);
    if ("unknown" in meant) read.unknown(meant.unknown);
    else read.otherwise(meant.text, meant.length);
    special.lastIndex = read.outer - from;
  }
  read.same(end - read.outer);
  return true;
}

/** The length from an opening bracket to behind the one that closes it, on this line; undefined where none does. */
function bracketed(source: string, at: number, end: number): number | undefined {
  const open = source[at];
  const close = open === "{" ? "}" : ")";
  let depth = 0;
  for (let index = at; index < end && source[index] !== "\n"; index++) {
    if (source[index] === open) depth++;
    else if (source[index] === close && --depth === 0) return index + 1 - at;
  }
  return undefined;
}

/** What `$` at a place expands; undefined: nothing, it is a dollar sign. */
function dollar(
  source: string,
  at: number,
  end: number,
  names: RegExp,
): { unknown: number } | false | undefined {
  const next = source[at + 1];
  if (next === "{" || next === "(") {
    const length = bracketed(source, at + 1, end);
    return length === undefined ? false : { unknown: length + 1 };
  }
  names.lastIndex = at + 1;
  const name = names.exec(source);
  return name ? { unknown: 1 + name[0].length } : undefined;
}

/** Reads what a POSIX shell expands, up to `end`; false where what it makes of it cannot be said. */
export function readShell(read: Reader, source: string, end: number, quotes: boolean): boolean {
  return readSpecial(read, source, end, /\\[^]|[$`]/g, ({ 0: found }, at) => {
    if (found === "`") return false;
    if (found === "$") return dollar(source, at, end, /[A-Za-z_]\w*|[\d@*#?!$-]/y);
    const escaped = found[1]!;
    // A broken line is one line for the shell.
    if (escaped === "\n" || escaped === "\r") return false;
    const means = "\\$`".includes(escaped) || (quotes && escaped === '"');
    return means ? { text: escaped, length: 2 } : undefined;
  });
}

/** Writes text where a POSIX shell expands. */
export function shellEscaped(text: string, edit: TextEdit, passage: Passage): string | undefined {
  return joins(passage, edit, /[\\$]/) ? undefined : text.replace(/[\\$`]/g, "\\$&");
}

const powershellEscapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

/** Reads what PowerShell expands. */
export function readPowershell(read: Reader, source: string, end: number): boolean {
  return readSpecial(read, source, end, /`[^]|\$/g, ({ 0: found }, at) => {
    if (found === "$") return dollar(source, at, end, /[A-Za-z_]\w*(?::\w+)?|[?^$]/y);
    const escaped = found[1]!;
    if (escaped === "\n" || escaped === "\r" || escaped === "u" || escaped === "e") return false;
    return { text: powershellEscapes[escaped] ?? escaped, length: 2 };
  });
}

export function powershellEscaped(
  text: string,
  edit: TextEdit,
  passage: Passage,
): string | undefined {
  return joins(passage, edit, /[`$]/) ? undefined : text.replace(/[`$]/g, "`$&");
}

/** Whether the character in front of an edit may change what the one behind it means. */
export function joins({ text }: Passage, { start }: TextEdit, characters: RegExp): boolean {
  return start > 0 && characters.test(text[start - 1]!);
}

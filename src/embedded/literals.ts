import type { TextEdit } from "../../grammar/bytes.js";
import { joins, readSpecial, type Meaning } from "./expand.js";
import { byLines, lineEndIn, type LineStyle } from "./lines.js";
import { reader, type Passage } from "./passage.js";

/** Languages whose string literals are looked at. */
export type Language = "go" | "javascript" | "python" | "rust";

/** A string literal that may go over several lines. */
interface Literal {
  start: number;
  /** Its text, between the marks. */
  from: number;
  to: number;
  end: number;
  /** Letters in front of the opening mark. */
  prefix: string;
  /** The closing mark. */
  mark: string;
}

/** How a language reads and writes such a literal. */
interface Dialect {
  /** Everything in a program that begins a comment or a string. */
  tokens: RegExp;
  /** Where the literal's closing mark is; -1 where there is none. */
  closing: (source: string, from: number, mark: string) => number;
  /** The characters of a literal that mean something; undefined: the text is put together elsewhere. */
  special: (source: string, literal: Literal) => Special | undefined;
}

interface Special extends Pick<LineStyle, "escaped" | "accepts"> {
  characters: RegExp;
  meaning: (match: RegExpExecArray) => Meaning | false | undefined;
}

/** String literals that are called a Modelfile, or written to a file of that name, in order. */
export function literalsIn(source: string, language: Language): Passage[] {
  const dialect = dialects[language];
  return stringsIn(source, dialect).flatMap((literal) => {
    const passage = isCalledModelfile(source, literal) && literalText(source, literal, dialect);
    return passage ? [passage] : [];
  });
}

/** What stands in front of a Modelfile's text: a name that it is given, or a file that it is written to. */
const namings: readonly RegExp[] = [
  /modelfile\w*["']?\]?\s*(?:(?::|\s)[\w\s.[\]|&'<>]*)?(?::=|=|:|=>)\s*(?:[\w.]+!?\(\s*){0,3}$/i,
  /modelfile[\w.-]*["'`]?\)?\s*,\s*(?:[\w.[\]]+!?\(\s*){0,3}$/i,
  /modelfile[^\n]*\n?[^\n]*\.write\w*\(\s*$/i,
  /\bwrite\w*!?\(\s*&?(?:mut\s+)?\w*modelfile\w*,\s*$/i,
];

function isCalledModelfile(source: string, { start }: Literal): boolean {
  const before = source.slice(Math.max(0, start - 200), start);
  return namings.some((naming) => naming.test(before));
}

/** The literals of a program, in order; what stands in comments and in other strings is none. */
function stringsIn(source: string, { tokens, closing }: Dialect): Literal[] {
  const found: Literal[] = [];
  let unclosedLine = -1;
  tokens.lastIndex = 0;
  for (let match = tokens.exec(source); match; match = tokens.exec(source)) {
    const { 0: token, index } = match;
    const from = index + token.length;
    let end = from;
    if (token === "#" || token === "//") end = lineEnd(source, index);
    else if (token === "/*") end = source.indexOf("*/", from) + 2;
    else if (token.length > 2 || token === "`" || token === 'r"') {
      const [, prefix, opening] = /^([A-Za-z]*)(.*)$/.exec(token)!;
      const mark = [...opening!].toReversed().join("");
      const to = closing(source, from, mark);
      // Nothing below can be told from the inside of a string.
      if (to < 0) break;
      end = to + mark.length;
      found.push({ start: index, from, to, end, prefix: prefix!, mark });
    } else {
      const line = lineEnd(source, index);
      const to = line === unclosedLine ? -1 : escapedEnd(source, from, token.at(-1)!, line);
      // An apostrophe or a lifetime, and no string.
      if (to < 0) unclosedLine = line;
      else end = to + 1;
    }
    if (end < from) break;
    tokens.lastIndex = end;
  }
  return found;
}

function lineEnd(source: string, from: number): number {
  const at = source.indexOf("\n", from);
  return at < 0 ? source.length : at;
}

/** Where a mark stands that no backslash escapes. */
function escapedEnd(source: string, from: number, mark: string, limit = source.length): number {
  for (let at = from; at < limit; at++) {
    if (source[at] === "\\") at++;
    else if (source.startsWith(mark, at)) return at;
  }
  return -1;
}

/** Where a template literal ends, with the literals in its expressions. */
function templateEnd(source: string, from: number): number {
  /** What is open: a template, or an expression's braces. */
  const open = ["`"];
  for (let at = from; at < source.length; at++) {
    const character = source[at]!;
    if (character === "\\") at++;
    else if (open.at(-1) === "`") {
      if (character === "`") {
        open.pop();
        if (open.length === 0) return at;
      } else if (character === "$" && source[at + 1] === "{") {
        open.push("{");
        at++;
      }
    } else if (character === "`" || character === "{") open.push(character);
    else if (character === "}") open.pop();
  }
  return -1;
}

function literalText(source: string, literal: Literal, dialect: Dialect): Passage | undefined {
  const { from, to, end } = literal;
  // What is added or replaced makes another text of it.
  if (/^\s*(?:\+|%|\.replace)/.test(source.slice(end, end + 80))) return undefined;
  const special = dialect.special(source, literal);
  if (!special) return undefined;
  const { characters, meaning, ...style } = special;
  const read = reader(source, from);
  const complete = readSpecial(read, source, to, characters, (match) => {
    if (match[0] === "\r\n") return { text: "\n", length: 2 };
    return match[0] === "\r" ? false : meaning(match);
  });
  if (!complete) return undefined;
  const eol = lineEndIn(source, from, to);
  return read.done(byLines({ source, prefix: "", eol, closed: false, ...style }));
}

/** Braces in which something is put in, as Python and Rust have them: "{name}", and "{{" for a brace. */
function braces({ 0: found }: RegExpExecArray): Meaning | false {
  if (found === "{{" || found === "}}") return { text: found[0]!, length: 2 };
  return found.length > 1 ? { unknown: found.length } : false;
}

const anyText = () => true;

const letters: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
};

/** The meaning of a backslash with what follows it, as far as languages agree; undefined: they do not. */
function backslash(found: string): string | undefined {
  const next = found[1]!;
  if (next === "\n" || next === "\r") return "";
  if (/^\\[xuU]/.test(found) && found.length > 2) {
    const code = Number.parseInt(found.replace(/[^\dA-Fa-f]/g, ""), 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : undefined;
  }
  return letters[next] ?? (/[\\'"`$]/.test(next) ? next : undefined);
}

const python: Dialect = {
  tokens: /#|(?:(?<!\w)[A-Za-z]{1,2})?(?:"""|'''|["'])/g,
  closing: escapedEnd,
  special(source, { prefix, mark, end }) {
    const raw = /r/i.test(prefix);
    const formatted = /[ft]/i.test(prefix) || source.startsWith(".format(", end);
    const quote = mark[0]!;
    const runs = new RegExp(`${quote}{3,}|^${quote}+|${quote}+$`, "g");
    return {
      characters: new RegExp(
        [
          ...(raw ? [] : [String.raw`\\(?:\r\n|x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|U[\dA-Fa-f]{8}|[^])`]),
          ...(formatted ? [String.raw`\{\{|\}\}|\{[^{}\n]*\}|[{}]`] : []),
          String.raw`\r\n?`,
        ].join("|"),
        "g",
      ),
      meaning(match) {
        const [found] = match;
        if (!found.startsWith("\\")) return braces(match);
        if (/^\\[\dN]/.test(found)) return false;
        const text = /[`$]/.test(found) ? undefined : backslash(found);
        // Python keeps the backslash of what is no escape.
        return text === undefined ? undefined : { text, length: found.length };
      },
      accepts: anyText,
      escaped(text, edit, passage) {
        const closes = text === "" && wouldJoin(passage, edit, quote);
        if (closes || joins(passage, edit, /\\/) || (raw && /[\\'"]/.test(text))) return undefined;
        const escaped = text
          .replaceAll("\\", "\\\\")
          .replace(runs, (run) => run.replaceAll(quote, `\\${quote}`));
        return formatted ? escaped.replace(/[{}]/g, "$&$&") : escaped;
      },
    };
  },
};

/** Whether a deletion brings quotes together, or one to the end. */
function wouldJoin({ text }: Passage, { start, end }: TextEdit, quote: string): boolean {
  return text[start - 1] === quote && (end === text.length || text[end] === quote);
}

const javascript: Dialect = {
  tokens: /\/\/|\/\*|["'`]/g,
  closing: templateEnd,
  special(source, { start }) {
    const tag = /[\w$.)\]]+$/.exec(source.slice(Math.max(0, start - 60), start))?.[0];
    if (tag !== undefined && !/^(?:dedent|outdent|stripIndent)$/.test(tag)) return undefined;
    return {
      characters:
        /\\(?:\r\n|x[\dA-Fa-f]{2}|u[\dA-Fa-f]{4}|u\{[\dA-Fa-f]{1,6}\}|[^])|\$\{[^{}\n]*\}|\$\{|\r\n?/g,
      meaning({ 0: found }) {
        if (found.startsWith("$")) return found.length > 2 ? { unknown: found.length } : false;
        if (/^\\(?:\d|[xu]$)/.test(found)) return false;
        return { text: backslash(found) ?? found[1]!, length: found.length };
      },
      accepts: anyText,
      escaped: (text, edit, passage) =>
        joins(passage, edit, /\$/) ? undefined : text.replace(/[\\`$]/g, "\\$&"),
    };
  },
};

const go: Dialect = {
  tokens: /\/\/|\/\*|["'`]/g,
  closing: (source, from, mark) => source.indexOf(mark, from),
  special(source, { start }) {
    const formatted = /f\(\s*(?:\w+,\s*)?$/.test(source.slice(Math.max(0, start - 60), start));
    return {
      characters: formatted ? /%%|%[-+# \d.*[\]]*[A-Za-z]?|\r\n?/g : /\r\n?/g,
      meaning: ({ 0: found }) => {
        if (found === "%%") return { text: "%", length: 2 };
        return /[A-Za-z]$/.test(found) ? { unknown: found.length } : false;
      },
      accepts: (lines) => !lines.some((line) => line.includes("`")),
      escaped: (text) => (formatted ? text.replaceAll("%", "%%") : text),
    };
  },
};

const rust: Dialect = {
  tokens: /\/\/|\/\*|(?<![\w#])r#*"|"/g,
  closing: (source, from, mark) => source.indexOf(mark, from),
  special(source, { start, mark }) {
    const formatted = /\w!\(\s*(?:[&\w.]+,\s*)?$/.test(
      source.slice(Math.max(0, start - 60), start),
    );
    return {
      characters: formatted ? /\{\{|\}\}|\{[^{}\n]*\}|[{}]|\r\n?/g : /\r\n?/g,
      meaning: braces,
      accepts: (_, whole) => !whole.includes(mark),
      escaped: (text) => (formatted ? text.replace(/[{}]/g, "$&$&") : text),
    };
  },
};

const dialects: Readonly<Record<Language, Dialect>> = { go, javascript, python, rust };

import type { CST } from "yaml";
import { readSpecial } from "./expand.js";
import { byLines, lineEndIn } from "./lines.js";
import { reader, type Passage, type Written } from "./passage.js";

/** A text of a YAML file, with the key that it belongs to. */
export interface ScalarText {
  key: string;
  passage: Passage;
}

/**
 * The texts of a YAML file that can hold several lines as they are: literal block scalars, and quoted ones
 * on one line. Folded ones lose their line ends, and with them any Modelfile.
 */
export async function scalarsIn(source: string): Promise<ScalarText[]> {
  const { CST, Parser } = await import("yaml");
  const found: { key: string; token: CST.FlowScalar | CST.BlockScalar }[] = [];
  for (const token of new Parser().parse(source)) {
    if (token.type === "document" && token.value) collect(token.value, found);
  }
  found.sort((one, other) => one.token.offset - other.token.offset);
  return found.flatMap(({ key, token }) => {
    if (!/FROM|modelfile/i.test(token.source) && !/modelfile/i.test(key)) return [];
    const passage = passageOf(source, token);
    // What the library makes of it is what counts.
    if (!passage || passage.text !== CST.resolveAsScalar(token, false, () => {})?.value) return [];
    return [{ key, passage: { ...passage, unknown: expressionsIn(passage.text) } }];
  });
}

/** The scalars of a tree in which they may be a Modelfile's. Not recursive: trees can be as deep as files are long. */
function collect(
  root: CST.Token,
  found: { key: string; token: CST.FlowScalar | CST.BlockScalar }[],
): void {
  const todo = [{ token: root, key: "" }];
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { token, key } = next;
    if (
      token.type === "block-scalar" ||
      token.type === "double-quoted-scalar" ||
      token.type === "single-quoted-scalar"
    ) {
      found.push({ key, token });
    }
    if (!("items" in token)) continue;
    for (const item of token.items) {
      const own = item.key && "source" in item.key ? item.key.source : key;
      if (item.value) todo.push({ token: item.value, key: own });
    }
  }
}

/** Expressions that GitHub and others put in before anything reads the text. */
function expressionsIn(text: string): Passage["unknown"] {
  return [...text.matchAll(/\$\{\{[^{}\n]*\}\}/g)].map(({ 0: found, index }) => ({
    start: index,
    end: index + found.length,
  }));
}

function passageOf(source: string, token: CST.FlowScalar | CST.BlockScalar): Passage | undefined {
  if (token.type === "block-scalar") return blockText(source, token);
  if (/[\r\n]/.test(token.source)) return undefined;
  return token.type === "double-quoted-scalar"
    ? doubleQuoted(source, token.offset, token.source.length)
    : singleQuoted(source, token.offset, token.source.length);
}

const unprintable = /[\0-\x08\x0b-\x1f\x7f\uFEFF]/;

function blockText(source: string, token: CST.BlockScalar): Passage | undefined {
  const header = token.props.find(({ type }) => type === "block-scalar-header");
  const last = token.props.at(-1);
  if (!header || !last || !("source" in header) || !("source" in last)) return undefined;
  const [, indicators] = /^\|([-+\d]*)/.exec(header.source) ?? [];
  if (indicators === undefined) return undefined;
  const start = last.offset + last.source.length;
  const lines = token.source.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  const digit = /\d/.exec(indicators);
  const shown = lines.find((line) => line.trim() !== "");
  if (!shown) return undefined;
  const indent = digit ? token.indent + Number(digit[0]) : /^ */.exec(shown)![0].length;
  if (indent <= 0) return undefined;
  const keep = indicators.includes("+");
  const strip = indicators.includes("-");
  const content = keep ? lines.length : lines.findLastIndex((line) => line.trim() !== "") + 1;

  const read = reader(source, start);
  for (const [index, line] of lines.slice(0, content).entries()) {
    const bare = line.replace(/\r?\n$/, "");
    const blanks = Math.min(indent, /^ */.exec(bare)![0].length);
    read.otherwise("", blanks);
    read.same(bare.length - blanks);
    if (strip && index === content - 1) break;
    if (line.length === bare.length + 1) read.same(1);
    else read.otherwise("\n", line.length - bare.length);
  }
  const end = read.outer;
  const ends = strip ? /[^\s]$/ : keep ? /\n$/ : /[^\s][^\S\n]*\n$/;
  // The indentation of the first line is that of all, unless the header says it.
  const begins = digit ? /^/ : /^\n*[^\s]/;
  const written = byLines({
    source,
    prefix: " ".repeat(indent),
    eol: lineEndIn(source, start, end),
    closed: !strip,
    accepts: (after, whole) =>
      !after.some((line) => unprintable.test(line)) && ends.test(whole) && begins.test(whole),
  });
  const unfinished = !strip && source[end - 1] !== "\n";
  return read.done((edit, passage) =>
    unfinished && edit.end === passage.text.length ? undefined : written(edit, passage),
  );
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  "0": "\0",
  '"': '"',
  "/": "/",
  "\\": "\\",
  " ": " ",
};

const inDoubleQuotes: Written = ({ text }) =>
  /[\0-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\uFEFF]/.test(text)
    ? undefined
    : text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n").replaceAll("\t", "\\t");

const inSingleQuotes: Written = ({ text }) =>
  /[\0-\x1f\x7f-\x9f\u2028\u2029\uFEFF]/.test(text) ? undefined : text.replaceAll("'", "''");

function doubleQuoted(source: string, start: number, length: number): Passage | undefined {
  const end = start + length - 1;
  const read = reader(source, start + 1);
  const special = /\\(?:x([\dA-Fa-f]{2})|u([\dA-Fa-f]{4})|U([\dA-Fa-f]{8})|[^])/g;
  const complete = readSpecial(read, source, end, special, ({ 0: found, 1: x, 2: u, 3: long }) => {
    const code = Number.parseInt(x ?? u ?? long ?? "", 16);
    if (code > 0x10ffff) return false;
    const text = Number.isNaN(code) ? escapes[found[1]!] : String.fromCodePoint(code);
    return text === undefined ? false : { text, length: found.length };
  });
  return complete ? read.done(inDoubleQuotes) : undefined;
}

function singleQuoted(source: string, start: number, length: number): Passage | undefined {
  const end = start + length - 1;
  const read = reader(source, start + 1);
  const complete = readSpecial(read, source, end, /''/g, () => ({ text: "'", length: 2 }));
  return complete ? read.done(inSingleQuotes) : undefined;
}

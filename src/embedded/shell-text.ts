import { joins, readShell, readSpecial, shellEscaped } from "./expand.js";
import { byLines } from "./lines.js";
import { nested, reader, type Passage, type Written } from "./passage.js";
import type { Heredoc, Word } from "./shell-words.js";

/** The lines of a heredoc; undefined where the shell makes of them what cannot be said. */
export function heredocText(source: string, heredoc: Heredoc): Passage | undefined {
  const { start, end, delimiter, quoted, dash } = heredoc;
  const read = reader(source, start);
  let prefix: string | undefined;
  while (read.outer < end) {
    const from = read.outer;
    const next = source.indexOf("\n", from) + 1;
    if (dash) {
      const tabs = /\t*/y;
      tabs.lastIndex = from;
      const [indentation] = tabs.exec(source)!;
      read.otherwise("", indentation.length);
      if (from + indentation.length < next - 1) prefix ??= indentation;
    }
    if (quoted) read.same(next - read.outer);
    else if (!readShell(read, source, next, false)) return undefined;
  }
  const ends = (line: string) => line.replace(/\r$/, "") === delimiter;
  return read.done(
    byLines({
      source,
      prefix: prefix ?? "",
      eol: undefined,
      closed: true,
      accepts: (lines) => !lines.some((line) => ends(line) || (dash && line.startsWith("\t"))),
      ...(!quoted && { escaped: shellEscaped }),
    }),
  );
}

interface Piece {
  from: number;
  to: number;
  quote: Word["quote"];
}

/** Words as one text, each followed by what belongs behind it; undefined where a word cannot be read. */
function wordsText(
  source: string,
  words: readonly Word[],
  behind: (last: boolean) => string,
  escapes: boolean,
): Passage | undefined {
  const [first] = words;
  if (!first) return undefined;
  const read = reader(source, first.start);
  const pieces: Piece[] = [];
  for (const [index, { start, end, raw, quote }] of words.entries()) {
    const marks = quote === "none" ? 0 : 1;
    read.otherwise("", start + marks - read.outer);
    const from = read.inner;
    if (quote === "mixed" || (quote === "none" && /[$*?[{~]/.test(raw))) return undefined;
    if (quote === "double" && !readShell(read, source, end - marks, true)) return undefined;
    read.same(end - marks - read.outer);
    pieces.push({ from, to: read.inner, quote });
    const next = words[index + 1];
    const more = behind(!next);
    if (more !== "") read.otherwise(more, (next ? next.start : end) - read.outer);
  }
  return read.done(intoWord(pieces, escapes));
}

/** Writing into a quoted word: no edit leaves it. `escapes`: a backslash there means the same to every shell. */
function intoWord(pieces: readonly Piece[], escapes: boolean): Written {
  return (edit, passage) => {
    const piece = pieces.findLast(({ from }) => from <= edit.start);
    if (!piece || edit.end > piece.to) return undefined;
    // A line more in a text of one line would end the command of a Dockerfile.
    const severalLines = passage.text.slice(piece.from, piece.to).includes("\n");
    if (/[\r\n]/.test(edit.text) && !severalLines) return undefined;
    if (edit.text.includes("\\") && !escapes) return undefined;
    switch (piece.quote) {
      case "single":
        return edit.text.includes("'") ? undefined : edit.text;
      case "double":
        return joins(passage, edit, /[\\$]/) ? undefined : edit.text.replace(/[\\$`"]/g, "\\$&");
      default: {
        const empty = edit.start === piece.from && edit.end === piece.to && edit.text === "";
        return /^[\w./:@%+,-]*$/.test(edit.text) && !empty ? edit.text : undefined;
      }
    }
  };
}

/** What `echo` writes. */
export function echoText(source: string, words: readonly Word[]): Passage | undefined {
  let first = 0;
  let flags = "";
  while (/^-[neE]+$/.test(words[first]?.raw ?? "")) flags += words[first++]!.raw;
  const line = flags.includes("n") ? "" : "\n";
  const escapes = flags.includes("e");
  const passage = wordsText(source, words.slice(first), (last) => (last ? line : " "), escapes);
  if (!passage?.text.includes("\\")) return passage;
  // Without -e, some shells read escapes and some do not.
  return escapes ? unescaped(passage, false) : undefined;
}

/** What `printf` writes: a format without arguments, or "%s\n" with a line in each. */
export function printfText(source: string, words: readonly Word[]): Passage | undefined {
  const [format, ...lines] = words[0]?.raw === "--" ? words.slice(1) : words;
  if (!format) return undefined;
  if (/^["']%s\\n["']$/.test(format.raw)) return wordsText(source, lines, () => "\n", true);
  if (lines.length > 0) return undefined;
  const passage = wordsText(source, [format], () => "", true);
  return passage && unescaped(passage, true);
}

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  "\\": "\\",
  '"': '"',
  "%": "%",
};

/** Escapes that `echo -e` and `printf` read in their arguments. */
function unescaped(passage: Passage, percent: boolean): Passage | undefined {
  const { text } = passage;
  const read = reader(text, 0);
  const special = percent ? /\\[^]|%%?|\\$/g : /\\[^]|\\$/g;
  const complete = readSpecial(read, text, text.length, special, ({ 0: found }) => {
    const means = found.length === 2 ? escapes[found[1]!] : undefined;
    return means === undefined ? false : { text: means, length: 2 };
  });
  if (!complete) return undefined;
  const written: Written = (edit) =>
    edit.text.includes("\r")
      ? undefined
      : edit.text
          .replace(percent ? /[\\%]/g : /\\/g, (found) => (found === "%" ? "%%" : "\\\\"))
          .replaceAll("\n", "\\n");
  return nested(passage, read.done(written));
}

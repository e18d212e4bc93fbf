import type { IToken, TokenType } from "chevrotain";
import { nearest } from "../src/nearest.js";
import {
  isBlank,
  isKept,
  isLetter,
  isNameCharacter,
  isNewline,
  isPrintable,
  unitsOf,
} from "./characters.js";
import * as t from "./tokens.js";

/** How a parser generation reads values. */
export interface Dialect {
  /** White space around a value is dropped before its quotes are looked at (since 0.2.0). */
  trimsValues: boolean;
}

/** A Chevrotain token; offsets are UTF-16 units, `endOffset` inclusive as Chevrotain has it. */
function tokenOf(tokenType: TokenType, start: number, end: number): IToken {
  return {
    tokenType,
    tokenTypeIdx: tokenType.tokenTypeIdx!,
    // Chevrotain wants an image only for its own messages; a slice for each token would cost more than the rest.
    image: "",
    startOffset: start,
    endOffset: end - 1,
  };
}

/** Keywords whose value is text that people write over several lines. */
const textual = new Set<TokenType>([t.System, t.Template, t.License, t.Message]);

/** The first word of a line in capitals, as people write instructions, and what ends it. */
const capitals = /[ \t]*([A-Z]{4,64})(?=([ \t])|[\r\n]|$)/y;

const quote = 0x22;

/** Whether a name or role may end here: at a blank, an equals sign or colon, or something invisible. */
function endsWord(code: number): boolean {
  return code === 0x3d || code === 0x3a || isBlank(code) || isNewline(code) || !isPrintable(code);
}

function isUnseen(code: number): boolean {
  return !isPrintable(code) && !isBlank(code) && !isNewline(code);
}

/**
 * Splits a Modelfile into tokens that cover every character of it, following the states of ParseFile in
 * Ollama's parser/parser.go. Where Ollama would stop with an error, the tokens of the second half of
 * tokens.ts say so and reading goes on: at the next blank inside a line, else at the next line, and
 * after a quote that never closes at the next line that looks like an instruction. Linear in the
 * length of the text; never throws.
 */
export function lex(text: string, dialect: Dialect): IToken[] {
  const length = text.length;
  const tokens: IToken[] = [];
  // An unclosed `"` or `"""` is searched for once: behind that place no line ends in one.
  const unclosedFrom: Record<1 | 3, number> = { 1: Infinity, 3: Infinity };
  /** Whether a word is a mistyped keyword, by word: the same one often stands in many lines. */
  const resembling = new Map<string, boolean>();
  /** The last statement was text outside any instruction, or an unquoted text value it may continue. */
  let afterText = false;

  /** Adds a token unless it is empty; `NoSeparator` is the one token without characters. */
  function add(type: TokenType, start: number, end: number): number {
    if (end > start || type === t.NoSeparator) {
      tokens.push(tokenOf(type, start, end));
    }
    return end;
  }

  function codeAt(at: number): number {
    return at < length ? text.codePointAt(at)! : -1;
  }

  function lineEnd(at: number): number {
    while (at < length && !isNewline(text.charCodeAt(at))) at++;
    return at;
  }

  function skip(at: number, wanted: (code: number) => boolean): number {
    while (at < length) {
      const code = text.codePointAt(at)!;
      if (!wanted(code)) break;
      at += unitsOf(code);
    }
    return at;
  }

  function statement(start: number): number {
    let at = start;
    if (!isPrintable(codeAt(at))) {
      at = skip(at, (code) => !isNewline(code) && (isBlank(code) || !isPrintable(code)));
    }
    const wordEnd = skip(at, isLetter);
    const keyword = t.keywords.get(text.slice(at, wordEnd).toUpperCase());
    if (!keyword) return unknown(start, at);
    const next = codeAt(wordEnd);
    const ends = next < 0 || isNewline(next);
    if (!ends && !isBlank(next)) {
      // `From: Bob` in the middle of somebody's text is text.
      const word = text.slice(at, wordEnd);
      const plain = word === word.toUpperCase() || (word === word.toLowerCase() && !afterText);
      if (!plain || /[\w-]/.test(text[wordEnd]!)) return unknown(start, at);
    }
    add(t.Invisible, start, at);
    add(keyword, at, wordEnd);
    afterText = false;
    if (ends) return wordEnd;
    const after = separator(wordEnd);
    if (keyword === t.Parameter) return parameter(after);
    if (keyword === t.Message) return message(after);
    return value(after, keyword);
  }

  /** One blank, or what stands in its place; the position behind it. */
  function separator(at: number): number {
    const code = codeAt(at);
    if (isBlank(code)) return add(t.Separator, at, at + 1);
    if (code === 0x3d || code === 0x3a) {
      return add(t.WrongSeparator, at, skip(at + 1, isBlank));
    }
    const end = skip(at, (code) => !isNewline(code) && (isBlank(code) || !isPrintable(code)));
    return add(end > at ? t.WrongSeparator : t.NoSeparator, at, end);
  }

  /** Where a name or role ends that is well written up to `plainEnd`: `seed"1"` is a name and its value. */
  function nameEnd(first: number, plainEnd: number): number {
    if (plainEnd > first && codeAt(plainEnd) === quote) return plainEnd;
    return skip(plainEnd, (code) => !endsWord(code));
  }

  function parameter(start: number): number {
    const first = skip(start, isUnseen);
    const plainEnd = skip(first, isNameCharacter);
    const end = nameEnd(first, plainEnd);
    add(end > plainEnd || first > start ? t.BadName : t.Name, start, end);
    if (end >= length || isNewline(codeAt(end))) return end;
    return value(separator(end), t.Parameter);
  }

  function message(start: number): number {
    const at = add(t.ExtraBlank, start, skip(start, isBlank));
    const first = skip(at, isUnseen);
    const plainEnd = skip(first, isLetter);
    // `MESSAGE "hi"` has no role at all: what follows is the value.
    if (plainEnd === at && codeAt(at) === quote) {
      add(t.NoSeparator, at, at);
      return value(at, t.Message);
    }
    const end = nameEnd(first, plainEnd);
    add(end > plainEnd || first > at ? t.BadRole : t.Role, at, end);
    if (end >= length || isNewline(codeAt(end))) return end;
    return value(separator(end), t.Message);
  }

  function value(start: number, keyword: TokenType): number {
    const begin = skip(
      start,
      (code) => !isNewline(code) && (!isKept(code) || (dialect.trimsValues && isBlank(code))),
    );
    const first = codeAt(begin);
    if (first === quote) {
      add(t.Margin, start, begin);
      return quoted(begin, keyword);
    }
    const end = lineEnd(begin);
    const last = begin < end ? lastKept(begin, end) : begin;
    add(t.Margin, start, begin);
    add(t.BareText, begin, last);
    afterText = textual.has(keyword);
    return add(t.Margin, last, end);
  }

  /** The end of the last character between `from` and `end`, a line end, that a value keeps. */
  function lastKept(from: number, end: number): number {
    let at = end;
    while (at > from) {
      const units = isLowSurrogate(at - 1) ? 2 : 1;
      const code = codeAt(at - units);
      if (isKept(code) && !(dialect.trimsValues && isBlank(code))) break;
      at -= units;
    }
    return Math.max(at, from);
  }

  function isLowSurrogate(at: number): boolean {
    const unit = text.charCodeAt(at);
    if (unit < 0xdc00 || unit > 0xdfff || at === 0) return false;
    const before = text.charCodeAt(at - 1);
    return before >= 0xd800 && before <= 0xdbff;
  }

  /** The end of `count` quotes that begin at `at`, dropped characters between them included; -1 if there are fewer. */
  function quotesEnd(at: number, count: number): number {
    for (let seen = 0; ;) {
      const code = codeAt(at);
      if (code === quote) {
        at++;
        if (++seen === count) return at;
      } else if (code >= 0 && !isNewline(code) && !isKept(code)) {
        at += unitsOf(code);
      } else {
        return -1;
      }
    }
  }

  /** The start of `count` quotes that end at `at`, but not before `from`; -1 if there are fewer. */
  function quotesStart(at: number, from: number, count: number): number {
    let seen = 0;
    while (at > from) {
      const units = isLowSurrogate(at - 1) ? 2 : 1;
      const code = codeAt(at - units);
      if (code !== quote && isKept(code)) return -1;
      at -= units;
      if (code === quote && ++seen === count) return at;
    }
    return -1;
  }

  function quoted(start: number, keyword: TokenType): number {
    const triple = quotesEnd(start, 3);
    const count = triple < 0 ? 1 : 3;
    const open = triple < 0 ? start + 1 : triple;
    if (start < unclosedFrom[count]) {
      for (let line = open; ;) {
        const end = lineEnd(line);
        const last = lastKept(line, end);
        const close = quotesStart(last, line, count);
        if (close >= 0) {
          add(t.OpenQuote, start, open);
          add(t.QuotedText, open, close);
          add(t.CloseQuote, close, last);
          return add(t.Margin, last, end);
        }
        if (end >= length) break;
        line = end + 1;
      }
      unclosedFrom[count] = start;
    }
    return unclosed(start, open, count, keyword);
  }

  /**
   * A value whose quote never closes. It is taken to end at a quote inside its first line (with text
   * behind it), inside a later line for `"""`, else before the next line that looks like an instruction.
   */
  function unclosed(start: number, open: number, count: number, keyword: TokenType): number {
    add(t.OpenQuote, start, open);
    const quotes = '"'.repeat(count);
    let line = open;
    let contentEnd = open;
    for (;;) {
      const end = lineEnd(line);
      if (line === open || count === 3) {
        const close = text.slice(line, end).indexOf(quotes);
        if (close >= 0) {
          add(t.QuotedText, open, line + close);
          add(t.CloseQuote, line + close, line + close + count);
          return add(t.AfterQuote, line + close + count, end);
        }
      }
      if (lastKept(line, end) > line) contentEnd = end;
      let next = end;
      while (next < length && isNewline(text.charCodeAt(next))) next++;
      if (next >= length || !textual.has(keyword) || startsInstruction(next)) break;
      line = next;
    }
    return add(t.QuotedText, open, contentEnd);
  }

  function resemblesKeyword(word: string): boolean {
    let answer = resembling.get(word);
    if (answer === undefined) {
      answer = nearest(word, t.keywords.keys()) !== undefined;
      resembling.set(word, answer);
    }
    return answer;
  }

  /** Whether a line looks like an instruction, mistyped or not: an unclosed quote is taken to end there. */
  function startsInstruction(at: number): boolean {
    capitals.lastIndex = at;
    const [, word, blank] = capitals.exec(text) ?? [];
    if (word === undefined) return false;
    if (t.keywords.has(word)) return true;
    return blank !== undefined && resemblesKeyword(word);
  }

  /** A line that starts with no keyword: an instruction that does not exist, or text. */
  function unknown(start: number, at: number): number {
    const wordEnd = skip(at, isNameCharacter);
    const word = text.slice(at, wordEnd);
    const next = codeAt(wordEnd);
    if (wordEnd > at && next >= 0 && endsWord(next) && looksLikeKeyword(word)) {
      add(t.Invisible, start, at);
      add(t.UnknownKeyword, at, wordEnd);
      afterText = false;
      return isNewline(next) ? wordEnd : value(separator(wordEnd), t.UnknownKeyword);
    }
    afterText = true;
    return add(t.StrayText, start, lineEnd(start));
  }

  function looksLikeKeyword(word: string): boolean {
    if (!/^[A-Za-z]/.test(word)) return false;
    const upper = word === word.toUpperCase();
    if (upper && word.length > 1 && !afterText) return true;
    return word.length > 3 && (upper || !afterText) && resemblesKeyword(word);
  }

  for (let at = 0; at < length;) {
    const code = text.codePointAt(at)!;
    if (isBlank(code) || isNewline(code)) {
      at = add(
        t.Gap,
        at,
        skip(at, (code) => isBlank(code) || isNewline(code)),
      );
    } else if (code === 0x23) {
      at = add(t.Comment, at, lineEnd(at));
    } else {
      at = statement(at);
    }
  }
  return tokens;
}

import type { TextEdit } from "../../grammar/bytes.js";
import type { Span } from "../../grammar/tree.js";

/** A run of characters that stands in both texts alike. Length 0: a place that both texts share. */
export interface Part {
  inner: number;
  outer: number;
  length: number;
}

/**
 * A text that another file holds, and where each part of it stands there. Offsets are UTF-16 units,
 * `inner` ones of the text, `outer` ones of the file around it.
 */
export interface Passage {
  /** What the text is made from, in the outer file. */
  at: Span;
  /** Without indentation, quoting and escapes. */
  text: string;
  /**
   * Ascending in both. What is between two of them is written otherwise outside, or belongs to the outer
   * file alone, as indentation does.
   */
  parts: readonly Part[];
  /** Parts of the text in whose place something else is put later: a shell's variables, placeholders of a document. */
  unknown: readonly Span[];
  /** An edit of the text as an edit of the outer file, indented and escaped; undefined where it cannot be made there. */
  carry(edit: TextEdit): TextEdit | undefined;
}

/** What an edit puts in, as it is to be written outside; undefined where it cannot be. */
export type Written = (edit: TextEdit, passage: Passage) => string | undefined;

/** The last part that begins at an inner offset or before it. */
export function partAtStart(parts: readonly Part[], inner: number): Part | undefined {
  return parts[firstIndex(parts, (part) => part.inner > inner) - 1];
}

/** The first part that ends at an inner offset or behind it. */
export function partAtEnd(parts: readonly Part[], inner: number): Part | undefined {
  return parts[firstIndex(parts, (part) => part.inner + part.length >= inner)];
}

/** By halves: false for the parts up to the index, true from there on. */
function firstIndex(parts: readonly Part[], test: (part: Part) => boolean): number {
  let low = 0;
  let high = parts.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (test(parts[middle]!)) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * Where the character at an inner offset stands outside, behind indentation; undefined in the middle of
 * what is written otherwise.
 */
export function outerOffset({ parts }: Passage, inner: number): number | undefined {
  const part = partAtStart(parts, inner);
  if (!part || inner > part.inner + part.length) return undefined;
  return part.outer + inner - part.inner;
}

/** Where the text up to an inner offset ends outside, in front of the next line's indentation. */
function outerEnd({ parts }: Passage, inner: number): number | undefined {
  const part = partAtEnd(parts, inner);
  return part && inner >= part.inner ? part.outer + inner - part.inner : undefined;
}

/** Reads a passage off its source, from one place on; see the methods. */
export interface Reader {
  /** Where it has come to in the source. */
  readonly outer: number;
  /** Where it has come to in the text. */
  readonly inner: number;
  /** The next characters are the text's own. */
  same(length: number): void;
  /** The next characters of the source stand for another text; for none: they belong to the source alone. */
  otherwise(text: string, length: number): void;
  /** The next characters stand for something that is not known; they are in the text as they are. */
  unknown(length: number): void;
  done(written: Written): Passage;
}

export function reader(source: string, from: number): Reader {
  const chunks: string[] = [];
  const parts: Part[] = [];
  const unknown: Span[] = [];
  let inner = 0;
  let outer = from;
  /** The last part, made to reach here. */
  const reached = (): Part => {
    const last = parts.at(-1);
    if (last && last.inner + last.length === inner && last.outer + last.length === outer)
      return last;
    const part = { inner, outer, length: 0 };
    parts.push(part);
    return part;
  };
  return {
    get outer() {
      return outer;
    },
    get inner() {
      return inner;
    },
    same(length) {
      if (length === 0) return;
      reached().length += length;
      chunks.push(source.slice(outer, outer + length));
      inner += length;
      outer += length;
    },
    otherwise(text, length) {
      if (length > 0 || text !== "") reached();
      chunks.push(text);
      inner += text.length;
      outer += length;
    },
    unknown(length) {
      unknown.push({ start: inner, end: inner + length });
      this.same(length);
    },
    done(written) {
      reached();
      return leaf({ start: from, end: outer }, chunks.join(""), parts, unknown, written);
    },
  };
}

function leaf(
  at: Span,
  text: string,
  parts: readonly Part[],
  unknown: readonly Span[],
  written: Written,
): Passage {
  const passage: Passage = {
    at,
    text,
    parts,
    unknown,
    carry(edit) {
      const toTheEnd = edit.text === "" && edit.end === text.length;
      const start = toTheEnd ? outerEnd(passage, edit.start) : outerOffset(passage, edit.start);
      const end = outerOffset(passage, edit.end);
      if (start === undefined || end === undefined || end < start) return undefined;
      const put = written(edit, passage);
      return put === undefined ? undefined : { start, end, text: put };
    },
  };
  return passage;
}

/** A passage of a passage's text as one of the file around both. */
export function nested(around: Passage, passage: Passage): Passage {
  return {
    at: {
      start: nearest(around, passage.at.start),
      end: Math.max(nearest(around, passage.at.start), nearest(around, passage.at.end)),
    },
    text: passage.text,
    parts: throughBoth(around.parts, passage.parts),
    unknown: [...passage.unknown, ...broughtIn(around.unknown, passage.parts)].sort(
      (one, other) => one.start - other.start,
    ),
    carry(edit) {
      const between = passage.carry(edit);
      return between && around.carry(between);
    },
  };
}

function nearest({ parts, at }: Passage, inner: number): number {
  const part = partAtStart(parts, inner);
  return part ? part.outer + Math.min(inner - part.inner, part.length) : at.start;
}

/** What stands alike in all three texts. */
function throughBoth(around: readonly Part[], parts: readonly Part[]): Part[] {
  const result: Part[] = [];
  let next = 0;
  for (const { inner, outer, length } of parts) {
    const end = outer + length;
    while (next < around.length && around[next]!.inner + around[next]!.length < outer) next++;
    for (let index = next; index < around.length && around[index]!.inner <= end; index++) {
      const other = around[index]!;
      const from = Math.max(outer, other.inner);
      const to = Math.min(end, other.inner + other.length);
      result.push({
        inner: inner + from - outer,
        outer: other.outer + from - other.inner,
        length: to - from,
      });
    }
  }
  return result;
}

/** Spans of the text around as spans of the text within, where they reach into it. */
function broughtIn(spans: readonly Span[], parts: readonly Part[]): Span[] {
  const result: Span[] = [];
  let next = 0;
  for (const { inner, outer, length } of parts) {
    while (next < spans.length && spans[next]!.end <= outer) next++;
    for (let index = next; index < spans.length && spans[index]!.start < outer + length; index++) {
      const { start, end } = spans[index]!;
      result.push({
        start: inner + Math.max(start - outer, 0),
        end: inner + Math.min(end - outer, length),
      });
    }
  }
  return result;
}

/** Passages of one file that make one text, one behind the other. */
export function joined(passages: readonly [Passage, ...Passage[]]): Passage {
  if (passages.length === 1) return passages[0];
  const from: number[] = [];
  let length = 0;
  for (const { text } of passages) {
    from.push(length);
    length += text.length;
  }
  return {
    at: { start: passages[0].at.start, end: passages.at(-1)!.at.end },
    text: passages.map(({ text }) => text).join(""),
    parts: passages.flatMap(({ parts }, index) =>
      parts.map((part) => ({ ...part, inner: part.inner + from[index]! })),
    ),
    unknown: passages.flatMap(({ unknown }, index) =>
      unknown.map(({ start, end }) => ({
        start: start + from[index]!,
        end: end + from[index]!,
      })),
    ),
    carry({ start, end, text }) {
      // Between two passages it may go to the beginning of one or to the end of the other.
      for (const [index, passage] of [...passages.entries()].toReversed()) {
        const before = from[index]!;
        if (start < before || end > before + passage.text.length) continue;
        const carried = passage.carry({ start: start - before, end: end - before, text });
        if (carried) return carried;
      }
      return undefined;
    },
  };
}

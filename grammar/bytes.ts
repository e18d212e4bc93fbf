import type { Span } from "./tree.js";

/** A Modelfile's bytes as text, with the way back. Offsets in the text are UTF-16 units. */
export interface Source {
  bytes: Uint8Array;
  /** Without the byte-order mark. */
  text: string;
  encoding: "utf-8" | "utf-16le" | "utf-16be";
  /** Bytes of the byte-order mark: 0, 2 or 3. */
  mark: number;
  /** Where a U+FFFD stands for bytes that are no text: its offset, and how many bytes. Ascending. */
  broken: readonly { at: number; bytes: number }[];
}

export interface TextEdit extends Span {
  text: string;
}

/**
 * Decodes as golang.org/x/text's unicode.BOMOverride does in front of Ollama's parser: UTF-16 after FF FE
 * or FE FF, UTF-8 otherwise. Bytes that are no text become U+FFFD: behind a UTF-8 mark each byte its own,
 * without one each maximal ill-formed sequence; an odd last byte or a lone surrogate in UTF-16 too.
 */
export function decode(bytes: Uint8Array): Source {
  const [first, second, third] = bytes;
  if (first === 0xff && second === 0xfe) return decodeUtf16(bytes, "utf-16le");
  if (first === 0xfe && second === 0xff) return decodeUtf16(bytes, "utf-16be");
  const mark = first === 0xef && second === 0xbb && third === 0xbf ? 3 : 0;
  const body = bytes.subarray(mark);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
    return { bytes, text, encoding: "utf-8", mark, broken: [] };
  } catch {
    return { bytes, ...decodeBrokenUtf8(body, mark > 0), encoding: "utf-8", mark };
  }
}

/** The bytes after replacing parts of the text. Edits are ascending and do not overlap; everything else keeps its bytes. */
export function encodeEdited(source: Source, edits: readonly TextEdit[]): Uint8Array {
  const parts: Uint8Array[] = [];
  const walk = byteWalk(source);
  let from = 0;
  for (const { start, end, text } of edits) {
    parts.push(source.bytes.subarray(from, walk(start)), encode(text, source.encoding));
    from = walk(end);
  }
  parts.push(source.bytes.subarray(from));
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** The byte offset of a text offset, for ascending offsets. */
function byteWalk({ text, encoding, mark, broken }: Source): (offset: number) => number {
  let at = 0;
  let byte = mark;
  let next = 0;
  return (offset) => {
    while (at < offset) {
      if (broken[next]?.at === at) {
        byte += broken[next++]!.bytes;
        at++;
      } else {
        const code = text.codePointAt(at)!;
        at += code > 0xffff ? 2 : 1;
        if (encoding !== "utf-8") byte += code > 0xffff ? 4 : 2;
        else byte += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
      }
    }
    return byte;
  };
}

function encode(text: string, encoding: Source["encoding"]): Uint8Array {
  if (encoding === "utf-8") return new TextEncoder().encode(text);
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < text.length; at++) {
    view.setUint16(at * 2, text.charCodeAt(at), encoding === "utf-16le");
  }
  return bytes;
}

function decodeUtf16(bytes: Uint8Array, encoding: "utf-16le" | "utf-16be"): Source {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const units = new Units();
  let at = 2;
  const unit = (offset: number) => view.getUint16(offset, encoding === "utf-16le");
  while (at + 1 < bytes.length) {
    const high = unit(at);
    const surrogate = high >= 0xd800 && high <= 0xdfff;
    const low = surrogate && at + 3 < bytes.length ? unit(at + 2) : 0;
    if (low >= 0xdc00 && low <= 0xdfff) {
      // A low surrogate ends a pair even where the first half is a low one as well: then both are lost.
      if (high <= 0xdbff) units.add(high, low);
      else units.addBroken(4);
      at += 4;
    } else {
      if (surrogate) units.addBroken(2);
      else units.add(high);
      at += 2;
    }
  }
  if (at < bytes.length) units.addBroken(1);
  return { bytes, text: units.text(), encoding, mark: 2, broken: units.broken };
}

function decodeBrokenUtf8(bytes: Uint8Array, singly: boolean): Pick<Source, "text" | "broken"> {
  const units = new Units();
  for (let at = 0; at < bytes.length;) {
    const lead = bytes[at]!;
    const needed =
      lead < 0x80 ? 0 : lead < 0xc2 ? -1 : lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf5 ? 3 : -1;
    let code = needed === 0 ? lead : lead & (0x3f >> needed);
    let seen = 0;
    while (seen < needed) {
      const next = bytes[at + 1 + seen];
      if (next === undefined || next < lowest(lead, seen) || next > highest(lead, seen)) break;
      code = (code << 6) | (next & 0x3f);
      seen++;
    }
    if (seen === needed) {
      if (code > 0xffff) units.add(0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
      else units.add(code);
      at += needed + 1;
    } else {
      const lost = singly ? 1 : seen + 1;
      units.addBroken(lost);
      at += lost;
    }
  }
  return { text: units.text(), broken: units.broken };
}

// The second byte rules out overlong forms, surrogates and what lies beyond U+10FFFF (Unicode, table 3-7).
function lowest(lead: number, index: number): number {
  return index > 0 ? 0x80 : lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80;
}

function highest(lead: number, index: number): number {
  return index > 0 ? 0xbf : lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf;
}

/** Collects UTF-16 units; a plain array of them would not survive String.fromCharCode at ten megabytes. */
class Units {
  readonly broken: { at: number; bytes: number }[] = [];
  private readonly chunks: string[] = [];
  private units: number[] = [];
  private length = 0;

  add(...units: number[]): void {
    this.units.push(...units);
    this.length += units.length;
    if (this.units.length >= 4096) this.flush();
  }

  addBroken(bytes: number): void {
    this.broken.push({ at: this.length, bytes });
    this.add(0xfffd);
  }

  text(): string {
    this.flush();
    return this.chunks.join("");
  }

  private flush(): void {
    this.chunks.push(String.fromCharCode(...this.units));
    this.units = [];
  }
}

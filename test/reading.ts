/**
 * A second reading of the Modelfile language: the state machine of the language specification written out one character
 * at a time, and as plainly as the text itself. It shares nothing with the parser of the product but the table of
 * printable characters, so that where the two agree on random input, neither can have made the other's mistake.
 */
import characters from "../src/facts/go-characters.json" with { type: "json" };

export interface OracleCommand {
  name: string;
  args: string;
}

export type OracleResult = { ok: true; commands: OracleCommand[] } | { ok: false; error: string };

export interface OracleOptions {
  /** False: the value keeps its outer white space, also when its quotes are looked for (0.1.44 to 0.1.48). */
  trim?: boolean;
  /** False: errors of the state machine do not name the line (before 0.4.2). */
  linePrefix?: boolean;
  /** The instructions that the release knows, in the order in which its error message lists them. */
  commands?: string[];
}

const newestCommands = [
  "from",
  "license",
  "template",
  "system",
  "adapter",
  "draft",
  "renderer",
  "parser",
  "parameter",
  "message",
  "requires",
];

const REPLACEMENT = 0xfffd;
const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const HASH = 0x23;
const UNDERSCORE = 0x5f;

// One byte per code point: 1 where the character is printable.
const printable = new Uint8Array(0x110000);
for (const [first, last] of (characters as { print: number[][] }).print) {
  for (let c = first!; c <= last!; c++) printable[c] = 1;
}

function isPrint(c: number): boolean {
  return printable[c] === 1;
}

function isSpace(c: number): boolean {
  return c === SPACE || c === TAB;
}

function isNewline(c: number): boolean {
  return c === LF || c === CR;
}

function isAlpha(c: number): boolean {
  return (c >= 0x41 && c <= 0x5a) || (c >= 0x61 && c <= 0x7a);
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

function isNumber(c: number): boolean {
  return c >= 0x30 && c <= 0x39;
}

export function decodeOracle(bytes: Uint8Array): number[] {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return decodeUtf16(bytes.subarray(2), "little");
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return decodeUtf16(bytes.subarray(2), "big");
  if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    return decodeUtf8(bytes.subarray(3), "each byte");
  }
  return decodeUtf8(bytes, "each subpart");
}

function decodeUtf16(bytes: Uint8Array, order: "little" | "big"): number[] {
  const units: number[] = [];
  for (let i = 0; i + 1 < bytes.length; i += 2) {
    const first = bytes[i]!;
    const second = bytes[i + 1]!;
    units.push(order === "little" ? second * 256 + first : first * 256 + second);
  }

  const points: number[] = [];
  let i = 0;
  while (i < units.length) {
    const unit = units[i]!;
    const next = units[i + 1];
    if (!isHigh(unit) && !isLow(unit)) {
      points.push(unit);
      i += 1;
    } else if (next !== undefined && isLow(next)) {
      points.push(isHigh(unit) ? 0x10000 + (unit - 0xd800) * 0x400 + (next - 0xdc00) : REPLACEMENT);
      i += 2;
    } else {
      points.push(REPLACEMENT);
      i += 1;
    }
  }

  if (bytes.length % 2 === 1) points.push(REPLACEMENT);
  return points;
}

/** What may follow the first byte of a UTF-8 sequence: how many bytes, and between which bounds the second one lies. */
function utf8Sequence(lead: number): { trailing: number; low: number; high: number } | undefined {
  if (lead >= 0xc2 && lead <= 0xdf) return { trailing: 1, low: 0x80, high: 0xbf };
  if (lead === 0xe0) return { trailing: 2, low: 0xa0, high: 0xbf };
  if (lead === 0xed) return { trailing: 2, low: 0x80, high: 0x9f };
  if (lead >= 0xe1 && lead <= 0xef) return { trailing: 2, low: 0x80, high: 0xbf };
  if (lead === 0xf0) return { trailing: 3, low: 0x90, high: 0xbf };
  if (lead >= 0xf1 && lead <= 0xf3) return { trailing: 3, low: 0x80, high: 0xbf };
  if (lead === 0xf4) return { trailing: 3, low: 0x80, high: 0x8f };
  return undefined;
}

function decodeUtf8(bytes: Uint8Array, replace: "each byte" | "each subpart"): number[] {
  const points: number[] = [];
  let i = 0;
  while (i < bytes.length) {
    const lead = bytes[i]!;
    if (lead <= 0x7f) {
      points.push(lead);
      i += 1;
      continue;
    }

    const sequence = utf8Sequence(lead);
    if (sequence === undefined) {
      points.push(REPLACEMENT);
      i += 1;
      continue;
    }

    // The lead byte holds five, four or three bits of the character for one, two or three bytes to come.
    let point = lead % 2 ** (6 - sequence.trailing);
    let length = 1;
    while (length <= sequence.trailing && i + length < bytes.length) {
      const byte = bytes[i + length]!;
      const low = length === 1 ? sequence.low : 0x80;
      const high = length === 1 ? sequence.high : 0xbf;
      if (byte < low || byte > high) break;
      point = point * 64 + (byte - 0x80);
      length += 1;
    }

    if (length === sequence.trailing + 1) {
      points.push(point);
      i += length;
    } else {
      // What was read so far is a maximal ill-formed subpart.
      points.push(REPLACEMENT);
      i += replace === "each subpart" ? length : 1;
    }
  }
  return points;
}

class ReadingError extends Error {}

export function readOracle(bytes: Uint8Array, options: OracleOptions = {}): OracleResult {
  try {
    return { ok: true, commands: readCommands(decodeOracle(bytes), options) };
  } catch (error) {
    if (error instanceof ReadingError) return { ok: false, error: error.message };
    throw error;
  }
}

function readCommands(points: number[], options: OracleOptions): OracleCommand[] {
  const keywords = options.commands ?? newestCommands;
  const trim = options.trim ?? true;
  const linePrefix = options.linePrefix ?? true;

  const commands: OracleCommand[] = [];
  let state: "nil" | "comment" | "name" | "parameter" | "message" | "value" = "nil";
  let buffer: number[] = [];
  let line = 1;
  let name = "";
  let role = "";

  const where = () => (linePrefix ? `(line ${line}): ` : "");
  const quoted = keywords.map((keyword) => `"${keyword}"`);
  const badCommand = () =>
    new ReadingError(
      `${where()}command must be one of ${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1)}`,
    );
  const badRole = () =>
    new ReadingError(`${where()}message role must be one of "system", "user", or "assistant"`);
  const unexpectedEnd = () => new ReadingError("unexpected EOF");
  const unexpectedCharacter = () => new ReadingError(`unexpected EOF: ${text(buffer)}`);

  const value = () => unquote(trim ? trimmed(buffer) : text(buffer));
  const emit = (content: string) => {
    commands.push({ name, args: role === "" ? content : `${role}: ${content}` });
    role = "";
  };

  for (const c of points) {
    if (isNewline(c)) line += 1;

    if (state === "nil") {
      if (c === HASH) {
        state = "comment";
      } else if (isSpace(c) || isNewline(c)) {
        // Nothing happens between two commands.
      } else {
        state = "name";
        buffer = isPrint(c) ? [c] : [];
      }
    } else if (state === "comment") {
      if (isNewline(c)) state = "nil";
    } else if (state === "name") {
      if (isAlpha(c)) {
        buffer.push(c);
      } else if (isSpace(c)) {
        const keyword = lowerCase(buffer);
        if (!keywords.includes(keyword)) throw badCommand();
        if (keyword === "parameter") {
          state = "parameter";
        } else if (keyword === "message") {
          name = "message";
          state = "message";
        } else {
          name = keyword === "from" ? "model" : keyword;
          state = "value";
        }
        buffer = [];
      } else {
        throw badCommand();
      }
    } else if (state === "parameter") {
      if (isAlpha(c) || isNumber(c) || c === UNDERSCORE) {
        buffer.push(c);
      } else if (isSpace(c)) {
        name = text(buffer);
        buffer = [];
        state = "value";
      } else {
        throw unexpectedCharacter();
      }
    } else if (state === "message") {
      if (isAlpha(c)) {
        buffer.push(c);
      } else if (isSpace(c)) {
        role = text(buffer);
        if (role !== "system" && role !== "user" && role !== "assistant") throw badRole();
        buffer = [];
        state = "value";
      } else {
        throw unexpectedCharacter();
      }
    } else {
      if (isSpace(c)) {
        buffer.push(c);
      } else if (isNewline(c)) {
        const { done, content } = value();
        if (done) {
          emit(content);
          buffer = [];
          state = "nil";
        } else {
          buffer.push(c);
        }
      } else if (isPrint(c)) {
        buffer.push(c);
      }
    }
  }

  if (state === "value") {
    const { done, content } = value();
    if (!done) throw unexpectedEnd();
    emit(content);
  } else if (state !== "nil" && state !== "comment") {
    throw unexpectedEnd();
  }

  if (!commands.some((command) => command.name === "model")) throw new ReadingError("no FROM line");
  return commands;
}

function text(buffer: number[]): string {
  return buffer.map((c) => String.fromCodePoint(c)).join("");
}

/** The buffer of a value holds printable characters, blanks and newlines: no other white space can be at its ends. */
function trimmed(buffer: number[]): string {
  let start = 0;
  let end = buffer.length;
  while (start < end && (isSpace(buffer[start]!) || isNewline(buffer[start]!))) start += 1;
  while (start < end && (isSpace(buffer[end - 1]!) || isNewline(buffer[end - 1]!))) end -= 1;
  return text(buffer.slice(start, end));
}

function lowerCase(buffer: number[]): string {
  let lower = "";
  for (const c of buffer) {
    if (c >= 0x41 && c <= 0x5a) lower += String.fromCodePoint(c + 0x20);
    // The two characters outside ASCII that Go's lower-casing takes into it: I with a dot above, and the kelvin sign.
    else if (c === 0x130) lower += "i";
    else if (c === 0x212a) lower += "k";
    else lower += String.fromCodePoint(c);
  }
  return lower;
}

function unquote(t: string): { done: boolean; content: string } {
  if (t.startsWith('"""')) {
    if (t.length >= 6 && t.endsWith('"""')) return { done: true, content: t.slice(3, -3) };
    return { done: false, content: "" };
  }
  if (t.startsWith('"')) {
    if (t.length >= 2 && t.endsWith('"')) return { done: true, content: t.slice(1, -1) };
    return { done: false, content: "" };
  }
  return { done: true, content: t };
}

/** What Ollama writes when it turns the commands back into a Modelfile. */
export function printOracle(commands: OracleCommand[]): string {
  let output = "";
  for (const { name, args } of commands) {
    switch (name) {
      case "model":
        output += `FROM ${args}\n`;
        break;
      case "license":
      case "template":
      case "system":
      case "adapter":
      case "renderer":
      case "parser":
      case "requires":
      case "draft":
        output += `${name.toUpperCase()} ${quote(args)}\n`;
        break;
      case "message": {
        const at = args.indexOf(": ");
        const role = at === -1 ? args : args.slice(0, at);
        const rest = at === -1 ? "" : args.slice(at + 2);
        output += `MESSAGE ${role} ${quote(rest)}\n`;
        break;
      }
      default:
        output += `PARAMETER ${name} ${quote(args)}\n`;
    }
  }
  return output;
}

function quote(s: string): string {
  if (s.includes("\n") || s.startsWith(" ") || s.endsWith(" ")) {
    return s.includes('"') ? `"""${s}"""` : `"${s}"`;
  }
  return s;
}

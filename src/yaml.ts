import type { CST, YAMLError, YAMLMap } from "yaml";
import { InputError, type Host } from "./host.js";

/** Counted from 1; columns in UTF-16 units. */
export interface Place {
  line: number;
  column: number;
}

/** Where the value at `path` is written, or its key; undefined where nothing is written there. */
export type Locate = (path: readonly string[], part?: "key") => Place | undefined;

/** What a YAML text says, and where it says it. */
export interface Reading {
  /** Plain objects, arrays, texts, numbers, booleans and null. */
  value: unknown;
  locate: Locate;
}

/** Enough for any configuration; the parser takes about 20 µs a byte on the worst texts. */
const longest = 64 * 1024;
const deepest = 64;

/** Offsets of a value and of its key, and the same of what is inside it. */
interface Spot {
  value: number;
  key?: number;
  inside: Map<string, Spot>;
}

/**
 * Reads one YAML document (or JSON, which YAML includes). A number that would not be written again as
 * it stands ("0.30", "0x10", ".inf") stays text, so that releases and sizes lose nothing. Throws
 * InputError with the place of the first thing that cannot be read, or when the text is longer than
 * `limit` UTF-16 units.
 */
export async function readYaml(source: string, path: string, limit = longest): Promise<Reading> {
  const text = source.replace(/^\uFEFF/, "");
  if (text.length > limit) {
    const most = `At most ${limit / 1024} KiB can be read`;
    throw new InputError(`${most}, and the file has ${Math.ceil(text.length / 1024)} KiB.`, {
      path,
    });
  }
  const { Composer, LineCounter, Parser, isAlias, isCollection, isMap, isNode, isScalar, isSeq } =
    await import("yaml");
  const lines = new LineCounter();
  const place = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const fail: (message: string, offset: number) => never = (message, offset) => {
    throw new InputError(message, { path, ...place(offset) });
  };
  if (text.includes("\0")) throw new InputError("A NUL byte: this is no text file.", { path });

  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const deep = tooDeep(tokens);
  if (deep !== undefined) fail(`Values nest deeper than ${deepest} levels.`, deep);

  const composer = new Composer({
    // The core schema whatever a %YAML directive says: "off" is a text here, never false.
    schema: "core",
    resolveKnownTags: false,
    merge: false,
    // The library's own check takes quadratic time.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: "silent",
  });
  let document;
  for (const next of composer.compose(tokens, true, text.length)) {
    if (document) {
      fail("A second document begins here. One file holds one document.", next.range[0]);
    }
    document = next;
    const [error] = [...next.errors, ...next.warnings].sort((a, b) => a.pos[0] - b.pos[0]);
    if (!error) continue;
    if (next.errors.some(({ code }) => code === "MULTILINE_IMPLICIT_KEY")) {
      const end = text.indexOf("\n", error.pos[0]);
      if (error.code !== "MULTILINE_IMPLICIT_KEY") fail("This line is indented too far.", end + 1);
      fail('A ":" is missing on this line.', error.pos[0]);
    }
    fail(explanation(error, text), error.pos[0]);
  }

  const anchors = new Map<string, unknown>();
  // Without aliases there are fewer values than characters.
  let budget = text.length + 1000;
  const start = (node: unknown): number | undefined => (isNode(node) ? node.range?.[0] : undefined);
  const spotIn = (spot: Spot, name: string, value: number, key?: number): Spot => {
    const known = spot.inside.get(name);
    if (known) return known;
    const added: Spot = { value, inside: new Map(), ...(key !== undefined && { key }) };
    spot.inside.set(name, added);
    return added;
  };

  /** The value of a node; `depth` counts the levels that aliases add as well. */
  const valueOf = (node: unknown, spot: Spot, depth: number, own: boolean): unknown => {
    const offset = start(node) ?? spot.value;
    if (--budget < 0) fail("Aliases make this document too large.", offset);
    if (depth > deepest) fail("Aliases nest too deeply here.", offset);
    if (isAlias(node)) {
      if (!anchors.has(node.source)) fail(`No anchor "&${node.source}" stands above.`, offset);
      return valueOf(anchors.get(node.source), spot, depth + 1, false);
    }
    const anchor = isScalar(node) || isCollection(node) ? node.anchor : undefined;
    if (own && anchor !== undefined) anchors.set(anchor, node);
    if (isScalar(node)) {
      if (typeof node.value !== "number" || String(node.value) === node.source) return node.value;
      return node.source ?? node.value;
    }
    if (isSeq(node)) {
      return node.items.map((item, i) => {
        const inside = spotIn(spot, String(i), start(item) ?? offset);
        return valueOf(item, inside, depth + 1, own);
      });
    }
    return isMap(node) ? mappingOf(node, spot, depth, own) : null;
  };

  const mappingOf = (
    node: YAMLMap,
    spot: Spot,
    depth: number,
    own: boolean,
  ): Record<string, unknown> => {
    const entries = new Map<string, unknown>();
    const merged: { value: unknown; at: number }[] = [];
    for (const { key, value } of node.items) {
      const at = start(key) ?? spot.value;
      if (!isScalar(key)) fail("A key is one word or one quoted text.", at);
      const name = typeof key.value === "string" ? key.value : (key.source ?? "");
      if (name === "__proto__") fail('"__proto__" cannot be a key.', at);
      if (name === "<<" && key.type === "PLAIN") {
        merged.push({ value, at });
        continue;
      }
      if (entries.has(name)) fail(`Key ${quoted(name)} stands here a second time.`, at);
      // Where nothing is written, the key is all there is to point at.
      const empty = !isNode(value) || (isScalar(value) && !value.source && value.value === null);
      const inside = spotIn(spot, name, empty ? at : (start(value) ?? at), at);
      entries.set(name, valueOf(value, inside, depth + 1, own));
    }
    // Own keys win over merged ones, so these come last; they lie at this mapping's own paths.
    for (const { value, at } of merged) {
      for (const source of [valueOf(value, spot, depth + 1, own)].flat()) {
        if (typeof source !== "object" || !source) {
          fail('"<<" takes a mapping or an alias of one.', at);
        }
        for (const [name, inherited] of Object.entries(source)) {
          if (!entries.has(name)) entries.set(name, inherited);
        }
      }
    }
    return Object.fromEntries(entries);
  };

  const whole: Spot = { value: start(document?.contents) ?? 0, inside: new Map() };
  const value = valueOf(document?.contents ?? null, whole, 0, true);
  return {
    value,
    locate: (path, part) => {
      const spot = path.reduce<Spot | undefined>((at, name) => at?.inside.get(name), whole);
      return spot && place((part === "key" ? spot.key : undefined) ?? spot.value);
    },
  };
}

/**
 * Offset of the first token beyond the deepest level. The library composes recursively, and running
 * out of stack inside a regular expression ends the whole process, so this must come before.
 */
function tooDeep(tokens: readonly CST.Token[]): number | undefined {
  const todo = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = todo.pop(); next; next = todo.pop()) {
    const { token, depth } = next;
    if (depth > deepest) return token.offset;
    if (token.type === "document" && token.value) todo.push({ token: token.value, depth });
    for (const { key, value } of "items" in token ? token.items : []) {
      if (key) todo.push({ token: key, depth: depth + 1 });
      if (value) todo.push({ token: value, depth: depth + 1 });
    }
  }
  return undefined;
}

/** The library's error in our words, where the common ones can be said better. */
function explanation({ code, message, pos }: YAMLError, text: string): string {
  const here = text.slice(pos[0], pos[0] + 2);
  switch (code) {
    case "TAB_AS_INDENT":
      return "A tab indents this line. Use spaces.";
    case "BAD_INDENT": {
      const [, bracket] = /end with a (.)$/.exec(message) ?? [];
      if (bracket) return `A "${bracket}" is missing before this.`;
      return "The indentation of this line fits none of the lines above.";
    }
    case "MISSING_CHAR":
      if (message.startsWith("Implicit map keys")) return 'A ":" is missing after this.';
      if (!message.startsWith("Sequence item")) return `${message}.`;
      return 'A "-" is missing, or this line belongs further to the right.';
    case "BLOCK_AS_IMPLICIT_KEY":
      return 'A second ":" on one line. Put the value in quotes.';
    case "BAD_DQ_ESCAPE":
      return `${quoted(here)} is no escape in double quotes. Use single quotes.`;
    case "BAD_SCALAR_START":
      return `A text that starts with ${quoted(here.slice(0, 1))} needs quotes.`;
    case "TAG_RESOLVE_FAILED":
      return "This tag has no meaning here. Leave it out.";
    default: {
      const said = message.replace(/\s+/g, " ").replace(/\.$/, "");
      return `YAML stops here: ${said.length > 80 ? `${said.slice(0, 80)}…` : said}.`;
    }
  }
}

/** A user's value in double quotes, on one line, cut where it is long. */
export function quoted(text: string): string {
  const short = text.length > 40 ? `${text.slice(0, 40)}…` : text;
  // Control characters would garble a terminal.
  return `"${short.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, (c) => JSON.stringify(c).slice(1, -1))}"`;
}

/** Bytes; no text that is read here needs nearly as much. */
const largest = 4 * 1024 * 1024;

/** The text of a file. Throws InputError when there is none, or when it is no text. */
export async function readText(path: string, host: Host): Promise<string> {
  const entry = await host.stat(path);
  if (!entry) throw new InputError(`${quoted(path)} does not exist.`, { path });
  if (entry.kind !== "file") throw new InputError(`${quoted(path)} is no file.`, { path });
  if (entry.size > largest) {
    throw new InputError(`${quoted(path)} has more than ${largest / 1024} KiB.`, { path });
  }
  let bytes: Uint8Array;
  try {
    bytes = await host.read(path);
  } catch {
    throw new InputError(`${quoted(path)} cannot be read.`, { path });
  }
  // PowerShell writes UTF-16 with a byte order mark.
  const encoding = bytes[0] === 0xff && bytes[1] === 0xfe ? "utf-16le" : "utf-8";
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new InputError(`${quoted(path)} is no UTF-8 text.`, { path });
  }
}

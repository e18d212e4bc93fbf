import { Document, isMap, isScalar, isSeq, Scalar, type ToStringOptions } from "yaml";

/** What is printed; keys without a value are left out. */
export type Yaml =
  string | number | boolean | Said | readonly Yaml[] | { readonly [key: string]: Yaml | undefined };

const comment = Symbol("comment");

/** A value of a mapping with a comment above its key. */
interface Said {
  readonly [comment]: string;
  readonly value: Yaml;
}

export function said(text: string, value: Yaml): Said {
  return { [comment]: text, value };
}

const options: ToStringOptions = {
  lineWidth: 0,
  doubleQuotedAsJSON: true,
  flowCollectionPadding: false,
};

/**
 * Every text as it came, for readers of YAML 1.1 (those of kubectl and Docker Compose, and PyYAML) and 1.2
 * alike: as a block where it has lines of ordinary characters, in double quotes with JSON's escapes where it
 * holds anything else. `head` is a comment above all.
 */
export function yamlText(value: Yaml, head = ""): string {
  const document = new Document(valueIn(value));
  dress(document.contents, value);
  const text = document.toString(options);
  // JSON leaves these bare, and to YAML 1.1 some are line ends and some no characters. Only double quotes hold them.
  const escaped = text.replaceAll(hidden, (character) => {
    const code = character.codePointAt(0)!;
    return `\\u${code.toString(16).padStart(4, "0")}`;
  });
  return `${head === "" ? "" : `${commentLines(head, "#")}\n`}${escaped}`;
}

/** Characters of the upper half and beyond that stand in no YAML file of either version bare. */
const hidden = /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** The values without their comments. */
function valueIn(value: Yaml): unknown {
  if (typeof value === "string") return wellFormed(value);
  if (typeof value !== "object") return value;
  if (isSaid(value)) return valueIn(value.value);
  if (isList(value)) return value.map(valueIn);
  const known = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [[key, valueIn(item)] as const],
  );
  return Object.fromEntries(known);
}

/** Gives texts their style and keys their comments. */
function dress(node: unknown, value: Yaml | undefined): void {
  const bare = isSaid(value) ? value.value : value;
  if (isScalar(node)) {
    if (typeof node.value === "string") node.type = styleOf(node.value);
  } else if (isSeq(node) && isList(bare)) {
    node.flow = isShort(bare);
    node.items.forEach((item, index) => dress(item, bare[index]));
    // Old readers take a colon between brackets for a mapping.
    for (const item of node.flow ? node.items : []) {
      if (isScalar(item) && String(item.value).includes(":")) item.type = Scalar.QUOTE_DOUBLE;
    }
  } else if (isMap(node) && typeof bare === "object" && !isList(bare) && !isSaid(bare)) {
    for (const { key, value: inner } of node.items) {
      if (!isScalar(key)) continue;
      const item = bare[String(key.value)];
      dress(key, undefined);
      if (isSaid(item)) key.commentBefore = commentLines(item[comment], "");
      dress(inner, item);
    }
  }
}

/** A list of a few words goes on one line. */
function isShort(list: readonly Yaml[]): boolean {
  const words = list.filter((item) => typeof item === "string");
  return words.length === list.length && words.join(", ").length <= 60;
}

/** Halves of characters, which no encoding holds, become U+FFFD, as TextEncoder writes them. */
function wellFormed(text: string): string {
  return text.replaceAll(/\p{Cs}/gu, "\ufffd");
}

function styleOf(text: string): Scalar.Type {
  if (isPlain(text)) return Scalar.PLAIN;
  return isBlock(text) ? Scalar.BLOCK_LITERAL : Scalar.QUOTE_DOUBLE;
}

/** Words that are no texts in one version or the other. */
const taken = /^(?:y|yes|n|no|on|off|true|false|null|nan|inf)$/i;

function isPlain(text: string): boolean {
  return /^[A-Za-z/](?:[\w/.@+-]|:(?=[\w/]))*$/.test(text) && !taken.test(text);
}

/** Several lines of what every reader takes for ordinary characters; the first tells the indentation. */
function isBlock(text: string): boolean {
  return (
    /^[^\s][^]*\n/.test(text) && /^[\t\n\x20-\x7e\xa0-\uffff]*$/.test(text) && !holdsHidden(text)
  );
}

function holdsHidden(text: string): boolean {
  return text.search(hidden) >= 0;
}

function isSaid(value: Yaml | undefined): value is Said {
  return typeof value === "object" && comment in value;
}

function isList(value: Yaml | undefined): value is readonly Yaml[] {
  return Array.isArray(value);
}

/** What breaks lines, or is no character of YAML, becomes a blank. */
function commentLines(text: string, mark: string): string {
  return text
    .split("\n")
    .map(
      (line) =>
        `${mark} ${line.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\ufeff\ufffe\uffff]+/gu, " ").trim()}`,
    )
    .join("\n");
}

import { isDigits, type Json } from "./json-text.js";

/** How a language writes what JSON holds. */
interface Language {
  word: (value: boolean) => string;
  /** Pieces of a string that goes over several lines, which are one. */
  joined: (pieces: readonly string[], indent: string) => string;
  key: (name: string) => string;
}

/**
 * Every escape that JSON writes means the same in both languages, and what JSON leaves bare may stand in
 * their strings.
 */
const python: Language = {
  word: (value) => (value ? "True" : "False"),
  joined: (pieces, indent) =>
    `(\n${pieces.map((piece) => `${indent}    ${piece}\n`).join("")}${indent})`,
  key: (name) => JSON.stringify(name),
};

const typescript: Language = {
  word: String,
  joined: (pieces, indent) => pieces.join(` +\n${indent}  `),
  key: (name) => (/^[a-z_]\w*$/i.test(name) ? name : JSON.stringify(name)),
};

/** An expression of Python. `indent`: of the line that it begins on. */
export function pythonLiteral(value: Json, indent = ""): string {
  return literal(value, indent, "    ", python);
}

/** An expression of TypeScript, and of JavaScript. */
export function typescriptLiteral(value: Json, indent = ""): string {
  return literal(value, indent, "  ", typescript);
}

function literal(value: Json, indent: string, step: string, language: Language): string {
  if (typeof value === "string") return text(value, indent, language);
  if (typeof value === "boolean") return language.word(value);
  if (isDigits(value)) return value.digits;
  const inner = indent + step;
  const nested = (item: Json) => literal(item, inner, step, language);
  const isList = Array.isArray(value);
  const items = isList
    ? (value as readonly Json[]).map(nested)
    : Object.entries(value).flatMap(([key, item]: [string, Json | undefined]) =>
        item === undefined ? [] : [`${language.key(key)}: ${nested(item)}`],
      );
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (items.length === 0) return open + close;
  return `${open}\n${items.map((item) => `${inner}${item},\n`).join("")}${indent}${close}`;
}

/** A text of several lines is written line by line. */
function text(value: string, indent: string, { joined }: Language): string {
  const lines = value.split(/(?<=\n)(?=[^])/);
  const pieces = lines.map((line) => JSON.stringify(line));
  return pieces.length === 1 ? pieces[0]! : joined(pieces, indent);
}

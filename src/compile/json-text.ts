/** A number by its digits: JSON holds whole numbers that JavaScript rounds, and -0. */
export interface Digits {
  digits: string;
}

/** What is printed: as JSON has it, with numbers by their digits. Keys without a value are left out. */
export type Json =
  string | boolean | Digits | readonly Json[] | { readonly [key: string]: Json | undefined };

/** JSON with two blanks a level and a line end behind it; lists of short values stay on one line. */
export function jsonText(value: Json): string {
  return `${printed(value, "")}\n`;
}

export function isDigits(value: Json | undefined): value is Digits {
  return typeof value === "object" && "digits" in value && typeof value.digits === "string";
}

function printed(value: Json, indent: string): string {
  if (typeof value === "string" || typeof value === "boolean") return JSON.stringify(value);
  if (isDigits(value)) return value.digits;
  const inner = `${indent}  `;
  if (isList(value)) {
    const items = value.map((item) => printed(item, inner));
    return bracketed("[", items, "]", indent);
  }
  const entries = Object.entries(value).flatMap(([key, item]) =>
    item === undefined ? [] : [`${JSON.stringify(key)}: ${printed(item, inner)}`],
  );
  return bracketed("{", entries, "}", indent);
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value);
}

function bracketed(open: string, items: readonly string[], close: string, indent: string): string {
  if (items.length === 0) return open + close;
  const inner = `${indent}  `;
  return `${open}\n${inner}${items.join(`,\n${inner}`)}\n${indent}${close}`;
}

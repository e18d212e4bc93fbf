import type { Digits } from "./json-text.js";

/** A value of JSON whose numbers are kept by their digits. */
export type ExactJson =
  null | string | boolean | Digits | ExactJson[] | { [key: string]: ExactJson };

/** Strings, which are passed over, and numbers. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;

/** JSON without rounding whole numbers beyond 2^53. Throws SyntaxError as JSON.parse does. */
export function parseExactly(text: string): ExactJson {
  JSON.parse(text);
  const kept = text.replaceAll(tokens, (token) =>
    token.startsWith('"') ? token : `{"digits":"${token}"}`,
  );
  return JSON.parse(kept) as ExactJson;
}

export function isNumber(value: ExactJson | undefined): value is Digits {
  return typeof value === "object" && value !== null && "digits" in value;
}

export function isRecord(value: ExactJson | undefined): value is { [key: string]: ExactJson } {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !isNumber(value);
}

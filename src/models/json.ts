/* Values of JSON that somebody else wrote: each of these gives what is asked for, or what stands for none. */

export type JsonRecord = Readonly<Record<string, unknown>>;

/** The value that a text stands for; undefined where it is no JSON. */
export function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

export function record(value: unknown): JsonRecord | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as JsonRecord)
    : undefined;
}

export function array(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? (value as readonly unknown[]) : [];
}

/** A text that is not empty. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The texts of an array. */
export function texts(value: unknown): string[] {
  return array(value).filter((one) => typeof one === "string");
}

/** A whole number from 0 on that JavaScript counts exactly: bytes, tokens, elements. */
export function count(value: unknown): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

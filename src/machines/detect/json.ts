/*
 * Reading what tools print as JSON. Their formats change from release to release, so whatever is not as
 * expected is undefined or empty.
 */

/** The JSON in a tool's output; rocm-smi writes warnings above it. */
export function jsonIn(text: string | undefined): unknown {
  const start = text?.search(/^\s*[[{]/m) ?? -1;
  if (text === undefined || start < 0) return undefined;
  try {
    return JSON.parse(text.slice(start)) as unknown;
  } catch {
    return undefined;
  }
}

/** What lies at a path of keys inside a parsed JSON value. */
export function inside(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (at, key) => (isRecord(at) && Object.hasOwn(at, key) ? at[key] : undefined),
    value,
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The mappings in a list; one mapping alone counts as a list of it. */
export function recordsIn(value: unknown): Record<string, unknown>[] {
  return [value].flat().filter(isRecord);
}

/** A text that says something: "N/A" does not. */
export function said(value: unknown): string | undefined {
  const text = typeof value === "string" ? value.trim() : "";
  return text === "" || /^\[?(n\/?a|not supported|unknown( error)?)\]?$/i.test(text)
    ? undefined
    : text;
}

/** A whole number of 0 or more that a double holds, given as a number or as its digits. */
export function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "string" && /^\d{1,16}$/.test(value.trim()) ? +value : value;
  return Number.isSafeInteger(number) && (number as number) >= 0 ? (number as number) : undefined;
}

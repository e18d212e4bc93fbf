import { quoted } from "../yaml.js";

const units: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["b", 1],
  ["kib", 2 ** 10],
  ["mib", 2 ** 20],
  ["gib", 2 ** 30],
  ["tib", 2 ** 40],
  ["kb", 1e3],
  ["mb", 1e6],
  ["gb", 1e9],
  ["tb", 1e12],
]);

/**
 * Bytes that a size stands for: a whole number of bytes, or a number and a unit ("256GiB", "1.5 GB",
 * KiB to TiB = 2^10 to 2^40, KB to TB = 10^3 to 10^12, any case). Undefined for anything else, a bare
 * "256G" included, and above 2^53 - 1.
 */
export function parseSize(text: string | number): number | undefined {
  const match = /^(\d+(?:\.\d+)?) ?([a-z]*)$/i.exec(String(text));
  const unit = match && units.get(match[2]!.toLowerCase());
  if (!unit) return undefined;
  const bytes = Number(match[1]) * unit;
  if (unit === 1 && !Number.isInteger(bytes)) return undefined;
  return bytes <= Number.MAX_SAFE_INTEGER ? Math.round(bytes) : undefined;
}

/** What keeps a size from being read, to be put after the name of the key: `"256G" has no unit …`. */
export function sizeProblem(value: string | number): string {
  const text = String(value);
  const shown = typeof value === "string" ? quoted(text) : text;
  if (text.startsWith("-")) return `${shown} is negative. Sizes are 0 or more.`;
  const bare = /^(\d+(?:\.\d+)?) ?([kmgt])i?$/i.exec(text);
  if (bare) {
    const [number, letter] = [bare[1]!, bare[2]!.toUpperCase()];
    const short = number.length > 20 ? "16" : number;
    return `${shown} has no unit that can be trusted. Write ${short}${letter}iB or ${short}${letter}B.`;
  }
  if (!/^\d+(\.\d+)? ?(([kmgt]i?)?b)?$/i.test(text)) {
    return `${shown} is no size. Write bytes, or a number with its unit, such as 16GiB.`;
  }
  if (/^\d+\.\d+ ?b?$/i.test(text)) {
    return `${shown} is no whole number of bytes. Add a unit, such as GiB.`;
  }
  return `${shown} is more than any computer has.`;
}

/** Bytes for people: "14.80 GiB", "230.6 GiB", "457 MiB", always with a unit. */
export function formatBytes(bytes: number): string {
  if (bytes < 0) return `-${formatBytes(-bytes)}`;
  const gib = bytes / 2 ** 30;
  if (gib >= 99.995) return `${gib.toFixed(1)} GiB`;
  // From here on the rounded figure would be "1024 MiB".
  if (bytes >= 1023.5 * 2 ** 20) return `${gib.toFixed(2)} GiB`;
  if (bytes >= 1023.5 * 2 ** 10) return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  if (bytes >= 1023.5) return `${(bytes / 2 ** 10).toFixed(0)} KiB`;
  return `${Math.round(bytes)} B`;
}

/** Bytes as a size that `parseSize` reads back exactly, in the largest unit that divides them. */
export function exactSize(bytes: number): string | number {
  if (bytes === 0) return 0;
  for (const [unit, size] of [
    ["GiB", 2 ** 30],
    ["MiB", 2 ** 20],
    ["KiB", 2 ** 10],
  ] as const) {
    if (bytes % size === 0) return `${bytes / size}${unit}`;
  }
  return bytes;
}

import { InputError } from "../host.js";
import type { FileResult } from "../report/result.js";
import { quoted, readYaml } from "../yaml.js";

/** How many findings of each rule are known in each file; files by their path from the baseline's folder. */
export type Counts = ReadonlyMap<string, ReadonlyMap<string, number>>;

/** The one kind of file that is written. */
const version = 1;

/** A file and rule of which there are more findings than the baseline knows. */
export interface Beyond {
  path: string;
  rule: string;
  found: number;
  known: number;
}

/** The baseline that a text holds. Throws InputError with the place of what cannot be used. */
export async function readBaseline(text: string, path: string): Promise<Counts> {
  const fail = async (message: string, keys: readonly string[] = []): Promise<never> => {
    const { locate } = await readYaml(text, path, text.length);
    const remedy = "Mend it, or delete it and write it anew with --update-baseline.";
    throw new InputError(`${message} ${remedy}`, { path, line: 1, column: 1, ...locate(keys) });
  };
  const whole = await valueIn(text, path);
  if (!isMapping(whole)) return fail("This is no baseline.");
  if (whole["version"] !== version) {
    const found = JSON.stringify(whole["version"] ?? null).slice(0, 40);
    return fail(`A baseline has version ${version}, not ${found}.`, ["version"]);
  }
  const files = whole["files"];
  if (!isMapping(files)) return fail("files takes a mapping of paths to rules.", ["files"]);
  const counts = new Map<string, ReadonlyMap<string, number>>();
  for (const [name, rules] of Object.entries(files)) {
    if (!isMapping(rules)) {
      return fail(`${quoted(name)} takes a mapping of rules to counts.`, ["files", name]);
    }
    const own = new Map<string, number>();
    for (const [rule, count] of Object.entries(rules)) {
      if (typeof count !== "number" || !Number.isSafeInteger(count) || count < 1) {
        return fail(`${quoted(rule)} takes a number of findings.`, ["files", name, rule]);
      }
      own.set(rule, count);
    }
    counts.set(name, own);
  }
  return counts;
}

/** A large file is read much faster as JSON; the reader of YAML knows the place of what is broken. */
async function valueIn(text: string, path: string): Promise<unknown> {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    const conflict = text.split("\n").findIndex((line) => /^(?:<{7}|={7}|>{7})/.test(line));
    if (conflict >= 0) {
      const message = "Two versions were not merged here. Keep one, then use --update-baseline.";
      throw new InputError(message, { path, line: conflict + 1, column: 1 });
    }
    return (await readYaml(text, path, text.length)).value;
  }
}

function isMapping(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A baseline as text: sorted, a rule on each line, so that a change of one is a change of one line. */
export function printBaseline(counts: Counts): string {
  const files = sorted(counts).map(([name, rules]) => [name, Object.fromEntries(sorted(rules))]);
  return `${JSON.stringify({ version, files: Object.fromEntries(files) }, undefined, 2)}\n`;
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([one], [other]) => (one < other ? -1 : 1));
}

/**
 * The findings of results, counted. What is found on several machines is mostly the same, so of a file's
 * machines the largest count of each rule counts.
 */
export function countsOf(
  results: readonly FileResult[],
  nameOf: (path: string) => string | undefined,
): Map<string, Map<string, number>> {
  const counts = new Map<string, Map<string, number>>();
  for (const { path, findings } of results) {
    const name = nameOf(path);
    if (name === undefined) continue;
    const here = new Map<string, number>();
    for (const { rule } of findings) here.set(rule, (here.get(rule) ?? 0) + 1);
    const all = counts.get(name) ?? new Map<string, number>();
    for (const [rule, count] of here) all.set(rule, Math.max(count, all.get(rule) ?? 0));
    counts.set(name, all);
  }
  return counts;
}

/**
 * Results without the findings that a baseline knows. Counts cannot tell an old finding from a new one, so
 * where there are more of a rule in a file than are known, all of them stay.
 */
export function withoutKnown(
  results: readonly FileResult[],
  known: Counts,
  nameOf: (path: string) => string | undefined,
): { results: FileResult[]; hidden: number; beyond: Beyond[]; gone: number } {
  const found = countsOf(results, nameOf);
  const hiding = new Map<string, Set<string>>();
  const beyond: Beyond[] = [];
  let hidden = 0;
  let gone = 0;
  for (const [path, rules] of found) {
    for (const [rule, most] of known.get(path) ?? []) {
      const count = rules.get(rule) ?? 0;
      gone += Math.max(0, most - count);
      if (count > most) beyond.push({ path, rule, found: count, known: most });
      else {
        hidden += count;
        hiding.set(path, (hiding.get(path) ?? new Set()).add(rule));
      }
    }
  }
  return {
    results: results.map((result) => {
      const rules = hiding.get(nameOf(result.path) ?? "");
      if (!rules) return result;
      return { ...result, findings: result.findings.filter(({ rule }) => !rules.has(rule)) };
    }),
    hidden,
    beyond,
    gone,
  };
}

/** A baseline without what is gone. It never grows; files that were not looked at keep their counts. */
export function shrunk(known: Counts, found: Counts): Map<string, Map<string, number>> {
  const left = new Map<string, Map<string, number>>();
  for (const [name, rules] of known) {
    const now = found.get(name);
    const counts = [...rules].map(([rule, count]): [string, number] => [
      rule,
      now ? Math.min(count, now.get(rule) ?? 0) : count,
    ]);
    const own = new Map(counts.filter(([, count]) => count > 0));
    if (own.size > 0) left.set(name, own);
  }
  return left;
}

/** All findings of a baseline. */
export function total(counts: Counts): number {
  let sum = 0;
  for (const rules of counts.values()) for (const count of rules.values()) sum += count;
  return sum;
}

import { createFromCommands } from "../../grammar/create-request.js";
import { readText } from "../../grammar/ollama.js";
import { parseModelfile } from "../../grammar/parser.js";
import { judgeEach } from "../facts/release-range.js";
import { newestRelease, oldestRelease, parseRelease, type Release } from "../facts/release.js";
import { fromsOf } from "../ollama/from.js";
import { stages, type Example, type Printed, type Rule } from "../rule.js";
import { runs, spanText, type Ends } from "./spans.js";

/** A text that Ollama prints, and the releases that are known to print it. */
export interface ErrorText {
  at: Printed["at"];
  text: string;
  /** With … for what it takes from the file, so that other files' texts are known by it. */
  like: string;
  /** None: it is not known to begin or end anywhere. */
  releases: readonly Ends[];
}

/** A line of the index: a text, cut where it is long, and every rule that speaks of it. */
export interface IndexedText {
  at: readonly Printed["at"][];
  text: string;
  releases: string;
  rules: readonly Rule[];
}

const whole: Ends = { from: oldestRelease.version, to: newestRelease.version };

/** What Ollama prints of a rule's examples, and what the rule says that it prints, each once. */
export function errorTexts(rule: Rule): ErrorText[] {
  const found = new Map<string, ErrorText>();
  const said = (rule.says ?? []).map(({ at, text, from, to }): ErrorText => {
    const known = from !== undefined || to !== undefined;
    const ends = { from: from ?? whole.from, to: to ?? whole.to };
    return { at, text, like: text, releases: known ? [ends] : [] };
  });
  for (const one of [...rule.examples.flatMap((example) => reproduced(rule, example)), ...said]) {
    const key = `${one.at} ${one.text}`;
    if (!found.has(key)) found.set(key, one);
  }
  return [...found.values()].sort(
    (one, other) => stages.indexOf(one.at) - stages.indexOf(other.at),
  );
}

/** Characters of a text that are shown in a list, and that tell it from others. */
const longest = 80;

/** Every text of every rule in the order of the alphabet; those that are alike for long are one. */
export function errorIndex(rules: readonly Rule[]): IndexedText[] {
  const found = new Map<string, { text: ErrorText; rule: Rule }[]>();
  for (const rule of rules) {
    for (const text of errorTexts(rule)) {
      const key = cut(text.text);
      found.set(key, [...(found.get(key) ?? []), { text, rule }]);
    }
  }
  return [...found]
    .map(([text, told]) => ({
      at: stages.filter((stage) => told.some((one) => one.text.at === stage)),
      text,
      releases: releasesText(told.flatMap((one) => (isKnown(told) ? one.text.releases : []))),
      rules: [...new Set(told.map(({ rule }) => rule))],
    }))
    .sort((one, other) => (isBefore(one.text, other.text) ? -1 : 1));
}

/**
 * The rules that speak of an error text: a part of one, or a line of a log with one in it. Quotes may be
 * missing, as behind a shell, where with them nothing is found.
 */
export function rulesThatPrint(query: string, rules: readonly Rule[]): [Rule, ErrorText[]][] {
  const told = rules.map((rule): [Rule, ErrorText[]] => [rule, errorTexts(rule)]);
  for (const asWritten of [plain, unquoted]) {
    const found = told
      .map(([rule, texts]): [Rule, ErrorText[]] => [
        rule,
        texts.filter(isMeantBy(query, asWritten)),
      ])
      .filter(([, texts]) => texts.length > 0);
    if (found.length > 0) return found;
  }
  return [];
}

function isMeantBy(query: string, asWritten: (text: string) => string) {
  const wanted = asWritten(query);
  const loosely = asWritten(query.replaceAll(quoted, loosened).replaceAll(/\d[\d.]*/g, "…"));
  return ({ text, like }: ErrorText): boolean => {
    const known = asWritten(text);
    const kind = asWritten(cut(like));
    return (
      holds(known, wanted) || holds(wanted, known) || holds(wanted, kind) || holds(kind, loosely)
    );
  };
}

/** "until 0.24.0", "from 0.2.2 to 0.24.0"; empty where nothing is known. */
export function releasesText(releases: readonly Ends[]): string {
  return [...new Set(releases.map((ends) => spanText(ends, whole)))].join("; ");
}

/** Whether each of the texts has its releases. */
function isKnown(told: readonly { text: ErrorText }[]): boolean {
  return told.every(({ text }) => text.releases.length > 0);
}

/**
 * What `ollama create` says of an example that the rule calls an error, or warns of. What lies on disk, an
 * answer of the server and a load are not reproduced: `says` has those.
 */
function reproduced(rule: Rule, example: Example): ErrorText[] {
  const { bad, ollama, fails } = example;
  const isError = (example.severity ?? rule.severity) === "error" && fails === undefined;
  const release = (ollama !== undefined && parseRelease(ollama)) || newestRelease;
  const printed = (one: Release) => {
    const { error, warnings } = whatCreatePrints(bad, one);
    return [...(isError && error !== undefined ? [error] : []), ...warnings];
  };
  const texts = printed(release);
  if (texts.length === 0) return [];
  const stretches = judgeEach({ first: oldestRelease, last: newestRelease }, printed);
  return texts.map((text) => {
    const spans = stretches
      .filter(({ value }) => value.some((one) => cut(one) === cut(text)))
      .map(({ first, last }) => ({ from: first.version, to: last.version }));
    const known = runs(spans, () => true).map(({ from, to }) => ({ from, to }));
    const releases = known.filter(({ from, to }) => from !== whole.from || to !== whole.to);
    return { at: "create", text, like: withoutParts(text, bad), releases };
  });
}

/** The error without the number of its line, which counts from the file's first. */
function whatCreatePrints(
  text: string,
  release: Release,
): { error?: string | undefined; warnings: readonly string[] } {
  const reading = readText(text, release);
  if (!reading.ok) return { error: reading.message ?? reading.error, warnings: [] };
  const request = createFromCommands(reading.commands, release);
  const { warnings = [] } = request;
  if (!request.ok) return { error: request.error, warnings };
  // A path in FROM is a bad name only where nothing lies there.
  const path = fromsOf(parseModelfile(text)).at(-1)?.kind === "file";
  const refusal = request.server.ok || path ? undefined : request.server.error;
  return { error: request.request_json_error ?? refusal, warnings };
}

const quoted = /'[^']+'|"[^"]+"|\[[^\]]+\]/g;

/** Names and values that the text quotes from the file, and the line of a template, become …. */
function withoutParts(text: string, file: string): string {
  return text
    .replaceAll(quoted, (part) => (file.includes(part.slice(1, -1)) ? loosened(part) : part))
    .replace(/:\d+:/, ":…:")
    .replace(/(?<=^unexpected EOF: ).+|(?<=^warning: parameter )\S+/, "…");
}

function loosened(part: string): string {
  return `${part[0]}…${part.at(-1)}`;
}

/** At a blank, with … for the rest. */
function cut(text: string): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, text.lastIndexOf(" ", longest - 1))} …`;
}

/** Without what makes no difference: case and runs of blanks. */
function plain(text: string): string {
  return text.toLowerCase().replaceAll(/\s+/g, " ").replaceAll("...", "…").trim();
}

/** Without quotes either, and what JSON puts in front of them. */
function unquoted(text: string): string {
  return plain(text).replaceAll(/["'`\\]/g, "");
}

/** Whether a text has another one in it, whose … stands for anything. */
function holds(text: string, part: string): boolean {
  let at = 0;
  for (const piece of part.split("…")) {
    const found = text.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return /[a-z]{3}/.test(part);
}

/** In the order of letters and digits; of two that have the same, the shorter one first. */
function isBefore(one: string, other: string): boolean {
  const [first, second] = [one, other].map((text) =>
    text
      .toLowerCase()
      .replaceAll(/[^a-z0-9 ]/g, "")
      .trim(),
  );
  return first === second ? one < other : first! < second!;
}

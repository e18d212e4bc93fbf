import { rules as allRules } from "../../rules/index.js";
import type { RuleSet, RuleSetting } from "../config/config.js";
import { readReleases, type Releases } from "../facts/release-range.js";
import { nearest } from "../nearest.js";

/** What somebody says in their editor: section "modelfile-lint". It wins over configurations. */
export interface Settings {
  /** False: nothing is said about files. */
  enable: boolean;
  /** Whether Ollama's server and Hugging Face may be asked. */
  online: boolean;
  /** A configuration's path from the workspace's folder; false: none is to be used. */
  config?: string | false;
  machines?: readonly string[];
  releases?: Releases;
  extends?: RuleSet;
  rules: ReadonlyMap<string, RuleSetting>;
  server: Readonly<Record<string, string>>;
}

/** The name of the section. */
export const section = "modelfile-lint";

const ruleSets: readonly RuleSet[] = ["minimal", "recommended", "strict"];
const ruleSettings: readonly RuleSetting[] = ["off", "info", "warning", "error"];
const keys = ["enable", "online", "config", "machine", "ollama", "extends", "rules", "server"];

/**
 * Settings as a client sends them, and a sentence for each that cannot be used; those are left out. Null and
 * empty texts are what editors send for a setting that nobody made.
 */
export function readSettings(value: unknown): { settings: Settings; problems: string[] } {
  const given = isRecord(value) ? value : {};
  const problems: string[] = [];
  const take = <T>(key: string, wanted: string, read: (one: unknown) => T | undefined) => {
    const one = given[key];
    if (one === undefined || one === null || one === "") return undefined;
    const found = read(one);
    if (found === undefined) problems.push(`${section}.${key} is to be ${wanted}.`);
    return found;
  };
  const enable = take("enable", "true or false", readBoolean);
  const online = take("online", "true or false", readBoolean);
  const config = take("config", "a path, or false", readConfigPath);
  const machines = take("machine", "a machine's name or a list of them", readTexts);
  const releases = take("ollama", 'a release such as "0.32.15", or a range', readRelease);
  const ruleSet = take("extends", ruleSets.join(", "), (one) =>
    ruleSets.find((name) => name === one),
  );
  const server = take("server", "a mapping of variables", readServer);
  const rules = new Map<string, RuleSetting>();
  const chosen = take("rules", "a mapping of rules", (one) => (isRecord(one) ? one : undefined));
  for (const [id, setting] of Object.entries(chosen ?? {})) {
    const problem = addRule(rules, id, setting);
    if (problem !== undefined) problems.push(problem);
  }
  for (const key of Object.keys(given)) {
    const guess = keys.includes(key) ? undefined : nearest(key, keys);
    if (guess) problems.push(`Unknown setting ${section}.${key}. Did you mean "${guess}"?`);
  }
  const settings: Settings = {
    enable: enable ?? true,
    online: online ?? false,
    rules,
    server: server ?? {},
    ...(config !== undefined && { config }),
    ...(machines && machines.length > 0 && { machines }),
    ...(releases && { releases }),
    ...(ruleSet && { extends: ruleSet }),
  };
  return { settings, problems };
}

function addRule(
  rules: Map<string, RuleSetting>,
  id: string,
  setting: unknown,
): string | undefined {
  const ids = allRules.map((rule) => rule.id);
  if (!ids.includes(id)) {
    const guess = nearest(id, ids);
    return `Unknown rule "${id}" in ${section}.rules.${guess ? ` Did you mean "${guess}"?` : ""}`;
  }
  const known = ruleSettings.find((one) => one === setting);
  if (!known) return `${section}.rules.${id} is to be ${ruleSettings.join(", ")}.`;
  rules.set(id, known);
  return undefined;
}

function readBoolean(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

function readConfigPath(value: unknown): string | false | undefined {
  return typeof value === "string" || value === false ? value : undefined;
}

function readTexts(value: unknown): string[] | undefined {
  const texts: unknown[] = Array.isArray(value) ? value : [value];
  return texts.every((text) => typeof text === "string") ? texts.filter(Boolean) : undefined;
}

function readRelease(value: unknown): Releases | undefined {
  const read = readReleases(String(value));
  return read.ok ? read.releases : undefined;
}

function readServer(value: unknown): Record<string, string> | undefined {
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, String(one)]));
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

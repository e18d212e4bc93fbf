import type {
  Config,
  MachineChoice,
  ModelChoice,
  Override,
  RuleSet,
  RuleSetting,
} from "./config.js";
import { isFor } from "./patterns.js";

/**
 * Who set something: nobody, the configuration, one of its overrides (the first is 1), or whoever wins
 * over both, a command line or an editor.
 */
export type Origin = "default" | "configuration" | `override ${number}` | "given";

export interface Said<T> {
  value: T;
  by: Origin;
}

/** What holds for a file before anything is looked up, and who said it. */
export interface Sayings {
  /** As written. */
  ollama?: Said<string>;
  machines: Said<readonly MachineChoice[]>;
  server: ReadonlyMap<string, Said<string>>;
  models: ReadonlyMap<string, Said<ModelChoice>>;
  extends: Said<RuleSet>;
  /** Of the rules that are named somewhere. */
  rules: ReadonlyMap<string, Said<RuleSetting>>;
}

/** An override that is for a file, with its place in the configuration, counted from 0. */
export interface Numbered {
  index: number;
  override: Override;
}

/** What is said besides a configuration, and wins over it. */
export interface Besides {
  releases?: { text: string };
  /** As --machine takes them. */
  machines?: readonly string[];
  server?: Readonly<Record<string, string>>;
  /** What names in FROM mean: the host's paths. */
  models?: ReadonlyMap<string, string>;
  extends?: RuleSet;
  rules?: ReadonlyMap<string, RuleSetting>;
}

/** The overrides that are for a file of a configuration in `folder`. */
export async function overridesFor(
  path: string,
  config: Config | undefined,
  folder: string,
): Promise<Numbered[]> {
  const found: Numbered[] = [];
  for (const [index, override] of (config?.overrides ?? []).entries()) {
    if (await isFor(path, override.files, folder, "all")) found.push({ index, override });
  }
  return found;
}

/** Later overrides win over earlier ones and over the configuration, and what is given wins over all. */
export function sayings(
  config: Config | undefined,
  overrides: readonly Numbered[],
  given: Besides,
): Sayings {
  const last = <T>(
    own: T | undefined,
    pick: (override: Override) => T | undefined,
    over: T | undefined,
  ): Said<T> | undefined => {
    let found: Said<T> | undefined =
      own === undefined ? undefined : { value: own, by: "configuration" };
    for (const { index, override } of overrides) {
      const value = pick(override);
      if (value !== undefined) found = { value, by: `override ${index + 1}` };
    }
    return over === undefined ? found : { value: over, by: "given" };
  };
  const ollama = last(config?.ollama, (override) => override.ollama, given.releases?.text);
  const rulesOf: [Origin, Iterable<[string, RuleSetting]>][] = [
    ["configuration", Object.entries(config?.rules ?? {})],
    ...overrides.map(({ index, override }): [Origin, [string, RuleSetting][]] => [
      `override ${index + 1}`,
      Object.entries(override.rules),
    ]),
    ["given", given.rules ?? []],
  ];
  return {
    ...(ollama && { ollama }),
    machines: last<readonly MachineChoice[]>(
      config && config.machines.length > 0 ? config.machines : undefined,
      ({ machine }) => (machine === undefined ? undefined : [machine]),
      given.machines,
    ) ?? { value: [], by: "default" },
    server: merged<string>([
      ["configuration", Object.entries(config?.server ?? {})],
      ["given", Object.entries(given.server ?? {})],
    ]),
    models: merged<ModelChoice>([
      ["configuration", config?.models ?? []],
      ["given", given.models ?? []],
    ]),
    extends: last(config?.extends, (override) => override.extends, given.extends) ?? {
      value: "recommended",
      by: "default",
    },
    rules: merged(rulesOf),
  };
}

/** The entries of several, of which later ones win. */
function merged<T>(
  all: readonly [by: Origin, entries: Iterable<readonly [string, T]>][],
): ReadonlyMap<string, Said<T>> {
  const entries = new Map<string, Said<T>>();
  for (const [by, own] of all) {
    for (const [name, value] of own) entries.set(name, { value, by });
  }
  return entries;
}

/**
 * The severity of a rule, and whose word it is: its own, that of the set of rules where it makes another
 * one of it, or that of whoever names the rule.
 */
export function severityIn(
  { extends: { value: set }, rules: chosen }: Sayings,
  { id, severity, optional }: { id: string; severity: RuleSetting; optional?: boolean },
): { value: RuleSetting; by: Origin | "own" | "extends" } {
  const setting = chosen.get(id);
  if (setting) return setting;
  const off = set === "minimal" ? severity !== "error" || optional : set !== "strict" && optional;
  if (off) return { value: "off", by: "extends" };
  if (set === "strict" && severity === "info") return { value: "warning", by: "extends" };
  return { value: severity, by: "own" };
}

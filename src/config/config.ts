import { InputError, type Host } from "../host.js";
import type { Machine } from "../machines/machine.js";
import { profileFromValue, texts } from "../machines/profile.js";
import { parseSize, sizeProblem } from "../machines/sizes.js";
import { checked } from "../schema.js";
import { configFinder, packageKey } from "./discover.js";
import { readText, readYaml, type Locate, type Reading } from "../yaml.js";

export type RuleSet = "minimal" | "recommended" | "strict";
export type RuleSetting = "off" | "info" | "warning" | "error";

/** A preset's name, a profile file or "auto", as written; or the machine that an inline profile describes. */
export type MachineChoice = string | Machine;

/** What a configuration file says; what it leaves out is undefined or empty. */
export interface Config {
  /** The file. What it names by path or pattern is relative to this file's folder. */
  path: string;
  /** Release or range, as written. */
  ollama?: string;
  /** From `machine` or `machines`. */
  machines: readonly MachineChoice[];
  /** Server variables. */
  server: Readonly<Record<string, string>>;
  /** What names in FROM mean. */
  models: ReadonlyMap<string, ModelChoice>;
  extends?: RuleSet;
  rules: Readonly<Record<string, RuleSetting>>;
  /** Later ones win. */
  overrides: readonly Override[];
  /** Patterns of files that are not checked. */
  ignore: readonly string[];
  /** The path of a file with the findings that are known already, as written. */
  baseline?: string;
  /** Where a value, or with `"key"` its key, stands in the file. */
  locate: Locate;
}

/** A path to a model's file, as written; or a known model of the same shape, with its own size in bytes. */
export type ModelChoice = string | { like: string; weights?: number };

export interface Override {
  /** Patterns of the files that this is for. */
  files: readonly string[];
  extends?: RuleSet;
  rules: Readonly<Record<string, RuleSetting>>;
  ollama?: string;
  machine?: MachineChoice;
  /** Of those files, patterns of the ones that are not checked. */
  ignore: readonly string[];
}

/** A configuration as people write it; src/config/config.schema.json describes each key. */
export interface Written extends WrittenSettings {
  machines?: readonly unknown[];
  server?: Readonly<Record<string, string | number | boolean>>;
  models?: Readonly<Record<string, string | { like: string; weights?: string | number }>>;
  overrides?: readonly (WrittenSettings & { files: readonly string[] })[];
  baseline?: string;
}

interface WrittenSettings {
  ollama?: string | number;
  machine?: unknown;
  extends?: RuleSet;
  rules?: Readonly<Record<string, RuleSetting>>;
  ignore?: readonly string[];
}

/**
 * The configuration that a text (YAML or JSON) holds; an empty one sets nothing. Throws InputError
 * with path, line and column of what cannot be used.
 */
export async function readConfig(text: string, path: string): Promise<Config> {
  return configFrom(await readYaml(text, path), path);
}

/**
 * The configuration in a file; of a package.json, its key modelfile-lint. Throws InputError where
 * there is none, or it cannot be used.
 */
export async function loadConfig(path: string, host: Host): Promise<Config> {
  const text = await readText(path, host);
  if (!/(^|[\\/])package\.json$/.test(path)) return readConfig(text, path);
  const config = await packageConfig(text, path);
  if (!config)
    throw new InputError(`Key "${packageKey}" is missing in this package.json.`, { path });
  return config;
}

/**
 * The nearest configuration from `startFolder` upwards, as `configIn` finds it. Throws InputError where
 * that one cannot be used.
 */
export async function findConfig(startFolder: string, host: Host): Promise<Config | undefined> {
  const path = await configFinder(host)(startFolder);
  return path === undefined ? undefined : loadConfig(path, host);
}

/** Rule ids that the configuration sets and that do not exist, with the places of their keys. */
export function unknownRules(
  config: Config,
  ids: Iterable<string>,
): { id: string; line: number; column: number }[] {
  const known = new Set(ids);
  const settings = [
    { rules: config.rules, path: ["rules"] },
    ...config.overrides.map(({ rules }, i) => ({ rules, path: ["overrides", String(i), "rules"] })),
  ];
  return settings.flatMap(({ rules, path }) =>
    Object.keys(rules)
      .filter((id) => !known.has(id))
      .map((id) => ({ id, ...(config.locate([...path, id], "key") ?? { line: 1, column: 1 }) })),
  );
}

async function packageConfig(text: string, path: string): Promise<Config | undefined> {
  const { value, locate } = await readYaml(text, path, 256 * 1024);
  if (!isRecord(value) || !Object.hasOwn(value, packageKey)) return undefined;
  const inside: Locate = (keys, part) => locate([packageKey, ...keys], part);
  return configFrom({ value: value[packageKey], locate: inside }, path);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function configFrom({ value, locate }: Reading, path: string): Promise<Config> {
  const schema = await import("./config.validate.js");
  const whole = "configuration";
  const written = checked(schema, value ?? {}, { locate, file: path, whole });
  const machine = (choice: unknown, keys: readonly string[]): Promise<MachineChoice> | string => {
    if (typeof choice === "string") return choice;
    return profileFromValue(choice, (inside, part) => locate([...keys, ...inside], part), path);
  };

  if (written.machine !== undefined && written.machines !== undefined) {
    const message = 'Both "machine" and "machines" are set. Keep one.';
    throw new InputError(message, { path, ...locate(["machines"], "key") });
  }
  const machines: MachineChoice[] = [];
  if (written.machine !== undefined) machines.push(await machine(written.machine, ["machine"]));
  for (const [i, choice] of (written.machines ?? []).entries()) {
    machines.push(await machine(choice, ["machines", String(i)]));
  }

  const models = new Map<string, ModelChoice>();
  for (const [name, model] of Object.entries(written.models ?? {})) {
    if (typeof model === "string") models.set(name, model);
    else {
      const { like, weights } = model;
      const bytes = weights === undefined ? undefined : parseSize(weights);
      if (weights !== undefined && !bytes) {
        const problem = bytes === 0 ? "0 is no size of a model." : sizeProblem(weights);
        const place = locate(["models", name, "weights"]);
        throw new InputError(`weights: ${problem}`, { path, ...place });
      }
      models.set(name, { like, ...(bytes !== undefined && { weights: bytes }) });
    }
  }

  const overrides: Override[] = [];
  for (const [i, { files, machine: choice, ...settings }] of (written.overrides ?? []).entries()) {
    overrides.push({
      files,
      ...common(settings),
      ...(choice !== undefined && {
        machine: await machine(choice, ["overrides", String(i), "machine"]),
      }),
    });
  }

  return {
    path,
    ...common(written),
    machines,
    server: texts(written.server ?? {}),
    models,
    overrides,
    ...(written.baseline !== undefined && { baseline: written.baseline }),
    locate,
  };
}

/** The settings that a configuration and its overrides share. */
function common({ ollama, extends: ruleSet, rules, ignore }: WrittenSettings) {
  return {
    ...(ollama !== undefined && { ollama: String(ollama) }),
    ...(ruleSet !== undefined && { extends: ruleSet }),
    rules: rules ?? {},
    ignore: ignore ?? [],
  };
}

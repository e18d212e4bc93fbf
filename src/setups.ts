import { rules } from "../rules/index.js";
import type { Config, ModelChoice, Override, RuleSet, RuleSetting } from "./config/config.js";
import { configFinder } from "./config/discover.js";
import type { Setup } from "./context.js";
import { oneRelease, readReleases, type Releases } from "./facts/release-range.js";
import { newestRelease, parseRelease } from "./facts/release.js";
import { InputError, type Host } from "./host.js";
import type { SeverityOf } from "./lint.js";
import type { Machine } from "./machines/machine.js";
import { nearest } from "./nearest.js";

/** What the user says besides the configuration, on a command line or in an editor; it wins over it. */
export interface Given {
  /** A configuration's path; false: none is to be used; undefined: the nearest one of each file. */
  config?: string | false;
  /** As --machine takes them; they start from `folder`. */
  machines?: readonly string[];
  folder: string;
  releases?: Releases;
  extends?: RuleSet;
  rules?: ReadonlyMap<string, RuleSetting>;
  server?: Readonly<Record<string, string>>;
  /** What names in FROM mean: the host's paths. */
  models?: ReadonlyMap<string, string>;
}

/** What a file is judged against, for one release or for a range, of which `release` is the newest. */
export interface RangeSetup extends Setup {
  releases: Releases;
}

/** What is said about a file. */
export interface FileSetups {
  /** One for each machine; one without a machine where none is named. */
  setups: readonly RangeSetup[];
  /** A configuration's pattern leaves the file out. */
  ignored: boolean;
  config?: Config;
}

/** Machines by the name that --machine or a configuration in `folder` gives. Throws InputError where there is none. */
export type MachinesNamed = (name: string, folder: string) => Promise<readonly Machine[]>;

/**
 * Finds what the user and the nearest configuration say about files, by their paths. Configurations and
 * machines are looked up once. The function throws InputError where a configuration cannot be used.
 */
export function setupsIn(
  host: Host,
  given: Given,
  machinesNamed: MachinesNamed,
): (path: string) => Promise<FileSetups> {
  const pathOf = configFinder(host);
  const load = once((path: string) => loaded(path, host));
  const machines = once((key: string) => {
    const [name, folder] = JSON.parse(key) as [string, string];
    return machinesNamed(name, folder);
  });
  return async (path) => {
    const folder = host.resolve(path, "..");
    const found = given.config ?? (await pathOf(folder));
    const config = found ? await load(found) : undefined;
    return fileSetups(path, config, given, host, (name, from) =>
      machines(JSON.stringify([name, from])),
    );
  };
}

/** Answers each key's question once. */
function once<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key) => {
    let answer = answers.get(key);
    if (!answer) answers.set(key, (answer = ask(key)));
    return answer;
  };
}

/** A configuration whose rules exist. */
async function loaded(path: string, host: Host): Promise<Config> {
  const { loadConfig, unknownRules } = await import("./config/config.js");
  const config = await loadConfig(path, host);
  const ids = rules.map(({ id }) => id);
  const [unknown] = unknownRules(config, ids);
  if (!unknown) return config;
  const { id, ...place } = unknown;
  const guess = nearest(id, ids);
  throw new InputError(`Unknown rule "${id}".${guess ? ` Did you mean "${guess}"?` : ""}`, {
    path: config.path,
    ...place,
  });
}

async function fileSetups(
  path: string,
  config: Config | undefined,
  given: Given,
  host: Host,
  machinesNamed: MachinesNamed,
): Promise<FileSetups> {
  const folder = host.resolve(path, "..");
  const configFolder = config ? host.resolve(config.path, "..") : folder;
  const overrides: Override[] = [];
  for (const override of config?.overrides ?? []) {
    if (await matches(path, override.files, configFolder)) overrides.push(override);
  }
  const patterns = [config?.ignore ?? [], ...overrides.map(({ ignore }) => ignore)].flat();
  if (await matches(path, patterns, configFolder)) {
    return { setups: [], ignored: true, ...(config && { config }) };
  }
  const releases = given.releases ?? configReleases(config, overrides);
  const common = {
    folder,
    host,
    server: { ...config?.server, ...given.server },
    models: new Map<string, ModelChoice>([...(config?.models ?? []), ...(given.models ?? [])]),
    modelsFolder: configFolder,
    severityOf: severitiesOf(config, overrides, given),
  };
  const machines = await machinesOf(config, overrides, given, configFolder, machinesNamed);
  const setups = machines.map((machine) => {
    // A machine runs one release.
    const run = releases ?? oneRelease(parseRelease(machine?.ollama ?? "") ?? newestRelease);
    return { ...common, release: run.last, releases: run, ...(machine && { machine }) };
  });
  return { setups, ignored: false, ...(config && { config }) };
}

/** Whether one of a configuration's patterns is the file's, by its path from the configuration or its name alone. */
async function matches(
  path: string,
  patterns: readonly string[],
  folder: string,
): Promise<boolean> {
  if (patterns.length === 0) return false;
  const { default: picomatch } = await import("picomatch");
  const inside = path.startsWith(folder) ? path.slice(folder.length).replace(/^[\\/]+/, "") : path;
  const name = inside.replaceAll("\\", "/");
  const last = name.slice(name.lastIndexOf("/") + 1);
  return patterns.some((pattern) => {
    const match = picomatch(pattern, { dot: true });
    return match(name) || match(last);
  });
}

/** The releases that the configuration names for a file. */
function configReleases(
  config: Config | undefined,
  overrides: readonly Override[],
): Releases | undefined {
  const override = overrides.findLast(({ ollama }) => ollama !== undefined);
  const text = override?.ollama ?? config?.ollama;
  if (text === undefined || !config) return undefined;
  const read = readReleases(text);
  if (read.ok) return read.releases;
  const above = override ? ["overrides", String(config.overrides.indexOf(override))] : [];
  throw new InputError(read.problem, {
    path: config.path,
    ...config.locate([...above, "ollama"]),
  });
}

async function machinesOf(
  config: Config | undefined,
  overrides: readonly Override[],
  given: Given,
  configFolder: string,
  machinesNamed: MachinesNamed,
): Promise<readonly (Machine | undefined)[]> {
  const override = overrides.findLast(({ machine }) => machine !== undefined)?.machine;
  const configured = override === undefined ? config?.machines : [override];
  const chosen = given.machines ?? configured ?? [];
  if (chosen.length === 0) return [undefined];
  const folder = given.machines ? given.folder : configFolder;
  const found = await Promise.all(
    chosen.map(async (choice) =>
      typeof choice === "string" ? machinesNamed(choice, folder) : [choice],
    ),
  );
  return found.flat();
}

function severitiesOf(
  config: Config | undefined,
  overrides: readonly Override[],
  given: Given,
): SeverityOf {
  const set =
    given.extends ??
    overrides.findLast((override) => override.extends)?.extends ??
    config?.extends ??
    "recommended";
  const chosen = new Map<string, RuleSetting>(
    [config?.rules ?? {}, ...overrides.map((override) => override.rules)].flatMap(Object.entries),
  );
  for (const [id, setting] of given.rules ?? []) chosen.set(id, setting);
  return ({ id, severity, optional }) => {
    const setting = chosen.get(id);
    if (setting !== undefined) return setting;
    if (set === "minimal") return severity === "error" && !optional ? severity : "off";
    if (set !== "strict" && optional) return "off";
    return set === "strict" && severity === "info" ? "warning" : severity;
  };
}

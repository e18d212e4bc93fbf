import { rules } from "../rules/index.js";
import type { Config } from "./config/config.js";
import { configFinder } from "./config/discover.js";
import { isFor } from "./config/patterns.js";
import { overridesFor, sayings, severityIn, type Besides, type Sayings } from "./config/said.js";
import type { Setup } from "./context.js";
import { oneRelease, readReleases, type Releases } from "./facts/release-range.js";
import { newestRelease, parseRelease } from "./facts/release.js";
import { InputError, type Host } from "./host.js";
import type { Machine } from "./machines/machine.js";
import { nearest } from "./nearest.js";
import { once } from "./once.js";
import type { Rule } from "./rule.js";

/** What the user says on a command line or in an editor. */
export interface Given extends Besides {
  /** A configuration's path; false: none is to be used; undefined: the nearest one of each file. */
  config?: string | false;
  /** Where the machines' names start from. */
  folder: string;
  releases?: Releases;
  /** Also the files that a configuration leaves out. */
  everyFile?: boolean;
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

/** The same, with who said it. */
export interface FileSettings extends FileSetups {
  said: Sayings;
  /** The host's path of the configuration's baseline. */
  baseline?: string;
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
): (path: string) => Promise<FileSettings> {
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
): Promise<FileSettings> {
  const folder = host.resolve(path, "..");
  const configFolder = config ? host.resolve(config.path, "..") : folder;
  const overrides = await overridesFor(path, config, configFolder);
  const said = sayings(config, overrides, given);
  const found = {
    said,
    ...(config && { config }),
    ...(config?.baseline !== undefined && {
      baseline: host.resolve(configFolder, config.baseline),
    }),
  };
  const patterns = [config?.ignore ?? [], ...overrides.map(({ override }) => override.ignore)];
  if (!given.everyFile && (await isFor(path, patterns.flat(), configFolder))) {
    return { setups: [], ignored: true, ...found };
  }
  const releases = given.releases ?? configReleases(config, said);
  const common = {
    folder,
    host,
    server: Object.fromEntries([...said.server].map(([name, { value }]) => [name, value])),
    models: new Map([...said.models].map(([name, { value }]) => [name, value])),
    modelsFolder: configFolder,
    severityOf: (rule: Rule) => severityIn(said, rule).value,
  };
  const machines = await machinesOf(said, given, configFolder, machinesNamed);
  const setups = machines.map((machine) => {
    // A machine runs one release.
    const run = releases ?? oneRelease(parseRelease(machine?.ollama ?? "") ?? newestRelease);
    return { ...common, release: run.last, releases: run, ...(machine && { machine }) };
  });
  return { setups, ignored: false, ...found };
}

/** The releases that the configuration names for a file. */
function configReleases(config: Config | undefined, { ollama }: Sayings): Releases | undefined {
  if (!ollama || !config) return undefined;
  const read = readReleases(ollama.value);
  if (read.ok) return read.releases;
  const [, order] = /^override (\d+)$/.exec(ollama.by) ?? [];
  const above = order === undefined ? [] : ["overrides", String(Number(order) - 1)];
  throw new InputError(read.problem, {
    path: config.path,
    ...config.locate([...above, "ollama"]),
  });
}

async function machinesOf(
  { machines: { value: chosen, by } }: Sayings,
  given: Given,
  configFolder: string,
  machinesNamed: MachinesNamed,
): Promise<readonly (Machine | undefined)[]> {
  if (chosen.length === 0) return [undefined];
  const folder = by === "given" ? given.folder : configFolder;
  const found = await Promise.all(
    chosen.map(async (choice) =>
      typeof choice === "string" ? machinesNamed(choice, folder) : [choice],
    ),
  );
  return found.flat();
}

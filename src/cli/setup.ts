import process from "node:process";
import { rules } from "../../rules/index.js";
import type { RuleSetting } from "../config/config.js";
import { readReleases, type Releases } from "../facts/release-range.js";
import { isKnownRelease } from "../facts/release.js";
import type { Host } from "../host.js";
import type { Machine } from "../machines/machine.js";
import { nearest } from "../nearest.js";
import { cacheFolder, keepingHost } from "../node-cache.js";
import { nodeHost, onlineHost } from "../node-host.js";
import { once } from "../once.js";
import { setupsIn, type FileSettings, type Given, type RangeSetup } from "../setups.js";
import { tell } from "./tell.js";
import { oneOf, pairs, UsageError, type Options } from "./options.js";

const settings: readonly RuleSetting[] = ["off", "info", "warning", "error"];

/** The lookups of a run, by its options: files share their configurations and machines. */
const lookups = new WeakMap<Options, (path: string) => Promise<FileSettings>>();

/** Everything that the command line and the configuration say about a file. */
export function fileSetups(path: string, values: Options): Promise<FileSettings> {
  let lookup = lookups.get(values);
  if (!lookup) {
    lookup = setupsIn(hostFor(values), givenBy(values), (name, folder) =>
      machinesNamed(name, folder, values),
    );
    lookups.set(values, lookup);
  }
  return lookup(nodeHost.resolve(process.cwd(), path));
}

/** The same, for a verb that is asked about one file and so looks at it in any case. */
export async function setupsFor(path: string, values: Options): Promise<RangeSetup[] | "ignored"> {
  const { setups, ignored } = await fileSetups(path, values);
  return ignored ? "ignored" : [...setups];
}

/** The network only where it is asked for; what was read of large files is kept. */
function hostFor(values: Options): Host {
  const host = lookingOnce(values.online ? onlineHost : nodeHost);
  return values["no-cache"] ? host : keepingHost(host, cacheFolder);
}

/**
 * Thousands of files name the same few models, and each is looked for in many places: what lies somewhere
 * when a run first looks is taken to lie there until its end.
 */
function lookingOnce(host: Host): Host {
  return { ...host, stat: once((path) => host.stat(path)) };
}

/** What the command line says. Throws UsageError where that cannot be used. */
function givenBy(values: Options): Given {
  const here = process.cwd();
  return {
    folder: here,
    ...(values["no-config"] && { config: false }),
    ...(values.config !== undefined && { config: nodeHost.resolve(here, values.config) }),
    ...(values["no-ignore"] && { everyFile: true }),
    ...(values.machine && { machines: values.machine }),
    ...(values.ollama !== undefined && { releases: releasesIn(values.ollama) }),
    rules: new Map(
      pairs(values.rule, "--rule", "ID=off, info, warning or error").map(([id, text]) => [
        ruleId(id),
        oneOf(text, settings, `--rule ${id}`),
      ]),
    ),
    server: Object.fromEntries(pairs(values.server, "--server", "NAME=VALUE")),
    // Paths on the command line start from where it was typed.
    models: new Map(
      pairs(values.model, "--model", "REF=PATH").map(([name, path]) => [
        name,
        nodeHost.resolve(here, path),
      ]),
    ),
  };
}

function ruleId(id: string): string {
  const ids = rules.map((rule) => rule.id);
  if (ids.includes(id)) return id;
  const guess = nearest(id, ids);
  const hint = guess ? `Did you mean "${guess}"?` : "`modelfile-lint rules` lists all.";
  throw new UsageError(`--rule: there is no rule "${id}". ${hint}`);
}

function releasesIn(text: string): Releases {
  const read = readReleases(text);
  if (!read.ok) throw new UsageError(read.problem);
  return read.releases;
}

/** What to say where releases are newer than anything known. */
export function releaseNote({ last, beyond }: Releases): string | undefined {
  if (beyond !== undefined) {
    return `Ollama ${beyond} is not known here; the range ends with ${last.version}.`;
  }
  if (isKnownRelease(last)) return undefined;
  return `Ollama ${last.version} is not known here; it is judged like the known releases before it.`;
}

async function machinesNamed(
  name: string,
  folder: string,
  { machine, quiet }: Options,
): Promise<readonly Machine[]> {
  const note = (text: string) => {
    if (!quiet) tell(text);
  };
  if (name === "-" && machine) {
    const { machinesFromInput } = await import("./machine.js");
    return machinesFromInput(note);
  }
  const { resolveMachines } = await import("../machines/resolve.js");
  return resolveMachines(name, nodeHost, folder, { detect: thisMachine, note });
}

async function thisMachine(): Promise<Machine> {
  const { detectHere } = await import("../node-machine.js");
  return (await detectHere()).machine;
}

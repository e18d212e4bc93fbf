import { oneRelease } from "../facts/release-range.js";
import { newestRelease } from "../facts/release.js";
import { InputError, type Host } from "../host.js";
import type { Machine } from "../machines/machine.js";
import { setupsIn, type FileSetups, type Given, type RangeSetup } from "../setups.js";
import { offlineHost } from "./offline-host.js";
import type { Settings } from "./settings.js";

/** What a file is judged against. Neither promise rejects: what cannot be used is told, and left out. */
export interface Setups {
  /** Without machines, since looking for those may take long. */
  quick: Promise<FileSetups>;
  full: Promise<FileSetups>;
}

export interface Configurations {
  /** Of a file at `path`, or of one that lies nowhere; `folder` is that of the workspace it belongs to. */
  of(path: string | undefined, settings: Settings, folder: string | undefined): Setups;
  /** Looks at configurations and machines again when they are next asked for. */
  forget(): void;
}

export interface MachineSources {
  /** Finds out what this computer is; absent where it cannot be looked at. */
  detect?: () => Promise<Machine>;
  /** Takes what a user should know: one sentence. */
  note: (text: string) => void;
}

type Lookup = (path: string) => Promise<FileSetups>;

interface Lookups {
  quick: Lookup;
  full: Lookup;
  /** Without a configuration. */
  bare: Lookup;
}

/** Detecting runs programs; what they say of free memory is not worth asking for more often. Milliseconds. */
const detectedFor = 60_000;

/**
 * Finds what applies to documents: what the client says, and the nearest configuration. `told` gets each
 * configuration or machine that cannot be used.
 */
export function configurations(
  host: Host,
  { detect, note }: MachineSources,
  told: (problem: InputError) => void,
): Configurations {
  const offline = offlineHost(host);
  let known = new WeakMap<Settings, Map<string, Lookups>>();
  let here: { at: number; machine: Promise<Machine> } | undefined;
  const thisMachine =
    detect &&
    (() => {
      if (!here || Date.now() - here.at > detectedFor) here = { at: Date.now(), machine: detect() };
      return here.machine;
    });

  const machinesNamed = async (name: string, folder: string): Promise<readonly Machine[]> => {
    const { resolveMachines } = await import("../machines/resolve.js");
    const around = { note, ...(thisMachine && { detect: thisMachine }) };
    return resolveMachines(name, offline, folder, around);
  };

  const lookupsOf = (settings: Settings, folder: string, nowhere: boolean): Lookups => {
    const key = JSON.stringify([folder, nowhere]);
    const folders = known.get(settings) ?? new Map<string, Lookups>();
    known.set(settings, folders);
    let found = folders.get(key);
    if (found) return found;
    const files = settings.online ? host : offline;
    const given = givenBy(settings, folder, host);
    const without = { ...given, machines: [] };
    found = {
      // Without any folder there is no configuration to look for either.
      quick: setupsIn(files, nowhere ? { ...without, config: false } : without, noMachines),
      full: setupsIn(files, nowhere ? { ...given, config: false } : given, machinesNamed),
      bare: setupsIn(files, { ...without, config: false }, noMachines),
    };
    folders.set(key, found);
    return found;
  };

  return {
    of(path, settings, folder) {
      const nowhere = path === undefined && folder === undefined;
      const base = folder ?? (path === undefined ? "." : host.resolve(path, ".."));
      const lookups = lookupsOf(settings, base, nowhere);
      const at = path ?? host.resolve(base, "Modelfile");
      const quick = unlessUnusable(lookups.quick(at), told, () => lookups.bare(at));
      const full = unlessUnusable(lookups.full(at), told, () => quick);
      if (path !== undefined) return { quick, full };
      return { quick: quick.then(withoutFiles), full: full.then(withoutFiles) };
    },
    forget() {
      known = new WeakMap();
    },
  };
}

const noMachines = async () => [];

/** What is used until a slow host has said where configurations lie. */
export function defaultSetup(folder: string): RangeSetup {
  const releases = oneRelease(newestRelease);
  const nothing = { server: {}, models: new Map<string, never>() };
  return { releases, release: releases.last, folder, modelsFolder: folder, ...nothing };
}

async function unlessUnusable(
  setups: Promise<FileSetups>,
  told: (problem: InputError) => void,
  otherwise: () => Promise<FileSetups>,
): Promise<FileSetups> {
  try {
    return await setups;
  } catch (error) {
    told(error instanceof InputError ? error : new InputError(String(error)));
    return otherwise();
  }
}

/** A document that was never saved has no folder that its paths could start from. */
function withoutFiles(found: FileSetups): FileSetups {
  return { ...found, setups: found.setups.map(withoutHost) };
}

function withoutHost({ host: _host, ...setup }: RangeSetup): RangeSetup {
  return setup;
}

function givenBy(settings: Settings, folder: string, host: Host): Given {
  const { config, machines, releases, rules, server } = settings;
  return {
    folder,
    rules,
    server,
    ...(config !== undefined && { config: config && host.resolve(folder, config) }),
    ...(machines && { machines }),
    ...(releases && { releases }),
    ...(settings.extends && { extends: settings.extends }),
  };
}

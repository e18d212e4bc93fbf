import type { Sources } from "../editor/completion.js";
import type { Host } from "../host.js";
import { array, parsed, record, text } from "../models/json.js";
import { serverAddress } from "../models/server.js";
import { stores } from "../models/store.js";
import { soon } from "./analysis.js";

/** Milliseconds: a list that comes later than somebody types on is of no use. */
const patience = 700;

/** Milliseconds for which models are not listed again. */
const listedFor = 10_000;

/** Names of a folder that are looked at, and models of a store: more than anybody scrolls through. */
const mostNames = 1000;
const mostModels = 2000;

/** Bytes of a server's answer. */
const longestList = 8 * 2 ** 20;

interface Named {
  name: string;
  detail?: string;
}

/** What may be put in behind FROM: of Ollama's store, of its server where the host has a network, and of folders. */
export function sourcesOf(host: Host): (folder: string | undefined) => Sources {
  let listed: { at: number; models: Promise<readonly Named[]> } | undefined;
  const models = async (): Promise<readonly Named[]> => {
    if (!listed || performance.now() - listed.at > listedFor) {
      listed = { at: performance.now(), models: modelsOf(host) };
    }
    return (await soon(listed.models, patience)) ?? [];
  };
  return (folder) => ({
    models,
    ...(folder !== undefined && {
      list: (path) => soon(entriesIn(host.resolve(folder, path), host), patience),
    }),
  });
}

async function modelsOf(host: Host): Promise<readonly Named[]> {
  const lists = [storedModels(host), servedModels(host)];
  const found = await Promise.all(lists.map((list) => list.catch((): Named[] => [])));
  const seen = new Set<string>();
  return found.flat().filter(({ name }) => !seen.has(name) && seen.add(name));
}

async function entriesIn(
  folder: string,
  host: Host,
): Promise<{ name: string; kind: "file" | "folder" }[] | undefined> {
  const names = await host.list(folder).catch(() => undefined);
  if (!names) return undefined;
  const entries = await Promise.all(
    names.slice(0, mostNames).map(async (name) => {
      const kind = (await host.stat(host.resolve(folder, name)))?.kind;
      return kind === "file" || kind === "folder" ? [{ name, kind }] : [];
    }),
  );
  return entries.flat();
}

/** Ollama's own registry is left out of names, and so is the namespace of its library. */
const unwritten = new Set(["registry.ollama.ai", "ollama.com"]);

/** Every name that has a manifest: folders of registry, namespace and model, and a file for each tag. */
async function storedModels(host: Host): Promise<Named[]> {
  const found: Named[] = [];
  const below = async (folder: string, parts: readonly string[]): Promise<void> => {
    if (found.length >= mostModels) return;
    const entries = (await entriesIn(folder, host)) ?? [];
    for (const { name, kind } of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
      const path = [...parts, name];
      if (kind === "folder" && path.length < 4) await below(host.resolve(folder, name), path);
      else if (kind === "file" && path.length === 4) found.push({ name: written(path) });
    }
  };
  for (const { folder: store } of stores(host)) {
    for (const manifests of ["manifests-v2", "manifests"]) {
      await below(host.resolve(store, manifests), []);
    }
  }
  return found;
}

function written([registry = "", namespace = "", model, tag]: readonly string[]): string {
  const own = unwritten.has(registry.toLowerCase());
  const before = own ? (namespace === "library" ? [] : [namespace]) : [registry, namespace];
  return `${[...before, model].join("/")}:${tag}`;
}

/** GET /api/tags */
async function servedModels(host: Host): Promise<Named[]> {
  if (!host.request) return [];
  const address = serverAddress(host.variable("OLLAMA_HOST"));
  const { status, body } = await host.request(`${address}/api/tags`, { most: longestList });
  const list = status === 200 ? record(parsed(new TextDecoder().decode(body))) : undefined;
  return array(list?.["models"]).flatMap((one) => {
    const name = text(record(one)?.["name"]);
    return name === undefined ? [] : [{ name, detail: "on the server" }];
  });
}

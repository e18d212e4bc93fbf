import { displayName, isValidName, parseName, parseReference } from "../../grammar/model-name.js";
import type { ModelChoice } from "../config/config.js";
import { InputError, type Host } from "../host.js";
import { quoted } from "../yaml.js";
import { catalogueEntry, catalogueModel } from "./catalogue.js";
import { describedModel, likeModel } from "./description.js";
import { readGguf } from "./gguf.js";
import { likelyModel } from "./likeness.js";
import type { Resolution } from "./model.js";
import { folderModel } from "./safetensors.js";
import { storedModel } from "./store.js";

/** Where models are looked for. */
export interface ModelSources {
  /** The Modelfile's, which paths in FROM are relative to. */
  folder: string;
  /** Without one, no files are looked at. */
  host?: Host;
  /** What names in FROM mean, by configuration. */
  models: ReadonlyMap<string, ModelChoice>;
  /** The configuration's, which paths in `models` are relative to. */
  modelsFolder: string;
}

/**
 * The model that FROM's text means: what the configuration says of it, then a file or folder of that
 * name, as `ollama create` takes it, then Ollama's store and, where the user asked for the network, its
 * server and Hugging Face; then the catalogue, and at last what the name alone makes likely. Throws
 * InputError where something is there but cannot be used, or the configuration names a model that does
 * not exist.
 */
export async function resolveModel(
  reference: string,
  { folder, host, models, modelsFolder }: ModelSources,
): Promise<Resolution> {
  const choice = chosen(reference, models);
  if (typeof choice === "object") return { model: await likeModel(choice, reference) };
  if (choice !== undefined) {
    if (!host) return { unknown: `${quoted(choice)} is a file, and files cannot be read here.` };
    return { model: await describedModel(choice, reference, modelsFolder, host) };
  }
  const local = host && (await localModel(reference, folder, host));
  if (local) return local;
  if (/^https?:\/\/.*\.gguf(?:[?#]|$)/i.test(reference)) return fileAtAddress(reference, host);
  if (!isPath(reference)) return namedModel(reference, host);
  const reason = host ? "does not exist" : "is a file, and files cannot be read here";
  return { unknown: `${quoted(reference)} ${reason}.` };
}

/** The choice for this text, or for another way to write the same name: "Llama3:latest" is "llama3". */
function chosen(
  reference: string,
  models: ReadonlyMap<string, ModelChoice>,
): ModelChoice | undefined {
  const exact = models.get(reference);
  const name = sameName(reference);
  if (exact !== undefined || name === undefined) return exact;
  for (const [other, choice] of models) if (sameName(other) === name) return choice;
  return undefined;
}

/** Equal for texts that Ollama takes for the same name; undefined for what is none. */
function sameName(text: string): string | undefined {
  const name = parseName(text.trim());
  return isValidName(name) ? displayName(name).toLowerCase() : undefined;
}

async function localModel(
  reference: string,
  folder: string,
  host: Host,
): Promise<Resolution | undefined> {
  const path = host.resolve(folder, reference);
  const entry = await host.stat(path);
  if (!entry) return undefined;
  if (entry.kind === "folder" || /\.safetensors$/i.test(reference)) {
    return { model: await folderModel(path, host, reference) };
  }
  return { model: await readGguf(path, host, reference) };
}

/** Whether a text that names no file was still meant to. */
function isPath(reference: string): boolean {
  return (
    /^(?:\.{0,2}[\\/]|~|[a-z]:[\\/])/i.test(reference) ||
    /\.(?:gguf|ggml|bin|safetensors)$/i.test(reference)
  );
}

async function fileAtAddress(address: string, host?: Host): Promise<Resolution> {
  if (host?.request) {
    const { remoteModel } = await import("./remote.js");
    const model = await remoteModel(address, host);
    if (model) return { model };
  }
  // The rest of it may hold a password or a token.
  const shown = quoted(address.replace(/[?#].*$/s, "").replace(/\/\/[^/]*@/, "//"));
  return { unknown: `${shown} is an address, which only --online reads.` };
}

async function namedModel(reference: string, host?: Host): Promise<Resolution> {
  const parsed = parseReference(reference);
  const written = quoted(reference);
  if (!parsed.ok) return { unknown: `${written} is no model's name.` };
  if (parsed.source === "cloud") {
    return { unknown: `${written} runs in Ollama's cloud, not on this machine.` };
  }
  const { base } = parsed;
  const stored = host && (await storedModel(base, host));
  if (stored) return stored;
  let failure = "";
  // What reads from the network is loaded for those alone who ask for it.
  if (host?.request) {
    const { servedModel } = await import("./server.js");
    const served = await servedModel(base, host).catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      // Most models are known without a server.
      failure = ` ${error.message}`;
      return undefined;
    });
    if (served) return served;
    const { remoteModel } = await import("./remote.js");
    const remote = await remoteModel(base, host);
    if (remote) return { model: remote };
  }
  const model = (await catalogueModel(base)) ?? (await likelyModel(base));
  if (model) return { model };
  if (await catalogueEntry(base)) {
    return { unknown: `The catalogue does not say how the tensors of ${written} are stored.` };
  }
  if (!host) return { unknown: `${written} is not in the catalogue of Ollama's library.` };
  const places = "neither in Ollama's store nor in the catalogue of its library";
  const online = host.request ? "Say" : "Try --online, or say";
  const help = `${online} what it is with --model NAME=PATH or models: in the configuration`;
  return { unknown: `${written} is ${places}.${failure} ${help}.` };
}

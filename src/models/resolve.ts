import { displayName, isValidName, parseName, parseReference } from "../../grammar/model-name.js";
import type { ModelChoice } from "../config/config.js";
import type { Host } from "../host.js";
import { quoted } from "../yaml.js";
import { catalogueEntry, catalogueModel } from "./catalogue.js";
import { describedModel, likeModel } from "./description.js";
import { readGguf } from "./gguf.js";
import type { Model } from "./model.js";

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

/** A model, or a sentence why nothing is known of it. */
export type Resolution = { model: Model } | { unknown: string };

/**
 * The model that FROM's text means: what the configuration says of it, then a file or folder of that
 * name, as `ollama create` takes it, then the catalogue. Throws InputError where a file is there but
 * cannot be used, or the configuration names a model that does not exist.
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
  if (!isPath(reference)) return namedModel(reference);
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
  if (entry.kind === "folder") return { unknown: "A folder of safetensors is not read yet." };
  if (/\.safetensors$/i.test(reference)) return { unknown: "A safetensors file is not read yet." };
  return { model: await readGguf(path, host, reference) };
}

/** Whether a text that names no file was still meant to. */
function isPath(reference: string): boolean {
  return (
    /^(?:\.{0,2}[\\/]|~|[a-z]:[\\/])/i.test(reference) ||
    /\.(?:gguf|ggml|bin|safetensors)$/i.test(reference)
  );
}

async function namedModel(reference: string): Promise<Resolution> {
  const parsed = parseReference(reference);
  const written = quoted(reference);
  if (!parsed.ok) return { unknown: `${written} is no model's name.` };
  if (parsed.source === "cloud") {
    return { unknown: `${written} runs in Ollama's cloud, not on this machine.` };
  }
  const model = await catalogueModel(parsed.base);
  if (model) return { model };
  if (await catalogueEntry(parsed.base)) {
    return { unknown: `The catalogue does not say how the tensors of ${written} are stored.` };
  }
  const foreign = displayName(parsed.name).includes("/");
  const library = foreign ? "not in Ollama's own library" : "not in the catalogue of the library";
  return { unknown: `${written} is ${library}.` };
}

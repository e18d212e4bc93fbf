import { parseReference } from "../../grammar/model-name.js";
import catalogue from "../facts/catalogue.json" with { type: "json" };
import type { CatalogueEntry } from "../models/catalogue-entry.js";
import { textAt } from "../models/header.js";
import type { Model } from "../models/model.js";

const { entries } = catalogue as { entries: readonly CatalogueEntry[] };

/** The repository of GGUF files that a reference to Hugging Face names, with the tag where it has one. */
export function ggufRepository(text: string): { repository: string; tag?: string } | undefined {
  const reference = parseReference(text);
  if (!reference.ok) return undefined;
  const { host, namespace, model, tag } = reference.name;
  if (!/^(?:hf\.co|huggingface\.co)$/i.test(host)) return undefined;
  return { repository: `${namespace}/${model}`, ...(tag !== "latest" && { tag }) };
}

/** Words of a repository's name that say whether the model was made to chat. */
const chats = /instruct|chat|(?:^|-)it(?:-|$)/i;

/**
 * The repository with the checkpoint of a model of Ollama's library. Undefined where the catalogue has none, has
 * one of GGUF files, or where name and tag say that one is made to chat and the other is not.
 */
export function libraryRepository(text: string): string | undefined {
  const reference = parseReference(text);
  if (!reference.ok || reference.source === "cloud") return undefined;
  const { host, namespace, model, tag } = reference.name;
  if (host.toLowerCase() !== "registry.ollama.ai" || namespace.toLowerCase() !== "library") {
    return undefined;
  }
  const [family, wanted] = [model.toLowerCase(), tag.toLowerCase()];
  for (const { id, hfRepo, tags } of entries) {
    if (id.split(":")[0]!.toLowerCase() !== family) continue;
    const file = tags.find(([names]) => names.some((name) => name.toLowerCase() === wanted));
    if (!file) continue;
    const [names, , , details] = file;
    if (hfRepo === undefined || details?.variantOf !== undefined) return undefined;
    const isOther = chatsBy(names) !== undefined && chatsBy(names) !== chats.test(hfRepo);
    return isOther || /gguf/i.test(hfRepo) ? undefined : hfRepo;
  }
  return undefined;
}

/** Whether tags call the model one that chats; undefined where they do not say. */
function chatsBy(tags: readonly string[]): boolean | undefined {
  const words = new Set(tags.flatMap((tag) => tag.toLowerCase().split("-")));
  if (words.has("instruct") || words.has("chat")) return true;
  return words.has("text") || words.has("base") ? false : undefined;
}

/** The repository that a GGUF file says it was made of (general.source and general.repo_url; not what that was trained from). */
export function sourceRepository({ header }: Pick<Model, "header">): string | undefined {
  const keys = ["general.source.repo_url", "general.source.url", "general.repo_url"];
  const named = keys.flatMap((key) => (header && textAt(header, key)) ?? []);
  const urls = named.flatMap(
    (url) => /^https:\/\/huggingface\.co\/([\w.-]+\/[\w.-]+)\/?$/.exec(url)?.[1] ?? [],
  );
  return urls.find((repository) => !/gguf/i.test(repository));
}

import type { Host } from "../host.js";
import { since, type Release } from "../facts/release.js";

/**
 * Kinds of weights, the first that is there alone, as filesForModel in Ollama's parser/parser.go looks for
 * them.
 */
const weights: readonly RegExp[] = [
  /^model.*\.safetensors$/,
  /^consolidated.*\.safetensors$/,
  /^pytorch_model.*\.bin$/,
  /^consolidated.*\.pth$/,
  /\.gguf$/,
  /\.bin$/,
];

/** Those of adapters, which releases from 0.12.11 on no longer look for (ollama #13010). */
const adapterWeights = /^(?:adapters|adapter_model)\.safetensors$/;

/** What the client takes of a folder's own names; empty where it refuses the folder. */
export function takenNames(names: readonly string[], release: Release): string[] {
  const sorted = names.toSorted();
  const kinds = since(release, "0.12.11")
    ? weights
    : [...weights.slice(0, 1), adapterWeights, ...weights.slice(1)];
  const kind = kinds.find((pattern) => sorted.some((name) => pattern.test(name)));
  if (!kind) return [];
  const taken = [
    ...sorted.filter((name) => kind.test(name)),
    ...sorted.filter((name) => name.endsWith(".json")),
    ...sorted.filter((name) => name === "tokenizer.model"),
  ];
  return [...new Set(taken)];
}

/**
 * The same from disk, with what lies one folder below: models of several parts (BERT's pooling) have a
 * config.json there. Paths with slashes, relative to the folder.
 */
export async function takenFiles(folder: string, host: Host, release: Release): Promise<string[]> {
  const names = await host.list(folder);
  const taken = takenNames(names, release);
  if (taken.length === 0) return [];
  const below: string[] = [];
  for (const name of names.toSorted()) {
    const path = host.resolve(folder, name);
    if ((await host.stat(path))?.kind !== "folder") continue;
    const inside = await host.list(path).catch(() => []);
    const wanted = inside.filter(
      (one) => one.endsWith(".json") || (one === "tokenizer.model" && !taken.includes(one)),
    );
    below.push(...wanted.toSorted().map((one) => `${name}/${one}`));
  }
  return [...taken, ...below];
}

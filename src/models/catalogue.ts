import { distance } from "../nearest.js";
import {
  libraryModel,
  sharesStem,
  type Catalogue,
  type CatalogueEntry,
  type CatalogueFile,
} from "./catalogue-entry.js";
import { scaledHeader } from "./catalogue-header.js";
import type { Model } from "./model.js";
import { scaledWeights } from "./weights.js";

interface Found {
  entry: CatalogueEntry;
  file: CatalogueFile;
  /** As the library spells it. */
  tag: string;
}

interface Index {
  catalogue: Catalogue;
  /** By lower-case "family:tag". */
  files: ReadonlyMap<string, Found>;
  /** Tags as the library spells them, by lower-case family. */
  tags: ReadonlyMap<string, readonly string[]>;
}

let index: Promise<Index> | undefined;

/** Loads the catalogue, once. Several hundred kilobytes, so bundlers keep it in a chunk of its own. */
export async function loadCatalogue(): Promise<Catalogue> {
  return (await loadIndex()).catalogue;
}

function loadIndex(): Promise<Index> {
  index ??= readCatalogue().then(indexed);
  return index;
}

async function readCatalogue(): Promise<Catalogue> {
  const facts: { default: unknown } = await import("../facts/catalogue.json", {
    with: { type: "json" },
  });
  if (!isCatalogue(facts.default)) throw new Error("The catalogue's file holds something else.");
  return facts.default;
}

/** A look at the surface; the file itself is tested against its schema. */
function isCatalogue(value: unknown): value is Catalogue {
  return typeof value === "object" && value !== null && "families" in value && "entries" in value;
}

function indexed(catalogue: Catalogue): Index {
  const files = new Map<string, Found>();
  const tags = new Map<string, string[]>();
  for (const entry of catalogue.entries) {
    const family = familyOf(entry).toLowerCase();
    let known = tags.get(family);
    if (!known) tags.set(family, (known = []));
    for (const file of entry.tags) {
      for (const tag of file[0]) {
        known.push(tag);
        files.set(`${family}:${tag.toLowerCase()}`, { entry, file, tag });
      }
    }
  }
  return { catalogue, files, tags };
}

/**
 * The library model that FROM names: "llama3.3", "llama3.3:70b-instruct-q8_0",
 * "registry.ollama.ai/library/llama3.3:70b". Case does not matter, no tag means latest. Its weights
 * are recomputed tensor by tensor and checked against the known size of the file.
 *
 * Undefined where the name or the tag is not in the catalogue, or the tag holds another model than
 * its neighbours or a file of no known quantisation.
 */
export async function catalogueModel(reference: string): Promise<Model | undefined> {
  const found = await find(reference);
  if (!found) return undefined;
  const { entry, file, tag } = found;
  // "latest" says little: the tag that names the same file's size says more.
  const sized = tag === "latest" && file[0].includes(sizeOf(entry));
  const name = sized ? entry.id : `${familyOf(entry)}:${tag}`;
  return libraryModel(entry, file, name);
}

/** What the catalogue knows of the model that a FROM names, whatever the tag's quantisation. */
export async function catalogueEntry(reference: string): Promise<CatalogueEntry | undefined> {
  return (await find(reference))?.entry;
}

/**
 * A model of the shape of a library model, whose file has `weights` bytes: every part is scaled by the
 * same factor, so the split between blocks is an estimate. Without `weights`, the library file's own.
 * Undefined where `like` gives no model.
 */
export async function modelLike(
  like: string,
  weights: number | undefined,
  name: string,
): Promise<Model | undefined> {
  const model = await catalogueModel(like);
  if (!model) return undefined;
  const { shape, fileBytes, quantisation, header: table, tokenizer } = model;
  const known = {
    name,
    source: "description",
    exact: false,
    shape,
    ...(tokenizer && { tokenizer }),
    origins: [{ facts: ["keys", "tensors"], from: `likeness of ${model.name}`, exact: false }],
  } as const;
  if (weights === undefined) {
    return {
      ...known,
      weights: model.weights,
      fileBytes,
      ...(quantisation !== undefined && { quantisation }),
      ...(table && { header: table }),
    };
  }
  // A file smaller than the other's header would leave nothing for the tensors.
  const header = fileBytes - model.weights.total;
  const total = weights > header ? weights - header : weights;
  return {
    ...known,
    weights: scaledWeights(model.weights, total),
    fileBytes: weights,
    ...(table && { header: scaledHeader(table, total / model.weights.total) }),
  };
}

/**
 * Names of the library close to one that it does not have, the nearest first: tags of the family where
 * the family exists, otherwise families. At most `count`.
 */
export async function nearestCatalogueNames(reference: string, count: number): Promise<string[]> {
  const parsed = parseReference(reference);
  if (!parsed) return [];
  const { catalogue, files, tags } = await loadIndex();
  const { family, tag } = parsed;
  const known = tags.get(family);
  if (known) {
    const others = known.filter((candidate) => candidate.toLowerCase() !== tag);
    return ranked(tag, others, count).map((candidate) => `${family}:${candidate}`);
  }
  const near = Object.keys(catalogue.families).filter((candidate) => resembles(family, candidate));
  return ranked(family, near, count).map((candidate) =>
    tag !== "latest" && files.has(`${candidate}:${tag}`) ? `${candidate}:${tag}` : candidate,
  );
}

/** A third of the letters may differ; a name that goes on after the word resembles it too. */
function resembles(word: string, candidate: string): boolean {
  const allowed = Math.max(1, Math.floor(word.length / 3));
  if (candidate.startsWith(word)) return true;
  return (
    Math.abs(candidate.length - word.length) <= allowed && distance(word, candidate) <= allowed
  );
}

/** By edits, then by how near the sizes are ("4b" is nearer to "3b" than to "1b"), then by length. */
function ranked(word: string, candidates: readonly string[], count: number): string[] {
  const size = leadingSize(word);
  return candidates
    .map((candidate) => ({
      candidate,
      edits: distance(word, candidate.toLowerCase()),
      gap: Math.abs(Math.log(leadingSize(candidate) / size)),
    }))
    .sort(
      (a, b) =>
        a.edits - b.edits ||
        (a.gap === b.gap ? 0 : a.gap - b.gap) ||
        a.candidate.length - b.candidate.length ||
        (a.candidate < b.candidate ? -1 : 1),
    )
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** "70b-instruct" → 70e9, "270m" → 270e6; infinite where the tag names no size. */
function leadingSize(tag: string): number {
  const [, number, unit] = /^e?(\d+(?:\.\d+)?)([mb])/i.exec(tag) ?? [];
  if (number === undefined) return Number.POSITIVE_INFINITY;
  return Number(number) * (unit?.toLowerCase() === "m" ? 1e6 : 1e9);
}

async function find(reference: string): Promise<Found | undefined> {
  const parsed = parseReference(reference);
  if (!parsed) return undefined;
  const { files } = await loadIndex();
  return files.get(`${parsed.family}:${parsed.tag}`);
}

/** Family and tag in lower case, where the reference means Ollama's own library. */
function parseReference(reference: string): { family: string; tag: string } | undefined {
  const name = reference.trim().toLowerCase();
  const match =
    /^(?:https?:\/\/)?(?:registry\.ollama\.ai\/library\/|library\/)?([^/:@]+)(?::([^/:@]+))?$/.exec(
      name,
    );
  if (!match) return undefined;
  return { family: match[1]!, tag: match[2] ?? "latest" };
}

const familyOf = ({ id }: CatalogueEntry) => id.slice(0, id.indexOf(":"));
const sizeOf = ({ id }: CatalogueEntry) => id.slice(id.indexOf(":") + 1);

/**
 * The same model in the library's other quantisations, named as FROM would take them; empty where the
 * library does not have `name`.
 */
export async function siblings(name: string): Promise<readonly Model[]> {
  const found = await find(name);
  if (!found) return [];
  const { entry, file } = found;
  const [, own] = file;
  return entry.tags.flatMap((other) => {
    const [tags, quantisation] = other;
    if (quantisation === own || !sharesStem(other, file)) return [];
    const tag = tags.find((one) => one !== "latest");
    const model = tag && libraryModel(entry, other, `${familyOf(entry)}:${tag}`);
    return model ? [model] : [];
  });
}

import {
  fileTensors,
  headerFor,
  shapeOf,
  type CatalogueEntry,
  type CatalogueFile,
} from "./catalogue-entry.js";
import { loadCatalogue } from "./catalogue.js";
import type { Model, Shape } from "./model.js";
import { fileType } from "./tensor-types.js";
import { weightsOf } from "./weights.js";

/**
 * The library model that a name alone makes likely: "hf.co/bartowski/Llama-3.3-70B-Instruct-GGUF:Q4_K_M"
 * is as large as llama3.3:70b in Q4_K_M, whatever it was tuned for. A file's name does as well.
 * Undefined where family or size are not clear, or a word tells of another shape: no guess is better
 * than a wrong one.
 */
export async function likelyModel(reference: string): Promise<Model | undefined> {
  const name = readName(reference);
  if (!name) return undefined;
  const likeness = mostLikely(name, await loadFamilies());
  return likeness && modelOf(reference, name, likeness);
}

/** A name taken apart. Everything is lower case. */
interface Name {
  /** Words and numbers, "llama3.3" as two, without sizes and what else is read on its own. */
  atoms: readonly string[];
  /** Whether a number stands directly behind an atom, with no size between. */
  numberBehind: ReadonlySet<number>;
  /** "70b", "8x7b", "e4b"; undefined where the name has none. */
  size?: string;
  /** "a3b": parameters at work in one step. */
  active?: string;
  /** As llama.cpp calls it. */
  quantisation?: string;
  /** The name says for how many tokens it is meant. */
  hasContext: boolean;
  /** A file that llama.cpp's converter is likely to have made: towers are files of their own. */
  foreign: boolean;
}

/**
 * Undefined where the name tells of other formats, of several sizes, or of a quantisation that nobody
 * knows.
 */
function readName(reference: string): Name | undefined {
  const lower = reference.trim().toLowerCase();
  const words = wordsOf(lower.slice(Math.max(lower.lastIndexOf("/"), lower.lastIndexOf("\\")) + 1));
  const pieces = piecesOf(words.filter((word) => !formats.has(word)));
  const of = (kind: Piece["kind"]) =>
    pieces.filter((piece) => piece.kind === kind).map(({ text }) => text);
  const sizes = new Set(of("size"));
  if (sizes.size > 1 || of("other").length > 0) return undefined;

  const atoms: string[] = [];
  const numberBehind = new Set<number>();
  for (const [index, { kind, text }] of pieces.entries()) {
    if (kind !== "word") continue;
    for (const [place, atom] of atomsOf(text).entries()) {
      const follows = place > 0 || pieces[index - 1]?.kind === "word";
      if (follows && /^\d/.test(atom)) numberBehind.add(atoms.length - 1);
      atoms.push(atom);
    }
  }
  const [single] = sizes;
  const [experts] = of("experts");
  const size =
    single !== undefined && experts !== undefined ? `${experts.slice(0, -1)}x${single}` : single;
  const active = of("active").at(-1);
  const quantisation = of("quantisation").at(-1);
  return {
    atoms,
    numberBehind,
    hasContext: of("context").length > 0,
    foreign: /^(?:https?:\/\/)?(?:hf\.co|huggingface\.co)\/|\.gguf$/.test(lower),
    ...(size !== undefined && { size }),
    ...(active !== undefined && { active }),
    ...(quantisation !== undefined && { quantisation }),
  };
}

/** A point between digits is part of a number, all other signs part words. */
function wordsOf(text: string): string[] {
  const points = text.toLowerCase().replace(/(?<!\d)\.|\.(?!\d)/g, "-");
  return points.split(/[^a-z0-9.]+/).filter((word) => word !== "");
}

interface Piece {
  /** other: what speaks of a format that llama.cpp does not load, or a slip of the pen. */
  kind: "quantisation" | "size" | "active" | "experts" | "context" | "other" | "word";
  text: string;
}

function piecesOf(words: readonly string[]): Piece[] {
  const pieces: Piece[] = [];
  for (let at = 0; at < words.length;) {
    const quantisation = quantisationAt(words, at);
    if (quantisation) {
      pieces.push({ kind: "quantisation", text: quantisation.name });
      at += quantisation.length;
      // "q4_k_n" is no name that anybody gave.
      if (/^[a-z]$/.test(words[at] ?? "")) pieces.push({ kind: "other", text: words[at]! });
    } else {
      const text = words[at++]!;
      pieces.push({ kind: kindOf(text), text });
    }
  }
  return pieces;
}

function kindOf(word: string): Piece["kind"] {
  if (otherFormats.has(word) || /^i?q\d|\dbits?$/.test(word)) return "other";
  if (/^\d+k$|^(?:[124]|10)m$/.test(word)) return "context";
  if (/^(?:\d+x|e)?\d+(?:\.\d+)?[bm]$/.test(word)) return "size";
  if (/^a\d+(?:\.\d+)?b$/.test(word)) return "active";
  return /^\d+e$/.test(word) ? "experts" : "word";
}

/** Say how the file is packed, not what is in it. */
const formats = new Set(["bin", "ggml", "ggmlv3", "gguf", "i1", "imatrix", "latest", "ud"]);

/** Nothing that llama.cpp loads, or not a model on its own. */
const otherFormats = new Set(
  "awq bnb exl2 exl3 gptq int4 int8 lora mlx mmproj nvfp4 onnx safetensors w4a16".split(" "),
);

/** "llama3.3" → llama, 3.3; "v01" → v, 0.1; "4.0" is 4. */
function atomsOf(word: string): string[] {
  return (word.match(/[a-z]+|\d+(?:\.\d+)*/g) ?? []).map((atom) =>
    atom.replace(/^0(\d)$/, "0.$1").replace(/^(\d+)\.0$/, "$1"),
  );
}

/** The longest name of a quantisation that starts at a word: "q4_k_xl" is three of them. */
function quantisationAt(
  words: readonly string[],
  at: number,
): { name: string; length: number } | undefined {
  for (let length = 3; length > 0; length--) {
    const name = quantisationNamed(words.slice(at, at + length).join("_"));
    if (name !== undefined) return { name, length };
  }
  return undefined;
}

function quantisationNamed(text: string): string | undefined {
  // Mixes of others that go by llama.cpp's names: sizes are those of the nearest.
  const nearest = /^(q\d)(?:_k_x?l)?$/.exec(text)?.[1];
  if (nearest !== undefined && text !== "q3_k_l") return usual.get(nearest);
  if (!/^(?:i?q\d_|tq\d_|bf16|fp?16|f32|mxfp4)/.test(text)) return undefined;
  const type = fileType(text);
  return type?.tensorType === undefined ? undefined : type.name;
}

const usual = new Map([
  ["q2", "Q2_K"],
  ["q3", "Q3_K_M"],
  ["q4", "Q4_K_M"],
  ["q5", "Q5_K_M"],
  ["q6", "Q6_K"],
  ["q8", "Q8_0"],
]);

/** A family of the library, its name taken apart. */
interface Family {
  atoms: readonly string[];
  /** Its tags taken apart, once they are needed: there are thousands in all. */
  entries: () => readonly Tagged[];
}

interface Tagged {
  entry: CatalogueEntry;
  tags: readonly Tag[];
}

interface Tag {
  file: CatalogueFile;
  /** Sizes included, the quantisation not. */
  atoms: readonly string[];
}

interface Families {
  /** Those with the longest names first. */
  all: readonly Family[];
  byId: ReadonlyMap<string, CatalogueEntry>;
}

let families: Promise<Families> | undefined;

function loadFamilies(): Promise<Families> {
  families ??= loadCatalogue().then(({ entries }) => indexed(entries));
  return families;
}

function indexed(entries: readonly CatalogueEntry[]): Families {
  const byName = new Map<string, CatalogueEntry[]>();
  for (const entry of entries) {
    const name = entry.id.slice(0, entry.id.indexOf(":"));
    byName.set(name, [...(byName.get(name) ?? []), entry]);
  }
  const all = [...byName].map(([name, own]): Family => {
    let tagged: readonly Tagged[] | undefined;
    return {
      atoms: wordsOf(name).flatMap(atomsOf),
      entries: () => (tagged ??= own.map(withTags)),
    };
  });
  return {
    all: all.sort((a, b) => b.atoms.length - a.atoms.length),
    byId: new Map(entries.map((entry) => [entry.id, entry])),
  };
}

function withTags(entry: CatalogueEntry): Tagged {
  const tags = entry.tags.flatMap((file) => file[0].map((tag) => ({ file, atoms: tagAtoms(tag) })));
  return { entry, tags };
}

function tagAtoms(tag: string): string[] {
  return piecesOf(wordsOf(tag)).flatMap(({ kind, text }) => {
    if (kind === "quantisation" || text === "latest") return [];
    return kind === "word" ? atomsOf(text) : [text];
  });
}

interface Likeness {
  entry: CatalogueEntry;
  /** Trained, in tokens; of the tag that says the most of what the name says. */
  contextLength: number;
}

interface Match extends Likeness {
  /** Atoms of the name that family and tag account for, by number. */
  covered: ReadonlySet<number>;
}

/** Undefined where no family is named, or several that differ in shape, or a word speaks against it. */
function mostLikely(name: Name, { all, byId }: Families): Likeness | undefined {
  const named = new Set<number>();
  const matches: Match[] = [];
  for (const family of all) {
    for (const at of places(name.atoms, family.atoms)) {
      const own = family.atoms.map((_, index) => at + index);
      if (own.some((index) => named.has(index))) continue;
      const match = matchAt(name, at, family, all, byId);
      // What is named and not understood still covers its words: "qwen2" in "qwen2 vl".
      for (const index of own) named.add(index);
      if (match) matches.push(match);
    }
  }
  const [best] = matches
    .filter((match) => !matches.some((other) => includes(other, match)))
    .toSorted((a, b) => b.covered.size - a.covered.size);
  if (!best) return undefined;
  const others = matches.filter((match) => !includes(best, match));
  if (others.some(({ entry }) => !sameShape(entry, best.entry))) return undefined;
  const accounted = new Set([best, ...others].flatMap(({ covered }) => [...covered]));
  const open = name.atoms.filter((_, index) => !accounted.has(index));
  const speaksAgainst = open.some((atom) => bases.has(atom) || otherShapes.has(atom));
  return speaksAgainst ? undefined : best;
}

/** Whether one accounts for all that the other does, and more. */
function includes(outer: Match, inner: Match): boolean {
  if (outer.covered.size <= inner.covered.size) return false;
  return [...inner.covered].every((index) => outer.covered.has(index));
}

/** Families that others are made from: one in a name says what the model is. */
const bases = new Set(
  (
    "codellama command deepseek exaone falcon gemma glm gpt granite internlm lfm llama ministral " +
    "mistral mixtral nemotron olmo phi qwen qwq smollm solar starcoder tinyllama yi"
  ).split(" "),
);

/** Words of models that are called like others and built otherwise. */
const otherShapes = new Set(
  (
    "asr assistant audio bitnet clip dflash draft eagle embed embedding embeddings frankenmerge " +
    "janus llava mamba math moe multimodal ocr omni pruned reranker reward rwkv speculator tts upscaled " +
    "vision vl vlm voice whisper"
  ).split(" "),
);

/** Where the atoms of a family stand in a row. */
function places(atoms: readonly string[], wanted: readonly string[]): number[] {
  return atoms.flatMap((_, at) =>
    wanted.every((atom, index) => atoms[at + index] === atom) ? [at] : [],
  );
}

/** The entry and tag of a family that the rest of the name points at; undefined where there is none. */
function matchAt(
  name: Name,
  at: number,
  family: Family,
  all: readonly Family[],
  byId: ReadonlyMap<string, CatalogueEntry>,
): Match | undefined {
  const end = at + family.atoms.length;
  // "qwen 1.5" and "internlm2 5": another generation, unless tags of this one are called so.
  const behind = name.numberBehind.has(end - 1) ? name.atoms[end] : undefined;
  const isGeneration = behind !== undefined && Number.parseFloat(behind) < 100;
  const entries = family.entries();
  if (isGeneration && !entries.some(({ tags }) => hasAtom(tags, behind))) return undefined;
  // A size says more than a single word in the middle of a name.
  if (name.size === undefined && at > 0 && family.atoms.length === 1) return undefined;
  const said = new Set([...name.atoms, name.size ?? "", name.active ?? ""]);
  const found = entryOf(name, entries, said);
  if (!found) return undefined;
  const { entry, tags } = found;
  if (behind === undefined && at > 0 && hasLaterGeneration(entry, name, family, all)) {
    return undefined;
  }
  const tag = fullest(tags, said);
  const words = new Set(tag?.atoms);
  const covered = new Set<number>();
  for (const [index, atom] of name.atoms.entries()) {
    if ((index >= at && index < end) || words.has(atom)) covered.add(index);
  }
  const [, , , details = {}] = tag?.file ?? entry.tags[0]!;
  const { variantOf, contextLength = entry.gguf.context_length } = details;
  if (variantOf === undefined) return { entry, contextLength, covered };
  const variant = byId.get(variantOf);
  return variant && { entry: variant, contextLength, covered };
}

/**
 * "…-gemma-2b" may be of any generation that comes in that size. At its start a name is the family's
 * own, and the first generation has no number.
 */
function hasLaterGeneration(
  entry: CatalogueEntry,
  { size }: Name,
  { atoms: [head, ...more] }: Family,
  all: readonly Family[],
): boolean {
  if (more.length > 0 || size === undefined) return false;
  return all.some(
    ({ atoms: [first, second, ...rest], entries }) =>
      first === head &&
      rest.length === 0 &&
      second !== undefined &&
      /^\d/.test(second) &&
      entries().some(({ entry: other, tags }) => hasAtom(tags, size) && !sameShape(entry, other)),
  );
}

/** The one entry of the family that the size means; without a size, the one that words or nothing mean. */
function entryOf(
  { size, active }: Name,
  entries: readonly Tagged[],
  said: ReadonlySet<string>,
): Tagged | undefined {
  const fitting = entries.filter(({ entry, tags }) => {
    if (size !== undefined && !hasAtom(tags, size) && !entry.id.endsWith(`:${size}`)) return false;
    const actives = tags.flatMap((tag) => tag.atoms).filter((atom) => /^a\d/.test(atom));
    return active === undefined || actives.length === 0 || actives.includes(active);
  });
  if (fitting.length < 2 && (size !== undefined || entries.length === 1)) return fitting[0];
  const scored = fitting
    .map((found) => {
      const pick =
        size === undefined ? distinct(found.tags, fitting, said) : idWords(found.entry, said);
      return { found, pick };
    })
    .toSorted((a, b) => b.pick - a.pick);
  const [first, second] = scored;
  if (!first || first.pick < 1 || first.pick === second?.pick) return undefined;
  return first.found;
}

function hasAtom(tags: readonly Tag[], atom: string): boolean {
  return tags.some(({ atoms }) => atoms.includes(atom));
}

/** Words of an entry's id that the name has; -1 where it lacks one. */
function idWords({ id }: CatalogueEntry, said: ReadonlySet<string>): number {
  const words = tagAtoms(id.slice(id.indexOf(":") + 1));
  return words.every((word) => said.has(word)) ? words.length : -1;
}

/** How many words of the name stand in tags of this entry and of no other: "mini", "scout", "lite". */
function distinct(
  tags: readonly Tag[],
  entries: readonly Tagged[],
  said: ReadonlySet<string>,
): number {
  const own = new Set(tags.flatMap(({ atoms }) => atoms));
  const others = new Set(
    entries
      .filter((entry) => entry.tags !== tags)
      .flatMap((entry) => entry.tags.flatMap((tag) => tag.atoms)),
  );
  return [...own].filter((atom) => /^[a-z]{4,}$/.test(atom) && said.has(atom) && !others.has(atom))
    .length;
}

const sizes: ReadonlySet<Piece["kind"]> = new Set(["size", "active"]);

/** The tag that says nothing which the name does not, and of these the one that says the most. */
function fullest(tags: readonly Tag[], said: ReadonlySet<string>): Tag | undefined {
  let best: Tag | undefined;
  for (const tag of tags) {
    if (!tag.atoms.every((atom) => said.has(atom) || sizes.has(kindOf(atom)))) continue;
    if (!best || tag.atoms.length > best.atoms.length) best = tag;
  }
  return best;
}

/** Alike but for the vocabulary, which fine-tuning may add to. */
function sameShape({ gguf: a }: CatalogueEntry, { gguf: b }: CatalogueEntry): boolean {
  return (
    a.block_count === b.block_count &&
    a.embedding_length === b.embedding_length &&
    a.expert_count === b.expert_count &&
    String(a.feed_forward_length) === String(b.feed_forward_length) &&
    String(a.head_count) === String(b.head_count) &&
    String(a.head_count_kv) === String(b.head_count_kv) &&
    Math.abs(a.vocab_size / b.vocab_size - 1) < 0.05
  );
}

function modelOf(reference: string, name: Name, { entry, contextLength }: Likeness): Model {
  const made = madeElsewhere(entry, name);
  const quantisation = quantisationFor(entry, name);
  const { headerBytes } = entry.file;
  const all = fileTensors(made, quantisation);
  const tensors = name.foreign ? all.filter((tensor) => !/^(?:v|mm)\./.test(tensor.name)) : all;
  const weights = weightsOf(tensors, made.gguf.block_count);
  return {
    name: reference,
    source: "name",
    exact: false,
    shape: likelyShape(made, contextLength, name),
    weights,
    fileBytes: weights.total + headerBytes,
    quantisation,
    ...headerFor(made, tensors, quantisation, { contextLength }),
    tokenizer: { tokens: entry.gguf.vocab_size },
    origins: [{ facts: ["keys", "tensors"], from: `likeness of ${entry.id}`, exact: false }],
  };
}

/** Made by llama.cpp's converter and quantiser, which do not have the habits of the library's files. */
function madeElsewhere(entry: CatalogueEntry, { foreign, atoms }: Name): CatalogueEntry {
  const { gguf, file } = entry;
  const { era, headerBytes, towerType } = file;
  const furtherTokens = !foreign || atoms.includes("mtp");
  return {
    ...entry,
    gguf:
      gguf.extra?.mtp_layers && !furtherTokens
        ? { ...gguf, extra: { ...gguf.extra, mtp_layers: 0 } }
        : gguf,
    file: {
      era: era === "llama-2026" ? era : "llama-2024",
      headerBytes,
      ...(towerType !== undefined && { towerType }),
    },
  };
}

/** What the name says, or what files without one usually are: Q4_K_M, as hf.co and Ollama choose it. */
function quantisationFor(entry: CatalogueEntry, { quantisation, atoms, foreign }: Name): string {
  // Its experts were made in this type, and stay in it.
  if (entry.gguf.architecture === "gptoss") return "MXFP4";
  if (quantisation !== undefined) return quantisation;
  if (atoms.includes("qat")) return "Q4_0";
  const usually = entry.tags[0]![1];
  const unclear = usually === null || usually === "Q4_0";
  return unclear || (foreign && entry.capabilities.includes("completion")) ? "Q4_K_M" : usually;
}

/** Without the trained context where the name speaks of another. */
function likelyShape(entry: CatalogueEntry, contextLength: number, { hasContext }: Name): Shape {
  const { trainedContext, ...shape } = shapeOf(entry, { contextLength });
  return hasContext || trainedContext === undefined ? shape : { ...shape, trainedContext };
}

import { parseReference } from "../../grammar/model-name.js";
import { instructionsNamed, type Modelfile } from "../../grammar/tree.js";
import type { Host } from "../host.js";
import { ggufStart, isProjectorStart, type GgufStart } from "./gguf-start.js";

/** What the first bytes of a file say that it is. */
export type Content =
  | "gguf"
  | "ggml"
  | "safetensors"
  | "git-lfs-pointer"
  | "html"
  | "pytorch"
  | "zip"
  | "empty"
  | "other";

type Keyword = "FROM" | "ADAPTER" | "DRAFT";

/** What lies where a text of FROM, ADAPTER or DRAFT points to. */
export type FileFacts = Missing | LocalFile | LocalFolder;

interface Missing {
  kind: "missing";
  /** Names in the folder that it would lie in; absent where there is no such folder. */
  nearby?: readonly string[];
}

interface LocalFile extends Started {
  kind: "file";
  path: string;
  /** ADAPTER names it, and no FROM. */
  isAdapter?: true;
  /** Of a GGUF file that FROM names: the other files of weights in its folder. */
  beside?: readonly WeightsFile[];
}

export interface LocalFolder {
  kind: "folder";
  path: string;
  names: readonly string[];
  /** Those that end as weights do, by name; absent where nobody has opened them. */
  weights?: readonly WeightsFile[];
  /** Names of the weights that Ollama would take from it and that are Git LFS pointers. */
  pointers: readonly string[];
  /** A folder of Hugging Face's cache, where every file is a link to one outside. */
  linksOut?: true;
}

export interface WeightsFile extends Started {
  name: string;
}

interface Started {
  content: Content;
  /** Of a GGUF file. */
  says?: GgufStart;
}

/** Bytes of a file that are looked at to tell what it is. */
const looked = 512;

/** Bytes of a GGUF file whose first keys tell whether it is a model, an adapter or a projector. */
const lookedForKeys = 4096;

const weightsName = /\.(?:safetensors|gguf|bin|pth)$/i;

/** No published model comes in more files. */
const mostWeights = 1000;

/**
 * What is there for every text of FROM, ADAPTER and DRAFT that names a path or could: ADAPTER and DRAFT
 * name nothing else, and of FROM Ollama looks on disk first (parser/parser.go expandPath). Where it
 * cannot be read there is nothing in the map. Links are followed, as Ollama follows them.
 */
export async function filesNamed(
  file: Modelfile,
  folder: string,
  host: Host,
): Promise<Map<string, FileFacts>> {
  const facts = new Map<string, FileFacts>();
  for (const keyword of ["FROM", "ADAPTER", "DRAFT"] as const) {
    for (const { value, flaws } of instructionsNamed(file, keyword)) {
      const text = value?.text ?? "";
      if (text === "" || flaws.length > 0 || facts.has(text)) continue;
      const found = await factsOf(text, keyword, folder, host).catch(() => undefined);
      if (found) facts.set(text, found);
    }
  }
  return facts;
}

async function factsOf(
  text: string,
  keyword: Keyword,
  folder: string,
  host: Host,
): Promise<FileFacts | undefined> {
  // Another user's home, which no host knows.
  if (/^~[^\\/]/.test(text)) return undefined;
  const path = host.resolve(folder, text);
  const entry = await host.stat(path);
  if (!entry) {
    const beside = host.resolve(folder, folderOf(text));
    const known = (await host.stat(beside))?.kind === "folder";
    return { kind: "missing", ...(known && { nearby: await host.list(beside) }) };
  }
  if (entry.kind === "file") {
    const bytes = keyword === "FROM" ? looked : lookedForKeys;
    const started = await startAt(path, host, bytes);
    const isAdapter = keyword === "ADAPTER" && { isAdapter: true as const };
    const found = { kind: "file" as const, path, ...started, ...isAdapter };
    if (keyword !== "FROM" || started.content !== "gguf") return found;
    return { ...found, beside: await besideFile(text, folder, host).catch(() => []) };
  }
  if (entry.kind !== "folder") return undefined;
  const names = await host.list(path);
  const weights = await weightsAmong(names, path, host);
  const pointers = takenFirst(weights).flatMap(({ name, content }) =>
    content === "git-lfs-pointer" ? [name] : [],
  );
  const linksOut = await isHubSnapshot(text, folder, host);
  return { kind: "folder", path, names, weights, pointers, ...(linksOut && { linksOut }) };
}

async function weightsAmong(
  names: readonly string[],
  path: string,
  host: Host,
): Promise<WeightsFile[]> {
  const weights: WeightsFile[] = [];
  for (const name of names.filter((one) => weightsName.test(one)).toSorted()) {
    if (weights.length === mostWeights) break;
    const inside = host.resolve(path, name);
    if ((await host.stat(inside))?.kind !== "file") continue;
    weights.push({ name, ...(await startAt(inside, host, lookedForKeys)) });
  }
  return weights;
}

/** Safetensors, where there are any, and everything else otherwise (parser/parser.go filesForModel). */
function takenFirst(weights: readonly WeightsFile[]): readonly WeightsFile[] {
  for (const pattern of [/^model.*\.safetensors$/, /^consolidated.*\.safetensors$/]) {
    const taken = weights.filter(({ name }) => pattern.test(name));
    if (taken.length > 0) return taken;
  }
  return weights;
}

/**
 * The other GGUF files in the folder of one. Only those that may be projectors by their names are opened:
 * a folder may hold hundreds of models.
 */
async function besideFile(text: string, folder: string, host: Host): Promise<WeightsFile[]> {
  const place = host.resolve(folder, folderOf(text));
  const own = text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf("\\")) + 1);
  const names = (await host.list(place)).filter((name) => name !== own && /\.gguf$/i.test(name));
  const beside: WeightsFile[] = [];
  for (const name of names.toSorted()) {
    const opened = /mmproj/i.test(name)
      ? await startAt(host.resolve(place, name), host, lookedForKeys)
      : { content: "gguf" as const };
    beside.push({ name, ...opened });
  }
  return beside;
}

/**
 * Whether a path is a model in the cache of huggingface_hub, and its files are links to `blobs` beside
 * `snapshots`; where links cannot be made, the files themselves lie there and `blobs` is empty.
 */
async function isHubSnapshot(text: string, folder: string, host: Host): Promise<boolean> {
  const [, hub] = /^(.*[\\/]?models--[^\\/]+[\\/])snapshots[\\/][^\\/]+[\\/]*$/.exec(text) ?? [];
  if (hub === undefined) return false;
  const blobs = await host.list(host.resolve(folder, `${hub}blobs`)).catch(() => []);
  return blobs.length > 0;
}

/** The folder part of a path as written, with slashes, which every system takes. */
export function folderOf(text: string): string {
  const slashes = text.replaceAll("\\", "/");
  const end = slashes.lastIndexOf("/");
  return end < 0 ? "." : slashes.slice(0, end) || "/";
}

async function startAt(path: string, host: Host, bytes: number): Promise<Started> {
  const start = await host.read(path, 0, bytes);
  const content = contentOf(start);
  return { content, ...(content === "gguf" && { says: ggufStart(start) }) };
}

/** Files that PyTorch saves, and loads by running what is in them. */
export function picklesIn({ weights = [] }: LocalFolder): string[] {
  return weights.flatMap(({ name, content }) =>
    content === "pytorch" || (content === "zip" && /\.(?:bin|pth)$/.test(name)) ? [name] : [],
  );
}

/**
 * The GGUF files that Ollama takes from a folder: all of them, where it finds nothing before them
 * (parser/parser.go filesForModel). None where one of them is no GGUF file.
 */
export function ggufsIn({ weights = [] }: LocalFolder): readonly WeightsFile[] {
  const before =
    /^(?:model|consolidated).*\.safetensors$|^pytorch_model.*\.bin$|^consolidated.*\.pth$/;
  const ggufs = weights.filter(({ name }) => name.endsWith(".gguf"));
  const blocked = weights.some(({ name }) => before.test(name));
  return blocked || ggufs.some(({ content }) => content !== "gguf") ? [] : ggufs;
}

/** One model that comes in several GGUF files, named as llama.cpp's llama_split_path does. */
export interface Split {
  /** "big" of "big-00002-of-00003.gguf". */
  stem: string;
  /** How many there should be. */
  total: number;
  /** Of those that are there, ascending. */
  numbers: readonly number[];
}

export function splitsAmong(names: readonly string[]): Split[] {
  const found = new Map<string, Split & { numbers: number[] }>();
  for (const name of names.toSorted()) {
    const [, stem = "", number, of] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/.exec(name) ?? [];
    if (number === undefined || Number(of) < 2) continue;
    const key = `${stem}/${of}`;
    const split = found.get(key) ?? { stem, total: Number(of), numbers: [] };
    split.numbers.push(Number(number));
    found.set(key, split);
  }
  return [...found.values()];
}

/** What a model's file is, where Ollama counts it as another layer than the model's. */
export function isBesideModel({ says }: Started): boolean {
  return says !== undefined && (says.type === "adapter" || isProjectorStart(says));
}

/** What a file is by its first bytes. */
export function contentOf(bytes: Uint8Array): Content {
  if (bytes.length === 0) return "empty";
  const text = new TextDecoder("latin1").decode(bytes.subarray(0, looked));
  if (text.startsWith("GGUF")) return "gguf";
  // Formats before GGUF (ggml, ggmf, ggjt, ggla) store their letters as a number, in reverse.
  if (/^(?:lmgg|fmgg|tjgg|algg|gg(?:ml|mf|jt|la))/.test(text)) return "ggml";
  if (text.startsWith("version https://git-lfs")) return "git-lfs-pointer";
  if (/^(?:\u00ef\u00bb\u00bf)?\s*<(?:!doctype|html|head|\?xml)/i.test(text)) return "html";
  // torch.save writes a ZIP archive with a pickle called data.pkl in it, or, before 1.6, the pickle alone.
  if (text.startsWith("PK\u0003\u0004")) return /data\.pkl/.test(text) ? "pytorch" : "zip";
  if (/^\u0080[\u0002-\u0005]/.test(text)) return "pytorch";
  // 8 bytes with the length of the JSON behind them.
  if (/^[^]{5}\0{3}\{/.test(text)) return "safetensors";
  return "other";
}

/**
 * Texts for which a rule tells what is wrong with the file or folder at `path`, so that failing to read a
 * model there is no news.
 */
export function textsToldOf(
  path: string | undefined,
  files: ReadonlyMap<string, FileFacts> | undefined,
): string[] {
  if (path === undefined || !files) return [];
  return [...files].flatMap(([text, facts]) => (tells(text, facts, path) ? [text] : []));
}

function tells(text: string, facts: FileFacts, path: string): boolean {
  if (facts.kind === "missing") return false;
  if (facts.kind === "file") {
    if (path !== facts.path) return false;
    const isModel = facts.says?.type === "model";
    return !isUsable(text, facts.content) || (facts.isAdapter === true && isModel);
  }
  const within = path === facts.path || /^[\\/]/.test(path.slice(facts.path.length));
  if (!path.startsWith(facts.path) || !within) return false;
  if (facts.pointers.length > 0 || parseReference(text).ok || picklesIn(facts).length > 0)
    return true;
  return splitsAmong(facts.names).some(({ total, numbers }) => numbers.length < total);
}

/**
 * Whether a file with this content may be what its text promises. Beside safetensors a Modelfile may
 * name their JSON and vocabulary files, so that what is not recognised counts by its name.
 */
export function isUsable(text: string, content: Content): boolean {
  if (content === "gguf") return true;
  if (content === "other") return !/\.(?:gguf|ggml|bin|pth?)$/i.test(text);
  if (content === "safetensors") return !/\.(?:gguf|ggml)$/i.test(text);
  return false;
}

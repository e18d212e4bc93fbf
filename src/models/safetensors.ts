import { InputError, type Host } from "../host.js";
import { quoted } from "../yaml.js";
import { headerOf } from "./catalogue-header.js";
import {
  baseShape,
  checkpointArchitecture,
  checkpointShape,
  convertedArchitecture,
  type BaseShape,
  type Checkpoint,
} from "./checkpoint.js";
import { readGguf } from "./gguf.js";
import { shapeIn } from "./header-facts.js";
import type { Header } from "./header.js";
import type { Hyperparameters } from "./hyperparameters.js";
import { count, parsed, record, text, texts, type JsonRecord } from "./json.js";
import type { Model, Shape, Weights } from "./model.js";
import { quantise } from "./quantisation.js";
import { readSafetensors, type StoredTensor } from "./safetensors-header.js";
import { modelTensors } from "./tensors.js";
import { scaledWeights, weightsOf } from "./weights.js";

/**
 * What Ollama converts a folder to: of safetensors to a GGUF file in BF16 or F16, since only
 * `ollama create --quantize` makes it smaller; a GGUF file in it as it is. The sizes are exact where the
 * tensors found are those that config.json describes. `name` is the model's.
 *
 * A folder quantised for other engines gives a model of the stored size, which they load and Ollama does
 * not: its quantisation is then "EXL2" or "EXL3". Throws InputError where the folder holds no model, is
 * incomplete or damaged, or Ollama's converter refuses it.
 */
export async function folderModel(path: string, host: Host, name: string): Promise<Model> {
  const folder = await openFolder(path, host, name);
  const files = weightFiles(folder.files);
  if (files.length === 0) return withoutSafetensors(folder, name);
  const config = await configIn(folder);
  await checkIndex(folder);
  const tensors = await tensorsIn(folder, files);
  const architecture = checkpointArchitecture(config);
  if (architecture === undefined) {
    return folder.fail("has no architectures in its config.json. Download it again.");
  }

  const stored: Stored = { ...checkpointOf(config, tensors), tensors };
  const base = baseShape(stored);
  const format = storedFormat(config, tensors);
  if (format.kind === "foreign") {
    const problem = `is quantised as ${format.name}, which Ollama does not convert.`;
    return folder.fail(`${problem} Use the unquantised model, or a GGUF file.`);
  }
  const target = convertedArchitecture(architecture);
  if (format.kind === "converted" && target === undefined) {
    const problem = `is a ${architecture}, which Ollama does not convert.`;
    const help = "Make a GGUF file of it with llama.cpp's convert_hf_to_gguf.py and name that.";
    return folder.fail(`${problem} ${help}`);
  }
  if (!base) return folder.fail(incomplete);
  const sizes =
    format.kind === "converted"
      ? convertedSizes(stored, base, target!, format.name, folder.fail)
      : storedSizes(stored, base, text(config["model_type"]) ?? architecture);
  const from = `safetensors and config.json in ${name}`;
  return {
    name,
    source: "folder",
    ...sizes,
    quantisation: format.name,
    ...(await spokenIn(folder, config)),
    origins: [{ facts: ["keys", "tensors"], from, exact: sizes.exact }],
  };
}

type Sizes = Pick<Model, "exact" | "shape" | "weights" | "fileBytes" | "header">;

interface Stored extends Checkpoint {
  tensors: readonly StoredTensor[];
}

/** As another engine loads it: nothing is converted. */
function storedSizes({ tensors }: Stored, base: BaseShape, architecture: string): Sizes {
  const weights = storedWeights(tensors, base, ({ bytes }) => bytes);
  const shape = plainShape(architecture, base);
  return { exact: false, shape, weights, fileBytes: weights.total };
}

/** Of the GGUF file that Ollama makes. */
function convertedSizes(
  stored: Stored,
  base: BaseShape,
  architecture: string,
  type: string,
  fail: (problem: string) => never,
): Sizes {
  const made = madeOf(stored, type);
  if (made) {
    const { weights, header } = made;
    const shape = { ...shapeIn(header, fail), architecture, blocks: base.block_count };
    const fileBytes = weights.total + headerBytes(shape);
    // Releases before 0.22 do not read such weights.
    return { exact: made.complete && type !== "Q8_0", shape, weights, fileBytes, header };
  }
  const halved = storedWeights(stored.tensors, base, convertedBytes);
  const weights =
    type === "Q8_0" ? scaledWeights(halved, Math.round((halved.total * 8.5) / 16)) : halved;
  const shape = plainShape(architecture, base);
  return { exact: false, shape, weights, fileBytes: weights.total + headerBytes(shape) };
}

const incomplete = "has a config.json without num_hidden_layers or hidden_size. Download it again.";

/** What stands in front of the tensors: vocabulary and merges, as long as is usual. */
function headerBytes({ vocabulary }: Pick<Shape, "vocabulary">): number {
  return 50 * vocabulary;
}

interface Folder {
  path: string;
  host: Host;
  files: readonly string[];
  /** Throws InputError; `problem` follows the folder's name, a verb first. */
  fail: (problem: string) => never;
}

/** Files of more than this many are no model's. */
const mostFiles = 10_000;

async function openFolder(path: string, host: Host, name: string): Promise<Folder> {
  const fail = (problem: string): never => {
    throw new InputError(`${quoted(name)} ${problem}`, { path });
  };
  const entry = await host.stat(path);
  if (!entry) return fail("does not exist.");
  if (entry.kind !== "folder") {
    // Ollama is given this file alone, and misses config.json (parseFromModelfile in cmd/cmd.go).
    if (/adapter/i.test(name))
      return fail("is an adapter and no model. Name its folder in ADAPTER.");
    return fail("is one file, and Ollama converts folders with a config.json. Name its folder.");
  }
  const files = await host.list(path).catch(() => fail("cannot be listed. Check its permissions."));
  if (files.length > mostFiles) fail(`holds ${files.length} files. Name the model's own folder.`);
  return { path, host, files: files.toSorted(), fail };
}

/** The first pattern that finds any, as filesForModel in Ollama's parser/parser.go. */
function weightFiles(files: readonly string[]): readonly string[] {
  for (const pattern of [/^model.*\.safetensors$/, /^consolidated.*\.safetensors$/]) {
    const found = files.filter((file) => pattern.test(file));
    if (found.length > 0) return found;
  }
  return files.filter((file) => file.endsWith(".safetensors") && !isAdapter(file));
}

function isAdapter(file: string): boolean {
  return /^adapters?(?:_model)?\.safetensors$/.test(file);
}

/** A folder with GGUF files, or with nothing that Ollama takes for a model. */
async function withoutSafetensors(
  { path, host, files, fail }: Folder,
  name: string,
): Promise<Model> {
  const ggufs = files.filter((file) => /\.gguf$/i.test(file) && !/mmproj/i.test(file));
  const first = ggufs.filter((file) => !/-(?!00001)\d{5}-of-\d{5}\.gguf$/i.test(file));
  // Of several, Ollama loads the last.
  const last = first.at(-1);
  if (last !== undefined) {
    const model = await readGguf(host.resolve(path, last), host, name);
    return first.length === 1 ? model : { ...model, exact: false };
  }
  if (files.includes("adapter_config.json") || files.some(isAdapter)) {
    return fail("is an adapter and no model. Name it in ADAPTER.");
  }
  if (files.some((file) => /^(?:pytorch_model.*\.bin|consolidated.*\.pth)$/.test(file))) {
    return fail("holds PyTorch weights, which are not read here. Save it as safetensors.");
  }
  return fail("holds no model: no *.safetensors and no *.gguf. Name the folder with the weights.");
}

/** Bytes; config.json has a few thousand, an index of the largest model 10 million. */
const longestConfig = 2 ** 20;
const longestIndex = 32 * 2 ** 20;

/** A JSON file in the folder; undefined where there is none. */
async function jsonIn(
  { path, host, files, fail }: Folder,
  file: string,
  longest: number,
): Promise<JsonRecord | undefined> {
  if (!files.includes(file)) return undefined;
  const bytes = await host
    .read(host.resolve(path, file), 0, longest + 1)
    .catch(() => fail(`has a ${file} that cannot be read. Check its permissions.`));
  if (bytes.length > longest) return fail(`has a ${file} that is too large to be one.`);
  const source = new TextDecoder().decode(bytes);
  if (source.startsWith("version https://git-lfs")) {
    fail(`has a ${file} that is a Git LFS pointer. Run \`git lfs pull\`.`);
  }
  // Python writes them, and Ollama reads them since 0.30 (convert/json_compat.go).
  const finite = source.replace(/(?<=[:[,]\s*)(?:NaN|-?Infinity)\b/g, "null");
  return record(parsed(finite)) ?? fail(`has a damaged ${file}. Download it again.`);
}

async function configIn(folder: Folder): Promise<JsonRecord> {
  const config = await jsonIn(folder, "config.json", longestConfig);
  return config ?? folder.fail("has no config.json, which says what the model is. Download it.");
}

/** Every file that the index names must be there: a model is often downloaded in part. */
async function checkIndex(folder: Folder): Promise<void> {
  const index = await jsonIn(folder, "model.safetensors.index.json", longestIndex);
  const map = record(index?.["weight_map"]);
  if (!map) return;
  const named = new Set(texts(Object.values(map)));
  const missing = [...named].filter((file) => !folder.files.includes(file));
  if (missing.length === 0) return;
  const [first] = missing;
  const those = missing.length === 1 ? "is" : `and ${missing.length - 1} more are`;
  folder.fail(
    `is not complete: ${quoted(first!)} ${those} missing of ${named.size} files. Download it again.`,
  );
}

async function tensorsIn(
  { path, host, fail }: Folder,
  files: readonly string[],
): Promise<StoredTensor[]> {
  const tensors = new Map<string, StoredTensor>();
  for (const file of files) {
    for (const tensor of await readSafetensors(host.resolve(path, file), host)) {
      if (tensors.has(tensor.name)) {
        fail(`holds the tensor ${quoted(tensor.name)} in two files. Keep one set of them.`);
      }
      tensors.set(tensor.name, tensor);
    }
  }
  if (tensors.size === 0) fail("holds no tensors. Download it again.");
  return [...tensors.values()];
}

function checkpointOf(config: JsonRecord, tensors: readonly StoredTensor[]): Checkpoint {
  const text = tensors.filter(({ name }) => !isTower(name));
  return { config, shapeOf: (end) => text.find(({ name }) => name.endsWith(end))?.shape };
}

/** converted: what Ollama makes of it; loaded: by another engine, as it is; foreign: by neither. */
interface Format {
  kind: "converted" | "loaded" | "foreign";
  name: string;
}

/** What the weights are stored as, and so what Ollama converts them to. */
function storedFormat(config: JsonRecord, tensors: readonly StoredTensor[]): Format {
  const settings = record(config["quantization_config"]) ?? record(config["compression_config"]);
  const method = (text(settings?.["quant_method"]) ?? "").toLowerCase();
  const ends = (end: string) => tensors.some(({ name }) => name.endsWith(end));
  if (method === "exl2" || ends(".q_weight")) return { kind: "loaded", name: "EXL2" };
  if (method === "exl3" || ends(".trellis")) return { kind: "loaded", name: "EXL3" };
  const types = new Map<string, number>();
  for (const { name, type, shape, elements } of tensors) {
    if (shape.length > 1 && !isTower(name)) types.set(type, (types.get(type) ?? 0) + elements);
  }
  const [most = "BF16"] = [...types].toSorted((a, b) => b[1] - a[1])[0] ?? [];
  // gpt-oss is published in the format that Ollama keeps it in.
  if (method === "mxfp4" && ends("_blocks")) return { kind: "converted", name: "MXFP4" };
  // Since 0.22, such weights become Q8_0.
  if (types.has("F8_E4M3")) return { kind: "converted", name: "Q8_0" };
  if (record(config["quantization"])) return { kind: "foreign", name: "MLX" };
  if (most === "BF16") return { kind: "converted", name: "BF16" };
  if (/^F(?:16|32|64)$/.test(most)) return { kind: "converted", name: "F16" };
  return { kind: "foreign", name: methods.get(method) ?? most };
}

/** As their makers spell them. */
const methods = new Map([
  ["aqlm", "AQLM"],
  ["awq", "AWQ"],
  ["bitsandbytes", "bitsandbytes"],
  ["compressed-tensors", "compressed-tensors"],
  ["gptq", "GPTQ"],
  ["hqq", "HQQ"],
]);

/** Tensors of towers for pictures and sound, and of what leads from them into the text model. */
function isTower(name: string): boolean {
  return /^(?:model\.)?(?:visual|vision_|audio_|multi_modal_|mm_|embed_(?:vision|audio)|aligner)/.test(
    name,
  );
}

/** Nothing that a converter keeps: constants that are computed anew, scales of weights, poolers. */
const leftOut =
  /(?:rotary_emb\.inv_freq|\.masked_bias|position_ids|_scales|(?:weight|input|[kv])_scale(?:_inv)?)$|^(?:bert\.)?pooler\./;

function blockOf(name: string): number | undefined {
  const number = /(?:^|\.)(?:layers?|h|blocks?)\.(\d+)\./.exec(name)?.[1];
  return number === undefined || isTower(name) || name.startsWith("mtp.")
    ? undefined
    : Number(number);
}

interface Made {
  weights: Weights;
  header: Header;
  /** The tensors found are those that config.json describes. */
  complete: boolean;
}

/** Undefined where the tensors of this architecture are not known one by one. */
function madeOf(stored: Stored, type: string): Made | undefined {
  const { tensors } = stored;
  const model = checkpointShape(stored);
  const described = model && elementsOf(model);
  if (!model || described === undefined) return undefined;
  const made = quantise(model, {
    fileType: type,
    era: type === "Q8_0" ? "ollama-2026-04" : "llama-2024",
    // Kind in convert/reader.go: of the embeddings only token_types stays in full precision.
    overrides: { "position_embd.weight": type === "BF16" ? "BF16" : "F16" },
  });
  const header = headerOf(model, made, {
    fileType: type,
    ...(model.architecture === "bert" && { pooling: 2 }),
  });
  if (!header) return undefined;
  const tower = tensors.filter(({ name }) => isTower(name));
  const towerBytes = tower.reduce((sum, tensor) => sum + convertedBytes(tensor), 0);
  const own = weightsOf(made, model.block_count);
  return {
    weights: { ...own, total: own.total + towerBytes, other: own.other + towerBytes },
    header,
    complete: described === storedElements(tensors, model),
  };
}

/** Elements of the text model, rotary factors aside: nobody stores them. Undefined where a number is missing. */
function elementsOf(model: Hyperparameters): number | undefined {
  try {
    return modelTensors(model)
      .filter(({ name }) => !name.startsWith("rope_f"))
      .reduce((sum, { elements }) => sum + elements, 0);
  } catch {
    return undefined;
  }
}

function storedElements(
  tensors: readonly StoredTensor[],
  { block_count: blocks, extra }: Hyperparameters,
): number {
  let sum = 0;
  for (const { name, elements } of tensors) {
    if (isTower(name) || leftOut.test(name)) continue;
    if ((blockOf(name) ?? 0) >= blocks) continue;
    if (name.startsWith("mtp.") && !extra?.mtp_layers) continue;
    // Two elements in a byte.
    sum += name.endsWith("_blocks") ? 2 * elements : elements;
  }
  return sum;
}

/** Bytes of a tensor in the GGUF file that Ollama makes: vectors keep full precision (convert/reader.go). */
function convertedBytes({ shape, elements }: StoredTensor): number {
  return elements * (shape.length > 1 ? 2 : 4);
}

/** Tensors by the place that engines give them, each as many bytes as `bytes` says. */
function storedWeights(
  tensors: readonly StoredTensor[],
  { block_count: count }: BaseShape,
  bytes: (tensor: StoredTensor) => number,
): Weights {
  const named = tensors.map((tensor) => {
    const block = blockOf(tensor.name);
    const name = block === undefined ? placeOf(tensor.name) : `blk.${block}.`;
    return { name, bytes: bytes(tensor) };
  });
  return weightsOf(named, count);
}

function placeOf(name: string): string {
  if (isTower(name)) return "v.";
  if (/(?:embed_tokens|word_embeddings|wte)\./.test(name)) return "token_embd.";
  if (/(?:^|\.)lm_head\./.test(name)) return "output.";
  return /(?:^|\.)(?:norm|ln_f|final_layernorm)\./.test(name) ? "output_norm." : name;
}

function plainShape(architecture: string, base: BaseShape): Shape {
  return {
    architecture,
    blocks: base.block_count,
    ...(base.context_length > 0 && { trainedContext: base.context_length }),
    embedding: base.embedding_length,
    vocabulary: base.vocab_size,
    ...(base.feed_forward_length !== undefined && { feedForward: base.feed_forward_length }),
    heads: base.head_count,
    headsKv: base.head_count_kv,
    keyLength: base.key_length,
    valueLength: base.value_length,
  };
}

/** A chat template in tokenizer_config.json may be long, a file of its own is nothing else. */
const longestTemplate = 2 ** 20;

/** The chat template, and what the vocabulary says of itself. */
async function spokenIn(
  folder: Folder,
  config: JsonRecord,
): Promise<Pick<Model, "template" | "tokenizer">> {
  const { path, host, files } = folder;
  const settings = await jsonIn(folder, "tokenizer_config.json", 16 * 2 ** 20).catch(
    () => undefined,
  );
  let template = text(settings?.["chat_template"]);
  if (files.includes("chat_template.jinja")) {
    const bytes = await host
      .read(host.resolve(path, "chat_template.jinja"), 0, longestTemplate)
      .catch(() => undefined);
    if (bytes) template = new TextDecoder().decode(bytes);
  }
  const inner = record(config["text_config"]);
  const tokens = count(config["vocab_size"]) ?? count(inner?.["vocab_size"]);
  const [bos, eos] = [count(config["bos_token_id"]), count(config["eos_token_id"])];
  return {
    ...(template !== undefined && { template: { text: template, language: "jinja" } }),
    ...(tokens !== undefined && {
      tokenizer: {
        tokens,
        ...(bos !== undefined && { bos }),
        ...(eos !== undefined && { eos }),
      },
    }),
  };
}

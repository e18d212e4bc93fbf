import { InputError, type Host } from "../host.js";
import { formatBytes } from "../machines/sizes.js";
import { quoted } from "../yaml.js";
import type { Model, PerBlock, Shape } from "./model.js";
import { blockOf, fileTypes, tensorTypes } from "./tensor-types.js";
import { weightsOf } from "./weights.js";

/** What stands in front of the tensors' data. */
interface Header {
  /** By key; integers of 64 bits are bigint. */
  metadata: ReadonlyMap<string, unknown>;
  tensors: readonly GgufTensor[];
  /** What the file has, or would have with all its tensors. */
  fileBytes: number;
}

interface GgufTensor {
  name: string;
  /** Elements, the row length first. */
  dims: readonly number[];
  /** Without padding: ggml_nbytes. */
  bytes: number;
}

/** The largest vocabularies known make 20 MB; a reader's time grows with the square. */
const longestHeader = 32 * 2 ** 20;
/** LLAMA_MAX_LAYERS in llama.cpp's src/llama-hparams.h. */
const mostBlocks = 512;
/** Of tensors and of keys. Models with a tensor for each expert come near, all others stay far below. */
const mostEntries = 100_000;
const oldFormats = new Set(["ggml", "ggmf", "ggjt", "ggla", "ggsn"]);

/**
 * The model in a GGUF file, or in the file and the other parts beside it where it is split. Only the
 * header is read, so the tensors' data may be missing: `fileBytes` is then what the header says.
 * `name` is the model's. Throws InputError where the file is missing, unreadable, damaged or no model.
 */
export async function readGguf(path: string, host: Host, name: string): Promise<Model> {
  const first = await readHeader(path, host);
  const parts = [first, ...(await readOtherParts(path, first, host))];
  const tensors = parts.flatMap((part) => part.tensors);
  if (tensors.length === 0) fail(path, "holds no tensors. Name the file with the weights.");
  if (new Set(tensors.map((tensor) => tensor.name)).size < tensors.length) {
    fail(path, "and its other parts hold a tensor twice. Download them again.");
  }
  const shape = shapeOf(path, first.metadata, tensors);
  const quantisation = quantisationOf(first.metadata);
  return {
    name,
    source: "gguf",
    exact: true,
    shape,
    weights: weightsOf(tensors, shape.blocks),
    fileBytes: parts.reduce((sum, { fileBytes }) => sum + fileBytes, 0),
    ...(quantisation !== undefined && { quantisation }),
  };
}

/**
 * Every problem of a file is told about its name: the whole of it, since the parts of a split model
 * differ only at the end.
 */
function fail(path: string, problem: string): never {
  throw new InputError(`${called(fileName(path))} ${problem}`, { path });
}

function damaged(path: string, how: string): never {
  return fail(path, `has a damaged header: ${how}. Download it again.`);
}

function cutOff(path: string): never {
  return fail(path, "ends inside its header. Download it again.");
}

function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

function called(name: string): string {
  return `"${name.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, "?")}"`;
}

async function readHeader(path: string, host: Host): Promise<Header> {
  const entry = await host.stat(path);
  if (!entry) fail(path, "does not exist.");
  if (entry.kind === "folder") fail(path, "is a folder. Name the GGUF file in it.");
  if (entry.kind !== "file") fail(path, "is no regular file.");
  const { size } = entry;
  const read = async (start: number, end: number) => {
    const wanted = Math.min(end, size) - start;
    if (wanted <= 0) return new Uint8Array();
    const bytes = await host
      .read(path, start, start + wanted)
      .catch(() => fail(path, "cannot be read. Check its permissions."));
    return bytes.length < wanted ? cutOff(path) : bytes;
  };

  const keys = checkStart(path, await read(0, 24), size);
  const { gguf } = await import("@huggingface/gguf");
  const parsed = await gguf("https://gguf.invalid/", { fetch: answer(path, read, size) }).catch(
    (error: unknown) => {
      if (error instanceof InputError) throw error;
      // The library's words are about its own limits, and some are a bare RangeError.
      return damaged(path, "a length or a type in it is impossible");
    },
  );

  // The library takes what lies behind the end of the file for zeros.
  const { tensorInfos, tensorInfoByteRange } = parsed;
  const metadata = new Map<string, unknown>(Object.entries(parsed.metadata));
  const headerEnd = tensorInfoByteRange[1];
  if (headerEnd > size) cutOff(path);
  // Version and counts stand in the metadata too, under keys of their own; "__proto__" gives no key.
  if (metadata.size !== keys + 3 || metadata.has("")) damaged(path, "a key stands in it twice");

  const alignment = metadata.get("general.alignment") ?? 32;
  if (typeof alignment !== "number" || !isPowerOfTwo(alignment)) {
    damaged(path, "its alignment is no power of two");
  }
  const tensors = tensorInfos.map(({ name, shape, dtype }) => {
    const dims = shape.map(Number);
    return { name, dims, bytes: bytesOf(path, name, dims, dtype) };
  });
  const dataStart = padded(headerEnd, alignment);
  const dataBytes = laidOut(path, tensors, tensorInfos, alignment);
  return { metadata, tensors, fileBytes: Math.max(size, dataStart + dataBytes) };
}

/**
 * Looks at magic, version and counts before anything is made of them, and returns the number of keys.
 * The layout is that of ggml's docs/gguf.md; version 1 counts in 32 bits, and files written on
 * big-endian machines have everything but the magic reversed.
 */
function checkStart(path: string, start: Uint8Array, size: number): number {
  const text = new TextDecoder("latin1").decode(start);
  if (size === 0) fail(path, "is empty. Download it again.");
  if (text.startsWith("version https://git-lfs")) {
    fail(path, "is a Git LFS pointer and not the file itself. Run `git lfs pull`.");
  }
  const magic = text.slice(0, 4);
  // The formats before GGUF store theirs as a number, so that its letters stand in reverse.
  const old = [magic, magic.split("").toReversed().join("")].find((name) => oldFormats.has(name));
  if (old !== undefined) {
    fail(path, `is a ${old} file, and llama.cpp reads GGUF only. Convert the model again.`);
  }
  if (magic !== "GGUF") {
    const hint = text.startsWith("<") ? " Download the file itself, not its web page." : "";
    fail(path, `is no GGUF file: it starts with ${quoted(magic)}.${hint}`);
  }

  if (start.length < 8) cutOff(path);
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  // No version is as large as the other byte order makes it.
  const little = (view.getUint32(4, true) & 0xffff) !== 0;
  const version = view.getUint32(4, little);
  if (version < 1 || version > 3) {
    fail(
      path,
      `says it has GGUF version ${version}, and only 1 to 3 are known. Download it again.`,
    );
  }
  if (start.length < (version === 1 ? 16 : 24)) cutOff(path);
  const count = (at: number) =>
    version === 1 ? view.getUint32(at, little) : Number(view.getBigUint64(at, little));
  const [tensors, keys] = version === 1 ? [count(8), count(12)] : [count(8), count(16)];
  // The least that a key takes: its length, a type, one byte; and a tensor: its length, the number
  // of its dimensions, a type, an offset.
  const [leastKey, leastTensor] = version === 1 ? [9, 20] : [13, 24];
  if (tensors > mostEntries || keys > mostEntries) {
    damaged(path, `it counts ${tensors} tensors and ${keys} keys`);
  }
  if (keys * leastKey + tensors * leastTensor > size) cutOff(path);
  return keys;
}

/** Answers the library's requests for ranges of bytes; nothing goes over a network. */
function answer(
  path: string,
  read: (start: number, end: number) => Promise<Uint8Array>,
  size: number,
): typeof fetch {
  return async (_, request) => {
    const range = new Headers(request?.headers).get("range") ?? "";
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? [];
    const [start, end] = [Number(first), Number(last) + 1];
    // It asks one piece ahead; a second one behind the end means that the header goes on there.
    if (start >= size + (end - start)) cutOff(path);
    if (start >= longestHeader) {
      const most = formatBytes(longestHeader);
      fail(
        path,
        `has a header of more than ${most}, and no model needs as much. Download it again.`,
      );
    }
    return new Response(new Uint8Array(await read(start, end)), { status: 206 });
  };
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && Number.isInteger(Math.log2(value));
}

function padded(bytes: number, alignment: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Ollama's first gpt-oss files have MXFP4 under the number of the dropped Q4_2 (its fs/ggml/type.go). */
const typeNames = new Map([
  ...tensorTypes.map(({ id, name }) => [id, name] as const),
  [4, "MXFP4"],
]);
const dropped = new Set(
  tensorTypes.filter(({ typeSize }) => typeSize === undefined).map(({ name }) => name),
);

function bytesOf(path: string, name: string, dims: readonly number[], id: number): number {
  const type = typeNames.get(id);
  if (type === undefined) {
    fail(path, `has a tensor ${quoted(name)} of the unknown type ${id}. Update modelfile-lint.`);
  }
  if (dropped.has(type)) {
    fail(path, `has tensors of type ${type}, which llama.cpp dropped. Quantise the model again.`);
  }
  const block = blockOf(type);
  const elements = dims.reduce((product, length) => product * length, 1);
  const bytes = (elements / block.elements) * block.bytes;
  // GGML_MAX_DIMS is 4, and a row is made of whole blocks (gguf_init_from_file in ggml/src/gguf.cpp).
  const whole = (dims[0] ?? 1) % block.elements === 0;
  if (
    dims.length > 4 ||
    !whole ||
    !Number.isSafeInteger(elements) ||
    !Number.isSafeInteger(bytes)
  ) {
    damaged(path, `tensor ${quoted(name)} has an impossible shape`);
  }
  return bytes;
}

/**
 * Bytes of the data of all tensors. They lie one behind the other in the order of the table, or
 * gguf_init_from_file refuses the file; this tells a damaged table from a sound one.
 */
function laidOut(
  path: string,
  tensors: readonly GgufTensor[],
  stored: readonly { offset: bigint }[],
  alignment: number,
): number {
  const names = new Set<string>();
  let end = 0;
  for (const [i, { name, bytes }] of tensors.entries()) {
    if (name === "" || names.has(name)) damaged(path, `tensor ${quoted(name)} stands in it twice`);
    names.add(name);
    if (stored[i]!.offset !== BigInt(end)) {
      damaged(path, `tensor ${quoted(name)} does not lie behind the one before it`);
    }
    end = padded(end + bytes, alignment);
    if (!Number.isSafeInteger(end)) damaged(path, "its tensors are larger than any disk");
  }
  return end;
}

function shapeOf(
  path: string,
  metadata: Header["metadata"],
  tensors: readonly GgufTensor[],
): Shape {
  const architecture = metadata.get("general.architecture");
  if (typeof architecture !== "string" || !/^[\w.-]{1,64}$/.test(architecture)) {
    fail(path, "has no usable general.architecture. Convert the model again.");
  }
  if (architecture === "clip") {
    fail(path, "is a projector for images or sound. Name the model's own file.");
  }
  if (metadata.get("general.type") === "adapter") {
    fail(path, "is an adapter and no model. Name it in ADAPTER.");
  }

  const value = (key: string) => metadata.get(`${architecture}.${key}`);
  const unusable = (key: string) =>
    fail(path, `has no usable ${architecture}.${key}. Convert the model again.`);
  const needed = (key: string) => wholeNumber(value(key)) ?? unusable(key);

  const blocks = needed("block_count");
  if (blocks > mostBlocks) {
    fail(
      path,
      `says it has ${blocks} blocks, and llama.cpp takes ${mostBlocks}. Download it again.`,
    );
  }
  const perBlock = (key: string): PerBlock | undefined => {
    const found = value(key);
    if (found === undefined) return undefined;
    if (!Array.isArray(found)) return wholeNumber(found) ?? unusable(key);
    const numbers = found.slice(0, blocks).map(wholeNumber);
    if (numbers.length < blocks) unusable(key);
    return numbers.map((number) => number ?? unusable(key));
  };

  const embedding = needed("embedding_length");
  const heads = perBlock("attention.head_count") ?? 0;
  const feedForward = perBlock("feed_forward_length");
  const trainedContext = wholeNumber(value("context_length"));
  const experts = wholeNumber(value("expert_count")) ?? 0;
  const slidingWindow = wholeNumber(value("attention.sliding_window")) ?? 0;
  // llama_model::load_hparams; blocks without attention have no heads.
  const some = [heads].flat().find((count) => count > 0);
  const perHead = some === undefined ? 0 : Math.floor(embedding / some);
  const tokens = metadata.get("tokenizer.ggml.tokens");
  const embedded = tensors.find(({ name }) => name === "token_embd.weight")?.dims[1];
  return {
    architecture,
    blocks,
    ...(trainedContext !== undefined && { trainedContext }),
    embedding,
    vocabulary:
      wholeNumber(value("vocab_size")) ?? (Array.isArray(tokens) ? tokens.length : (embedded ?? 0)),
    ...(feedForward !== undefined && { feedForward }),
    heads,
    // llama.cpp: as many as heads where the file does not say.
    headsKv: perBlock("attention.head_count_kv") ?? heads,
    keyLength: wholeNumber(value("attention.key_length")) ?? perHead,
    valueLength: wholeNumber(value("attention.value_length")) ?? perHead,
    ...(experts > 0 && { experts }),
    ...(slidingWindow > 0 && { slidingWindow }),
    ...(value("pooling_type") !== undefined && { embeddingOnly: true }),
  };
}

/** The number, where it is a whole one that JavaScript counts exactly. */
function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === "bigint" ? Number(value) : value;
  return typeof number === "number" && Number.isSafeInteger(number) && number >= 0
    ? number
    : undefined;
}

/** Undefined where the file does not say, or only guessed. */
function quantisationOf(metadata: Header["metadata"]): string | undefined {
  const id = wholeNumber(metadata.get("general.file_type"));
  const name = fileTypes.find((type) => type.id === id)?.name;
  return name === "GUESSED" ? undefined : name;
}

/**
 * The second and further parts of a split model. They lie beside the first and are called as
 * llama_split_path in llama.cpp calls them: "x-00002-of-00003.gguf".
 */
async function readOtherParts(path: string, first: Header, host: Host): Promise<Header[]> {
  const name = fileName(path);
  const [, stem = "", number, total] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(name) ?? [];
  const count = wholeNumber(first.metadata.get("split.count")) ?? Number(total ?? 1);
  if (count <= 1) return [];
  const part = (at: number) => `${stem}-${fiveDigits(at)}-of-${fiveDigits(count)}.gguf`;
  if (Number(total) !== count) {
    const end = part(1 + (wholeNumber(first.metadata.get("split.no")) ?? 0)).slice(stem.length);
    fail(path, `is one of ${count} parts, which its name hides. Let it end in ${called(end)}.`);
  }
  if (Number(number) !== 1) {
    fail(path, `is part ${Number(number)} of ${count}. Name the first: ${called(part(1))}.`);
  }

  const folder = host.resolve(path, "..");
  const others: Header[] = [];
  for (let at = 2; at <= count; at++) {
    const other = host.resolve(folder, part(at));
    if (!(await host.stat(other))) {
      const message = `${called(part(at))} is missing beside ${called(name)}.`;
      throw new InputError(`${message} Keep all ${count} parts in one folder.`, { path });
    }
    others.push(await readHeader(other, host));
  }
  return others;
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, "0");
}

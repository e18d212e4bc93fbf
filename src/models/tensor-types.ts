import facts from "../facts/quants.json" with { type: "json" };

/** A storage format of ggml: elements come in blocks of `blockSize`, each `typeSize` bytes long. */
export interface TensorType {
  /** ggml_type, as GGUF files store it. */
  id: number;
  name: string;
  /** Absent for types that ggml dropped. */
  blockSize?: number;
  typeSize?: number;
  /** What rows are quantised to whose length is no multiple of the block. */
  fallback?: string;
  /** Only sensible with an importance matrix: llama-quantize refuses it without. */
  imatrixRequired?: boolean;
}

/** llama_ftype: what general.file_type stores, and the type that most tensors of such a file have. */
export interface FileType {
  id: number;
  name: string;
  tensorType?: string;
  removed?: boolean;
}

interface Quants {
  tensorTypes: readonly TensorType[];
  fileTypes: readonly FileType[];
  /** Other spellings that Ollama takes: "FP16". */
  aliases: Readonly<Record<string, string>>;
  kvCacheBytesPerElement: Readonly<Record<string, number>>;
}

const quants = facts as Quants;

export const tensorTypes: readonly TensorType[] = quants.tensorTypes;
export const fileTypes: readonly FileType[] = quants.fileTypes;

/** Bytes of one element of a KV cache, by OLLAMA_KV_CACHE_TYPE or llama.cpp's --cache-type-k. */
export const kvCacheBytesPerElement = quants.kvCacheBytesPerElement;

const typesByName = new Map(tensorTypes.map((type) => [type.name, type]));
const fileTypesByName = new Map(fileTypes.map((type) => [type.name, type]));

/** The file type of that name or alias, any case: "q4_K_M", "fp16". */
export function fileType(name: string): FileType | undefined {
  const upper = name.toUpperCase();
  return fileTypesByName.get(quants.aliases[upper] ?? upper);
}

/**
 * Elements and bytes of one block.
 * @throws Error where ggml has or had no such type.
 */
export function blockOf(name: string): { elements: number; bytes: number; fallback?: string } {
  const type = typesByName.get(name);
  if (type?.blockSize === undefined || type.typeSize === undefined) {
    throw new Error(`"${name}" is no type that tensors can have.`);
  }
  const { blockSize: elements, typeSize: bytes, fallback } = type;
  return { elements, bytes, ...(fallback !== undefined && { fallback }) };
}

/**
 * Bytes that a tensor takes in a GGUF file: its data, padded to 32 bytes (GGUF's default alignment,
 * ggml/include/gguf.h). `dims` are elements, the row length first.
 * @throws RangeError where the result would not be exact.
 */
export function tensorBytes(type: string, dims: readonly number[]): number {
  const block = blockOf(type);
  const elements = dims.reduce((product, length) => product * length, 1);
  const bytes = Math.ceil((Math.ceil(elements / block.elements) * block.bytes) / 32) * 32;
  if (!Number.isSafeInteger(bytes) || !Number.isSafeInteger(elements)) {
    throw new RangeError(`A tensor of ${dims.join(" x ")} elements is too large to count.`);
  }
  return bytes;
}

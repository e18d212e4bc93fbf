import { blockOf, fileType, tensorTypes } from "../src/models/tensor-types.js";

/** GGUF's types of values by the number that files store (ggml/include/gguf.h). */
const types = {
  uint8: 0,
  int8: 1,
  uint16: 2,
  int16: 3,
  uint32: 4,
  int32: 5,
  float32: 6,
  bool: 7,
  string: 8,
  array: 9,
  uint64: 10,
  int64: 11,
  float64: 12,
} as const;

type Numeric = Exclude<keyof typeof types, "array" | "string">;
type Scalar = string | boolean | number | bigint;

/** An array without a type of its own has that of its first element. */
export type GgufValue =
  Scalar | readonly Scalar[] | { type: Numeric | "string"; value: Scalar | readonly Scalar[] };

export interface GgufTensor {
  name: string;
  /** "F32", "Q4_K" … */
  type: string;
  /** Elements, the row length first. */
  dims: readonly number[];
}

/** How a file is written; version 1 has lengths and counts of 32 bits. */
export interface GgufForm {
  version?: 1 | 2 | 3;
  little?: boolean;
}

/**
 * The header of a GGUF file, of version 3 and little-endian if not told otherwise, without the tensors'
 * data. Texts, truth values, whole numbers and fractions become string, bool, uint32 (int32 below 0) and
 * float32; bigint is uint64.
 */
export function ggufHeader(
  metadata: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
  { version = 3, little = true }: GgufForm = {},
): Uint8Array {
  const length = version === 1 ? "uint32" : "uint64";
  const out = collected(little, length);
  out.add(encoder.encode("GGUF"));
  out.number("uint32", version);
  out.number(length, tensors.length);
  out.number(length, Object.keys(metadata).length);
  for (const [key, given] of Object.entries(metadata)) {
    const typed = typeof given === "object" && "type" in given;
    const value = typed ? given.value : given;
    const elements = typeof value === "object" ? value : [value];
    const type = typed ? given.type : typeOf(elements[0] ?? "");
    out.text(key);
    if (typeof value === "object") {
      out.number("uint32", types.array);
      out.number("uint32", types[type]);
      out.number(length, elements.length);
    } else out.number("uint32", types[type]);
    for (const element of elements) {
      if (type === "string") out.text(String(element));
      else out.number(type, element);
    }
  }

  const alignment = Number(metadata["general.alignment"] ?? 32);
  let offset = 0;
  for (const { name, type, dims } of tensors) {
    out.text(name);
    out.number("uint32", dims.length);
    for (const elements of dims) out.number(length, elements);
    out.number("uint32", tensorTypes.find((known) => known.name === type)!.id);
    out.number("uint64", offset);
    const { elements, bytes } = blockOf(type);
    const data = (dims.reduce((product, length) => product * length, 1) / elements) * bytes;
    offset += Math.ceil(data / alignment) * alignment;
  }
  return out.padded(alignment);
}

/** Metadata and tensors of a small model of the llama architecture: two blocks and 32 words. */
export function smallLlama(): { metadata: Record<string, GgufValue>; tensors: GgufTensor[] } {
  const blocks = [0, 1].flatMap((block) => [
    { name: `blk.${block}.attn_norm.weight`, type: "F32", dims: [256] },
    { name: `blk.${block}.attn_q.weight`, type: "Q4_K", dims: [256, 256] },
    { name: `blk.${block}.attn_k.weight`, type: "Q4_K", dims: [256, 64] },
    { name: `blk.${block}.attn_v.weight`, type: "Q6_K", dims: [256, 64] },
    { name: `blk.${block}.ffn_down.weight`, type: "Q6_K", dims: [512, 256] },
  ]);
  return {
    metadata: {
      "general.architecture": "llama",
      "general.name": "Small",
      "general.file_type": fileType("Q4_K_M")!.id,
      "llama.block_count": 2,
      "llama.context_length": 4096,
      "llama.embedding_length": 256,
      "llama.feed_forward_length": 512,
      "llama.attention.head_count": 8,
      "llama.attention.head_count_kv": 2,
      "llama.attention.layer_norm_rms_epsilon": 1e-5,
      "tokenizer.ggml.model": "gpt2",
      "tokenizer.ggml.tokens": Array.from({ length: 32 }, (_, i) => `t${i}`),
    },
    tensors: [
      { name: "token_embd.weight", type: "Q4_K", dims: [256, 32] },
      ...blocks,
      { name: "output_norm.weight", type: "F32", dims: [256] },
      { name: "output.weight", type: "Q6_K", dims: [256, 32] },
      { name: "rope_freqs.weight", type: "F32", dims: [16] },
    ],
  };
}

const encoder = new TextEncoder();

function typeOf(value: Scalar): Numeric | "string" {
  if (typeof value === "string") return "string";
  if (typeof value === "boolean") return "bool";
  if (typeof value === "bigint") return "uint64";
  if (!Number.isInteger(value)) return "float32";
  return value < 0 ? "int32" : "uint32";
}

interface Bytes {
  add(bytes: Uint8Array): void;
  number(type: Numeric, value: Scalar): void;
  text(value: string): void;
  /** All that was added, and zeros up to a multiple of `alignment`. */
  padded(alignment: number): Uint8Array;
}

function collected(little: boolean, lengthType: "uint32" | "uint64"): Bytes {
  let buffer = new Uint8Array(2 ** 16);
  let length = 0;
  const add = (bytes: Uint8Array) => {
    if (length + bytes.length > buffer.length) {
      const larger = new Uint8Array(2 * (length + bytes.length));
      larger.set(buffer);
      buffer = larger;
    }
    buffer.set(bytes, length);
    length += bytes.length;
  };
  const number = (type: Numeric, value: Scalar) => {
    const [bytes, write] = writers[type];
    write(value, little);
    add(new Uint8Array(one.buffer, 0, bytes));
  };
  return {
    add,
    number,
    text: (value) => {
      const bytes = encoder.encode(value);
      number(lengthType, bytes.length);
      add(bytes);
    },
    padded: (alignment) => {
      add(new Uint8Array((alignment - (length % alignment)) % alignment));
      return buffer.slice(0, length);
    },
  };
}

const one = new DataView(new ArrayBuffer(8));
const writers: Readonly<
  Record<Numeric, [bytes: number, write: (value: Scalar, little: boolean) => void]>
> = {
  bool: [1, (value) => one.setUint8(0, Number(value))],
  uint8: [1, (value) => one.setUint8(0, Number(value))],
  int8: [1, (value) => one.setInt8(0, Number(value))],
  uint16: [2, (value, little) => one.setUint16(0, Number(value), little)],
  int16: [2, (value, little) => one.setInt16(0, Number(value), little)],
  uint32: [4, (value, little) => one.setUint32(0, Number(value), little)],
  int32: [4, (value, little) => one.setInt32(0, Number(value), little)],
  float32: [4, (value, little) => one.setFloat32(0, Number(value), little)],
  uint64: [8, (value, little) => one.setBigUint64(0, BigInt(value), little)],
  int64: [8, (value, little) => one.setBigInt64(0, BigInt(value), little)],
  float64: [8, (value, little) => one.setFloat64(0, Number(value), little)],
};

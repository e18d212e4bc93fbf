import type { Header } from "./header.js";

/**
 * What is known of a model: the facts that memory and layer placement rest on. All sizes are bytes,
 * lengths are tokens or elements as named. A value that differs from block to block is an array with
 * one element a block.
 */
export interface Model {
  /** As FROM names it, or the file it was read from. */
  name: string;
  source: ModelSource;
  /** False where a size is scaled from another model or otherwise not read from the model itself. */
  exact: boolean;
  shape: Shape;
  weights: Weights;
  /** Bytes of the file that holds the weights, header included. */
  fileBytes: number;
  /**
   * Bytes that the file and its parts should have, and that they have, where tensors' data is missing at
   * an end: an unfinished download. What the header says is exact all the same.
   */
  truncated?: { expected: number; actual: number };
  /** Bytes of a vision or audio projector kept in a file of its own. */
  projectorBytes?: number;
  /** Name of the quantisation, as llama.cpp spells it: "Q4_K_M". */
  quantisation?: string;
  /** Stop strings that the model's own parameters layer sets, where known. */
  stop?: readonly string[];
  capabilities?: readonly string[];
  /** Keys and tensors, where they are known one by one: what memory is computed from to the byte. */
  header?: Header;
  tokenizer?: Tokenizer;
  /** The chat template in the file's own header (Jinja), or Ollama's own (Go). */
  template?: { text: string; language: "jinja" | "go" };
  /** What the library's template of it is called in src/facts/families.json, under `catalogue`. */
  templateFamily?: string;
  /** SPDX identifier or the licence's own text. */
  licence?: string;
  /** What the model says of itself where a Modelfile has no SYSTEM. */
  system?: string;
  /** What its parameters layer sets, stop strings included; names as in PARAMETER. */
  parameters?: Readonly<Record<string, unknown>>;
  /** Code in Ollama that makes the prompt in place of the template, and reads the answer. */
  renderer?: string;
  parser?: string;
  /** LoRA adapters that are loaded with the model. */
  adapters?: readonly Adapter[];
  /** A smaller model that guesses ahead (DRAFT). */
  draft?: Model;
  /** The oldest Ollama release that loads it, where known. */
  minOllama?: string;
  /** Which facts come from where; the first that names a fact wins. */
  origins?: readonly Origin[];
}

/** gguf: a file's header; store: Ollama's own files; api: a running server; name: likeness alone. */
export type ModelSource =
  "gguf" | "store" | "api" | "folder" | "description" | "catalogue" | "name";

/** A model, or a sentence why nothing is known of it. */
export type Resolution = { model: Model } | { unknown: string };

export interface Adapter {
  /** As ADAPTER names it; absent where the model brings it. */
  name?: string;
  /** Of its file, header included. */
  bytes: number;
  header?: Header;
}

export interface Tokenizer {
  /** tokenizer.ggml.model: "gpt2", "llama". */
  model?: string;
  /** tokenizer.ggml.pre */
  pre?: string;
  /** Tokens in the vocabulary. */
  tokens: number;
  /** Whether a beginning-of-sequence token is put in front (tokenizer.ggml.add_bos_token). */
  addsBos?: boolean;
  bos?: number;
  eos?: number;
  /**
   * Texts of tokens between angle or square brackets, by id: every special token is among them. Absent
   * where the vocabulary was not read.
   */
  bracketed?: ReadonlyMap<number, string>;
}

/** Where facts of a model come from. */
export interface Origin {
  /** Such as "tensors", "template", "stop", "licence", "projector". */
  facts: readonly string[];
  /** Such as "GGUF header of llama.gguf", "manifest of llama3.2 in Ollama's store". */
  from: string;
  exact: boolean;
}

export type PerBlock = number | readonly number[];

export function largest(value: PerBlock): number {
  return typeof value === "number" ? value : Math.max(0, ...value);
}

export function smallest(value: PerBlock): number {
  return typeof value === "number" ? value : Math.min(...value);
}

/** The value of one block. */
export function valueAt(value: PerBlock, block: number): number {
  return typeof value === "number" ? value : (value[block] ?? 0);
}

/** Hyper-parameters, named after the GGUF keys (`<architecture>.…`) they come from. */
export interface Shape {
  /** general.architecture, as the Ollama library spells it. */
  architecture: string;
  /** block_count. The offloadable layers are these and one more, the output layer. */
  blocks: number;
  /** context_length: tokens the model was trained for. */
  trainedContext?: number;
  /** embedding_length */
  embedding: number;
  /** vocab_size, or the length of tokenizer.ggml.tokens */
  vocabulary: number;
  /** feed_forward_length */
  feedForward?: PerBlock;
  /** attention.head_count */
  heads: PerBlock;
  /** attention.head_count_kv */
  headsKv: PerBlock;
  /** attention.key_length; embedding / heads where the file has none */
  keyLength: number;
  /** attention.value_length; embedding / heads where the file has none */
  valueLength: number;
  /** expert_count */
  experts?: number;
  /** attention.sliding_window: tokens */
  slidingWindow?: number;
  /** Elements of the KV cache for one token, over all blocks, where they are known better than from the lengths above. */
  cacheElements?: {
    /** In blocks that keep the whole context. */
    context: number;
    /** In blocks that keep the sliding window alone. */
    window: number;
  };
  /** The model only embeds: it has a pooling type and no completions. */
  embeddingOnly?: boolean;
}

/** Bytes of the tensors, by the place that llama.cpp and Ollama give them. */
export interface Weights {
  /** Everything, projector not included. */
  total: number;
  /** blk.N.*, one element a block. */
  blocks: readonly number[];
  /** token_embd.* */
  input: number;
  /** output_norm.* */
  outputNorm: number;
  /** output.*; 0 where the output is tied to the input embedding. */
  output: number;
  /** Every other tensor (rope_freqs, poolers …). */
  other: number;
}

/** Layers that num_gpu counts: the blocks and the output layer. */
export function offloadableLayers(model: Model): number {
  return model.shape.blocks + 1;
}

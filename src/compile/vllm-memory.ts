import { numberAt, textAt, type Header } from "../models/header.js";
import { largest, smallest, type Model, type PerBlock } from "../models/model.js";
import { cacheByShape } from "../plan/bound.js";

const GiB = 2 ** 30;

/** CacheConfig.DEFAULT_BLOCK_SIZE in vllm/config/cache.py: tokens of a block of the KV cache. */
export const blockTokens = 16;

/**
 * What a card holds beside weights and cache, measured on an H100 (empirical-vllm-memory-results.md in
 * llm-d/llm-d-benchmark; bytes). `context` is what is gone before vLLM measures what is free.
 */
const measured = {
  context: 0.61 * GiB,
  alone: 0.13 * GiB,
  /** With NCCL's buffers. */
  together: 0.55 * GiB,
  /** CUDA graphs of all batch sizes: 0.4 to 1.03 GiB. */
  graphs: 1 * GiB,
  /**
   * Bytes of the sampler for each request and word of the vocabulary, and of each element of the tokens' state:
   * the five models of the table agree within 1%.
   */
  sampler: 38.3,
  state: 2.5,
} as const;

export const cudaContext = measured.context;

/** The model as vLLM loads it. */
export interface Loaded {
  model: Model;
  /** Bytes of the tensors as they are loaded. */
  weights: StoredWeights;
  /** Of a cached element. */
  cacheBytes: 1 | 2;
  /** max_num_seqs */
  sequences: number;
  /** max_num_batched_tokens */
  batched: number;
}

export interface StoredWeights {
  blocks: readonly number[];
  /** In front of the first block. */
  input: number;
  /** Behind the last one. */
  output: number;
  /** Projectors and the like, which every stage may hold. */
  other: number;
}

export interface Split {
  /** --tensor-parallel-size */
  tensor: number;
  /** --pipeline-parallel-size */
  pipeline: number;
}

/** Bytes on the card that has the most to hold. */
export interface Demand {
  weights: number;
  activation: number;
  cache: number;
  total: number;
}

/**
 * Tensors with so many bytes an element, whatever the file has; without a number as the file has them. Undefined
 * where the tensors are not known one by one.
 */
export function storedWeights(
  { header, weights, projectorBytes = 0 }: Model,
  elementBytes: number | undefined,
): StoredWeights | undefined {
  if (elementBytes === undefined) {
    const { blocks, input, output, outputNorm, other } = weights;
    // A tied output is the embedding, which the last stage holds as well.
    return { blocks, input, output: (output || input) + outputNorm, other };
  }
  if (!header) return undefined;
  const stored = { blocks: weights.blocks.map(() => 0), input: 0, output: 0, other: 0 };
  for (const { name, dims } of header.tensors) {
    const bytes = dims.reduce((product, length) => product * length, 1) * elementBytes;
    const block = /^blk\.(\d+)\./.exec(name)?.[1];
    if (block !== undefined && Number(block) < stored.blocks.length) {
      stored.blocks[Number(block)]! += bytes;
    } else if (name.startsWith("token_embd")) stored.input += bytes;
    else if (name.startsWith("output")) stored.output += bytes;
    else stored.other += bytes;
  }
  const isTied = !header.tensors.some(({ name }) => name === "output.weight");
  return {
    ...stored,
    output: stored.output + (isTied ? stored.input : 0),
    other: stored.other + projectorBytes,
  };
}

/**
 * Whether the model's heads and widths can be cut in so many. vLLM refuses a number that does not divide the
 * attention heads (ModelConfig.verify_with_parallel_config, vllm/config/model.py), and its layers divide keys'
 * heads, or repeat them, and the feed-forward width without a rest (QKVParallelLinear and divide in
 * vllm/distributed/utils.py).
 */
export function cuts({ shape }: Model, tensor: number): boolean {
  const even = (count: number) => count % tensor === 0;
  return (
    each(shape.heads).every(even) &&
    each(shape.headsKv).every((count) => even(count) || tensor % count === 0) &&
    each(shape.feedForward ?? 0).every(even)
  );
}

function each(value: PerBlock): readonly number[] {
  return typeof value === "number" ? [value] : value;
}

/** Blocks of each stage (get_pp_indices in vllm/distributed/utils.py): what is left over goes before the last. */
export function stages(blocks: number, pipeline: number): number[] {
  const counts = Array.from({ length: pipeline }, () => Math.floor(blocks / pipeline));
  for (let left = blocks % pipeline, at = pipeline - 2; left > 0; left--, at--) counts[at]! += 1;
  return counts;
}

/** What the fullest card holds so that one request of `length` tokens is served. */
export function demandOf(loaded: Loaded, { tensor, pipeline }: Split, length: number): Demand {
  const { model, weights } = loaded;
  const perBlock = cacheOfBlocks(loaded, tensor, length);
  const activation = activationOf(loaded, tensor) + besides(tensor * pipeline);
  let [most, from] = [{ weights: 0, activation, cache: 0, total: 0 }, 0];
  stages(model.shape.blocks, pipeline).forEach((count, stage, all) => {
    const own = sum(weights.blocks.slice(from, from + count)) + weights.other;
    const ends =
      (stage === 0 ? weights.input : 0) + (stage === all.length - 1 ? weights.output : 0);
    // A tied embedding that stands on one card stands there once.
    const twice = all.length === 1 && isTied(model) ? weights.input : 0;
    const held = (own + ends - twice) / tensor;
    const cache = sum(perBlock.slice(from, from + count));
    const total = held + activation + cache;
    if (total > most.total) most = { weights: held, activation, cache, total };
    from += count;
  });
  return most;
}

/** The longest context that a card with `room` bytes serves, in whole blocks; 0 where there is none. */
export function longestWithin(loaded: Loaded, split: Split, room: number, most: number): number {
  let [low, high] = [0, Math.floor(most / blockTokens)];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (demandOf(loaded, split, middle * blockTokens).total <= room) low = middle;
    else high = middle - 1;
  }
  return low * blockTokens;
}

/**
 * Bytes of the cache of one request on a card, one element a block: whole blocks of tokens (FullAttentionSpec),
 * of a window those and one more (SlidingWindowSpec), of compressed keys one head on every card
 * (MLAAttentionSpec; all in vllm/v1/kv_cache_interface.py).
 */
function cacheOfBlocks({ model, cacheBytes, batched }: Loaded, tensor: number, length: number) {
  const { shape, header } = model;
  const whole = inBlocks(length);
  const latent = header && latentElements(header);
  if (latent !== undefined) {
    return Array.from({ length: shape.blocks }, () => whole * latent * cacheBytes);
  }
  const { slidingWindow = 0 } = shape;
  const windowed = Math.min(whole, inBlocks(slidingWindow - 1 + batched) + blockTokens);
  const heads = Math.max(1, smallestAttending(shape.headsKv));
  const all = cacheByShape(shape, "f16", { whole, windowed });
  return all.map((bytes) => ((bytes / 2) * cacheBytes) / Math.min(tensor, heads));
}

function inBlocks(tokens: number): number {
  return Math.ceil(tokens / blockTokens) * blockTokens;
}

/** Blocks without attention have no heads. */
function smallestAttending(heads: PerBlock): number {
  const attending = each(heads).filter((count) => count > 0);
  return attending.length > 0 ? smallest(attending) : 0;
}

/** Elements of a token's compressed keys and values: kv_lora_rank and the rotated part of a key. */
function latentElements(header: Header): number | undefined {
  const architecture = textAt(header, "general.architecture") ?? "";
  const rank = numberAt(header, `${architecture}.attention.kv_lora_rank`) ?? 0;
  const rotary = numberAt(header, `${architecture}.rope.dimension_count`) ?? 0;
  return rank > 0 ? rank + rotary : undefined;
}

/**
 * The peak of a run with as many tokens and requests as may be (profile_run in
 * vllm/v1/worker/gpu_model_runner.py): the sampler's, which no card shares, or a feed-forward part's.
 */
function activationOf({ model, sequences, batched }: Loaded, tensor: number): number {
  const { vocabulary, embedding } = model.shape;
  const sampler = measured.sampler * Math.min(sequences, batched) * vocabulary;
  const forward = (2 * 3 * batched * widthOf(model)) / tensor;
  return Math.max(sampler, forward) + measured.state * batched * embedding;
}

/** Elements between the two halves of a feed-forward part, for one token. */
function widthOf({ shape, header }: Model): number {
  const { architecture } = shape;
  const number = (key: string) => (header && numberAt(header, `${architecture}.${key}`)) ?? 0;
  const used = number("expert_used_count") * number("expert_feed_forward_length");
  return Math.max(used, largest(shape.feedForward ?? 0), shape.embedding);
}

function besides(cards: number): number {
  return measured.graphs + (cards === 1 ? measured.alone : measured.together);
}

function isTied({ header, weights }: Model): boolean {
  return header
    ? !header.tensors.some(({ name }) => name === "output.weight")
    : weights.output === 0;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

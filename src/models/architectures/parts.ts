import { needed, ofBlock, type Hyperparameters } from "../hyperparameters.js";

/** A tensor of a model file, before anything is said of its quantisation. */
export interface Tensor {
  name: string;
  /** As GGUF stores them: the row length first. */
  dims: readonly number[];
  elements: number;
  /** The type it is kept in whatever the file's quantisation. */
  type?: string;
}

/** @throws RangeError where the dimensions do not give a whole number of elements below 2^53. */
export function tensor(name: string, dims: readonly number[], type?: string): Tensor {
  const elements = dims.reduce((product, length) => product * length, 1);
  if (!Number.isSafeInteger(elements)) {
    throw new RangeError(`${name}: dimensions ${dims.join(" x ")} are no element count.`);
  }
  return type === undefined ? { name, dims, elements } : { name, dims, elements, type };
}

/** A matrix from `input` to `output` elements, and its bias. */
export function* linear(
  name: string,
  input: number,
  output: number,
  bias = false,
): Generator<Tensor> {
  yield tensor(`${name}.weight`, [input, output]);
  if (bias) yield tensor(`${name}.bias`, [output]);
}

export function* norm(name: string, width: number, bias = false): Generator<Tensor> {
  yield tensor(`${name}.weight`, [width]);
  if (bias) yield tensor(`${name}.bias`, [width]);
}

/** What llama.cpp calls n_embd_head_k and so on, for one block. */
export function headSizes(model: Hyperparameters, block: number) {
  return {
    heads: ofBlock(model.head_count, block),
    headsKv: ofBlock(model.head_count_kv, block),
    keyLength: model.key_length,
    valueLength: model.value_length,
  };
}

export const prefix = (block: number) => `blk.${block}.`;

/** The tensors that belong to no block: input embedding, output norm and output. */
export function* embeddings(
  model: Hyperparameters,
  { normBias = false, outputBias = false } = {},
): Generator<Tensor> {
  const { embedding_length: width, vocab_size: vocabulary } = model;
  yield tensor("token_embd.weight", [width, vocabulary]);
  yield* norm("output_norm", width, normBias);
  if (!model.tie_embeddings) yield* linear("output", width, vocabulary, outputBias);
}

/** Separate query, key, value and output matrices. `queryFactor` 2: the query carries a gate. */
export function* attention(
  model: Hyperparameters,
  block: number,
  { bias = false, outputBias = false, queryFactor = 1 } = {},
): Generator<Tensor> {
  const { heads, headsKv, keyLength, valueLength } = headSizes(model, block);
  const width = model.embedding_length;
  const at = prefix(block);
  yield* linear(`${at}attn_q`, width, heads * keyLength * queryFactor, bias);
  yield* linear(`${at}attn_k`, width, headsKv * keyLength, bias);
  yield* linear(`${at}attn_v`, width, headsKv * valueLength, bias);
  yield* linear(`${at}attn_output`, heads * valueLength, width, outputBias);
}

/** Query, key and value in one matrix, and the output matrix. */
export function* fusedAttention(
  model: Hyperparameters,
  block: number,
  { bias = false, outputBias = false } = {},
): Generator<Tensor> {
  const { heads, headsKv, keyLength } = headSizes(model, block);
  const width = model.embedding_length;
  const at = prefix(block);
  yield* linear(`${at}attn_qkv`, width, (heads + 2 * headsKv) * keyLength, bias);
  yield* linear(`${at}attn_output`, heads * keyLength, width, outputBias);
}

/** One norm for the queries of all heads, one for the keys. */
export function* headNorms(model: Hyperparameters, block: number): Generator<Tensor> {
  yield* norm(`${prefix(block)}attn_q_norm`, model.key_length);
  yield* norm(`${prefix(block)}attn_k_norm`, model.key_length);
}

/** A norm for every single head. */
export function* normsPerHead(model: Hyperparameters, block: number): Generator<Tensor> {
  const { heads, headsKv, keyLength } = headSizes(model, block);
  yield tensor(`${prefix(block)}attn_q_norm.weight`, [keyLength, heads]);
  yield tensor(`${prefix(block)}attn_k_norm.weight`, [keyLength, headsKv]);
}

export function* feedForward(
  model: Hyperparameters,
  block: number,
  { bias = false, gate = true } = {},
): Generator<Tensor> {
  const width = model.embedding_length;
  const inner = ofBlock(model.feed_forward_length ?? Number.NaN, block);
  const at = prefix(block);
  if (gate) yield* linear(`${at}ffn_gate`, width, inner, bias);
  yield* linear(`${at}ffn_up`, width, inner, bias);
  yield* linear(`${at}ffn_down`, inner, width, bias);
}

/** Gate and up in one matrix, as phi3, chatglm and glm4 have it. */
export function* fusedFeedForward(model: Hyperparameters, block: number): Generator<Tensor> {
  const width = model.embedding_length;
  const inner = ofBlock(model.feed_forward_length ?? Number.NaN, block);
  yield* linear(`${prefix(block)}ffn_up`, width, 2 * inner);
  yield* linear(`${prefix(block)}ffn_down`, inner, width);
}

/** Router, routed experts in one tensor a matrix, and the shared expert where there is one. */
export function* experts(
  model: Hyperparameters,
  block: number,
  { sharedGate = false, routerBias = false, fused = false } = {},
): Generator<Tensor> {
  const width = model.embedding_length;
  const count = needed(model, "expert_count");
  const inner = needed(model, "expert_feed_forward_length");
  const at = prefix(block);
  // The router decides which experts run, so llama-quantize leaves it alone.
  yield tensor(`${at}ffn_gate_inp.weight`, [width, count], "F32");
  if (routerBias) yield tensor(`${at}exp_probs_b.bias`, [count]);
  if (fused) {
    yield tensor(`${at}ffn_gate_up_exps.weight`, [width, 2 * inner, count]);
  } else {
    yield tensor(`${at}ffn_gate_exps.weight`, [width, inner, count]);
    yield tensor(`${at}ffn_up_exps.weight`, [width, inner, count]);
  }
  yield tensor(`${at}ffn_down_exps.weight`, [inner, width, count]);

  const shared =
    model.expert_shared_feed_forward_length ?? (model.expert_shared_count ?? 0) * inner;
  if (shared === 0) return;
  if (sharedGate) yield tensor(`${at}ffn_gate_inp_shexp.weight`, [width]);
  yield* linear(`${at}ffn_gate_shexp`, width, shared);
  yield* linear(`${at}ffn_up_shexp`, width, shared);
  yield* linear(`${at}ffn_down_shexp`, shared, width);
}

/** 0, 1, … count - 1 */
export function* numbers(count: number): Generator<number> {
  for (let number = 0; number < count; number++) yield number;
}

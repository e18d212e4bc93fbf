import { needed, type Hyperparameters } from "../hyperparameters.js";
import {
  attention,
  embeddings,
  experts,
  feedForward,
  fusedAttention,
  headNorms,
  headSizes,
  linear,
  norm,
  numbers,
  prefix,
  tensor,
  type Tensor,
} from "./parts.js";

/** DeepSeek 2 and 3: keys and values compressed to kv_lora_rank elements (MLA). */
export function* deepseek2(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    yield* latentAttention(model, block);
    yield* norm(`${prefix(block)}ffn_norm`, width);
    if (block < (model.leading_dense_block_count ?? 0)) yield* feedForward(model, block);
    else yield* experts(model, block, { routerBias: model.extra?.probs_b ?? false });
  }
}

function* latentAttention(model: Hyperparameters, block: number): Generator<Tensor> {
  const { extra = {}, embedding_length: width, q_lora_rank: queryRank } = model;
  const { heads } = headSizes(model, block);
  const rope = needed(model, "rope_dimension_count");
  const rank = needed(model, "kv_lora_rank");
  const keyLength = needed(extra, "key_length_mha");
  const valueLength = needed(extra, "value_length_mha");
  const plainKey = keyLength - rope;
  const at = prefix(block);
  if (queryRank) {
    yield* linear(`${at}attn_q_a`, width, queryRank);
    yield* norm(`${at}attn_q_a_norm`, queryRank);
    yield* linear(`${at}attn_q_b`, queryRank, heads * keyLength);
  } else {
    yield* linear(`${at}attn_q`, width, heads * keyLength);
  }
  yield* linear(`${at}attn_kv_a_mqa`, width, rank + rope);
  yield* norm(`${at}attn_kv_a_norm`, rank);
  // Files made since llama.cpp #12801 hold the matrix split, so that the cache keeps the compressed form.
  if (extra.absorbed) {
    yield tensor(`${at}attn_k_b.weight`, [plainKey, rank, heads]);
    yield tensor(`${at}attn_v_b.weight`, [rank, valueLength, heads]);
  } else {
    yield* linear(`${at}attn_kv_b`, rank, heads * (plainKey + valueLength));
  }
  yield* linear(`${at}attn_output`, heads * valueLength, width);
}

export function* gptoss(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  const count = needed(model, "expert_count");
  const inner = needed(model, "expert_feed_forward_length");
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    yield* norm(`${at}ffn_norm`, width);
    yield* attention(model, block, { bias: true, outputBias: true });
    yield tensor(`${at}attn_sinks`, [headSizes(model, block).heads]);
    yield tensor(`${at}ffn_gate_inp.weight`, [width, count], "F32");
    yield tensor(`${at}ffn_gate_inp.bias`, [count]);
    for (const part of ["gate", "up", "down"]) {
      const [input, output] = part === "down" ? [inner, width] : [width, inner];
      yield tensor(`${at}ffn_${part}_exps.weight`, [input, output, count]);
      yield tensor(`${at}ffn_${part}_exps.bias`, [output, count]);
    }
  }
}

export function* dbrx(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    yield* fusedAttention(model, block);
    yield* norm(`${prefix(block)}attn_output_norm`, width);
    yield* experts(model, block);
  }
}

export function* cohere2moe(model: Hyperparameters): Generator<Tensor> {
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, model.embedding_length);
    yield* attention(model, block);
    if (block < (model.leading_dense_block_count ?? 0)) yield* feedForward(model, block);
    else yield* experts(model, block);
  }
}

/** Attention with a gate on what the heads give out; dense where there are no experts. */
export function* laguna(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    const { heads, keyLength } = headSizes(model, block);
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    yield* attention(model, block);
    yield* linear(`${at}attn_gate`, width, extra.attn_gate === "head" ? heads : heads * keyLength);
    yield* headNorms(model, block);
    yield* norm(`${at}ffn_norm`, width);
    if (extra.post_norms) {
      yield* norm(`${at}post_attention_norm`, width);
      yield* norm(`${at}post_ffw_norm`, width);
    }
    if (model.expert_count && block >= (model.leading_dense_block_count ?? 0)) {
      yield* experts(model, block, { routerBias: true });
    } else {
      yield* feedForward(model, block);
    }
  }
}

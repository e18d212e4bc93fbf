import { ofBlock, type Hyperparameters } from "../hyperparameters.js";
import {
  attention,
  embeddings,
  feedForward,
  fusedAttention,
  fusedFeedForward,
  headSizes,
  linear,
  norm,
  normsPerHead,
  numbers,
  prefix,
  tensor,
  type Tensor,
} from "./parts.js";

/** Attention and feed-forward part read the same norm. */
export function* commandR(model: Hyperparameters): Generator<Tensor> {
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, model.embedding_length);
    yield* attention(model, block);
    if (model.extra?.qk_norm) yield* normsPerHead(model, block);
    yield* feedForward(model, block);
  }
}

export function* stablelm(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield* embeddings(model, { normBias: true });
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width, true);
    yield* attention(model, block, { bias: extra.qkv_bias ?? false });
    if (extra.qk_norm) yield* normsPerHead(model, block);
    else yield* norm(`${prefix(block)}ffn_norm`, width, true);
    yield* feedForward(model, block);
  }
}

export function* phi2(model: Hyperparameters): Generator<Tensor> {
  yield* embeddings(model, { normBias: true, outputBias: true });
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, model.embedding_length, true);
    yield* fusedAttention(model, block, { bias: true, outputBias: true });
    yield* feedForward(model, block, { bias: true, gate: false });
  }
}

export function* phi3(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield* embeddings(model);
  if (extra.rope_factors) {
    yield tensor("rope_factors_long.weight", [extra.rope_factors]);
    yield tensor("rope_factors_short.weight", [extra.rope_factors]);
  }
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    yield* fusedAttention(model, block);
    yield* norm(`${prefix(block)}ffn_norm`, width);
    yield* fusedFeedForward(model, block);
  }
}

export function* starcoder(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield tensor(
    "position_embd.weight",
    [width, extra.n_positions ?? model.context_length],
    extra.quantise_positions ? undefined : "F32",
  );
  yield* embeddings(model, { normBias: true });
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width, true);
    yield* fusedAttention(model, block, { bias: true, outputBias: true });
    yield* norm(`${prefix(block)}ffn_norm`, width, true);
    yield* feedForward(model, block, { bias: true, gate: false });
  }
}

export function* starcoder2(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model, { normBias: true });
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width, true);
    yield* attention(model, block, { bias: true, outputBias: true });
    yield* norm(`${prefix(block)}ffn_norm`, width, true);
    yield* feedForward(model, block, { bias: true, gate: false });
  }
}

export function* falcon(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model, { normBias: true });
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width, true);
    if (model.extra?.norm_2) yield* norm(`${prefix(block)}attn_norm_2`, width, true);
    yield* fusedAttention(model, block);
    yield* feedForward(model, block, { gate: false });
  }
}

export function* chatglm(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    yield* fusedAttention(model, block, { bias: true });
    yield* norm(`${prefix(block)}ffn_norm`, width);
    yield* fusedFeedForward(model, block);
  }
}

export function* glm4(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    yield* attention(model, block, { bias: model.extra?.qkv_bias ?? false });
    yield* norm(`${prefix(block)}post_attention_norm`, width);
    yield* norm(`${prefix(block)}ffn_norm`, width);
    yield* fusedFeedForward(model, block);
    yield* norm(`${prefix(block)}post_ffw_norm`, width);
  }
}

/** Norms behind the parts only, and over all heads at once. */
export function* olmo2(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    const { heads, headsKv, keyLength } = headSizes(model, block);
    yield* attention(model, block);
    yield* norm(`${prefix(block)}attn_q_norm`, heads * keyLength);
    yield* norm(`${prefix(block)}attn_k_norm`, headsKv * keyLength);
    yield* norm(`${prefix(block)}post_attention_norm`, width);
    yield* norm(`${prefix(block)}post_ffw_norm`, width);
    yield* feedForward(model, block);
  }
}

export function* nemotron(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model, { normBias: true });
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width, true);
    yield* attention(model, block);
    yield* norm(`${prefix(block)}ffn_norm`, width, true);
    yield* feedForward(model, block, { gate: false });
  }
}

/** bert, nomic-bert, nomic-bert-moe and jina-bert-v2: encoders, no output matrix. */
export function* bert(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  const { token_types: tokenTypes = 2, attn_bias: attentionBias = true } = extra;
  yield tensor("token_embd.weight", [width, model.vocab_size]);
  if (tokenTypes) yield tensor("token_types.weight", [width, tokenTypes], "F32");
  if (extra.n_positions) yield tensor("position_embd.weight", [width, extra.n_positions], "F32");
  yield* norm("token_embd_norm", width, true);
  for (const block of numbers(model.block_count)) {
    const bias = extra.fused_qkv ? attentionBias : true;
    const part = extra.fused_qkv ? fusedAttention : attention;
    yield* part(model, block, { bias, outputBias: bias });
    yield* norm(`${prefix(block)}attn_output_norm`, width, true);
    if (model.expert_count && block % (extra.moe_every_n ?? 1) === 1) {
      yield* bertExperts(model, block, model.expert_count);
    } else {
      yield* bertFeedForward(model, block);
    }
    yield* norm(`${prefix(block)}layer_output_norm`, width, true);
  }
}

function* bertFeedForward(model: Hyperparameters, block: number): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  const inner = ofBlock(model.feed_forward_length ?? Number.NaN, block);
  const bias = extra.ffn_bias ?? true;
  if (extra.gated) yield* linear(`${prefix(block)}ffn_gate`, width, inner);
  yield* linear(`${prefix(block)}ffn_up`, width, inner, bias);
  yield* linear(`${prefix(block)}ffn_down`, inner, width, bias);
}

/** nomic-embed-text-v2: ungated experts as wide as the dense part. */
function* bertExperts(model: Hyperparameters, block: number, count: number): Generator<Tensor> {
  const width = model.embedding_length;
  const inner = ofBlock(model.feed_forward_length ?? Number.NaN, block);
  yield tensor(`${prefix(block)}ffn_gate_inp.weight`, [width, count], "F32");
  yield tensor(`${prefix(block)}ffn_up_exps.weight`, [width, inner, count]);
  yield tensor(`${prefix(block)}ffn_down_exps.weight`, [inner, width, count]);
  if (model.extra?.expert_bias) yield tensor(`${prefix(block)}ffn_down_exps.bias`, [width]);
}

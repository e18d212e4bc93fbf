import { needed, ofBlock, type Hyperparameters } from "../hyperparameters.js";
import {
  attention,
  embeddings,
  experts,
  feedForward,
  headNorms,
  linear,
  norm,
  numbers,
  prefix,
  tensor,
  type Tensor,
} from "./parts.js";

/** gemma, gemma2, gemma3 and embeddinggemma. */
export function* gemma(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    yield* attention(model, block);
    if (extra.qk_norm) yield* headNorms(model, block);
    if (extra.post_norms) {
      yield* norm(`${at}post_attention_norm`, width);
      yield* norm(`${at}post_ffw_norm`, width);
    }
    yield* norm(`${at}ffn_norm`, width);
    yield* feedForward(model, block);
  }
  if (extra.dense_2) {
    yield tensor("dense_2.weight", [width, extra.dense_2]);
    yield tensor("dense_3.weight", [extra.dense_2, width]);
  }
}

/** Alternating updates (AltUp), low-rank residuals (LAuReL) and an embedding for every block. */
export function* gemma3n(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width, block_count: blocks } = model;
  const perBlock = needed(extra, "per_layer_input");
  const streams = needed(extra, "altup");
  const rank = needed(extra, "laurel_rank");
  yield* embeddings(model);
  yield tensor("altup_proj.weight", [width, width, streams - 1]);
  yield tensor("altup_unembd_proj.weight", [width, width, streams - 1]);
  yield* blockEmbeddings(model, perBlock, needed(extra, "per_layer_vocab"));
  for (const block of numbers(blocks)) {
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    yield* attention(model, block);
    yield* headNorms(model, block);
    yield* norm(`${at}post_attention_norm`, width);
    yield* norm(`${at}ffn_norm`, width);
    yield* feedForward(model, block);
    yield* norm(`${at}post_ffw_norm`, width);
    yield* blockInput(model, block, perBlock);
    yield tensor(`${at}altup_correct_coef.weight`, [streams, streams]);
    yield tensor(`${at}altup_correct_scale.weight`, [width]);
    yield tensor(`${at}altup_predict_coef.weight`, [streams, streams * streams]);
    yield tensor(`${at}altup_router.weight`, [width, streams]);
    yield* norm(`${at}altup_router_norm`, width);
    yield tensor(`${at}laurel_l.weight`, [width, rank]);
    yield tensor(`${at}laurel_r.weight`, [rank, width]);
    yield* norm(`${at}laurel_post_norm`, width);
  }
}

/** Blocks that see the whole context have larger heads than those with a window. */
export function* gemma4(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width, block_count: blocks } = model;
  const perBlock = extra.per_layer_input ?? 0;
  yield* embeddings(model);
  if (perBlock) yield* blockEmbeddings(model, perBlock, model.vocab_size);
  yield tensor("rope_freqs.weight", [Math.floor(needed(extra, "global_head_dim") / 2)]);
  for (const block of numbers(blocks)) {
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    yield* gemma4Attention(model, block);
    yield* norm(`${at}post_attention_norm`, width);
    yield tensor(`${at}layer_output_scale.weight`, [1]);
    yield* norm(`${at}ffn_norm`, width);
    yield* feedForward(model, block);
    yield* norm(`${at}post_ffw_norm`, width);
    if (model.expert_count) {
      yield tensor(`${at}ffn_gate_inp.scale`, [width]);
      yield* norm(`${at}pre_ffw_norm_2`, width);
      yield* norm(`${at}post_ffw_norm_1`, width);
      yield* norm(`${at}post_ffw_norm_2`, width);
      yield* experts(model, block, { fused: true });
      yield tensor(`${at}ffn_down_exps.scale`, [model.expert_count]);
    }
    if (perBlock) yield* blockInput(model, block, perBlock);
  }
}

function* gemma4Attention(model: Hyperparameters, block: number): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  const full = extra.full_attention_layers?.includes(block) ?? false;
  const headLength = needed(extra, full ? "global_head_dim" : "swa_head_dim");
  const heads = ofBlock(model.head_count, block);
  const headsKv = ofBlock(model.head_count_kv, block);
  const ownCache = block < model.block_count - (extra.shared_kv_layers ?? 0);
  const at = prefix(block);
  yield* linear(`${at}attn_q`, width, heads * headLength);
  if (ownCache || extra.store_shared_kv) {
    yield* linear(`${at}attn_k`, width, headsKv * headLength);
    if (!(full && extra.k_eq_v)) yield* linear(`${at}attn_v`, width, headsKv * headLength);
    yield* norm(`${at}attn_k_norm`, headLength);
  }
  yield* linear(`${at}attn_output`, heads * headLength, width);
  yield* norm(`${at}attn_q_norm`, headLength);
}

/** The embedding of every token for every block; llama.cpp leaves it in main memory. */
function* blockEmbeddings(
  model: Hyperparameters,
  perBlock: number,
  vocabulary: number,
): Generator<Tensor> {
  const { embedding_length: width, block_count: blocks } = model;
  yield tensor("per_layer_token_embd.weight", [perBlock * blocks, vocabulary]);
  yield tensor("per_layer_model_proj.weight", [width, perBlock * blocks]);
  yield* norm("per_layer_proj_norm", perBlock);
}

function* blockInput(model: Hyperparameters, block: number, perBlock: number): Generator<Tensor> {
  const width = model.embedding_length;
  yield tensor(`${prefix(block)}inp_gate.weight`, [width, perBlock]);
  yield tensor(`${prefix(block)}proj.weight`, [perBlock, width]);
  yield* norm(`${prefix(block)}post_norm`, width);
}

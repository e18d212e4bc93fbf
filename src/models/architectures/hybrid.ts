import { needed, ofBlock, type Hyperparameters, type StateSpace } from "../hyperparameters.js";
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

/**
 * qwen3next, qwen35 and qwen35moe: gated delta nets, and attention in every n-th block. The blocks
 * behind block_count predict further tokens (MTP).
 */
export function* qwenDelta(model: Hyperparameters): Generator<Tensor> {
  const { embedding_length: width, block_count: blocks } = model;
  const interval = needed(model, "full_attention_interval");
  yield* embeddings(model);
  for (const block of numbers(blocks + (model.extra?.mtp_layers ?? 0))) {
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    yield* norm(`${at}post_attention_norm`, width);
    if (block >= blocks || (block + 1) % interval === 0) {
      yield* attention(model, block, { queryFactor: 2 });
      yield* headNorms(model, block);
    } else {
      yield* deltaNet(model, block);
    }
    if (model.expert_count) yield* experts(model, block, { sharedGate: true });
    else yield* feedForward(model, block);
    if (block >= blocks) {
      yield* linear(`${at}nextn.eh_proj`, 2 * width, width);
      yield* norm(`${at}nextn.enorm`, width);
      yield* norm(`${at}nextn.hnorm`, width);
      yield* norm(`${at}nextn.shared_head_norm`, width);
    }
  }
}

function* deltaNet(model: Hyperparameters, block: number): Generator<Tensor> {
  const width = model.embedding_length;
  const state = stateSpace(model);
  const values = state.time_step_rank;
  const keyWidth = state.state_size * state.group_count;
  const valueWidth = state.state_size * values;
  const at = prefix(block);
  yield* linear(`${at}attn_qkv`, width, 2 * keyWidth + valueWidth);
  yield* linear(`${at}attn_gate`, width, valueWidth);
  yield tensor(`${at}ssm_conv1d.weight`, [state.conv_kernel, 2 * keyWidth + valueWidth], "F32");
  yield tensor(`${at}ssm_dt.bias`, [values]);
  yield tensor(`${at}ssm_a`, [values]);
  if (model.extra?.ba_fused) {
    yield* linear(`${at}ssm_ba`, width, 2 * values);
  } else {
    yield* linear(`${at}ssm_beta`, width, values);
    yield* linear(`${at}ssm_alpha`, width, values);
  }
  yield* norm(`${at}ssm_norm`, state.state_size);
  yield* linear(`${at}ssm_out`, valueWidth, width);
}

/** lfm2 and lfm2moe: short convolutions, and attention in the blocks that have key-value heads. */
export function* lfm2(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield tensor("token_embd.weight", [width, model.vocab_size]);
  yield* norm("token_embd_norm", width);
  if (!model.tie_embeddings) yield* linear("output", width, model.vocab_size);
  for (const block of numbers(model.block_count)) {
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    yield* norm(`${at}ffn_norm`, width);
    if (ofBlock(model.head_count_kv, block)) {
      yield* attention(model, block);
      yield* headNorms(model, block);
    } else {
      const kernel = needed(model, "shortconv_l_cache");
      yield tensor(`${at}shortconv.conv.weight`, [kernel, width], "F32");
      yield* linear(`${at}shortconv.in_proj`, width, 3 * width);
      yield* linear(`${at}shortconv.out_proj`, width, width);
    }
    if (model.expert_count && block >= (model.leading_dense_block_count ?? 0)) {
      yield* experts(model, block, { routerBias: true });
    } else {
      yield* feedForward(model, block);
    }
  }
}

/** granitehybrid: Mamba 2, and attention in the blocks that have key-value heads. */
export function* graniteHybrid(model: Hyperparameters): Generator<Tensor> {
  const width = model.embedding_length;
  yield* embeddings(model);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    if (ofBlock(model.head_count_kv, block)) yield* attention(model, block);
    else yield* mamba2(model, block);
    yield* norm(`${prefix(block)}ffn_norm`, width);
    if (model.expert_count) yield* experts(model, block);
    else yield* feedForward(model, block);
  }
}

/** nemotron_h and nemotron_h_moe: one part a block, as the pattern says. */
export function* nemotronH(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield* embeddings(model);
  const { pattern = "" } = extra;
  for (const block of numbers(pattern.length)) {
    const kind = pattern[block];
    const at = prefix(block);
    yield* norm(`${at}attn_norm`, width);
    if (kind === "M") {
      yield* mamba2(model, block);
    } else if (kind === "*") {
      const heads = needed(extra, "head_count") * model.key_length;
      const headsKv = needed(extra, "head_count_kv") * model.key_length;
      yield* linear(`${at}attn_q`, width, heads);
      yield* linear(`${at}attn_k`, width, headsKv);
      yield* linear(`${at}attn_v`, width, headsKv);
      yield* linear(`${at}attn_output`, heads, width);
    } else if (kind === "-") {
      const inner = needed(extra, "dense_ff");
      yield* linear(`${at}ffn_up`, width, inner);
      yield* linear(`${at}ffn_down`, inner, width);
    } else {
      yield* nemotronExperts(model, block);
    }
  }
}

/** Ungated experts, on a narrower stream where the model has a latent width. */
function* nemotronExperts(model: Hyperparameters, block: number): Generator<Tensor> {
  const width = model.embedding_length;
  const latent = model.extra?.latent ?? width;
  const count = needed(model, "expert_count");
  const inner = needed(model, "expert_feed_forward_length");
  const shared = needed(model, "expert_shared_feed_forward_length");
  const at = prefix(block);
  yield tensor(`${at}ffn_gate_inp.weight`, [width, count], "F32");
  yield tensor(`${at}exp_probs_b.bias`, [count]);
  if (latent !== width) {
    yield* linear(`${at}ffn_latent_down`, width, latent);
    yield* linear(`${at}ffn_latent_up`, latent, width);
  }
  yield tensor(`${at}ffn_up_exps.weight`, [latent, inner, count]);
  yield tensor(`${at}ffn_down_exps.weight`, [inner, latent, count]);
  yield* linear(`${at}ffn_up_shexp`, width, shared);
  yield* linear(`${at}ffn_down_shexp`, shared, width);
}

function* mamba2(model: Hyperparameters, block: number): Generator<Tensor> {
  const width = model.embedding_length;
  const state = stateSpace(model);
  const { inner_size: inner, time_step_rank: heads, group_count: groups } = state;
  const convolved = inner + 2 * groups * state.state_size;
  const at = prefix(block);
  yield* linear(`${at}ssm_in`, width, inner + convolved + heads);
  yield tensor(`${at}ssm_conv1d.weight`, [state.conv_kernel, convolved], "F32");
  yield tensor(`${at}ssm_conv1d.bias`, [convolved]);
  yield tensor(`${at}ssm_dt.bias`, [heads]);
  yield tensor(`${at}ssm_a`, [1, heads]);
  yield tensor(`${at}ssm_d`, [1, heads]);
  yield tensor(`${at}ssm_norm.weight`, [Math.floor(inner / groups), groups]);
  yield* linear(`${at}ssm_out`, inner, width);
}

function stateSpace(model: Hyperparameters): StateSpace {
  if (!model.ssm) throw new Error(`The model's description lacks ssm (${model.architecture}).`);
  return model.ssm;
}

import { needed, type Hyperparameters } from "../hyperparameters.js";
import {
  attention,
  embeddings,
  experts,
  feedForward,
  headNorms,
  headSizes,
  linear,
  norm,
  numbers,
  prefix,
  tensor,
  type Tensor,
} from "./parts.js";

/**
 * llama and everything built like it: norms in front, separate query, key and value, gated
 * feed-forward part or experts.
 */
export function* llama(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield* embeddings(model);
  if (extra.rope_freqs) yield tensor("rope_freqs.weight", [extra.rope_freqs]);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    yield* attention(model, block, {
      bias: extra.qkv_bias ?? false,
      outputBias: extra.o_bias ?? false,
    });
    if (extra.qk_norm === "head") yield* headNorms(model, block);
    yield* norm(`${prefix(block)}ffn_norm`, width);
    if (model.expert_count && !isDense(model, block)) {
      yield* experts(model, block, { sharedGate: model.architecture === "qwen2moe" });
    } else {
      yield* feedForward(model, block, { bias: extra.ffn_bias ?? false });
    }
  }
}

/** Whether a block of a model with experts has none: the first ones, or all but every n-th (llama4). */
function isDense(model: Hyperparameters, block: number): boolean {
  const { leading_dense_block_count: leading = 0, moe_every: every = 1 } = model;
  return block < leading || (block + 1) % every !== 0;
}

/** Llama 3.2 Vision: some blocks look at the picture instead of the text. */
export function* mllama(model: Hyperparameters): Generator<Tensor> {
  const { extra = {}, embedding_length: width } = model;
  yield* embeddings(model);
  yield tensor("rope_freqs.weight", [needed(extra, "rope_freqs")]);
  for (const block of numbers(model.block_count)) {
    yield* norm(`${prefix(block)}attn_norm`, width);
    if (extra.cross_attention_layers?.includes(block)) yield* crossAttention(model, block);
    else yield* attention(model, block);
    yield* norm(`${prefix(block)}ffn_norm`, width);
    yield* feedForward(model, block);
  }
}

function* crossAttention(model: Hyperparameters, block: number): Generator<Tensor> {
  const { heads, headsKv, keyLength } = headSizes(model, block);
  const width = model.embedding_length;
  const at = `${prefix(block)}cross_attn_`;
  yield* linear(`${at}q_proj`, width, heads * keyLength);
  yield* linear(`${at}k_proj`, width, headsKv * keyLength);
  yield* linear(`${at}v_proj`, width, headsKv * keyLength);
  yield* linear(`${at}o_proj`, heads * keyLength, width);
  yield* norm(`${at}q_norm`, keyLength);
  yield* norm(`${at}k_norm`, keyLength);
  yield tensor(`${at}attn_gate`, [1]);
  yield tensor(`${at}mlp_gate`, [1]);
}

import { needed, type Tower } from "../hyperparameters.js";
import { linear, norm, numbers, tensor, type Tensor } from "./parts.js";

/** Red, green, blue. */
const channels = 3;

type Sizes = ReturnType<typeof sizes>;

/**
 * Tensors of a vision tower with its projector, under the names of Ollama's converters and of
 * llama.cpp's tools/mtmd/clip-impl.h: "v." the tower, "mm." what leads into the text model.
 * @throws Error where the tower's description lacks a number that its kind needs.
 */
export function* towerTensors(tower: Tower): Generator<Tensor> {
  if (tower.kind === "opaque") {
    // One matrix of as many elements: right in bytes, where every tensor has the same type.
    if (tower.params) yield tensor("v.opaque.weight", [1, tower.params]);
    return;
  }
  yield* towers[tower.kind](tower, sizes(tower));
  for (const [name, input, output, bias] of tower.projector_linears ?? []) {
    yield* linear(`mm.${name}`, input, output, bias);
  }
  for (const [name, width, bias] of tower.projector_norms ?? []) {
    yield* norm(`mm.${name}`, width, bias);
  }
}

const towers = { clip, siglip, pixtral, qwen25vl, qwen3vl, llama4, mllama };

function sizes(tower: Tower) {
  return {
    width: needed(tower, "embedding_length"),
    blocks: needed(tower, "block_count"),
    inner: needed(tower, "feed_forward_length"),
    patch: needed(tower, "patch_size"),
  };
}

/** CLIP ViT: a class token, and a norm in front of the blocks. */
function* clip(tower: Tower, { width, blocks, inner, patch }: Sizes): Generator<Tensor> {
  yield tensor("v.class_embd", [width]);
  yield tensor("v.patch_embd.weight", [patch, patch, channels, width]);
  yield tensor("v.position_embd.weight", [width, needed(tower, "positions")]);
  yield* norm("v.pre_ln", width, true);
  for (const block of numbers(blocks)) yield* plainBlock(block, width, inner);
  if (tower.post_norm) yield* norm("v.post_ln", width, true);
}

/** SigLIP: no class token, a bias on the patches, and a norm behind the blocks. */
function* siglip(tower: Tower, { width, blocks, inner, patch }: Sizes): Generator<Tensor> {
  yield tensor("v.patch_embd.weight", [patch, patch, channels, width]);
  yield tensor("v.patch_embd.bias", [width]);
  yield tensor("v.position_embd.weight", [width, needed(tower, "positions")]);
  for (const block of numbers(blocks)) yield* plainBlock(block, width, inner);
  if (tower.post_norm) yield* norm("v.post_ln", width, true);
}

function* plainBlock(block: number, width: number, inner: number): Generator<Tensor> {
  const at = `v.blk.${block}.`;
  yield* squares(at, ["attn_q", "attn_k", "attn_v", "attn_out"], width, true);
  yield* norm(`${at}ln1`, width, true);
  yield* norm(`${at}ln2`, width, true);
  yield* linear(`${at}ffn_up`, width, inner, true);
  yield* linear(`${at}ffn_down`, inner, width, true);
}

function* pixtral(_: Tower, { width, blocks, inner, patch }: Sizes): Generator<Tensor> {
  yield tensor("v.patch_conv.weight", [patch, patch, channels, width]);
  yield* norm("v.encoder_norm", width);
  for (const block of numbers(blocks)) {
    const at = `v.blk.${block}.`;
    yield* squares(at, ["attn_q", "attn_k", "attn_v", "attn_output"], width, false);
    yield* norm(`${at}attn_norm`, width);
    yield* norm(`${at}ffn_norm`, width);
    yield* linear(`${at}ffn_gate`, width, inner);
    yield* linear(`${at}ffn_up`, width, inner);
    yield* linear(`${at}ffn_down`, inner, width);
  }
}

function* qwen25vl(tower: Tower, { width, blocks, inner, patch }: Sizes): Generator<Tensor> {
  for (const frame of numbers(tower.temporal_patch ?? 2)) {
    yield tensor(`v.patch_embd_${frame}.weight`, [patch, patch, channels, width]);
  }
  for (const block of numbers(blocks)) {
    const at = `v.blk.${block}.`;
    yield* squares(at, ["attn_q", "attn_k", "attn_v", "attn_out"], width, true);
    yield* norm(`${at}ln1`, width);
    yield* norm(`${at}ln2`, width);
    yield* linear(`${at}ffn_gate`, width, inner, true);
    yield* linear(`${at}ffn_up`, width, inner, true);
    yield* linear(`${at}ffn_down`, inner, width, true);
  }
  yield* norm("v.merger.ln_q", width);
}

function* qwen3vl(tower: Tower, { width, blocks, inner, patch }: Sizes): Generator<Tensor> {
  for (const frame of numbers(tower.temporal_patch ?? 2)) {
    yield tensor(`v.patch_embed_${frame}.weight`, [patch, patch, channels, width]);
  }
  yield tensor("v.patch_embed.bias", [width]);
  yield tensor("v.pos_embed.weight", [width, needed(tower, "positions")]);
  for (const block of numbers(blocks)) {
    const at = `v.blk.${block}.`;
    yield* linear(`${at}attn_qkv`, width, 3 * width, true);
    yield* linear(`${at}attn_out`, width, width, true);
    yield* norm(`${at}norm1`, width, true);
    yield* norm(`${at}norm2`, width, true);
    yield* linear(`${at}mlp.fc1`, width, inner, true);
    yield* linear(`${at}mlp.fc2`, inner, width, true);
  }
  const merged = width * needed(tower, "merge") ** 2;
  const output = needed(tower, "projection_dim");
  yield* norm("v.merger.norm", width, true);
  yield* linear("v.merger.fc1", merged, merged, true);
  yield* linear("v.merger.fc2", merged, output, true);
  for (const level of numbers(tower.deepstack ?? 0)) {
    const at = `v.deepstack.${level}.`;
    yield* norm(`${at}norm`, merged, true);
    yield* linear(`${at}fc1`, merged, merged, true);
    yield* linear(`${at}fc2`, merged, output, true);
  }
}

function* llama4(tower: Tower, { width, blocks, inner, patch }: Sizes): Generator<Tensor> {
  yield tensor("v.patch_embedding.weight", [patch * patch * channels, width]);
  yield tensor("v.class_embedding", [width]);
  yield tensor("v.positional_embedding_vlm", [width, needed(tower, "positions")]);
  yield* norm("v.layernorm_pre", width, true);
  yield* norm("v.layernorm_post", width, true);
  for (const block of numbers(blocks)) {
    const at = `v.blk.${block}.`;
    yield* squares(at, ["attn_q", "attn_k", "attn_v", "attn_output"], width, true);
    yield* norm(`${at}attn_norm`, width, true);
    yield* norm(`${at}ffn_norm`, width, true);
    yield* linear(`${at}mlp.fc1`, width, inner, true);
    yield* linear(`${at}mlp.fc2`, inner, width, true);
  }
}

/** Llama 3.2 Vision: pictures in tiles; the blocks of the second tower, behind the first, have gates. */
function* mllama(tower: Tower, { width, blocks, inner, patch }: Sizes): Generator<Tensor> {
  const positions = needed(tower, "positions");
  const tiles = needed(tower, "tiles");
  const ratios = needed(tower, "aspect_ratios");
  yield tensor("v.patch_embd.weight", [patch, patch, channels, width]);
  yield tensor("v.class_embd", [width]);
  yield tensor("v.position_embd.weight", [width, positions]);
  yield tensor("v.position_embd.gate", [1]);
  yield tensor("v.tile_position_embd.weight", [width * positions * tiles, ratios]);
  yield tensor("v.tile_position_embd.gate", [1]);
  for (const place of ["pre", "post"]) {
    yield tensor(`v.${place}_tile_position_embd.weight`, [width * tiles, ratios]);
    yield tensor(`v.${place}_tile_position_embd.gate`, [1]);
    yield* norm(`v.${place}_ln`, width, true);
  }
  for (const block of numbers(blocks + needed(tower, "global_block_count"))) {
    const at = `v.blk.${block}.`;
    yield* squares(at, ["attn_q", "attn_k", "attn_v", "attn_output"], width, false);
    yield* norm(`${at}attn_norm`, width, true);
    yield* norm(`${at}ffn_norm`, width, true);
    yield* linear(`${at}ffn_up`, width, inner, true);
    yield* linear(`${at}ffn_down`, inner, width, true);
    if (block >= blocks) {
      yield tensor(`${at}attn_gate`, [1]);
      yield tensor(`${at}ffn_gate`, [1]);
    }
  }
}

function* squares(
  at: string,
  names: readonly string[],
  width: number,
  bias: boolean,
): Generator<Tensor> {
  for (const name of names) yield* linear(at + name, width, width, bias);
}

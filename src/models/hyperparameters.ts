import type { PerBlock } from "./model.js";

/**
 * What decides which tensors a model has and how large they are. The keys are those of a GGUF file,
 * without the architecture in front of them ("llama.block_count"), so they keep GGUF's spelling.
 * Lengths are elements, counts are pieces.
 */
export interface Hyperparameters {
  /** general.architecture, as the Ollama library spells it: "llama", "gptoss". */
  architecture: string;
  block_count: number;
  embedding_length: number;
  /** Of a dense feed-forward part; absent where every block has experts. */
  feed_forward_length?: PerBlock;
  head_count: PerBlock;
  head_count_kv: PerBlock;
  key_length: number;
  value_length: number;
  /** Tokens. */
  context_length: number;
  vocab_size: number;
  /** The output reuses the input embedding: there is no `output.weight`. */
  tie_embeddings?: boolean;

  expert_count?: number;
  expert_used_count?: number;
  expert_feed_forward_length?: number;
  expert_shared_count?: number;
  /** All shared experts together; expert_shared_count × expert_feed_forward_length where absent. */
  expert_shared_feed_forward_length?: number;
  /** Blocks at the start that have a dense feed-forward part instead of experts. */
  leading_dense_block_count?: number;
  /** Every n-th block has experts. */
  moe_every?: number;

  q_lora_rank?: number;
  kv_lora_rank?: number;
  rope_dimension_count?: number;

  sliding_window?: number;
  /** n: one block in n sees the whole context; null where the order is not known. */
  sliding_window_pattern?: number | null;
  /** Which of the n it is: block % n. */
  sliding_window_full_at?: number | null;
  attention_chunk_size?: number;
  key_length_swa?: number;
  value_length_swa?: number;
  /** Blocks at the end that read the cache of an earlier block. */
  shared_kv_layers?: number;
  /** Every n-th block has attention, the others a recurrent state. */
  full_attention_interval?: number;
  shortconv_l_cache?: number;
  ssm?: StateSpace;

  attn_logit_softcapping?: number;
  final_logit_softcapping?: number;
  rope?: Rope;
  extra?: Extra;
}

/** `<architecture>.ssm.*` */
export interface StateSpace {
  conv_kernel: number;
  state_size: number;
  group_count: number;
  time_step_rank: number;
  inner_size: number;
}

/** `<architecture>.rope.*` */
export interface Rope {
  freq_base?: number;
  freq_base_swa?: number;
  dimension_count?: number;
  scaling?: string;
  factor?: number;
  original_context_length?: number;
}

/** Which tensors exist beyond what GGUF keys tell: llama.cpp looks whether the file has them. */
export interface Extra {
  qkv_bias?: boolean;
  o_bias?: boolean;
  ffn_bias?: boolean;
  attn_bias?: boolean;
  /** Queries and keys have a norm of their own; "head": one for all heads. */
  qk_norm?: boolean | "head";
  /** Norms behind attention and feed-forward part. */
  post_norms?: boolean;
  /** falcon: a second norm in front of the feed-forward part. */
  norm_2?: boolean;
  /** Elements of rope_freqs.weight. */
  rope_freqs?: number;
  /** Elements of each of rope_factors_long.weight and rope_factors_short.weight. */
  rope_factors?: number;
  /** Learned positions, and whether the quantiser touches them. */
  n_positions?: number;
  quantise_positions?: boolean;
  token_types?: number;
  fused_qkv?: boolean;
  gated?: boolean;
  moe_every_n?: number;
  expert_bias?: boolean;
  /** The router has a bias an expert: exp_probs_b. */
  probs_b?: boolean;
  /** deepseek2: head sizes before compression, and whether attn_kv_b is split into attn_k_b and attn_v_b. */
  key_length_mha?: number;
  value_length_mha?: number;
  absorbed?: boolean;
  /** embeddinggemma: width of the dense layers behind the pooling. */
  dense_2?: number;
  /** gemma3n and gemma4. */
  per_layer_input?: number;
  per_layer_vocab?: number;
  altup?: number;
  laurel_rank?: number;
  kv_shared_from?: number;
  global_head_dim?: number;
  swa_head_dim?: number;
  full_attention_layers?: readonly number[];
  shared_kv_layers?: number;
  k_eq_v?: boolean;
  store_shared_kv?: boolean;
  cross_attention_layers?: readonly number[];
  /** Blocks behind block_count that predict further tokens. */
  mtp_layers?: number;
  ba_fused?: boolean;
  /** nemotron_h: one letter a block. M: Mamba 2, *: attention, -: dense feed-forward, E: experts. */
  pattern?: string;
  head_count?: number;
  head_count_kv?: number;
  dense_ff?: number;
  latent?: number;
  /** laguna: the gate has one value a head, or one an element. */
  attn_gate?: "head" | "full";
}

/** A vision or audio tower, in the model's own file or in a projector file. */
export interface Tower {
  /** "opaque": only the number of its parameters is known, if that. */
  kind: "clip" | "siglip" | "pixtral" | "qwen25vl" | "qwen3vl" | "llama4" | "mllama" | "opaque";
  params?: number;
  embedding_length?: number;
  block_count?: number;
  global_block_count?: number;
  feed_forward_length?: number;
  patch_size?: number;
  image_size?: number;
  positions?: number;
  tiles?: number;
  aspect_ratios?: number;
  temporal_patch?: number;
  /** Patches merged along each side. */
  merge?: number;
  deepstack?: number;
  projection_dim?: number;
  post_norm?: boolean;
  /** [name, input, output, has a bias] */
  projector_linears?: readonly (readonly [string, number, number, boolean?])[];
  /** [name, width, has a bias] */
  projector_norms?: readonly (readonly [string, number, boolean?])[];
  audio_params?: number;
  audio_block_count?: number;
  audio_embedding_length?: number;
}

/** The value of one block. */
export function ofBlock(value: PerBlock, block: number): number {
  return typeof value === "number" ? value : (value[block] ?? Number.NaN);
}

/**
 * The number under a key that the architecture cannot do without.
 * @throws Error where the key is absent.
 */
export function needed<K extends string>(values: { [key in K]?: unknown }, key: K): number {
  const value = values[key];
  if (typeof value !== "number") throw new Error(`The model's description lacks ${key}.`);
  return value;
}

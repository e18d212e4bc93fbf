import facts from "../facts/checkpoints.json" with { type: "json" };
import type { Extra, Hyperparameters, Rope } from "./hyperparameters.js";
import { array, count, record, text, texts, type JsonRecord } from "./json.js";

interface Facts {
  converted: Readonly<Record<string, string>>;
}

/** By architecture in config.json: that of the GGUF file which Ollama makes of it. */
const converted = new Map(Object.entries((facts as Facts).converted));

/** A checkpoint as it is stored: config.json, and the shapes of the tensors by name. */
export interface Checkpoint {
  config: JsonRecord;
  /** Lengths, the row length last, of the first tensor whose name ends so. */
  shapeOf: (end: string) => readonly number[] | undefined;
}

/** The first of `architectures`: "LlamaForCausalLM". */
export function checkpointArchitecture(config: JsonRecord): string | undefined {
  return text(array(config["architectures"])[0]);
}

/** general.architecture of the file that Ollama converts a checkpoint to; undefined where it converts none. */
export function convertedArchitecture(architecture: string): string | undefined {
  return converted.get(architecture);
}

/** What every config.json says of its text model, by whatever name. */
export interface BaseShape {
  block_count: number;
  embedding_length: number;
  feed_forward_length?: number;
  head_count: number;
  head_count_kv: number;
  key_length: number;
  value_length: number;
  context_length: number;
  vocab_size: number;
  tie_embeddings?: boolean;
  rope: Rope;
}

/** LLAMA_MAX_LAYERS in llama.cpp's src/llama-hparams.h. */
const mostBlocks = 512;

/** Undefined where the number of blocks, their width or their heads are missing or impossible. */
export function baseShape({ config, shapeOf }: Checkpoint): BaseShape | undefined {
  const own = textConfig(config);
  const blocks = number(own, "num_hidden_layers", "n_layers", "n_layer");
  const width = number(own, "hidden_size", "n_embd", "d_model");
  if (blocks === undefined || width === undefined || blocks > mostBlocks) return undefined;
  // Gemma 3's smaller files leave them to the code that runs them (convert_gemma3.go).
  const [usualHeads, usualHeadsKv] = gemma3Heads.get(blocks) ?? [];
  const heads = number(own, "num_attention_heads", "n_head") ?? usualHeads;
  if (heads === undefined) return undefined;
  const isGemma3 = usualHeads !== undefined && number(own, "num_attention_heads") === undefined;
  const headLength = number(own, "head_dim") ?? (isGemma3 ? 256 : Math.floor(width / heads));
  const inner = number(own, "intermediate_size", "n_inner");
  const embedding =
    shapeOf("embed_tokens.weight") ?? shapeOf("word_embeddings.weight") ?? shapeOf("wte.weight");
  const hasOutput = shapeOf("lm_head.weight") !== undefined;
  return {
    block_count: blocks,
    embedding_length: width,
    ...(inner !== undefined && { feed_forward_length: inner }),
    head_count: heads,
    head_count_kv: number(own, "num_key_value_heads") ?? (isGemma3 ? usualHeadsKv! : heads),
    key_length: headLength,
    value_length: headLength,
    context_length:
      number(own, "max_position_embeddings", "n_ctx", "n_positions") ?? (isGemma3 ? 131_072 : 0),
    vocab_size: embedding?.[0] ?? number(own, "vocab_size") ?? 0,
    ...(!hasOutput && { tie_embeddings: true }),
    rope: ropeOf(own, headLength),
  };
}

const gemma3Heads = new Map([
  [34, [8, 4]],
  [48, [16, 8]],
  [62, [32, 16]],
]);

/** Models for pictures keep the text model's numbers one level down. */
function textConfig(config: JsonRecord): JsonRecord {
  const inner = config["text_config"] ?? config["llm_config"] ?? config["language_config"];
  return { ...config, ...record(inner) };
}

/** The first of these keys that holds a number. */
function number(config: JsonRecord, ...keys: readonly string[]): number | undefined {
  for (const key of keys) {
    const value = count(config[key]);
    if (value !== undefined && value > 0) return value;
  }
  return undefined;
}

function ropeOf(own: JsonRecord, headLength: number): Rope {
  const scaling = record(own["rope_scaling"]) ?? record(own["rope_parameters"]) ?? {};
  const share = own["partial_rotary_factor"];
  const base = number(own, "rope_theta") ?? number(scaling, "rope_theta");
  const type = text(scaling["rope_type"]) ?? text(scaling["type"]);
  const factor = scaling["factor"];
  const original =
    number(scaling, "original_max_position_embeddings") ??
    number(own, "original_max_position_embeddings", "initial_context_length");
  return {
    dimension_count: typeof share === "number" ? Math.floor(headLength * share) : headLength,
    ...(base !== undefined && { freq_base: base }),
    ...(type !== undefined && type !== "default" && { scaling: type }),
    ...(typeof factor === "number" && { factor }),
    ...(original !== undefined && { original_context_length: original }),
  };
}

/**
 * The shape of the GGUF file that Ollama makes of a checkpoint. Undefined where it converts none of this
 * architecture, or its tensors are not known one by one, or config.json lacks a number.
 */
export function checkpointShape(checkpoint: Checkpoint): Hyperparameters | undefined {
  const { config } = checkpoint;
  const architecture = convertedArchitecture(checkpointArchitecture(config) ?? "");
  const base = baseShape(checkpoint);
  const make = architecture === undefined ? undefined : makers.get(architecture);
  if (architecture === undefined || !base || !make) return undefined;
  const own = textConfig(config);
  return { architecture, ...base, ...make(own, base, checkpoint) };
}

type Maker = (own: JsonRecord, base: BaseShape, checkpoint: Checkpoint) => Partial<Hyperparameters>;

const makers = new Map<string, Maker>([
  ["bert", bert],
  ["command-r", (own) => extra({ qk_norm: own["use_qk_norm"] === true })],
  ["deepseek2", deepseek],
  ["gemma", () => ({})],
  ["gemma2", gemma2],
  ["gemma3", gemma3],
  ["gptoss", gptoss],
  ["lfm2", lfm2],
  ["lfm2moe", lfm2],
  ["llama", llama],
  ["mistral3", () => ({})],
  ["olmo3", olmo3],
  ["phi3", phi3],
  ["qwen2", () => extra({ qkv_bias: true })],
  ["qwen25vl", () => extra({ qkv_bias: true })],
  ["qwen35", qwenDelta],
  ["qwen35moe", qwenDelta],
  ["qwen3next", qwenDelta],
  ["qwen3vl", () => ({ extra: { qk_norm: "head" } })],
  ["qwen3vlmoe", (own) => ({ ...experts(own), extra: { qk_norm: "head" } })],
]);

/** Without what is false: a key stands for something there. */
function extra(values: Extra): { extra: Extra } {
  const kept = Object.entries(values).filter(([, value]) => value !== false && value !== undefined);
  return { extra: Object.fromEntries(kept) };
}

function llama(own: JsonRecord, base: BaseShape): Partial<Hyperparameters> {
  const isLlama3 = base.rope.scaling === "llama3";
  const more = {
    qkv_bias: own["attention_bias"] === true,
    o_bias: own["attention_bias"] === true,
    ffn_bias: own["mlp_bias"] === true,
    // ropeFactors in convert_llama.go goes by the width, not by head_dim.
    ...(isLlama3 && { rope_freqs: Math.floor(base.embedding_length / base.head_count / 2) }),
  };
  const routed = number(own, "num_local_experts");
  if (routed === undefined || base.feed_forward_length === undefined) return extra(more);
  return {
    expert_count: routed,
    ...used(own),
    expert_feed_forward_length: base.feed_forward_length,
    ...extra(more),
  };
}

function used(own: JsonRecord): { expert_used_count?: number } {
  const each = number(own, "num_experts_per_tok", "experts_per_token");
  return each === undefined ? {} : { expert_used_count: each };
}

function experts(own: JsonRecord): Partial<Hyperparameters> {
  const routed = number(own, "num_experts", "n_routed_experts", "num_local_experts");
  const inner = number(own, "moe_intermediate_size");
  if (routed === undefined || inner === undefined) return {};
  return { expert_count: routed, ...used(own), expert_feed_forward_length: inner };
}

function bert(own: JsonRecord, _: BaseShape, { shapeOf }: Checkpoint): Partial<Hyperparameters> {
  const positions = shapeOf("position_embeddings.weight")?.[0];
  const types = number(own, "type_vocab_size");
  return extra({
    ...(positions !== undefined && { n_positions: positions }),
    ...(types !== undefined && { token_types: types }),
  });
}

/** Blocks behind num_hidden_layers, which predict further tokens, are left out (convert_deepseek2.go). */
function deepseek(
  own: JsonRecord,
  _: BaseShape,
  { shapeOf }: Checkpoint,
): Partial<Hyperparameters> {
  const plain = number(own, "qk_nope_head_dim") ?? 0;
  const rotated = number(own, "qk_rope_head_dim") ?? 0;
  const value = number(own, "v_head_dim") ?? 0;
  const queries = number(own, "q_lora_rank");
  const rank = number(own, "kv_lora_rank");
  const shared = number(own, "n_shared_experts");
  return {
    ...experts(own),
    ...(shared !== undefined && { expert_shared_count: shared }),
    leading_dense_block_count: number(own, "first_k_dense_replace") ?? 0,
    key_length: plain + rotated,
    value_length: value,
    rope_dimension_count: rotated,
    ...(queries !== undefined && { q_lora_rank: queries }),
    ...(rank !== undefined && { kv_lora_rank: rank }),
    ...extra({
      key_length_mha: plain + rotated,
      value_length_mha: value,
      probs_b: shapeOf("e_score_correction_bias") !== undefined,
    }),
  };
}

function window(own: JsonRecord, every: number, at = every - 1): Partial<Hyperparameters> {
  const tokens = number(own, "sliding_window");
  if (tokens === undefined) return {};
  return { sliding_window: tokens, sliding_window_pattern: every, sliding_window_full_at: at };
}

function gemma2(own: JsonRecord): Partial<Hyperparameters> {
  const [scores, logits] = [own["attn_logit_softcapping"], own["final_logit_softcapping"]];
  return {
    ...window(own, 2),
    ...(typeof scores === "number" && { attn_logit_softcapping: scores }),
    ...(typeof logits === "number" && { final_logit_softcapping: logits }),
    extra: { post_norms: true },
  };
}

function gemma3(own: JsonRecord): Partial<Hyperparameters> {
  return {
    ...window(own, number(own, "sliding_window_pattern") ?? 6),
    extra: { post_norms: true, qk_norm: true },
  };
}

function gptoss(own: JsonRecord, base: BaseShape): Partial<Hyperparameters> {
  const routed = number(own, "num_experts", "num_local_experts");
  return {
    ...window(own, 2),
    ...(routed !== undefined && { expert_count: routed }),
    ...used(own),
    ...(base.feed_forward_length !== undefined && {
      expert_feed_forward_length: base.feed_forward_length,
    }),
  };
}

function lfm2(own: JsonRecord, base: BaseShape, { shapeOf }: Checkpoint): Partial<Hyperparameters> {
  const types = texts(own["layer_types"]);
  const listed = new Set(array(own["full_attn_idxs"]).map(count));
  const headsKv = Array.from({ length: base.block_count }, (_, block) =>
    types[block] === "full_attention" || listed.has(block) ? base.head_count_kv : 0,
  );
  const inner = shapeOf("feed_forward.w1.weight")?.[0];
  const kernel = number(own, "conv_L_cache");
  const dense = number(own, "num_dense_layers");
  return {
    head_count_kv: headsKv,
    ...(inner !== undefined && { feed_forward_length: inner }),
    ...(kernel !== undefined && { shortconv_l_cache: kernel }),
    ...experts(own),
    ...(dense !== undefined && { leading_dense_block_count: dense }),
  };
}

function olmo3(own: JsonRecord): Partial<Hyperparameters> {
  return window(own, 4);
}

function phi3(own: JsonRecord): Partial<Hyperparameters> {
  const factors = array(record(own["rope_scaling"])?.["long_factor"]).length;
  const tokens = number(own, "sliding_window");
  return {
    ...(tokens !== undefined && { sliding_window: tokens, sliding_window_pattern: null }),
    ...extra(factors > 0 ? { rope_factors: factors } : {}),
  };
}

function qwenDelta(
  own: JsonRecord,
  _: BaseShape,
  { config, shapeOf }: Checkpoint,
): Partial<Hyperparameters> {
  const heads = number(own, "linear_num_value_heads") ?? 0;
  const isNext = checkpointArchitecture(config) === "Qwen3NextForCausalLM";
  const shared = number(own, "shared_expert_intermediate_size");
  const further = !isNext && shapeOf("mtp.fc.weight") !== undefined;
  return {
    ...experts(own),
    ...(shared !== undefined && { expert_shared_feed_forward_length: shared }),
    full_attention_interval: number(own, "full_attention_interval") ?? 4,
    ssm: {
      conv_kernel: number(own, "linear_conv_kernel_dim") ?? 4,
      state_size: number(own, "linear_key_head_dim") ?? 0,
      group_count: number(own, "linear_num_key_heads") ?? 0,
      time_step_rank: heads,
      inner_size: heads * (number(own, "linear_value_head_dim") ?? 0),
    },
    extra: {
      ...(isNext && { ba_fused: true }),
      ...(further && { mtp_layers: number(own, "mtp_num_hidden_layers") ?? 1 }),
    },
  };
}

import type { Header, KeyValue, TensorInfo } from "./header.js";
import type { Hyperparameters } from "./hyperparameters.js";
import type { QuantisedTensor } from "./quantisation.js";
import { blockOf, fileType } from "./tensor-types.js";

/** What a header says beyond the shape. */
export interface HeaderDetails {
  /** llama_ftype: "Q4_K_M". */
  fileType?: string;
  /** context_length of this file, in tokens, where it is not the model's. */
  contextLength?: number;
  /** How an embedding model makes one vector of a text's: llama_pooling_type. */
  pooling?: number;
  /** Layers of the vision tower that are added to the first blocks (Qwen3-VL). */
  deepstack?: number;
}

/**
 * The header that llama.cpp gets of a model whose shape is known: the keys that its converter writes
 * (gguf-py/gguf/constants.py) and the text model's tensors. A file that Ollama converted itself has
 * other names for some; they are translated as Ollama does at load since 0.30
 * (llama/compat/llama-ollama-compat.cpp), and a tower in the same file is hidden likewise.
 *
 * Undefined where llama.cpp has no such architecture. Constants of the arithmetic, which are not in the
 * catalogue, stand for themselves: memory depends on their presence, never on their value.
 */
export function headerOf(
  model: Hyperparameters,
  tensors: Iterable<QuantisedTensor>,
  details: HeaderDetails = {},
): Header | undefined {
  const architecture = llamaArchitecture(model);
  if (architecture === undefined) return undefined;
  const type = details.fileType === undefined ? undefined : fileType(details.fileType)?.id;
  const keys = new Map<string, KeyValue>([["general.architecture", architecture]]);
  if (type !== undefined) keys.set("general.file_type", type);
  const own = {
    ...shapeKeys(model, details),
    ...attentionKeys(model),
    ...expertKeys(model),
    ...stateKeys(model),
    ...ropeKeys(model),
    ...scaleKeys(model),
  };
  for (const [key, value] of Object.entries<KeyValue | null | undefined>(own)) {
    if (value !== undefined && value !== null) keys.set(`${architecture}.${key}`, value);
  }
  if (model.extra?.token_types) {
    keys.set("tokenizer.ggml.token_type_count", model.extra.token_types);
  }
  keys.set("tokenizer.ggml.tokens", { length: vocabulary(model) });
  return { keys, tensors: textTensors(model, tensors) };
}

/** A header whose tensors take `factor` times as many bytes; their dimensions and types stay. */
export function scaledHeader({ keys, tensors }: Header, factor: number): Header {
  const scaled = tensors.map((tensor) => ({
    ...tensor,
    bytes: Math.round(tensor.bytes * factor),
  }));
  return { keys, tensors: scaled };
}

/** How llama.cpp calls what Ollama named itself; null: it has none such. */
const renamed = new Map<string, string | null>([
  ["deepseekocr", "deepseek2-ocr"],
  ["gptoss", "gpt-oss"],
  ["mllama", null],
  ["olmo3", "olmo2"],
  ["qwen25vl", "qwen2vl"],
]);

function llamaArchitecture({ architecture }: Hyperparameters): string | undefined {
  const name = renamed.get(architecture);
  return name === undefined ? architecture : (name ?? undefined);
}

/** gemma3n: the rows behind the text's vocabulary are cut off, they stand for pictures and sound. */
function vocabulary({ vocab_size, extra }: Hyperparameters): number {
  return extra?.per_layer_vocab ?? vocab_size;
}

function shapeKeys(model: Hyperparameters, { contextLength, pooling, deepstack }: HeaderDetails) {
  const { extra = {} } = model;
  const furtherTokens = extra.mtp_layers ?? 0;
  return {
    // The blocks that predict further tokens count, and are named once more.
    block_count: model.block_count + furtherTokens,
    nextn_predict_layers: furtherTokens || undefined,
    context_length: contextLength ?? model.context_length,
    embedding_length: model.embedding_length,
    embedding_length_per_layer_input: extra.per_layer_input,
    feed_forward_length: model.feed_forward_length,
    vocab_size: vocabulary(model),
    pooling_type: pooling,
    n_deepstack_layers: deepstack || undefined,
    "altup.num_inputs": extra.altup,
    dense_2_feat_out: extra.dense_2,
  };
}

function attentionKeys(model: Hyperparameters) {
  const { extra = {}, architecture, sliding_window: window } = model;
  const { kv_shared_from: sharedFrom, absorbed = false } = extra;
  const epsilon = layerNorms.has(architecture) ? "layer_norm_epsilon" : "layer_norm_rms_epsilon";
  return {
    "attention.head_count": model.head_count,
    "attention.head_count_kv": model.head_count_kv,
    "attention.key_length": model.key_length,
    "attention.value_length": model.value_length,
    "attention.key_length_swa": model.key_length_swa,
    "attention.value_length_swa": model.value_length_swa,
    [`attention.${epsilon}`]: 1e-5,
    "attention.sliding_window": window,
    "attention.sliding_window_pattern": window ? windowPattern(model) : undefined,
    "attention.shared_kv_layers":
      sharedFrom === undefined ? model.shared_kv_layers : model.block_count - sharedFrom,
    "attention.causal": encoders.has(architecture) ? false : undefined,
    "attention.q_lora_rank": model.q_lora_rank,
    "attention.kv_lora_rank": model.kv_lora_rank,
    ...(absorbed && absorbedKeys(model)),
  };
}

/** deepseek2 with attn_kv_b split in two: the cache holds one compressed head for all. */
function absorbedKeys(model: Hyperparameters) {
  const { extra = {}, kv_lora_rank: rank = 0, rope_dimension_count: rope = 0 } = model;
  return {
    "attention.head_count_kv": 1,
    "attention.key_length": rank + rope,
    "attention.value_length": rank,
    "attention.key_length_mla": extra.key_length_mha,
    "attention.value_length_mla": extra.value_length_mha,
  };
}

/**
 * One block in n sees the whole context: the last of each n, but in laguna the first; or for each block
 * whether it has a window, where the converter lists them. Undefined where the order is not known or
 * there is none (phi3 has a window that nobody uses).
 */
function windowPattern(model: Hyperparameters): number | boolean[] | undefined {
  const { sliding_window_pattern: every, sliding_window_full_at: at, block_count: blocks } = model;
  const full = model.extra?.full_attention_layers;
  if (!full && (!every || typeof at !== "number")) return undefined;
  if (!full && model.architecture !== "gemma3n") return every ?? undefined;
  return Array.from({ length: blocks }, (_, block) =>
    full ? !full.includes(block) : block % every! !== at,
  );
}

function expertKeys(model: Hyperparameters) {
  const { extra = {}, architecture, expert_count: count } = model;
  if (!count) return {};
  return {
    expert_count: count,
    expert_used_count: model.expert_used_count,
    expert_feed_forward_length: model.expert_feed_forward_length,
    expert_shared_count: model.expert_shared_count,
    expert_shared_feed_forward_length: model.expert_shared_feed_forward_length,
    leading_dense_block_count: model.leading_dense_block_count,
    interleave_moe_layer_step: model.moe_every,
    moe_every_n_layers: extra.moe_every_n,
    moe_latent_size: extra.latent,
    ...gatingKeys(model, architecture),
  };
}

/** llama_expert_gating_func_type: softmax where it is absent. */
const sigmoid = 2;

function gatingKeys(model: Hyperparameters, architecture: string) {
  const gated = { expert_gating_func: sigmoid, expert_weights_norm: true };
  if (architecture === "deepseek2") {
    // The routers of DeepSeek 3 and GLM 4.7 have a bias; DeepSeek 2 scales where queries are compressed.
    if (model.extra?.probs_b) return { ...gated, expert_weights_scale: 2.5 };
    return { expert_weights_scale: model.q_lora_rank ? 16 : 1 };
  }
  if (architecture === "lfm2moe") return { expert_gating_func: sigmoid };
  if (architecture === "nemotron_h_moe" || architecture === "laguna") {
    return { ...gated, expert_weights_scale: 2.5 };
  }
  return {};
}

function stateKeys({ ssm, ...model }: Hyperparameters) {
  return {
    "ssm.conv_kernel": ssm?.conv_kernel,
    "ssm.inner_size": ssm?.inner_size,
    "ssm.state_size": ssm?.state_size,
    "ssm.time_step_rank": ssm?.time_step_rank,
    "ssm.group_count": ssm?.group_count,
    "shortconv.l_cache": model.shortconv_l_cache,
    full_attention_interval: model.full_attention_interval,
  };
}

/** Rotated elements by time, height and width: mrope_section of the checkpoints' config.json. */
const sections = new Map([
  ["qwen25vl", [16, 24, 24, 0]],
  ["qwen2vl", [16, 24, 24, 0]],
  ["qwen35", [11, 11, 10, 0]],
  ["qwen35moe", [11, 11, 10, 0]],
  ["qwen3vl", [24, 20, 20, 0]],
  ["qwen3vlmoe", [24, 20, 20, 0]],
]);

function ropeKeys({ rope = {}, ...model }: Hyperparameters) {
  // The converter switches positions off where other blocks keep the order (GraniteHybridModel).
  const unused = model.architecture === "granitehybrid";
  return {
    "rope.dimension_count": model.rope_dimension_count ?? rope.dimension_count,
    "rope.dimension_sections": sections.get(model.architecture),
    "rope.freq_base": rope.freq_base,
    "rope.freq_base_swa": rope.freq_base_swa,
    "rope.scaling.type": rope.scaling,
    "rope.scaling.factor": rope.factor,
    "rope.scaling.original_context_length": rope.original_context_length,
    "rope.scaling.finetuned": unused ? false : undefined,
  };
}

function scaleKeys(model: Hyperparameters) {
  const { architecture } = model;
  const soft = {
    attn_logit_softcapping: model.attn_logit_softcapping,
    final_logit_softcapping: model.final_logit_softcapping,
  };
  if (architecture.startsWith("granite")) {
    return {
      ...soft,
      embedding_scale: 12,
      residual_scale: 0.22,
      logit_scale: 8,
      "attention.scale": 1 / model.key_length,
    };
  }
  return cohere.has(architecture) ? { ...soft, logit_scale: 0.25 } : soft;
}

const cohere = new Set(["cohere2", "cohere2moe", "command-r"]);

/** No cache and no order: every token sees every other. */
const encoders = new Set(["bert", "jina-bert-v2", "nomic-bert", "nomic-bert-moe"]);

/** Norms that subtract the mean; all others only scale. */
const layerNorms = new Set([
  ...encoders,
  ...cohere,
  "dbrx",
  "falcon",
  "nemotron",
  "phi2",
  "stablelm",
  "starcoder",
  "starcoder2",
]);

function textTensors(
  model: Hyperparameters,
  tensors: Iterable<QuantisedTensor>,
): readonly TensorInfo[] {
  const rows = vocabulary(model);
  const text: TensorInfo[] = [];
  for (const { name, type, dims } of tensors) {
    // Towers of other kinds: a. sound, s. a second tower for pictures.
    if (/^(?:[avs]|mm)\./.test(name)) continue;
    const [width = 0] = dims;
    const kept = name === "token_embd.weight" ? [width, rows] : dims;
    const translated = model.architecture === "gptoss" ? gptossName(name) : name;
    text.push({ name: translated, type, dims: kept, bytes: dataBytes(type, kept) });
  }
  return text;
}

/** ggml_nbytes: what the data takes without padding. */
function dataBytes(type: string, dims: readonly number[]): number {
  const block = blockOf(type);
  const elements = dims.reduce((product, length) => product * length, 1);
  return (elements / block.elements) * block.bytes;
}

function gptossName(name: string): string {
  return name
    .replace(/\.attn_sinks$/, ".attn_sinks.weight")
    .replace(".ffn_norm.", ".post_attention_norm.");
}

/** Families whose vector is the mean of all tokens' (1), or the last token's (3); else the first's (2). */
const poolings = new Map([
  ["all-minilm", 1],
  ["embeddinggemma", 1],
  ["nomic-embed-text", 1],
  ["nomic-embed-text-v2-moe", 1],
  ["paraphrase-multilingual", 1],
  ["qwen3-embedding", 3],
]);

/** llama_pooling_type of an embedding model of the library (1_Pooling/config.json of its checkpoint). */
export function poolingOf(family: string): number {
  return poolings.get(family) ?? 2;
}

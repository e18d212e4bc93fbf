import type { Tensor } from "./architectures/parts.js";
import { ofBlock, type Hyperparameters } from "./hyperparameters.js";
import type { PerBlock } from "./model.js";
import { blockOf } from "./tensor-types.js";

/**
 * The quantisers that made the files of the Ollama library, named after the time whose rules they
 * follow: llama.cpp's llama-quantize, and Ollama's own since 2025. "pure": every tensor the same.
 */
export type Era =
  | "llama-2023"
  | "llama-2024"
  | "llama-2026"
  | "ollama-2025-03"
  | "ollama-2025-04"
  | "ollama-2025-05"
  | "ollama-2026-01"
  | "ollama-2026-04"
  | "pure";

interface Habits {
  /** Ollama's quantiser in Go (server/quantization.go): Q4_K_S, Q4_K_M and Q8_0 only. */
  ownQuantiser?: boolean;
  /** The attention matrices of a tower in the same file count among the model's. */
  countsTower?: boolean;
  /** Every name with "v." in it stays as it is: towers were meant, attn_v was hit too. */
  keepsNamesWithV?: boolean;
  /** Values of a tower are quantised. */
  quantisesTowerValues?: boolean;
  /** Q2_K keeps ffn_gate and ffn_up at Q3_K. */
  keepsGateAndUp?: boolean;
  /** attn_qkv and attn_kv_b are treated as attn_v, per_layer_token_embd as token_embd. */
  treatsFusedAsValue?: boolean;
  /** Routed experts have no counter of their own for ffn_down, but follow the dense part. */
  expertsFollowDense?: boolean;
  /** Positions of a tower are stored as F16 like everything else in it. */
  halfPrecisionPositions?: boolean;
}

const eras: Readonly<Record<Era, Habits>> = {
  "llama-2023": { keepsGateAndUp: true },
  "llama-2024": { halfPrecisionPositions: true },
  "llama-2026": { treatsFusedAsValue: true },
  "ollama-2025-03": { countsTower: true },
  "ollama-2025-04": { keepsNamesWithV: true },
  "ollama-2025-05": { ownQuantiser: true, countsTower: true, quantisesTowerValues: true },
  "ollama-2026-01": { ownQuantiser: true, countsTower: true },
  "ollama-2026-04": { ownQuantiser: true, countsTower: true, expertsFollowDense: true },
  pure: {},
};

/** What the choice for one tensor depends on besides its name. */
export interface Mix {
  /** llama_ftype: "Q4_K_M". */
  fileType: string;
  era: Era;
  habits: Habits;
  architecture: string;
  blocks: number;
  expertCount: number;
  /** Query heads that share a key-value head. */
  groupedQueries: number;
  /** There is an output.weight; otherwise token_embd.weight takes its place and its type. */
  hasOutput: boolean;
  /** Tensors that count as attention values. */
  valueCount: number;
  /** llama.cpp's LLM_TYPE_70B: so many heads share values that more bits cost little. */
  is70b: boolean;
  /** An importance matrix was given. */
  imatrix: boolean;
  /** How many of a kind came before: the order of the file decides who gets more bits. */
  seen: { value: number; down: number; gate: number; up: number };
}

/** Names of matrices that hold attention values, alone or with others. */
const valueNames = ["attn_v.weight", "attn_qkv.weight", "attn_kv_b.weight"];

export function mixOf(
  model: Hyperparameters,
  tensors: readonly Tensor[],
  tower: readonly Tensor[],
  fileType: string,
  era: Era,
  imatrix: boolean,
): Mix {
  const habits = eras[era];
  const counted = habits.countsTower ? [...tensors, ...tower] : tensors;
  const inBlocks = tensors.filter(({ name }) => name.startsWith("blk."));
  const headsKv = largest(model.head_count_kv);
  return {
    fileType,
    era,
    habits,
    architecture: model.architecture,
    blocks: habits.ownQuantiser
      ? new Set(inBlocks.map(({ name }) => blockNumber(name))).size
      : model.block_count,
    expertCount: model.expert_count ?? 0,
    groupedQueries: headsKv ? Math.floor(largest(model.head_count) / headsKv) : 1,
    hasOutput: tensors.some(({ name }) => name === "output.weight"),
    valueCount: counted.filter(({ name }) => includesAny(name, valueNames)).length,
    is70b: is70b(model),
    imatrix,
    seen: { value: 0, down: 0, gate: 0, up: 0 },
  };
}

/** LLM_TYPE_70B of llama.cpp's src/llama-model.cpp. */
function is70b({ architecture, block_count, head_count, head_count_kv }: Hyperparameters): boolean {
  if (block_count !== 80) return false;
  if (architecture === "qwen2" || architecture === "qwen2vl") return true;
  return architecture === "llama" && ofBlock(head_count, 0) !== ofBlock(head_count_kv, 0);
}

/**
 * The type of a tensor that is quantised at all. `base` is the file type's default type.
 * Advances the mix's counters: call it once a tensor, in the order of the file.
 */
export function chosenType(tensor: Tensor, base: string, mix: Mix): string {
  if (base === "F32" || base === "F16" || base === "BF16") return base;
  // gpt-oss as published: experts MXFP4, everything else BF16.
  if (mix.fileType === "MXFP4") return tensor.name.includes("_exps.weight") ? "MXFP4" : "BF16";
  let type = base;
  if (mix.habits.ownQuantiser) type = ollamaType(tensor, base, mix);
  else if (mix.era !== "pure") type = llamaType(tensor, base, mix);
  return fitting(type, tensor, mix.era);
}

/** A type whose blocks divide the tensor's rows: llama-quant.cpp, "convert_incompatible_tensor". */
function fitting(type: string, { dims }: Tensor, era: Era): string {
  if (divides(type, dims)) return type;
  const low = type === "Q2_K" || type === "Q3_K";
  const fallback = era === "llama-2026" && low ? "Q4_0" : (blockOf(type).fallback ?? "F16");
  return divides(fallback, dims) ? fallback : "F16";
}

function divides(type: string, dims: readonly number[]): boolean {
  return dims[0]! % blockOf(type).elements === 0;
}

/**
 * llama.cpp's and Ollama's use_more_bits: the first and the last eighth of the blocks, and every third
 * in between.
 */
function deservesMoreBits(index: number, count: number): boolean {
  const eighth = Math.floor(count / 8);
  if (index < eighth || index >= Math.floor((7 * count) / 8)) return true;
  return (index - eighth) % 3 === 2;
}

/** llama_tensor_get_type of llama.cpp's src/llama-quant.cpp. */
function llamaType(tensor: Tensor, base: string, mix: Mix): string {
  const { name } = tensor;
  const isEmbedding =
    name === "token_embd.weight" ||
    (mix.habits.treatsFusedAsValue === true && name === "per_layer_token_embd.weight");
  if (name === "output.weight" || (!mix.hasOutput && isEmbedding)) {
    return llamaOutput(tensor, base, mix);
  }
  if (mix.fileType === "MXFP4_MOE") return (tensor.dims[2] ?? 1) > 1 ? "MXFP4" : "Q8_0";
  if (isEmbedding) return llamaEmbedding(base, mix);

  const values = mix.habits.treatsFusedAsValue ? valueNames : ["attn_v.weight"];
  const isValue = includesAny(name, values);
  if (veryLow.has(mix.fileType)) return llamaVeryLow(name, base, isValue, mix);
  if (isValue) return llamaValue(base, mix);
  if (name.includes("attn_k.weight")) {
    return mix.expertCount === 8 ? "Q8_0" : (llamaQueryOrKey[mix.fileType] ?? base);
  }
  if (name.includes("attn_q.weight")) return llamaQueryOrKey[mix.fileType] ?? base;
  if (name.includes("ffn_down")) return llamaDown(name, base, mix);
  if (name.includes("attn_output.weight")) return llamaAttentionOutput(base, mix);
  if (name.includes("attn_qkv.weight")) return llamaFused[mix.fileType] ?? base;
  if (name.includes("ffn_gate")) return llamaGateOrUp(name, base, "gate", mix);
  if (name.includes("ffn_up")) return llamaGateOrUp(name, base, "up", mix);
  return base;
}

/** File types of less than three bits: llama-quant.cpp treats them apart from the others. */
const veryLow = new Set(["IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M"]);

const llamaQueryOrKey: Readonly<Record<string, string>> = { IQ3_XS: "IQ3_XXS", IQ3_XXS: "IQ2_S" };

const llamaFused: Readonly<Record<string, string>> = {
  Q3_K_M: "Q4_K",
  Q3_K_L: "Q4_K",
  IQ3_M: "Q4_K",
  Q4_K_M: "Q5_K",
  Q5_K_M: "Q6_K",
};

function llamaOutput(tensor: Tensor, base: string, mix: Mix): string {
  const { fileType, architecture } = mix;
  if (fileType === "MXFP4_MOE" || architecture === "falcon" || !divides(base, tensor.dims)) {
    return "Q8_0";
  }
  if (veryLow.has(fileType) || fileType === "IQ3_XXS") return "Q5_K";
  return base === "Q8_0" ? base : "Q6_K";
}

function llamaEmbedding(base: string, { fileType }: Mix): string {
  switch (fileType) {
    case "IQ1_S":
    case "IQ1_M":
    case "IQ2_XXS":
    case "IQ2_XS":
      return "Q2_K";
    case "IQ2_S":
    case "IQ2_M":
    case "IQ3_XXS":
      return "IQ3_S";
    case "TQ1_0":
    case "TQ2_0":
    case "Q2_0":
      return "Q4_K";
    default:
      return base;
  }
}

function llamaVeryLow(name: string, base: string, isValue: boolean, mix: Mix): string {
  const better = mix.fileType === "IQ2_S" || mix.fileType === "IQ2_M" ? "IQ3_S" : "Q2_K";
  if (isValue) {
    mix.seen.value++;
    return mix.groupedQueries >= 4 || mix.expertCount >= 4 ? "Q4_K" : better;
  }
  if (mix.expertCount === 8 && name.includes("attn_k.weight")) return "Q4_K";
  if (name.includes("ffn_down")) {
    return mix.seen.down++ < Math.floor(mix.blocks / 8) ? better : base;
  }
  if (name.includes("attn_output.weight")) {
    if (mix.expertCount === 8) return "Q5_K";
    if (mix.fileType === "IQ1_S" || mix.fileType === "IQ1_M") return "IQ2_XXS";
    return better === "IQ3_S" ? better : base;
  }
  return base;
}

function llamaValue(base: string, mix: Mix): string {
  const index = mix.seen.value++;
  // Eight experts share one small value matrix, so it can be almost exact.
  if (mix.expertCount === 8) return "Q8_0";
  const type = llamaValueByFileType(base, index, mix);
  return mix.is70b && (type === "Q3_K" || type === "Q4_K") ? "Q5_K" : type;
}

function llamaValueByFileType(base: string, index: number, mix: Mix): string {
  const grouped = mix.groupedQueries >= 4;
  switch (mix.fileType) {
    case "Q2_K":
      return grouped ? "Q4_K" : "Q3_K";
    case "Q2_K_S":
    case "IQ3_XS":
    case "IQ3_S":
      return grouped ? "Q4_K" : base;
    case "IQ3_XXS":
      if (grouped) return "Q4_K";
      return mix.imatrix ? "IQ3_XXS" : "IQ3_S";
    case "IQ3_M":
      return "Q4_K";
    case "Q3_K_M":
      return index < 2 ? "Q5_K" : "Q4_K";
    case "Q3_K_L":
      return "Q5_K";
    case "IQ4_NL":
    case "IQ4_XS":
      return grouped ? "Q5_K" : base;
    case "Q4_K_M":
    case "Q5_K_M":
      return deservesMoreBits(index, mix.valueCount) ? "Q6_K" : base;
    case "Q4_K_S":
      return index < 4 ? "Q5_K" : base;
    default:
      return base;
  }
}

function llamaDown(name: string, base: string, mix: Mix): string {
  const index = blockOrCount(name, mix.seen.down++, mix);
  const { blocks, imatrix } = mix;
  const falcon = mix.architecture === "falcon";
  const more = deservesMoreBits(index, blocks);
  const first8th = index < Math.floor(blocks / 8);
  const first16th = index < Math.floor(blocks / 16);
  switch (mix.fileType) {
    case "Q2_K":
      return "Q3_K";
    case "Q2_K_S":
      return first8th ? "Q4_K" : base;
    case "IQ3_XXS":
      if (imatrix) return base;
      return first8th ? "Q4_K" : "Q3_K";
    case "Q3_K_M":
      if (first16th) return "Q5_K";
      return !falcon || more ? "Q4_K" : "Q3_K";
    case "IQ3_M":
      return first8th || (mix.expertCount === 8 && more) ? "Q4_K" : base;
    case "Q3_K_L":
      return falcon ? "Q4_K" : "Q5_K";
    case "Q4_K_M":
      if (falcon && !first16th) return more ? "Q5_K" : "Q4_K";
      return falcon || more ? "Q6_K" : base;
    case "IQ4_NL":
    case "IQ4_XS":
      return first8th && !imatrix ? "Q5_K" : base;
    case "Q5_K_M":
      return more ? "Q6_K" : base;
    case "Q4_K_S":
      return first8th && !falcon ? "Q5_K" : base;
    case "Q4_0":
      return first8th && imatrix ? "Q4_1" : base;
    case "Q5_0":
      return first8th && imatrix ? "Q5_1" : base;
    default:
      return base;
  }
}

function llamaAttentionOutput(base: string, mix: Mix): string {
  const { fileType } = mix;
  if (mix.architecture === "falcon") return fileType === "Q3_K_L" ? "Q4_K" : base;
  if (mix.expertCount === 8) return eightExpertsOutput.has(fileType) ? "Q5_K" : base;
  return attentionOutput[fileType] ?? base;
}

const attentionOutput: Readonly<Record<string, string>> = {
  Q2_K: "Q3_K",
  IQ3_XXS: "IQ3_S",
  Q3_K_M: "Q4_K",
  Q3_K_L: "Q5_K",
  IQ3_M: "Q4_K",
};

const eightExpertsOutput = new Set([
  "Q2_K",
  "IQ3_XS",
  "IQ3_XXS",
  "Q3_K_S",
  "Q3_K_M",
  "IQ4_NL",
  "Q4_K_S",
  "Q4_K_M",
  "IQ3_S",
  "IQ3_M",
  "IQ4_XS",
]);

function llamaGateOrUp(name: string, base: string, part: "gate" | "up", mix: Mix): string {
  if (mix.habits.keepsGateAndUp && mix.fileType === "Q2_K") return "Q3_K";
  const index = blockOrCount(name, mix.seen[part]++, mix);
  const middle = index >= Math.floor(mix.blocks / 8) && index < Math.floor((7 * mix.blocks) / 8);
  return mix.fileType === "IQ3_XS" && middle ? "IQ3_XXS" : base;
}

/** Experts are split over tensors, so that llama.cpp goes by the block's number instead of counting. */
function blockOrCount(name: string, count: number, mix: Mix): number {
  return mix.expertCount > 1 ? blockNumber(name) : count;
}

/** getTensorNewType of Ollama's server/quantization.go. */
function ollamaType(tensor: Tensor, base: string, mix: Mix): string {
  const { name, dims } = tensor;
  const { fileType } = mix;
  const q8 = base === "Q8_0";
  const q4 = fileType === "Q4_K_M" || fileType === "Q4_K_S";
  if (q4 && deltaNets.has(mix.architecture)) {
    if (endsWithAny(name, deltaNetQ6)) return "Q6_K";
    if (endsWithAny(name, deltaNetQ4)) return "Q4_K";
  }
  if (name === "output.weight" || (!mix.hasOutput && name === "token_embd.weight")) {
    return q8 || !divides(base, dims) ? "Q8_0" : "Q6_K";
  }
  if (name.includes("attn_v.weight")) {
    const index = mix.seen.value++;
    if (mix.expertCount === 8) return "Q8_0";
    if (fileType === "Q4_K_M" && deservesMoreBits(index, mix.valueCount)) return "Q6_K";
    return fileType === "Q4_K_S" && index < 4 ? "Q5_K" : base;
  }
  if (name.includes("attn_k.weight")) return mix.expertCount === 8 ? "Q8_0" : base;
  if (includesAny(name, latentNames)) return "Q8_0";
  if (name.includes("ffn_down")) {
    const index = ollamaDownIndex(name, mix);
    if (fileType === "Q4_K_M" && deservesMoreBits(index, mix.blocks)) return "Q6_K";
    return fileType === "Q4_K_S" && index < Math.floor(mix.blocks / 8) ? "Q5_K" : base;
  }
  if (name.includes("attn_output.weight")) return q4 && mix.expertCount === 8 ? "Q5_K" : base;
  if (name.includes("attn_qkv.weight")) return fileType === "Q4_K_M" ? "Q5_K" : base;
  return base;
}

const deltaNets = new Set(["qwen3next", "qwen35", "qwen35moe"]);

const deltaNetQ6 = [".attn_v.weight", ".ffn_down_exps.weight", ".ffn_down_shexp.weight"];

const deltaNetQ4 = [
  ".attn_q.weight",
  ".attn_k.weight",
  ".attn_output.weight",
  ".attn_qkv.weight",
  ".attn_gate.weight",
  ".ssm_ba.weight",
  ".ssm_beta.weight",
  ".ssm_alpha.weight",
  ".ssm_out.weight",
  ".ffn_gate_exps.weight",
  ".ffn_gate_shexp.weight",
  ".ffn_up_exps.weight",
  ".ffn_up_shexp.weight",
];

/** The compressed queries, keys and values of deepseek2. */
const latentNames = [
  "attn_k_b.weight",
  "attn_v_b.weight",
  "attn_kv_a_mqa.weight",
  "attn_q_a.weight",
  "attn_q_b.weight",
];

function ollamaDownIndex(name: string, mix: Mix): number {
  const routed = name.includes("_exps");
  if (routed && mix.architecture === "laguna") return blockNumber(name);
  if (routed && mix.habits.expertsFollowDense) return Math.max(0, mix.seen.down - 1);
  return mix.seen.down++;
}

/** "blk.12.ffn_down.weight" → 12 */
function blockNumber(name: string): number {
  return Number(name.split(".")[1]);
}

function largest(value: PerBlock): number {
  return (typeof value === "number" ? value : Math.max(...value)) || 1;
}

export function includesAny(name: string, parts: readonly string[]): boolean {
  return parts.some((part) => name.includes(part));
}

function endsWithAny(name: string, ends: readonly string[]): boolean {
  return ends.some((end) => name.endsWith(end));
}

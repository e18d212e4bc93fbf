import { towerTensors } from "./architectures/towers.js";
import type { Tensor } from "./architectures/parts.js";
import type { Hyperparameters, Tower } from "./hyperparameters.js";
import { chosenType, includesAny, mixOf, type Era, type Mix } from "./mixes.js";
import { fileType, tensorBytes } from "./tensor-types.js";
import { modelTensors } from "./tensors.js";

/** A tensor as a file holds it. Bytes include the padding to 32. */
export interface QuantisedTensor extends Tensor {
  type: string;
  bytes: number;
}

/** How a file was made. */
export interface Recipe {
  /** llama_ftype: "Q4_K_M". */
  fileType: string;
  era: Era;
  /** An importance matrix was given to llama-quantize. */
  imatrix?: boolean;
  /** A vision tower in the same file. */
  tower?: Tower;
  /** What most matrices of the tower have; F16 where absent. */
  towerType?: string;
  /** The tower's tensors stand in front: they are counted before the others. */
  towerFirst?: boolean;
  /** Types that were chosen by hand: a tensor's name, or a part of names with "*" behind it. */
  overrides?: Readonly<Record<string, string>>;
}

/**
 * Every tensor of a model file with its type and its bytes, tower included.
 * @throws Error where the architecture or the file type is not known, or a needed number is missing.
 */
export function quantise(model: Hyperparameters, recipe: Recipe): QuantisedTensor[] {
  const { name: file, tensorType: base } = fileType(recipe.fileType) ?? {};
  if (file === undefined || base === undefined) {
    throw new Error(`"${recipe.fileType}" is no file type of llama.cpp.`);
  }
  const tensors = modelTensors(model);
  const tower = recipe.tower ? [...towerTensors(recipe.tower)] : [];
  const { era, imatrix = false } = recipe;
  const mix = mixOf(model, tensors, tower, file, era, imatrix);
  const ordered = recipe.towerFirst ? [...tower, ...tensors] : [...tensors, ...tower];
  return ordered.map((tensor) => {
    const { name, dims, elements } = tensor;
    const type = overridden(name, recipe) ?? typeOf(tensor, base, model, recipe, mix);
    return { name, dims, elements, type, bytes: tensorBytes(type, dims) };
  });
}

/** Bytes of a projector file's tensors: matrices F16, everything else F32. */
export function projectorTensorBytes(tower: Tower): number {
  let bytes = 0;
  for (const tensor of towerTensors(tower)) {
    const half = isMatrix(tensor) && !tensor.name.endsWith(".bias");
    bytes += tensorBytes(half ? "F16" : "F32", tensor.dims);
  }
  return bytes;
}

function overridden(name: string, { overrides = {} }: Recipe): string | undefined {
  let type: string | undefined;
  for (const [pattern, value] of Object.entries(overrides)) {
    const meant = pattern.endsWith("*") ? name.includes(pattern.slice(0, -1)) : name === pattern;
    if (meant) type = value;
  }
  return type;
}

function typeOf(
  tensor: Tensor,
  base: string,
  model: Hyperparameters,
  { towerType = "F16" }: Recipe,
  mix: Mix,
): string {
  const { name } = tensor;
  if (tensor.type !== undefined) return tensor.type;
  if (isSmall(tensor)) return "F32";
  if (isQuantised(tensor, model, mix)) return chosenType(tensor, base, mix);
  if (isTower(name)) {
    return towerPositions.has(name) && !mix.habits.halfPrecisionPositions ? "F32" : towerType;
  }
  // The type of the file that was quantised.
  return mix.fileType === "F32" || mix.fileType === "BF16" ? mix.fileType : "F16";
}

/** What converters keep at full precision: vectors, norms, and the numbers of state spaces. */
function isSmall(tensor: Tensor): boolean {
  const { name } = tensor;
  if (!isMatrix(tensor) || /(?:_norm\.weight|\.bias|\.scale)$/.test(name)) return true;
  return name.includes("ssm_") && !name.endsWith(".weight");
}

/** Trailing dimensions of 1 do not count, as in ggml_n_dims. */
function isMatrix({ dims }: Tensor): boolean {
  return dims.slice(1).some((length) => length !== 1);
}

/** Whether the quantiser touches a matrix: tensor_allows_quantization of llama.cpp's llama-quant.cpp. */
function isQuantised(
  { name }: Tensor,
  { extra, architecture }: Hyperparameters,
  mix: Mix,
): boolean {
  const { ownQuantiser = false, keepsNamesWithV, quantisesTowerValues } = mix.habits;
  if (!name.endsWith("weight") || includesAny(name, neverQuantised)) return false;
  if (name === "position_embd.weight" || name === "token_types.weight") {
    if (!extra?.quantise_positions) return false;
  }
  if (ownQuantiser) {
    if (name === "per_layer_token_embd.weight") return false;
    if (architecture === "laguna" && !name.includes("_exps.")) return false;
  } else if (includesAny(name, keptByLlama)) {
    return false;
  }
  if (keepsNamesWithV && name.includes("v.")) return false;
  if (!isTower(name)) return true;
  return quantisesTowerValues === true && name.includes("_v.") && !name.startsWith("mm.");
}

const neverQuantised = ["_norm.weight", "ffn_gate_inp", "ssm_conv1d", "shortconv.conv"];

/** Small matrices of gemma3n that suffer most. */
const keptByLlama = ["altup", "laurel", "per_layer_model_proj"];

/** Learned positions of towers. */
const towerPositions = new Set([
  "v.position_embd.weight",
  "v.tile_position_embd.weight",
  "v.pre_tile_position_embd.weight",
  "v.post_tile_position_embd.weight",
  "v.positional_embedding_vlm",
]);

function isTower(name: string): boolean {
  return name.startsWith("v.") || name.startsWith("mm.");
}

import { NoGraph } from "./graph.js";
import { textAt, type Header, type KeyValue } from "../models/header.js";

/**
 * The hyper-parameters that caches, placement and graph depend on, as llama.cpp reads them
 * (src/llama-model.cpp load_hparams). Lengths are elements, arrays have one element a block.
 */
export interface Network {
  /** general.architecture */
  architecture: string;
  /** block_count, blocks that predict further tokens included. */
  blocks: number;
  /** Blocks that a token passes: block_count less nextn_predict_layers. */
  layers: number;
  embedding: number;
  vocabulary: number;
  trainedContext: number;
  heads: readonly number[];
  headsKv: readonly number[];
  keyLength: number;
  valueLength: number;
  /** Of blocks that see a window alone. */
  windowKeyLength: number;
  windowValueLength: number;
  /** Of a head's elements, those that positions rotate. */
  rotary: number;
  /** What attention of some blocks is limited to; undefined: no block's is. */
  window: { tokens: number; kind: "sliding" | "chunked" | "symmetric" } | undefined;
  /** Blocks that the window limits. */
  windowed: readonly boolean[];
  /** Blocks with a recurrent state. */
  recurrent: readonly boolean[];
  /** Recurrent blocks have attention as well (falcon-h1). */
  attendsEverywhere: boolean;
  /** From this block on none has a cache of its own (gemma3n, gemma4). */
  sharesCacheFrom: number;
  /** Neither cache nor causal mask: an encoder. */
  encodes: boolean;
  causal: boolean;
  /** pooling_type: 0 none, 1 mean, 2 first token, 3 last token, 4 rank. */
  pooling: number;
  /** Positions a token: 4 where images have a place in time, height and width. */
  positions: number;
  rmsNorm: boolean;
  scalesEmbedding: boolean;
  scalesResidual: boolean;
  scalesLogits: boolean;
  capsLogits: boolean;
  capsScores: boolean;
  experts: Experts;
  /** Multi-head latent attention: undefined where the cache holds whole keys and values. */
  latent: { rank: number; keyLength: number; valueLength: number } | undefined;
  state: StateSpace | undefined;
  /** shortconv.l_cache */
  shortConvolution: number;
  /** wkv.head_size and token_shift_count: RWKV. */
  wkv: { headLength: number; shifts: number } | undefined;
  /** Kimi's delta attention: kda.head_dim and ssm.conv_kernel. */
  kda: { headLength: number; convolution: number } | undefined;
  /** Embeddings of a picture that are added behind the first blocks, beside that which goes in front. */
  deepstack: number;
  /** attention.temperature_scale: queries are multiplied by a factor of their position. */
  scalesQueries: boolean;
  /** attention.clamp_kqv */
  clampsHeads: boolean;
  /** use_parallel_residual: attention and feed-forward part both read the block's input. */
  parallel: boolean;
}

export interface Experts {
  count: number;
  /** Chosen for each token. */
  used: readonly number[];
  /** Blocks at the start without experts. */
  leadingDense: number;
  /** Factor of the chosen experts' weights; 0 where the file has none. */
  scale: number;
  normalised: boolean;
  /** expert_gating_func: 1 softmax, 2 sigmoid, 3 softmax over the chosen. */
  gating: number;
  groups: number;
  groupsUsed: number;
}

/** <architecture>.ssm.* */
export interface StateSpace {
  convolution: number;
  inner: number;
  state: number;
  timeStepRank: number;
  groups: number;
}

/** Reads a header's keys by their name without the architecture in front. */
export interface Keys {
  /** @throws NoGraph where it is no whole number, or less than 0. */
  number(name: string): number | undefined;
  /** Any number: a scale, a cap. */
  factor(name: string): number | undefined;
  flag(name: string): boolean | undefined;
  /** One element a block, also where the file has one number for all. */
  perBlock(name: string, absent: number): number[];
  raw(name: string): KeyValue | undefined;
}

/** LLAMA_MAX_LAYERS in llama.cpp's src/llama-hparams.h. */
const mostBlocks = 512;

export function keysOf(header: Header): Keys {
  const architecture = textAt(header, "general.architecture") ?? "";
  const raw = (name: string) => header.keys.get(`${architecture}.${name}`);
  const whole = (name: string, value: KeyValue | undefined): number => {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw new NoGraph(`The header's ${architecture}.${name} is no count.`);
  };
  const number = (name: string) => {
    const value = raw(name);
    return value === undefined ? undefined : whole(name, value);
  };
  const blocks = number("block_count") ?? 0;
  if (blocks > mostBlocks) throw new NoGraph(`The header counts ${blocks} blocks.`);
  return {
    number,
    raw,
    factor: (name) => {
      const value = raw(name);
      return typeof value === "number" ? value : undefined;
    },
    flag: (name) => {
      const value = raw(name);
      return typeof value === "boolean" ? value : undefined;
    },
    perBlock: (name, absent) => {
      const value = raw(name);
      const elements = Array.isArray(value) ? (value as readonly KeyValue[]) : undefined;
      const each = elements || value === undefined ? absent : whole(name, value);
      return Array.from({ length: blocks }, (_, block) => {
        const own = elements?.[block];
        return own === undefined ? each : whole(name, own);
      });
    },
  };
}

/**
 * What holds for every architecture; each may change it.
 * @throws NoGraph where a number is missing that nothing can be computed without.
 */
export function networkOf(architecture: string, keys: Keys, vocabulary: number): Network {
  const needed = (name: string) => {
    const value = keys.number(name);
    if (value === undefined) throw new NoGraph(`The header has no ${architecture}.${name}.`);
    return value;
  };
  const number = (name: string, absent = 0) => keys.number(name) ?? absent;
  const factor = (name: string) => keys.factor(name) ?? 0;
  const blocks = needed("block_count");
  const embedding = needed("embedding_length");
  const heads = keys.perBlock("attention.head_count", 0);
  const most = Math.max(0, ...heads);
  const headLength = most > 0 ? Math.floor(embedding / (heads[0] || most)) : 0;
  const keyLength = number("attention.key_length", headLength);
  const valueLength = number("attention.value_length", headLength);
  const rank = number("attention.kv_lora_rank");
  const mlaKey = number("attention.key_length_mla");
  const none = Array.from({ length: blocks }, () => false);
  const inner = number("ssm.inner_size");
  const wkv = number("wkv.head_size");
  const kda = number("kda.head_dim");
  return {
    architecture,
    blocks,
    layers: blocks - number("nextn_predict_layers"),
    embedding,
    vocabulary: number("vocab_size", vocabulary),
    trainedContext: number("context_length"),
    heads,
    headsKv:
      keys.raw("attention.head_count_kv") === undefined
        ? heads
        : keys.perBlock("attention.head_count_kv", 0),
    keyLength,
    valueLength,
    windowKeyLength: number("attention.key_length_swa", keyLength),
    windowValueLength: number("attention.value_length_swa", valueLength),
    rotary: number("rope.dimension_count", keyLength),
    window: undefined,
    windowed: none,
    recurrent: none,
    attendsEverywhere: false,
    sharesCacheFrom: blocks,
    encodes: false,
    causal: keys.flag("attention.causal") ?? true,
    pooling: number("pooling_type"),
    positions: usesSections(keys) ? 4 : 1,
    rmsNorm: keys.factor("attention.layer_norm_rms_epsilon") !== undefined,
    scalesEmbedding: factor("embedding_scale") !== 0,
    scalesResidual: factor("residual_scale") !== 0,
    scalesLogits: factor("logit_scale") !== 0,
    capsLogits: factor("final_logit_softcapping") !== 0,
    // Other architectures have the key, too, and llama.cpp reads it for those alone that say so.
    capsScores: false,
    experts: {
      count: number("expert_count"),
      used: keys.perBlock("expert_used_count", 0),
      leadingDense: number("leading_dense_block_count"),
      scale: factor("expert_weights_scale"),
      normalised: keys.flag("expert_weights_norm") ?? false,
      gating: number("expert_gating_func"),
      groups: number("expert_group_count"),
      groupsUsed: number("expert_group_used_count"),
    },
    latent:
      mlaKey > 0
        ? { rank, keyLength: mlaKey, valueLength: number("attention.value_length_mla") }
        : undefined,
    state:
      inner > 0
        ? {
            convolution: number("ssm.conv_kernel"),
            inner,
            state: number("ssm.state_size"),
            timeStepRank: number("ssm.time_step_rank"),
            groups: number("ssm.group_count"),
          }
        : undefined,
    shortConvolution: number("shortconv.l_cache"),
    wkv: wkv > 0 ? { headLength: wkv, shifts: number("token_shift_count", 2) } : undefined,
    kda: kda > 0 ? { headLength: kda, convolution: number("ssm.conv_kernel") } : undefined,
    deepstack: number("n_deepstack_layers"),
    scalesQueries: factor("attention.temperature_scale") !== 0,
    clampsHeads: factor("attention.clamp_kqv") > 0,
    parallel: keys.flag("use_parallel_residual") ?? true,
  };
}

/** rope.dimension_sections: positions in time, height and width (llama-hparams.cpp use_mrope). */
function usesSections(keys: Keys): boolean {
  const sections = keys.raw("rope.dimension_sections");
  return Array.isArray(sections) && Number(sections[0]) > 0 && Number(sections[1]) > 0;
}

/** Blocks that a window limits: all but the last of every `n`, or but the first (llama-hparams.cpp set_swa_pattern). */
export function windowPattern(
  blocks: number,
  layers: number,
  n: number,
  fullFirst = false,
): boolean[] {
  return Array.from({ length: blocks }, (_, block) => {
    if (block >= layers) return false;
    return n === 0 || (fullFirst ? block % n !== 0 : block % n < n - 1);
  });
}

/** The file's own pattern, or every `n`-th block sees the whole context: the last of them, or the first. */
export function windowsOf(
  keys: Keys,
  { blocks, layers }: Network,
  n: number,
  fullFirst = false,
): boolean[] {
  const stored = keys.raw("attention.sliding_window_pattern");
  if (!Array.isArray(stored)) {
    const every = typeof stored === "number" ? stored : n;
    return windowPattern(blocks, layers, every, fullFirst);
  }
  return Array.from({ length: blocks }, (_, block) => Boolean(stored[block]));
}

/** Elements of the recurrent state of one block and sequence (llama-hparams.cpp n_embd_r, n_embd_s). */
export function stateElements(network: Network): { shift: number; state: number } {
  const { embedding, shortConvolution, state, wkv, kda, heads } = network;
  if (kda) {
    // Queries, keys and values each keep the last inputs of their convolution.
    const inner = kda.headLength * Math.max(0, ...heads);
    return { shift: 3 * (kda.convolution - 1) * inner, state: kda.headLength * inner };
  }
  if (wkv) return { shift: wkv.shifts * embedding, state: embedding * wkv.headLength };
  if (shortConvolution > 0) return { shift: embedding * (shortConvolution - 1), state: 0 };
  if (!state) return { shift: 0, state: 0 };
  const channels = state.inner + 2 * state.groups * state.state;
  return {
    shift: Math.max(0, state.convolution - 1) * channels,
    state: state.state * state.inner,
  };
}

/** Whether a block keeps keys and values of its own. */
export function hasCache(network: Network, block: number): boolean {
  if (network.encodes || block >= network.layers || block >= network.sharesCacheFrom) return false;
  return network.attendsEverywhere || !network.recurrent[block];
}

import { describe, expect, test } from "vitest";
import { allocate, type Subject } from "../src/memory/allocate.js";
import type { Allocation, RunParameters } from "../src/memory/allocation.js";
import {
  architectureNamed,
  architectureNames,
  measuredArchitectures,
} from "../src/memory/architectures.js";
import { generic } from "../src/memory/architectures/generic.js";
import { tensorsOf } from "../src/memory/tensors.js";
import { blockKinds } from "../src/memory/fold.js";
import { keysOf, networkOf } from "../src/memory/network.js";
import { catalogueModel, loadCatalogue } from "../src/models/catalogue.js";
import type { Header, KeyValue, TensorInfo } from "../src/models/header.js";

/** Lengths of the small models: width, vocabulary, heads, their length, feed-forward, experts. */
const [width, words, heads, headsKv, head, inner, experts, inExpert] = [
  64, 512, 4, 2, 16, 96, 8, 32,
];
const [rank, rotary, plain, lowQueries] = [32, 8, 16, 24];
const [channels, state, steps, groups, kernel] = [128, 16, 8, 2, 4];
const mixed = channels + 2 * groups * state;

/** Lengths of tensors by what stands behind "blk.N."; ".weight" is left out. */
const shapes: Readonly<Record<string, readonly number[]>> = {
  attn_q: [width, heads * head],
  attn_k: [width, headsKv * head],
  attn_v: [width, headsKv * head],
  attn_qkv: [width, (heads + 2 * headsKv) * head],
  "attn_q.bias": [heads * head],
  "attn_k.bias": [headsKv * head],
  "attn_v.bias": [headsKv * head],
  "attn_qkv.bias": [(heads + 2 * headsKv) * head],
  attn_output: [heads * head, width],
  "attn_output.bias": [width],
  attn_q_norm: [head],
  attn_k_norm: [head],
  attn_gate: [width, heads * head],
  attn_q_a: [width, lowQueries],
  attn_q_a_norm: [lowQueries],
  attn_q_b: [lowQueries, heads * (plain + rotary)],
  attn_kv_a_mqa: [width, rank + rotary],
  attn_kv_a_norm: [rank],
  attn_kv_b: [rank, heads * (plain + head)],
  attn_k_b: [plain, rank, heads],
  attn_v_b: [rank, head, heads],
  ffn_up: [width, inner],
  ffn_gate: [width, inner],
  ffn_down: [inner, width],
  "ffn_up.bias": [inner],
  "ffn_down.bias": [width],
  ffn_gate_inp: [width, experts],
  ffn_gate_inp_shexp: [width],
  ffn_gate_exps: [width, inExpert, experts],
  ffn_up_exps: [width, inExpert, experts],
  ffn_down_exps: [inExpert, width, experts],
  ffn_gate_shexp: [width, inExpert],
  ffn_up_shexp: [width, inExpert],
  ffn_down_shexp: [inExpert, width],
  "exp_probs_b.bias": [experts],
  ssm_in: [width, channels + mixed + steps],
  ssm_conv1d: [kernel, mixed],
  "ssm_conv1d.bias": [mixed],
  "ssm_dt.bias": [steps],
  ssm_a: [1, steps],
  ssm_d: [1, steps],
  ssm_norm: [channels / groups, groups],
  ssm_out: [channels, width],
  "shortconv.in_proj": [width, 3 * width],
  "shortconv.conv": [3, width],
  "shortconv.out_proj": [width, width],
};

/** Names with a suffix of their own, or none. */
const bare = new Set(["ssm_a", "ssm_d"]);

const dense = "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate ffn_up ffn_down";
const fused = "attn_norm attn_qkv attn_output ffn_norm ffn_gate ffn_up ffn_down";
const mixture =
  "attn_norm attn_q attn_k attn_v attn_output ffn_norm ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps";
const shared = "ffn_gate_shexp ffn_up_shexp ffn_down_shexp";
const headNorms = "attn_q_norm attn_k_norm";
const latent =
  "attn_norm attn_kv_a_mqa attn_kv_a_norm attn_output ffn_norm ffn_gate ffn_up ffn_down";
const mamba2 =
  "attn_norm ssm_in ssm_conv1d ssm_conv1d.bias ssm_dt.bias ssm_a ssm_d ssm_norm ssm_out";
const encoder =
  "attn_qkv attn_output attn_output_norm attn_output_norm.bias ffn_up ffn_down layer_output_norm layer_output_norm.bias";
const plainNorms = "attn_norm.bias ffn_norm.bias";
const fusedForward = { ffn_up: [width, 2 * inner] };
const jointNorms = { attn_q_norm: [heads * head], attn_k_norm: [headsKv * head] };

interface Form {
  /** One text a block, of names as in `shapes`; norms have the width. */
  blocks: readonly string[];
  /** Beside the embedding, the last norm and the output. */
  others?: Readonly<Record<string, readonly number[]>>;
  shapes?: Readonly<Record<string, readonly number[]>>;
  keys?: Readonly<Record<string, KeyValue>>;
  /** Norms that subtract the mean. */
  mean?: boolean;
}

const twice = (block: string, form: Omit<Form, "blocks"> = {}): Form => ({
  ...form,
  blocks: [block, block],
});

const ssm = {
  "ssm.conv_kernel": kernel,
  "ssm.inner_size": channels,
  "ssm.state_size": state,
  "ssm.time_step_rank": steps,
  "ssm.group_count": groups,
};
const window = { "attention.sliding_window": 256 };
const sigmoid = { expert_gating_func: 2, expert_weights_norm: true, expert_weights_scale: 2.5 };
const latentKeys = {
  "attention.kv_lora_rank": rank,
  "attention.key_length": plain + rotary,
  "attention.value_length": head,
  "attention.head_count_kv": heads,
  "rope.dimension_count": rotary,
};
const attentionOnly = "attn_norm attn_q attn_k attn_v attn_output";

/** A small model of every architecture that has not been measured; the measured ones are in test/accuracy. */
const forms: Readonly<Record<string, Form>> = {
  afmoe: twice(
    `${mixture} ${headNorms} ${shared} attn_gate post_attention_norm post_ffw_norm exp_probs_b.bias`,
    { keys: { ...window, ...sigmoid } },
  ),
  apertus: twice(`${dense.replace(" ffn_gate", "")} ${headNorms}`),
  arcee: twice(dense.replace(" ffn_gate", "")),
  arctic: twice(`${mixture} ffn_gate ffn_up ffn_down ffn_norm_exps`),
  baichuan: twice(dense),
  bailingmoe: twice(`${mixture} ${shared}`),
  bailingmoe2: twice(`${fused} ${headNorms}`),
  bloom: twice(`${fused.replace(" ffn_gate", "")} ${plainNorms}`, {
    mean: true,
    others: { "token_embd_norm.weight": [width], "token_embd_norm.bias": [width] },
  }),
  chatglm: twice(`${fused.replace(" ffn_gate", "")} attn_qkv.bias`, { shapes: fusedForward }),
  codeshell: twice(`${dense.replace(" ffn_gate", "")} ${plainNorms}`, { mean: true }),
  cohere2moe: {
    blocks: [
      dense.replace(" ffn_norm", ""),
      ...Array.from({ length: 3 }, () => `${mixture.replace(" ffn_norm", "")} ${shared}`),
    ],
    mean: true,
    keys: { ...window, leading_dense_block_count: 1, logit_scale: 0.25 },
  },
  dbrx: twice(
    mixture.replace("attn_q attn_k attn_v", "attn_qkv").replace("ffn_norm", "attn_output_norm"),
    { mean: true },
  ),
  deci: {
    blocks: [
      dense,
      "ffn_norm ffn_gate ffn_up ffn_down",
      "attn_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
    ],
    keys: { "attention.head_count": [4, 0, 4], "attention.head_count_kv": [2, 0, 0] },
  },
  deepseek: { blocks: [dense, `${mixture} ${shared}`] },
  "deepseek2-ocr": { blocks: [dense, `${mixture} ${shared}`] },
  dots1: {
    blocks: [`${dense} ${headNorms}`, `${mixture} ${headNorms} ${shared} exp_probs_b.bias`],
    keys: sigmoid,
  },
  dream: twice(dense),
  ernie4_5: twice(dense),
  "ernie4_5-moe": { blocks: [dense, `${mixture} ${shared}`] },
  exaone: twice(dense, { others: { "rope_freqs.weight": [head / 2] } }),
  "exaone-moe": {
    blocks: [dense, ...Array.from({ length: 3 }, () => `${mixture} ${shared}`)].map(
      (block) => `${block} ${headNorms}`,
    ),
    keys: { ...window, ...sigmoid },
  },
  exaone4: twice(
    `${dense.replace("attn_norm ", "").replace(" ffn_norm", "")} ${headNorms} post_attention_norm post_ffw_norm`,
  ),
  gemma4: twice(`${dense} ${headNorms} post_attention_norm post_ffw_norm layer_output_scale`, {
    keys: { ...window, "attention.sliding_window_pattern": 2 },
    shapes: { layer_output_scale: [1] },
  }),
  gptneox: twice(
    `${fused.replace(" ffn_gate", "")} ${plainNorms} attn_qkv.bias attn_output.bias ffn_up.bias ffn_down.bias`,
    { mean: true },
  ),
  granitemoe: twice(mixture, {
    keys: { embedding_scale: 12, residual_scale: 0.2, logit_scale: 6 },
  }),
  grok: twice(`${mixture} attn_output_norm layer_output_norm`),
  "hunyuan-dense": twice(`${dense} ${headNorms}`),
  "hunyuan-moe": twice(`${mixture} ${headNorms} ${shared}`),
  "hunyuan-vl": twice(`${dense} ${headNorms}`),
  internlm2: twice(dense),
  "jina-bert-v2": twice(`${encoder} ffn_gate attn_norm_2 attn_norm_2.bias`, encoderForm()),
  "jina-bert-v3": twice(encoder, encoderForm()),
  "kimi-linear": {
    blocks: [
      "attn_norm attn_q attn_k attn_v ssm_conv1d_q ssm_conv1d_k ssm_conv1d_v ssm_f_a ssm_f_b ssm_beta ssm_a ssm_dt.bias ssm_g_a ssm_g_b ssm_norm attn_output ffn_norm ffn_gate ffn_up ffn_down",
      `${latent} attn_k_b attn_v_b attn_q`,
    ],
    shapes: {
      attn_k: [width, heads * head],
      attn_v: [width, heads * head],
      ssm_conv1d_q: [kernel, 1, heads * head],
      ssm_conv1d_k: [kernel, 1, heads * head],
      ssm_conv1d_v: [kernel, 1, heads * head],
      ssm_f_a: [width, head],
      ssm_f_b: [head, heads * head],
      ssm_beta: [width, heads],
      ssm_a: [1, heads],
      "ssm_dt.bias": [heads * head],
      ssm_g_a: [width, head],
      ssm_g_b: [head, heads * head],
      ssm_norm: [head],
    },
    keys: {
      ...latentKeys,
      "attention.head_count_kv": [0, 1],
      "attention.key_length": rank + rotary,
      "attention.value_length": rank,
      "attention.key_length_mla": plain + rotary,
      "attention.value_length_mla": head,
      "ssm.conv_kernel": kernel,
      "kda.head_dim": head,
    },
  },
  laguna: {
    blocks: [
      `${dense} ${headNorms} attn_gate`,
      `${mixture} ${headNorms} ${shared} attn_gate exp_probs_b.bias`,
    ],
    shapes: { attn_gate: [width, heads] },
    keys: { ...window, ...sigmoid, leading_dense_block_count: 1 },
  },
  lfm2moe: {
    blocks: [
      "attn_norm shortconv.in_proj shortconv.conv shortconv.out_proj ffn_norm ffn_gate ffn_up ffn_down",
      `${mixture} ${headNorms} exp_probs_b.bias`,
    ],
    keys: { "shortconv.l_cache": 3, "attention.head_count_kv": [0, 2], expert_gating_func: 2 },
  },
  llada: twice(dense),
  mamba2: twice(mamba2, { keys: { ...ssm, "attention.head_count": 0 } }),
  mimo2: {
    blocks: [dense, `${mixture} exp_probs_b.bias attn_sinks`],
    shapes: { attn_sinks: [heads] },
    keys: { ...window, "attention.sliding_window_pattern": [false, true] },
  },
  minicpm: twice(dense),
  minicpm3: twice(`${latent} attn_q_a attn_q_a_norm attn_q_b attn_kv_b`, { keys: latentKeys }),
  "minimax-m2": twice(`${mixture} ${headNorms} exp_probs_b.bias`, {
    shapes: jointNorms,
    keys: sigmoid,
  }),
  mistral3: twice(dense, { keys: { "attention.temperature_scale": 0.1 } }),
  "modern-bert": {
    blocks: [fused.replace("attn_norm ", ""), fused, fused].map((block) =>
      block.replace(" ffn_gate", ""),
    ),
    shapes: fusedForward,
    ...encoderForm(),
    keys: { ...window, pooling_type: 1, "attention.causal": false },
  },
  mpt: twice(fused.replace(" ffn_gate", ""), { mean: true, keys: { "attention.clamp_kqv": 8 } }),
  "muse-glimmer": {
    blocks: Array.from(
      { length: 4 },
      () => `${dense} ${headNorms} attn_gate post_attention_norm post_ffw_norm`,
    ),
    keys: { ...window, logit_scale: 0.1, final_logit_softcapping: 20 },
  },
  nemotron: twice(`${dense.replace(" ffn_gate", "")} ${plainNorms}`, {
    mean: true,
    others: { "output_norm.bias": [width] },
  }),
  nemotron_h: {
    blocks: [mamba2, attentionOnly, "attn_norm ffn_up ffn_down"],
    keys: {
      ...ssm,
      "attention.head_count": [0, 4, 0],
      "attention.head_count_kv": [0, 2, 0],
      feed_forward_length: [0, 0, inner],
    },
  },
  nemotron_h_moe: {
    blocks: [
      mamba2,
      attentionOnly,
      "attn_norm ffn_gate_inp exp_probs_b.bias ffn_latent_down ffn_latent_up ffn_up_exps ffn_down_exps ffn_up_shexp ffn_down_shexp",
    ],
    shapes: {
      ffn_latent_down: [width, rank],
      ffn_latent_up: [rank, width],
      ffn_up_exps: [rank, inExpert, experts],
      ffn_down_exps: [inExpert, rank, experts],
    },
    keys: {
      ...ssm,
      ...sigmoid,
      "attention.head_count": [0, 4, 0],
      "attention.head_count_kv": [0, 2, 0],
      feed_forward_length: [0, 0, inExpert],
    },
  },
  "neo-bert": twice(fused.replace(" ffn_gate", ""), {
    shapes: fusedForward,
    others: { "enc.output_norm.weight": [width] },
    keys: { "attention.causal": false },
  }),
  "nomic-bert-moe": {
    blocks: [
      `${encoder} attn_qkv.bias attn_output.bias ffn_up.bias ffn_down.bias`,
      `${encoder.replace("ffn_up ffn_down", "ffn_gate_inp ffn_up_exps ffn_down_exps")} attn_qkv.bias attn_output.bias`,
    ],
    ...encoderForm(),
  },
  olmo: twice("attn_q attn_k attn_v attn_output ffn_gate ffn_up ffn_down", {
    mean: true,
    keys: { "attention.clamp_kqv": 8 },
  }),
  olmoe: twice(`${mixture} ${headNorms}`, { shapes: jointNorms }),
  orion: twice(`${dense} ${plainNorms}`, { mean: true }),
  "pangu-embedded": twice(`${dense} attn_output.bias`),
  phimoe: twice(mixture),
  plamo: twice(dense.replace(" ffn_norm", "")),
  qwen: twice(`${fused} attn_qkv.bias`),
  qwen2moe: twice(`${mixture} ${shared} ffn_gate_inp_shexp attn_q.bias attn_k.bias attn_v.bias`),
  qwen2vl: twice(`${dense} attn_q.bias attn_k.bias attn_v.bias`, {
    keys: { "rope.dimension_sections": [16, 24, 24, 0] },
  }),
  qwen35moe: {
    blocks: [
      `attn_norm attn_qkv attn_gate ssm_alpha ssm_beta ssm_conv1d ssm_dt.bias ssm_a ssm_norm ssm_out post_attention_norm ${shared} ffn_gate_inp_shexp ffn_gate_inp ffn_gate_exps ffn_up_exps ffn_down_exps`,
      `attn_norm attn_q attn_k attn_v attn_output ${headNorms} post_attention_norm ffn_gate ffn_up ffn_down`,
    ],
    shapes: {
      attn_q: [width, 2 * heads * head],
      attn_qkv: [width, mixed],
      attn_gate: [width, channels],
      ssm_alpha: [width, steps],
      ssm_beta: [width, steps],
      ssm_norm: [channels / steps],
    },
    keys: { ...ssm, full_attention_interval: 2 },
  },
  qwen3vl: {
    blocks: Array.from({ length: 4 }, () => `${dense} ${headNorms}`),
    keys: { n_deepstack_layers: 3 },
  },
  qwen3vlmoe: {
    blocks: Array.from({ length: 4 }, () => `${mixture} ${headNorms}`),
    keys: { n_deepstack_layers: 3 },
  },
  refact: twice(dense),
  seed_oss: twice(dense.replace("ffn_norm", "post_attention_norm")),
  smallthinker: {
    blocks: Array.from({ length: 4 }, () => mixture),
    keys: { ...window, ...sigmoid },
  },
  smollm3: { blocks: [dense, dense, dense, dense] },
  solar: {
    blocks: Array.from({ length: 17 }, (_, block) => (block === 16 ? `${dense} bskcn_tv` : dense)),
    shapes: { bskcn_tv: [2] },
  },
  starcoder: twice(
    `${fused.replace(" ffn_gate", "")} ${plainNorms} attn_qkv.bias attn_output.bias`,
    {
      mean: true,
      others: { "position_embd.weight": [width, 1024] },
    },
  ),
  xverse: twice(dense),
};

function encoderForm(): Omit<Form, "blocks"> {
  return {
    mean: true,
    others: {
      "token_types.weight": [width, 1],
      "token_embd_norm.weight": [width],
      "token_embd_norm.bias": [width],
    },
    keys: { pooling_type: 1, "attention.causal": false },
  };
}

function tensor(name: string, dims: readonly number[]): TensorInfo {
  const type = dims.length === 1 ? "F32" : "F16";
  const elements = dims.reduce((product, length) => product * length, 1);
  return { name, type, dims, bytes: elements * (type === "F32" ? 4 : 2) };
}

function header(architecture: string, form: Form): Header {
  const epsilon = form.mean ? "layer_norm_epsilon" : "layer_norm_rms_epsilon";
  const own = {
    block_count: form.blocks.length,
    embedding_length: width,
    context_length: 4096,
    vocab_size: words,
    "attention.head_count": heads,
    "attention.head_count_kv": headsKv,
    "attention.key_length": head,
    "attention.value_length": head,
    [`attention.${epsilon}`]: 1e-5,
    "rope.dimension_count": head,
    expert_count: experts,
    expert_used_count: 2,
    ...form.keys,
  };
  const keys = new Map<string, KeyValue>([["general.architecture", architecture]]);
  for (const [key, value] of Object.entries(own)) keys.set(`${architecture}.${key}`, value);
  const tensors = [
    tensor("token_embd.weight", [width, words]),
    tensor("output_norm.weight", [width]),
    tensor("output.weight", [width, words]),
    ...Object.entries(form.others ?? {}).map(([name, dims]) => tensor(name, dims)),
    ...form.blocks.flatMap((block, index) =>
      block.split(" ").map((name) => {
        const dims = form.shapes?.[name] ?? shapes[name] ?? [width];
        const suffix = name.endsWith(".bias") || bare.has(name) ? "" : ".weight";
        return tensor(`blk.${index}.${name}${suffix}`, dims);
      }),
    ),
  ];
  return { keys, tensors };
}

const run: RunParameters = {
  context: 1024,
  batch: 256,
  microBatch: 256,
  sequences: 1,
  unifiedCache: false,
  typeK: "f16",
  typeV: "f16",
  flashAttention: true,
  outputs: 1,
};

const gpu = { backend: "cuda", free: 8e9, compute: 890 } as const;

function buffersOf({ devices, host }: Allocation): number[] {
  return [...devices.map(({ compute }) => compute), host.compute];
}

describe("architectures", () => {
  test("each name stands once, and the measured ones are known", () => {
    expect(new Set(architectureNames).size).toBe(architectureNames.length);
    for (const name of measuredArchitectures) expect(architectureNamed(name)).toBeDefined();
    expect(architectureNamed("no-such")).toBeUndefined();
  });

  test("every architecture without measurements has a small model here", () => {
    const unmeasured = architectureNames.filter((name) => !measuredArchitectures.has(name));
    expect(Object.keys(forms).sort()).toEqual([...unmeasured].sort());
  });

  test.each(Object.keys(forms))("%s builds, on the CPU and on a GPU", (name) => {
    const model = header(name, forms[name]!);
    for (const flashAttention of [true, false]) {
      for (const sequences of [1, 2]) {
        const asked = { ...run, flashAttention, sequences };
        for (const devices of [[], [gpu]]) {
          const allocation = allocate(model, devices, asked);
          for (const bytes of buffersOf(allocation)) {
            expect(Number.isInteger(bytes)).toBe(true);
            expect(bytes).toBeGreaterThan(0);
          }
        }
      }
    }
  });

  test.each(Object.keys(forms))("%s takes more for more tokens at a time", (name) => {
    const model = header(name, forms[name]!);
    const small = allocate(model, [], run);
    const large = allocate(model, [], { ...run, batch: 512, microBatch: 512 });
    expect(large.host.compute).toBeGreaterThan(small.host.compute);
  });

  test("a tensor that the architecture needs and the model lacks is named", () => {
    const model = header("nemotron_h", {
      ...forms["nemotron_h"]!,
      blocks: [mamba2, attentionOnly, "attn_norm ffn_up"],
    });
    expect(() => allocate(model, [], run)).toThrow('no tensor "blk.2.ffn_down.weight"');
  });
});

/*
 * Operations, views included, of a graph with flash attention, counted by hand from llama.cpp's
 * src/models and src/llama-graph.cpp. A block of llama:
 *   norm: RMS_NORM, MUL                                                          2
 *   queries: MUL_MAT, RESHAPE, ROPE; keys likewise; values: MUL_MAT, RESHAPE     8
 *   into the cache: VIEW and SET_ROWS for keys and for values                    4
 *   out of it: VIEW and PERMUTE for keys, for values and for queries;
 *   FLASH_ATTN_EXT, RESHAPE                                                      8
 *   MUL_MAT of the output, ADD                                                   2
 *   norm: 2; up, gate, GLU, down: 4; ADD: 1                                      7
 */
const block = 31;
/** GET_ROWS of the embedding; of the last block's tokens asked for, twice; RMS_NORM, MUL, MUL_MAT. */
const ends = 1 + 2 + 3;
/**
 * A mixture of two of eight experts instead of up, gate, GLU, down (4): logits, probabilities, RESHAPE,
 * ARGSORT, VIEW, GET_ROWS; sum to 1: RESHAPE, SUM_ROWS, CLAMP, DIV, RESHAPE; RESHAPE of the tokens; up, gate,
 * GLU, down; MUL; two VIEWs, ADD.
 */
const routed = 6;
const toOne = 5;
const expertPart = routed + toOne + 1 + 4 + 1 + 3;
/** Each head's norm: RMS_NORM and MUL for queries and keys. */
const normedHeads = 4;
/** State space by heads: see below. */
const stateSpace = 47;

const counts: Readonly<Record<string, number>> = {
  internlm2: ends + 2 * block,
  // Factors of the rotation are a source more, no operation.
  exaone: ends + 2 * block,
  // Queries are multiplied by a factor of their position.
  mistral3: ends + 2 * (block + 1),
  // Three biases.
  qwen2vl: ends + 2 * (block + 3),
  // The embedding is padded and looked at; three blocks add a VIEW of it.
  qwen3vl: ends + 2 + 4 * (block + normedHeads) + 3 * 2,
  qwen3vlmoe: ends + 2 + 4 * (block + normedHeads - 4 + expertPart) + 3 * 2,
  // One matrix for queries, keys and values: MUL_MAT, ADD, three VIEWs, two ROPEs; up, GLU, down.
  chatglm: ends + 2 * (block - 8 + 7 - 1),
  // Biases of three norms; up, RELU, SQR, down.
  nemotron: ends + 1 + 2 * (block + 2),
  // MUL_MAT, CLAMP, three VIEWs, two ROPEs.
  dbrx: ends + 2 * (block - 8 + 7 - 4 + expertPart),
  // Weights not made to sum up to 1; the shared expert: up, gate, GLU, down; its gate: MUL_MAT, SILU, DIV; MUL, ADD.
  qwen2moe: ends + 2 * (block + 3 - 4 + expertPart - toOne + 4 + 3 + 2),
  "deepseek2-ocr": ends + block + (block - 4 + expertPart - toOne + 4 + 1),
  // The gate: MUL_MAT, SOFTPLUS; by heads: two RESHAPEs, MUL, RESHAPE. The router has a bias and a factor.
  laguna: ends + 2 * (block + normedHeads + 2 + 4) + (-4 + (expertPart + 2) + 4 + 1),
  // RMS_NORM of the embedding; MUL_MAT, SIGMOID, MUL; two more norms; one block in four does not rotate;
  // logits are scaled and capped: four operations.
  "muse-glimmer": ends + 1 + 4 + 4 * (block + normedHeads + 3 + 4) - 2,
  /*
   * A state space's two states: seven operations to fetch one (RESHAPE, VIEW, SCALE to clear the first;
   * GET_ROWS; GET_ROWS, VIEW, CPY of the others), one more where SSM_SCAN reads them itself (RESHAPE); VIEWs of
   * the sequences' numbers, made once: 2. The rest: RESHAPE of the shift; MUL_MAT, RESHAPE; VIEW, TRANSPOSE,
   * CONCAT; two VIEWs, CPY; SSM_CONV, ADD, SILU; three VIEWs; VIEW, CONT, ADD; two VIEWs, CPY; VIEW, MUL, ADD;
   * VIEW, CONT, GLU; RESHAPE, RMS_NORM, MUL; RESHAPE, MUL_MAT: 47 together, in a block between a norm and an
   * ADD. Attention without rotation, projections to output: 19. At the end the norm comes before GET_ROWS, once.
   */
  nemotron_h: 1 + (2 + stateSpace + 2 + 1) + (2 + 19 + 1) + (2 + 4 + 1) + 4,
  mamba2: 1 + 2 * (2 + stateSpace + 1) + 2 + 2 + 3,
  /*
   * Short convolution: RESHAPE, MUL_MAT; two VIEWs, MUL, TRANSPOSE; 7 + 2 for the state; RESHAPE, CONCAT; two
   * VIEWs, CPY; SSM_CONV; VIEW, MUL; MUL_MAT, RESHAPE: 25 instead of norm to output without norm and ADD: 21.
   */
  lfm2moe: ends + (block - 21 + 25) + (block + normedHeads - 4 + expertPart + 1),
  /*
   * An encoder: the embedding: GET_ROWS, VIEW and ADD of the type, norm 3. Attention: MUL_MAT, ADD, three VIEWs,
   * two ROPEs; without a cache: VIEW, three PERMUTEs, two CPYs to F16, FLASH_ATTN_EXT, RESHAPE; MUL_MAT, ADD;
   * ADD; norm 3. Up and down with biases, GELU: 5; ADD; norm 3. Experts without gate and sum to 1: 14. The mean:
   * TRANSPOSE, CONT, MUL_MAT. GET_ROWS twice.
   */
  "nomic-bert-moe": 6 + 2 * (7 + 8 + 2 + 1 + 3 + 1 + 3) + 5 + (expertPart - toOne - 1) + 3 + 2,
};

describe("graphs have as many operations as llama.cpp's source makes", () => {
  test.each(Object.keys(counts))("%s", (name) => {
    const { graph } = allocate(header(name, forms[name]!), [], run, { way: "measured" });
    expect(graph!.nodes).toBe(counts[name]);
  });

  test("latent attention caches one compressed key, older files whole heads", () => {
    const keys = {
      ...latentKeys,
      "attention.key_length_mla": plain + rotary,
      "attention.value_length_mla": head,
    };
    const queries = "attn_q_a attn_q_a_norm attn_q_b";
    const older = twice(`${latent} ${queries} attn_kv_b`, { keys: latentKeys });
    const halves = twice(`${latent} ${queries} attn_k_b attn_v_b`, {
      keys: {
        ...keys,
        "attention.head_count_kv": 1,
        "attention.key_length": rank + rotary,
        "attention.value_length": rank,
      },
    });
    const [large, small] = [older, halves].map((form) =>
      allocate(header("deepseek2", form), [], run),
    );
    // Keys of 24 and values of 16 elements for four heads, against one key of 40, in F16, two blocks.
    expect(large!.host.cache).toBe(2 * 1024 * 2 * heads * (plain + rotary + head));
    expect(small!.host.cache).toBe(2 * 1024 * 2 * (rank + rotary));
    // Instead of projections (8): MUL_MAT, norm, MUL_MAT, RESHAPE, ROPE; MUL_MAT, VIEW, norm, MUL_MAT, VIEW, CONT; two VIEWs, ROPE, REPEAT, CONCAT.
    expect(large!.graph!.nodes).toBe(ends + 2 * (block - 8 + 6 + 7 + 5));
  });
});

/** The model as one whose architecture is not known. */
function unknown(name: string, model: Header): Subject {
  const keys = keysOf(model);
  const base = networkOf(name, keys, words);
  const network = { ...base, ...generic.adapt!(base, keys) };
  const tensors = tensorsOf(model.tensors, network.blocks);
  return { network, architecture: generic, tensors, kinds: blockKinds(network, tensors.ofBlock) };
}

describe("the generic graph", () => {
  /** What cannot be told from names: Kimi's delta attention. */
  const untold = new Set(["kimi-linear"]);

  test.each(Object.keys(forms).filter((name) => !untold.has(name)))("stands in for %s", (name) => {
    const model = header(name, forms[name]!);
    const own = allocate(model, [], run);
    const other = allocate(unknown(name, model), [], run);
    const ratio = other.host.compute / own.host.compute;
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(4);
  });

  test.each(["internlm2", "exaone", "qwen2vl", "chatglm", "granitemoe", "seed_oss", "xverse"])(
    "is the graph of %s",
    (name) => {
      const model = header(name, forms[name]!);
      const own = allocate(model, [gpu], run);
      const other = allocate(unknown(name, model), [gpu], run);
      expect(buffersOf(other)).toEqual(buffersOf(own));
      expect(other.graph).toEqual(own.graph);
    },
  );

  test("says what it does not know", () => {
    const model = header("kimi-linear", forms["kimi-linear"]!);
    expect(() => allocate(unknown("kimi-linear", model), [], run)).toThrow("not known");
  });
});

test(
  "every entry of the catalogue that llama.cpp can load has a graph",
  { timeout: 60_000 },
  async () => {
    const { entries } = await loadCatalogue();
    const missing: string[] = [];
    let allocated = 0;
    for (const { id } of entries) {
      const model = await catalogueModel(id);
      if (!model?.header) {
        missing.push(id);
        continue;
      }
      const { devices } = allocate(model.header, [gpu], { ...run, context: 2048 }, { folds: true });
      expect(devices[0]!.compute, id).toBeGreaterThan(0);
      allocated++;
    }
    // Ollama's own architecture with cross-attention, which llama.cpp does not have.
    expect(missing).toEqual(["llama3.2-vision:11b", "llama3.2-vision:90b"]);
    expect(allocated).toBe(entries.length - missing.length);
  },
);

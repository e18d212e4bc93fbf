import type { Builder } from "../builder.js";
import { NoGraph, type Tensor } from "../graph.js";
import { linear } from "./attention.js";

export interface FeedForwardOptions {
  /** What stands behind "ffn_gate", "ffn_up" and "ffn_down" in the tensors' names. */
  suffix?: string;
  /** Without a gate: the activation. */
  activation?: Activation;
}

/** ggml's name of it; RELU_SQR is made of two operations. */
export type Activation = "SILU" | "GELU" | "RELU" | "RELU_SQR" | "XIELU";

/** Up, gate, activation, down (llama-graph.cpp build_ffn). */
export function feedForward(
  b: Builder,
  block: number,
  x: Tensor,
  { suffix = "", activation = "SILU" }: FeedForwardOptions = {},
): Tensor {
  const { graph } = b;
  const up = linear(b, block, `ffn_up${suffix}`, x);
  const down = (inner: Tensor) => linear(b, block, `ffn_down${suffix}`, inner);
  if (b.of(block, `ffn_gate${suffix}.weight`)) {
    return down(graph.glu(linear(b, block, `ffn_gate${suffix}`, x), up));
  }
  // One matrix may make gate and up, half and half.
  const isFused = up.ne[0] === 2 * b.neededOf(block, `ffn_down${suffix}.weight`).ne[0];
  return down(isFused ? graph.glu(up) : activated(b, up, activation));
}

function activated({ graph }: Builder, x: Tensor, activation: Activation): Tensor {
  if (activation !== "RELU_SQR") return graph.unary(x, activation);
  return graph.each("SQR", graph.unary(x, "RELU"));
}

/** The expert that every token passes. */
export function sharedExpert(
  b: Builder,
  block: number,
  x: Tensor,
  activation: Activation = "SILU",
): Tensor {
  return feedForward(b, block, x, { suffix: "_shexp", activation });
}

/** Experts, and the one that every token passes where the block has it. */
export function mixtureAndShared(
  b: Builder,
  block: number,
  x: Tensor,
  options: ExpertOptions = {},
): Tensor {
  const mixed = mixture(b, block, x, options);
  if (!b.of(block, "ffn_up_shexp.weight")) return mixed;
  return b.graph.add(mixed, sharedExpert(b, block, x, options.activation));
}

/** Likewise, where a gate weights the shared expert's result. */
export function mixtureAndGated(
  b: Builder,
  block: number,
  x: Tensor,
  options: ExpertOptions = {},
): Tensor {
  const { graph } = b;
  const mixed = mixture(b, block, x, options);
  if (!b.of(block, "ffn_up_shexp.weight")) return mixed;
  const shared = sharedExpert(b, block, x, options.activation);
  const gate = graph.mulMat(b.neededOf(block, "ffn_gate_inp_shexp.weight"), x);
  return graph.add(mixed, graph.mul(shared, graph.unary(gate, "SIGMOID")));
}

/** What the file's keys say of its experts: gating, factor and whether the weights are normalised. */
export function ownExperts({ network }: Builder): ExpertOptions {
  const { normalised, gating, scale } = network.experts;
  return { normalised, scale, gating: gatings[gating] ?? "softmax" };
}

/** llama_expert_gating_func_type */
const gatings: Readonly<Record<number, ExpertOptions["gating"]>> = {
  1: "softmax",
  2: "sigmoid",
  3: "chosen",
};

export function hasExperts(b: Builder, block: number): boolean {
  return b.of(block, "ffn_gate_inp.weight") !== undefined;
}

export interface ExpertOptions {
  /** How logits become weights; "chosen": softmax over the chosen experts alone. */
  gating?: "softmax" | "sigmoid" | "chosen";
  /** The chosen experts' weights are made to sum up to 1. */
  normalised?: boolean;
  /** Weights are multiplied by a factor; 0 and 1: they are not. */
  scale?: number;
  /** Tokens are weighted before they pass the experts, not after (llama4). */
  weightFirst?: boolean;
  /** The router's result, where it is not ffn_gate_inp × x. */
  logits?: Tensor;
  /** Without a gate: the activation between up and down. */
  activation?: Activation;
  /** Router and experts have biases (gpt-oss); other architectures read none. */
  biased?: boolean;
}

/** LLAMA_MAX_EXPERTS in llama.cpp's src/llama-hparams.h, and some more. */
const mostExperts = 1024;

/** Router, the chosen experts and their weighted sum (llama-graph.cpp build_moe_ffn). */
export function mixture(b: Builder, block: number, x: Tensor, options: ExpertOptions = {}): Tensor {
  const { graph, network } = b;
  const { normalised = true, gating = "softmax", scale = 0 } = options;
  const { weightFirst = false, biased = false } = options;
  const { count } = network.experts;
  const used = network.experts.used[block]!;
  if (used < 1 || used > count || count > mostExperts) {
    throw new NoGraph(`Block ${block} chooses ${used} of ${count} experts.`);
  }
  const tokens = x.ne[1];
  const width = x.ne[0];

  const logits = options.logits ?? routerLogits(b, block, x, biased);
  const probabilities =
    gating === "softmax"
      ? graph.softMax(logits)
      : gating === "sigmoid"
        ? graph.unary(logits, "SIGMOID")
        : logits;
  const bias = b.of(block, "exp_probs_b.bias");
  const judged = bias ? graph.add(probabilities, bias) : probabilities;
  const candidates = inGroups(b, weightFirst ? logits : judged);
  const ids = graph.topK(candidates, used);
  let weights = graph.getRows(graph.reshape(probabilities, 1, count, tokens), ids);
  const flat = (of: Tensor) => graph.reshape(of, used, tokens);
  if (gating === "chosen") weights = graph.reshape(graph.softMax(flat(weights)), 1, used, tokens);
  if (normalised) {
    const rows = flat(weights);
    const sum = graph.each("CLAMP", graph.sumRows(rows));
    weights = graph.reshape(graph.div(rows, sum), 1, used, tokens);
  }
  if (scale !== 0 && scale !== 1) weights = graph.scale(weights);
  graph.expand(weights);

  let tokenwise = graph.reshape(x, width, 1, tokens);
  if (weightFirst) {
    tokenwise = graph.mul(graph.repeat(tokenwise, [width, used, tokens]), weights);
  }
  const linear = (name: string, of: Tensor) => expertLinear(b, block, name, of, ids, biased);
  const inner = insideExperts(b, block, tokenwise, linear, options.activation);
  let outside = linear("ffn_down_exps", inner);
  if (!weightFirst) outside = graph.mul(outside, weights);
  graph.expand(outside);
  return summed(b, outside, used);
}

function routerLogits(b: Builder, block: number, x: Tensor, biased: boolean): Tensor {
  if (biased) return linear(b, block, "ffn_gate_inp", x);
  return b.graph.mulMat(b.neededOf(block, "ffn_gate_inp.weight"), x);
}

/**
 * Experts outside the best groups are masked (deepseek-v3, expert_group_count); the groups are judged by
 * their two best experts.
 */
function inGroups({ graph, network }: Builder, candidates: Tensor): Tensor {
  const { count, groups, groupsUsed } = network.experts;
  if (groups <= 1) return candidates;
  const tokens = candidates.ne[1];
  const size = count / groups;
  const grouped = graph.reshape(candidates, size, groups, tokens);
  const best = graph.topK(grouped, 2);
  let values = graph.getRows(graph.reshape(grouped, 1, size, groups, tokens), best);
  values = graph.sumRows(graph.reshape(values, values.ne[1], values.ne[2], values.ne[3]));
  values = graph.reshape(values, values.ne[1], values.ne[2]);
  const chosen = graph.topK(values, groupsUsed);
  const kept = graph.getRows(grouped, chosen);
  const masked = graph.setRows(graph.each("FILL", grouped), kept, chosen);
  return graph.reshape(masked, count, tokens);
}

/** Up and gate of the chosen experts. */
function insideExperts(
  b: Builder,
  block: number,
  x: Tensor,
  linear: (name: string, of: Tensor) => Tensor,
  activation: Activation = "SILU",
): Tensor {
  const { graph } = b;
  if (b.of(block, "ffn_gate_up_exps.weight")) {
    const result = linear("ffn_gate_up_exps", x);
    const half = result.ne[0] / 2;
    const part = (offset: number) =>
      graph.view3d(result, [half, result.ne[1], result.ne[2]], result.nb[1], result.nb[2], offset);
    const gate = part(0);
    return graph.glu(gate, part(half * result.nb[0]));
  }
  const up = linear("ffn_up_exps", x);
  if (!b.of(block, "ffn_gate_exps.weight")) return activated(b, up, activation);
  return graph.glu(linear("ffn_gate_exps", x), up);
}

function expertLinear(
  b: Builder,
  block: number,
  name: string,
  x: Tensor,
  ids: Tensor,
  biased: boolean,
): Tensor {
  const { graph, network } = b;
  let result = graph.mulMatId(b.neededOf(block, `${name}.weight`), x, ids);
  const scale = b.of(block, `${name}.scale`);
  if (scale) {
    const { count } = network.experts;
    const all = graph.repeat(graph.reshape(scale, 1, count, 1), [1, count, result.ne[2]]);
    result = graph.mul(result, graph.getRows(all, ids));
  }
  const bias = biased ? b.of(block, `${name}.bias`) : undefined;
  return bias ? graph.addId(result, bias, ids) : result;
}

/** The experts' results are added one to the other. */
function summed({ graph }: Builder, results: Tensor, used: number): Tensor {
  const [width, , tokens] = results.ne;
  const parts = Array.from({ length: used }, (_, index) => {
    const part = graph.view2d(results, width, tokens, results.nb[2], index * results.nb[1]);
    graph.expand(part);
    return part;
  });
  let sum = parts[0]!;
  for (const part of parts.slice(1)) {
    sum = graph.add(sum, part);
    graph.expand(sum);
  }
  return used === 1 ? graph.cont(sum) : sum;
}

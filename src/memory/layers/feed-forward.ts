import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { linear } from "./attention.js";

export interface FeedForwardOptions {
  /** What stands behind "ffn_gate", "ffn_up" and "ffn_down" in the tensors' names. */
  suffix?: string;
  /** Without a gate: the activation. */
  activation?: string;
  /** Gate and up come out of one matrix, half and half. */
  fused?: boolean;
}

/** Up, gate, activation, down (llama-graph.cpp build_ffn). */
export function feedForward(
  b: Builder,
  block: number,
  x: Tensor,
  { suffix = "", activation = "SILU", fused = false }: FeedForwardOptions = {},
): Tensor {
  const { graph } = b;
  const up = linear(b, block, `ffn_up${suffix}`, x);
  const gate = b.of(block, `ffn_gate${suffix}.weight`);
  const inner = gate
    ? graph.glu(graph.mulMat(gate, x), up)
    : fused
      ? graph.glu(up)
      : graph.unary(up, activation);
  return linear(b, block, `ffn_down${suffix}`, inner);
}

/** The expert that every token passes. */
export function sharedExpert(b: Builder, block: number, x: Tensor): Tensor {
  return feedForward(b, block, x, { suffix: "_shexp" });
}

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
  activation?: string;
}

/** Router, the chosen experts and their weighted sum (llama-graph.cpp build_moe_ffn). */
export function mixture(b: Builder, block: number, x: Tensor, options: ExpertOptions = {}): Tensor {
  const { graph, network } = b;
  const { normalised = true, gating = "softmax", scale = 0, weightFirst = false } = options;
  const { count } = network.experts;
  const used = network.experts.used[block]!;
  const tokens = x.ne[1];
  const width = x.ne[0];

  const logits = options.logits ?? routerLogits(b, block, x);
  const probabilities =
    gating === "softmax"
      ? graph.softMax(logits)
      : gating === "sigmoid"
        ? graph.unary(logits, "SIGMOID")
        : logits;
  const bias = b.of(block, "exp_probs_b.bias");
  const biased = bias ? graph.add(probabilities, bias) : probabilities;
  const candidates = inGroups(b, weightFirst ? logits : biased);
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
  const inner = insideExperts(b, block, tokenwise, ids, options.activation);
  let outside = expertLinear(b, block, "ffn_down_exps", inner, ids);
  if (!weightFirst) outside = graph.mul(outside, weights);
  graph.expand(outside);
  return summed(b, outside, used);
}

function routerLogits(b: Builder, block: number, x: Tensor): Tensor {
  return linear(b, block, "ffn_gate_inp", x);
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
  ids: Tensor,
  activation = "SILU",
): Tensor {
  const { graph } = b;
  const both = b.of(block, "ffn_gate_up_exps.weight");
  if (both) {
    const result = graph.mulMatId(both, x, ids);
    const half = result.ne[0] / 2;
    const part = (offset: number) =>
      graph.view3d(result, [half, result.ne[1], result.ne[2]], result.nb[1], result.nb[2], offset);
    const gate = part(0);
    return graph.glu(gate, part(half * result.nb[0]));
  }
  const up = expertLinear(b, block, "ffn_up_exps", x, ids);
  if (!b.of(block, "ffn_gate_exps.weight")) return graph.unary(up, activation);
  return graph.glu(expertLinear(b, block, "ffn_gate_exps", x, ids), up);
}

function expertLinear(b: Builder, block: number, name: string, x: Tensor, ids: Tensor): Tensor {
  const { graph, network } = b;
  let result = graph.mulMatId(b.neededOf(block, `${name}.weight`), x, ids);
  const scale = b.of(block, `${name}.scale`);
  if (scale) {
    const { count } = network.experts;
    const all = graph.repeat(graph.reshape(scale, 1, count, 1), [1, count, result.ne[2]]);
    result = graph.mul(result, graph.getRows(all, ids));
  }
  const bias = b.of(block, `${name}.bias`);
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

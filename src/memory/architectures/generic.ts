import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import { NoGraph, type Tensor } from "../graph.js";
import { attend, attention, heads, headsNormedAsOne } from "../layers/attention.js";
import { embed, output, pooled } from "../layers/ends.js";
import {
  feedForward,
  hasExperts,
  mixtureAndGated,
  mixtureAndShared,
  ownExperts,
} from "../layers/feed-forward.js";
import { gatedDelta, mamba, mamba2, shortConvolution } from "../layers/recurrent.js";
import { windowsOf, type Keys, type Network } from "../network.js";
import { decompressedAttention, latentAttention } from "./deepseek.js";
import { gated } from "./gated.js";
import { normedHeads, rotateFar } from "./llama.js";
import { gatedAttention } from "./qwen-delta.js";

/**
 * For an architecture without a graph of its own: what its blocks compute is read off the names of their
 * tensors, and the order is the one that most models follow. Its largest moment is often the same.
 */
export const generic: Architecture = {
  names: [],
  adapt: (network, keys) => ({
    ...statesOf(network, keys),
    ...windowOf(network, keys),
    encodes: !network.causal,
    // granite's way to say that nothing rotates.
    rotary: keys.flag("rope.scaling.finetuned") === false ? 0 : network.rotary,
    capsScores: (keys.factor("attn_logit_softcapping") ?? 0) > 0,
  }),
  build: (b) => {
    const { graph, network } = b;
    let x = begin(b);
    for (const block of b.blocks()) x = wholeBlock(b, block, x);
    if (!network.encodes) output(b, x, endNorm(b));
    else {
      const weight = b.weight("output_norm.weight");
      pooled(b, weight ? graph.norm(x, weight) : x);
    }
  },
};

/** Blocks without KV heads have a state, or every block but each n-th; all, where all have heads as well. */
function statesOf(
  { headsKv, layers, state, shortConvolution }: Network,
  keys: Keys,
): Partial<Network> {
  if (!state && shortConvolution === 0) return {};
  const every = keys.number("full_attention_interval");
  const forward = keys.raw("feed_forward_length");
  const recurrent = headsKv.map((count, block) => {
    if (block >= layers) return false;
    if (every) return (block + 1) % every !== 0;
    // Where some blocks have no feed-forward part, the others have nothing else.
    const isForward = Array.isArray(forward) && forward.includes(0) && forward[block] !== 0;
    return count === 0 && !isForward;
  });
  return recurrent.includes(true) ? { recurrent } : { attendsEverywhere: true };
}

/** A window counts where the file says which blocks it limits: without it the cache is larger. */
function windowOf(network: Network, keys: Keys): Partial<Network> {
  const tokens = keys.number("attention.sliding_window");
  const stored = keys.raw("attention.sliding_window_pattern");
  if (!tokens || stored === undefined) return {};
  return { window: { tokens, kind: "sliding" }, windowed: windowsOf(keys, network, 1) };
}

function norm(b: Builder, x: Tensor, name: string): Tensor {
  const kind = b.network.rmsNorm ? "rms" : "mean";
  // falcon-h1 has a norm without the suffix.
  const weight = b.weight(`${name}.weight`) ?? b.weight(name);
  return b.graph.norm(x, weight, b.weight(`${name}.bias`), kind);
}

/** lfm2 calls the norm of its output so. */
function endNorm(b: Builder): string {
  return b.weight("output_norm.weight") ? "output_norm" : "token_embd_norm";
}

function begin(b: Builder): Tensor {
  const { graph, network } = b;
  let x = embed(b);
  const types = b.weight("token_types.weight");
  if (types) x = graph.add(x, graph.view1d(types, network.embedding));
  const positions = b.weight("position_embd.weight");
  if (positions) {
    const found = graph.getRows(positions, b.positions);
    x = network.encodes ? graph.add(found, x) : graph.add(x, found);
  }
  const isNormed = network.encodes || endNorm(b) === "output_norm";
  return isNormed && b.weight("token_embd_norm.weight") ? norm(b, x, "token_embd_norm") : x;
}

/** Which norms a block has in front of its parts, behind them, and behind what is added up. */
function normNames(
  has: (name: string) => boolean,
): Record<"inner" | "attention" | "forward" | "sum" | "end", string | undefined> {
  const named = (...names: string[]) => names.find(has);
  // Without a norm in front of attention they stand behind: bert's behind the sums, olmo2's before.
  const isBehind = !has("attn_norm");
  const inner = isBehind ? undefined : named("ffn_norm", "post_attention_norm", "attn_output_norm");
  const behind = isBehind || inner === "ffn_norm";
  const sum = isBehind ? named("attn_output_norm") : undefined;
  return {
    inner,
    attention: behind
      ? named("post_attention_norm", ...(sum ? [] : ["attn_output_norm"]))
      : undefined,
    forward: named("post_ffw_norm", ...(sum ? [] : ["layer_output_norm"])),
    sum,
    end: sum ? named("layer_output_norm") : undefined,
  };
}

function wholeBlock(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network } = b;
  const has = (name: string) => (b.of(block, `${name}.weight`) ?? b.of(block, name)) !== undefined;
  const names = normNames(has);
  const normed = (of: Tensor, name: string | undefined) =>
    name === undefined ? of : norm(b, of, `blk.${block}.${name}`);
  const residual = (of: Tensor) => (network.scalesResidual ? graph.scale(of) : of);

  let before = x;
  let input = normed(x, has("attn_norm") ? "attn_norm" : undefined);
  const mixed = mixing(b, block, has("attn_norm_2") ? normed(x, "attn_norm_2") : input);
  const forward = has("ffn_up") || has("ffn_up_exps") || has("ffn_gate_up_exps");
  if (!mixed) {
    if (b.isLast(block)) [input, before] = [b.outputRows(input), b.outputRows(before)];
    return graph.add(residual(forwardPart(b, block, normed(input, names.inner))), before);
  }
  let result = normed(mixed, names.attention);
  const isParallel = forward && has("attn_norm") && names.inner === undefined;
  if (b.isLast(block)) {
    result = b.outputRows(result);
    before = b.outputRows(before);
    if (isParallel) input = b.outputRows(input);
  }
  if (isParallel) return graph.add(graph.add(forwardPart(b, block, input), before), result);
  const attended = normed(graph.add(residual(result), before), names.sum);
  if (!forward) return attended;
  const inner = normed(attended, names.inner);
  const handed = normed(forwardPart(b, block, inner), names.forward);
  return normed(graph.add(residual(handed), attended), names.end);
}

function forwardPart(b: Builder, block: number, x: Tensor): Tensor {
  const activation = "GELU";
  if (!hasExperts(b, block)) return feedForward(b, block, x, { activation });
  const biased = b.of(block, "ffn_up_exps.bias") !== undefined;
  const options = { ...ownExperts(b), normalised: true, activation, biased } as const;
  return b.of(block, "ffn_gate_inp_shexp.weight")
    ? mixtureAndGated(b, block, x, options)
    : mixtureAndShared(b, block, x, options);
}

/** What mixes tokens: attention, a state, or both side by side. Undefined where the block does not. */
function mixing(b: Builder, block: number, x: Tensor): Tensor | undefined {
  const attended = attentionPart(b, block, x);
  const remembered = recurrentPart(b, block, x);
  if (remembered && attended) return b.graph.add(attended, remembered);
  return remembered ?? attended;
}

function recurrentPart(b: Builder, block: number, x: Tensor): Tensor | undefined {
  const has = (name: string) => b.of(block, `${name}.weight`) !== undefined;
  if (has("shortconv.in_proj")) return shortConvolution(b, block, x);
  if (has("ssm_in")) return has("ssm_x") ? mamba(b, block, x) : mamba2(b, block, x);
  if (has("ssm_ba") || has("ssm_alpha")) return gatedDelta(b, block, x);
  for (const part of ["time_mix_key", "ssm_conv1d_q", "ssm_conv1d"]) {
    if (has(part)) throw new NoGraph(`It is not known what blocks with "${part}" compute.`);
  }
  return undefined;
}

function attentionPart(b: Builder, block: number, x: Tensor): Tensor | undefined {
  const { graph, network } = b;
  if (b.of(block, "attn_kv_a_mqa.weight")) {
    return network.latent ? latentAttention(b, block, x) : decompressedAttention(b, block, x);
  }
  const query = b.of(block, "attn_q.weight") ?? b.of(block, "attn_qkv.weight");
  if (!query || !b.of(block, "attn_output.weight")) return undefined;
  const width = network.keyLength * network.heads[block]!;
  if (b.of(block, "attn_q.weight")?.ne[1] === 2 * width) return gatedAttention(b, block, x);

  const ownNorm = b.of(block, "attn_q_norm.weight");
  const isJoint = ownNorm?.ne[0] === width && network.heads[block]! > 1 && ownNorm.ne[1] === 1;
  const { v, ...flat } = isJoint ? headsNormedAsOne(b, block, x) : heads(b, block, x);
  const parts = ownNorm && !isJoint ? normedHeads(b, block, flat) : flat;
  const rotates = network.rotary > 0 && !b.weight("position_embd.weight");
  const whole = { ...(rotates ? rotateFar(b, block, parts) : parts), v };
  const sinks = b.of(block, "attn_sinks.weight");
  const gate = b.of(block, "attn_gate.weight");
  if (!gate) return attend(b, block, whole, { sinks });
  const gates = graph.unary(graph.mulMat(gate, x), "SIGMOID");
  const result = gated(b, block, attention(b, block, whole, { sinks }), gates);
  return graph.mulMat(b.neededOf(block, "attn_output.weight"), result);
}

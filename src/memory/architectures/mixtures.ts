import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads, headsNormedAsOne } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import {
  feedForward,
  mixture,
  mixtureAndShared,
  ownExperts,
  sharedExpert,
} from "../layers/feed-forward.js";
import { blockNorm } from "../layers/norms.js";
import { windowPattern, windowsOf } from "../network.js";
import { layered, normedHeads, rotate, rotateFar } from "./llama.js";

/** The shared expert's result is weighted by a gate of its own. */
export const qwen2moe: Architecture = {
  names: ["qwen2moe"],
  build: (b) => {
    const { graph, network } = b;
    const { scale } = network.experts;
    layered(b, {
      prepare: (_, __, parts) => rotate(b, parts),
      experts: (_, block, x) => {
        const mixed = mixture(b, block, x, { normalised: false, scale });
        const shared = sharedExpert(b, block, x);
        const gate = graph.mulMat(b.neededOf(block, "ffn_gate_inp_shexp.weight"), x);
        // A sigmoid, written as SiLU(x) / x.
        const weighted = graph.mul(shared, graph.div(graph.unary(gate, "SILU"), gate));
        return graph.add(mixed, weighted);
      },
    });
  },
};

/** Experts and one that all tokens pass, weighted as the file says. */
export const sharedMixtures: Architecture = {
  names: ["bailingmoe", "deepseek2-ocr"],
  build: (b) =>
    layered(b, {
      prepare: rotateFar,
      experts: (_, block, x) => mixtureAndShared(b, block, x, ownExperts(b)),
    }),
};

export const deepseek: Architecture = {
  names: ["deepseek"],
  build: (b) =>
    layered(b, {
      prepare: rotateFar,
      experts: (_, block, x) =>
        mixtureAndShared(b, block, x, { normalised: false, scale: b.network.experts.scale }),
    }),
};

export const ernieMoe: Architecture = {
  names: ["ernie4_5-moe"],
  build: (b) =>
    layered(b, {
      prepare: (_, __, parts) => rotate(b, parts),
      experts: (_, block, x) => mixtureAndShared(b, block, x, { scale: b.network.experts.scale }),
    }),
};

/** Likewise with a norm for every head. */
export const normedMixtures: Architecture = {
  names: ["bailingmoe2", "dots1"],
  build: (b) =>
    layered(b, {
      prepare: (_, block, parts) => rotate(b, normedHeads(b, block, parts)),
      experts: (_, block, x) => mixtureAndShared(b, block, x, ownExperts(b)),
    }),
};

/** Three blocks in four see a window, and they alone rotate. */
export const exaoneMoe: Architecture = {
  names: ["exaone-moe"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 128, kind: "sliding" },
    windowed: windowsOf(keys, network, 4),
  }),
  build: (b) =>
    layered(b, {
      prepare: (_, block, parts) => {
        const normed = normedHeads(b, block, parts);
        return b.network.windowed[block] ? rotateFar(b, block, normed) : normed;
      },
      experts: (_, block, x) => mixtureAndShared(b, block, x, ownExperts(b)),
    }),
};

export const hunyuanMoe: Architecture = {
  names: ["hunyuan-moe"],
  build: (b) =>
    layered(b, {
      prepare: (_, block, parts) => normedHeads(b, block, rotateFar(b, block, parts)),
      experts: (_, block, x) => mixtureAndShared(b, block, x, { scale: b.network.experts.scale }),
    }),
};

/** One norm for the queries of all heads, and one for their keys. */
export const olmoe: Architecture = {
  names: ["olmoe"],
  build: (b) =>
    layered(b, {
      project: headsNormedAsOne,
      prepare: (_, __, parts) => rotate(b, parts),
      experts: (_, block, x) =>
        mixture(b, block, x, { normalised: false, scale: b.network.experts.scale }),
    }),
};

export const minimax: Architecture = {
  names: ["minimax-m2"],
  build: (b) =>
    layered(b, {
      project: headsNormedAsOne,
      prepare: (_, __, parts) => rotate(b, parts),
      experts: (_, block, x) => mixture(b, block, x, { ...ownExperts(b), normalised: true }),
    }),
};

/** Queries, keys and values are clamped, whether the file says at what or not. */
export const dbrx: Architecture = {
  names: ["dbrx"],
  adapt: () => ({ clampsHeads: true }),
  build: (b) =>
    layered(b, { prepare: (_, __, parts) => rotate(b, parts), innerNorm: "attn_output_norm" }),
};

/** Windows and whole contexts as the file lists them; attention may fall into sinks. */
export const mimo2: Architecture = {
  names: ["mimo2"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 1),
  }),
  build: (b) =>
    layered(b, {
      sinks: true,
      prepare: (_, __, parts) => rotate(b, parts),
      experts: (_, block, x) =>
        mixture(b, block, x, { gating: "sigmoid", scale: b.network.experts.scale }),
    }),
};

/** A dense part behind attention, and experts that read the block's input instead. */
export const arctic: Architecture = {
  names: ["arctic"],
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const { v, ...parts } = heads(b, block, blockNorm(b, block, x, "attn_norm"));
      let result = attend(b, block, { ...rotate(b, parts), v });
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(result, before);
      const dense = feedForward(b, block, blockNorm(b, block, attended, "ffn_norm"));
      const both = graph.add(dense, attended);
      // The mixture is expanded at once, before what it is added to.
      const inner = blockNorm(b, block, before, "ffn_norm_exps");
      x = graph.add(mixture(b, block, inner, { scale: network.experts.scale }), both);
    }
    output(b, x);
  },
};

/** Norms behind both parts; a dense part beside the experts in newer models; scores are capped. */
export const grok: Architecture = {
  names: ["grok"],
  adapt: (_, keys) => ({
    scalesEmbedding: true,
    capsScores: true,
    scalesLogits: true,
    capsLogits: (keys.factor("final_logit_softcapping") ?? 0) !== 0,
  }),
  build: (b) => {
    const { graph } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const { v, ...parts } = heads(b, block, blockNorm(b, block, x, "attn_norm"));
      let result = attend(b, block, { ...rotate(b, parts), v });
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(blockNorm(b, block, result, "attn_output_norm"), before);
      const behind = b.of(block, "layer_output_norm.weight")
        ? "layer_output_norm"
        : "post_ffw_norm";
      const forward = grokParts(b, block, blockNorm(b, block, attended, "ffn_norm"));
      x = graph.add(blockNorm(b, block, forward, behind), attended);
    }
    output(b, x);
  },
};

function grokParts(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network } = b;
  const mixed = mixture(b, block, x, { scale: network.experts.scale, activation: "GELU" });
  if (!b.of(block, "ffn_up.weight")) return mixed;
  return graph.scale(graph.add(feedForward(b, block, x, { activation: "GELU" }), mixed));
}

/** The router reads the block's input; of four blocks the first sees the whole context and does not rotate. */
export const smallthinker: Architecture = {
  names: ["smallthinker"],
  adapt: (network, keys) => {
    const tokens = keys.number("attention.sliding_window");
    if (!tokens) return {};
    const windowed = windowPattern(network.blocks, network.layers, 4, true);
    return { window: { tokens, kind: "sliding" }, windowed };
  },
  build: (b) => {
    const { graph, network } = b;
    const options = { ...ownExperts(b), normalised: true };
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      let logits = graph.mulMat(b.neededOf(block, "ffn_gate_inp.weight"), x);
      const { v, ...parts } = heads(b, block, blockNorm(b, block, x, "attn_norm"));
      const rotates = !network.window || network.windowed[block]!;
      let result = attend(b, block, { ...(rotates ? rotate(b, parts) : parts), v });
      [result, before, logits] = b.keptRows(block, result, before, logits);
      const attended = graph.add(result, before);
      const inner = blockNorm(b, block, attended, "ffn_norm");
      x = graph.add(mixture(b, block, inner, { ...options, logits }), attended);
    }
    output(b, x);
  },
};

/** Blocks without attention or without a feed-forward part; without KV heads a matrix takes attention's place. */
export const deci: Architecture = {
  names: ["deci"],
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      const attends = network.heads[block]! > 0;
      let before = x;
      let result = x;
      if (attends) result = deciAttention(b, block, blockNorm(b, block, x, "attn_norm"));
      [result, before] = b.keptRows(block, result, before);
      if (!b.of(block, "ffn_up.weight")) continue;
      const attended = attends ? graph.add(result, before) : result;
      x = graph.add(feedForward(b, block, blockNorm(b, block, attended, "ffn_norm")), attended);
    }
    output(b, x);
  },
};

function deciAttention(b: Builder, block: number, x: Tensor): Tensor {
  if (b.network.headsKv[block] === 0) {
    return b.graph.mulMat(b.neededOf(block, "attn_output.weight"), x);
  }
  const { v, ...parts } = heads(b, block, x);
  return attend(b, block, { ...rotateFar(b, block, parts), v });
}

import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import {
  feedForward,
  hasExperts,
  mixture,
  mixtureAndShared,
  ownExperts,
} from "../layers/feed-forward.js";
import { mamba, mamba2, shortConvolution } from "../layers/recurrent.js";
import type { Network } from "../network.js";
import { normedHeads, rotate } from "./llama.js";

/** Blocks without KV heads have a state instead. */
function recurrentWithoutHeads({ headsKv }: Network): Partial<Network> {
  return { recurrent: headsKv.map((heads) => heads === 0) };
}

/** State space alone. */
export const mambas: Architecture = {
  names: ["mamba", "mamba2"],
  adapt: ({ blocks }) => ({ recurrent: Array.from({ length: blocks }, () => true) }),
  build: (b) => {
    const { graph, network } = b;
    const mix = network.architecture === "mamba2" ? mamba2 : mamba;
    let x = embed(b);
    for (const block of b.blocks()) {
      let result = mix(b, block, graph.norm(x, b.neededOf(block, "attn_norm.weight")));
      [result, x] = b.keptRows(block, result, x);
      x = graph.add(result, x);
    }
    output(b, x);
  },
};

export const jamba: Architecture = {
  names: ["jamba"],
  adapt: recurrentWithoutHeads,
  build: (b) => {
    const { graph, network } = b;
    const { scale } = network.experts;
    let x = embed(b);
    for (const block of b.blocks()) {
      const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"));
      let result = network.recurrent[block]
        ? mamba(b, block, normed)
        : attend(b, block, heads(b, block, normed));
      [result, x] = b.keptRows(block, result, x);
      const attended = graph.add(x, result);
      const inner = graph.norm(attended, b.neededOf(block, "ffn_norm.weight"));
      const forward = hasExperts(b, block)
        ? mixture(b, block, inner, { normalised: false, scale })
        : feedForward(b, block, inner);
      x = graph.add(attended, forward);
    }
    output(b, x);
  },
};

export const graniteHybrid: Architecture = {
  names: ["granitehybrid"],
  adapt: (network, keys) => ({
    ...recurrentWithoutHeads(network),
    // The key tells whether positions are rotated at all.
    rotary: keys.flag("rope.scaling.finetuned") === false ? 0 : network.rotary,
  }),
  build: (b) => {
    const { graph, network } = b;
    const residual = (x: Tensor) => (network.scalesResidual ? graph.scale(x) : x);
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"));
      let result: Tensor;
      if (network.recurrent[block]) result = mamba2(b, block, normed);
      else {
        const { v, ...parts } = heads(b, block, normed);
        const rotated = network.rotary > 0 ? rotate(b, parts, b.ropeFactors(block)) : parts;
        result = attend(b, block, { ...rotated, v });
      }
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(residual(result), before);
      const inner = graph.norm(attended, b.neededOf(block, "ffn_norm.weight"));
      x = graph.add(residual(granitePart(b, block, inner)), attended);
    }
    output(b, x);
  },
};

function granitePart(b: Builder, block: number, x: Tensor): Tensor {
  if (!hasExperts(b, block)) return feedForward(b, block, x);
  return mixtureAndShared(b, block, x, { scale: b.network.experts.scale });
}

/** Every block has attention and a state space side by side. */
export const falconH1: Architecture = {
  names: ["falcon-h1"],
  adapt: () => ({ attendsEverywhere: true }),
  build: (b) => {
    const { graph } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const weight = b.neededOf(block, "attn_norm.weight");
      const { v, ...parts } = heads(b, block, graph.norm(x, weight));
      const attended = attend(b, block, { ...rotate(b, parts), v });
      const result = graph.add(attended, mamba2(b, block, graph.norm(x, weight)));
      before = graph.add(result, before);
      if (b.isLast(block)) before = b.outputRows(before);
      // The file's name for it has no ".weight".
      const norm = b.of(block, "ffn_norm") ?? b.neededOf(block, "ffn_norm.weight");
      x = graph.add(feedForward(b, block, graph.norm(before, norm)), before);
    }
    output(b, x);
  },
};

export const lfm2: Architecture = {
  names: ["lfm2", "lfm2moe"],
  adapt: recurrentWithoutHeads,
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"));
      let result: Tensor;
      if (network.recurrent[block]) result = shortConvolution(b, block, normed);
      else {
        const { v, ...parts } = heads(b, block, normed);
        result = attend(b, block, { ...rotate(b, normedHeads(b, block, parts)), v });
      }
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(before, result);
      const inner = graph.norm(attended, b.neededOf(block, "ffn_norm.weight"));
      const forward = hasExperts(b, block)
        ? mixture(b, block, inner, { ...ownExperts(b), normalised: true })
        : feedForward(b, block, inner);
      x = graph.add(attended, forward);
    }
    output(b, x, b.weight("output_norm.weight") ? "output_norm" : "token_embd_norm");
  },
};

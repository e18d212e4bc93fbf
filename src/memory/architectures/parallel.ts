import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads } from "../layers/attention.js";
import { embed, output, outputBehindNorm } from "../layers/ends.js";
import {
  feedForward,
  hasExperts,
  mixture,
  ownExperts,
  sharedExpert,
} from "../layers/feed-forward.js";
import { blockNorm } from "../layers/norms.js";
import { windowsOf } from "../network.js";
import { layered, rotate, rotateFar } from "./llama.js";

/** Attention and feed-forward part read the same norm, and the block's input is added to both. */
export const phi2: Architecture = {
  names: ["phi2"],
  build: (b) => {
    const { graph } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let normed = meanNorm(b, x, block, "attn_norm");
      const { v, ...parts } = heads(b, block, normed);
      const q = graph.scale(graph.rope(parts.q, b.positions));
      let result = attend(b, block, { q, k: graph.rope(parts.k, b.positions), v });
      [result, x, normed] = b.keptRows(block, result, x, normed);
      const forward = feedForward(b, block, normed, { activation: "GELU" });
      x = graph.add(graph.add(result, forward), x);
    }
    output(b, x);
  },
};

export const falcon: Architecture = {
  names: ["falcon"],
  build: (b) => {
    const { graph } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let normed = meanNorm(b, x, block, "attn_norm");
      const second = b.of(block, "attn_norm_2.weight")
        ? meanNorm(b, x, block, "attn_norm_2")
        : normed;
      const { v, ...parts } = heads(b, block, second);
      let result = attend(b, block, { ...rotate(b, parts), v });
      [result, x, normed] = b.keptRows(block, result, x, normed);
      const forward = feedForward(b, block, normed, { activation: "GELU" });
      x = graph.add(graph.add(forward, result), x);
    }
    output(b, x);
  },
};

/** command-r and cohere2; of the latter only the blocks with a window rotate. */
function buildCommandR(b: Builder): void {
  const { graph, network } = b;
  const norm = (of: Tensor, block: number, name: string) => {
    const weight = b.of(block, `${name}.weight`);
    return weight ? graph.norm(of, weight, undefined, "mean") : of;
  };
  let x = embed(b);
  for (const block of b.blocks()) {
    const rotates = !network.window || network.windowed[block]!;
    const rope = (of: Tensor) => (rotates ? graph.rope(of, b.positions) : of);
    let normed = norm(x, block, "attn_norm");
    const parts = heads(b, block, normed);
    const q = rope(norm(parts.q, block, "attn_q_norm"));
    const k = rope(norm(parts.k, block, "attn_k_norm"));
    let result = attend(b, block, { q, k, v: parts.v });
    [result, x, normed] = b.keptRows(block, result, x, normed);
    const forward = feedForward(b, block, normed);
    x = graph.add(graph.add(forward, x), result);
  }
  output(b, x);
}

export const commandR: Architecture = { names: ["command-r"], build: buildCommandR };

export const cohere2: Architecture = {
  names: ["cohere2"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 4),
  }),
  build: buildCommandR,
};

/** The dense blocks at the start rotate as well; the experts' and the shared expert's mean is taken. */
export const cohere2moe: Architecture = {
  names: ["cohere2moe"],
  adapt: (network, keys) => ({
    experts: { ...network.experts, gating: network.experts.gating || 2 },
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 4, true),
  }),
  build: (b) => {
    const { graph, network } = b;
    const kind = network.rmsNorm ? "rms" : "mean";
    let x = embed(b);
    for (const block of b.blocks()) {
      const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"), undefined, kind);
      const { v, ...parts } = heads(b, block, normed);
      const rotates = network.windowed[block]! || block < network.experts.leadingDense;
      const result = attend(b, block, { ...(rotates ? rotateFar(b, block, parts) : parts), v });
      x = graph.add(graph.add(cohereForward(b, block, normed), x), result);
    }
    outputBehindNorm(b, x);
  },
};

function cohereForward(b: Builder, block: number, x: Tensor): Tensor {
  if (!hasExperts(b, block)) return feedForward(b, block, x);
  const mixed = mixture(b, block, x, ownExperts(b));
  if (!b.of(block, "ffn_up_shexp.weight")) return mixed;
  return b.graph.scale(b.graph.add(mixed, sharedExpert(b, block, x)));
}

/** Both parts have a norm of their own, or the second follows the first. */
export const gptNeox: Architecture = {
  names: ["gptneox"],
  build: (b) => {
    const { graph, network } = b;
    if (!network.parallel) {
      layered(b, { prepare: (_, __, parts) => rotate(b, parts) });
      return;
    }
    let x = embed(b);
    for (const block of b.blocks()) {
      const { v, ...parts } = heads(b, block, meanNorm(b, x, block, "attn_norm"));
      let result = attend(b, block, { ...rotate(b, parts), v });
      [result, x] = b.keptRows(block, result, x);
      const normed = meanNorm(b, x, block, "ffn_norm");
      const forward = feedForward(b, block, normed, { activation: "GELU" });
      x = graph.add(graph.add(forward, x), result);
    }
    output(b, x);
  },
};

export const plamo: Architecture = {
  names: ["plamo"],
  build: (b) => {
    const { graph } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let normed = blockNorm(b, block, x, "attn_norm");
      const { v, ...parts } = heads(b, block, normed);
      let result = attend(b, block, { ...rotate(b, parts), v });
      [result, normed, x] = b.keptRows(block, result, normed, x);
      x = graph.add(graph.add(feedForward(b, block, normed), result), x);
    }
    output(b, x);
  },
};

/** NORM with its bias, not RMS_NORM. */
function meanNorm(b: Builder, x: Tensor, block: number, name: string): Tensor {
  return b.graph.norm(x, b.of(block, `${name}.weight`), b.of(block, `${name}.bias`), "mean");
}

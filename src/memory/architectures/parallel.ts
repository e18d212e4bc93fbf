import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { feedForward } from "../layers/feed-forward.js";
import { windowsOf } from "../network.js";
import { rotate } from "./llama.js";

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
      if (b.isLast(block)) {
        result = b.outputRows(result);
        x = b.outputRows(x);
        normed = b.outputRows(normed);
      }
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
      if (b.isLast(block)) {
        result = b.outputRows(result);
        x = b.outputRows(x);
        normed = b.outputRows(normed);
      }
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
    if (b.isLast(block)) {
      result = b.outputRows(result);
      x = b.outputRows(x);
      normed = b.outputRows(normed);
    }
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

/** NORM with its bias, not RMS_NORM. */
function meanNorm(b: Builder, x: Tensor, block: number, name: string): Tensor {
  return b.graph.norm(x, b.of(block, `${name}.weight`), b.of(block, `${name}.bias`), "mean");
}

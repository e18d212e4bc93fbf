import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { feedForward, mixtureAndShared } from "../layers/feed-forward.js";
import { rotate } from "./llama.js";

type Part = (b: Builder, block: number, result: Tensor, before: Tensor) => Tensor;

function blocks(b: Builder, rest: Part): void {
  const { graph } = b;
  const ownNorm = (of: Tensor, block: number, name: string) => {
    const weight = b.of(block, `${name}.weight`);
    return weight ? graph.norm(of, weight) : of;
  };
  let x = embed(b);
  for (const block of b.blocks()) {
    let before = x;
    const { v, ...parts } = heads(b, block, graph.norm(x, b.neededOf(block, "attn_norm.weight")));
    const normed = {
      q: ownNorm(parts.q, block, "attn_q_norm"),
      k: ownNorm(parts.k, block, "attn_k_norm"),
    };
    let result = attend(b, block, { ...rotate(b, normed), v });
    [result, before] = b.keptRows(block, result, before);
    x = rest(b, block, result, before);
  }
  output(b, x);
}

/** Norms in front of and behind both parts. */
export const glm4: Architecture = {
  names: ["glm4"],
  build: (b) =>
    blocks(b, (_, block, result, before) => {
      const { graph } = b;
      const norm = (of: Tensor, name: string) =>
        graph.norm(of, b.neededOf(block, `${name}.weight`));
      const attended = graph.add(norm(result, "post_attention_norm"), before);
      const forward = feedForward(b, block, norm(attended, "ffn_norm"));
      return graph.add(norm(forward, "post_ffw_norm"), attended);
    }),
};

/** The first blocks are dense, the others have experts and one that all tokens pass. */
export const glm4moe: Architecture = {
  names: ["glm4moe"],
  build: (b) =>
    blocks(b, (_, block, result, before) => {
      const { graph, network } = b;
      const { leadingDense, normalised, scale } = network.experts;
      const attended = graph.add(result, before);
      const x = graph.norm(attended, b.neededOf(block, "post_attention_norm.weight"));
      if (block < leadingDense) return graph.add(feedForward(b, block, x), attended);
      const mixed = mixtureAndShared(b, block, x, { normalised, gating: "sigmoid", scale });
      return graph.add(mixed, attended);
    }),
};

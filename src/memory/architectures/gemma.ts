import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads } from "../layers/attention.js";
import { embed, output, pooled } from "../layers/ends.js";
import { feedForward } from "../layers/feed-forward.js";
import { windowsOf } from "../network.js";

/** gemma, gemma2 and gemma3: a scaled embedding, and norms behind the parts where the file has them. */
function build(b: Builder): void {
  const { graph, network } = b;
  const norm = (x: Tensor, block: number, name: string) => {
    const weight = b.of(block, `${name}.weight`);
    return weight ? graph.norm(x, weight) : x;
  };
  let x = graph.scale(embed(b));
  for (const block of b.blocks()) {
    const parts = heads(b, block, graph.norm(x, b.neededOf(block, "attn_norm.weight")));
    const q = graph.rope(norm(parts.q, block, "attn_q_norm"), b.positions);
    const k = graph.rope(norm(parts.k, block, "attn_k_norm"), b.positions);
    let result = attend(b, block, { q: graph.scale(q), k, v: parts.v });
    [result, x] = b.keptRows(block, result, x);
    const attended = graph.add(norm(result, block, "post_attention_norm"), x);
    const normed = graph.norm(attended, b.neededOf(block, "ffn_norm.weight"));
    result = norm(feedForward(b, block, normed), block, "post_ffw_norm");
    x = graph.add(result, attended);
  }
  if (network.encodes) pooled(b, graph.norm(x, b.needed("output_norm.weight")));
  else output(b, x);
}

export const gemma: Architecture = { names: ["gemma"], build };

export const gemma2: Architecture = {
  names: ["gemma2"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") || 4096, kind: "sliding" },
    windowed: windowsOf(keys, network, 2),
    capsScores: true,
    capsLogits: true,
  }),
  build,
};

export const gemma3: Architecture = {
  names: ["gemma3"],
  adapt: (network, keys) => {
    const tokens = keys.number("attention.sliding_window");
    if (!tokens) return {};
    return { window: { tokens, kind: "sliding" }, windowed: windowsOf(keys, network, 6) };
  },
  build,
};

export const gemmaEmbedding: Architecture = {
  names: ["gemma-embedding"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "symmetric" },
    windowed: windowsOf(keys, network, 6),
    causal: false,
    encodes: true,
  }),
  build,
};

import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import { attend, heads, type OwnHeads } from "../layers/attention.js";
import { embed, pooled } from "../layers/ends.js";
import { feedForward, hasExperts, mixture } from "../layers/feed-forward.js";
import { blockNorm } from "../layers/norms.js";
import type { Tensor } from "../graph.js";
import { windowPattern } from "../network.js";
import { rotate } from "./llama.js";

const encodes = { encodes: true, causal: false };

/** Encoders with norms behind their parts; bert has learned positions, jina-bert-v2 biases scores, the others rotate. */
export const bert: Architecture = {
  names: ["bert", "jina-bert-v2", "jina-bert-v3", "nomic-bert", "nomic-bert-moe"],
  adapt: () => ({ encodes: true }),
  build: (b) => {
    const { graph, network } = b;
    const { architecture } = network;
    const rotates = architecture !== "bert" && architecture !== "jina-bert-v2";
    const norm = (of: Tensor, name: string) =>
      graph.norm(of, b.weight(`${name}.weight`), b.weight(`${name}.bias`), "mean");
    let x = embed(b);
    const types = b.weight("token_types.weight");
    if (types) x = graph.add(x, graph.view1d(types, network.embedding));
    if (architecture === "bert") {
      x = graph.add(graph.getRows(b.needed("position_embd.weight"), b.positions), x);
    }
    x = norm(x, "token_embd_norm");
    for (const block of b.blocks()) {
      const at = `blk.${block}`;
      const { v, ...parts } = normedAsOne(b, block, heads(b, block, x));
      let result = attend(b, block, { ...(rotates ? rotate(b, parts) : parts), v });
      [result, x] = b.keptRows(block, result, x);
      let attended = norm(graph.add(result, x), `${at}.attn_output_norm`);
      if (b.of(block, "attn_norm_2.weight")) {
        attended = norm(graph.add(attended, x), `${at}.attn_norm_2`);
      }
      const activation = "GELU";
      const forward = hasExperts(b, block)
        ? mixture(b, block, attended, { normalised: false, activation })
        : feedForward(b, block, attended, { activation });
      x = norm(graph.add(forward, attended), `${at}.layer_output_norm`);
    }
    pooled(b, x);
  },
};

/** jina-bert-v2 has one norm for the queries of all heads and one for their keys, in some files. */
function normedAsOne(b: Builder, block: number, { q, k, v }: OwnHeads): OwnHeads {
  const { graph } = b;
  const normed = (of: Tensor, name: string) => {
    const weight = b.of(block, `${name}.weight`);
    if (!weight) return of;
    const [length, count, tokens] = of.ne;
    const rows = graph.reshape(of, length * count, tokens);
    const result = graph.norm(rows, weight, b.of(block, `${name}.bias`), "mean");
    return graph.reshape(result, length, count, tokens);
  };
  return { q: normed(q, "attn_q_norm"), k: normed(k, "attn_k_norm"), v };
}

/** Norms in front of the parts; two blocks in three see a window. The first block has no norm of its own. */
export const modernBert: Architecture = {
  names: ["modern-bert"],
  adapt: ({ blocks, layers }, keys) => ({
    ...encodes,
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "symmetric" },
    windowed: windowPattern(blocks, layers, 3, true),
    rmsNorm: false,
  }),
  build: (b) => {
    const norm = (x: Tensor, weight: Tensor | undefined) =>
      weight ? b.graph.norm(x, weight, undefined, "mean") : x;
    const x = norm(embed(b), b.needed("token_embd_norm.weight"));
    const last = encoder(b, x, (of, block, name) => norm(of, b.of(block, `${name}.weight`)));
    pooled(b, norm(last, b.needed("output_norm.weight")));
  },
};

export const neoBert: Architecture = {
  names: ["neo-bert"],
  adapt: () => encodes,
  build: (b) => {
    const last = encoder(b, embed(b), (of, block, name) => blockNorm(b, block, of, name));
    pooled(b, b.graph.norm(last, b.needed("enc.output_norm.weight")));
  },
};

function encoder(
  b: Builder,
  x: Tensor,
  norm: (of: Tensor, block: number, name: string) => Tensor,
): Tensor {
  const { graph } = b;
  for (const block of b.blocks()) {
    const { v, ...parts } = heads(b, block, norm(x, block, "attn_norm"));
    let result = attend(b, block, { ...rotate(b, parts), v });
    [result, x] = b.keptRows(block, result, x);
    const attended = graph.add(result, x);
    x = graph.add(feedForward(b, block, norm(attended, block, "ffn_norm")), attended);
  }
  return x;
}

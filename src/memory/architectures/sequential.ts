import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads, headsNormedAsOne, type OwnHeads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { feedForward, hasExperts, mixture } from "../layers/feed-forward.js";
import { blockNorm, looseNorm } from "../layers/norms.js";
import { windowsOf, type Keys, type Network } from "../network.js";
import { normedHeads, rotate, rotateFar } from "./llama.js";

/** Queries are scaled; phi3's gate and up come out of one matrix, phimoe has experts instead. */
export const phi3: Architecture = {
  names: ["phi3", "phimoe"],
  build: (b) => {
    const { graph } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const normed = graph.norm(x, b.of(block, "attn_norm.weight"), b.of(block, "attn_norm.bias"));
      const { v, ...parts } = heads(b, block, normed);
      const { q, k } = rotate(b, parts, b.ropeFactors(block));
      let result = attend(b, block, { q: graph.scale(q), k, v });
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(result, before);
      const inner = graph.norm(
        attended,
        b.of(block, "ffn_norm.weight"),
        b.of(block, "ffn_norm.bias"),
      );
      const forward = hasExperts(b, block)
        ? mixture(b, block, inner, { scale: b.network.experts.scale })
        : feedForward(b, block, inner);
      x = graph.add(attended, forward);
    }
    output(b, x);
  },
};

/** Norms stand behind the parts alone. */
function normsBehind(b: Builder, parts: (block: number, x: Tensor) => OwnHeads): void {
  const { graph } = b;
  let x = embed(b);
  for (const block of b.blocks()) {
    let before = x;
    let result = attend(b, block, parts(block, x));
    [result, before] = b.keptRows(block, result, before);
    const attended = graph.add(blockNorm(b, block, result, "post_attention_norm"), before);
    const forward = feedForward(b, block, attended);
    x = graph.add(looseNorm(b, block, forward, "post_ffw_norm"), attended);
  }
  output(b, x);
}

/** Three blocks in four see a window, where the file names one. */
function windowIn(keys: Keys, network: Network, tokens = 0): Partial<Network> {
  const own = keys.number("attention.sliding_window") ?? tokens;
  if (own === 0) return {};
  return { window: { tokens: own, kind: "sliding" }, windowed: windowsOf(keys, network, 4) };
}

/** The norms of queries and keys are one for all heads; olmo3 is this with windows. */
export const olmo2: Architecture = {
  names: ["olmo2"],
  adapt: (network, keys) => windowIn(keys, network),
  build: (b) =>
    normsBehind(b, (block, x) => {
      const { v, ...parts } = headsNormedAsOne(b, block, x);
      return { ...rotate(b, parts), v };
    }),
};

/** Each head has its norm, and blocks that see everything do not rotate. The largest one has windows. */
export const exaone4: Architecture = {
  names: ["exaone4"],
  adapt: (network, keys) => (network.layers === 64 ? windowIn(keys, network, 4096) : {}),
  build: (b) =>
    normsBehind(b, (block, x) => {
      const { v, ...parts } = heads(b, block, x);
      const normed = normedHeads(b, block, parts);
      const rotates = !b.network.window || b.network.windowed[block]!;
      return { ...(rotates ? rotateFar(b, block, normed) : normed), v };
    }),
};

/** Without a norm in front of it the feed-forward part reads that of attention. */
export const stablelm: Architecture = {
  names: ["stablelm"],
  build: (b) => {
    const { graph } = b;
    const norm = (of: Tensor, block: number, name: string) =>
      graph.norm(of, b.of(block, `${name}.weight`), b.of(block, `${name}.bias`), "mean");
    let x = embed(b);
    for (const block of b.blocks()) {
      let normed = norm(x, block, "attn_norm");
      const { v, ...parts } = heads(b, block, normed);
      const own = {
        q: b.of(block, "attn_q_norm.weight") ? norm(parts.q, block, "attn_q_norm") : parts.q,
        k: b.of(block, "attn_k_norm.weight") ? norm(parts.k, block, "attn_k_norm") : parts.k,
      };
      let result = attend(b, block, { ...rotate(b, own), v });
      [result, x, normed] = b.keptRows(block, result, x, normed);
      const attended = graph.add(result, x);
      const inner = b.of(block, "ffn_norm.weight") ? norm(attended, block, "ffn_norm") : normed;
      x = graph.add(feedForward(b, block, inner), attended);
    }
    output(b, x);
  },
};

/** Learned positions instead of rotation. */
export const gpt2: Architecture = {
  names: ["gpt2", "starcoder"],
  build: (b) => {
    const { graph } = b;
    const norm = (of: Tensor, block: number, name: string) =>
      graph.norm(of, b.of(block, `${name}.weight`), b.of(block, `${name}.bias`), "mean");
    let x = embed(b);
    x = graph.add(x, graph.getRows(b.needed("position_embd.weight"), b.positions));
    for (const block of b.blocks()) {
      let result = attend(b, block, heads(b, block, norm(x, block, "attn_norm")));
      [result, x] = b.keptRows(block, result, x);
      const attended = graph.add(result, x);
      const inner = norm(attended, block, "ffn_norm");
      x = graph.add(feedForward(b, block, inner, { activation: "GELU" }), attended);
    }
    output(b, x);
  },
};

import type { Architecture } from "../architecture.js";
import type { Tensor } from "../graph.js";
import { attend, flatHeads, heads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { feedForward } from "../layers/feed-forward.js";
import { rotate } from "./llama.js";

/** Queries are scaled, gate and up come out of one matrix. */
export const phi3: Architecture = {
  names: ["phi3"],
  build: (b) => {
    const { graph } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const normed = graph.norm(x, b.of(block, "attn_norm.weight"), b.of(block, "attn_norm.bias"));
      const { v, ...parts } = heads(b, block, normed);
      const { q, k } = rotate(b, parts, b.ropeFactors(block));
      let result = attend(b, block, { q: graph.scale(q), k, v });
      if (b.isLast(block)) {
        result = b.outputRows(result);
        before = b.outputRows(before);
      }
      const attended = graph.add(result, before);
      const inner = graph.norm(
        attended,
        b.of(block, "ffn_norm.weight"),
        b.of(block, "ffn_norm.bias"),
      );
      x = graph.add(attended, feedForward(b, block, inner, { fused: true }));
    }
    output(b, x);
  },
};

/** Norms stand behind the parts alone, and those of queries and keys are one for all heads. */
export const olmo2: Architecture = {
  names: ["olmo2"],
  build: (b) => {
    const { graph, network, tokens } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const flat = flatHeads(b, block, x);
      const shaped = (of: Tensor, count: number) =>
        graph.reshape(of, network.keyLength, count, tokens);
      const normed = (of: Tensor, name: string) =>
        graph.norm(of, b.neededOf(block, `${name}.weight`));
      const parts = {
        q: shaped(normed(flat.q, "attn_q_norm"), network.heads[block]!),
        k: shaped(normed(flat.k, "attn_k_norm"), network.headsKv[block]!),
      };
      const v = shaped(flat.v, network.headsKv[block]!);
      let result = attend(b, block, { ...rotate(b, parts), v });
      if (b.isLast(block)) {
        result = b.outputRows(result);
        before = b.outputRows(before);
      }
      const attended = graph.add(normed(result, "post_attention_norm"), before);
      x = graph.add(normed(feedForward(b, block, attended), "post_ffw_norm"), attended);
    }
    output(b, x);
  },
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
      if (b.isLast(block)) {
        result = b.outputRows(result);
        x = b.outputRows(x);
        normed = b.outputRows(normed);
      }
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
      if (b.isLast(block)) {
        result = b.outputRows(result);
        x = b.outputRows(x);
      }
      const attended = graph.add(result, x);
      const inner = norm(attended, block, "ffn_norm");
      x = graph.add(feedForward(b, block, inner, { activation: "GELU" }), attended);
    }
    output(b, x);
  },
};

import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attention, flatHeads } from "../layers/attention.js";
import { embed, outputBehindNorm } from "../layers/ends.js";
import { feedForward, hasExperts, mixtureAndGated } from "../layers/feed-forward.js";
import { gatedDelta } from "../layers/recurrent.js";

const float = 4;

/** Three blocks in four have linear attention; the fourth has attention with a gate on its output. */
export const qwenDelta: Architecture = {
  names: ["qwen3next", "qwen35", "qwen35moe"],
  adapt: ({ architecture, blocks, layers }, keys) => {
    const every = keys.number("full_attention_interval") ?? 4;
    return {
      recurrent: Array.from(
        { length: blocks },
        (_, block) => block < layers && (block + 1) % every !== 0,
      ),
      positions: architecture === "qwen3next" ? 1 : 4,
    };
  },
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"));
      graph.expand(normed);
      const result = network.recurrent[block]
        ? gatedDelta(b, block, normed)
        : gatedAttention(b, block, normed);
      const attended = graph.add(result, x);
      const inner = graph.norm(attended, b.neededOf(block, "post_attention_norm.weight"));
      x = graph.add(forward(b, block, inner), attended);
    }
    outputBehindNorm(b, x);
  },
};

/** The query's matrix makes the gate as well, head by head. */
export function gatedAttention(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network, tokens } = b;
  const length = network.keyLength;
  const count = network.heads[block]!;
  const countKv = network.headsKv[block]!;
  const flat = flatHeads(b, block, x);
  const isNext = network.architecture === "qwen3next";
  const both = isNext ? graph.reshape(flat.q, length * 2, count, tokens) : flat.q;
  const row = 2 * length * float;
  const half = (offset: number) =>
    isNext
      ? graph.view4d(both, [length, count, tokens, 1], both.nb[1], both.nb[2], both.nb[3], offset)
      : graph.view3d(both, [length, count, tokens], row, row * count, offset);
  const queries = half(0);
  const gates = half(length * float);
  const flatGates = () => graph.cont(gates, [length * count, tokens]);
  // qwen35 lays the gates out before attention, qwen3next behind it.
  const early = isNext ? undefined : flatGates();
  const k = graph.reshape(flat.k, length, countKv, tokens);
  const v = graph.reshape(flat.v, length, countKv, tokens);
  const normed = (of: Tensor, name: string) =>
    graph.rope(graph.norm(of, b.neededOf(block, `${name}.weight`)), b.positions);
  const result = attention(b, block, {
    q: normed(queries, "attn_q_norm"),
    k: normed(k, "attn_k_norm"),
    v,
  });
  const gated = graph.mul(result, graph.unary(early ?? flatGates(), "SIGMOID"));
  return graph.mulMat(b.neededOf(block, "attn_output.weight"), gated);
}

function forward(b: Builder, block: number, x: Tensor): Tensor {
  if (!hasExperts(b, block)) return feedForward(b, block, x);
  return mixtureAndGated(b, block, x, { scale: b.network.experts.scale });
}

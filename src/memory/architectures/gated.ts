import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attention, heads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { feedForward, hasExperts, mixtureAndShared, ownExperts } from "../layers/feed-forward.js";
import { blockNorm, looseNorm } from "../layers/norms.js";
import { windowsOf } from "../network.js";
import { normedHeads, rotate } from "./llama.js";

interface Variant {
  gate: "SIGMOID" | "SOFTPLUS";
  rotates: (block: number) => boolean;
  /** Stands behind both parts. */
  norm?: typeof blockNorm;
  begin: (b: Builder) => Tensor;
}

/** Attention whose result is gated, element by element or head by head, before its last matrix. */
function build(b: Builder, { gate, rotates, norm, begin }: Variant): void {
  const { graph } = b;
  const behind = (x: Tensor, block: number, name: string) => (norm ? norm(b, block, x, name) : x);
  let x = begin(b);
  for (const block of b.blocks()) {
    let before = x;
    const input = blockNorm(b, block, x, "attn_norm");
    const { v, ...parts } = heads(b, block, input);
    const normed = normedHeads(b, block, parts);
    const { q, k } = rotates(block) ? rotate(b, normed) : normed;
    const gates = graph.mulMat(b.neededOf(block, "attn_gate.weight"), input);
    let result = attention(b, block, { q, k, v });
    result = gated(b, block, result, graph.unary(gates, gate));
    result = graph.mulMat(b.neededOf(block, "attn_output.weight"), result);
    result = behind(result, block, "post_attention_norm");
    [result, before] = b.keptRows(block, result, before);
    const attended = graph.add(result, before);
    const inner = blockNorm(b, block, attended, "ffn_norm");
    const forward = hasExperts(b, block)
      ? mixtureAndShared(b, block, inner, ownExperts(b))
      : feedForward(b, block, inner);
    x = graph.add(behind(forward, block, "post_ffw_norm"), attended);
  }
  output(b, x);
}

/** What attention's result is multiplied by: a value for each element or each head. */
export function gated(
  { graph, network }: Builder,
  block: number,
  x: Tensor,
  gates: Tensor,
): Tensor {
  const count = network.heads[block]!;
  const [width, tokens] = x.ne;
  if (gates.ne[0] !== count) return graph.mul(x, gates);
  const byHead = graph.reshape(x, width / count, count, tokens);
  return graph.reshape(graph.mul(byHead, graph.reshape(gates, 1, count, tokens)), width, tokens);
}

/** Of four blocks the first sees the whole context, in models with windows. */
export const laguna: Architecture = {
  names: ["laguna"],
  adapt: (network, keys) => {
    const { experts } = network;
    const tokens = keys.number("attention.sliding_window");
    return {
      experts: { ...experts, gating: experts.gating || 2 },
      ...(tokens && {
        window: { tokens, kind: "sliding" },
        windowed: windowsOf(keys, network, 4, true),
      }),
    };
  },
  build: (b) => build(b, { gate: "SOFTPLUS", rotates: () => true, begin: embed }),
};

/** Blocks with a window rotate, the others do not; the norms behind the parts have an epsilon of their own. */
export const museGlimmer: Architecture = {
  names: ["muse-glimmer"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 4),
    // Done in the other order than elsewhere, in as many steps.
    scalesLogits: true,
  }),
  build: (b) =>
    build(b, {
      gate: "SIGMOID",
      rotates: (block) => b.network.windowed[block]!,
      norm: looseNorm,
      begin: () => b.graph.each("RMS_NORM", embed(b)),
    }),
};

export const afmoe: Architecture = {
  names: ["afmoe"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 4),
  }),
  differs: (block) => (block + 1) % 4 === 0,
  build: (b) =>
    build(b, {
      gate: "SIGMOID",
      rotates: (block) => (block + 1) % 4 !== 0,
      norm: blockNorm,
      begin: () => b.graph.scale(embed(b)),
    }),
};

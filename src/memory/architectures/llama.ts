import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads, type OwnHeads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import {
  feedForward,
  hasExperts,
  mixture,
  mixtureAndShared,
  type Activation,
} from "../layers/feed-forward.js";
import { windowsOf } from "../network.js";

interface Variant {
  /** Rotated, normed: queries and keys before attention. */
  prepare?: (
    b: Builder,
    block: number,
    parts: { q: Tensor; k: Tensor },
  ) => { q: Tensor; k: Tensor };
  /** Where they do not come as `heads` makes them. */
  project?: (b: Builder, block: number, x: Tensor) => OwnHeads;
  /** Name of the norm in front of the feed-forward part. */
  innerNorm?: string;
  experts?: (b: Builder, block: number, x: Tensor) => Tensor;
  /** The feed-forward part's activation where it has no gate. */
  activation?: Activation;
  /** Learned logits that attention may fall into, where the file has them. */
  sinks?: boolean;
  /** The embeddings as the first block gets them. */
  begin?: (b: Builder) => Tensor;
  /** What is added behind attention, where it is not the block's input alone. */
  carry?: (block: number, x: Tensor) => Tensor;
  /** What a block hands on. */
  finish?: (block: number, x: Tensor) => Tensor;
}

/** Norm, attention, add; norm, feed-forward part, add: the order that most models follow. */
export function layered(b: Builder, variant: Variant): void {
  const { graph, network } = b;
  const {
    prepare = (_, __, parts) => parts,
    project = heads,
    innerNorm = "ffn_norm",
    activation = "GELU",
    experts = (_, block, x) => mixture(b, block, x, { scale: network.experts.scale }),
    begin = embed,
  } = variant;
  const kind = network.rmsNorm ? "rms" : "mean";
  const norm = (x: Tensor, block: number, name: string) =>
    graph.norm(x, b.of(block, `${name}.weight`), b.of(block, `${name}.bias`), kind);
  const residual = (x: Tensor) => (network.scalesResidual ? graph.scale(x) : x);
  let x = begin(b);
  for (const block of b.blocks()) {
    let before = variant.carry ? variant.carry(block, x) : x;
    const { v, ...parts } = project(b, block, norm(x, block, "attn_norm"));
    const sinks = variant.sinks ? b.of(block, "attn_sinks.weight") : undefined;
    let result = attend(b, block, { ...prepare(b, block, parts), v }, { sinks });
    [result, before] = b.keptRows(block, result, before);
    const attended = graph.add(residual(result), before);
    const normed = norm(attended, block, innerNorm);
    result = hasExperts(b, block)
      ? experts(b, block, normed)
      : feedForward(b, block, normed, { activation });
    x = graph.add(residual(result), attended);
    if (variant.finish) x = variant.finish(block, x);
  }
  output(b, x);
}

/** Rotated with the factors that long contexts need, where the file has them. */
export function rotateFar(
  b: Builder,
  block: number,
  parts: { q: Tensor; k: Tensor },
): { q: Tensor; k: Tensor } {
  return rotate(b, parts, b.ropeFactors(block));
}

/** Rotates queries and keys. */
export function rotate(
  b: Builder,
  { q, k }: { q: Tensor; k: Tensor },
  factors?: Tensor,
): { q: Tensor; k: Tensor } {
  return {
    q: b.graph.rope(q, b.positions, factors),
    k: b.graph.rope(k, b.positions, factors),
  };
}

/** Norms of their own for queries and keys, one for each head. */
export function normedHeads(
  b: Builder,
  block: number,
  { q, k }: { q: Tensor; k: Tensor },
): { q: Tensor; k: Tensor } {
  return {
    q: b.graph.norm(q, b.neededOf(block, "attn_q_norm.weight")),
    k: b.graph.norm(k, b.neededOf(block, "attn_k_norm.weight")),
  };
}

export const llama: Architecture = {
  names: ["llama", "granite", "granitemoe", "exaone"],
  build: (b) =>
    layered(b, {
      prepare: rotateFar,
      experts: (_, block, x) => mixtureAndShared(b, block, x, { scale: b.network.experts.scale }),
    }),
};

/** Like llama; the newer ones multiply queries by a factor of their position. */
export const mistral3: Architecture = {
  names: ["mistral3"],
  build: (b) =>
    layered(b, {
      prepare: (_, block, parts) => {
        const { q, k } = rotateFar(b, block, parts);
        return { q: scaledByPosition(b, q), k };
      },
    }),
};

/** llama-graph.cpp build_inp_attn_scale */
export function scaledByPosition(b: Builder, q: Tensor): Tensor {
  if (!b.network.scalesQueries) return q;
  return b.graph.mul(q, b.input("inp_attn_scale", "F32", [1, 1, b.tokens]));
}

export const qwen2: Architecture = {
  names: ["qwen2", "starcoder2"],
  build: (b) => layered(b, { prepare: (_, __, parts) => rotate(b, parts) }),
};

export const qwen3: Architecture = {
  names: ["qwen3", "qwen3moe"],
  build: (b) =>
    layered(b, { prepare: (_, block, parts) => rotate(b, normedHeads(b, block, parts)) }),
};

/** Three blocks in four see chunks of the context and rotate; the fourth sees everything. */
export const llama4: Architecture = {
  names: ["llama4"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.chunk_size") ?? 8192, kind: "chunked" },
    windowed: windowsOf(keys, network, 4),
  }),
  build: (b) => {
    const { graph, network } = b;
    layered(b, {
      prepare: (_, block, parts) => {
        if ((block + 1) % 4 === 0) {
          const scale = b.input("inp_attn_scale", "F32", [1, 1, b.tokens]);
          return { q: graph.mul(parts.q, scale), k: parts.k };
        }
        const { q, k } = rotate(b, parts, b.ropeFactors(block));
        return { q: graph.each("RMS_NORM", q), k: graph.each("RMS_NORM", k) };
      },
      experts: (_, block, x) =>
        mixtureAndShared(b, block, x, {
          normalised: false,
          gating: "sigmoid",
          weightFirst: true,
          scale: network.experts.scale,
        }),
    });
  },
};

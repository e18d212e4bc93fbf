import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import { NoGraph, type Tensor } from "../graph.js";
import { attend } from "../layers/attention.js";
import { embed, logits, output } from "../layers/ends.js";
import { feedForward, hasExperts, mixtureAndShared, ownExperts } from "../layers/feed-forward.js";
import { blockNorm } from "../layers/norms.js";
import { scaledByPosition } from "./llama.js";

const float = 4;

/** GLM 4.7 Flash, whose files do not say that its experts are chosen by sigmoids. */
const glmVocabulary = 154_880;

/** Latent attention: the cache holds one compressed key for all heads, and the values are part of it. */
export const deepseek2: Architecture = {
  names: ["deepseek2"],
  adapt: ({ experts, layers, vocabulary }) => {
    const isGlm = (layers === 47 || layers === 48) && vocabulary === glmVocabulary;
    return { experts: { ...experts, gating: experts.gating || (isGlm ? 2 : 1) } };
  },
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const normed = blockNorm(b, block, x, "attn_norm");
      let result = network.latent
        ? latentAttention(b, block, normed)
        : decompressedAttention(b, block, normed);
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(result, before);
      const inner = blockNorm(b, block, attended, "ffn_norm");
      const forward = hasExperts(b, block)
        ? mixtureAndShared(b, block, inner, ownExperts(b))
        : feedForward(b, block, inner);
      x = graph.add(forward, attended);
    }
    output(b, x);
  },
};

/** Keys and values of whole heads, and a scaled embedding and residuals. */
export const minicpm3: Architecture = {
  names: ["minicpm3"],
  build: (b) => {
    const { graph } = b;
    let x = graph.scale(embed(b));
    for (const block of b.blocks()) {
      let before = x;
      const factors = b.ropeFactors(block);
      const normed = blockNorm(b, block, x, "attn_norm");
      let result = decompressedAttention(b, block, normed, factors);
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(graph.scale(result), before);
      const forward = feedForward(b, block, blockNorm(b, block, attended, "ffn_norm"));
      x = graph.add(graph.scale(forward), attended);
    }
    const normed = graph.norm(x, b.needed("output_norm.weight"));
    normed.output = true;
    logits(b, graph.scale(normed));
  },
};

/** With the matrices that decompress keys and values taken into those of queries and output. */
export function latentAttention(b: Builder, block: number, x: Tensor, rotates = true): Tensor {
  const { graph, network, tokens } = b;
  if (!network.latent) throw new NoGraph("Latent attention without its lengths.");
  const { keyLength, rank } = network.latent;
  const count = network.heads[block]!;
  const rotary = network.rotary;
  const plain = keyLength - rotary;
  const rope = (of: Tensor) => (rotates ? graph.rope(of, b.positions) : of);
  const flat = latentQueries(b, block, x);
  // Where nothing rotates, the heads are cut out of the rows at once (kimi-linear.cpp).
  const q = rotates ? graph.reshape(flat, keyLength, count, tokens) : flat;
  const head = keyLength * float;

  const { latent, position } = compressedKeys(b, block, x, rank);
  const rotatedPosition = rope(position);
  const normed = blockNorm(b, block, latent, "attn_kv_a_norm");

  const unrotated = graph.view3d(q, [plain, count, tokens], head, head * count);
  const rotated = rope(graph.view3d(q, [rotary, count, tokens], head, head * count, plain * float));
  const turned = graph.permute(unrotated, 0, 2, 1, 3);
  const absorbed = graph.mulMat(b.neededOf(block, "attn_k_b.weight"), turned);
  const queries = graph.concat(graph.permute(absorbed, 0, 2, 1, 3), rotated, 0);
  const values = graph.reshape(normed, rank, 1, tokens);
  const keys = graph.concat(values, rotatedPosition, 0);
  const latentValues = b.neededOf(block, "attn_v_b.weight");
  const scaled = scaledByPosition(b, queries);
  return attend(b, block, { q: scaled, k: keys, v: values }, { latentValues });
}

/** What is decompressed to keys and values, and the part of the keys that rotates. */
function compressedKeys(
  b: Builder,
  block: number,
  x: Tensor,
  rank: number,
): { latent: Tensor; position: Tensor } {
  const { graph, network, tokens } = b;
  const { rotary } = network;
  const compressed = graph.mulMat(b.neededOf(block, "attn_kv_a_mqa.weight"), x);
  const row = (rank + rotary) * float;
  return {
    latent: graph.view2d(compressed, rank, tokens, row),
    position: graph.view3d(compressed, [rotary, 1, tokens], row, row, rank * float),
  };
}

/** Older files hold one matrix that decompresses both: the cache then has whole heads. */
export function decompressedAttention(
  b: Builder,
  block: number,
  x: Tensor,
  factors?: Tensor,
): Tensor {
  const { graph, network, tokens } = b;
  const { keyLength, valueLength, rotary } = network;
  const count = network.heads[block]!;
  const plain = keyLength - rotary;
  const flat = latentQueries(b, block, x);
  const q = graph.rope(graph.reshape(flat, keyLength, count, tokens), b.positions, factors);

  const matrix = b.neededOf(block, "attn_kv_b.weight");
  const { latent, position } = compressedKeys(b, block, x, matrix.ne[0]);
  const rotated = graph.rope(position, b.positions, factors);
  const both = graph.mulMat(matrix, blockNorm(b, block, latent, "attn_kv_a_norm"));
  const head = (plain + valueLength) * float;
  const part = (length: number, offset: number) =>
    graph.view3d(both, [length, count, tokens], head, head * count, offset);
  const v = graph.cont(part(valueLength, plain * float));
  const positions = graph.repeat(rotated, [rotary, count, tokens]);
  const k = graph.concat(part(plain, 0), positions, 0);
  return attend(b, block, { q: scaledByPosition(b, q), k, v });
}

function latentQueries(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const down = b.of(block, "attn_q_a.weight");
  if (!down) return graph.mulMat(b.neededOf(block, "attn_q.weight"), x);
  const normed = blockNorm(b, block, graph.mulMat(down, x), "attn_q_a_norm");
  return graph.mulMat(b.neededOf(block, "attn_q_b.weight"), normed);
}

import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { feedForward, mixture, sharedExpert } from "../layers/feed-forward.js";

const float = 4;

/** Latent attention: the cache holds one compressed key for all heads, and the values are part of it. */
export const deepseek2: Architecture = {
  names: ["deepseek2"],
  build: (b) => {
    const { graph, network } = b;
    const { leadingDense, normalised, scale, gating } = network.experts;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"));
      let result = latentAttention(b, block, normed);
      if (b.isLast(block)) {
        result = b.outputRows(result);
        before = b.outputRows(before);
      }
      const attended = graph.add(result, before);
      const inner = graph.norm(attended, b.neededOf(block, "ffn_norm.weight"));
      if (block < leadingDense) result = feedForward(b, block, inner);
      else {
        const kind = gating === 2 ? "sigmoid" : "softmax";
        const mixed = mixture(b, block, inner, { normalised, gating: kind, scale });
        result = graph.add(mixed, sharedExpert(b, block, inner));
      }
      x = graph.add(result, attended);
    }
    output(b, x);
  },
};

/** With the matrices that decompress keys and values taken into those of queries and output. */
export function latentAttention(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network, tokens } = b;
  if (!network.latent) throw new Error("Latent attention without its lengths.");
  const { keyLength, rank } = network.latent;
  const count = network.heads[block]!;
  const rotary = network.rotary;
  const plain = keyLength - rotary;
  const q = graph.reshape(latentQueries(b, block, x), keyLength, count, tokens);

  const compressed = graph.mulMat(b.neededOf(block, "attn_kv_a_mqa.weight"), x);
  const row = (rank + rotary) * float;
  let latent = graph.view2d(compressed, rank, tokens, row);
  let position = graph.view3d(compressed, [rotary, 1, tokens], row, row, rank * float);
  position = graph.rope(position, b.positions);
  latent = graph.norm(latent, b.neededOf(block, "attn_kv_a_norm.weight"));

  const unrotated = graph.view3d(q, [plain, count, tokens], q.nb[1], q.nb[2]);
  let rotated = graph.view3d(q, [rotary, count, tokens], q.nb[1], q.nb[2], plain * float);
  rotated = graph.rope(rotated, b.positions);
  const turned = graph.permute(unrotated, 0, 2, 1, 3);
  const absorbed = graph.mulMat(b.neededOf(block, "attn_k_b.weight"), turned);
  const queries = graph.concat(graph.permute(absorbed, 0, 2, 1, 3), rotated, 0);
  const values = graph.reshape(latent, rank, 1, tokens);
  const keys = graph.concat(values, position, 0);
  const latentValues = b.neededOf(block, "attn_v_b.weight");
  return attend(b, block, { q: queries, k: keys, v: values }, { latentValues });
}

function latentQueries(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const down = b.of(block, "attn_q_a.weight");
  if (!down) return graph.mulMat(b.neededOf(block, "attn_q.weight"), x);
  const normed = graph.norm(graph.mulMat(down, x), b.neededOf(block, "attn_q_a_norm.weight"));
  return graph.mulMat(b.neededOf(block, "attn_q_b.weight"), normed);
}

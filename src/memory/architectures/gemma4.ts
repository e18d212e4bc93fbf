import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import { keyLengthOf } from "../cache.js";
import type { Tensor } from "../graph.js";
import { attend } from "../layers/attention.js";
import { embed, outputBehindNorm } from "../layers/ends.js";
import { feedForward, hasExperts, mixture } from "../layers/feed-forward.js";
import { looseNorm } from "../layers/norms.js";
import { hasCache, windowsOf } from "../network.js";
import { layerSlice, perLayerInputs } from "./gemma3n.js";

/** Blocks with a window have shorter heads; the last ones may read an earlier block's cache. */
export const gemma4: Architecture = {
  names: ["gemma4"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 6),
    sharesCacheFrom: network.blocks - (keys.number("attention.shared_kv_layers") ?? 0),
  }),
  build: (b) => {
    const { graph } = b;
    let x = graph.scale(embed(b));
    const inputs = b.weight("per_layer_token_embd.weight") ? perLayerInputs(b, x) : undefined;
    for (const block of b.blocks()) {
      const norm = (of: Tensor, name: string) =>
        graph.norm(of, b.neededOf(block, `${name}.weight`));
      const attended = graph.add(norm(attentionPart(b, block, x), "post_attention_norm"), x);
      const result = hasExperts(b, block)
        ? bothParts(b, block, attended)
        : feedForward(b, block, norm(attended, "ffn_norm"));
      x = graph.add(looseNorm(b, block, result, "post_ffw_norm"), attended);
      if (inputs) {
        const gate = graph.unary(graph.mulMat(b.neededOf(block, "inp_gate.weight"), x), "GELU");
        const gated = graph.mul(gate, layerSlice(b, inputs, block));
        const projected = graph.mulMat(b.neededOf(block, "proj.weight"), gated);
        x = graph.add(x, norm(projected, "post_norm"));
      }
      const scale = b.of(block, "layer_output_scale.weight");
      if (scale) x = graph.mul(x, scale);
    }
    outputBehindNorm(b, x);
  },
};

function attentionPart(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network, tokens } = b;
  const length = keyLengthOf(network, block);
  const factors = network.windowed[block] ? undefined : b.ropeFactors(block);
  const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"));
  const flat = graph.mulMat(b.neededOf(block, "attn_q.weight"), normed);
  let q = graph.reshape(flat, length, network.heads[block]!, tokens);
  q = graph.norm(q, b.neededOf(block, "attn_q_norm.weight"));
  q = graph.rope(q, b.positions, factors);
  if (!hasCache(network, block)) return attend(b, block, { q });
  const shaped = (of: Tensor) => graph.reshape(of, length, network.headsKv[block]!, tokens);
  const keys = graph.mulMat(b.neededOf(block, "attn_k.weight"), normed);
  const valueWeight = b.of(block, "attn_v.weight");
  const values = valueWeight ? graph.mulMat(valueWeight, normed) : keys;
  const k = graph.norm(shaped(keys), b.neededOf(block, "attn_k_norm.weight"));
  const v = graph.each("RMS_NORM", shaped(values));
  return attend(b, block, { q, k: graph.rope(k, b.positions, factors), v });
}

/** A dense part and experts side by side, each between norms of its own. */
function bothParts(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const norm = (of: Tensor, name: string) => graph.norm(of, b.neededOf(block, `${name}.weight`));
  const dense = norm(feedForward(b, block, norm(x, "ffn_norm")), "post_ffw_norm_1");
  const scaled = graph.scale(graph.each("RMS_NORM", x));
  const routed = graph.mul(scaled, b.neededOf(block, "ffn_gate_inp.scale"));
  const router = graph.mulMat(b.neededOf(block, "ffn_gate_inp.weight"), routed);
  const mixed = mixture(b, block, norm(x, "pre_ffw_norm_2"), { logits: router, scale: 1 });
  return graph.add(dense, norm(mixed, "post_ffw_norm_2"));
}

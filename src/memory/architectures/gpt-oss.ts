import type { Architecture } from "../architecture.js";
import { attend, heads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { mixture } from "../layers/feed-forward.js";
import { windowsOf } from "../network.js";
import { rotate } from "./llama.js";

/** Every second block sees a window, from the first on; attention may fall into sinks. */
export const gptOss: Architecture = {
  names: ["gpt-oss"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 2),
  }),
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      const normed = graph.norm(x, b.neededOf(block, "attn_norm.weight"));
      const { v, ...parts } = heads(b, block, normed);
      const sinks = b.of(block, "attn_sinks.weight");
      const result = attend(b, block, { ...rotate(b, parts), v }, { sinks });
      const attended = graph.add(result, x);
      const inner = graph.norm(attended, b.neededOf(block, "post_attention_norm.weight"));
      const { scale } = network.experts;
      const mixed = mixture(b, block, inner, {
        normalised: false,
        gating: "chosen",
        scale,
        biased: true,
      });
      x = graph.add(mixed, attended);
    }
    // Speculative decoding may read it, so it stays.
    x.output = true;
    output(b, b.outputRows(x));
  },
};

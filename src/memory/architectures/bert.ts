import type { Architecture } from "../architecture.js";
import { attend, heads } from "../layers/attention.js";
import { embed, pooled } from "../layers/ends.js";
import { feedForward } from "../layers/feed-forward.js";
import type { Tensor } from "../graph.js";
import { rotate } from "./llama.js";

/** Encoders with norms behind their parts; bert has learned positions, nomic-bert rotates. */
export const bert: Architecture = {
  names: ["bert", "nomic-bert"],
  adapt: () => ({ encodes: true }),
  build: (b) => {
    const { graph, network } = b;
    const rotates = network.architecture !== "bert";
    const norm = (of: Tensor, name: string) =>
      graph.norm(of, b.weight(`${name}.weight`), b.weight(`${name}.bias`), "mean");
    let x = embed(b);
    const types = b.weight("token_types.weight");
    if (types) x = graph.add(x, graph.view1d(types, network.embedding));
    if (!rotates) {
      x = graph.add(graph.getRows(b.needed("position_embd.weight"), b.positions), x);
    }
    x = norm(x, "token_embd_norm");
    for (const block of b.blocks()) {
      const { v, ...parts } = heads(b, block, x);
      let result = attend(b, block, { ...(rotates ? rotate(b, parts) : parts), v });
      if (b.isLast(block)) {
        result = b.outputRows(result);
        x = b.outputRows(x);
      }
      const attended = norm(graph.add(result, x), `blk.${block}.attn_output_norm`);
      const forward = feedForward(b, block, attended, { activation: "GELU" });
      x = norm(graph.add(forward, attended), `blk.${block}.layer_output_norm`);
    }
    pooled(b, x);
  },
};

import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads } from "../layers/attention.js";
import { embed, outputBehindNorm } from "../layers/ends.js";
import {
  feedForward,
  hasExperts,
  mixture,
  ownExperts,
  sharedExpert,
} from "../layers/feed-forward.js";
import { blockNorm } from "../layers/norms.js";
import { mamba2 } from "../layers/recurrent.js";

/** A block is one of three: a state space, attention without positions, or a feed-forward part. */
export const nemotronH: Architecture = {
  names: ["nemotron_h", "nemotron_h_moe"],
  adapt: ({ headsKv, layers, experts }, keys) => {
    const forward = keys.perBlock("feed_forward_length", 0);
    const recurrent = headsKv.map(
      (count, block) => block < layers && count === 0 && forward[block] === 0,
    );
    return { recurrent, experts: { ...experts, gating: 2 } };
  },
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      const normed = blockNorm(b, block, x, "attn_norm");
      const result = network.recurrent[block]
        ? mamba2(b, block, normed)
        : network.headsKv[block]! > 0
          ? attend(b, block, heads(b, block, normed))
          : forwardPart(b, block, normed);
      x = graph.add(result, x);
    }
    outputBehindNorm(b, x);
  },
};

/** Experts may work on a narrower stream than the model's. */
function forwardPart(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const activation = "RELU_SQR";
  if (!hasExperts(b, block)) return feedForward(b, block, x, { activation });
  const down = b.of(block, "ffn_latent_down.weight");
  const up = b.of(block, "ffn_latent_up.weight");
  const inner = down ? graph.mulMat(down, x) : x;
  const logits = graph.mulMat(b.neededOf(block, "ffn_gate_inp.weight"), x);
  const mixed = mixture(b, block, inner, { ...ownExperts(b), logits, activation });
  const widened = up ? graph.mulMat(up, mixed) : mixed;
  return graph.add(widened, sharedExpert(b, block, x, activation));
}

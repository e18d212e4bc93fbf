import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import { NoGraph, type Tensor } from "../graph.js";
import { embed, output } from "../layers/ends.js";
import { feedForward, hasExperts, mixtureAndShared, ownExperts } from "../layers/feed-forward.js";
import { blockNorm } from "../layers/norms.js";
import {
  convolution,
  currentState,
  keepShift,
  perSequence,
  unitLength,
} from "../layers/recurrent.js";
import { latentAttention } from "./deepseek.js";

const float = 4;

/** Delta attention with a decay an element; blocks with KV heads have latent attention without positions. */
export const kimiLinear: Architecture = {
  names: ["kimi-linear"],
  adapt: ({ headsKv, layers }) => ({
    recurrent: headsKv.map((count, block) => block < layers && count === 0),
  }),
  build: (b) => {
    const { graph, network } = b;
    let x = embed(b);
    for (const block of b.blocks()) {
      let before = x;
      const normed = blockNorm(b, block, x, "attn_norm");
      graph.expand(normed);
      let result = network.recurrent[block]
        ? kimiDelta(b, block, normed)
        : latentAttention(b, block, normed, false);
      [result, before] = b.keptRows(block, result, before);
      const attended = graph.add(result, before);
      const inner = blockNorm(b, block, attended, "ffn_norm");
      const forward = hasExperts(b, block)
        ? mixtureAndShared(b, block, inner, { ...ownExperts(b), normalised: true })
        : feedForward(b, block, inner);
      x = graph.add(forward, attended);
    }
    output(b, x);
  },
};

/** Queries, keys and values pass a convolution each; the state is a matrix a head. */
function kimiDelta(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network } = b;
  if (!network.kda) throw new NoGraph("Delta attention without its lengths.");
  const length = network.kda.headLength;
  const count = network.heads[block]!;
  const [tokens, sequences] = perSequence(b);
  const shifts = currentState(b, block, "shift");
  const [q, k, v] = ["q", "k", "v"].map((part, index) =>
    convolved(b, block, x, shifts, part, index),
  );
  const low = graph.mulMat(b.neededOf(block, "ssm_f_a.weight"), x);
  const steps = graph.mulMat(b.neededOf(block, "ssm_f_b.weight"), low);
  const positive = graph.unary(graph.add(steps, b.neededOf(block, "ssm_dt.bias")), "SOFTPLUS");
  const factors = graph.reshape(b.neededOf(block, "ssm_a"), 1, count, 1);
  const decay = graph.mul(graph.reshape(positive, length, count, b.tokens), factors);
  const beta = graph.mulMat(b.neededOf(block, "ssm_beta.weight"), x);
  const written = graph.unary(graph.reshape(beta, 1, count, tokens, sequences), "SIGMOID");
  const state = currentState(b, block, "state");

  const sources = [
    unitLength(b, q!),
    unitLength(b, k!),
    v!,
    graph.reshape(decay, length, count, tokens, sequences),
    written,
    graph.reshape(state, length, length, count, sequences),
  ];
  const lengths = [length * count, tokens * sequences + length * sequences];
  const result = graph.make("GATED_DELTA_NET", x.type, lengths, sources);
  const row = length * float;
  const matrix = row * count;
  const outputs = graph.view4d(
    result,
    [length, count, tokens, sequences],
    row,
    matrix,
    matrix * tokens,
  );
  const states = graph.view4d(
    result,
    [length, length, count, sequences],
    row,
    row * length,
    row * length * count,
    matrix * tokens * sequences,
  );
  const stored = b.state(block, "state");
  graph.expand(graph.copyInto(states, graph.view1d(stored, stored.ne[0] * sequences)));

  const flat = graph.reshape(x, x.ne[0], tokens, sequences);
  const gates = graph.mulMat(
    b.neededOf(block, "ssm_g_b.weight"),
    graph.mulMat(b.neededOf(block, "ssm_g_a.weight"), graph.reshape(flat, x.ne[0], b.tokens)),
  );
  const shaped = graph.reshape(graph.cont(outputs), length, count, b.tokens);
  const normed = blockNorm(b, block, shaped, "ssm_norm");
  const gate = graph.unary(graph.reshape(gates, length, count, b.tokens), "SIGMOID");
  const gated = graph.cont(graph.mul(normed, gate), [length * count, b.tokens]);
  return graph.mulMat(b.neededOf(block, "attn_output.weight"), gated);
}

/** One of the three projections behind its convolution: [length, heads, tokens, sequences]. */
function convolved(
  b: Builder,
  block: number,
  x: Tensor,
  shifts: Tensor,
  part: string,
  index: number,
): Tensor {
  const { graph, network } = b;
  const { headLength, convolution: width } = network.kda!;
  const count = network.heads[block]!;
  const inner = headLength * count;
  const [tokens, sequences] = perSequence(b);
  const kept = width - 1;
  const offset = index * kept * inner * float;
  const row = kept * float;
  const all = 3 * kept * inner * float;
  const shape = [kept, inner, sequences] as const;
  const projected = graph.mulMat(b.neededOf(block, `attn_${part}.weight`), x);
  const rows = graph.transpose(graph.reshape(projected, inner, tokens, sequences));
  const joined = graph.concat(graph.view3d(shifts, shape, row, all, offset), rows, 0);
  const tail = graph.view3d(joined, shape, joined.nb[1], joined.nb[2], tokens * joined.nb[0]);
  keepShift(b, tail, graph.view3d(b.state(block, "shift"), shape, row, all, offset));
  const kernel = graph.reshape(b.neededOf(block, `ssm_conv1d_${part}.weight`), width, inner);
  const result = graph.reshape(convolution(b, joined, kernel), inner, b.tokens);
  return graph.reshape(graph.unary(result, "SILU"), headLength, count, tokens, sequences);
}

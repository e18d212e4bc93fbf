import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { attend, heads } from "../layers/attention.js";
import { embed, output } from "../layers/ends.js";
import { looseNorm } from "../layers/norms.js";
import { hasCache, windowsOf } from "../network.js";

/** Streams that a token's embedding is spread over (n_altup in src/models/gemma3n.cpp). */
const streams = 4;
/** Blocks whose feed-forward part keeps the largest values alone (n_layer_sparsity). */
const sparseBlocks = 10;
const float = 4;

export const gemma3n: Architecture = {
  names: ["gemma3n"],
  adapt: (network, keys) => ({
    window: { tokens: keys.number("attention.sliding_window") ?? 0, kind: "sliding" },
    windowed: windowsOf(keys, network, 5),
    sharesCacheFrom: 20,
    capsLogits: true,
  }),
  differs: (block) => block < sparseBlocks,
  build: (b) => {
    const { graph } = b;
    const embedded = graph.scale(embed(b));
    const inputs = perLayerInputs(b, embedded);
    let x = spread(b, embedded);
    for (const block of b.blocks()) {
      const predicted = predict(b, block, x);
      const active = slice(b, predicted, 0);
      const normed = graph.norm(active, b.neededOf(block, "attn_norm.weight"));
      const residual = laurel(b, block, normed);
      let result = attentionPart(b, block, normed);
      result = graph.norm(result, b.neededOf(block, "post_attention_norm.weight"));
      result = graph.add(result, active);
      const attended = graph.scale(graph.add(result, residual));
      result = sparseFeedForward(b, block, attended);
      result = looseNorm(b, block, result, "post_ffw_norm");
      const corrected = correct(b, block, predicted, graph.add(result, attended));
      x = withLayerInput(b, block, corrected, inputs);
    }
    output(b, b.outputRows(gather(b, x)));
  },
};

/** Stream or layer `index` of a cube: [length, tokens]. */
function slice({ graph }: Builder, x: Tensor, index: number): Tensor {
  const [length, rows] = x.ne;
  return graph.view2d(x, length, rows, length * float, index * length * rows * float);
}

export function layerSlice(b: Builder, inputs: Tensor, block: number): Tensor {
  return slice(b, inputs, block);
}

/** A further embedding of each token for every block: [length, tokens, blocks]. */
export function perLayerInputs(b: Builder, embedded: Tensor): Tensor {
  const { graph, network, tokens } = b;
  const weight = b.needed("per_layer_token_embd.weight");
  const { blocks } = network;
  const length = weight.ne[0] / blocks;
  const ids = graph.input("I32", [tokens], "inp_tokens (per layer)");
  const found = graph.scale(graph.reshape(graph.getRows(weight, ids), length, blocks, tokens));
  graph.expand(found);
  const projection = graph.mulMat(b.needed("per_layer_model_proj.weight"), embedded);
  const projected = graph.reshape(graph.scale(projection), length, blocks, tokens);
  const normed = graph.norm(projected, b.needed("per_layer_proj_norm.weight"));
  const sum = graph.scale(graph.add(normed, found));
  return graph.cont(graph.permute(sum, 0, 2, 1, 3), [length, tokens, blocks]);
}

function magnitude({ graph }: Builder, x: Tensor): Tensor {
  return graph.each("SQRT", graph.sumRows(graph.each("SQR", x)));
}

/** The embedding and its projections to the other streams, of the same magnitude. */
function spread(b: Builder, x: Tensor): Tensor {
  const { graph, network, tokens } = b;
  const target = magnitude(b, x);
  const copies = graph.repeat(x, [network.embedding, tokens, streams - 1]);
  const projected = graph.mulMat(b.needed("altup_proj.weight"), copies);
  const added = graph.div(graph.mul(projected, target), magnitude(b, projected));
  return graph.concat(x, added, 2);
}

function gather(b: Builder, x: Tensor): Tensor {
  const { graph } = b;
  const target = magnitude(b, slice(b, x, 0));
  const projected = graph.mulMat(b.needed("altup_unembd_proj.weight"), otherStreams(b, x));
  const others = graph.div(graph.mul(projected, target), magnitude(b, projected));
  let sum = slice(b, x, 0);
  for (let index = 0; index < streams - 1; index++) sum = graph.add(sum, slice(b, others, index));
  return graph.scale(sum);
}

function otherStreams({ graph, network, tokens }: Builder, x: Tensor): Tensor {
  const row = network.embedding * float;
  const matrix = row * tokens;
  return graph.view3d(x, [network.embedding, tokens, streams - 1], row, matrix, matrix);
}

function router(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const normed = graph.norm(x, b.neededOf(block, "altup_router_norm.weight"));
  const scaled = graph.scale(normed);
  return graph.unary(graph.mulMat(b.neededOf(block, "altup_router.weight"), scaled), "TANH");
}

function predict(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network, tokens } = b;
  const modalities = router(b, block, slice(b, x, 0));
  const flat = graph.mulMat(b.neededOf(block, "altup_predict_coef.weight"), modalities);
  const coefficients = graph.reshape(flat, streams, streams, tokens);
  const turned = graph.cont(graph.permute(x, 1, 2, 0, 3), [streams, network.embedding, tokens]);
  const mixed = graph.cont(graph.permute(graph.mulMat(turned, coefficients), 0, 2, 1, 3));
  return graph.add(mixed, x);
}

function correct(b: Builder, block: number, predicted: Tensor, activated: Tensor): Tensor {
  const { graph, network, tokens } = b;
  const modalities = router(b, block, activated);
  const innovation = graph.sub(activated, slice(b, predicted, 0));
  const flat = graph.mulMat(b.neededOf(block, "altup_correct_coef.weight"), modalities);
  const coefficients = graph.cont(graph.transpose(graph.scale(flat)), [1, tokens, streams]);
  const repeated = graph.repeat(innovation, [network.embedding, tokens, streams]);
  return graph.add(graph.mul(repeated, coefficients), predicted);
}

/** A low-rank residual beside attention. */
function laurel(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const low = graph.mulMat(b.neededOf(block, "laurel_l.weight"), x);
  const high = graph.mulMat(b.neededOf(block, "laurel_r.weight"), low);
  return graph.add(graph.norm(high, b.neededOf(block, "laurel_post_norm.weight")), x);
}

function attentionPart(b: Builder, block: number, x: Tensor): Tensor {
  const { graph, network, tokens } = b;
  const rotated = (of: Tensor, name: string) =>
    graph.rope(graph.norm(of, b.neededOf(block, `${name}.weight`)), b.positions);
  if (hasCache(network, block)) {
    const { q, k, v } = heads(b, block, x);
    return attend(b, block, {
      q: rotated(q, "attn_q_norm"),
      k: rotated(k, "attn_k_norm"),
      v: graph.each("RMS_NORM", v),
    });
  }
  const flat = graph.mulMat(b.neededOf(block, "attn_q.weight"), x);
  const q = graph.reshape(flat, network.keyLength, network.heads[block]!, tokens);
  return attend(b, block, { q: rotated(q, "attn_q_norm") });
}

/** In the first blocks, values less than so many deviations above the mean become nothing. */
function sparseFeedForward(b: Builder, block: number, x: Tensor): Tensor {
  const { graph } = b;
  const normed = graph.norm(x, b.neededOf(block, "ffn_norm.weight"));
  const up = graph.mulMat(b.neededOf(block, "ffn_up.weight"), normed);
  let gate = graph.mulMat(b.neededOf(block, "ffn_gate.weight"), normed);
  if (block < sparseBlocks) {
    const mean = graph.make("MEAN", gate.type, [1, gate.ne[1]], [gate]);
    const squares = graph.sumRows(graph.each("SQR", graph.sub(gate, mean)));
    const deviation = graph.each("SQRT", graph.scale(squares));
    const cutoff = graph.add(mean, graph.scale(deviation));
    gate = graph.unary(graph.sub(gate, cutoff), "RELU");
  }
  gate = graph.unary(gate, "GELU");
  return graph.mulMat(b.neededOf(block, "ffn_down.weight"), graph.mul(up, gate));
}

/** The block's own embedding of the token goes into all streams but the active one. */
function withLayerInput(b: Builder, block: number, corrected: Tensor, inputs: Tensor): Tensor {
  const { graph } = b;
  const scale = b.neededOf(block, "altup_correct_scale.weight");
  const active = graph.mul(slice(b, corrected, 0), scale);
  const gate = graph.unary(graph.mulMat(b.neededOf(block, "inp_gate.weight"), active), "GELU");
  const gated = graph.mul(gate, layerSlice(b, inputs, block));
  const projected = graph.mulMat(b.neededOf(block, "proj.weight"), gated);
  const normed = graph.norm(projected, b.neededOf(block, "post_norm.weight"));
  const others = graph.add(otherStreams(b, corrected), normed);
  return graph.concat(slice(b, corrected, 0), others, 2);
}

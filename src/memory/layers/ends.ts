import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";

/** Token embeddings: [embedding, tokens] (llama-graph.cpp build_inp_embd). */
export function embed(b: Builder): Tensor {
  const { graph, network, tokens } = b;
  const { embedding, deepstack } = network;
  const ids = graph.input("I32", [tokens], "inp_tokens");
  let found = graph.getRows(b.needed("token_embd.weight"), ids);
  // A picture's embeddings come with those for deeper blocks; tokens have none of these.
  const width = embedding * (1 + deepstack);
  if (deepstack > 0) found = graph.make("PAD", found.type, [width, tokens], [found]);
  graph.expand(found);
  // Embeddings may come from outside instead of tokens, so their room is there in any case.
  graph.expand(graph.input("F32", [width, tokens], "inp_embd"));
  if (deepstack > 0) found = graph.view2d(found, embedding, tokens, found.nb[1]);
  const result = network.scalesEmbedding ? graph.scale(found) : found;
  graph.expand(result);
  return result;
}

/** The norm behind the last block, the logits, and what caps or scales them. */
export function output(b: Builder, x: Tensor, norm = "output_norm"): void {
  const { graph, network } = b;
  const kind = network.rmsNorm ? "rms" : "mean";
  const normed = graph.norm(x, b.weight(`${norm}.weight`), b.weight(`${norm}.bias`), kind);
  normed.output = true;
  if (b.run.embeddings && !network.causal) {
    graph.expand(normed);
    return;
  }
  logits(b, normed);
}

/** Likewise, for models whose blocks behind the last one predict further tokens: they read the norm of all tokens. */
export function outputBehindNorm(b: Builder, x: Tensor): void {
  const kind = b.network.rmsNorm ? "rms" : "mean";
  const normed = b.graph.norm(
    x,
    b.needed("output_norm.weight"),
    b.weight("output_norm.bias"),
    kind,
  );
  normed.output = true;
  const rows = b.outputRows(normed);
  rows.output = true;
  logits(b, rows);
}

/** The output's matrix, and what caps or scales its result. */
export function logits(b: Builder, x: Tensor): void {
  const { graph, network } = b;
  let result = graph.mulMat(b.outputWeight(), x);
  const bias = b.weight("output.bias");
  if (bias) result = graph.add(result, bias);
  if (network.capsLogits) result = graph.scale(graph.unary(graph.scale(result), "TANH"));
  if (network.scalesLogits) result = graph.scale(result);
  graph.expand(result);
  result.output = true;
}

/** One embedding a sequence out of those of its tokens (llama-graph.cpp build_pooling). */
export function pooled(b: Builder, x: Tensor): void {
  const { graph, network, sizes, tokens } = b;
  x.output = true;
  graph.expand(x);
  let result: Tensor;
  if (network.pooling === 1) {
    const means = graph.input("F32", [tokens, sizes.sequences], "inp_mean");
    result = graph.mulMat(graph.cont(graph.transpose(x)), means);
  } else if (network.pooling === 2 || network.pooling === 3) {
    result = graph.getRows(x, graph.input("I32", [sizes.sequences], "inp_cls"));
  } else return;
  graph.expand(result);
  result.output = true;
}

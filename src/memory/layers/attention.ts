import { keyLengthOf, valueLengthOf } from "../cache.js";
import type { Builder } from "../builder.js";
import { elementsOf, rowBytes, type Tensor } from "../graph.js";
import { hasCache } from "../network.js";

/** Queries, keys and values; a block that reads another's cache has queries alone. */
export interface Heads {
  q: Tensor;
  k?: Tensor;
  v?: Tensor;
}

const float = 4;

/** Matrix, then bias where there is one. */
export function linear(b: Builder, block: number, name: string, x: Tensor): Tensor {
  const result = b.graph.mulMat(b.neededOf(block, `${name}.weight`), x);
  const bias = b.of(block, `${name}.bias`);
  return bias ? b.graph.add(result, bias) : result;
}

export interface OwnHeads {
  q: Tensor;
  k: Tensor;
  v: Tensor;
}

/** The projections of a block as they come, rows of all heads: [length × heads, tokens]. */
export function flatHeads(b: Builder, block: number, x: Tensor): OwnHeads {
  return {
    q: projection(b, block, "attn_q", x),
    k: projection(b, block, "attn_k", x),
    v: projection(b, block, "attn_v", x),
  };
}

function projection(b: Builder, block: number, name: string, x: Tensor): Tensor {
  const result = linear(b, block, name, x);
  return b.network.clampsHeads ? b.graph.each("CLAMP", result) : result;
}

/** One norm over all heads of queries, and one over those of keys, before each gets its own. */
export function headsNormedAsOne(b: Builder, block: number, x: Tensor): OwnHeads {
  const { graph } = b;
  const { q, k, v } = flatHeads(b, block, x);
  const normed = (of: Tensor, name: string) =>
    graph.norm(of, b.neededOf(block, `${name}.weight`), b.of(block, `${name}.bias`));
  return shaped(b, block, { q: normed(q, "attn_q_norm"), k: normed(k, "attn_k_norm"), v });
}

function shaped({ graph, network, tokens }: Builder, block: number, flat: OwnHeads): OwnHeads {
  const length = keyLengthOf(network, block);
  const countKv = network.headsKv[block]!;
  return {
    q: graph.reshape(flat.q, length, network.heads[block]!, tokens),
    k: graph.reshape(flat.k, length, countKv, tokens),
    v: graph.reshape(flat.v, valueLengthOf(network, block), countKv, tokens),
  };
}

/** Each head's own: [length, heads, tokens]. One matrix makes all three in some files. */
export function heads(b: Builder, block: number, x: Tensor): OwnHeads {
  const { graph, network, tokens } = b;
  if (!b.of(block, "attn_qkv.weight")) return shaped(b, block, flatHeads(b, block, x));
  const length = keyLengthOf(network, block);
  const valueLength = valueLengthOf(network, block);
  const count = network.heads[block]!;
  const countKv = network.headsKv[block]!;
  const all = projection(b, block, "attn_qkv", x);
  const part = (each: number, own: number, before: number) =>
    graph.view3d(all, [each, own, tokens], each * float, all.nb[1], length * before * float);
  return {
    q: part(length, count, 0),
    k: part(length, countKv, count),
    v: part(valueLength, countKv, count + countKv),
  };
}

export interface AttentionOptions {
  /** Learned logits that attention may fall into. */
  sinks?: Tensor | undefined;
  /** Brings the values of latent attention back to their length. */
  latentValues?: Tensor | undefined;
}

/** Attention over the cache, and its output's matrix (llama-graph.cpp build_attn). */
export function attend(
  b: Builder,
  block: number,
  heads: Heads,
  options: AttentionOptions = {},
): Tensor {
  const { graph } = b;
  const result = attention(b, block, heads, options);
  const output = graph.mulMat(b.neededOf(block, "attn_output.weight"), result);
  const bias = b.of(block, "attn_output.bias");
  return bias ? graph.add(output, bias) : output;
}

/** Attention without its output's matrix: [value length × heads, tokens]. */
export function attention(
  b: Builder,
  block: number,
  { q, k, v }: Heads,
  { sinks, latentValues }: AttentionOptions = {},
): Tensor {
  const { graph, network } = b;
  const windowed = network.window !== undefined && network.windowed[block]!;
  const mask = b.mask(windowed);
  if (network.encodes) {
    for (const part of [q, k!, v!]) graph.expand(part);
    return scores(b, { q, k: k!, v: v!, mask, sinks, latentValues });
  }

  const keyRotation = b.rotation("key", windowed);
  const valueRotation = b.rotation("value", windowed);
  if (keyRotation) {
    q = rotated(b, q, keyRotation);
    if (k) k = rotated(b, k, keyRotation);
  }
  if (valueRotation && v) v = rotated(b, v, valueRotation);
  graph.expand(q);
  // build_attn has one overload with a window and one without; they differ in this order.
  for (const part of network.window && !latentValues ? [k, v] : [v, k]) {
    if (part) graph.expand(part);
  }
  const owner = cacheOwner(b, block);
  if (k) storeKeys(b, owner, k, windowed);
  if (v && !latentValues) storeValues(b, owner, v, windowed);
  const stored = latentValues ? latentCache(b, owner) : storedHeads(b, owner);
  const result = scores(b, { q, ...stored, mask, sinks, latentValues });
  return valueRotation ? rotated(b, result, valueRotation) : result;
}

/** The block whose cache a block reads: its own, or the last one of its kind that has any. */
function cacheOwner({ network }: Builder, block: number): number {
  if (block < network.sharesCacheFrom) return block;
  return network.sharesCacheFrom - (network.windowed[block] ? 2 : 1);
}

/** Hadamard rotation of the heads' elements in pieces as long as the matrix. */
function rotated({ graph }: Builder, x: Tensor, matrix: Tensor): Tensor {
  const size = matrix.ne[0];
  const rows = elementsOf(x) / size;
  const pieces = graph.isContiguous(x) ? graph.reshape(x, size, rows) : graph.cont(x, [size, rows]);
  return graph.reshape(graph.mulMat(matrix, pieces), ...x.ne);
}

/** llama-kv-cache.cpp cpy_k */
function storeKeys(b: Builder, block: number, k: Tensor, windowed: boolean): void {
  const { graph, sizes, tokens } = b;
  const cache = b.keyCache(block);
  const rows = graph.view2d(k, k.ne[0] * k.ne[1], tokens, k.nb[2]);
  const into =
    sizes.streams > 1 ? graph.reshape(cache, cache.ne[0], cache.ne[1] * sizes.streams) : cache;
  graph.expand(graph.setRows(into, rows, b.keyRows(windowed)));
}

/** llama-kv-cache.cpp cpy_v: transposed without flash attention, element by element. */
function storeValues(b: Builder, block: number, v: Tensor, windowed: boolean): void {
  const { graph, sizes, tokens, flashAttention } = b;
  const cache = b.valueCache(block);
  const row = v.ne[0] * v.ne[1];
  const cells = cache.ne[1] * sizes.streams;
  if (flashAttention) {
    const rows = graph.view2d(v, row, tokens, v.nb[2]);
    const into = sizes.streams > 1 ? graph.reshape(cache, cache.ne[0], cells) : cache;
    graph.expand(graph.setRows(into, rows, b.valueRows(windowed)));
    return;
  }
  let rows =
    v.nb[2] === rowBytes(v.type, row)
      ? graph.reshape(v, row, tokens)
      : graph.cont(v, [row, tokens]);
  const longest = cache.ne[0];
  if (row < longest) rows = graph.make("PAD", rows.type, [longest, tokens], [rows]);
  const elements = graph.reshape(rows, 1, longest * tokens);
  const into = graph.reshape(cache, 1, longest * cells);
  graph.expand(graph.setRows(into, elements, b.valueRows(windowed)));
}

/** Keys and values of all cells (llama-kv-cache.cpp get_k, get_v). */
function storedHeads(b: Builder, block: number): { k: Tensor; v: Tensor } {
  const { graph, network, flashAttention } = b;
  const keys = b.keyCache(block);
  const values = b.valueCache(block);
  const count = network.headsKv[block]!;
  const [, cells, streams] = keys.ne;
  const plain = (cache: Tensor, length: number) => {
    const { type, ne } = cache;
    return graph.view4d(
      cache,
      [length, count, cells, streams],
      rowBytes(type, length),
      rowBytes(type, ne[0]),
      rowBytes(type, ne[0] * cells),
    );
  };
  const k = plain(keys, keyLengthOf(network, block));
  const length = valueLengthOf(network, block);
  if (flashAttention) return { k, v: plain(values, length) };
  const { type, ne } = values;
  const v = graph.view4d(
    values,
    [cells, count, length, streams],
    rowBytes(type, cells * length),
    rowBytes(type, cells),
    rowBytes(type, cells * ne[0]),
  );
  return { k, v };
}

/** The compressed keys, whose first part serves as the values too. */
function latentCache(b: Builder, block: number): { k: Tensor; v: Tensor } {
  const { graph, network } = b;
  const cache = b.keyCache(block);
  const { type, ne } = cache;
  const k = graph.view4d(
    cache,
    [network.keyLength, 1, ne[1], ne[2]],
    rowBytes(type, network.keyLength),
    rowBytes(type, ne[0]),
    rowBytes(type, ne[0] * ne[1]),
  );
  const v = graph.view4d(k, [network.valueLength, 1, ne[1], ne[2]], k.nb[1], k.nb[2], k.nb[3]);
  return { k, v };
}

interface Scored {
  q: Tensor;
  k: Tensor;
  v: Tensor;
  mask: Tensor;
  sinks: Tensor | undefined;
  latentValues: Tensor | undefined;
}

/** llama-graph.cpp build_attn_mha: fused, or scores, their softmax and the values one by one. */
function scores(b: Builder, { q, k, v, mask, sinks, latentValues }: Scored): Tensor {
  const { graph, network, flashAttention, run } = b;
  const streams = k.ne[3];
  const transposed = v.nb[1] > v.nb[2];
  q = graph.view4d(
    q,
    [q.ne[0], q.ne[1], q.ne[2] / streams, streams],
    q.nb[1],
    q.nb[2],
    q.nb[3] / streams,
  );
  q = graph.permute(q, 0, 2, 1, 3);
  k = graph.permute(k, 0, 2, 1, 3);
  v = graph.permute(v, 0, 2, 1, 3);
  let result: Tensor;
  if (flashAttention) {
    if (transposed) v = graph.transpose(v);
    if (k.type.name === "F32") k = graph.cast(k, "F16");
    if (v.type.name === "F32") v = graph.cast(v, "F16");
    const lengths = [v.ne[0], q.ne[2], q.ne[1], q.ne[3]];
    result = graph.make("FLASH_ATTN_EXT", q.type, lengths, [q, k, v, mask, sinks]);
    if (latentValues) {
      result = graph.mulMat(latentValues, graph.permute(result, 0, 2, 1, 3));
      result = graph.cont(graph.permute(result, 0, 2, 1, 3));
    }
    const { ne } = result;
    result = graph.reshape(result, ne[0] * ne[1], ne[2] * ne[3]);
  } else {
    let kq = graph.mulMat(k, q);
    if (network.capsScores) kq = graph.scale(graph.unary(graph.scale(kq), "TANH"));
    kq = graph.softMax(kq, mask, sinks);
    if (!transposed) v = graph.cont(graph.transpose(v));
    result = graph.mulMat(v, kq);
    if (latentValues) result = graph.mulMat(latentValues, result);
    result = graph.permute(result, 0, 2, 1, 3);
    const { ne } = result;
    result = graph.cont(result, [ne[0] * ne[1], ne[2] * ne[3]]);
    if (run.offloadCache === false) result.onCpu = true;
  }
  graph.expand(result);
  return result;
}

/** Keys and values only where the block keeps its own. */
export function ownHeads({ network }: Builder, block: number): boolean {
  return network.encodes || hasCache(network, block);
}

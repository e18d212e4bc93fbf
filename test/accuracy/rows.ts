import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { root } from "../../src/build/bundle.mjs";
import type { Allocation, Device, RunParameters, Share } from "../../src/memory/allocation.js";

/** One measurement of llama.cpp; README.md describes the fields. */
export interface Row {
  mode: string;
  model: string;
  arch: string;
  devices: string;
  ngl: number;
  ts: string | null;
  n_ctx: number;
  n_batch: number;
  n_ubatch: number;
  n_seq_max: number;
  kv_unified: 0 | 1;
  type_k: string;
  type_v: string;
  fa: "on" | "off";
  n_outputs_max: number;
  embeddings: 0 | 1;
  offload_kqv: 0 | 1;
  swa_full: 0 | 1;
  pipeline_parallel: 0 | 1;
  weights_bytes: number;
  kv_bytes: number;
  recurrent_bytes: number;
  per_buffer: Readonly<Record<string, { model: number; context: number; compute: number }>>;
  output_bytes: number;
  graph_nodes: string;
  splits: string;
  n_ctx_eff: number;
  rs_log: readonly string[];
}

/** Lines of a file in this folder, unpacked where it is packed. */
export function linesOf<Line>(file: string): Line[] {
  const bytes = readFileSync(join(root, "test/accuracy", file));
  const text = new TextDecoder().decode(file.endsWith(".gz") ? gunzipSync(bytes) : bytes);
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Line);
}

export const readRows = () => linesOf<Row>("measured-memory.jsonl.gz");

const MiB = 2 ** 20;

/** "NAME:total MiB:free MiB:compute capability:multiprocessors", joined by ";"; "cpu": none. */
export function devicesOf(devices: string): Device[] {
  if (devices === "cpu") return [];
  return devices.split(";").map((device) => {
    const [, , free, compute] = device.split(":");
    return {
      backend: "cuda",
      free: Number(free) * MiB,
      compute: Math.round(Number(compute) * 100),
    };
  });
}

export function runOf(row: Row): RunParameters {
  return {
    context: row.n_ctx,
    batch: row.n_batch,
    microBatch: row.n_ubatch,
    sequences: row.n_seq_max,
    unifiedCache: row.kv_unified === 1,
    typeK: row.type_k,
    typeV: row.type_v,
    flashAttention: row.fa === "on",
    gpuLayers: row.ngl,
    ...(row.ts !== null && { tensorSplit: row.ts.split(",").map(Number) }),
    offloadCache: row.offload_kqv === 1,
    wholeWindows: row.swa_full === 1,
    outputs: row.n_outputs_max,
    embeddings: row.embeddings === 1,
  };
}

export const fields = ["weights", "cache", "recurrent", "compute", "output", "graph"] as const;
export type Field = (typeof fields)[number];

/** A number of a row beside ours; bytes but for "cells" and the field "graph". */
export interface Pair {
  field: Field;
  /** "GPU 0", "host", or what is counted over all of them. */
  of: string;
  measured: number;
  ours: number;
}

type Part = "model" | "context" | "compute";

/** All numbers of a row beside ours. */
export function pairsOf(row: Row, allocation: Allocation): Pair[] {
  const { devices, host, graph } = allocation;
  const pairs: Pair[] = [];
  const add = (field: Field, of: string, measured: number, ours: number) =>
    pairs.push({ field, of, measured, ours });
  for (const [index, share] of [...devices, host].entries()) {
    const name = share === host ? "host" : `GPU ${index}`;
    const measured = (part: Part) => inMemory(row, part, index, devices.length);
    add("weights", name, measured("model"), share.weights);
    add("cache", name, measured("context"), share.cache + share.recurrent);
    add("compute", name, measured("compute"), share.compute);
  }
  const total = (part: keyof Share) =>
    [...devices, host].reduce((bytes, share) => bytes + share[part], 0);
  add("weights", "all", row.weights_bytes, total("weights"));
  add("cache", "cells", row.n_ctx_eff, allocation.context.total);
  add("output", "host", ...printed(row.output_bytes, host.output));
  const [state] = row.rs_log;
  if (state !== undefined && row.kv_bytes > 0) {
    // Of hybrids the sum was measured; what of it is state stands in the log alone.
    const logged = Number(/^size = +([\d.]+) MiB/.exec(state)?.[1]) * MiB;
    add("recurrent", "all", ...printed(logged, total("recurrent")));
  } else {
    add("cache", "all", row.kv_bytes, total("cache"));
    add("recurrent", "all", row.recurrent_bytes, total("recurrent"));
  }
  // "15 / 2": of the graph that reads a prompt, and of the one that answers.
  add("graph", "nodes", Number.parseInt(row.graph_nodes), graph?.nodes ?? 0);
  add("graph", "splits", Number.parseInt(row.splits), graph?.splits ?? 0);
  return pairs;
}

/** Everything in one memory together. */
export function totalsOf(pairs: readonly Pair[]): { of: string; measured: number; ours: number }[] {
  const places = pairs.filter((pair) => pair.field === "compute").map((pair) => pair.of);
  return places.map((of) => {
    const here = pairs.filter((pair) => pair.of === of && pair.field !== "output");
    const sum = (side: "measured" | "ours") => here.reduce((bytes, pair) => bytes + pair[side], 0);
    return { of, measured: sum("measured"), ours: sum("ours") };
  });
}

/** GPU `index` of `count`; the host behind the last: RAM, pinned or repacked. */
function inMemory({ per_buffer }: Row, part: Part, index: number, count: number): number {
  let bytes = 0;
  for (const [name, buffer] of Object.entries(per_buffer)) {
    const gpu = /^CUDA(\d+)$/.exec(name)?.[1];
    if (gpu === undefined ? index === count : Number(gpu) === index) bytes += buffer[part];
  }
  return bytes;
}

/** What was read off a log, and ours: the same where the log prints ours so, in MiB with two digits. */
function printed(logged: number, ours: number): [measured: number, ours: number] {
  return [logged, Math.abs(ours - logged) <= 0.005 * MiB + 1 ? logged : ours];
}

/** Ours over what was measured, less 1; infinite where nothing was. */
export function errorOf({ measured, ours }: { measured: number; ours: number }): number {
  return ours === measured ? 0 : ours / measured - 1;
}

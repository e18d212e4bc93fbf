import { allocateGraph, type BufferType, type Step } from "./allocator.js";
import { fusedExperts } from "./fusion.js";
import { isLook, ram, type Graph, type Tensor } from "./graph.js";

/** What a device can do, and how its buffer is laid out. */
export interface Backend extends BufferType {
  supports(tensor: Tensor): boolean;
  /** Keeps tensors alive for fused kernels (ggml-cuda.cu ggml_backend_cuda_graph_optimize). */
  fusesExperts: boolean;
}

export interface Schedule {
  /** Device by device, then the CPU. */
  backends: readonly Backend[];
  /** Layers on several devices run side by side on different batches, with inputs in copies. */
  pipelined: boolean;
  /** Norms stay on their layer's device. */
  pinsNorms: boolean;
  /** Attention stays on the CPU under --no-kv-offload. */
  pinsAttention: boolean;
}

/** Batches on their way at the same time (GGML_SCHED_MAX_COPIES). */
const pipelineCopies = 4;
/** From this many tokens on, a device computes with weights that lie in RAM (op_offload). */
const offloadTokens = 32;

/**
 * Bytes of every backend's compute buffer: which backend computes what, what is copied between them,
 * and what their allocators make of it (ggml/src/ggml-backend.cpp ggml_backend_sched_split_graph).
 */
export function compute(
  graph: Graph,
  schedule: Schedule,
): { bytes: number[]; splits: number; nodes: number } {
  const { backends } = schedule;
  const chosen = assign(graph, schedule);
  const { splits, copies } = split(graph, chosen, schedule);
  const steps: Step[] = [];
  for (const { backend, nodes, inputs } of splits) {
    for (const { original, copy } of inputs) {
      // The original must live until it is copied.
      const anchor = needing(graph, original, [original]);
      steps.push({
        tensor: anchor,
        backend: Math.max(0, chosen[original.id]!),
        sources: [original],
      });
      steps.push({ tensor: copy, backend, sources: copy.sources });
    }
    const kept = backends[backend]!.fusesExperts ? fusedExperts(nodes) : undefined;
    for (const { tensor, sources } of nodes) {
      steps.push({ tensor, sources, backend: Math.max(0, chosen[tensor.id]!) });
      const alive = kept?.get(tensor);
      if (alive) steps.push(...keepAlive(graph, alive, backend));
    }
  }
  const cpu = backends.length - 1;
  const leafs = [
    ...copies,
    ...graph.leafs.map((tensor) => {
      const backend = chosen[tensor.id]!;
      return { tensor, backend: backend < 0 ? cpu : backend };
    }),
  ];
  const bytes = allocateGraph(steps, leafs, backends, graph.tensors.length);
  return { bytes, splits: splits.length, nodes: graph.nodes.length };
}

/** A look at `first` that computes nothing but needs `sources`. */
function needing(graph: Graph, first: Tensor, sources: readonly Tensor[]): Tensor {
  const view = first.view ?? first;
  return graph.like(first, sources, { view, device: view.device });
}

/** Steps that compute nothing but need these tensors: GGML_MAX_SRC at a time. */
function keepAlive(graph: Graph, tensors: readonly Tensor[], backend: number): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < tensors.length; at += 10) {
    const some = tensors.slice(at, at + 10);
    const anchor = needing(graph, some[0]!, some);
    steps.push({ tensor: anchor, backend, sources: some });
  }
  return steps;
}

/** Tokens of an operation, by which it is decided whether a device computes it (get_op_batch_size). */
function batchOf({ op, ne }: Tensor): number {
  if (op === "GET_ROWS") return 0;
  if (op === "MUL_MAT") return ne[1];
  if (op === "MUL_MAT_ID" || op === "ROPE") return ne[2];
  return ne[1] * ne[2] * ne[3];
}

const undecided = -1;

/** The backend of every tensor, by its id: passes 1 to 4. */
function assign(graph: Graph, schedule: Schedule): Int32Array {
  const { backends } = schedule;
  const { nodes, leafs, tensors } = graph;
  const cpu = backends.length - 1;
  const chosen = new Int32Array(tensors.length).fill(undecided);
  const home = (device: number) => (device === ram ? cpu : device);

  for (const leaf of leafs) {
    if (leaf.device !== undefined) chosen[leaf.id] = home(leaf.device);
    else if (leaf.input) chosen[leaf.id] = cpu;
  }
  // Operations stay with their weights, and with the cache that they write.
  for (const node of nodes) chosen[node.id] = byPlace(node, schedule, home);

  // From what is decided it spreads along the graph: devices first, down and up, then the CPU too.
  const real = nodes.filter((node) => !isLook(node));
  const sweep = (order: readonly Tensor[], devicesOnly: boolean) => {
    let current = undecided;
    for (const node of order) {
      const own = chosen[node.id]!;
      if (own !== undecided) current = devicesOnly && own === cpu ? undecided : own;
      else if (current !== undecided && backends[current]!.supports(node)) {
        chosen[node.id] = current;
      }
    }
  };
  const upwards = real.toReversed();
  sweep(real, true);
  sweep(upwards, true);
  sweep(real, false);
  sweep(upwards, false);

  // What is left goes where most of its sources are.
  for (const node of real) {
    if (chosen[node.id] !== undecided) continue;
    let most = -1;
    for (const [index, backend] of backends.entries()) {
      if (!backend.supports(node)) continue;
      const near = node.sources.filter((source) => memoryOf(source, chosen, cpu) === index).length;
      if (near > most) {
        most = near;
        chosen[node.id] = index;
      }
    }
  }
  for (const node of nodes) {
    if (node.view && chosen[node.id] === undecided) chosen[node.id] = chosen[node.view.id]!;
    for (const source of node.sources) {
      if (chosen[source.id] !== undecided) continue;
      chosen[source.id] = source.view ? chosen[source.view.id]! : chosen[node.id]!;
    }
  }
  return chosen;
}

/** What is decided without looking at neighbours (ggml_backend_sched_backend_id_from_cur). */
function byPlace(
  node: Tensor,
  { backends, pinsNorms, pinsAttention }: Schedule,
  home: (device: number) => number,
): number {
  const cpu = backends.length - 1;
  if (pinsNorms && node.pinned !== undefined) return home(node.pinned);
  if (pinsAttention && node.onCpu) return cpu;
  const base = node.view ?? node;
  if (base.device !== undefined) return home(base.device);
  if (node.input) return cpu;
  if (node.op === "ROPE" || node.op === "FLASH_ATTN_EXT") return undecided;
  const weight = node.sources.find((source) => source.weight);
  if (!weight) return undecided;
  const place = home(weight.device!);
  if (place !== cpu || batchOf(node) < offloadTokens) return place;
  const device = backends.findIndex((backend, index) => index < cpu && backend.supports(node));
  return device === -1 ? cpu : device;
}

/** The backend in whose memory a tensor lies, as far as decided. */
function memoryOf(tensor: Tensor, chosen: Int32Array, cpu: number): number {
  const base = tensor.view ?? tensor;
  if (base.device !== undefined) return base.device === ram ? cpu : base.device;
  const own = chosen[tensor.id]!;
  return own === undecided && tensor.view ? chosen[tensor.view.id]! : own;
}

/** Operations of one backend in a row, and what is copied to it for them. */
interface Split {
  backend: number;
  nodes: { tensor: Tensor; sources: readonly Tensor[] }[];
  inputs: { original: Tensor; copy: Tensor }[];
}

/** Pass 5: the graph in pieces, with copies of what another backend holds. */
function split(
  graph: Graph,
  chosen: Int32Array,
  { backends, pipelined }: Schedule,
): { splits: Split[]; copies: { tensor: Tensor; backend: number }[] } {
  const cpu = backends.length - 1;
  const times = pipelined && cpu > 1 ? pipelineCopies : 1;
  const copies: { tensor: Tensor; backend: number }[] = [];
  const copied = new Map<number, Tensor>();
  const multiplied = new Set<Tensor>();
  const copyOf = (original: Tensor, stays: boolean): Tensor => {
    const copy = graph.like(original, [], { input: stays });
    copy.output = stays;
    return copy;
  };

  const firstNode = graph.nodes.find((node) => !isLook(node));
  let current: Split = {
    backend: firstNode ? chosen[firstNode.id]! : cpu,
    nodes: [],
    inputs: [],
  };
  const splits = [current];
  for (const node of graph.nodes) {
    if (isLook(node)) {
      current.nodes.push({ tensor: node, sources: node.sources });
      continue;
    }
    const own = chosen[node.id]!;
    if (own !== current.backend || needsOwnSplit(node, current, chosen, cpu)) {
      current = { backend: own, nodes: [], inputs: [] };
      splits.push(current);
    }
    const { backend } = current;
    let sources = node.sources;
    for (const [index, source] of node.sources.entries()) {
      const isInput = source.input && source.op === "NONE";
      if (times > 1 && isInput && !multiplied.has(source)) {
        multiplied.add(source);
        source.output = true;
        for (let i = 1; i < times; i++) {
          copies.push({ tensor: copyOf(source, true), backend: chosen[source.id]! });
        }
      }
      if (chosen[source.id] === backend || memoryOf(source, chosen, cpu) === backend) continue;
      const key = source.id * backends.length + backend;
      let copy = copied.get(key);
      if (!copy) {
        copy = copyOf(source, times > 1);
        copied.set(key, copy);
        current.inputs.push({ original: source, copy });
        for (let i = 1; i < times; i++) copies.push({ tensor: copyOf(source, true), backend });
      }
      if (sources === node.sources) sources = [...node.sources];
      (sources as Tensor[])[index] = copy;
    }
    current.nodes.push({ tensor: node, sources });
  }
  return { splits, copies };
}

/** A weight from elsewhere begins a new split where the current one has inputs already, so that copying overlaps. */
function needsOwnSplit(
  node: Tensor,
  { backend, inputs }: Split,
  chosen: Int32Array,
  cpu: number,
): boolean {
  if (inputs.length === 0) return false;
  return node.sources.some(
    (source) =>
      source.weight && chosen[source.id] !== backend && memoryOf(source, chosen, cpu) !== backend,
  );
}

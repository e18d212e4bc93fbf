import type { Tensor } from "./graph.js";

interface Node {
  tensor: Tensor;
  sources: readonly Tensor[];
}

/**
 * Tensors that CUDA's fused kernels for mixtures of experts read at the end of a group of operations,
 * by the operation until which they stay (ggml-cuda.cu ggml_backend_cuda_graph_optimize, since 0.5).
 */
export function fusedExperts(nodes: readonly Node[]): Map<Tensor, Tensor[]> {
  const kept = new Map<Tensor, Tensor[]>();
  const keep = (tensor: Tensor, until: Tensor) => {
    const list = kept.get(until) ?? [];
    if (!list.includes(tensor)) list.push(tensor);
    kept.set(until, list);
  };
  for (let at = 0; at < nodes.length; at++) {
    const sum = weightedSum(nodes, at);
    if (sum > 0) {
      const last = nodes[at + sum - 1]!.tensor;
      for (const source of nodes[at]!.sources) keep(source, last);
      at += sum - 1;
    }
    const router = routing(nodes, at);
    if (router === 0 || at + router >= nodes.length) continue;
    const until = nodes[at + router]!.tensor;
    for (const { tensor, sources } of nodes.slice(at, at + router)) {
      keep(tensor, until);
      for (const source of sources) keep(source, until);
    }
    at += router - 1;
  }
  return kept;
}

/** Operations of a weighted sum over the chosen experts that begins here; 0: none does. */
function weightedSum(nodes: readonly Node[], at: number): number {
  const { tensor, sources } = nodes[at]!;
  const used = tensor.ne[1];
  if (tensor.op !== "MUL" || used < 2 || used > 15) return 0;
  const [experts, weights] = sources as [Tensor, Tensor];
  const fits =
    weights.ne[0] === 1 &&
    weights.ne[1] === used &&
    weights.ne[2] === tensor.ne[2] &&
    experts.ne[0] === tensor.ne[0];
  const count = 2 * used;
  if (!fits || at + count > nodes.length) return 0;
  for (let i = 1; i < count; i++) {
    const { tensor: next, sources: from } = nodes[at + i]!;
    const expected = i <= used ? next.op === "VIEW" && from[0] === tensor : next.op === "ADD";
    if (!expected) return 0;
  }
  return count;
}

/** Operations of a router that begins here, from probabilities to weights; 0: none does. */
function routing(nodes: readonly Node[], at: number): number {
  const { tensor, sources } = nodes[at]!;
  const begins =
    (tensor.op === "SOFT_MAX" && sources.length === 1) ||
    (tensor.op === "UNARY" && tensor.activation === "SIGMOID");
  if (!begins) return 0;
  const opAt = (index: number) => nodes[at + index]?.tensor.op;
  const reads = (index: number) => nodes[at + index]?.sources[0] === tensor;
  let count = 1;
  if (opAt(count) !== "RESHAPE" || !reads(count)) return 0;
  count++;
  if (opAt(count) === "ADD" && reads(count)) count++;
  if (opAt(count) !== "ARGSORT") return 0;
  const experts = nodes[at + count]!.tensor.ne[0];
  count++;
  if (opAt(count) !== "VIEW" || opAt(count + 1) !== "GET_ROWS") return 0;
  count += 2;
  const normalising = ["RESHAPE", "SUM_ROWS", "CLAMP", "DIV", "RESHAPE"];
  if (normalising.every((op, index) => opAt(count + index) === op)) count += normalising.length;
  if (opAt(count) === "SCALE") count++;
  return kernelExists(experts) ? count : 0;
}

/** ggml-cuda/topk-moe.cu */
function kernelExists(experts: number): boolean {
  const isPowerOfTwo = (experts & (experts - 1)) === 0;
  return (isPowerOfTwo && experts <= 512) || experts === 288 || experts === 576;
}

import { blockOf } from "../models/tensor-types.js";

/** Elements or bytes of the four dimensions, the row first. */
export type Four = readonly [number, number, number, number];

/** A storage type of ggml: `elements` of it take `bytes`. */
export interface Type {
  name: string;
  elements: number;
  bytes: number;
}

/**
 * A tensor of a compute graph with all that the scheduler and the allocator look at: shape, layout,
 * sources and lifetime, but no data (ggml/include/ggml.h ggml_tensor).
 */
export interface Tensor {
  /** Its place in Graph.tensors. */
  readonly id: number;
  /** ggml's operation: "MUL_MAT"; "NONE" for what no operation makes. */
  readonly op: string;
  readonly type: Type;
  /** Elements. */
  readonly ne: Four;
  /** Bytes from one element, row, matrix, cube to the next. */
  readonly nb: Four;
  readonly sources: readonly Tensor[];
  /** What this is a view of, itself no view. */
  readonly view: Tensor | undefined;
  /** Bytes from the beginning of `view`. */
  readonly offset: number;
  /** Where it lies when the graph does not allocate it, as weights and caches: a device's index, or `ram`. */
  readonly device: number | undefined;
  readonly weight: boolean;
  readonly name: string;
  /** Of a UNARY operation: "SILU". */
  readonly activation: string | undefined;
  /** Filled from outside before each run, so never freed. */
  readonly input: boolean;
  /** Read after the run, so never freed or reused. */
  output: boolean;
  /** The device that a norm is tied to: that of its layer (llama-context.cpp graph_get_cb). */
  pinned: number | undefined;
  /** Attention that --no-kv-offload keeps on the CPU. */
  onCpu: boolean;
}

/** `Tensor.device` of what lies in RAM. */
export const ram = -1;

const types = new Map<string, Type>();

/** @throws Error where ggml has no such type. */
export function typeNamed(name: string): Type {
  const known = types.get(name);
  if (known) return known;
  const { elements, bytes } = blockOf(name);
  const type = { name, elements, bytes };
  types.set(name, type);
  return type;
}

/** Bytes of `count` elements side by side (ggml_row_size). */
export function rowBytes(type: Type, count: number): number {
  return (count / type.elements) * type.bytes;
}

/** Elements of all dimensions (ggml_nelements). */
export function elementsOf({ ne }: Tensor): number {
  return ne[0] * ne[1] * ne[2] * ne[3];
}

/** Bytes from the first to behind the last element (ggml_nbytes). */
export function bytesOf({ type, ne, nb }: Tensor): number {
  if (ne[0] <= 0 || ne[1] <= 0 || ne[2] <= 0 || ne[3] <= 0) return 0;
  const rest = (ne[1] - 1) * nb[1] + (ne[2] - 1) * nb[2] + (ne[3] - 1) * nb[3];
  if (type.elements === 1) return type.bytes + (ne[0] - 1) * nb[0] + rest;
  return (ne[0] * nb[0]) / type.elements + rest;
}

export function isQuantised({ elements }: Type): boolean {
  return elements > 1;
}

/** Whether it only looks at its source in another way, and computes nothing. */
export function isLook({ op }: Tensor): boolean {
  return (
    op === "NONE" || op === "RESHAPE" || op === "VIEW" || op === "PERMUTE" || op === "TRANSPOSE"
  );
}

interface Details {
  nb?: Four;
  view?: Tensor;
  offset?: number;
  device?: number | undefined;
  weight?: boolean;
  input?: boolean;
  name?: string;
  activation?: string;
}

function four(lengths: readonly number[]): Four {
  return [lengths[0] ?? 1, lengths[1] ?? 1, lengths[2] ?? 1, lengths[3] ?? 1];
}

/** Rows, matrices and cubes without gaps. */
function dense(type: Type, ne: Four): Four {
  const row = rowBytes(type, ne[0]);
  return [type.bytes, row, row * ne[1], row * ne[1] * ne[2]];
}

const f32 = typeNamed("F32");
const i32 = typeNamed("I32");

/**
 * A compute graph in the making. The methods are ggml's operations under ggml's names, with its rules
 * for the shape of a result (ggml/src/ggml.c); `expand` puts what was made in the order of execution.
 */
export class Graph {
  readonly tensors: Tensor[] = [];
  /** Operations in the order in which they run. */
  readonly nodes: Tensor[] = [];
  /** What no operation makes, in the order in which operations came to need it. */
  readonly leafs: Tensor[] = [];
  readonly #seen: boolean[] = [];

  make(
    op: string,
    type: Type,
    lengths: readonly number[],
    sources: readonly (Tensor | undefined)[],
    {
      nb,
      view,
      offset = 0,
      device,
      weight = false,
      input = false,
      name = "",
      activation,
    }: Details = {},
  ): Tensor {
    const ne = four(lengths);
    const tensor: Tensor = {
      id: this.tensors.length,
      op,
      type,
      ne,
      nb: nb ?? dense(type, ne),
      sources: sources.filter((source) => source !== undefined),
      view,
      offset,
      device,
      weight,
      name,
      activation,
      input,
      output: false,
      pinned: undefined,
      onCpu: false,
    };
    this.tensors.push(tensor);
    return tensor;
  }

  /** Puts a tensor and all that it needs behind what is there (ggml_build_forward_expand). */
  expand(tensor: Tensor): void {
    if (this.#seen[tensor.id]) return;
    this.#seen[tensor.id] = true;
    for (const source of tensor.sources) this.expand(source);
    (tensor.op === "NONE" ? this.leafs : this.nodes).push(tensor);
  }

  /** A tensor that no operation makes, of the shape and layout of another. */
  like(original: Tensor, sources: readonly Tensor[], details: Details = {}): Tensor {
    return this.make("NONE", original.type, original.ne, sources, { nb: original.nb, ...details });
  }

  /** What the program fills before each run. */
  input(type: string, lengths: readonly number[], name: string): Tensor {
    return this.make("NONE", typeNamed(type), lengths, [], { input: true, name });
  }

  /** A weight, which has its place already. */
  weight(name: string, type: string, lengths: readonly number[], device: number): Tensor {
    return this.make("NONE", typeNamed(type), lengths, [], { name, device, weight: true });
  }

  /** A cache or state, which has its place already. */
  cache(name: string, type: Type, lengths: readonly number[], device: number): Tensor {
    return this.make("NONE", type, lengths, [], { name, device });
  }

  #look(op: string, source: Tensor, ne: Four, nb: Four, offset = 0): Tensor {
    const view = source.view ?? source;
    return this.make(op, source.type, ne, [source], {
      nb,
      view,
      offset: (source.view ? source.offset : 0) + offset,
      device: view.device,
    });
  }

  reshape(source: Tensor, ...lengths: number[]): Tensor {
    const ne = four(lengths);
    const row = rowBytes(source.type, ne[0]);
    const nb: Four = [source.nb[0], row, row * ne[1], row * ne[1] * ne[2]];
    return this.#look("RESHAPE", source, ne, nb);
  }

  /** `offset` in bytes. */
  view1d(source: Tensor, length: number, offset = 0): Tensor {
    const bytes = rowBytes(source.type, length);
    return this.#look(
      "VIEW",
      source,
      [length, 1, 1, 1],
      [source.nb[0], bytes, bytes, bytes],
      offset,
    );
  }

  /** `row` is the bytes from one row to the next. */
  view2d(source: Tensor, ne0: number, ne1: number, row: number, offset = 0): Tensor {
    const all = row * ne1;
    return this.#look("VIEW", source, [ne0, ne1, 1, 1], [source.nb[0], row, all, all], offset);
  }

  view3d(
    source: Tensor,
    ne: readonly [number, number, number],
    row: number,
    matrix: number,
    offset = 0,
  ): Tensor {
    const nb: Four = [source.nb[0], row, matrix, matrix * ne[2]];
    return this.#look("VIEW", source, [...ne, 1], nb, offset);
  }

  view4d(source: Tensor, ne: Four, row: number, matrix: number, cube: number, offset = 0): Tensor {
    return this.#look("VIEW", source, ne, [source.nb[0], row, matrix, cube], offset);
  }

  /** Dimension i of the source becomes dimension `order[i]`. */
  permute(source: Tensor, ...order: readonly [number, number, number, number]): Tensor {
    const ne: [number, number, number, number] = [0, 0, 0, 0];
    const nb: [number, number, number, number] = [0, 0, 0, 0];
    for (const [from, to] of order.entries()) {
      ne[to] = source.ne[from]!;
      nb[to] = source.nb[from]!;
    }
    return this.#look("PERMUTE", source, ne, nb);
  }

  transpose(source: Tensor): Tensor {
    const { ne, nb } = source;
    return this.#look(
      "TRANSPOSE",
      source,
      [ne[1], ne[0], ne[2], ne[3]],
      [nb[1], nb[0], nb[2], nb[3]],
    );
  }

  /** An operation element by element, of the shape of its first operand. */
  each(op: string, source: Tensor, ...more: (Tensor | undefined)[]): Tensor {
    return this.make(op, source.type, source.ne, [source, ...more]);
  }

  add(a: Tensor, b: Tensor): Tensor {
    return this.each("ADD", a, b);
  }

  sub(a: Tensor, b: Tensor): Tensor {
    return this.each("SUB", a, b);
  }

  mul(a: Tensor, b: Tensor): Tensor {
    return this.each("MUL", a, b);
  }

  div(a: Tensor, b: Tensor): Tensor {
    return this.each("DIV", a, b);
  }

  scale(a: Tensor): Tensor {
    return this.each("SCALE", a);
  }

  unary(a: Tensor, activation: string): Tensor {
    return this.make("UNARY", a.type, a.ne, [a], { activation });
  }

  /** gate(a) × b; of one operand, the first half of each row gates the second. */
  glu(a: Tensor, b?: Tensor): Tensor {
    if (b) return this.make("GLU", a.type, a.ne, [a, b]);
    return this.make("GLU", a.type, [a.ne[0] / 2, a.ne[1], a.ne[2], a.ne[3]], [a]);
  }

  mulMat(weight: Tensor, x: Tensor): Tensor {
    return this.make("MUL_MAT", f32, [weight.ne[1], x.ne[1], x.ne[2], x.ne[3]], [weight, x]);
  }

  /** With the matrices of the experts that `ids` chooses. */
  mulMatId(weight: Tensor, x: Tensor, ids: Tensor): Tensor {
    return this.make("MUL_MAT_ID", f32, [weight.ne[1], ids.ne[0], x.ne[2]], [weight, x, ids]);
  }

  addId(a: Tensor, b: Tensor, ids: Tensor): Tensor {
    return this.make("ADD_ID", a.type, a.ne, [a, b, ids]);
  }

  getRows(a: Tensor, ids: Tensor): Tensor {
    const type = a.type === i32 ? i32 : f32;
    return this.make("GET_ROWS", type, [a.ne[0], ids.ne[0], ids.ne[1], ids.ne[2]], [a, ids]);
  }

  /** Writes rows into `into`, whose view it is. */
  setRows(into: Tensor, rows: Tensor, ids: Tensor): Tensor {
    const view = into.view ?? into;
    const { nb } = into;
    return this.make("SET_ROWS", into.type, into.ne, [rows, ids, into], {
      view,
      nb,
      device: view.device,
    });
  }

  cont(a: Tensor, lengths: readonly number[] = a.ne): Tensor {
    return this.make("CONT", a.type, lengths, [a]);
  }

  /** A copy of another type. */
  cast(a: Tensor, type: string): Tensor {
    return this.make("CPY", typeNamed(type), a.ne, [a]);
  }

  /** Copies into `into`, whose view it is. */
  copyInto(a: Tensor, into: Tensor): Tensor {
    const { type, ne, nb, offset } = into;
    const view = into.view ?? into;
    return this.make("CPY", type, ne, [a, into], { view, offset, nb, device: view.device });
  }

  /** `scale` that writes into its operand, a view. */
  scaleInPlace(a: Tensor): Tensor {
    return this.#look("SCALE", a, a.ne, a.nb);
  }

  /** RMS_NORM or NORM, then the weight, then the bias. */
  norm(x: Tensor, weight: Tensor | undefined, bias?: Tensor, kind: "rms" | "mean" = "rms"): Tensor {
    let result = this.each(kind === "rms" ? "RMS_NORM" : "NORM", x);
    const own = weight ?? bias;
    if (own?.name.startsWith("blk.")) result.pinned = own.device;
    if (weight) result = this.mul(result, weight);
    return bias ? this.add(result, bias) : result;
  }

  softMax(a: Tensor, mask?: Tensor, sinks?: Tensor): Tensor {
    return this.each("SOFT_MAX", a, mask, sinks);
  }

  rope(a: Tensor, positions: Tensor, factors?: Tensor): Tensor {
    return this.each("ROPE", a, positions, factors);
  }

  concat(a: Tensor, b: Tensor, dimension: number): Tensor {
    const ne: [number, number, number, number] = [...a.ne];
    ne[dimension]! += b.ne[dimension]!;
    return this.make("CONCAT", a.type, ne, [a, b]);
  }

  repeat(a: Tensor, lengths: readonly number[]): Tensor {
    return this.make("REPEAT", a.type, lengths, [a]);
  }

  sumRows(a: Tensor): Tensor {
    return this.make("SUM_ROWS", a.type, [1, a.ne[1], a.ne[2], a.ne[3]], [a]);
  }

  /** Indices of each row's elements by size. */
  argsort(a: Tensor): Tensor {
    return this.make("ARGSORT", i32, a.ne, [a]);
  }

  /** The indices of the `count` largest of each row (ggml_argsort_top_k). */
  topK(a: Tensor, count: number): Tensor {
    const sorted = this.argsort(a);
    const [, ne1, ne2, ne3] = sorted.ne;
    const [, row, matrix, cube] = sorted.nb;
    return this.view4d(sorted, [count, ne1, ne2, ne3], row, matrix, cube);
  }

  isContiguous({ type, ne, nb }: Tensor): boolean {
    const packed = dense(type, ne);
    return (
      nb[0] === packed[0] &&
      nb[1] === packed[1] &&
      (nb[2] === packed[2] || (ne[2] === 1 && ne[3] === 1)) &&
      (nb[3] === packed[3] || ne[3] === 1)
    );
  }
}

/** A model from which no graph can be built: it lacks what its architecture needs, or that is not known. */
export class NoGraph extends Error {
  override name = "NoGraph";
}

import type { Four, Tensor } from "./graph.js";

/** How the buffer of one backend is laid out. */
export interface BufferType {
  alignment: number;
  /** Bytes of a tensor, scratch memory of its operation included (ggml_backend_buft_get_alloc_size). */
  bytes(tensor: Tensor, sources: readonly Tensor[]): number;
  /** Bytes of the largest single allocation; more makes further ones. */
  largest?: number;
}

/** A tensor to be computed, and the index of the backend that does. */
export interface Step {
  tensor: Tensor;
  backend: number;
  sources: readonly Tensor[];
}

/** Operations that may write over an operand (ggml-alloc.c ggml_op_can_inplace). */
const inPlace = new Set([
  "FILL",
  "SCALE",
  "DIAG_MASK_ZERO",
  "DIAG_MASK_INF",
  "ADD",
  "ADD_ID",
  "ADD1",
  "SUB",
  "MUL",
  "DIV",
  "SQR",
  "SQRT",
  "LOG",
  "UNARY",
  "ROPE",
  "ROPE_BACK",
  "SILU_BACK",
  "RMS_NORM",
  "RMS_NORM_BACK",
  "CLAMP",
  "SOFT_MAX",
  "SOFT_MAX_BACK",
]);

/**
 * Bytes that each backend's compute buffer takes for a graph: what ggml's graph allocator finds
 * (ggml/src/ggml-alloc.c). Best fit among what is free; a tensor's memory is free again when its last
 * consumer has run, or goes to a consumer that computes in place.
 */
export function allocateGraph(
  steps: readonly Step[],
  leafs: readonly Omit<Step, "sources">[],
  buffers: readonly BufferType[],
  count: number,
): number[] {
  const pools = buffers.map(({ alignment, largest }) => new Pool(alignment, largest));
  // By tensor id: consumers and views still to come, and where it lies.
  const consumers = new Int32Array(count);
  const views = new Int32Array(count);
  const backends = new Int32Array(count).fill(-1);
  const allocated = new Uint8Array(count);
  const places: Place[] = [];
  const sizes = new Float64Array(count);

  const place = (tensor: Tensor, backend: number, sources: readonly Tensor[]) => {
    const { id } = tensor;
    if (tensor.device !== undefined || allocated[id] || tensor.view) return;
    allocated[id] = 1;
    if (inPlace.has(tensor.op) && takeOver(tensor, sources)) return;
    backends[id] = backend;
    sizes[id] = sizeOn(backend, tensor, sources);
    places[id] = pools[backend]!.allocate(sizes[id]);
  };

  const sizeOn = (backend: number, tensor: Tensor, sources: readonly Tensor[]) =>
    pools[backend]!.padded(buffers[backend]!.bytes(tensor, sources));

  /** Gives `tensor` the memory of an operand that nobody else needs. */
  const takeOver = (tensor: Tensor, sources: readonly Tensor[]): boolean => {
    for (const parent of sources) {
      if (!allocated[parent.id]) continue;
      if (parent.output || parent.view?.output || !sameLayout(tensor, parent)) continue;
      if (consumers[parent.id] !== 1 || views[parent.id] !== 0) continue;
      const backend = backends[parent.id]!;
      const old = places[parent.id]!;
      const size = sizeOn(backend, tensor, sources);
      backends[tensor.id] = backend;
      places[tensor.id] = old;
      sizes[tensor.id] = size;
      allocated[parent.id] = 0;
      const rest = sizes[parent.id]! - size;
      if (rest > 0) pools[backend]!.release({ ...old, offset: old.offset + size }, rest);
      return true;
    }
    return false;
  };

  const release = (tensor: Tensor) => {
    if (tensor.output) return;
    const { id } = tensor;
    pools[backends[id]!]!.release(places[id]!, sizes[id]!);
    allocated[id] = 0;
  };

  const none: readonly Tensor[] = [];
  for (const { tensor, backend } of leafs) place(tensor, backend, none);
  for (const { tensor, backend, sources } of steps) {
    if (tensor.view && tensor.op !== "NONE") views[tensor.view.id]!++;
    if (tensor.input) place(tensor, backend, sources);
    for (const source of sources) {
      consumers[source.id]!++;
      if (source.input) place(source, backend, none);
    }
  }
  for (const { tensor, backend, sources } of steps) {
    for (const source of sources) place(source, backend, none);
    place(tensor, backend, sources);
    for (const source of sources) {
      const left = --consumers[source.id]!;
      if (left !== 0 || views[source.id] !== 0) continue;
      const { view } = source;
      if (view) {
        views[view.id]!--;
        if (views[view.id] === 0 && consumers[view.id] === 0 && allocated[view.id]) release(view);
      } else if (allocated[source.id]) release(source);
    }
  }
  return pools.map((pool) => pool.size());
}

function sameLayout(a: Tensor, b: Tensor): boolean {
  return a.type === b.type && equal(a.ne, b.ne) && equal(a.nb, b.nb);
}

function equal(a: Four, b: Four): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

interface Place {
  chunk: number;
  offset: number;
}

interface Block {
  offset: number;
  bytes: number;
}

interface Chunk {
  /** Free memory by offset; the last block reaches to the chunk's end. */
  free: Block[];
  /** Bytes that were ever in use. */
  used: number;
}

/** GGML_VBUFFER_MAX_CHUNKS: the last chunk takes whatever is left. */
const mostChunks = 16;

/** The memory of one backend (ggml_dyn_tallocr). */
class Pool {
  readonly #alignment: number;
  readonly #largest: number;
  readonly #chunks: Chunk[] = [];

  constructor(alignment: number, largest = Number.POSITIVE_INFINITY) {
    this.#alignment = alignment;
    this.#largest = largest;
  }

  padded(bytes: number): number {
    return Math.ceil(bytes / this.#alignment) * this.#alignment;
  }

  /** `bytes` are padded. */
  allocate(bytes: number): Place {
    const found = this.#bestBlock(bytes) ?? this.#lastBlock(bytes) ?? this.#newChunk(bytes);
    const chunk = this.#chunks[found.chunk]!;
    const block = chunk.free[found.index]!;
    const { offset } = block;
    block.offset += bytes;
    block.bytes -= bytes;
    if (block.bytes === 0) chunk.free.splice(found.index, 1);
    chunk.used = Math.max(chunk.used, offset + bytes);
    return { chunk: found.chunk, offset };
  }

  /** The smallest block that is large enough, of those between others; the last one of equals. */
  #bestBlock(bytes: number): { chunk: number; index: number } | undefined {
    let best: { chunk: number; index: number } | undefined;
    for (const [chunk, { free }] of this.#chunks.entries()) {
      let smallest = Number.POSITIVE_INFINITY;
      for (let index = 0; index < free.length - 1; index++) {
        const size = free[index]!.bytes;
        if (size < bytes || size > smallest) continue;
        smallest = size;
        best = { chunk, index };
      }
    }
    return best;
  }

  /** The chunk whose end fits best: without growing it where possible, else growing it least. */
  #lastBlock(bytes: number): { chunk: number; index: number } | undefined {
    let best: { chunk: number; index: number } | undefined;
    let reuse = Number.NEGATIVE_INFINITY;
    for (const [chunk, { free, used }] of this.#chunks.entries()) {
      const last = free.at(-1);
      if (!last || last.bytes < bytes) continue;
      const spare = used - last.offset - bytes;
      if (!((reuse < 0 && spare > reuse) || (spare >= 0 && spare < reuse))) continue;
      reuse = spare;
      best = { chunk, index: free.length - 1 };
    }
    return best;
  }

  #newChunk(bytes: number): { chunk: number; index: number } {
    const isLast = this.#chunks.length === mostChunks - 1;
    const size = isLast ? Number.POSITIVE_INFINITY : Math.max(bytes, this.#largest);
    this.#chunks.push({ free: [{ offset: 0, bytes: size }], used: 0 });
    return { chunk: this.#chunks.length - 1, index: 0 };
  }

  /** Neighbours that are free as well become one block. */
  release({ chunk, offset }: Place, bytes: number): void {
    const { free } = this.#chunks[chunk]!;
    for (let index = 0; index < free.length; index++) {
      const block = free[index]!;
      if (block.offset + block.bytes === offset) {
        block.bytes += bytes;
        const next = free[index + 1];
        if (next && block.offset + block.bytes === next.offset) {
          block.bytes += next.bytes;
          free.splice(index + 1, 1);
        }
        return;
      }
      if (offset + bytes === block.offset) {
        block.offset = offset;
        block.bytes += bytes;
        const before = free[index - 1];
        if (before && before.offset + before.bytes === block.offset) {
          before.bytes += block.bytes;
          free.splice(index, 1);
        }
        return;
      }
    }
    let at = 0;
    while (at < free.length && free[at]!.offset < offset) at++;
    free.splice(at, 0, { offset, bytes });
  }

  size(): number {
    return this.#chunks.reduce((sum, { used }) => sum + used, 0);
  }
}

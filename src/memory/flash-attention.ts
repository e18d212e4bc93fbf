import { bytesOf, elementsOf, isQuantised, type Tensor } from "./graph.js";

/** Types of keys and values that CUDA's kernels read (ggml-cuda/fattn.cu). */
const cacheTypes = new Set(["F32", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q8_0"]);
/** Lengths of heads, equal for keys and values, that every kernel is made for. */
const commonLengths = new Set([40, 64, 72, 80, 96, 112, 128, 256]);

/** Whether CUDA computes this FLASH_ATTN_EXT (fattn.cu ggml_cuda_get_best_fattn_kernel). */
export function cudaSupports({ sources }: Tensor): boolean {
  const [q, k, v] = sources as [Tensor, Tensor, Tensor];
  if (!cacheTypes.has(k.type.name) || !cacheTypes.has(v.type.name)) return false;
  const [keyLength, valueLength] = [k.ne[0], v.ne[0]];
  const shared = q.ne[2] / k.ne[2];
  const grouped = shared >= 2 && k.ne[1] % 256 === 0;
  if (commonLengths.has(keyLength)) return valueLength === keyLength;
  switch (keyLength) {
    case 192:
      return valueLength === 128 && grouped && shared % 8 === 0;
    case 320:
      return valueLength === 256 && grouped && shared % 32 === 0;
    case 512:
      return valueLength === keyLength && grouped;
    case 576:
      return valueLength === 512 && grouped;
    default:
      return false;
  }
}

/**
 * Bytes of a FLASH_ATTN_EXT on CUDA: its result, and copies of keys and values in F16 where the kernel
 * reads no other type (ggml-cuda.cu ggml_backend_cuda_buffer_type_get_alloc_size). `compute` is the
 * compute capability × 100.
 */
export function cudaFlashBytes(
  result: Tensor,
  sources: readonly Tensor[],
  compute: number,
): number {
  const [q, k, v, mask] = sources as [Tensor, Tensor, Tensor, Tensor | undefined];
  const vector = usesVectorKernel(compute, q, k, v, mask);
  const asStored = vector && vectorPairs.has(`${k.type.name} ${v.type.name}`);
  const converts = ({ type }: Tensor) => (vector && asStored ? type.name === "F32" : true);
  let bytes = bytesOf(result);
  const withCopy = (of: Tensor) => Math.ceil(bytes / 128) * 128 + elementsOf(of) * 2;
  const sameMemory = v.view !== undefined && v.view === k.view && v.offset === k.offset;
  if (converts(k) && copies(k)) bytes = withCopy(k);
  if (converts(v) && copies(v) && !(sameMemory && copies(k))) bytes = withCopy(v);
  return bytes;
}

const copies = ({ type }: Tensor) => type.name !== "F16";

/** Pairs of types that the vector kernel is built for by default (without GGML_CUDA_FA_ALL_QUANTS). */
const vectorPairs = new Set(["F16 F16", "BF16 BF16", "Q4_0 Q4_0", "Q8_0 Q8_0"]);

/** The kernel for a few queries, which reads quantised keys and values as they are. */
function usesVectorKernel(
  compute: number,
  q: Tensor,
  k: Tensor,
  v: Tensor,
  mask: Tensor | undefined,
): boolean {
  const length = q.ne[0];
  const queries = q.ne[1];
  const shared = q.ne[2] / k.ne[2];
  const wholeTiles = k.ne[1] % 256 === 0;
  const grouped = shared >= 2 && mask !== undefined && wholeTiles;
  const possible = length <= 256 && length % 64 === 0 && length !== 192 && wholeTiles;
  const quantised = isQuantised(k.type) || isQuantised(v.type);
  if (!possible) return false;
  if (compute >= 750) {
    if (quantised) {
      if (compute >= 890 ? queries <= 2 : queries === 1) return true;
    } else if (compute >= 890 && queries === 1 && q.ne[3] === 1) {
      if (!(shared > 4 && (length >= 256 || k.ne[1] >= 8192))) return true;
    }
    return !grouped && queries === 1;
  }
  if (compute >= 700) {
    let columns = 1;
    while (shared % (2 * columns) === 0 && columns < 8) columns *= 2;
    return queries * columns <= 2;
  }
  return quantised ? queries <= 2 : queries === 1 && !grouped;
}

import type { Device } from "./allocation.js";
import { cudaFlashBytes, cudaSupports } from "./flash-attention.js";
import { bytesOf, type Tensor } from "./graph.js";
import { layoutOf, rowPadding } from "./placement.js";
import type { Backend } from "./scheduler.js";
import { ram } from "./graph.js";

/** Compute capability taken where none is known: that of most cards since 2020. */
const usualCompute = 860;

const cpu: Backend = {
  alignment: layoutOf([], ram).alignment,
  bytes: bytesOf,
  supports: () => true,
  fusesExperts: false,
};

/** The devices, then the CPU. */
export function backendsOf(devices: readonly Device[]): Backend[] {
  return [...devices.map(backendOf), cpu];
}

function backendOf(device: Device): Backend {
  const isCuda = device.backend === "cuda" || device.backend === "rocm";
  const layout = layoutOf([device], 0);
  const compute = device.compute ?? usualCompute;
  return {
    alignment: layout.alignment,
    bytes: (tensor, sources) => {
      const own =
        isCuda && tensor.op === "FLASH_ATTN_EXT"
          ? cudaFlashBytes(tensor, sources, compute)
          : bytesOf(tensor);
      return own + rowPadding(tensor.type, tensor.ne[0], layout);
    },
    supports: (tensor) => supports(tensor, isCuda),
    fusesExperts: isCuda,
    // The largest that most Vulkan and SYCL drivers allocate at once.
    ...((device.backend === "vulkan" || device.backend === "sycl") && { largest: 2 ** 32 }),
  };
}

/** ggml-cuda.cu ggml_backend_cuda_device_supports_op, for what models use. */
function supports(tensor: Tensor, isCuda: boolean): boolean {
  if (tensor.op === "FLASH_ATTN_EXT") return !isCuda || cudaSupports(tensor);
  if (tensor.op === "GET_ROWS") return !unreadableRows.has(tensor.sources[0]!.type.name);
  return true;
}

/** Types whose single rows CUDA does not read. */
const unreadableRows = new Set(["MXFP4", "NVFP4", "Q4_1", "TQ1_0", "TQ2_0", "Q1_0", "Q2_0"]);

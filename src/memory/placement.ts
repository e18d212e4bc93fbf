import type { TensorInfo } from "../models/header.js";
import type { Device, TensorOverride } from "./allocation.js";
import { isQuantised, ram, rowBytes, typeNamed, type Type } from "./graph.js";
import type { Network } from "./network.js";
import type { Tensors } from "./tensors.js";

/** How a backend lays out what it allocates. */
export interface Layout {
  /** Bytes that every tensor begins at a multiple of. */
  alignment: number;
  /** Elements that rows of quantised tensors are padded to (CUDA's MATRIX_ROW_PADDING); 1: none. */
  rowPadding: number;
}

const cpuLayout: Layout = { alignment: 32, rowPadding: 1 };

/** ggml-cuda.cu ggml_backend_cuda_buffer_type_get_alignment and _get_alloc_size; the other backends' own. */
const layouts: Readonly<Record<Device["backend"], Layout>> = {
  cuda: { alignment: 128, rowPadding: 512 },
  rocm: { alignment: 128, rowPadding: 512 },
  sycl: { alignment: 128, rowPadding: 512 },
  metal: cpuLayout,
  // minStorageBufferOffsetAlignment of most drivers.
  vulkan: { alignment: 64, rowPadding: 1 },
};

export function layoutOf(devices: readonly Device[], device: number): Layout {
  return device === ram ? cpuLayout : layouts[devices[device]!.backend];
}

/** Bytes with which a row of `length` elements is padded. */
export function rowPadding(type: Type, length: number, layout: Layout): number {
  const rest = length % layout.rowPadding;
  return isQuantised(type) && rest > 0 ? rowBytes(type, layout.rowPadding - rest) : 0;
}

export function aligned(bytes: number, { alignment }: Layout): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/** Which device holds a layer: its index, or `ram`. The output layer's number is that of all blocks. */
export type LayerDevice = (layer: number) => number;

/**
 * The last `gpuLayers` layers go to the devices by cumulative shares. Computed in 32-bit floats, as
 * llama.cpp does: ties decide a layer (llama-model.cpp load_tensors get_layer_buft_list).
 */
export function layerDevices(
  network: Network,
  devices: readonly Device[],
  gpuLayers: number | undefined,
  tensorSplit: readonly number[] | undefined,
): LayerDevice {
  const all = network.blocks + 1;
  const wanted = gpuLayers === undefined || gpuLayers < 0 ? all : gpuLayers;
  const start = Math.max(all - wanted, 0);
  const count = devices.length > 0 ? Math.min(wanted, all) : 0;
  const given = tensorSplit?.some((share) => share !== 0) ? tensorSplit : undefined;
  const shares = devices.map(({ free }, device) => (given ? (given[device] ?? 0) : free));
  let sum = 0;
  const sums = shares.map((share) => (sum = Math.fround(sum + Math.fround(share))));
  const borders = sums.map((border) => Math.fround(border / sum));
  return (layer) => {
    if (layer < start || layer - start >= count) return ram;
    const place = Math.fround((layer - start) / count);
    const device = borders.findIndex((border) => border > place);
    return device === -1 ? devices.length - 1 : device;
  };
}

/** Where each weight lies. */
export interface Placement {
  layer: LayerDevice;
  weights: ReadonlyMap<TensorInfo, number>;
  /** Where the output's matrix lies that is tied to the input embedding. */
  output: number | undefined;
  /** Blocks with tensors elsewhere than the block itself. */
  scattered: ReadonlySet<number>;
  /** Bytes by device. */
  devices: readonly number[];
  host: number;
}

/** Looked up by token, not computed with: always in RAM (llama-model.cpp, LLM_TENSOR_LAYER_INPUT). */
const inputs = /^(?:token_embd|token_types|position_embd|per_layer_token_embd)\./;
/** Computed once in front of the first block. */
const first = /^(?:per_layer_model_proj|per_layer_proj_norm|token_embd_norm)/;
const ropeFactors = /^rope_(?:freqs|factors)/;

/** llama-model.cpp load_tensors, create_tensor. */
export function placeWeights(
  network: Network,
  tensors: Tensors,
  devices: readonly Device[],
  layer: LayerDevice,
  overrides: readonly TensorOverride[] = [],
): Placement {
  const { architecture, blocks, layers, windowed } = network;
  const used = devices.map(() => 0);
  let host = 0;
  const add = ({ type, dims, bytes }: TensorInfo, device: number) => {
    const layout = layoutOf(devices, device);
    const size = aligned(bytes + rowPadding(typeNamed(type), dims[0] ?? 1, layout), layout);
    if (device === ram) host += size;
    else used[device]! += size;
  };

  const weights = new Map<TensorInfo, number>();
  const put = (tensor: TensorInfo, natural: number): boolean => {
    const override = overrides.find(({ pattern }) => pattern.test(tensor.name));
    const device = override ? (override.device ?? ram) : natural;
    add(tensor, device);
    weights.set(tensor, device);
    return device === natural;
  };
  const scattered = new Set<number>();
  for (const [block, own] of tensors.ofBlock.entries()) {
    const device = layer(block);
    for (const tensor of own.values()) {
      if (!put(tensor, device)) scattered.add(block);
    }
  }
  for (const tensor of tensors.others) {
    if (!ropeFactors.test(tensor.name)) {
      put(tensor, naturalPlace(network, tensor.name, layer));
      continue;
    }
    // A copy for every device that rotates with it; gemma4 does so only where the whole context is seen.
    const copies = new Set<number>();
    for (let block = 0; block < layers; block++) {
      if (architecture !== "gemma4" || !windowed[block]) copies.add(layer(block));
    }
    for (const device of copies) add(tensor, device);
  }

  const { byName } = tensors;
  const tied = byName.has("output.weight") ? undefined : byName.get("token_embd.weight");
  let output: number | undefined;
  if (tied && (!network.encodes || architecture === "gemma-embedding")) {
    output = layer(blocks);
    // In RAM the input embedding serves for both, but these two load it twice.
    if (output !== ram || /^gemma(?:3n|4)$/.test(architecture)) add(tied, output);
  }
  return { layer, weights, output, scattered, devices: used, host };
}

/** Of a tensor that belongs to no block. */
function naturalPlace({ architecture, blocks }: Network, name: string, layer: LayerDevice): number {
  if (inputs.test(name)) return ram;
  // lfm2 calls the norm of its output so.
  const atStart =
    first.test(name) && !(architecture.startsWith("lfm2") && name.startsWith("token_embd_norm"));
  return layer(atStart ? 0 : blocks);
}

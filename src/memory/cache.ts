import type { Device, RunParameters } from "./allocation.js";
import type { ContextSizes } from "./context.js";
import { ram, rowBytes, typeNamed, type Type } from "./graph.js";
import { hasCache, stateElements, type Network } from "./network.js";
import { aligned, layoutOf, rowPadding, type LayerDevice } from "./placement.js";

/** Bytes by device, and in RAM. */
export interface Parts {
  devices: number[];
  host: number;
}

/**
 * Keys and values of every block, and the state of recurrent ones (llama-kv-cache.cpp,
 * llama-memory-recurrent.cpp). Without --no-kv-offload they lie where their block does.
 */
export function caches(
  network: Network,
  devices: readonly Device[],
  run: RunParameters,
  sizes: ContextSizes,
  layer: LayerDevice,
  flashAttention: boolean,
): { cache: Parts; recurrent: Parts } {
  const cache: Parts = { devices: devices.map(() => 0), host: 0 };
  const recurrent: Parts = { devices: devices.map(() => 0), host: 0 };
  const typeK = typeNamed(run.typeK.toUpperCase());
  const typeV = typeNamed(run.typeV.toUpperCase());
  const state = stateElements(network);
  const f32 = typeNamed("F32");
  for (let block = 0; block < network.blocks; block++) {
    const device = run.offloadCache === false ? ram : layer(block);
    const layout = layoutOf(devices, device);
    const add = (parts: Parts, type: Type, row: number, rows: number) => {
      const bytes = aligned(rowBytes(type, row) * rows + rowPadding(type, row, layout), layout);
      if (device === ram) parts.host += bytes;
      else parts.devices[device]! += bytes;
    };
    if (hasCache(network, block)) {
      const rows = cellsOf(network, sizes, block) * sizes.streams;
      add(cache, typeK, keyRow(network, block), rows);
      if (!network.latent) add(cache, typeV, valueRow(network, block, flashAttention), rows);
    }
    if (block < network.layers && (network.recurrent[block] || network.attendsEverywhere)) {
      for (const row of [state.shift, state.state]) {
        if (row > 0) add(recurrent, f32, row, sizes.sequences);
      }
    }
  }
  return { cache, recurrent };
}

/** Cells a stream of one block. */
export function cellsOf(network: Network, sizes: ContextSizes, block: number): number {
  return network.window && network.windowed[block] ? sizes.windowCells : sizes.perSequence;
}

/** Elements of the keys of one token. */
export function keyRow(network: Network, block: number): number {
  return keyLengthOf(network, block) * network.headsKv[block]!;
}

export function keyLengthOf(network: Network, block: number): number {
  return network.windowed[block] ? network.windowKeyLength : network.keyLength;
}

export function valueLengthOf(network: Network, block: number): number {
  return network.windowed[block] ? network.windowValueLength : network.valueLength;
}

/**
 * Elements of the values of one token. Without flash attention they are stored transposed, and all
 * blocks have rows as long as the longest (llama-kv-cache.cpp n_embd_v_gqa_max).
 */
export function valueRow(network: Network, block: number, flashAttention: boolean): number {
  if (!flashAttention) return longestValueRow(network);
  return valueLengthOf(network, block) * network.headsKv[block]!;
}

export function longestValueRow(network: Network): number {
  return network.headsKv.reduce(
    (most, heads, block) => Math.max(most, heads * valueLengthOf(network, block)),
    0,
  );
}

import type { Gpu } from "../machines/machine.js";
import { valueAt, type Model } from "../models/model.js";
import { driverContext } from "../plan/placed.js";

const GiB = 2 ** 30;

/**
 * Bytes of a card that weights and cache do not get, besides what the driver takes: activations of a chunk
 * and what PyTorch's allocator holds back. Not computed: the same as llama.cpp leaves free.
 */
const reserve = GiB;

/**
 * Bytes of a cached element: 8 or 4 bits with a scale of 16 bits for every 32; Q6 keeps keys in 8 and values
 * in 4 (exllamav2/cache.py).
 */
const cacheBytes: Readonly<Record<string, number>> = {
  FP16: 2,
  Q8: 1 + 2 / 32,
  Q6: (1 + 4 / 8) / 2 + 2 / 32,
  Q4: 4 / 8 + 2 / 32,
};

export interface Demand {
  /** Bytes of weights on the cards. */
  weights: number;
  /** Bytes of the cache for one token. */
  perToken: number;
  /** Bytes of the whole cache. */
  cache: number;
}

/** What the cards have to hold. Every block keeps the whole context; the input embedding stays in RAM. */
export function demandOf({ weights, shape }: Model, cells: number, cacheMode: string): Demand {
  const { blocks, headsKv, keyLength, valueLength } = shape;
  const heads = Array.from({ length: blocks }, (_, block) => valueAt(headsKv, block));
  const elements = heads.reduce((sum, count) => sum + count * (keyLength + valueLength), 0);
  const perToken = elements * (cacheBytes[cacheMode] ?? 2);
  // A tied output is a copy of the embedding.
  const onCards = weights.output === 0 ? weights.total : weights.total - weights.input;
  return { weights: onCards, perToken, cache: perToken * cells };
}

export interface Split {
  /** GiB that each card may take, in the order of the driver, as gpu_split has them. */
  gibibytes: readonly number[];
  fits: boolean;
  /** Bytes that the cards have for weights and cache. */
  room: number;
}

/**
 * exllamav2 fills card by card up to gpu_split, which counts weights and scratch space
 * (exllamav2/model.py set_device_map); the cache of a layer follows it. So each card's number leaves room for
 * the cache of what it may take. One card is used where one is enough.
 */
export function splitOver(gpus: readonly Gpu[], { weights, cache }: Demand): Split {
  const share = weights / (weights + cache);
  const free = gpus.map((gpu) => Math.max(0, gpu.free - driverContext(gpu)));
  const rooms = free.map((bytes) => Math.max(0, bytes - reserve));
  const most = free.map((bytes) => Math.floor((bytes * share * 10) / GiB) / 10);
  const room = rooms.reduce((sum, one) => sum + one, 0);
  const alone = rooms.findIndex((one) => one * share >= weights);
  if (alone >= 0) {
    return { gibibytes: most.map((one, index) => (index === alone ? one : 0)), fits: true, room };
  }
  return { gibibytes: most, fits: room * share >= weights, room };
}

import type { Gpu, Machine } from "../machines/machine.js";
import {
  cudaContext,
  cuts,
  demandOf,
  longestWithin,
  type Demand,
  type Loaded,
  type Split,
} from "./vllm-memory.js";

const GiB = 2 ** 30;

/** The default of gpu_memory_utilization up to 0.12; newer releases take 0.92. */
const usualShare = 0.9;

/** Where vLLM puts a model. */
export interface Placement extends Split {
  /** Cards of a machine, by their index in its list. */
  cards: readonly number[];
  /** Machines alike. */
  nodes: number;
  /** --gpu-memory-utilization */
  share: number;
  /** Bytes that vLLM takes of a card: the share of the smallest. */
  room: number;
  /** --max-model-len */
  length: number;
  demand: Demand;
}

export interface Wanted {
  /** Tokens. */
  length: number;
  /** The Modelfile's own, which is not made shorter. */
  insists: boolean;
}

/** `shortened`: the context that one machine serves, where that is less. */
export interface Found {
  placement: Placement;
  shortened?: number;
}

/** A placement, or a sentence why there is none. */
export type Placed = Found | { unplaced: string };

export interface Cards {
  cards: readonly number[];
  share: number;
}

/**
 * The fewest cards of one machine that hold the model with its context, then as few such machines as possible:
 * tensor parallel within a machine, pipeline parallel over machines (docs/serving/parallelism_scaling.md).
 */
export function placeOn(machine: Machine, loaded: Loaded, wanted: Wanted): Placed {
  const usable = usableCards(machine);
  if (usable.length === 0) {
    return { unplaced: `vLLM has no GPU that it runs on in ${machine.name}.` };
  }
  const rooms = usable.map((_, at) => roomOf(machine, usable.slice(0, at + 1)));
  const on = (count: number, nodes: number): Placement => {
    const split = splitOver(loaded, count, nodes);
    const { cards, share, room } = rooms[count - 1]!;
    const demand = demandOf(loaded, split, wanted.length);
    return { ...split, cards, nodes, share, room, length: wanted.length, demand };
  };
  // Stages wait for each other, so that they are for numbers of cards that cut no tensors.
  const single = usable
    .map((_, at) => on(at + 1, 1))
    .sort((a, b) => Number(a.pipeline > 1) - Number(b.pipeline > 1));
  const alone = single.find(fits);
  if (alone) return { placement: alone };
  const shorter = shortest(single, loaded, wanted);
  if (shorter && !wanted.insists) return { placement: shorter, shortened: shorter.length };
  const whole = usable.length;
  for (let nodes = 2; nodes <= loaded.model.shape.blocks; nodes++) {
    const several = on(whole, nodes);
    if (several.pipeline > loaded.model.shape.blocks) break;
    if (fits(several)) {
      return { placement: several, ...(shorter && { shortened: shorter.length }) };
    }
  }
  const most = inGiB(rooms.at(-1)!.room);
  return {
    unplaced: `No number of machines like ${machine.name} holds the model: one layer of it with its context takes more than the ${most} of a card.`,
  };
}

/** The same where nothing is known of the model's size: all cards. */
export function cardsOf(machine: Machine): Cards | undefined {
  const usable = usableCards(machine);
  return usable.length === 0 ? undefined : roomOf(machine, usable);
}

export function inGiB(bytes: number): string {
  return `${(bytes / GiB).toFixed(1)} GiB`;
}

function fits({ demand, room }: Placement): boolean {
  return demand.total <= room;
}

/** The cards of one machine that serve the longest context, where it is any. */
function shortest(
  single: readonly Placement[],
  loaded: Loaded,
  { length }: Wanted,
): Placement | undefined {
  const cut = single.map((one) => ({
    ...one,
    length: longestWithin(loaded, one, one.room, length),
  }));
  const longest = Math.max(...cut.map((one) => one.length));
  const best = cut.find((one) => one.length === longest && longest > 0);
  return best && { ...best, demand: demandOf(loaded, best, best.length) };
}

/** As many cards in one tensor parallel group as the model can be cut in; the others are further stages. */
function splitOver({ model }: Loaded, count: number, nodes: number): Split {
  const sizes = Array.from({ length: count }, (_, at) => count - at);
  const tensor = sizes.find((size) => count % size === 0 && cuts(model, size)) ?? 1;
  return { tensor, pipeline: (count / tensor) * nodes };
}

/** Cards of the backend that has the most memory, the emptiest first. */
function usableCards({ gpus, os }: Machine): number[] {
  if (os === "darwin") return [];
  const runs = gpus.flatMap((gpu, index) => (runsVllm(gpu) ? [index] : []));
  const free = (index: number) => gpus[index]!.free;
  const backends = [...new Set(runs.map((index) => gpus[index]!.backend))].map((backend) =>
    runs.filter((index) => gpus[index]!.backend === backend),
  );
  const total = (cards: readonly number[]) => cards.reduce((sum, index) => sum + free(index), 0);
  const [best = []] = backends.sort((a, b) => total(b) - total(a));
  return best.sort((a, b) => free(b) - free(a) || a - b);
}

/** CUDA from compute capability 7.0 on, and ROCm (docs/getting_started/installation/gpu.md). */
function runsVllm({ backend, compute }: Gpu): boolean {
  if (backend === "rocm") return true;
  return backend === "cuda" && (compute === undefined || Number(compute) >= 7);
}

/**
 * vLLM takes the same share of every card, and does not start where less of it is free (request_memory in
 * vllm/v1/worker/utils.py; before in gpu_worker.py init_device).
 */
function roomOf({ gpus }: Machine, cards: readonly number[]): Cards & { room: number } {
  const chosen = cards.map((index) => gpus[index]!);
  const shares = chosen.map(({ free, total, overhead = cudaContext }) => (free - overhead) / total);
  const share = Math.max(0.01, Math.floor(Math.min(usualShare, ...shares) * 100) / 100);
  const room = share * Math.min(...chosen.map(({ total }) => total));
  return { cards: cards.toSorted((a, b) => a - b), share, room };
}

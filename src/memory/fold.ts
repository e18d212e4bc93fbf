import type { TensorInfo } from "../models/header.js";
import type { Network } from "./network.js";
import { hasCache } from "./network.js";

/**
 * Blocks in groups that compute alike, as numbers: equal ones have tensors of the same shapes and the
 * same kind of attention. `typed` tells apart blocks whose tensors differ in type as well.
 */
export interface BlockKinds {
  plain: readonly number[];
  typed: readonly number[];
}

export function blockKinds(
  network: Network,
  ofBlock: readonly ReadonlyMap<string, TensorInfo>[],
  differs?: (block: number, network: Network) => boolean,
): BlockKinds {
  const known = new Map<string, number>();
  const numbered = (text: string) => {
    const number = known.get(text) ?? known.size;
    known.set(text, number);
    return number;
  };
  const listed = (block: number, told: (tensor: TensorInfo) => string) =>
    [...ofBlock[block]!].map(([part, tensor]) => `${part} ${told(tensor)}`).sort();
  const blocks = Array.from({ length: network.layers }, (_, block) => block);
  const plain = blocks.map((block) => {
    const traits = [
      network.windowed[block],
      network.recurrent[block],
      hasCache(network, block),
      network.heads[block],
      network.headsKv[block],
      network.experts.used[block],
      differs?.(block, network) ?? false,
    ];
    return numbered([...listed(block, ({ dims }) => dims.join("x")), ...traits].join("\n"));
  });
  const typed = blocks.map((block) =>
    numbered(`${plain[block]}\n${listed(block, ({ type }) => type).join("\n")}`),
  );
  return { plain, typed };
}

/** Repetitions that are kept: the allocator's state is then the same after each further one. */
const kept = 4;
/** Blocks of the longest repetition looked for. */
const longest = 12;

/**
 * Numbers of the blocks that a graph needs so that its buffers are as large as with all: what repeats
 * more than `kept` times is left out. `kinds` has one element a block, equal for blocks that compute alike
 * in the same place.
 */
export function folded(kinds: readonly number[]): number[] {
  const blocks: number[] = [];
  let at = 0;
  while (at < kinds.length) {
    const { period, count } = repetition(kinds, at);
    const skipped = count > kept ? period * (count - kept) : 0;
    const end = at + period * count;
    // The last ones stay, so that the end of a run is followed by what follows it.
    for (let block = at; block < at + period; block++) blocks.push(block);
    for (let block = at + period + skipped; block < end; block++) blocks.push(block);
    at = end;
  }
  return blocks;
}

/** What repeats from here on the longest; the block alone where nothing does. */
function repetition(kinds: readonly number[], at: number): { period: number; count: number } {
  let best = { period: 1, count: 1 };
  for (let period = 1; period <= longest && at + 2 * period <= kinds.length; period++) {
    let end = at + period;
    while (end < kinds.length && kinds[end] === kinds[end - period]) end++;
    const count = Math.floor((end - at) / period);
    if (count > kept && period * count > best.period * best.count) best = { period, count };
  }
  return best;
}

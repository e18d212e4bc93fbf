import type { TensorInfo } from "../models/header.js";

/** A model's tensors, to be looked up. */
export interface Tensors {
  byName: ReadonlyMap<string, TensorInfo>;
  /** Those of each block, by what stands behind "blk.N.". */
  ofBlock: readonly ReadonlyMap<string, TensorInfo>[];
  /** Those of no block. */
  others: readonly TensorInfo[];
}

export function tensorsOf(all: readonly TensorInfo[], blocks: number): Tensors {
  const ofBlock = Array.from({ length: blocks }, () => new Map<string, TensorInfo>());
  const others: TensorInfo[] = [];
  for (const tensor of all) {
    const [, block, part = ""] = /^blk\.(\d+)\.(.*)$/s.exec(tensor.name) ?? [];
    const own = ofBlock[Number(block)];
    if (own) own.set(part, tensor);
    else others.push(tensor);
  }
  return { byName: new Map(all.map((tensor) => [tensor.name, tensor])), ofBlock, others };
}

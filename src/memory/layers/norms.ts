import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";

/** RMS_NORM with a weight of the block. */
export function blockNorm(b: Builder, block: number, x: Tensor, name: string): Tensor {
  return b.graph.norm(x, b.neededOf(block, `${name}.weight`));
}

/** Likewise, where llama.cpp gives the norm a name that it ties to no device. */
export function looseNorm(b: Builder, block: number, x: Tensor, name: string): Tensor {
  const result = blockNorm(b, block, x, name);
  result.sources[0]!.pinned = undefined;
  return result;
}

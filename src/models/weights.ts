import type { Weights } from "./model.js";

/**
 * The bytes of tensors by the place that llama.cpp and Ollama give them. Blocks behind `blocks`
 * (MTP) and towers in the same file count as other.
 */
export function weightsOf(
  tensors: Iterable<{ name: string; bytes: number }>,
  blocks: number,
): Weights {
  const weights = { total: 0, input: 0, outputNorm: 0, output: 0, other: 0 };
  const perBlock = Array.from({ length: blocks }, () => 0);
  for (const { name, bytes } of tensors) {
    weights.total += bytes;
    const block = /^blk\.(\d+)\./.exec(name)?.[1];
    if (block !== undefined && Number(block) < blocks) perBlock[Number(block)]! += bytes;
    else if (name.startsWith("token_embd.")) weights.input += bytes;
    else if (name.startsWith("output_norm.")) weights.outputNorm += bytes;
    else if (name.startsWith("output.")) weights.output += bytes;
    else weights.other += bytes;
  }
  return { ...weights, blocks: perBlock };
}

/** The same shares of another total. The parts stay whole numbers and add up to `total` exactly. */
export function scaledWeights(weights: Weights, total: number): Weights {
  const factor = total / weights.total;
  let before = 0;
  let given = 0;
  // The running sum is rounded, not the part: so no byte is lost or counted twice.
  const share = (bytes: number) => {
    before += bytes;
    const part = Math.round(before * factor) - given;
    given += part;
    return part;
  };
  return {
    total,
    blocks: weights.blocks.map(share),
    input: share(weights.input),
    outputNorm: share(weights.outputNorm),
    output: share(weights.output),
    other: share(weights.other),
  };
}

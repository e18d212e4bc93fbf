import type { RunParameters } from "./allocation.js";
import type { Network } from "./network.js";

/** Sizes of a context after llama.cpp has rounded what it was asked for. Tokens, cells and rows. */
export interface ContextSizes {
  /** Cells of all sequences together. */
  total: number;
  /** Cells that one sequence may use. */
  perSequence: number;
  sequences: number;
  /** Caches side by side: one, or one a sequence. */
  streams: number;
  /** Cells a stream of blocks that see a window alone. */
  windowCells: number;
  /** Tokens of the largest graph. */
  tokens: number;
  /** Rows of logits. */
  outputs: number;
}

/** llama.cpp pads contexts to 256 cells (GGML_PAD in src/llama-context.cpp). */
export const padded = (cells: number) => Math.ceil(cells / 256) * 256;

/** llama-context.cpp llama_context, llama-kv-cache-iswa.cpp. */
export function contextSizes(network: Network, run: RunParameters): ContextSizes {
  const sequences = Math.max(1, run.sequences);
  const asked = run.context || network.trainedContext;
  const whole = padded(asked);
  const perSequence = run.unifiedCache ? whole : padded(Math.floor(whole / sequences));
  const total = run.unifiedCache ? whole : perSequence * sequences;
  const batch = network.causal ? Math.min(asked, run.batch) : run.batch;
  const microBatch = Math.min(batch, run.microBatch || run.batch);
  const window = (network.window?.tokens ?? 0) * (run.unifiedCache ? sequences : 1);
  return {
    total,
    perSequence,
    sequences,
    streams: run.unifiedCache ? 1 : sequences,
    windowCells: run.wholeWindows
      ? perSequence
      : padded(Math.min(perSequence, window + microBatch)),
    tokens: Math.min(total, microBatch),
    outputs: Math.min(total, microBatch, run.outputs || batch),
  };
}

/** The graph of one token a sequence, which runs while a model answers. */
export function answering(sizes: ContextSizes): ContextSizes {
  return { ...sizes, tokens: sizes.sequences, outputs: sizes.sequences };
}

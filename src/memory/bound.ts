/** What the bound of a compute buffer depends on. Tokens, rows, cells and elements. */
export interface Dimensions {
  /** Of the largest graph. */
  tokens: number;
  /** Rows of logits. */
  outputs: number;
  /** Of the cache, all sequences together. */
  cells: number;
  embedding: number;
  vocabulary: number;
  heads: number;
  keyLength: number;
  flashAttention: boolean;
}

/**
 * Bytes that a device's compute buffer rarely exceeds: logits and embeddings of a batch, or the scores of
 * attention without flash attention, as if the largest of them were alive at once. docs/memory.md tells
 * how far it is off.
 */
export function computeBound(sizes: Dimensions): number {
  const { tokens, outputs, cells, embedding, vocabulary, heads, keyLength } = sizes;
  const logits = 4 * (Math.min(outputs, tokens) * vocabulary + tokens * embedding);
  if (sizes.flashAttention) return logits;
  const scores = 1 + 2 * embedding + 2 * heads * keyLength + cells * (1 + heads);
  return Math.max(logits, 4 * tokens * scores);
}

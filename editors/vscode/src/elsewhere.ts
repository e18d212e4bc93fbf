import type { Entry } from "../../../src/host.js";

/**
 * What is said of a path where nobody may look: it counts neither as there nor as missing. Weights are files that
 * cannot be read, which is told beside their name.
 */
export function hidden(path: string): Entry {
  const isWeights = /\.(?:gguf|safetensors|bin|pth)$/i.test(path);
  return isWeights ? { kind: "file", size: 1 } : { kind: "other", size: 0 };
}

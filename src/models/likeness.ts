import type { Model } from "./model.js";

/** The library model that a name alone makes likely; undefined where it says too little. */
export async function likelyModel(_reference: string): Promise<Model | undefined> {
  return undefined;
}

import type { Builder } from "./builder.js";
import type { Keys, Network } from "./network.js";

/** How the layers of a family of models compute: a file in `architectures/` holds one or a few alike. */
export interface Architecture {
  /** general.architecture, as llama.cpp spells it (src/llama-arch.cpp). */
  names: readonly string[];
  /** What differs from `networkOf` (llama-model.cpp load_hparams, one case an architecture). */
  adapt?: (network: Network, keys: Keys) => Partial<Network>;
  /** Whether a block computes otherwise than its tensors and its attention tell. */
  differs?: (block: number, network: Network) => boolean;
  /**
   * Builds the graph of a batch of tokens. The order in which layers compute decides what memory is
   * taken at once, so it follows llama.cpp's src/models/<architecture>.cpp step by step.
   */
  build: (b: Builder) => void;
}

/**
 * What llama.cpp is asked to run a model with, and what it allocates for that. Named after its own
 * parameters (llama.cpp include/llama.h llama_model_params, llama_context_params). Bytes and tokens.
 */
export interface RunParameters {
  /** --ctx-size: tokens of all sequences together; 0: what the model was trained for. */
  context: number;
  /** --batch-size: tokens of one call. */
  batch: number;
  /** --ubatch-size: tokens computed at once; 0: as batch. */
  microBatch: number;
  /** --parallel: sequences side by side. */
  sequences: number;
  /** --kv-unified: the sequences share one cache instead of having one each. */
  unifiedCache: boolean;
  /** --cache-type-k, as ggml names types in lower case: "f16", "q8_0". */
  typeK: string;
  /** --cache-type-v */
  typeV: string;
  /** --flash-attn; "auto": on where every device that computes attention supports it. */
  flashAttention: boolean | "auto";
  /** --gpu-layers: the last layers, the output layer included; undefined: all. */
  gpuLayers?: number;
  /** --tensor-split: shares of the layers; undefined: by free memory. */
  tensorSplit?: readonly number[];
  /** --override-tensor: the first pattern that matches a tensor's name decides; undefined: RAM. */
  overrides?: readonly TensorOverride[];
  /** False: --no-kv-offload, the cache stays in RAM. */
  offloadCache?: boolean;
  /** --swa-full: sliding windows keep the whole context. */
  wholeWindows?: boolean;
  /** Rows of logits at a time: llama-server reserves one a sequence; undefined: the batch. */
  outputs?: number;
  /** --embeddings: results are the embeddings, not the logits. */
  embeddings?: boolean;
}

export interface TensorOverride {
  pattern: RegExp;
  /** Index of a device; undefined: RAM. */
  device?: number;
}

/** A GPU as llama.cpp sees it. */
export interface Device {
  backend: "cuda" | "rocm" | "metal" | "vulkan" | "sycl";
  /** Free when the model is loaded: layers are dealt out by it. */
  free: number;
  /** CUDA compute capability × 100: 890 for "8.9". It decides the attention kernel and its scratch memory. */
  compute?: number;
}

/** Bytes in one memory. */
export interface Share {
  weights: number;
  cache: number;
  /** State of recurrent blocks. */
  recurrent: number;
  compute: number;
}

export interface Allocation {
  /** One element a device. */
  devices: readonly Share[];
  /** RAM, pinned or not. */
  host: Share & {
    /** Logits and embeddings handed out. */
    output: number;
  };
  /** As padded and dealt out by llama.cpp. */
  context: { perSequence: number; total: number };
  flashAttention: boolean;
  /** Layers on each device, the output layer included. */
  layers: readonly number[];
  /**
   * exact: a graph that is measured against llama.cpp; generic: one that is not; bound: a graph read off
   * the names of the tensors, and not less than a formula's upper bound.
   */
  accuracy: "exact" | "generic" | "bound";
  graph?: { nodes: number; splits: number };
}

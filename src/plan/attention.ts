import { since, within, type Release } from "../facts/release.js";
import type { Gpu } from "../machines/machine.js";
import type { Model } from "../models/model.js";
import { blockOf, kvCacheBytesPerElement } from "../models/tensor-types.js";
import { flashAttentionByDefault } from "./engine.js";
import type { Engine, Plan } from "./plan.js";
import { serverFlag, serverWord } from "./server.js";

type Server = Readonly<Record<string, string>>;

/**
 * Whether attention runs without the full score matrix. One card that cannot turns it off for all
 * (0.24.0:llm/server.go NewLlamaServer, ml/device.go FlashAttentionSupported;
 * 0.32.15:llm/llama_server.go).
 */
export function flashAttention(
  model: Model,
  gpus: readonly Gpu[],
  release: Release,
  server: Server,
): Plan["flashAttention"] {
  const asked = serverFlag(server, "OLLAMA_FLASH_ATTENTION");
  const cards = gpus.every((gpu) => cardSupports(gpu, release)) && cpuSupports(gpus, release);
  if (since(release, "0.30.0")) {
    if (asked !== undefined) return asked ? "on" : "off";
    return cards ? "auto" : "off";
  }
  const wanted = since(release, "0.12.4")
    ? (asked ?? flashAttentionByDefault(model.shape.architecture, release))
    : asked === true || flashAttentionByDefault(model.shape.architecture, release);
  return wanted && cards && modelSupports(model, release) ? "on" : "off";
}

function cpuSupports(gpus: readonly Gpu[], release: Release): boolean {
  return gpus.length > 0 || since(release, "0.11.5");
}

function cardSupports({ backend, compute }: Gpu, release: Release): boolean {
  if (backend === "vulkan") return since(release, "0.12.10") || release.version === "0.12.6";
  if (backend === "sycl") return since(release, "0.30.0");
  if (backend !== "cuda" || compute === undefined || !since(release, "0.12.4")) return true;
  return compute !== "7.2" && (!since(release, "0.30.0") || Number(compute) >= 6);
}

/** fs/ggml/ggml.go SupportsFlashAttention. */
function modelSupports({ shape }: Model, release: Release): boolean {
  const { architecture, embeddingOnly, keyLength, valueLength } = shape;
  if (embeddingOnly) return false;
  if (/^gpt-?oss$/.test(architecture)) return !within(release, { from: "0.11.2", to: "0.11.4" });
  if (architecture === "gemma2" && since(release, "0.11.11")) return false;
  if (architecture === "grok" && since(release, "0.19.0")) return false;
  if (/^qwen(35|35moe|3next)$/.test(architecture) && since(release, "0.17.1")) return true;
  return keyLength === valueLength && keyLength !== 0;
}

/** The type that the cache is kept in; what a release does not take falls back to f16 silently. */
export function kvCacheType(
  model: Model,
  engine: Engine,
  attention: Plan["flashAttention"],
  release: Release,
  server: Server,
): string {
  const asked = serverWord(server, "OLLAMA_KV_CACHE_TYPE");
  if (asked === undefined || !since(release, "0.5.0")) return "f16";
  if (since(release, "0.30.0")) return asked;
  if (attention !== "on" || !["q8_0", "q4_0"].includes(asked)) return "f16";
  const { architecture } = model.shape;
  if (/^gpt-?oss$/.test(architecture) && !since(release, "0.12.4")) return "f16";
  const explicit = serverFlag(server, "OLLAMA_FLASH_ATTENTION") === true;
  if (engine === "llama-runner" && since(release, "0.13.4") && !explicit) return "f16";
  return asked;
}

/**
 * Why llama-server does not start with a type of cache, which Ollama hands it unchecked; undefined where
 * it does (llama.cpp common/arg.cpp kv_cache_type_from_str, src/llama-context.cpp llama_init_from_model).
 */
export function cacheProblem(
  { shape }: Model,
  attention: Plan["flashAttention"],
  kvType: string,
): string | undefined {
  const known = Object.keys(kvCacheBytesPerElement);
  if (!known.includes(kvType)) {
    return `OLLAMA_KV_CACHE_TYPE is "${kvType}", and llama-server takes ${known.join(", ")}.`;
  }
  const block = blockOf(kvType.toUpperCase()).elements;
  if (block === 1) return undefined;
  if (attention === "off") {
    return `A cache of ${kvType} needs flash attention, which is off.`;
  }
  const odd = [shape.keyLength, shape.valueLength].find((length) => length % block !== 0);
  if (odd === undefined) return undefined;
  return `Heads of ${odd} elements cannot be kept as ${kvType}, whose blocks have ${block}.`;
}

import type { Backend } from "../machines/machine.js";
import { formatBytes } from "../machines/sizes.js";
import type { Model } from "../models/model.js";
import type { Plan } from "./plan.js";
import {
  bestQuantisation,
  cacheBytes,
  fewestGpus,
  isWhollyOnGpu,
  largestContext,
  withSmallerCache,
} from "./solve.js";

/** What could be changed, and what for. */
export interface Advice {
  /** As it would be written: "PARAMETER num_ctx 81920", "OLLAMA_KV_CACHE_TYPE=q8_0". */
  change: string;
  /** One sentence. */
  effect: string;
}

/** The variable that chooses the cards of a backend. */
const visibility: Readonly<Partial<Record<Backend, string>>> = {
  cuda: "CUDA_VISIBLE_DEVICES",
  rocm: "ROCR_VISIBLE_DEVICES",
  vulkan: "GGML_VK_VISIBLE_DEVICES",
};

function isBetter(changed: Plan, now: Plan): boolean {
  return isWhollyOnGpu(changed) || changed.layers.onGpu > now.layers.onGpu;
}

/**
 * What to change so that a model runs better on a machine, best first. `others` are the same model in
 * other quantisations, where they are known.
 */
export function advise(plan: Plan, others: readonly Model[] = []): Advice[] {
  if (plan.machine.gpus.length === 0) return [];
  const advice: Advice[] = [];
  const all = `all ${plan.layers.offloadable} layers`;
  const wholly = isWhollyOnGpu(plan);
  if (!wholly) {
    const context = largestContext(plan);
    if (context && context.value < plan.context.effective && isWhollyOnGpu(context.plan)) {
      advice.push({
        change: `PARAMETER num_ctx ${context.value}`,
        effect: `With at most ${context.value} tokens ${all} lie on the GPUs.`,
      });
    }
    const cache = withSmallerCache(plan);
    const saved = cache ? cacheBytes(plan) - cacheBytes(cache.plan) : 0;
    // Copies that attention makes of a quantised cache may take more than it saves.
    if (cache && saved > 0 && isBetter(cache.plan, plan)) {
      const layers = isWhollyOnGpu(cache.plan) ? all : `${cache.plan.layers.onGpu} layers`;
      advice.push({
        change: "OLLAMA_KV_CACHE_TYPE=q8_0",
        effect: `The cache takes ${formatBytes(saved)} less, and ${layers} lie on the GPUs.`,
      });
    }
    const smaller = others.filter(({ fileBytes }) => fileBytes < plan.model.fileBytes);
    const best = bestQuantisation(plan, smaller);
    if (best) {
      const { name, quantisation = "", fileBytes } = best.value;
      advice.push({
        change: `FROM ${name}`,
        effect: `${quantisation} takes ${formatBytes(fileBytes)} instead of ${formatBytes(plan.model.fileBytes)}, and ${all} lie on the GPUs.`,
      });
    }
    if (plan.settings.numGpu !== undefined && plan.settings.numGpu >= 0) {
      advice.push({
        change: "Remove num_gpu",
        effect: "Ollama then chooses the layers by what is free.",
      });
    }
  } else {
    const used = plan.devices.filter(({ layers }) => layers > 0).length;
    const fewest = used > 1 ? fewestGpus(plan) : undefined;
    if (fewest && fewest.value < used) {
      const count = fewest.value === 1 ? "One GPU holds" : `${fewest.value} GPUs hold`;
      const backend = plan.machine.gpus[0]!.backend;
      advice.push({
        change: `${visibility[backend] ?? "The server"} for ${fewest.value} of ${used} GPUs`,
        effect: `${count} ${all}; the others stay free.`,
      });
    }
  }
  return advice;
}

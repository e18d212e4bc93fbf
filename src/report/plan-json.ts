import type { ModelSource } from "../models/model.js";
import type { Advice } from "../plan/advice.js";
import type { Plan } from "../plan/plan.js";

/** The JSON of `plan --json`, version 1. Bytes everywhere, in whole numbers. */
export function planJson(plan: Plan, reference: string, advice: readonly Advice[]) {
  const { model, context, host, limits, decidedBy } = plan;
  return {
    version: 1,
    ollama: plan.release.version,
    engine: plan.engine,
    machine: plan.machine.name,
    model: {
      name: reference,
      architecture: model.shape.architecture,
      layers: plan.layers.offloadable,
      trained_context: model.shape.trainedContext ?? null,
      source: sourceName(model.source),
      exact: model.exact,
      weights: whole(model.weights.total),
    },
    context: {
      num_ctx: context.numCtx,
      from: context.from,
      effective: context.effective,
      parallel: context.parallel,
      cells: context.cells,
    },
    mmap: { in_force: plan.mmap.inForce, reason: plan.mmap.reason },
    flash_attention: plan.flashAttention,
    kv_cache_type: plan.kvCacheType,
    num_batch: plan.numBatch,
    devices: plan.devices.map((device) => ({
      id: device.id,
      name: device.name,
      total: whole(device.total),
      free: whole(device.free),
      layers: device.layers,
      weights: whole(device.weights),
      cache: whole(device.cache),
      recurrent: whole(device.recurrent),
      compute: whole(device.compute),
      projector: whole(device.projector),
      overhead: whole(device.overhead),
      used: whole(device.used),
      left: whole(device.left),
      minimum: whole(device.minimum),
    })),
    host: {
      total: whole(host.total),
      free: whole(host.free),
      layers: host.layers,
      experts: host.experts,
      resident: whole(host.resident),
      weights: whole(host.weights),
      mapped: whole(host.mapped),
      cache: whole(host.cache),
      recurrent: whole(host.recurrent),
      compute: whole(host.compute),
      output: whole(host.output),
      used: whole(host.used),
    },
    decided_by: {
      ollama_estimate: whole(decidedBy.ollamaEstimate),
      physical: whole(decidedBy.physical),
    },
    accuracy: plan.accuracy,
    reproduced: plan.reproduced,
    verdict: plan.verdict,
    reasons: plan.reasons,
    limits: {
      num_ctx_full_gpu: limits.numCtxFullGpu ?? null,
      num_ctx_runs: limits.numCtxRuns ?? null,
    },
    advice: advice.map(({ change, effect }) => ({ change, effect })),
    decisions: plan.decisions,
  };
}

/** A description names a library model that the catalogue tells the shape of. */
function sourceName(source: ModelSource): Exclude<ModelSource, "description"> {
  return source === "description" ? "catalogue" : source;
}

/** Bytes; null for what is not known. */
function whole(bytes: number | undefined): number | null {
  return bytes === undefined || !Number.isFinite(bytes) ? null : Math.round(bytes);
}

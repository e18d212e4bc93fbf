import type { Plan } from "../plan/plan.js";

/** The JSON of `plan --json`, version 1. Bytes everywhere. */
export function planJson(plan: Plan, reference: string) {
  const { model, context, host, limits } = plan;
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
      source: model.source,
      exact: model.exact,
      weights: model.weights.total,
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
    devices: plan.devices.map(({ minimum, ...device }) => ({
      ...device,
      minimum: minimum ?? null,
    })),
    host,
    decided_by: {
      ollama_estimate: plan.decidedBy.ollamaEstimate ?? null,
      physical: plan.decidedBy.physical,
    },
    reproduced: plan.reproduced,
    verdict: plan.verdict,
    reasons: plan.reasons,
    decisions: plan.decisions,
    limits: {
      num_ctx_full_gpu: limits.numCtxFullGpu ?? null,
      num_ctx_runs: limits.numCtxRuns ?? null,
    },
  };
}

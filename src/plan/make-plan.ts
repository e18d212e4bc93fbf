import { since, type Release } from "../facts/release.js";
import type { Backend, Gpu, Machine } from "../machines/machine.js";
import { formatBytes } from "../machines/sizes.js";
import { offloadableLayers } from "../models/model.js";
import { flashAttention, kvCacheType } from "./attention.js";
import { chooseContext, chooseParallel, type ContextChoice } from "./context.js";
import { engineOf, estimates, visibleGpus } from "./engine.js";
import { estimateCpu, selectGpus, type Estimate, type Selection } from "./estimate.js";
import { automaticBatch, chooseGpus, predictVram } from "./llama-server.js";
import { decideMmap, type MmapDecision } from "./mmap.js";
import { presses } from "./pressure.js";
import { knowsCache } from "./bound.js";
import { leastBytes, physicalPlacement } from "./physical.js";
import type { Placement } from "./placed.js";
import type { Decision, DevicePlan, HostPlan, Plan, PlanInput, Verdict } from "./plan.js";
import { serverFlag, serverNumber } from "./server.js";

/** What Ollama of a release does with a model on a machine, and why. Pure. */
export function makePlan(input: PlanInput): Plan {
  const { release, machine, model, server, settings } = input;
  const context = chooseContext(input);
  const engine = engineOf(model, release, server);
  const { effective, outcome, retried } = settled(input, context);
  const { parallel } = outcome;
  let found: Plan["limits"] | undefined;
  return {
    release,
    engine,
    machine,
    model,
    server,
    settings,
    context: {
      numCtx: context.numCtx,
      from: context.from,
      effective,
      parallel,
      cells: effective * parallel,
    },
    mmap: {
      inForce: outcome.mmap.inForce,
      settable: outcome.mmap.settable,
      reason: outcome.mmap.reason,
    },
    flashAttention: outcome.attention,
    kvCacheType: outcome.kvType,
    numBatch: outcome.numBatch,
    devices: outcome.devices,
    host: outcome.host,
    layers: { onGpu: outcome.onGpu, offloadable: offloadableLayers(model) },
    decidedBy: { ollamaEstimate: outcome.estimate, physical: outcome.physical },
    verdict: outcome.verdict,
    reasons: outcome.reasons,
    refusal: outcome.refusal,
    // Many plans are made for one question, and few of them are asked for their limits.
    get limits() {
      return (found ??= limits(input, effective, outcome));
    },
    decisions: [...context.decisions, ...retried, ...outcome.decisions],
    accuracy: outcome.accuracy,
    reproduced: outcome.reproduced,
  };
}

/** What an automatic context is lowered to when the load runs out of memory (0.32.15:server/sched.go). */
const retries = [32768, 4096];

function settled(
  input: PlanInput,
  context: ContextChoice,
): { effective: number; outcome: Outcome; retried: Decision[] } {
  let effective = context.effective;
  let outcome = decide(input, effective);
  const retried: Decision[] = [];
  if (context.from !== "default" || !since(input.release, "0.30.0")) {
    return { effective, outcome, retried };
  }
  for (const less of retries) {
    if (outcome.verdict !== "out-of-memory" || less >= effective) continue;
    const reason = `With ${effective} tokens it runs out of memory, and nothing sets num_ctx.`;
    retried.push({
      what: "context",
      value: String(less),
      reason,
      source: "0.32.15:server/sched.go",
    });
    effective = less;
    outcome = decide(input, effective);
  }
  return { effective, outcome, retried };
}

/** Everything that depends on the context. */
interface Outcome {
  parallel: number;
  numBatch: number;
  attention: Plan["flashAttention"];
  kvType: string;
  mmap: MmapDecision;
  devices: readonly DevicePlan[];
  host: HostPlan;
  onGpu: number;
  estimate: number | undefined;
  physical: number;
  verdict: Verdict;
  reasons: readonly string[];
  refusal: Plan["refusal"];
  decisions: readonly Decision[];
  accuracy: Plan["accuracy"];
  reproduced: boolean;
}

/** `quick`: for one of many contexts that are tried; what is shown is computed in full. */
function decide(input: PlanInput, effective: number, quick = false): Outcome {
  return since(input.release, "0.30.0")
    ? byLlamaServer(input, effective, quick)
    : byEstimate(input, effective, quick);
}

/** num_gpu as Ollama takes it: below 0 means that it chooses. */
function wantedLayers({ settings }: PlanInput): number | undefined {
  return settings.numGpu === undefined || settings.numGpu < 0 ? undefined : settings.numGpu;
}

// Until 0.24: a static estimate decides.

function byEstimate(input: PlanInput, effective: number, quick: boolean): Outcome {
  const { release, machine, model, server, settings } = input;
  const engine = engineOf(model, release, server);
  const numGpu = wantedLayers(input);
  const gpus = numGpu === 0 ? [] : visibleGpus(machine, release, server);
  const attention = flashAttention(model, gpus, release, server);
  const kvType = kvCacheType(model, engine, attention, release, server);
  const overhead = since(release, "0.3.10")
    ? (serverNumber(server, "OLLAMA_GPU_OVERHEAD") ?? 0)
    : 0;
  const slots = chooseParallel(input);
  const batch = settings.numBatch !== undefined && settings.numBatch > 0 ? settings.numBatch : 512;
  const numBatch = since(release, "0.11.11") ? Math.min(batch, effective) : batch;
  const base = {
    model,
    release,
    numCtx: effective,
    numBatch,
    kvType,
    flashAttention: attention === "on",
    numGpu,
    overhead,
  };
  const spread = serverFlag(server, "OLLAMA_SCHED_SPREAD") === true;
  const selection = selectGpus(gpus, slots.candidates, spread, base);
  const parallel = selection?.parallel ?? slots.onCpu;
  const estimate: Estimate =
    selection ?? estimateCpu(machine.memory.free, { ...base, parallel: slots.onCpu });
  const all = offloadableLayers(model);
  // A Metal load larger than the memory goes to the CPU whole (llm/server.go NewLlamaServer).
  const oversized = selection?.gpus[0]?.backend === "metal" && estimate.vram > machine.memory.total;
  const placed = oversized ? 0 : estimate.layers;
  // The runner gets num_gpu as it stands, also where the estimate takes fewer layers.
  const forced = numGpu !== undefined && placed > 0 && placed < Math.min(numGpu, all);
  const onGpu = forced ? Math.min(numGpu, all) : placed;

  const cardsUsed = selection && onGpu > 0 ? selection.gpus : [];
  const physical = physicalPlacement({
    model,
    gpus: cardsUsed,
    numCtx: effective,
    parallel,
    numBatch,
    flashAttention: attention === "on",
    kvType,
    outputs: numBatch,
    unifiedCache: true,
    quick,
    layers: forced
      ? proportional(
          estimate.shares.map(({ layers }) => layers),
          onGpu,
        )
      : onGpu > 0
        ? estimate.shares.map(({ layers }) => layers)
        : [],
  });
  // Layers are not alike: where Ollama's estimate takes the first for all, a card may get too much.
  const knows = model.exact && physical.accuracy !== "bound";
  const overfull = knows ? overfullDevice(physical) : undefined;
  const isPhysical = forced || overfull !== undefined;
  const devices = isPhysical
    ? physicalDevices(machine, physical, selection)
    : estimatedDevices(machine, onGpu > 0 ? selection : undefined, selection, overhead);

  const mmap = decideMmap({
    release,
    engine,
    machine,
    gpus: cardsUsed,
    useMmap: settings.useMmap,
    numGpu,
    layers: { onGpu, offloadable: all },
    estimate: estimate.total,
    fileBytes: model.fileBytes,
  });
  const host = hostPlan(input, mmap, physical);
  const refusal = ramGate(input, estimate, host, onGpu);
  const gate =
    refusal &&
    `Ollama refuses it: what the GPUs do not take is ${formatBytes(refusal.required)}, free RAM and swap are ${formatBytes(refusal.available)}.`;
  const reproduced =
    estimates(engine, release) &&
    engine === "llama-runner" &&
    estimate.reproduced &&
    // Until 0.7.0 the projector's graph counted as well; its sizes are not known.
    !(model.projectorBytes !== undefined && !since(release, "0.7.1"));

  const verdict = gate
    ? "refused"
    : verdictOf({ devices: isPhysical ? devices : [], host, machine, onGpu, all, physical, mmap });
  const reasons = [
    ...(gate ? [gate] : []),
    ...estimateReasons({
      ...input,
      numGpu,
      selection,
      estimate,
      onGpu,
      forced,
      parallel,
      effective,
    }),
    ...(overfull && !forced
      ? [
          `It counts too little: a ${overfull.gpu.name} would hold ${formatBytes(overfull.used)} and has ${formatBytes(overfull.gpu.free)} free.`,
        ]
      : []),
    ...allocationReasons(verdict, { host, devices }, machine, mmap),
    ...(reproduced ? [] : [approximation(release, engine)]),
  ];
  const decisions: Decision[] = [
    {
      what: "parallel",
      value: String(parallel),
      reason:
        slots.candidates.length > 1 && parallel !== slots.candidates[0]
          ? `${slots.reason} With ${slots.candidates[0]} it does not fit.`
          : slots.reason,
      source: slots.source,
    },
    {
      what: "layers",
      value: `${onGpu} of ${all}`,
      reason: reasons[gate ? 1 : 0] ?? "",
      source: since(release, "0.12.11")
        ? "0.24.0:llm/server.go buildLayout"
        : "0.11.4:llm/memory.go EstimateGPULayers",
    },
    ...sharedDecisions(attention, kvType, numBatch, mmap, release),
    {
      what: "system memory",
      value: gate ? "refused" : "accepted",
      reason:
        gate ?? "What the GPUs do not take is within free RAM and swap, or nothing checks it.",
      source: "0.6.4:llm/server.go NewLlamaServer",
    },
  ];
  return {
    parallel,
    numBatch,
    attention,
    kvType,
    mmap,
    devices,
    host,
    onGpu,
    estimate: estimates(engine, release) ? estimate.total : undefined,
    physical: physical.total,
    verdict,
    reasons,
    refusal,
    decisions,
    accuracy: physical.accuracy,
    reproduced,
  };
}

/** A card whose weights and cache alone are more than it has: they do not depend on llama.cpp's version. */
function overfullDevice({ devices }: Placement): Placement["devices"][number] | undefined {
  return devices.find(
    ({ gpu, layers, weights, cache, recurrent }) =>
      layers > 0 && weights + cache + recurrent > gpu.free,
  );
}

/** `total` layers in the proportions of `counts`: --tensor-split is a ratio. */
function proportional(counts: readonly number[], total: number): number[] {
  const sum = counts.reduce((all, count) => all + count, 0);
  let before = 0;
  let given = 0;
  return counts.map((count) => {
    before += count;
    const part = Math.round((before * total) / sum) - given;
    given += part;
    return part;
  });
}

interface Card {
  gpu: Gpu;
  id: string;
}

/** What llama.cpp calls a backend's cards (ggml/src/ggml-*: GGML_CUDA_NAME and its like). */
const backendNames: Readonly<Record<Backend, string>> = {
  cuda: "CUDA",
  rocm: "ROCm",
  metal: "Metal",
  vulkan: "Vulkan",
  sycl: "SYCL",
};

/** Cards with the number that their own backend gives them, as llama.cpp lists them: "CUDA0", "Metal". */
function cards({ gpus }: Machine): Card[] {
  const seen = new Map<Backend, number>();
  return gpus.map((gpu) => {
    const { backend } = gpu;
    const index = seen.get(backend) ?? 0;
    seen.set(backend, index + 1);
    const number = backend === "metal" && index === 0 ? "" : index;
    return { gpu, id: `${backendNames[backend]}${number}` };
  });
}

/**
 * Pairs the machine's cards with a list's entries. Cards of a kind are one object, so each entry
 * serves one card.
 */
function paired<T>(
  machine: Machine,
  gpus: readonly Gpu[],
  entries: readonly T[],
): (Card & { entry: T | undefined })[] {
  const left = gpus.map((gpu, index) => ({ gpu, entry: entries[index] }));
  return cards(machine).map((card) => {
    const at = left.findIndex(({ gpu }) => gpu === card.gpu);
    return { ...card, entry: at === -1 ? undefined : left.splice(at, 1)[0]!.entry };
  });
}

function emptyDevice({ gpu, id }: Card): DevicePlan {
  const { name, total, free } = gpu;
  return {
    id,
    name,
    total,
    free,
    layers: 0,
    weights: 0,
    cache: 0,
    recurrent: 0,
    compute: 0,
    projector: 0,
    overhead: 0,
    used: 0,
    left: free,
    minimum: undefined,
  };
}

/** Ollama's own figures; `tried` gives the minimum of cards that took nothing. */
function estimatedDevices(
  machine: Machine,
  used: Selection | undefined,
  tried: Selection | undefined,
  overhead: number,
): DevicePlan[] {
  return paired(machine, tried?.gpus ?? [], tried?.shares ?? []).map(({ entry, ...card }) => {
    const device = emptyDevice(card);
    if (!entry) return device;
    if (!used || entry.allocated === 0) return { ...device, minimum: entry.minimum };
    const taken = entry.allocated + overhead;
    return {
      ...device,
      layers: entry.layers,
      weights: entry.weights,
      cache: entry.cache,
      compute: entry.graph,
      projector: entry.projector,
      overhead: entry.reserve + overhead,
      used: taken,
      left: card.gpu.free - taken,
      minimum: entry.minimum,
    };
  });
}

function physicalDevices(machine: Machine, placement: Placement, tried?: Selection): DevicePlan[] {
  const gpus = placement.devices.map(({ gpu }) => gpu);
  const entries = placement.devices.map((device, index) => ({
    device,
    minimum: tried?.shares[index]?.minimum,
  }));
  return paired(machine, gpus, entries).map(({ entry, ...card }) => {
    const device = emptyDevice(card);
    if (!entry) return device;
    const { gpu, ...parts } = entry.device;
    return { ...device, ...parts, left: gpu.free - parts.used, minimum: entry.minimum };
  });
}

function hostPlan(
  { model, machine }: PlanInput,
  mmap: MmapDecision,
  { host }: Placement,
): HostPlan {
  const { total, free, swap } = machine.memory;
  const { weights: resident, cache, recurrent, compute, output, layers, experts } = host;
  const pressed = layers + experts > 0 && presses(resident, free + swap);
  const weights = mmap.inForce ? 0 : pressed ? Math.max(resident, model.fileBytes) : resident;
  const mapped = mmap.inForce ? model.fileBytes : 0;
  const used = weights + cache + recurrent + compute + output;
  return {
    total,
    free,
    layers,
    experts,
    resident,
    weights,
    mapped,
    cache,
    recurrent,
    compute,
    output,
    used,
  };
}

/** What the release finds missing of system memory; undefined where it does not refuse (a.8). */
function ramGate(
  { release, machine }: PlanInput,
  estimate: Estimate,
  host: HostPlan,
  onGpu: number,
): Plan["refusal"] {
  const { os, memory } = machine;
  if (os === "darwin" || !since(release, "0.2.2")) return undefined;
  if (os === "windows" && !since(release, "0.3.5")) return undefined;
  const room = memory.free + memory.swap;
  const available = since(release, "0.2.4") ? room : Math.min(memory.total, room);
  // Since 0.12.11 what is placed counts, before it the estimate.
  const required = since(release, "0.12.11")
    ? host.resident + host.cache + host.compute
    : estimate.total - (onGpu > 0 ? estimate.vram : 0);
  if (required > available) return { required, available };
  // 0.12.7–0.12.10:llm/server.go verifyCPUFit: swap does not count.
  const cpuCheck = since(release, "0.12.7") && !since(release, "0.12.11") && onGpu === 0;
  if (!cpuCheck || estimate.total <= memory.free) return undefined;
  return { required: estimate.total, available: memory.free };
}

/** Less than this left on a card is no fit to rely on: a long prompt or the driver takes it. */
const risky = 0.5 * 2 ** 30;

function verdictOf(facts: {
  devices: readonly DevicePlan[];
  host: HostPlan;
  machine: Machine;
  onGpu: number;
  all: number;
  physical: Placement;
  mmap: MmapDecision;
}): Verdict {
  const { devices, host, machine, onGpu, all, physical } = facts;
  const room = machine.memory.free + machine.memory.swap;
  if (devices.some(({ left }) => left < 0)) return "out-of-memory";
  if (host.used + sharedBytes(devices, machine) > room) return "out-of-memory";
  if (onGpu === 0) return "cpu";
  if (onGpu < all || host.experts > 0) return "partial";
  const tight = physical.devices.some(({ gpu, used }) => used > 0 && gpu.free - used < risky);
  return tight ? "risky" : "fits";
}

/** What GPUs that share the computer's memory take of it. `devices` are the machine's, in its order. */
function sharedBytes(devices: readonly DevicePlan[], { gpus }: Machine): number {
  const shared = devices.filter((_, index) => gpus[index]?.integrated);
  return shared.reduce((sum, { used }) => sum + used, 0);
}

function estimateReasons(facts: {
  machine: Machine;
  model: PlanInput["model"];
  numGpu: number | undefined;
  selection: Selection | undefined;
  estimate: Estimate;
  onGpu: number;
  forced: boolean;
  parallel: number;
  effective: number;
}): string[] {
  const { machine, model, selection, estimate, onGpu, forced } = facts;
  const all = offloadableLayers(model);
  if (!selection) {
    if (machine.gpus.length === 0) return ["There is no GPU."];
    const asked = facts.numGpu === 0 ? "num_gpu 0" : "This release, which does not use the GPU,";
    return [`${asked} keeps it on the CPU.`];
  }
  if (onGpu === 0) {
    const least = Math.min(...selection.shares.map(({ minimum }) => minimum));
    const most = Math.max(...selection.gpus.map(({ free }) => free));
    const each = selection.gpus.length > 1 ? "each card needs" : "the card needs";
    return [
      `0 of ${all} layers go to the GPU: ${each} ${formatBytes(least)} to take one, and has ${formatBytes(most)} free at most.`,
    ];
  }
  const used = selection.shares.filter(({ layers }) => layers > 0).length;
  const on = used === 1 ? "one GPU" : `${used} GPUs`;
  const size = `Ollama counts ${formatBytes(estimate.total)}`;
  const reasons = [`${onGpu} of ${all} layers go to ${on}; ${size} in all.`];
  if (forced) {
    reasons.push(
      `num_gpu forces ${onGpu} layers where Ollama's estimate takes ${estimate.layers}.`,
    );
  }
  if (used > 1) {
    const share = selection.shares.find(({ layers }) => layers > 0)!;
    reasons.push(
      `Every GPU pays for itself: graph ${formatBytes(share.graph)}, reserve ${formatBytes(share.reserve)}.`,
    );
  }
  return reasons;
}

function allocationReasons(
  verdict: Verdict,
  { host, devices }: Pick<Plan, "host" | "devices">,
  machine: Machine,
  mmap: MmapDecision,
): string[] {
  const { memory } = machine;
  const room = memory.free + memory.swap;
  if (verdict !== "out-of-memory") return [];
  const free = `free RAM and swap are ${formatBytes(room)}`;
  const shared = sharedBytes(devices, machine);
  if (host.used <= room && host.used + shared > room) {
    return [
      `The GPU shares the RAM: together they take ${formatBytes(host.used + shared)}, ${free}.`,
    ];
  }
  if (host.used <= room) return [];
  if (mmap.inForce || host.weights === 0) {
    return [`Cache and buffers in RAM take ${formatBytes(host.used)}, ${free}.`];
  }
  return [`Without mmap ${formatBytes(host.weights)} of weights are allocated, ${free}.`];
}

function approximation(release: Release, engine: Plan["engine"]): string {
  if (engine === "ollama-engine") return "The Ollama engine's own figures are approximated.";
  if (since(release, "0.12.11")) return `The layout of Ollama ${release.version} is approximated.`;
  if (!since(release, "0.1.45"))
    return `The estimate of Ollama ${release.version} is approximated.`;
  return "Ollama's estimate of this model is approximated.";
}

function sharedDecisions(
  attention: Plan["flashAttention"],
  kvType: string,
  numBatch: number,
  mmap: MmapDecision,
  release: Release,
): Decision[] {
  const server = since(release, "0.30.0");
  const file = server ? "0.32.15:llm/llama_server.go" : "0.24.0:llm/server.go";
  return [
    {
      what: "flash attention",
      value: attention,
      reason: "By OLLAMA_FLASH_ATTENTION, the cards and the architecture.",
      source: `${file} ${server ? "startLlamaServer" : "NewLlamaServer"}`,
    },
    {
      what: "KV cache",
      value: kvType,
      reason: "By OLLAMA_KV_CACHE_TYPE, where flash attention allows it.",
      source: `${file} ${server ? "startLlamaServer" : "NewLlamaServer"}`,
    },
    {
      what: "num_batch",
      value: String(numBatch),
      reason: "By num_batch, or what the release chooses.",
      source: `${file} ${server ? "appendBatchArgs" : "NewLlamaServer"}`,
    },
    {
      what: "use_mmap",
      value: mmap.inForce ? "mmap" : "no mmap",
      reason: mmap.reason,
      source: mmap.source,
    },
  ];
}

// Since 0.30: llama-server fits the model itself; Ollama chooses the cards.

function byLlamaServer(input: PlanInput, effective: number, quick: boolean): Outcome {
  const { release, machine, model, server, settings } = input;
  const slots = chooseParallel(input);
  const parallel = slots.candidates[0]!;
  const cells = effective * parallel;
  const predicted = predictVram(model, cells);
  const { gpus, reason } = chooseGpus(input, predicted);
  const attention = flashAttention(model, gpus, release, server);
  const kvType = kvCacheType(model, "llama-server", attention, release, server);
  const explicit = settings.numBatch !== undefined && settings.numBatch > 0;
  const numBatch = explicit
    ? settings.numBatch!
    : automaticBatch(model, gpus, cells, predicted, attention !== "off");
  const all = offloadableLayers(model);
  const numGpu = wantedLayers(input);
  const request = {
    model,
    gpus,
    numCtx: effective,
    parallel,
    numBatch,
    flashAttention: attention === "auto" ? attention : attention === "on",
    kvType,
    // llama-server keeps the logits of its slots alone; of embeddings, those of the whole batch.
    outputs: since(release, "0.31.0") && !model.shape.embeddingOnly ? parallel : numBatch,
    unifiedCache: false,
    quick,
  };
  // A num_gpu that does not fit stays all the same: then nothing is fitted.
  const physical = physicalPlacement({ ...request, layers: numGpu ?? "fit" });
  const onGpu = physical.layers;
  const mmap = decideMmap({
    release,
    engine: "llama-server",
    machine,
    gpus,
    useMmap: settings.useMmap,
    numGpu,
    layers: { onGpu, offloadable: all },
    estimate: predicted,
    fileBytes: model.fileBytes,
  });
  const devices = physicalDevices(machine, physical);
  const host = hostPlan(input, mmap, physical);
  const verdict = verdictOf({ devices, host, machine, onGpu, all, physical, mmap });
  const size = `${formatBytes(physical.total)} in all`;
  const cardsUsed = devices.filter(({ layers }) => layers > 0).length;
  const over = devices.find(({ left }) => left < 0);
  const reasons = [
    onGpu === 0
      ? `0 of ${all} layers go to a GPU. ${reason}`
      : `${onGpu} of ${all} layers go to ${cardsUsed === 1 ? "one GPU" : `${cardsUsed} GPUs`}; ${size}.`,
    ...(host.experts > 0
      ? [`The experts of ${host.experts} layers lie in RAM, where the CPU computes them.`]
      : []),
    ...(over
      ? [
          `num_gpu ${numGpu} turns the fitting off: ${over.name} would hold ${formatBytes(over.used)} and has ${formatBytes(over.free)} free.`,
        ]
      : []),
    ...allocationReasons(verdict, { host, devices }, machine, mmap),
    ...(physical.accuracy === "exact" ? [] : [uncertainty[physical.accuracy]]),
  ];
  const decisions: Decision[] = [
    { what: "parallel", value: String(parallel), reason: slots.reason, source: slots.source },
    {
      what: "GPUs",
      value: String(gpus.length),
      reason,
      source: "0.32.15:server/sched.go selectLlamaServerPlacement",
    },
    {
      what: "layers",
      value: `${onGpu} of ${all}`,
      reason:
        numGpu === undefined
          ? "llama-server fits them, 1 GiB left free on every card."
          : "num_gpu sets them, and llama-server fits nothing.",
      source: "llama.cpp:common/fit.cpp common_params_fit_impl",
    },
    ...sharedDecisions(attention, kvType, numBatch, mmap, release),
  ];
  const { heads, headsKv } = model.shape;
  const ordinary = [heads, headsKv].every(
    (value) => typeof value === "number" || value.every((count) => count > 0),
  );
  return {
    parallel,
    numBatch,
    attention,
    kvType,
    mmap,
    devices,
    host,
    onGpu,
    estimate: predicted,
    physical: physical.total,
    verdict,
    reasons,
    refusal: undefined,
    decisions,
    accuracy: physical.accuracy,
    reproduced: physical.accuracy === "exact" || (ordinary && knowsCache(model.shape)),
  };
}

const uncertainty = {
  generic: "The graph of this architecture is not measured: compute buffers may differ by a tenth.",
  bound: "Compute buffers are a bound, not a measurement.",
} as const;

// Limits.

/** Contexts are tried in these steps. */
const step = 1024;

function limits(input: PlanInput, effective: number, now: Outcome): Plan["limits"] {
  const { shape } = input.model;
  const all = offloadableLayers(input.model);
  const most = Math.floor((shape.trainedContext ?? Math.max(effective, 131072)) / step);
  const full = ({ onGpu, host, verdict }: Outcome) =>
    onGpu >= all && host.experts === 0 && verdict !== "out-of-memory" && verdict !== "refused";
  const runs = ({ verdict }: Outcome) => verdict !== "out-of-memory" && verdict !== "refused";
  const outcomes = new Map<number, Outcome>([[effective, now]]);
  const holds = (test: (outcome: Outcome) => boolean) => (steps: number) => {
    const tokens = steps * step;
    const spare = spareMemory(input, now, tokens);
    if (spare && (spare.inAll < 0 || (test === full && spare.onGpus < 0))) return false;
    let outcome = outcomes.get(tokens);
    if (!outcome) outcomes.set(tokens, (outcome = decide(input, tokens, true)));
    return test(outcome);
  };
  const largest = (test: (outcome: Outcome) => boolean): number | undefined => {
    const found = last(most, holds(test));
    // Tried quickly; what is told holds in full as well.
    for (let steps = found; steps > Math.max(0, found - 8); steps--) {
      if (test(decide(input, steps * step))) return steps * step;
    }
    return undefined;
  };
  return {
    numCtxFullGpu: input.machine.gpus.length === 0 ? undefined : largest(full),
    numCtxRuns: largest(runs),
  };
}

/**
 * Bytes that weights and cache leave at most: of all cards, and of these and the RAM together. Less than
 * 0 tells without placing anything that a context is too large; undefined where tensors are not known.
 */
function spareMemory(
  input: PlanInput,
  now: Outcome,
  tokens: number,
): { onGpus: number; inAll: number } | undefined {
  const { model, machine, settings } = input;
  const { parallel, numBatch, kvType } = now;
  const shared = { flashAttention: true, outputs: 1, unifiedCache: false, gpus: [] };
  const least = leastBytes({ model, numCtx: tokens, parallel, numBatch, kvType, ...shared });
  if (least === undefined) return undefined;
  const onGpus = machine.gpus.reduce((sum, gpu) => sum + gpu.free, 0);
  const room = machine.memory.free + machine.memory.swap;
  const { total, input: embedding } = model.weights;
  // Mapped weights need no memory of their own.
  const weights = settings.useMmap === false ? total : 0;
  const inRam = Math.max(0, total - onGpus);
  const pressed = settings.useMmap === false && presses(inRam, room) && model.fileBytes > room;
  return {
    // The input embedding may stay in RAM.
    onGpus: onGpus - (least - embedding),
    inAll: pressed ? room - model.fileBytes : onGpus + room - (least - total) - weights,
  };
}

/** The largest of 1 … most that holds, where all smaller ones do; 0 where none does. */
function last(most: number, holds: (value: number) => boolean): number {
  if (most < 1) return 0;
  if (holds(most)) return most;
  let [low, high] = [0, most];
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (holds(middle)) low = middle;
    else high = middle;
  }
  return low;
}

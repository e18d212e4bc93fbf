import { since } from "../facts/release.js";
import type { Backend, Gpu } from "../machines/machine.js";
import { visibleGpus } from "../ollama/engine.js";
import { serverText } from "../ollama/server.js";
import type { Plan } from "../plan/plan.js";
import { runs } from "../plan/room.js";
import { indexesOf } from "./gpu-selection.js";
import type { Variable } from "./server-variables.js";
import type { Note, Source } from "./target.js";

/** The GPUs of one backend that Ollama's server is to see. */
export interface GpuRequest {
  backend: Backend;
  gpus: readonly Gpu[];
  /** The numbers by which the backend counts them on the machine, or what the user's own variable names. */
  ids: readonly string[];
  /** The user's own variable, where there is one. */
  own?: string;
  /** The variable that hides the others; undefined where there are no others, or none does. */
  hides?: string;
}

export interface GpuRequests {
  requests: readonly GpuRequest[];
  /** What has to be set so that with these GPUs alone the plan stays what it is. */
  held: readonly Variable[];
  notes: readonly Note[];
}

/** The variables by which Ollama's server sees some of the GPUs alone (docs/gpu.md), the first of them ours. */
const variables: Readonly<Partial<Record<Backend, readonly string[]>>> = {
  cuda: ["CUDA_VISIBLE_DEVICES"],
  rocm: ["ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"],
  vulkan: ["GGML_VK_VISIBLE_DEVICES"],
};

/** Variables that choose GPUs or their order. */
export const visibilityVariables: readonly string[] = [
  ...Object.values(variables).flat(),
  "CUDA_DEVICE_ORDER",
];

/** Of a machine the GPUs that the plan uses; without a plan all that the release does. */
export function gpuRequests(source: Source): GpuRequests {
  const { machine, plan, release, server } = source;
  if (!machine) {
    const message = "No machine is named, so no GPU is asked for. --machine says which there are.";
    return { requests: [], held: [], notes: [{ message }] };
  }
  const seen = indexesOf(machine, visibleGpus(machine, release, server));
  if (!plan || seen.length === 0) return { requests: grouped(source, seen), held: [], notes: [] };
  const used = plan.devices.flatMap(({ used: bytes }, index) => (bytes > 0 ? [index] : []));
  if (used.length === 0) {
    const why = runs(plan) ? (plan.reasons[0] ?? "") : "";
    const message = `The plan puts nothing on a GPU, so none is asked for. ${why}`.trim();
    return { requests: [], held: [], notes: [{ message }] };
  }
  const held = heldWith(plan, used);
  if (held) return { requests: grouped(source, used), held, notes: [] };
  const message = `The plan uses ${used.length} of ${seen.length} GPUs, and would be another if Ollama saw these alone: all are asked for.`;
  return { requests: grouped(source, seen), held: [], notes: [{ message }] };
}

/** Asks by backend for GPUs by their index in the machine's list. */
function grouped({ machine, server }: Source, chosen: readonly number[]): GpuRequest[] {
  const gpus = machine?.gpus ?? [];
  const backends = [...new Set(chosen.map((index) => gpus[index]!.backend))];
  return backends.map((backend) => {
    const mine = chosen.filter((index) => gpus[index]!.backend === backend);
    const request = { backend, gpus: mine.map((index) => gpus[index]!) };
    const names = variables[backend] ?? [];
    const own = names.find((name) => serverText(server, name) !== "");
    if (own !== undefined) return { ...request, ids: listed(serverText(server, own)), own };
    const alike = gpus.flatMap((gpu, index) => (gpu.backend === backend ? [index] : []));
    // Vulkan counts the GPUs of all vendors.
    const ids = mine.map((index) => String(backend === "vulkan" ? index : alike.indexOf(index)));
    const [hides] = names;
    return { ...request, ids, ...(mine.length < alike.length && hides !== undefined && { hides }) };
  });
}

/** The list of such a variable up to the first entry that names nothing, where CUDA stops too. */
function listed(value: string): string[] {
  const entries = value.split(",").map((entry) => entry.trim());
  const end = entries.findIndex((entry) => !/^(?:\d{1,4}|(?:GPU|MIG)-[\w/-]+)$/.test(entry));
  return end < 0 ? entries : entries.slice(0, end);
}

/**
 * The variables with which Ollama does on these GPUs alone what it does on all: its default context and,
 * until 0.9, its slots go by how much memory all have together. Undefined where there are none.
 */
function heldWith(plan: Plan, used: readonly number[]): Variable[] | undefined {
  const { machine, server, context, settings, release } = plan;
  if (used.length === machine.gpus.length) return [];
  // It counts the GPUs that Ollama sees.
  if (settings.mainGpu !== undefined) return undefined;
  const gpus = used.map((index) => machine.gpus[index]!);
  const slots: Variable = {
    name: "OLLAMA_NUM_PARALLEL",
    value: String(context.parallel),
    why: "What the release takes with all GPUs.",
  };
  const length: Variable = {
    name: "OLLAMA_CONTEXT_LENGTH",
    value: String(context.effective),
    why: "The default with all GPUs; it goes by their memory.",
  };
  const longer = context.from === "default" && since(release, "0.5.13") ? [length] : [];
  const parallel = serverText(server, slots.name) === "" ? [slots] : [];
  const tries = [[], parallel, longer, [...longer, ...parallel]];
  return tries.find((held) => {
    const set = Object.fromEntries(held.map(({ name, value }) => [name, value]));
    const alone = plan.otherwise({ machine: { ...machine, gpus }, server: { ...server, ...set } });
    return isSame(alone, plan);
  });
}

function isSame(one: Plan, other: Plan): boolean {
  const [a, b] = [one, other].map(
    ({ context, layers, verdict, mmap, flashAttention, kvCacheType }) =>
      [
        context.effective,
        context.parallel,
        layers.onGpu,
        verdict,
        mmap.inForce,
        flashAttention,
        kvCacheType,
      ].join(),
  );
  return a === b;
}

import type { Host } from "../host.js";
import { quoted } from "../yaml.js";
import { amdGpus } from "./detect/amd.js";
import { appleGpu } from "./detect/apple.js";
import { intelGpus } from "./detect/intel.js";
import { chosen, type Found, type Surroundings } from "./detect/look.js";
import { linuxBody, macBody, windowsBody, type Basics } from "./detect/memory.js";
import { nvidiaGpus } from "./detect/nvidia.js";
import { ollamaRelease, serverEnvironment } from "./detect/server.js";
import { modelStorage } from "./detect/storage.js";
import { windowsGpus } from "./detect/windows.js";
import { hardware } from "./hardware.js";
import type { Gpu, Machine } from "./machine.js";
import type { Sources } from "./print.js";
import { describe } from "./profile.js";

/*
 * What this computer is, asked of the vendors' own tools and the kernel. A library was weighed:
 * systeminformation is well kept, but finds GPUs by lspci first and only then asks nvidia-smi, so it
 * finds none in a slim container; it knows no rocm-smi, amd-smi, GTT or MIG, takes no notice of control
 * groups, and cannot be given another computer's answers in a test.
 */

/** What Node's `os` module tells. Memory in bytes. */
export interface Platform extends Basics {
  os: Machine["os"];
  /** As Node names it: "x64", "arm64". */
  arch: string;
}

/** A machine as found, with what a reader of its profile should know. */
export interface Detection {
  machine: Machine;
  /** What told each figure, by the profile's keys. */
  sources: Sources;
  /** What was applied or could not be told, one sentence each. */
  notes: readonly string[];
}

/** The computer that `host` stands for. Never throws: what cannot be found out is left out. */
export async function detectMachine(host: Host, platform: Platform): Promise<Machine> {
  return (await detect(host, platform)).machine;
}

/** As `detectMachine`, and where its figures come from. */
export async function detect(host: Host, platform: Platform): Promise<Detection> {
  const { os, arch } = platform;
  const [body, environment, { devices }, ollama] = await Promise.all([
    bodyOf(host, platform),
    serverEnvironment(host, os === "linux"),
    hardware(),
    ollamaRelease(host),
  ]);
  const { variable, server } = environment;
  const memory = sound(body.memory);
  const around: Surroundings = { host, os, arch, memory, devices, variable };
  const [found, storage] = await Promise.all([
    gpusOf(around, body.chip),
    os === "linux" ? modelStorage(host, variable) : undefined,
  ]);
  const notes = found.flatMap((one) => one.notes);
  const gpus = visibleToVulkan(
    found.flatMap((one) => one.gpus),
    variable("GGML_VK_VISIBLE_DEVICES"),
    notes,
  ).map((gpu) => ({ ...gpu, ...fitting(gpu) }));
  if (gpus.some(({ backend }) => backend === "vulkan")) {
    notes.push("Ollama before 0.30 uses GPUs by Vulkan only where OLLAMA_VULKAN=1.");
  }
  for (const { name } of gpus.filter(isLeftOut)) {
    const why = "which is part of the processor";
    notes.push(`Ollama leaves out ${quoted(name)}, ${why}, unless OLLAMA_IGPU_ENABLE=1.`);
  }
  const gpuSources = found.flatMap(({ gpus: own, source }) => (own.length > 0 && source) || []);
  return {
    machine: {
      name: describe(gpus, memory.total),
      os,
      memory,
      ...(body.cores !== undefined && { cores: body.cores }),
      gpus,
      ...(storage !== undefined && { storage }),
      ...(ollama !== undefined && { ollama }),
      server,
    },
    sources: {
      ...body.sources,
      gpus: gpuSources.join("; ") || "no tool and no driver tells of any",
      ...(storage !== undefined && { storage: "/proc/mounts" }),
      ...(ollama !== undefined && { ollama: "ollama --version" }),
      server: environment.source,
    },
    notes,
  };
}

function bodyOf(host: Host, platform: Platform) {
  if (platform.os === "darwin") return macBody(host, platform);
  return platform.os === "windows" ? windowsBody(host, platform) : linuxBody(host, platform);
}

/** GPUs by vendor, in the order in which Ollama prefers their backends. */
async function gpusOf(around: Surroundings, chip: string | undefined): Promise<Found[]> {
  if (around.os === "darwin") return [await appleGpu(around, chip)];
  if (around.os === "linux") {
    return Promise.all([nvidiaGpus(around), amdGpus(around), intelGpus(around)]);
  }
  const nvidia = await nvidiaGpus(around);
  return [nvidia, await windowsGpus(around, nvidia.source !== undefined)];
}

/** Vulkan counts the GPUs of all vendors; an impossible number hides them all from it. */
function visibleToVulkan(gpus: Gpu[], list: string | undefined, notes: string[]): Gpu[] {
  if (!list) return gpus;
  const seen = chosen(gpus, list);
  const left = gpus.filter((gpu) => gpu.backend !== "vulkan" || seen.includes(gpu));
  if (left.length < gpus.length) notes.push("GGML_VK_VISIBLE_DEVICES hides a GPU.");
  return left;
}

/** What src/plan/llama-server.ts says of GPUs in processors, from 0.30 on. */
function isLeftOut({ integrated, backend, compute }: Gpu): boolean {
  if (backend === "metal" || backend === "cuda") return false;
  return integrated && !(backend === "rocm" && compute === "gfx1151");
}

/** The least that a profile takes for a size that is not 0. */
const MiB = 2 ** 20;

/** Figures that a profile can hold: whole bytes, 0 or at least 1 MiB, and no more free than there is. */
function sound({ total, free, swap }: Machine["memory"]): Machine["memory"] {
  return { ...fitting({ total, free }), swap: whole(swap) };
}

function fitting({ total, free }: Pick<Gpu, "total" | "free">): Pick<Gpu, "total" | "free"> {
  const most = Math.max(MiB, whole(total));
  return { total: most, free: Math.min(whole(free), most) };
}

function whole(bytes: number): number {
  return Number.isFinite(bytes) && bytes >= MiB ? Math.floor(bytes) : 0;
}

import type { Host } from "../../host.js";
import type { Machine } from "../machine.js";
import { inside, jsonIn, wholeNumber } from "./json.js";
import { fileNumber, fileText, printed } from "./look.js";

/** Memory and cores, and what told of each, by the profile's keys. */
export interface Body {
  memory: Machine["memory"];
  cores?: number;
  /** Apple's name of the processor. */
  chip?: string;
  sources: Partial<Record<"ram" | "ram_free" | "swap" | "cores", string>>;
}

/** What the caller knows of the computer: Node's `os`. */
export interface Basics {
  /** Bytes. */
  memory: { total: number; free: number };
  /** Logical processors that this process may use. */
  cores: number;
}

/**
 * /proc/meminfo and /proc/cpuinfo, within the limits of the control groups. Ollama itself reads
 * memory.max and cpu.max of version 2 at /sys/fs/cgroup (0.13.0:discover/cpu_linux.go); earlier ones,
 * and all under version 1, believe in the host's memory until the kernel ends them.
 */
export async function linuxBody(host: Host, basics: Basics): Promise<Body> {
  const [meminfo, cpuinfo, folders] = await Promise.all([
    fileText(host, "/proc/meminfo"),
    fileText(host, "/proc/cpuinfo"),
    controlGroups(host),
  ]);
  const kibibytes = (name: string): number | undefined => {
    const match = new RegExp(`^${name}:\\s*(\\d{1,12}) kB`, "m").exec(meminfo ?? "");
    return match ? Number(match[1]) * 1024 : undefined;
  };
  const sum = (...names: string[]): number | undefined => {
    const parts = names.map(kibibytes);
    return parts.includes(undefined) ? undefined : parts.reduce((a, b) => a! + b!, 0);
  };
  let total = kibibytes("MemTotal") ?? basics.memory.total;
  // Kernels before 3.14 do not say what is available.
  let free = kibibytes("MemAvailable") ?? sum("MemFree", "Buffers", "Cached") ?? basics.memory.free;
  let swap = kibibytes("SwapFree") ?? 0;
  const meminfoOr = meminfo ? "/proc/meminfo" : "the operating system";
  const sources: Body["sources"] = { ram: meminfoOr, ram_free: meminfoOr, swap: meminfoOr };

  for (const limit of await memoryLimits(host, folders)) {
    if (limit.most < total) [total, sources.ram] = [limit.most, limit.source];
    if (limit.left < free) [free, sources.ram_free] = [limit.left, limit.source];
    if (limit.swap < swap) [swap, sources.swap] = [limit.swap, limit.source];
  }

  const physical = physicalCores(cpuinfo ?? "");
  let cores = Math.min(physical ?? Infinity, basics.cores);
  if (physical !== undefined) sources.cores = "/proc/cpuinfo";
  if (basics.cores < (physical ?? 0)) sources.cores = "processors that this process may use";
  for (const quota of await processorQuotas(host, folders)) {
    if (quota < cores) [cores, sources.cores] = [quota, "cgroup"];
  }
  return {
    memory: { total, free, swap },
    ...(sources.cores !== undefined && { cores }),
    sources,
  };
}

/** Distinct pairs of socket and core; ARM's kernels list processors alone. */
function physicalCores(cpuinfo: string): number | undefined {
  const cores = new Set<string>();
  for (const block of cpuinfo.split(/\n\s*\n/)) {
    const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(\\d+)`, "m").exec(block)?.[1];
    const processor = field("processor");
    if (processor === undefined) continue;
    const core = field("core id");
    cores.add(core === undefined ? processor : `${field("physical id") ?? 0}:${core}`);
  }
  return cores.size > 0 ? cores.size : undefined;
}

/** Folders of the control groups that hold this process, the outermost first. */
interface ControlGroups {
  /** Version 2. */
  unified: readonly string[];
  /** Version 1. */
  memory: readonly string[];
  cpu: readonly string[];
}

async function controlGroups(host: Host): Promise<ControlGroups> {
  const lines = ((await fileText(host, "/proc/self/cgroup")) ?? "").split("\n");
  const below = (root: string, controller: string): string[] => {
    const line = lines
      .map((text) => text.split(":"))
      .find(([, names = ""]) =>
        controller === "" ? names === "" : names.split(",").includes(controller),
      );
    const path = line?.slice(2).join(":") ?? "/";
    const folders = [root];
    // A path that leaves the root belongs to another namespace: only the root can be seen from here.
    if (path.includes("/..")) return folders;
    for (const name of path.split("/").filter(Boolean).slice(0, 32)) {
      folders.push(`${folders.at(-1)}/${name}`);
    }
    return folders;
  };
  return {
    unified: below("/sys/fs/cgroup", ""),
    memory: below("/sys/fs/cgroup/memory", "memory"),
    cpu: below("/sys/fs/cgroup/cpu", "cpu"),
  };
}

/** Bytes: what may be used, what of it is left, and the swap that is left; Infinity where unlimited. */
interface MemoryLimit {
  most: number;
  left: number;
  swap: number;
  source: string;
}

async function memoryLimits(host: Host, groups: ControlGroups): Promise<MemoryLimit[]> {
  const limits = [
    ...groups.unified.map(async (folder): Promise<MemoryLimit> => {
      const file = (name: string) => fileNumber(host, `${folder}/memory.${name}`);
      // "max" is no number.
      const most = (await file("max")) ?? Infinity;
      const swapMost = (await file("swap.max")) ?? Infinity;
      const swap = swapMost - (swapMost < Infinity ? ((await file("swap.current")) ?? 0) : 0);
      const used = most < Infinity ? await usedOf(host, folder, "memory.current") : 0;
      return { most, left: most - used, swap, source: "cgroup memory.max" };
    }),
    ...groups.memory.map(async (folder): Promise<MemoryLimit> => {
      const file = (name: string) => fileNumber(host, `${folder}/memory.${name}`);
      // Unlimited is 2^63 less a page, which is no safe integer.
      const most = (await file("limit_in_bytes")) ?? Infinity;
      const both = (await file("memsw.limit_in_bytes")) ?? Infinity;
      const used = most < Infinity ? await usedOf(host, folder, "memory.usage_in_bytes") : 0;
      const swap = most < Infinity ? both - most : Infinity;
      return { most, left: most - used, swap, source: "cgroup memory.limit_in_bytes" };
    }),
  ];
  return (await Promise.all(limits))
    .filter(({ most, swap }) => most > 0 && (most < Infinity || swap < Infinity))
    .map((limit) => ({
      ...limit,
      left: Math.max(0, limit.left),
      swap: Math.max(0, limit.swap),
    }));
}

/**
 * Bytes that a group uses and cannot give back. Ollama counts its page cache as used; the kernel drops
 * it before it refuses anything, and right after a download it can fill the whole limit.
 */
async function usedOf(host: Host, folder: string, file: string): Promise<number> {
  const [used, stat] = await Promise.all([
    fileNumber(host, `${folder}/${file}`),
    fileText(host, `${folder}/memory.stat`),
  ]);
  // Version 1 gives a group's own pages without total_, and with it those of the groups below as well.
  const pages = ["total_inactive_file", "inactive_file"]
    .map((name) => new RegExp(`^${name} (\\d+)$`, "m").exec(stat ?? "")?.[1])
    .find((count) => count !== undefined);
  return Math.max(0, (used ?? 0) - Number(pages ?? 0));
}

/** Whole processors, at least one (0.13.0:discover/cpu_linux.go overwriteThreadCountByLinuxCgroups). */
async function processorQuotas(host: Host, groups: ControlGroups): Promise<number[]> {
  const quotas = await Promise.all([
    ...groups.unified.map((folder) => fileText(host, `${folder}/cpu.max`)),
    ...groups.cpu.map(async (folder) => {
      const quota = await fileText(host, `${folder}/cpu.cfs_quota_us`);
      return `${quota} ${await fileText(host, `${folder}/cpu.cfs_period_us`)}`;
    }),
  ]);
  return quotas.flatMap((text) => {
    const match = /^(\d{1,15}) (\d{1,15})$/.exec(text ?? "");
    if (!match || Number(match[2]) === 0) return [];
    return [Math.max(1, Math.floor(Number(match[1]) / Number(match[2])))];
  });
}

/** sysctl and vm_stat; free as Ollama counts it: free, speculative and inactive pages (discover/cpu_info_darwin.m). */
export async function macBody(host: Host, basics: Basics): Promise<Body> {
  const [sysctl, pages] = await Promise.all([
    printed(host, "sysctl", "hw.memsize", "hw.physicalcpu", "machdep.cpu.brand_string"),
    printed(host, "vm_stat"),
  ]);
  const value = (name: string) =>
    new RegExp(`^${name}: *(.+)$`, "m").exec(sysctl ?? "")?.[1]?.trim();
  const total = wholeNumber(value("hw\\.memsize"));
  const cores = wholeNumber(value("hw\\.physicalcpu"));
  const chip = value("machdep\\.cpu\\.brand_string");
  const size = Number(/page size of (\d{4,6}) bytes/.exec(pages ?? "")?.[1]);
  const counts = ["free", "inactive", "speculative"].map((name) =>
    Number(new RegExp(`^Pages ${name}: *(\\d{1,12})\\.`, "m").exec(pages ?? "")?.[1]),
  );
  const free = counts.reduce((sum, count) => sum + count, 0) * size;
  const known = Number.isSafeInteger(free);
  return {
    // Ollama does not count macOS's swap.
    memory: {
      total: total || basics.memory.total,
      free: known ? free : basics.memory.free,
      swap: 0,
    },
    ...(cores && { cores }),
    ...(chip !== undefined && { chip }),
    sources: {
      ram: total ? "sysctl hw.memsize" : "the operating system",
      ram_free: known ? "vm_stat: free, inactive and speculative pages" : "the operating system",
      ...(cores && { cores: "sysctl hw.physicalcpu" }),
    },
  };
}

const windowsQuery =
  "@{ cores = (Get-CimInstance Win32_Processor | Measure-Object NumberOfCores -Sum).Sum; " +
  "swap = (Get-CimInstance Win32_PageFileUsage | Measure-Object AllocatedBaseSize -Sum).Sum; " +
  "used = (Get-CimInstance Win32_PageFileUsage | Measure-Object CurrentUsage -Sum).Sum } | ConvertTo-Json";

/** Node's own memory figures are Windows's; cores and page files (in MiB) are asked of WMI. */
export async function windowsBody(host: Host, basics: Basics): Promise<Body> {
  const answer = jsonIn(await printed(host, "powershell", "-NoProfile", "-Command", windowsQuery));
  const cores = wholeNumber(inside(answer, "cores"));
  const swap = wholeNumber(inside(answer, "swap"));
  const left = Math.max(0, (swap ?? 0) - (wholeNumber(inside(answer, "used")) ?? 0));
  return {
    memory: { ...basics.memory, swap: left * 2 ** 20 },
    ...(cores && { cores }),
    sources: {
      ram: "the operating system",
      ram_free: "the operating system",
      ...(swap !== undefined && { swap: "Win32_PageFileUsage" }),
      ...(cores && { cores: "Win32_Processor" }),
    },
  };
}

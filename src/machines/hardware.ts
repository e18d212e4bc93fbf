import type { Backend, Machine } from "./machine.js";

/** A kind of GPU, or a processor with its GPU. */
export interface Device {
  id: string;
  /** As the driver names it, without the vendor. */
  name: string;
  vendor: "nvidia" | "amd" | "intel" | "apple";
  /** Bytes in all, as the driver reports them. */
  memory?: number;
  /** Bytes that the engine's device list shows on Linux. */
  visible?: number;
  /** Bytes that Metal allows where that is not what the rule says, by GiB of the computer's memory. */
  workingSet?: Readonly<Record<string, number>>;
  /** CUDA compute capability. */
  compute?: string;
  gfx?: string;
  /** What can run models on it under Linux (Apple: macOS), the one that Ollama prefers first. */
  backends: readonly Backend[];
  /** Ollama's ROCm build for Windows knows it. */
  rocmOnWindows?: boolean;
  /** Shares the computer's chip. */
  integrated?: boolean;
  /** Shares the computer's memory. */
  unified?: boolean;
  /** Lowest driver that Ollama accepts. */
  driver?: string;
  /** False where Ollama keeps flash attention off. */
  flashAttention?: boolean;
  /** GB/s. */
  bandwidth?: number;
  note?: string;
}

/** A computer of the kind that many people have. */
export interface Preset {
  id: string;
  name: string;
  os: Machine["os"];
  cores: number;
  /** Bytes. */
  ram: number;
  /** `memory`: bytes of each GPU, where the device itself does not say it. */
  gpus: readonly { device: string; count: number; memory?: number }[];
  note?: string;
}

export interface Hardware {
  devices: readonly Device[];
  machines: readonly Preset[];
}

/** The facts about GPUs and computers, loaded when first asked for. */
export async function hardware(): Promise<Hardware> {
  const { default: facts } = await import("../facts/hardware.json", { with: { type: "json" } });
  // The schema beside the facts holds them to these types.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return facts as Hardware;
}

/** What a GPU's name stands for. */
export type Match =
  | { device: Device; /** The device is the one meant, its memory included. */ certain: boolean }
  /** Several devices bear the name and differ in memory. */
  | { several: readonly Device[] };

/**
 * The device that a name means: an id, or a name with or without vendor, memory and form ("NVIDIA
 * GeForce RTX 4090", "rtx-4090", "Tesla V100-SXM2-16GB"). `memory` (bytes) decides between devices
 * that bear the same name.
 */
export function findDevice(
  devices: readonly Device[],
  name: string,
  memory?: number,
): Match | undefined {
  const wanted = words(name);
  if (wanted.length === 0) return undefined;
  const same = devices.find((device) =>
    aliases(device).some((alias) => sameWords(words(alias), wanted)),
  );
  if (same) return { device: same, certain: memory === undefined || memory === same.memory };

  const fitting = (kernel: (words: readonly string[]) => string[]): Device[] =>
    devices.filter((device) =>
      aliases(device).some((alias) => {
        const have = words(alias);
        return sameWords(kernel(have), kernel(wanted)) && compatible(have, wanted);
      }),
    );
  let found = fitting(model);
  if (found.length === 0 && !wanted.some((word) => series.has(word))) {
    found = fitting((all) => model(all).filter((word) => !series.has(word)));
  }
  if (memory !== undefined && found.length > 1) {
    const near = found.filter((device) => Math.abs((device.memory ?? 0) / memory - 1) < 0.15);
    if (near.length > 0) found = near;
  }
  const [device] = found;
  if (!device) return undefined;
  const alike = found.every((other) => other.memory === device.memory);
  if (!alike && memory === undefined) return { several: found };
  const certain = found.length === 1 && (memory === undefined || memory === device.memory);
  return { device, certain };
}

/** The name of a device that is spelt much like `name`. */
export function similarDevice(
  devices: readonly Device[],
  name: string,
  nearest: (word: string, candidates: Iterable<string>) => string | undefined,
): string | undefined {
  const byWords = new Map(devices.map((device) => [words(device.name).join(" "), device.name]));
  return byWords.get(nearest(words(name).join(" "), byWords.keys()) ?? "");
}

/** Vendors and trimmings, which drivers and people add or leave out. */
const noise = new Set(
  "nvidia geforce tesla amd radeon instinct intel apple corporation gpu graphics generation edition workstation server r tm".split(
    " ",
  ),
);
/** What people leave out of "RTX 4090". */
const series = new Set(["rtx", "gtx", "rx", "quadro", "arc"]);

function words(name: string): string[] {
  return name
    .slice(0, 200)
    .toLowerCase()
    .replace(/(\d+) ?g(?:i?b)?\b/g, "$1g")
    .replace(/(\d+)[ -]core\b/g, "$1core")
    .split(/[^a-z0-9+]+/)
    .map((word) => (/^(sxm\d|hbm3)$/.test(word) ? "sxm" : word))
    .filter((word) => word !== "" && !noise.has(word));
}

/** The words that are neither memory nor form. */
function model(all: readonly string[]): string[] {
  return all.filter((word) => !detail(word));
}

function detail(word: string): "memory" | "cores" | "form" | undefined {
  if (/^\d+g$/.test(word)) return "memory";
  if (/^\d+core$/.test(word)) return "cores";
  return word === "sxm" || word === "pcie" ? "form" : undefined;
}

/** No detail that both names give differs. */
function compatible(a: readonly string[], b: readonly string[]): boolean {
  return a.every((word) => {
    const kind = detail(word);
    const other = kind && b.find((candidate) => detail(candidate) === kind);
    return other === undefined || other === word;
  });
}

function sameWords(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((word) => b.includes(word));
}

/** "Ryzen AI Max+ 395 (Radeon 8060S)" goes by both names, "Radeon VII / Pro VII" as well. */
function aliases({ id, name }: Device): string[] {
  const [, outside = name, inside = ""] = /^([^(]*)\((.*)\)$/.exec(name) ?? [];
  const inner = inside !== "" && !inside.startsWith("one of") ? [inside] : [];
  return [id, name, outside, ...inner, ...outside.split(" / ")];
}

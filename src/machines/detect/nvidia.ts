import type { Host } from "../../host.js";
import { quoted } from "../../yaml.js";
import { findDevice, type Device } from "../hardware.js";
import type { Gpu } from "../machine.js";
import { offered } from "../profile.js";
import { drmCards } from "./drm.js";
import { said } from "./json.js";
import {
  chosen,
  exists,
  fileText,
  inContainer,
  mebibytes,
  namesIn,
  nothing,
  printed,
  type Found,
  type Surroundings,
} from "./look.js";

/** A card as nvidia-smi or the kernel's driver tells of it. Bytes. */
interface Card {
  name: string;
  total?: number | undefined;
  free?: number | undefined;
  compute?: string | undefined;
  driver?: string | undefined;
  uuid?: string | undefined;
  index?: string;
  /** Split into instances, so that CUDA offers those and not the card. */
  split?: boolean;
  instance?: boolean;
}

/** NVIDIA's GPUs as CUDA would list them. */
export async function nvidiaGpus(around: Surroundings): Promise<Found> {
  const { host, os, variable } = around;
  const jetson = await jetsonModel(around);
  const asked = await askTool(around);
  if (jetson !== undefined && !asked?.some(({ total }) => total !== undefined)) {
    const gpu = jetsonGpu(jetson, asked?.[0], around);
    return { gpus: [gpu], source: "the device tree; the computer's memory", notes: [] };
  }
  const cards = asked ?? (os === "linux" ? await fromKernel(host) : []);
  if (cards.length === 0) {
    if (os !== "linux" || (await drmCards(host, "0x10de")).length === 0) return nothing;
    const note = "An NVIDIA GPU is there without NVIDIA's driver, so CUDA cannot use it.";
    return { gpus: [], notes: [note] };
  }
  const source = asked ? "nvidia-smi" : "/proc/driver/nvidia and the known GPUs";
  if (!asked && (await inContainer(host)) && !(await exists(host, "/dev/nvidiactl"))) {
    const note = "The host has an NVIDIA GPU that this container may not use (docker run --gpus).";
    return { gpus: [], notes: [note] };
  }
  const notes: string[] = [];
  const visible = seenByCuda(await withInstances(cards, around), around, notes);
  const list = variable("CUDA_VISIBLE_DEVICES");
  if (list !== undefined) {
    notes.push(`CUDA_VISIBLE_DEVICES is ${quoted(list)}: only what it names is listed.`);
  }
  const gpus = visible.flatMap((card) => {
    const gpu = gpuOf(card, around);
    if (gpu) return [gpu];
    notes.push(`The memory of ${quoted(card.name)} is not known; add it to gpus by hand.`);
    return [];
  });
  return { gpus, source, notes };
}

const full = "index,name,memory.total,memory.free,compute_cap,driver_version,mig.mode.current,uuid";
/** Drivers before 510 refuse the whole query for compute_cap, those before 450 for MIG. */
const short = "index,name,memory.total,memory.free,driver_version,uuid";

/** Every card by nvidia-smi, in its order; undefined where it tells of none. */
async function askTool({ host, os }: Surroundings): Promise<Card[] | undefined> {
  const programs = ["nvidia-smi"];
  // Where Windows puts it for Linux, and where older drivers for Windows do: not always in PATH.
  const wsl = "/usr/lib/wsl/lib/nvidia-smi";
  if (os === "linux" && (await exists(host, wsl))) programs.push(wsl);
  if (os === "windows") {
    programs.push("C:\\Program Files\\NVIDIA Corporation\\NVSMI\\nvidia-smi.exe");
  }
  for (const program of programs) {
    for (const query of [full, short]) {
      const format = "--format=csv,noheader,nounits";
      const cards = readRows(await printed(host, program, `--query-gpu=${query}`, format), query);
      if (cards.length > 0) return cards;
    }
  }
  return undefined;
}

function readRows(text: string | undefined, query: string): Card[] {
  const columns = query.split(",");
  return (text ?? "").split("\n").flatMap((line): Card[] => {
    const values = line.split(",");
    // Error texts go to standard output as well.
    if (values.length !== columns.length) return [];
    const value = (column: string) => said(values[columns.indexOf(column)]);
    const [index, name] = [value("index"), value("name")];
    if (index === undefined || name === undefined || !/^\d+$/.test(index)) return [];
    return [
      {
        index,
        name,
        total: mebibytes(value("memory.total")),
        free: mebibytes(value("memory.free")),
        compute: value("compute_cap"),
        driver: value("driver_version"),
        uuid: value("uuid"),
        split: value("mig.mode.current") === "Enabled",
      },
    ];
  });
}

/** Each split card replaced by its instances, which `nvidia-smi -L` names below it. */
async function withInstances(cards: readonly Card[], { host }: Surroundings): Promise<Card[]> {
  if (!cards.some(({ split }) => split)) return [...cards];
  const instances = new Map<string, Card[]>();
  let card: Card | undefined;
  for (const line of ((await printed(host, "nvidia-smi", "-L")) ?? "").split("\n")) {
    const [, index] = /^GPU (\d+):/.exec(line) ?? [];
    if (index !== undefined) card = cards.find((one) => one.index === index);
    const [, form, size, uuid] =
      /^\s+MIG (\d+g\.(\d+)gb\S*)\s.*\(UUID: (MIG-[^)]+)\)/.exec(line) ?? [];
    if (!card || form === undefined) continue;
    const { name, index: of = "", compute, driver } = card;
    const siblings = instances.get(of) ?? [];
    siblings.push({
      name: `${name} MIG ${form}`,
      // A profile named 10gb holds 9.5 GiB, and larger ones lack no more than that share.
      total: Math.floor(Number(size) * 0.95 * 1024) * 2 ** 20,
      compute,
      driver,
      uuid,
      instance: true,
    });
    instances.set(of, siblings);
  }
  return cards.flatMap((one) => (one.split ? (instances.get(one.index ?? "") ?? []) : [one]));
}

/** What CUDA_VISIBLE_DEVICES leaves; of MIG instances a process sees a single one (NVIDIA MIG User Guide). */
function seenByCuda(cards: readonly Card[], { variable }: Surroundings, notes: string[]): Card[] {
  const visible = chosen(cards, variable("CUDA_VISIBLE_DEVICES"), ({ uuid }) => uuid);
  if (cards.length === 0) notes.push("MIG is on and no instance is made, so CUDA finds no GPU.");
  const mixed = new Set(cards.map(({ name }) => name)).size > 1;
  if (mixed && visible.length < cards.length && variable("CUDA_DEVICE_ORDER") !== "PCI_BUS_ID") {
    notes.push("CUDA may count different cards in another order than nvidia-smi does.");
  }
  const [first] = visible;
  const whole = visible.filter(({ instance }) => !instance);
  if (whole.length === visible.length) return visible;
  notes.push(
    "A process uses one MIG instance at a time; its memory is taken from the profile's name.",
  );
  return first?.instance ? [first] : whole;
}

function gpuOf(card: Card, around: Surroundings): Gpu | undefined {
  const { os, arch, devices, memory } = around;
  const found = findDevice(devices, card.name, card.total);
  const match = found && "device" in found ? found : undefined;
  const device = match?.device;
  // nvidia-smi has no figure for GPUs that share the computer's memory (GB10, Thor), and neither has CUDA.
  const unified = device?.unified ?? (card.total === undefined && !device && arch === "arm64");
  const total = unified ? memory.total : (card.total ?? device?.memory);
  if (total === undefined) return undefined;
  const most = unified ? memory.free : offered(total, { device, backend: "cuda", os });
  const compute = computeOf(card.compute) ?? device?.compute;
  return {
    name: device && match?.certain ? device.name : card.name,
    backend: "cuda",
    total,
    free: Math.min(unified ? most : (card.free ?? most), most, total),
    ...(compute !== undefined && { compute }),
    ...(card.driver !== undefined && { driver: card.driver }),
    integrated: unified,
  };
}

function computeOf(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{1,2}\.\d$/.test(text) ? text : undefined;
}

/** What the kernel's driver tells in a container without nvidia-smi: names alone. */
async function fromKernel(host: Host): Promise<Card[]> {
  const folder = "/proc/driver/nvidia/gpus";
  const names = await namesIn(host, folder);
  if (names.length === 0) return [];
  const version = await fileText(host, "/proc/driver/nvidia/version");
  const driver = /Kernel Module[^\d\n]*(?:for \S+ +)?(\d+(?:\.\d+)+)/.exec(version ?? "")?.[1];
  const texts = await Promise.all(
    names.map((name) => fileText(host, `${folder}/${name}/information`)),
  );
  return texts.flatMap((text): Card[] => {
    const name = said(/^Model:\s*(.+)$/m.exec(text ?? "")?.[1]);
    if (name === undefined) return [];
    return [{ name, driver, uuid: said(/^GPU UUID:\s*(.+)$/m.exec(text ?? "")?.[1]) }];
  });
}

/** The name of a Jetson board; undefined on any other computer. */
async function jetsonModel({ host, os, arch }: Surroundings): Promise<string | undefined> {
  if (os !== "linux" || arch !== "arm64") return undefined;
  const [model, release] = await Promise.all([
    fileText(host, "/proc/device-tree/model"),
    fileText(host, "/etc/nv_tegra_release"),
  ]);
  if (!release && !/jetson/i.test(model ?? "")) return undefined;
  return model?.replace(/^NVIDIA /, "") || "Jetson";
}

/** A Jetson's GPU: all of the computer's memory, as CUDA counts it there (ggml-cuda.cu reads /proc/meminfo). */
function jetsonGpu(model: string, card: Card | undefined, { devices, memory }: Surroundings): Gpu {
  const boards = devices.filter(({ name }) => name.startsWith("Jetson "));
  const about = (device: Device) => Math.abs((device.memory ?? 0) / memory.total - 1) < 0.15;
  const board = boards.find((device) => {
    const parts = device.name.split(" ").filter((word) => !/^(jetson|\d+GB)$/i.test(word));
    return about(device) && parts.every((part) => model.toLowerCase().includes(part.toLowerCase()));
  });
  // Boards of one chip differ in memory, not in what CUDA can do on them.
  const [chip] = /\b(?:orin|thor)\b/i.exec(model) ?? [];
  const sibling = boards.find(
    ({ name }) => chip && name.toLowerCase().includes(chip.toLowerCase()),
  );
  const compute = computeOf(card?.compute) ?? (board ?? sibling)?.compute;
  return {
    name: board?.name ?? model,
    backend: "cuda",
    total: memory.total,
    free: Math.min(memory.free, memory.total),
    ...(compute !== undefined && { compute }),
    ...(card?.driver !== undefined && { driver: card.driver }),
    integrated: true,
  };
}

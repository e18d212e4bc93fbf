import type { Host } from "../../host.js";
import { quoted } from "../../yaml.js";
import { findDevice, type Device } from "../hardware.js";
import type { Gpu } from "../machine.js";
import { offered } from "../profile.js";
import { drmCards, mayUse, meanings } from "./drm.js";
import { inside, isRecord, jsonIn, recordsIn, said, wholeNumber } from "./json.js";
import {
  chosen,
  exists,
  fileNumber,
  fileText,
  namesIn,
  nothing,
  printed,
  type Found,
  type Surroundings,
} from "./look.js";

/** A card as a tool or the kernel tells of it. Bytes. */
interface Card {
  name?: string | undefined;
  gfx?: string | undefined;
  vram: number;
  vramUsed: number;
  /** The computer's memory that the card may use besides (GTT). */
  gtt: number;
  gttUsed: number;
  driver?: string | undefined;
  uuid?: string | undefined;
  /** The kernel knows of a board of its own, so it is no part of a processor. */
  board?: boolean;
}

const GiB = 2 ** 30;

/** AMD's GPUs under Linux, by the first of amd-smi, rocm-smi and the kernel that tells of any. */
export async function amdGpus(around: Surroundings): Promise<Found> {
  const { host, variable, devices } = around;
  let cards: Card[] = [];
  let source = "";
  for (const [name, ask] of [
    ["amd-smi", fromAmdSmi],
    ["rocm-smi", fromRocmSmi],
    ["/sys/class/drm", fromKernel],
  ] as const) {
    source = name;
    cards = (await ask(host)).filter(({ vram, gtt }) => vram + gtt > 0);
    if (cards.length > 0) break;
  }
  if (cards.length === 0) return nothing;
  if (!(await mayUse(host))) {
    const note =
      "The host has an AMD GPU that this container may not use (docker run --device /dev/kfd --device /dev/dri).";
    return { gpus: [], notes: [note] };
  }

  const notes: string[] = [];
  let visible = cards;
  // The runtime below HIP counts first, and HIP among what that leaves. An empty list hides nothing.
  for (const name of ["ROCR_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES"]) {
    const list = variable(name);
    if (!list) continue;
    visible = chosen(visible, list, ({ uuid }) => uuid);
    notes.push(`${name} is ${quoted(list)}: only what it names is listed.`);
  }
  const override = overriddenGfx(variable("HSA_OVERRIDE_GFX_VERSION"));
  if (override) notes.push(`HSA_OVERRIDE_GFX_VERSION makes ${override} of every AMD GPU.`);
  const compute = source !== "/sys/class/drm" || (await exists(host, "/sys/class/kfd"));
  const supported = await rocmTargets();
  const gpus = visible.map((card): Gpu => {
    const device = findCard(card, devices);
    const gfx = override ?? card.gfx ?? device?.gfx;
    const rocm = compute && gfx !== undefined && supported.includes(gfx);
    const integrated = isIntegrated(card, device, devices);
    return {
      name: device?.name ?? card.name ?? `AMD GPU${gfx ? ` (${gfx})` : ""}`,
      backend: rocm ? "rocm" : "vulkan",
      ...(integrated ? sharedMemory(card, rocm, around) : ownMemory(card, device, rocm, around)),
      ...(gfx !== undefined && { compute: gfx }),
      ...(card.driver !== undefined && { driver: card.driver }),
      integrated,
    };
  });
  return { gpus, source, notes };
}

/** The gfx ids that Ollama's ROCm build has kernels for. */
async function rocmTargets(): Promise<readonly string[]> {
  const { default: facts } = await import("../../facts/hardware.json", { with: { type: "json" } });
  // The schema beside the facts allows lists of texts here, and a test looks at this one.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return (facts as { rules: { rocmGfx: readonly string[] } }).rules.rocmGfx;
}

function ownMemory(
  { vram, vramUsed }: Card,
  device: Device | undefined,
  rocm: boolean,
  { os }: Surroundings,
): Pick<Gpu, "total" | "free"> {
  const most = offered(vram, { device, backend: rocm ? "rocm" : "vulkan", os });
  return { total: vram, free: Math.min(Math.max(0, vram - vramUsed), most) };
}

/**
 * Memory of a GPU that is part of the processor: ROCm takes what the firmware set aside or what the
 * kernel lends (GTT), whichever is larger; Vulkan adds both heaps up. What is lent must be free.
 */
function sharedMemory(
  card: Card,
  rocm: boolean,
  { memory }: Surroundings,
): Pick<Gpu, "total" | "free"> {
  const { vram, vramUsed, gttUsed } = card;
  // The kernel lends half of the memory where nobody set it (amdgpu.gttsize).
  const gtt = card.gtt || Math.floor(memory.total / 2);
  const own = Math.max(0, vram - vramUsed);
  const lent = Math.max(0, Math.min(gtt - gttUsed, memory.free));
  if (!rocm) return { total: vram + gtt, free: own + lent };
  return vram >= gtt ? { total: vram, free: own } : { total: gtt, free: lent };
}

/** By the known GPUs, and as Ollama tells the rest apart (discover/amd.go readROCmDRMDevice). */
function isIntegrated(card: Card, device: Device | undefined, devices: readonly Device[]): boolean {
  if (device) return device.integrated ?? false;
  if (card.board || /\bRX \d|\bPro [WV]|Instinct/i.test(card.name ?? "")) return false;
  const alike = devices.filter(({ gfx }) => gfx !== undefined && gfx === card.gfx);
  if (alike.length > 0) return alike.every(({ integrated }) => integrated);
  const { vram, gtt } = card;
  return vram <= 4 * GiB && gtt >= 8 * GiB && gtt >= 4 * vram;
}

/** The known GPU that a card is: by a name, or as the only one of its target with such memory. */
function findCard({ name, gfx, vram }: Card, devices: readonly Device[]): Device | undefined {
  const own = devices.filter(
    ({ vendor, memory }) =>
      vendor === "amd" && (memory === undefined || Math.abs(memory / Math.max(vram, 1) - 1) < 0.03),
  );
  for (const text of name === undefined ? [] : [name, ...meanings(name)]) {
    const match = findDevice(own, text, vram);
    if (match && "device" in match) return match.device;
  }
  const alike = gfx === undefined ? [] : own.filter((device) => device.gfx === gfx);
  return alike.length === 1 ? alike[0] : undefined;
}

/** "10.3.0" is gfx1030 (discover/amd.go rocmGFXTargetOverride). */
function overriddenGfx(text: string | undefined): string | undefined {
  if (text && /^gfx[0-9a-f]{3,5}$/.test(text)) return text;
  const match = /^(\d{1,2})\.(\d{1,2})\.(\d{1,2})$/.exec(text?.trim() ?? "");
  return match ? gfxOf(match.slice(1).map(Number)) : undefined;
}

/** Of major version, minor version and stepping: [9, 0, 10] is gfx90a. */
function gfxOf([major = 0, minor = 0, stepping = 0]: readonly number[]): string | undefined {
  if (major === 0 || minor > 15 || stepping > 15) return undefined;
  return `gfx${major}${minor.toString(16)}${stepping.toString(16)}`;
}

function gfxIn(value: unknown): string | undefined {
  return /^gfx[0-9a-f]{3,5}\b/.exec(said(value)?.toLowerCase() ?? "")?.[0];
}

/** amd-smi of ROCm 6 prints a list, that of ROCm 7 a mapping that holds it. */
async function fromAmdSmi(host: Host): Promise<Card[]> {
  const ask = async (...args: string[]) => {
    const value = jsonIn(await printed(host, "amd-smi", ...args));
    return recordsIn(inside(value, "gpu_data") ?? value);
  };
  const known = await ask("static", "--json");
  if (known.length === 0) return [];
  const uses = await ask("metric", "--mem-usage", "--json");
  return known.map((card): Card => {
    const use = uses.find(({ gpu }) => gpu === card["gpu"]);
    const bytes = (key: string) => amount(inside(use, "mem_usage", key));
    const serial = said(inside(card, "asic", "asic_serial"))
      ?.replace(/^0x/i, "")
      .toLowerCase();
    return {
      name:
        said(inside(card, "asic", "market_name")) ?? said(inside(card, "board", "product_name")),
      gfx: gfxIn(inside(card, "asic", "target_graphics_version")),
      vram: bytes("total_vram") ?? amount(inside(card, "vram", "size")) ?? 0,
      vramUsed: bytes("used_vram") ?? 0,
      gtt: bytes("total_gtt") ?? 0,
      gttUsed: bytes("used_gtt") ?? 0,
      driver: said(inside(card, "driver", "version")),
      ...(serial !== undefined && { uuid: `GPU-${serial}` }),
    };
  });
}

/** Bytes of { value: 24560, unit: "MB" }; amd-smi's MB are MiB, and early ones leave the unit out. */
function amount(written: unknown): number | undefined {
  const value = wholeNumber(isRecord(written) ? written["value"] : written);
  const unit = isRecord(written) ? written["unit"] : "MB";
  const sizes: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };
  const bytes = (value ?? NaN) * (sizes[String(unit).replace("i", "")] ?? NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

async function fromRocmSmi(host: Host): Promise<Card[]> {
  const options = ["--showproductname", "--showmeminfo", "vram", "gtt", "--json"];
  const value = jsonIn(await printed(host, "rocm-smi", ...options));
  if (!isRecord(value)) return [];
  const driver = said(inside(value, "system", "Driver version"));
  return Object.entries(value)
    .filter(([key]) => /^card\d+$/.test(key))
    .sort(([a], [b]) => Number(a.slice(4)) - Number(b.slice(4)))
    .map(([, card]): Card => {
      // Releases differ in capitals: "Card series" and "Card Series".
      const fields = new Map(
        Object.entries(isRecord(card) ? card : {}).map(([key, field]) => [
          key.toLowerCase(),
          field,
        ]),
      );
      const bytes = (key: string) => wholeNumber(fields.get(key)) ?? 0;
      return {
        name: said(fields.get("card series")) ?? said(fields.get("card model")),
        gfx: gfxIn(fields.get("gfx version")),
        vram: bytes("vram total memory (b)"),
        vramUsed: bytes("vram total used memory (b)"),
        gtt: bytes("gtt total memory (b)"),
        gttUsed: bytes("gtt total used memory (b)"),
        driver,
      };
    });
}

async function fromKernel(host: Host): Promise<Card[]> {
  const cards = await drmCards(host, "0x1002");
  const targets = cards.length > 0 ? await kernelTargets(host) : new Map<string, string>();
  return Promise.all(
    cards.map(async ({ folder, slot, name }): Promise<Card> => {
      const bytes = async (file: string) =>
        (await fileNumber(host, `${folder}/device/${file}`)) ?? 0;
      const product = said(await fileText(host, `${folder}/device/product_name`));
      return {
        name: product ?? name,
        gfx: targets.get(slot),
        vram: await bytes("mem_info_vram_total"),
        vramUsed: await bytes("mem_info_vram_used"),
        gtt: await bytes("mem_info_gtt_total"),
        gttUsed: await bytes("mem_info_gtt_used"),
        board:
          (await exists(host, `${folder}/device/board_info`)) ||
          (await exists(host, `${folder}/device/mem_info_vram_vendor`)),
      };
    }),
  );
}

/** gfx ids by PCI slot, of the kernel's compute driver: gfx_target_version 110000 at location_id 768. */
async function kernelTargets(host: Host): Promise<Map<string, string>> {
  const folder = "/sys/class/kfd/kfd/topology/nodes";
  const found = new Map<string, string>();
  for (const node of await namesIn(host, folder)) {
    const text = (await fileText(host, `${folder}/${node}/properties`)) ?? "";
    const property = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, "m").exec(text)?.[1]);
    const version = property("gfx_target_version");
    const place = property("location_id");
    const gfx = gfxOf([
      Math.floor(version / 10000),
      Math.floor(version / 100) % 100,
      version % 100,
    ]);
    if (!version || Number.isNaN(place) || gfx === undefined) continue;
    const slot = [property("domain") || 0, (place >> 8) & 0xff, (place >> 3) & 0x1f]
      .map((number, index) => number.toString(16).padStart(index === 0 ? 4 : 2, "0"))
      .join(":");
    found.set(`${slot}.${place & 7}`, gfx);
  }
  return found;
}

import { quoted } from "../../yaml.js";
import { findDevice, type Device } from "../hardware.js";
import type { Gpu } from "../machine.js";
import { drmCards, mayUse, meanings, type DrmCard } from "./drm.js";
import { inside, jsonIn, recordsIn, said, wholeNumber } from "./json.js";
import { fileNumber, nothing, printed, type Found, type Surroundings } from "./look.js";

/** Share of the computer's memory that Mesa's driver offers a GPU in the processor (mesa/src/intel/vulkan/anv_device.c). */
const lentShare = 3 / 4;

/** Intel's GPUs under Linux, on which Ollama runs models by Vulkan alone (SYCL ended with 0.12.10). */
export async function intelGpus(around: Surroundings): Promise<Found> {
  const { host, devices, memory } = around;
  const cards = await drmCards(host, "0x8086");
  if (cards.length === 0 || !(await mayUse(host))) return nothing;
  const [managed, computing] = cards.every(isIntegrated)
    ? [[], []]
    : await Promise.all([fromXpuSmi(around), fromClinfo(around)]);
  const gpus: Gpu[] = [];
  const notes: string[] = [];
  let source = "/sys/class/drm";
  for (const card of cards) {
    const managedCard = managed.find(({ slot }) => slot === card.slot);
    const title = managedCard?.name ?? card.name;
    const device = title === undefined ? undefined : findCard(title, devices);
    const name = device?.name ?? title ?? "Intel GPU";
    if (isIntegrated(card)) {
      const total = Math.floor(memory.total * lentShare);
      const free = Math.min(total, memory.free);
      gpus.push({ name, backend: "vulkan", total, free, integrated: true });
      continue;
    }
    const listed =
      computing.find((one) => device && findCard(one.name, devices) === device) ??
      (computing.length === 1 ? computing[0] : undefined);
    const total =
      managedCard?.memory ?? (await ownMemory(card, around)) ?? listed?.memory ?? device?.memory;
    if (managedCard?.memory) source = "xpu-smi";
    if (total === undefined) {
      notes.push(`The memory of ${quoted(name)} is not known; add it to gpus by hand.`);
    } else gpus.push({ name, backend: "vulkan", total, free: total, integrated: false });
  }
  return { gpus, source, notes };
}

/** Intel puts the processor's own GPU at 00:02.0, and boards behind a bridge. */
function isIntegrated({ slot }: DrmCard): boolean {
  return slot === "" || slot === "0000:00:02.0";
}

function findCard(name: string, devices: readonly Device[]): Device | undefined {
  const own = devices.filter(({ vendor }) => vendor === "intel");
  for (const text of [name, ...meanings(name)]) {
    const match = findDevice(own, text.replace(/\((R|TM)\)/gi, " "));
    if (match && "device" in match) return match.device;
  }
  return undefined;
}

/** Bytes on the board, where the driver (i915, xe) says it. */
async function ownMemory({ folder }: DrmCard, { host }: Surroundings): Promise<number | undefined> {
  return (
    (await fileNumber(host, `${folder}/lmem_total_bytes`)) ||
    (await fileNumber(host, `${folder}/device/tile0/physical_vram_size_bytes`)) ||
    undefined
  );
}

async function fromXpuSmi({
  host,
}: Surroundings): Promise<
  { slot: string; name?: string | undefined; memory?: number | undefined }[]
> {
  const list = inside(jsonIn(await printed(host, "xpu-smi", "discovery", "-j")), "device_list");
  return Promise.all(
    recordsIn(list).map(async (one) => {
      const id = String(wholeNumber(one["device_id"]) ?? 0);
      const more = jsonIn(await printed(host, "xpu-smi", "discovery", "-d", id, "-j"));
      return {
        slot: said(one["pci_bdf_address"])?.toLowerCase() ?? "",
        name: said(one["device_name"]),
        memory: wholeNumber(inside(more, "memory_physical_size_byte")) || undefined,
      };
    }),
  );
}

/** Boards that OpenCL lists with memory of their own. */
async function fromClinfo({ host }: Surroundings): Promise<{ name: string; memory: number }[]> {
  const value = jsonIn(await printed(host, "clinfo", "--json"));
  return recordsIn(inside(value, "devices"))
    .flatMap((platform) => recordsIn(platform["online"]))
    .flatMap((one) => {
      const name = said(one["CL_DEVICE_NAME"]);
      const memory = wholeNumber(one["CL_DEVICE_GLOBAL_MEM_SIZE"]);
      const shared = one["CL_DEVICE_HOST_UNIFIED_MEMORY"] === true;
      return name?.includes("Intel") && memory && !shared ? [{ name, memory }] : [];
    });
}

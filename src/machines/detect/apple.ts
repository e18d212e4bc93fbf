import { findDevice, type Device } from "../hardware.js";
import { metalWorkingSet } from "../profile.js";
import { inside, jsonIn, recordsIn, said, wholeNumber } from "./json.js";
import { nothing, printed, type Found, type Surroundings } from "./look.js";

/**
 * The GPU of an Apple chip, with what Metal lets a process keep on it. Ollama has no use for the GPUs of
 * Macs with Intel's processors.
 */
export async function appleGpu(around: Surroundings, chip: string | undefined): Promise<Found> {
  const { host, arch, devices, memory } = around;
  if (arch !== "arm64") return nothing;
  const [displays, limit] = await Promise.all([
    printed(host, "system_profiler", "SPDisplaysDataType", "-json"),
    // Absent before macOS 14, and 0 where nobody set it.
    printed(host, "sysctl", "-n", "iogpu.wired_limit_mb"),
  ]);
  const cards = recordsIn(inside(jsonIn(displays), "SPDisplaysDataType"));
  const card = cards.find((one) => /^apple/i.test(said(one["sppci_model"]) ?? ""));
  const name = said(card?.["sppci_model"]) ?? chip ?? "Apple GPU";
  const cores = wholeNumber(card?.["sppci_cores"]);
  const device = findChip(name, cores, devices);
  const set = wholeNumber(limit?.trim()) ?? 0;
  const total = set > 0 ? set * 2 ** 20 : metalWorkingSet(memory.total, device);
  const most = Math.min(total, memory.total);
  return {
    gpus: [
      {
        name: device?.name ?? name,
        backend: "metal",
        total: most,
        // Metal counts what its own process uses; what the computer has left limits it besides.
        free: most,
        integrated: true,
      },
    ],
    source:
      set > 0 ? "sysctl iogpu.wired_limit_mb" : "what macOS 13 to 15 let Metal use of this memory",
    notes: [],
  };
}

/** Some chips come with two counts of GPU cores, which differ in bandwidth: "Apple M4 Max 40-core". */
function findChip(
  name: string,
  cores: number | undefined,
  devices: readonly Device[],
): Device | undefined {
  for (const text of [`${name} ${cores}-core`, name]) {
    const match = findDevice(devices, text);
    if (match && "device" in match && match.device.vendor === "apple") return match.device;
  }
  return undefined;
}

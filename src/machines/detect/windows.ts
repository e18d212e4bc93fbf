import { quoted } from "../../yaml.js";
import { findDevice } from "../hardware.js";
import type { Gpu } from "../machine.js";
import { defaultBackend, offered } from "../profile.js";
import { jsonIn, recordsIn, said, wholeNumber } from "./json.js";
import { printed, type Found, type Surroundings } from "./look.js";

/** AdapterRAM has 32 bits: this and more means 4 GiB or more. */
const mostAdapterRam = 2 ** 32 - 2 ** 20;

/** Windows lets a GPU in the processor use half of the computer's memory. */
const lentShare = 1 / 2;

/** Cards that Windows knows, but for NVIDIA's where nvidia-smi has told of them. */
export async function windowsGpus(around: Surroundings, nvidiaKnown: boolean): Promise<Found> {
  const { host, devices, memory, os } = around;
  const query = "Get-CimInstance Win32_VideoController | ConvertTo-Json";
  const cards = recordsIn(
    jsonIn(await printed(host, "powershell", "-NoProfile", "-Command", query)),
  );
  const gpus: Gpu[] = [];
  const notes: string[] = [];
  for (const card of cards) {
    // Remote and virtual displays are cards to Windows as well.
    const name = said(card["Name"]);
    const vendor = /\b(nvidia|amd|radeon|intel)\b/i.exec(name ?? "")?.[1]?.toLowerCase();
    if (name === undefined || !vendor || (vendor === "nvidia" && nvidiaKnown)) continue;
    const ram = wholeNumber(card["AdapterRAM"]);
    const exact = ram !== undefined && ram > 0 && ram < mostAdapterRam ? ram : undefined;
    const match = findDevice(devices, name.replace(/\((R|TM)\)/gi, " "));
    const device = match && "device" in match ? match.device : undefined;
    const integrated =
      device?.integrated ??
      (!device &&
        /\b(UHD|HD|Iris)\b|Radeon(?:\(TM\))?( Vega \d+)? Graphics$|\bArc(?:\(TM\))? Graphics$/i.test(
          name,
        ));
    const total = integrated ? Math.floor(memory.total * lentShare) : (device?.memory ?? exact);
    const driver = said(card["DriverVersion"]);
    const backend = device ? defaultBackend(device, os) : vendor === "nvidia" ? "cuda" : "vulkan";
    if (total === undefined) {
      notes.push(
        `The memory of ${quoted(name)} is not known: Windows gives no more than 4 GiB. Add it to gpus by hand.`,
      );
      continue;
    }
    const most = integrated ? memory.free : offered(total, { device, backend, os });
    const compute = device?.compute ?? device?.gfx;
    gpus.push({
      name: device?.name ?? name,
      backend,
      total,
      free: Math.min(total, most),
      ...(compute !== undefined && { compute }),
      ...(driver !== undefined && { driver }),
      integrated,
    });
  }
  return { gpus, source: "Win32_VideoController and the known GPUs", notes };
}

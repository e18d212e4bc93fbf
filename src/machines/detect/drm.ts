import type { Host } from "../../host.js";
import { exists, fileText, inContainer, namesIn, printed } from "./look.js";

/** A graphics card that the Linux kernel drives. */
export interface DrmCard {
  /** "/sys/class/drm/card0". */
  folder: string;
  /** "0x1002". */
  vendor: string;
  /** "0000:03:00.0"; empty where the kernel does not say. */
  slot: string;
  /** As the list of PCI ids names it, where lspci is there: "Navi 31 [Radeon RX 7900 XTX]". */
  name?: string;
}

/** Whether this process may use what the kernel drives: a container sees all cards in /sys. */
export async function mayUse(host: Host): Promise<boolean> {
  return !(await inContainer(host)) || (await exists(host, "/dev/dri")) || exists(host, "/dev/kfd");
}

/** The cards of a PCI vendor in the kernel's order. */
export async function drmCards(host: Host, vendor: string): Promise<DrmCard[]> {
  const names = (await namesIn(host, "/sys/class/drm")).filter((name) => /^card\d+$/.test(name));
  const cards = await Promise.all(
    names.map(async (name): Promise<DrmCard> => {
      const folder = `/sys/class/drm/${name}`;
      const [made, event] = await Promise.all([
        fileText(host, `${folder}/device/vendor`),
        fileText(host, `${folder}/device/uevent`),
      ]);
      const slot = /^PCI_SLOT_NAME=(\S+)$/m.exec(event ?? "")?.[1] ?? "";
      return { folder, vendor: (made ?? "").toLowerCase(), slot };
    }),
  );
  const own = cards.filter((card) => card.vendor === vendor);
  if (own.length === 0) return [];
  const listed = pciNames((await printed(host, "lspci", "-mm", "-nn")) ?? "");
  return own.map((card) => {
    // lspci leaves out the domain where all is 0000.
    const name = listed.get(card.slot) ?? listed.get(card.slot.replace(/^0000:/, ""));
    return { ...card, ...(name !== undefined && { name }) };
  });
}

/** Names by slot, of `03:00.0 "VGA compatible controller [0300]" "Vendor [1002]" "Name [744c]" …`. */
function pciNames(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const [, slot, name] = /^(\S+) "[^"]*" "[^"]*" "([^"]*)"/.exec(line) ?? [];
    if (slot && name) found.set(slot, name.replace(/ \[[0-9a-f]{4}\]$/, ""));
  }
  return found;
}

/**
 * The names that may be meant by one of the list of PCI ids: "Navi 31 [Radeon RX 7900 XT/7900 XTX]" is
 * "Radeon RX 7900 XT" or "7900 XTX", and "Navi 31" where those are not known.
 */
export function meanings(name: string): string[] {
  const [, chip = name, marketed] = /^(.*?) *\[(.+)\]$/.exec(name) ?? [];
  const names = (marketed ?? "").split("/").map((text) => text.trim());
  return [...names.filter(Boolean), chip];
}

import type { Host } from "../../host.js";
import type { Device } from "../hardware.js";
import type { Gpu, Machine } from "../machine.js";
import { wholeNumber } from "./json.js";

/*
 * Looking at a computer. Tools are missing, print half of what they should, and change their formats:
 * whatever cannot be read is undefined or empty here, and nothing throws.
 */

/** What finding the GPUs of one vendor needs to know. */
export interface Surroundings {
  host: Host;
  os: Machine["os"];
  /** As Node names it: "x64", "arm64". */
  arch: string;
  /** Bytes. */
  memory: { total: number; free: number };
  devices: readonly Device[];
  /** A variable of the server's environment, where it is known, else of this process. */
  variable: (name: string) => string | undefined;
}

/** GPUs, what told of them, and what the user should know besides. */
export interface Found {
  gpus: readonly Gpu[];
  /** "nvidia-smi". */
  source?: string;
  /** One sentence each. */
  notes: readonly string[];
}

export const nothing: Found = { gpus: [], notes: [] };

/** What a program prints on standard output; undefined where it cannot be run, fails, or is silent. */
export async function printed(
  host: Host,
  program: string,
  ...args: readonly string[]
): Promise<string | undefined> {
  try {
    return (await host.run?.(program, args)) || undefined;
  } catch {
    return undefined;
  }
}

/** The text of a small file of /proc, /sys or /etc, without blanks and NULs at its ends. */
export async function fileText(host: Host, path: string): Promise<string | undefined> {
  try {
    // A file of /proc has no size, so it can only be read whole.
    const text = new TextDecoder().decode(await host.read(path));
    return text.replace(/^[\s\0]+|[\s\0]+$/g, "");
  } catch {
    return undefined;
  }
}

/** The whole number of 0 or more that a file holds. */
export async function fileNumber(host: Host, path: string): Promise<number | undefined> {
  return wholeNumber(await fileText(host, path));
}

/** Names in a folder, "card2" before "card10". */
export async function namesIn(host: Host, folder: string): Promise<string[]> {
  try {
    const names = await host.list(folder);
    return names.sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  } catch {
    return [];
  }
}

export async function exists(host: Host, path: string): Promise<boolean> {
  return (await host.stat(path).catch(() => undefined)) !== undefined;
}

/** A container, which may see the host's devices in /sys and yet have none of them. */
export async function inContainer(host: Host): Promise<boolean> {
  return (await exists(host, "/.dockerenv")) || exists(host, "/run/.containerenv");
}

/** Bytes of a whole number of MiB above 0. */
export function mebibytes(value: unknown): number | undefined {
  const number = wholeNumber(value);
  const bytes = number === undefined ? undefined : number * 2 ** 20;
  return Number.isSafeInteger(bytes) && bytes !== 0 ? bytes : undefined;
}

/**
 * The devices that a list such as "2,0" or "GPU-5d5ba0d6" leaves, in its order; all where there is no
 * list. An entry is a place among the devices or the beginning of an id; reading ends at the first that
 * names none, as CUDA's and ROCm's own does, so "-1" hides everything.
 */
export function chosen<T>(
  devices: readonly T[],
  list: string | undefined,
  idOf: (device: T) => string | undefined = () => undefined,
): T[] {
  if (list === undefined) return [...devices];
  const found: T[] = [];
  for (const entry of list.split(",").map((text) => text.trim())) {
    const device = /^\d+$/.test(entry)
      ? devices[Number(entry)]
      : devices.find((one) => entry !== "" && idOf(one)?.startsWith(entry));
    if (!device || found.includes(device)) break;
    found.push(device);
  }
  return found;
}

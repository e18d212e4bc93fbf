import { InputError } from "../host.js";
import { nearest } from "../nearest.js";
import { checked } from "../schema.js";
import { quoted, readYaml, type Locate } from "../yaml.js";
import { findDevice, hardware, similarDevice, type Device } from "./hardware.js";
import type { Backend, Gpu, Machine } from "./machine.js";
import { formatBytes, parseSize, sizeProblem } from "./sizes.js";

type Size = string | number;

/** A profile as people write it; src/machines/profile.schema.json describes each key. */
export interface Profile {
  name?: string | number;
  os?: Machine["os"];
  ram: Size;
  ram_free?: Size;
  swap?: Size;
  cores?: number;
  gpus?: readonly GpuProfile[];
  storage?: NonNullable<Machine["storage"]>;
  ollama?: string | number;
  server?: Readonly<Record<string, string | number | boolean>>;
}

interface GpuProfile {
  name?: string | number;
  count?: number;
  memory?: Size;
  free?: Size;
  overhead?: Size;
  backend?: Backend;
  compute?: string | number;
  driver?: string | number;
  integrated?: boolean;
}

const GiB = 2 ** 30;
const mostGpus = 1024;

/**
 * The machine that a profile (YAML or JSON) describes, what it leaves out filled in. Throws
 * InputError with path, line and column of what cannot be used.
 */
export async function readProfile(text: string, path: string): Promise<Machine> {
  const { value, locate } = await readYaml(text, path);
  return profileFromValue(value, locate, path);
}

/**
 * The machine that a profile inside another file describes. `locate` gives the places of the
 * profile's own keys in `file`. Throws InputError.
 */
export async function profileFromValue(
  value: unknown,
  locate: Locate,
  file: string,
): Promise<Machine> {
  const example = "`modelfile-lint machine NAME` prints an example.";
  const fail = (message: string, path: readonly string[], part?: "key"): never => {
    throw new InputError(message, { path: file, ...locate(path, part) });
  };
  if (value === null || value === undefined) fail(`The profile is empty. ${example}`, []);
  const schema = await import("./profile.validate.js");
  const profile = checked(schema, value, { locate, file, whole: "profile" });
  const { devices } = await hardware();

  const size = (written: Size, path: readonly string[]): number => {
    const bytes = parseSize(written);
    const key = path.at(-1)!;
    if (bytes === undefined) return fail(`${key}: ${sizeProblem(written)}`, path);
    if (bytes > 0 && bytes < 2 ** 20) {
      const hint = bytes <= 4096 ? `Did you mean ${bytes}GiB?` : "Add a unit, such as MiB.";
      return fail(`${key} is ${bytes} bytes. ${hint}`, path);
    }
    return bytes;
  };

  const total = size(profile.ram, ["ram"]);
  if (total === 0) fail("ram is 0. Write the total, such as 16GiB.", ["ram"]);
  const free =
    profile.ram_free === undefined
      ? Math.floor(total - Math.min(2 * GiB, total / 10))
      : size(profile.ram_free, ["ram_free"]);
  if (free > total) {
    const most = formatBytes(total);
    fail(`ram_free is ${formatBytes(free)}, more than the ${most} of ram.`, ["ram_free"]);
  }

  const written = profile.gpus ?? [];
  const os = profile.os ?? (written.some(isApple) ? "darwin" : "linux");
  const gpus: Gpu[] = [];
  for (const [index, gpu] of written.entries()) {
    const path = ["gpus", String(index)];
    const count = gpu.count ?? 1;
    if (gpus.length + count > mostGpus) {
      fail(`More than ${mostGpus} GPUs are listed in all.`, gpu.count ? [...path, "count"] : path);
    }
    const read = readGpu(gpu, { os, ram: total, devices, size, fail, path });
    for (let i = 0; i < count; i++) gpus.push(read);
  }

  return {
    name: String(profile.name ?? "") || describe(gpus, total),
    os,
    memory: { total, free, swap: profile.swap === undefined ? 0 : size(profile.swap, ["swap"]) },
    ...(profile.cores !== undefined && { cores: profile.cores }),
    gpus,
    ...(profile.storage !== undefined && { storage: profile.storage }),
    ...(profile.ollama !== undefined && { ollama: String(profile.ollama) }),
    server: texts(profile.server ?? {}),
  };
}

function isApple(gpu: GpuProfile): boolean {
  return gpu.backend === "metal" || /^apple\b/i.test(String(gpu.name ?? ""));
}

interface Surroundings {
  os: Machine["os"];
  /** Bytes. */
  ram: number;
  devices: readonly Device[];
  size: (written: Size, path: readonly string[]) => number;
  fail: (message: string, path: readonly string[], part?: "key") => never;
  path: readonly string[];
}

function readGpu(gpu: GpuProfile, around: Surroundings): Gpu {
  const { os, ram, devices, size, fail, path } = around;
  const memory = gpu.memory === undefined ? undefined : size(gpu.memory, [...path, "memory"]);
  if (memory === 0) fail("memory is 0. Write what the driver reports.", [...path, "memory"]);
  const name = String(gpu.name ?? "").trim();
  const place = name ? [...path, "name"] : path;
  const shown = name ? `GPU ${quoted(name)}` : "This GPU";

  const match = name ? findDevice(devices, name, memory) : undefined;
  if (match && "several" in match) {
    const names = match.several.map((device) => `"${device.name}"`).join(" or ");
    return fail(`${shown} comes with different memory. Write ${names}, or add memory.`, place);
  }
  const device = match?.device;

  const backend = gpu.backend ?? (device ? defaultBackend(device, os) : guessBackend(name));
  if (backend === "metal" && os !== "darwin") {
    return fail(
      `Metal runs on macOS alone, and os is ${os}.`,
      gpu.backend ? [...path, "backend"] : place,
    );
  }
  const metal = backend === "metal" ? metalWorkingSet(ram, device) : undefined;
  const total = memory ?? device?.memory ?? metal;
  if (backend === undefined || total === undefined) {
    const missing = [
      ...(total === undefined ? ["memory"] : []),
      ...(backend === undefined ? ["backend"] : []),
    ].join(" and ");
    const guess = name && !device ? similarDevice(devices, name, nearest) : undefined;
    const hint = guess ? `Did you mean "${guess}"?` : `Add ${missing}.`;
    if (!name) return fail(`This GPU has neither a name nor ${missing}. ${hint}`, place);
    if (!device) return fail(`${shown} is not known. ${hint}`, place);
    return fail(`The memory of ${shown} is not known. ${hint}`, place);
  }

  let free: number;
  if (gpu.free === undefined) free = offered(total, { device, backend, os, metal });
  else {
    free = size(gpu.free, [...path, "free"]);
    if (free > total) {
      const most = formatBytes(total);
      fail(`free is ${formatBytes(free)}, more than the ${most} of memory.`, [...path, "free"]);
    }
  }
  const overhead =
    gpu.overhead === undefined ? undefined : size(gpu.overhead, [...path, "overhead"]);
  if (overhead !== undefined && overhead > total) {
    const most = formatBytes(total);
    fail(`overhead is ${formatBytes(overhead)}, more than the ${most} of memory.`, [
      ...path,
      "overhead",
    ]);
  }
  const compute = gpu.compute ?? device?.compute ?? device?.gfx;
  return {
    name: (match?.certain ? device?.name : name) || `${backend} GPU`,
    backend,
    total,
    free,
    ...(compute !== undefined && {
      // YAML reads 8.0 without quotes as a number.
      compute: typeof compute === "number" ? compute.toFixed(1) : compute,
    }),
    ...(overhead !== undefined && { overhead }),
    ...(gpu.driver !== undefined && { driver: String(gpu.driver) }),
    integrated: gpu.integrated ?? device?.integrated ?? backend === "metal",
  };
}

/** What Ollama prefers to run models with on a known device. */
export function defaultBackend(device: Device, os: Machine["os"]): Backend {
  const [first, second] = device.backends;
  if (os === "windows" && first === "rocm" && !device.rocmOnWindows && second) return second;
  return first!;
}

/** The backend of a GPU too new, or too rare, to be known. */
function guessBackend(name: string): Backend | undefined {
  if (/^apple\b/i.test(name)) return "metal";
  return /\b(nvidia|geforce|rtx|gtx|quadro|tesla)\b/i.test(name) ? "cuda" : undefined;
}

/** Bytes that an idle GPU offers: what the engine's own device list shows, where that is known. */
export function offered(
  total: number,
  about: {
    device: Device | undefined;
    backend: Backend;
    os: Machine["os"];
    /** Bytes that Metal allows. */
    metal?: number | undefined;
  },
): number {
  const { device, backend, os, metal } = about;
  if (metal !== undefined) return Math.min(total, metal);
  if (!device || total !== device.memory) return total;
  if (backend === "cuda" && os === "windows") return total - 2 ** 20;
  return (backend === "cuda" || backend === "rocm") && device.visible ? device.visible : total;
}

/**
 * Bytes that Metal lets a process keep on the GPU (recommendedMaxWorkingSetSize on macOS 13 to 15):
 * two thirds of the memory, three quarters from 36 GiB, in whole pages.
 */
export function metalWorkingSet(ram: number, device?: Pick<Device, "workingSet">): number {
  const measured = device?.workingSet?.[String(ram / GiB)];
  if (measured !== undefined) return measured;
  const page = 16 * 1024;
  return Math.min(ram, Math.ceil((ram * (ram >= 36 * GiB ? 3 / 4 : 2 / 3)) / page) * page);
}

/** Server variables as the environment holds them. */
export function texts(
  variables: Readonly<Record<string, string | number | boolean>>,
): Record<string, string> {
  return Object.fromEntries(Object.entries(variables).map(([key, value]) => [key, String(value)]));
}

/** "2 × Tesla T4, 64.00 GiB": what an unnamed machine is called. `ram` in bytes. */
export function describe(gpus: readonly Gpu[], ram: number): string {
  const counts = new Map<string, number>();
  for (const { name } of gpus) counts.set(name, (counts.get(name) ?? 0) + 1);
  const parts = [...counts].map(([name, count]) => (count > 1 ? `${count} × ${name}` : name));
  return [...(parts.length > 0 ? parts : ["CPU"]), formatBytes(ram)].join(", ");
}

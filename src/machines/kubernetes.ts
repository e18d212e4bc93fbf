import { InputError } from "../host.js";
import { quoted } from "../yaml.js";
import { inside, isRecord, recordsIn } from "./detect/json.js";
import type { Machine } from "./machine.js";
import { describe, profileFromValue } from "./profile.js";

/** What `kubectl get nodes -o json` holds. */
export interface Fleet {
  /** One element a kind of node, named after how many there are: "4 × g5.xlarge". */
  machines: readonly Machine[];
  /** Which nodes are left out and why, one sentence each. */
  notes: readonly string[];
}

/** A value as JSON brought it. */
type Node = Readonly<Record<string, unknown>>;
type Texts = Readonly<Record<string, string>>;

const MiB = 2 ** 20;
const mostGpus = 1024;
const mostCores = 65536;

/** Whether a text looks like what kubectl prints as JSON: an object with a kind that holds nodes. */
export function looksLikeNodes(text: string): boolean {
  return /^\s*\{/.test(text) && /"kind"\s*:\s*"(?:List|NodeList|Node)"/.test(text);
}

/**
 * The machines that `kubectl get nodes -o json` describes, one a kind of node. Throws InputError where
 * it is none, where a number is impossible, or where no node is left.
 */
export async function machinesFromNodes(
  text: string,
  path = "nodes.json",
): Promise<readonly Machine[]> {
  return (await readNodes(text, path)).machines;
}

/** As `machinesFromNodes`, and which nodes are left out. */
export async function readNodes(text: string, path: string): Promise<Fleet> {
  const fail = (message: string): never => {
    throw new InputError(message, { path });
  };
  const nodes = nodesIn(text, fail);
  const notes: string[] = [];
  const kinds = new Map<string, Kind[]>();
  for (const node of nodes) {
    const name = textAt(node, "metadata", "name") ?? "without a name";
    const unfit = reasonAgainst(node);
    if (unfit !== undefined) {
      notes.push(`Node ${quoted(name)} is left out: ${unfit}.`);
      continue;
    }
    const read = await machineOf(node, name, {
      path,
      fail: (message) => fail(`Node ${quoted(name)}: ${message}`),
      note: (message) => notes.push(`Node ${quoted(name)}${message}`),
    });
    if (read) add(kinds, { ...read, node: name, count: 1 });
  }
  const all = [...kinds.values()].flat();
  if (all.length === 0) {
    const [first] = notes;
    fail(`No node here can run a model. ${first ?? "The list is empty."}`);
  }
  return { machines: named(all), notes };
}

/** Nodes that are alike. */
interface Kind {
  machine: Machine;
  /** "g5.xlarge", where the cloud says it. */
  type: string | undefined;
  /** The first of them. */
  node: string;
  count: number;
}

/** Nodes of one type differ by a few MiB, which the kernel keeps for itself: the least of all counts. */
function add(kinds: Map<string, Kind[]>, kind: Kind): void {
  const { memory, name: _, ...rest } = kind.machine;
  const key = JSON.stringify([kind.type, rest]);
  const alike = kinds.get(key) ?? [];
  kinds.set(key, alike);
  const same = alike.find(
    ({ machine }) => Math.abs(machine.memory.total / memory.total - 1) < 0.02,
  );
  if (!same) {
    alike.push(kind);
    return;
  }
  same.count++;
  const least = Math.min(same.machine.memory.total, memory.total);
  const free = Math.min(same.machine.memory.free, memory.free);
  same.machine = { ...same.machine, memory: { ...memory, total: least, free } };
}

function named(kinds: readonly Kind[]): Machine[] {
  const names = kinds.map(({ machine, type, node, count }) => {
    const what = type ?? (count === 1 ? node : describe(machine.gpus, machine.memory.total));
    return count === 1 ? what : `${count} × ${what}`;
  });
  return kinds.map(({ machine, node }, index) => {
    const name = names[index]!;
    const twice = names.filter((other) => other === name).length > 1;
    return { ...machine, name: twice ? `${name} (${node})` : name };
  });
}

function nodesIn(text: string, fail: (message: string) => never): Node[] {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return fail("This is no JSON. Write the file with `kubectl get nodes -o json`.");
  }
  const items = inside(value, "items");
  const nodes = inside(value, "kind") === "Node" ? [value] : items;
  if (!Array.isArray(nodes)) {
    return fail("This is no list of nodes. Write it with `kubectl get nodes -o json`.");
  }
  return nodes.map((node: unknown): Node => {
    const kind = inside(node, "kind");
    // The items of a NodeList leave their kind out.
    if (isRecord(node) && (kind === "Node" || kind === undefined)) return node;
    const shown = typeof kind === "string" ? quoted(kind) : "something else";
    return fail(`This lists ${shown}, not nodes. Write it with \`kubectl get nodes -o json\`.`);
  });
}

/** Why Kubernetes would put nothing on a node. */
function reasonAgainst(node: Node): string | undefined {
  if (inside(node, "spec", "unschedulable") === true) return "it is cordoned";
  const ready = recordsIn(inside(node, "status", "conditions")).find(
    ({ type }) => type === "Ready",
  );
  if (ready && ready["status"] !== "True") return "it is not ready";
  const control = recordsIn(inside(node, "spec", "taints")).some(
    ({ key, effect }) =>
      /^node-role\.kubernetes\.io\/(control-plane|master)$/.test(String(key)) &&
      effect !== "PreferNoSchedule",
  );
  return control ? "it belongs to the control plane" : undefined;
}

interface Reading {
  path: string;
  fail: (message: string) => never;
  /** Takes what follows the node's name. */
  note: (message: string) => void;
}

/** A node as a machine; undefined, with a note, where its GPUs cannot be known. */
async function machineOf(
  node: Node,
  name: string,
  reading: Reading,
): Promise<Pick<Kind, "machine" | "type"> | undefined> {
  const { fail } = reading;
  const labels = texts(inside(node, "metadata", "labels"));
  const capacity = texts(inside(node, "status", "capacity"));
  const allocatable = { ...capacity, ...texts(inside(node, "status", "allocatable")) };
  const quantity = (from: Texts, key: string): number | undefined => {
    const written = from[key];
    if (written === undefined) return undefined;
    const found = parseQuantity(written);
    if (found !== undefined) return found;
    const why = written.startsWith("-") ? "less than 0" : "which is no quantity such as 16Gi or 4";
    return fail(`${key} is ${quoted(written)}, ${why}.`);
  };

  const total = quantity(capacity, "memory");
  if (total === undefined) {
    return fail("status.capacity has no memory. Write it with `kubectl get nodes -o json`.");
  }
  if (total < MiB || total > Number.MAX_SAFE_INTEGER) {
    return fail(`memory is ${quoted(capacity["memory"]!)}, which no computer has.`);
  }
  const free = quantity(allocatable, "memory") ?? total;
  if (free > total) {
    const [some, all] = [allocatable["memory"]!, capacity["memory"]!];
    return fail(`${quoted(some)} of memory is allocatable, more than the capacity ${quoted(all)}.`);
  }
  const processors = quantity(capacity, "cpu");
  if (processors !== undefined && (processors === 0 || processors > mostCores)) {
    return fail(`cpu is ${quoted(capacity["cpu"]!)}, which no computer has.`);
  }
  // Kubernetes counts threads; node feature discovery says whether two of them share a core.
  const shared = labels["feature.node.kubernetes.io/cpu-hardware_multithreading"] === "true";
  const cores = processors && Math.max(1, Math.floor(shared ? processors / 2 : processors));

  const count = (key: string): number => {
    const written = quantity(allocatable, key) ?? 0;
    if (Number.isInteger(written) && written <= mostGpus) return written;
    return fail(`${key} is ${quoted(allocatable[key]!)}, which is no number of GPUs.`);
  };
  const resources = [...new Set([...Object.keys(capacity), ...Object.keys(allocatable)])];
  const gpus = gpusOf({ labels, resources, count, reading });
  if (!gpus) return undefined;

  const os = labels["kubernetes.io/os"] ?? textAt(node, "status", "nodeInfo", "operatingSystem");
  const profile = {
    name,
    os: os === "windows" ? "windows" : "linux",
    ram: Math.floor(total),
    ram_free: free < MiB ? 0 : Math.floor(free),
    ...(cores && { cores }),
    gpus,
  };
  // A label may be there and empty.
  const type =
    labels["node.kubernetes.io/instance-type"] || labels["beta.kubernetes.io/instance-type"];
  try {
    return {
      machine: await profileFromValue(profile, () => undefined, reading.path),
      type: type || undefined,
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return fail(error.message);
  }
}

/** A GPU as a profile writes it; memory in bytes. */
interface WrittenGpu {
  name: string;
  count: number;
  memory?: number;
  backend?: "cuda" | "rocm" | "vulkan";
  compute?: string;
  driver?: string;
}

interface Offer {
  labels: Texts;
  /** Names of what the node offers. */
  resources: readonly string[];
  /** How many of it pods may have. */
  count: (resource: string) => number;
  reading: Reading;
}

/** The GPUs of a node; undefined, with a note, where they cannot be known. */
function gpusOf(offer: Offer): WrittenGpu[] | undefined {
  const nvidia = nvidiaGpus(offer);
  const amd = nvidia && amdGpus(offer);
  return amd && [...nvidia, ...amd, ...intelGpus(offer)];
}

const unnamed =
  " is left out: no label names its GPUs. Let GPU feature discovery label it, or write a profile.";

/** By the labels of NVIDIA's GPU feature discovery, Google's node pools or Karpenter. */
function nvidiaGpus({ labels, resources, count, reading }: Offer): WrittenGpu[] | undefined {
  const number = labelReader(labels, reading);
  const { major, minor } = {
    major: number("gpu.compute.major"),
    minor: number("gpu.compute.minor"),
  };
  const driver =
    labels["nvidia.com/cuda.driver-version.full"] ??
    ["major", "minor", "rev"]
      .map((part) => labels[`nvidia.com/cuda.driver.${part}`])
      .filter((part) => part !== undefined && part !== "")
      .join(".");
  const common = {
    backend: "cuda" as const,
    ...(major !== undefined && minor !== undefined && { compute: `${major}.${minor}` }),
    ...(driver !== "" && { driver }),
  };

  const offered = count("nvidia.com/gpu") + count("nvidia.com/gpu.shared");
  if (offered > 0) {
    const product = productName(labels["nvidia.com/gpu.product"]);
    const name =
      product ??
      labels["cloud.google.com/gke-accelerator"] ??
      labels["karpenter.k8s.aws/instance-gpu-name"];
    if (name === undefined) {
      reading.note(unnamed);
      return undefined;
    }
    // A card that is shared stays one card, however many tickets there are for it.
    const replicas = Math.max(1, number("gpu.replicas") ?? 1);
    const cards = Math.max(1, Math.ceil(offered / replicas));
    const memory = number("gpu.memory");
    if (memory === 0) reading.fail("nvidia.com/gpu.memory is 0.");
    // Of MIG instances a process sees a single one.
    const most = /-MIG-/.test(name) ? 1 : Math.min(cards, number("gpu.count") || cards);
    return [
      {
        name: spaced(name),
        count: most,
        ...(memory !== undefined && { memory: memory * MiB }),
        ...common,
      },
    ];
  }

  const instances = resources
    .filter((resource) => resource.startsWith("nvidia.com/mig-") && count(resource) > 0)
    .map((resource) => {
      const form = resource.slice("nvidia.com/".length).replace(/\.shared$/, "");
      const size = Number(/\.(\d+)gb/.exec(form)?.[1] ?? 0);
      // A profile named 10gb holds 9.5 GiB.
      const memory = number(`${form}.memory`) ?? Math.floor(size * 0.95 * 1024);
      const card = productName(labels["nvidia.com/gpu.product"]);
      const product =
        productName(labels[`nvidia.com/${form}.product`]) ??
        (card === undefined ? form : `${card}-${form.replace("mig", "MIG")}`);
      return { name: spaced(product), count: 1, memory: memory * MiB, ...common };
    })
    .sort((a, b) => b.memory - a.memory);
  const [largest] = instances.filter(({ memory }) => memory > 0);
  if (largest) return [largest];
  if (labels["nvidia.com/gpu.product"]) reading.note(": it offers none of its GPUs at present.");
  return [];
}

/** Whole numbers of NVIDIA's labels. */
function labelReader(labels: Texts, { fail }: Reading) {
  return (key: string): number | undefined => {
    const written = labels[`nvidia.com/${key}`];
    if (written === undefined || written === "") return undefined;
    // 9 digits of MiB are 900 TiB.
    if (/^\d{1,9}$/.test(written)) return Number(written);
    return fail(`nvidia.com/${key} is ${quoted(written)}, which is no whole number.`);
  };
}

/** A product label without the mark of a shared card. */
function productName(label: string | undefined): string | undefined {
  return label?.replace(/-SHARED$/, "") || undefined;
}

/** Labels hold no blanks: "NVIDIA-GeForce-RTX-3090", "AMD_Instinct_MI300X_OAM". */
function spaced(label: string): string {
  return label
    .replace(/_/g, " ")
    .replace(/-(?=[A-Z\d])/g, " ")
    .replace(/ OAM$/, "");
}

/** By the labels of AMD's device plugin: vram "16G", or, in older ones, vram.16G. */
function amdGpus({ labels, count, reading }: Offer): WrittenGpu[] | undefined {
  const cards = count("amd.com/gpu");
  if (cards === 0) return [];
  const label = (key: string): string | undefined => {
    for (const prefix of ["amd.com/gpu.", "beta.amd.com/gpu."]) {
      const direct = labels[prefix + key];
      if (direct) return direct;
      const longer = Object.keys(labels).find((name) => name.startsWith(`${prefix}${key}.`));
      if (longer !== undefined) return longer.slice(prefix.length + key.length + 1);
    }
    return undefined;
  };
  const vram = label("vram");
  const gib = /^(\d{1,6})G$/.exec(vram ?? "")?.[1];
  if (vram !== undefined && !Number(gib)) {
    return reading.fail(`amd.com/gpu.vram is ${quoted(vram)}, which is no size such as 16G.`);
  }
  const product = label("product-name");
  if (product === undefined && gib === undefined) {
    reading.note(unnamed);
    return undefined;
  }
  const id = label("device-id");
  const name = product ? spaced(product) : `AMD GPU${id === undefined ? "" : ` ${id}`}`;
  return [
    {
      name,
      count: cards,
      ...(gib !== undefined && { memory: Number(gib) * 2 ** 30 }),
      backend: "rocm",
    },
  ];
}

/** By the labels of Intel's device plugin, which Ollama uses by Vulkan; not those inside processors. */
function intelGpus({ labels, count, reading }: Offer): WrittenGpu[] {
  if (count("gpu.intel.com/i915") + count("gpu.intel.com/xe") === 0) return [];
  const written = labels["gpu.intel.com/memory.max"];
  const memory = /^\d{7,15}$/.test(written ?? "") ? Number(written) : undefined;
  if (memory === undefined) {
    reading.note(": its Intel GPU is not counted, since no label gives its memory.");
    return [];
  }
  const product = labels["gpu.intel.com/product"];
  const cards = Number(/^\d{1,3}$/.exec(labels["gpu.intel.com/gpu-numbers"] ?? "")?.[0] ?? 0);
  const name = product ? `Intel ${spaced(product)}` : "Intel GPU";
  return [{ name, count: Math.max(1, cards), memory, backend: "vulkan" }];
}

const suffixes: ReadonlyMap<string, number> = new Map([
  ["", 1],
  ["n", 1e-9],
  ["u", 1e-6],
  ["m", 1e-3],
  ["k", 1e3],
  ["M", 1e6],
  ["G", 1e9],
  ["T", 1e12],
  ["P", 1e15],
  ["E", 1e18],
  ["Ki", 2 ** 10],
  ["Mi", 2 ** 20],
  ["Gi", 2 ** 30],
  ["Ti", 2 ** 40],
  ["Pi", 2 ** 50],
  ["Ei", 2 ** 60],
]);

/**
 * The number that a quantity of Kubernetes stands for: "16073728Ki", "3920m", "1.5Gi", "1e3". Undefined
 * for anything else, and below 0.
 */
export function parseQuantity(text: string): number | undefined {
  const match =
    /^\+?(\d{1,30}(?:\.\d{0,30})?|\.\d{1,30})(?:([numkMGTPE]|[KMGTPE]i)|[eE]([+-]?\d{1,2}))?$/.exec(
      text,
    );
  if (!match) return undefined;
  return Number(match[1]) * suffixes.get(match[2] ?? "")! * 10 ** Number(match[3] ?? 0);
}

function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = inside(value, ...path);
  return typeof found === "string" && found !== "" ? found : undefined;
}

/** A mapping's texts and numbers, as text. */
function texts(value: unknown): Texts {
  const found = new Map<string, string>();
  for (const [key, inner] of Object.entries(isRecord(value) ? value : {})) {
    if (typeof inner === "string" || typeof inner === "number") found.set(key, String(inner));
  }
  return Object.fromEntries(found);
}

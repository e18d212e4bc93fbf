import type { DevicePlan, Plan } from "../plan/plan.js";
import { takesPart } from "../plan/in-words.js";

/** One memory of the machine as tables and pictures show it; bytes. */
export interface Memory {
  /** As llama.cpp calls it ("CUDA0"), "RAM", or how many cards stand in this line. */
  label: string;
  /** The card's own name; "" for RAM. */
  name: string;
  /** Nothing lies there. */
  unused: boolean;
  total: number;
  free: number;
  layers: number;
  weights: number;
  /** Weights that stay in the file, read through what is free. */
  mapped: number;
  cache: number;
  recurrent: number;
  compute: number;
  output: number;
  projector: number;
  overhead: number;
  used: number;
  /** Of RAM: what GPUs without a memory of their own take of it. */
  shared: number;
  /** Below 0: what is missing. */
  left: number;
  /** What may be moved out to the disk. */
  swap: number;
}

/** Each card that takes part, the others with their like counted in one line, and RAM. */
export function memoriesOf(plan: Plan): Memory[] {
  const inUse = plan.devices.filter(takesPart);
  const groups = new Map<string, DevicePlan[]>();
  for (const device of plan.devices) {
    if (takesPart(device)) continue;
    const key = JSON.stringify([device.name, device.total, device.free]);
    groups.set(key, [...(groups.get(key) ?? []), device]);
  }
  const more = inUse.length > 0 ? "more" : "GPUs";
  const idle = [...groups.values()].map((alike): Memory => {
    const [device] = alike;
    const label = alike.length === 1 ? device!.id : `${alike.length} ${more}`;
    return { ...cardMemory(device!), label, unused: true };
  });
  return [...inUse.map(cardMemory), ...idle, hostMemory(plan)];
}

function cardMemory(device: DevicePlan): Memory {
  return { ...device, label: device.id, unused: false, mapped: 0, output: 0, shared: 0, swap: 0 };
}

function hostMemory({ host, devices, machine, mmap }: Plan): Memory {
  const within = devices.filter((_, index) => machine.gpus[index]?.integrated);
  const shared = within.reduce((sum, { used }) => sum + used, 0);
  return {
    ...host,
    label: "RAM",
    name: "",
    unused: false,
    mapped: mmap.inForce ? host.resident : 0,
    projector: 0,
    overhead: 0,
    shared,
    left: host.free - host.used - shared,
    swap: machine.memory.swap,
  };
}

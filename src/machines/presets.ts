import { hardware, type Preset } from "./hardware.js";
import type { Machine } from "./machine.js";
import { profileAsYaml } from "./print.js";
import { profileFromValue } from "./profile.js";

/** Names of the presets, from small computers to large ones of each maker. */
export async function presetNames(): Promise<string[]> {
  const { machines } = await hardware();
  return machines.map(({ id }) => id);
}

/** The preset of that name, any case. */
export async function preset(name: string): Promise<Machine | undefined> {
  return (await find(name))?.machine;
}

/** The preset of that name as a profile to paste; `readProfile` makes the same machine of it. */
export async function presetAsYaml(name: string): Promise<string | undefined> {
  const found = await find(name);
  if (!found) return undefined;
  const { facts, machine } = found;
  return profileAsYaml(machine, [facts.name, ...(facts.note ? [facts.note] : [])]);
}

async function find(name: string): Promise<{ facts: Preset; machine: Machine } | undefined> {
  const { devices, machines } = await hardware();
  const facts = machines.find(({ id }) => id.toLowerCase() === name.toLowerCase());
  if (!facts) return undefined;
  const { id, os, cores, ram } = facts;
  const gpus = facts.gpus.map(({ device, ...rest }) => ({
    name: devices.find((one) => one.id === device)?.name,
    ...rest,
  }));
  const profile = { name: id, os, ram, cores, gpus };
  return { facts, machine: await profileFromValue(profile, () => undefined, id) };
}

import process from "node:process";
import { decode } from "../../grammar/bytes.js";
import { InputError } from "../host.js";
import { hardware } from "../machines/hardware.js";
import type { Machine } from "../machines/machine.js";
import { presetAsYaml, presetNames } from "../machines/presets.js";
import { profileAsYaml } from "../machines/print.js";
import { largestFleet, machinesInText, resolveMachines } from "../machines/resolve.js";
import { formatBytes } from "../machines/sizes.js";
import { nodeHost } from "../node-host.js";
import { UsageError, type Options } from "./options.js";

/** The machines known by name; or those that a name, a file or this computer stands for, as profiles to paste. */
export async function machine(values: Options, operands: string[]): Promise<number> {
  const [name, ...more] = operands;
  if (more.length > 0) throw new UsageError("machine takes one name. See --help.");
  if (name === undefined) return list(values);
  if (name === "detect" || name === "auto") return here(values);
  const notes: string[] = [];
  const found =
    name === "-"
      ? await machinesFromInput((note) => notes.push(note))
      : await resolveMachines(name, nodeHost, process.cwd(), { note: (note) => notes.push(note) });
  if (values.json) {
    print(JSON.stringify(found.length === 1 ? found[0] : found, undefined, 2));
    return 0;
  }
  const known = await presetAsYaml(name);
  const profiles = known === undefined ? found.map((one) => profileAsYaml(one)) : [known];
  process.stdout.write(commented(notes) + profiles.join("---\n"));
  return 0;
}

/** This computer. */
async function here(values: Options): Promise<number> {
  const { detectHere } = await import("../node-machine.js");
  const { machine: found, sources, notes } = await detectHere();
  if (values.json) print(JSON.stringify(found, undefined, 2));
  else process.stdout.write(profileAsYaml(found, notes, sources));
  return 0;
}

/** The machines that standard input describes: a profile, or what `kubectl get nodes -o json` prints. */
export async function machinesFromInput(note: (text: string) => void): Promise<readonly Machine[]> {
  const path = "standard input";
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > largestFleet) {
      throw new InputError(`More than ${formatBytes(largestFleet)} cannot be read.`, { path });
    }
  }
  if (size === 0) {
    throw new InputError("There is nothing. Pipe `kubectl get nodes -o json` into it.", { path });
  }
  return machinesInText(decode(Buffer.concat(chunks)).text, path, note);
}

function commented(notes: readonly string[]): string {
  return notes.map((note) => `# ${note}\n`).join("");
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

async function list(values: Options): Promise<number> {
  const names = await presetNames();
  const { machines } = await hardware();
  if (values.json) {
    print(JSON.stringify(machines, undefined, 2));
    return 0;
  }
  const widest = Math.max(...names.map((name) => name.length));
  for (const { id, name, ram } of machines) {
    print(`${id.padEnd(widest)}  ${formatBytes(ram).padStart(10)} RAM  ${name}`);
  }
  return 0;
}

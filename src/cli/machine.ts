import process from "node:process";
import { presetAsYaml, presetNames } from "../machines/presets.js";
import { profileAsYaml } from "../machines/print.js";
import { resolveMachine } from "../machines/resolve.js";
import { formatBytes } from "../machines/sizes.js";
import { hardware } from "../machines/hardware.js";
import { nodeHost } from "../node-host.js";
import { UsageError, type Options } from "./options.js";

/** The machines known by name, or one of them as a profile to paste. */
export async function machine(values: Options, operands: string[]): Promise<number> {
  const [name, ...more] = operands;
  if (more.length > 0) throw new UsageError("machine takes one name. See --help.");
  if (name === undefined) return list(values);
  const resolved = await resolveMachine(name, nodeHost, process.cwd());
  if (values.json) process.stdout.write(`${JSON.stringify(resolved, undefined, 2)}\n`);
  else process.stdout.write((await presetAsYaml(name)) ?? profileAsYaml(resolved));
  return 0;
}

async function list(values: Options): Promise<number> {
  const names = await presetNames();
  const { machines } = await hardware();
  if (values.json) {
    process.stdout.write(`${JSON.stringify(machines, undefined, 2)}\n`);
    return 0;
  }
  const widest = Math.max(...names.map((name) => name.length));
  for (const { id, name, ram } of machines) {
    process.stdout.write(`${id.padEnd(widest)}  ${formatBytes(ram).padStart(10)} RAM  ${name}\n`);
  }
  return 0;
}

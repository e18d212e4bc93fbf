import process from "node:process";
import { printCommands, readBytes } from "../../grammar/ollama.js";
import { newestRelease } from "../facts/release.js";
import { readOperand } from "./files.js";
import type { Options } from "./options.js";
import { setupsFor } from "./setup.js";

/** What Ollama reads in a file: its commands, or its own error and exit code 1. */
export async function parse(values: Options, operands: string[]): Promise<number> {
  const { path, bytes } = await readOperand("parse", operands);
  const setups = await setupsFor(path, values);
  const release = setups === "ignored" ? newestRelease : setups[0]!.release;
  const reading = readBytes(bytes, release);
  if (values.json) process.stdout.write(`${JSON.stringify(reading, undefined, 2)}\n`);
  else if (reading.ok) process.stdout.write(printCommands(reading.commands));
  else process.stderr.write(`Error: ${reading.error}\n`);
  return reading.ok ? 0 : 1;
}

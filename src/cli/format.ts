import process from "node:process";
import { decode, encodeEdited } from "../../grammar/bytes.js";
import { parseModelfile } from "../../grammar/parser.js";
import type { Release } from "../facts/release.js";
import { format } from "../fix/format.js";
import { InputError } from "../host.js";
import { modelfilesIn, readModelfileBytes, readStandardInput, replaceFile } from "./files.js";
import type { Options } from "./options.js";
import { setupsFor } from "./setup.js";
import { tell } from "./tell.js";

/**
 * Lays files out anew; `-` from standard input to standard output. With --check nothing is written, and the
 * exit code is 1 where a file would change. 2 where one cannot be read or is none that Ollama reads.
 */
export async function formatFiles(values: Options, operands: string[]): Promise<number> {
  const { paths, problems } = await modelfilesIn(operands, values);
  let failed = false;
  let differ = 0;
  const fail = (path: string, message: string) => {
    failed = true;
    tell(`${path}: ${message}`);
  };
  for (const { path, message } of problems) fail(path, message);
  for (const path of paths) {
    try {
      if (await formatFile(path, values)) differ++;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      fail(error.place?.path ?? path, error.message);
    }
  }
  if (failed) return 2;
  return values.check && differ > 0 ? 1 : 0;
}

/** Whether the file was not laid out as it should be. */
async function formatFile(path: string, values: Options): Promise<boolean> {
  const fromInput = path === "-";
  const before = fromInput
    ? await readStandardInput(values["stdin-file-name"] ?? "standard input")
    : await readModelfileBytes(path);
  const release = await releaseFor(path, values);
  if (!release) {
    if (fromInput) process.stdout.write(before);
    return false;
  }
  const source = decode(before);
  const result = format(parseModelfile(source.text), release);
  if (!result.ok) {
    throw new InputError(`Ollama does not read it: ${result.reading.error}. Lint it first.`, {
      path,
    });
  }
  const after = result.edits.length > 0 ? encodeEdited(source, result.edits) : before;
  const differs = Buffer.compare(before, after) !== 0;
  if (values.check) {
    if (differs && !values.quiet) process.stdout.write(`${path}\n`);
  } else if (fromInput) process.stdout.write(after);
  else if (differs) {
    await replaceFile(path, before, after);
    if (!values.quiet) process.stdout.write(`${path}\n`);
  }
  return differs;
}

/** Undefined for a file that the configuration leaves out. */
async function releaseFor(path: string, values: Options): Promise<Release | undefined> {
  const setups = await setupsFor(path === "-" ? "Modelfile" : path, values);
  return setups === "ignored" ? undefined : setups[0]!.releases.last;
}

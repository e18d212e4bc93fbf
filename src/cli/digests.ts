import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { takenFiles } from "../compile/model-folder.js";
import type { Release } from "../facts/release.js";
import { InputError, type Host } from "../host.js";
import type { FileFacts } from "../models/local-files.js";

/** SHA-256 of everything that `ollama create` would upload, by its text in the Modelfile, in hexadecimal. */
export async function digestsOf(
  files: ReadonlyMap<string, FileFacts>,
  host: Host,
  release: Release,
): Promise<Map<string, string>> {
  const digests = new Map<string, string>();
  for (const [text, facts] of files) {
    if (facts.kind === "file") digests.set(text, await digestOf(facts.path));
    if (facts.kind !== "folder") continue;
    const prefix = text.endsWith("/") ? text : `${text}/`;
    for (const name of await takenFiles(facts.path, host, release)) {
      digests.set(prefix + name, await digestOf(host.resolve(facts.path, name)));
    }
  }
  return digests;
}

/** Read in pieces: a model is larger than memory. */
async function digestOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  try {
    await pipeline(createReadStream(path, { highWaterMark: 2 ** 20 }), hash);
  } catch (error) {
    throw new InputError(`"${path}" cannot be read: ${(error as Error).message}.`, { path });
  }
  return hash.digest("hex");
}

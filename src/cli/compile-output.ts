import { lstat, mkdir, readFile, realpath } from "node:fs/promises";
import { dirname, extname, join, sep } from "node:path";
import type { Text } from "../compile/target.js";
import { InputError } from "../host.js";
import { createFile, replaceFile } from "./files.js";
import { UsageError } from "./options.js";

/** A file to write, and what is there now. */
interface Planned {
  path: string;
  before: Uint8Array | undefined;
  after: Uint8Array;
}

/**
 * Writes texts where -o says: one into a file, or into a folder that is there or that ends in a slash;
 * several into a folder, which is made. Nothing is written unless all can be; links are not followed, and
 * a file with another content stays unless `force`.
 */
export async function writeTexts(
  texts: readonly Text[],
  output: string,
  force: boolean,
): Promise<void> {
  const entry = await lstat(output).catch(() => undefined);
  const isFolder = /[\\/]$/.test(output) || (await kindOf(output)) === "folder";
  const [only] = texts;
  if (texts.length === 1 && only && !isFolder) {
    await writeAll([await planned(output, only.text, force)]);
    return;
  }
  const [first] = texts;
  const looksLikeFile = !isFolder && first && extname(output) === extname(first.path);
  if ((entry && !isFolder) || looksLikeFile) {
    throw new UsageError(
      `There are ${texts.length} files to write: -o needs a folder, and "${output}" is none.`,
    );
  }
  const plans: Planned[] = [];
  for (const { path, text } of texts) {
    const place = join(output, ...path.split("/"));
    await checkInside(output, place, path);
    plans.push(await planned(place, text, force));
  }
  await writeAll(plans);
}

async function kindOf(path: string): Promise<"folder" | "other" | undefined> {
  const real = await realpath(path).catch(() => undefined);
  const entry = real === undefined ? undefined : await lstat(real);
  return entry && (entry.isDirectory() ? "folder" : "other");
}

async function planned(path: string, text: string, force: boolean): Promise<Planned> {
  const after = new TextEncoder().encode(text);
  const entry = await lstat(path).catch(() => undefined);
  if (!entry) return { path, before: undefined, after };
  if (entry.isSymbolicLink()) {
    throw new InputError(`"${path}" is a link, and is not written through. Name the file itself.`, {
      path,
    });
  }
  if (!entry.isFile()) throw new InputError(`"${path}" is no file. Name another place.`, { path });
  const before = await readFile(path).catch(() => new Uint8Array());
  if (!force && !Buffer.from(before).equals(after)) {
    throw new InputError(`"${path}" is there already. --force overwrites it.`, { path });
  }
  return { path, before, after };
}

/** A folder on the way may be a link that leads elsewhere. */
async function checkInside(output: string, place: string, name: string): Promise<void> {
  const root = await realpath(output).catch(() => undefined);
  if (root === undefined) return;
  for (let folder = dirname(place); ; folder = dirname(folder)) {
    const real = await realpath(folder).catch(() => undefined);
    if (real === undefined) continue;
    if (real === root || real.startsWith(root + sep)) return;
    throw new InputError(`"${name}" would be written outside of "${output}", through a link.`, {
      path: place,
    });
  }
}

async function writeAll(plans: readonly Planned[]): Promise<void> {
  for (const { path, before, after } of plans) {
    const folder = dirname(path);
    await mkdir(folder, { recursive: true }).catch((error: Error) => {
      throw new InputError(`"${folder}" cannot be made: ${error.message}.`, { path: folder });
    });
    if (!before) await createFile(path, after);
    else if (!Buffer.from(before).equals(after)) {
      await replaceFile(path, before, after, "nothing was written to it");
    }
  }
}

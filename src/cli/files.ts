import { constants } from "node:fs";
import { open, readFile, realpath, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import { InputError } from "../host.js";
import { formatBytes } from "../machines/sizes.js";
import type { Problem } from "../report/result.js";
import { UsageError, type Options } from "./options.js";

/** Above this a file is no Modelfile: the largest real ones hold long prompts of some 40 KB. */
const largest = 16 * 2 ** 20;

/** A Modelfile's bytes. Throws InputError for what is none: a folder, a model, an image, nothing. */
export async function readModelfileBytes(path: string): Promise<Uint8Array> {
  const bytes = await readFileBytes(path);
  checkText(bytes, path);
  return bytes;
}

/** The bytes of a file that may hold Modelfiles. Throws InputError for what is no file, or a huge one. */
export async function readFileBytes(path: string): Promise<Uint8Array> {
  const entry = await stat(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
  if (entry.isDirectory()) {
    throw new InputError(`"${path}" is a folder. Name a Modelfile.`, { path });
  }
  if (!entry.isFile()) {
    throw new InputError(`"${path}" is no regular file. Name a Modelfile.`, { path });
  }
  if (entry.size > largest) {
    throw new InputError(
      `"${path}" has ${formatBytes(entry.size)}; Modelfiles up to ${formatBytes(largest)} are read.`,
      { path },
    );
  }
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error);
  });
}

/** The one file that a verb takes, with its bytes; `-` is standard input, taken for a Modelfile of this folder. */
export async function readOperand(
  verb: string,
  operands: readonly string[],
): Promise<{ path: string; bytes: Uint8Array }> {
  const [path, ...more] = operands;
  if (path === undefined || more.length > 0) {
    throw new UsageError(`${verb} takes one file. See --help.`);
  }
  if (path === "-") {
    return { path: "Modelfile", bytes: await readStandardInput("standard input") };
  }
  return { path, bytes: await readModelfileBytes(path) };
}

/** Standard input, to its end. */
export async function readStandardInput(name: string): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > largest) {
      throw new InputError(`Standard input has more than ${formatBytes(largest)}.`, { path: name });
    }
  }
  const bytes = Buffer.concat(chunks);
  checkText(bytes, name);
  return bytes;
}

function unreadable(path: string, { code, message }: NodeJS.ErrnoException): InputError {
  const reasons: Readonly<Record<string, string>> = {
    ENOENT: `"${path}" does not exist.`,
    ENOTDIR: `"${path}" does not exist.`,
    EACCES: `"${path}" may not be read. Check its permissions.`,
    EPERM: `"${path}" may not be read. Check its permissions.`,
    ELOOP: `"${path}" is a link that leads to itself.`,
    ENAMETOOLONG: "The path is too long.",
  };
  return new InputError(reasons[code ?? ""] ?? `"${path}" cannot be read: ${message}.`, { path });
}

/** Tells text from what was named by mistake. Ollama itself would read it as text and refuse it somewhere. */
function checkText(bytes: Uint8Array, path: string): void {
  if (bytes.length === 0) {
    throw new InputError(`"${path}" is empty. A Modelfile needs a FROM line.`, { path });
  }
  if (Buffer.from(bytes.subarray(0, 4)).toString("latin1") === "GGUF") {
    throw new InputError(
      `"${path}" is a GGUF model. Write FROM ./${basename(path)} into a Modelfile.`,
      {
        path,
      },
    );
  }
  const marked =
    (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);
  if (marked) return;
  const head = bytes.subarray(0, 8192);
  const nuls = head.reduce((count, byte) => count + (byte === 0 ? 1 : 0), 0);
  if (nuls > head.length / 4 && head.length > 3 && (head[0] === 0) !== (head[1] === 0)) {
    throw new InputError(
      `"${path}" is UTF-16 without a byte-order mark, which Ollama cannot read. Save it as UTF-8.`,
      { path },
    );
  }
  const control = head.reduce(
    (count, byte) => count + (byte < 9 || (byte > 13 && byte < 32) ? 1 : 0),
    0,
  );
  if (control > Math.max(8, head.length / 10)) {
    throw new InputError(`"${path}" is no text. Name a Modelfile.`, { path });
  }
}

/**
 * Replaces a file's content whole or not at all: written beside it, flushed, then renamed into place.
 * Links are followed, permissions kept. Throws InputError, leaving the file as it was, where it is
 * read-only or no longer holds `before`. `lost`: what is then told.
 */
export async function replaceFile(
  path: string,
  before: Uint8Array,
  after: Uint8Array,
  lost = "the fixes were not written",
): Promise<void> {
  const target = await realpath(path);
  const { mode } = await stat(target);
  // A rename needs no permission on the file itself; the author's "read-only" is to be heeded all the same.
  if ((mode & 0o222) === 0) {
    throw new InputError(`"${path}" is read-only; ${lost}.`, { path });
  }
  await writeWhole(path, target, after, mode, async () => {
    if ((await readFile(target)).equals(before)) return;
    throw new InputError(`"${path}" has changed meanwhile; ${lost}. Run again.`, { path });
  });
}

/** Writes a file that is not there yet, whole or not at all. Throws InputError where it is there, or cannot be. */
export async function createFile(path: string, content: Uint8Array): Promise<void> {
  await writeWhole(path, path, content, undefined, async () => {
    if (!(await stat(path).catch(() => undefined))) return;
    throw new InputError(`"${path}" is there already.`, { path });
  });
}

/** `ready` throws where the file must not be replaced; it is asked as late as can be. */
async function writeWhole(
  path: string,
  target: string,
  content: Uint8Array,
  mode: number | undefined,
  ready: () => Promise<void>,
): Promise<void> {
  const temporary = join(dirname(target), `.${basename(target)}.${process.pid}.tmp`);
  try {
    const handle = await open(
      temporary,
      constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL,
      mode,
    );
    try {
      await handle.writeFile(content);
      if (mode !== undefined) await handle.chmod(mode);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await ready();
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    if (error instanceof InputError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Readonly<Record<string, string>> = {
      EACCES: "its folder is read-only",
      EPERM: "its folder is read-only",
      EROFS: "its folder is read-only",
      ENOENT: "its folder does not exist",
      ENOTDIR: "its folder does not exist",
    };
    const why = reasons[code ?? ""] ?? message;
    throw new InputError(`"${path}" cannot be written: ${why}.`, { path });
  }
}

/** Files to look at. */
export interface Named {
  paths: string[];
  /** Those that were named themselves, not found in a folder. */
  named: string[];
  problems: Problem[];
}

/**
 * Files as given, and the Modelfiles of folders; of this folder where nothing is given. A folder that holds
 * none, or cannot be read, is a problem.
 */
export async function modelfilesIn(
  operands: readonly string[],
  { "no-ignore": noIgnore, embedded = false }: Pick<Options, "no-ignore" | "embedded"> = {},
): Promise<Named> {
  const named: string[] = [];
  const paths: string[] = [];
  const problems: Problem[] = [];
  for (const path of operands.length > 0 ? operands : ["."]) {
    const isFolder = path !== "-" && (await stat(path).catch(() => undefined))?.isDirectory();
    if (!isFolder) {
      named.push(path);
      paths.push(path);
      continue;
    }
    const { modelfilesBelow } = await import("./walk.js");
    const found = await modelfilesBelow(path, { ignoreFiles: !noIgnore, embedded });
    for (const { path: folder, error } of found.unreadable) {
      problems.push({ path: folder, message: unreadable(folder, error).message });
    }
    if (found.paths.length === 0 && found.unreadable.length === 0) {
      const besides = found.leftOut ? " besides what .gitignore and its like leave out" : "";
      const how = found.leftOut ? ", or use --no-ignore" : ", or a folder that holds some";
      problems.push({ path, message: `No Modelfile in "${path}"${besides}. Name one${how}.` });
    }
    paths.push(...found.paths);
  }
  return { paths: [...new Set(paths)], named, problems };
}

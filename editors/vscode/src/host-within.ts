import { lstat } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import { InputError, type Host } from "../../../src/host.js";
import { hidden } from "./elsewhere.js";

/**
 * A host whose files are those inside some folders, for a workspace that nobody trusts yet: a Modelfile in it
 * may name files anywhere, a share of somebody else's server among them, and links inside may lead there. No
 * program is run, no server asked and nothing kept.
 */
export function hostWithin(host: Host, folders: readonly string[]): Host {
  const isInside = async (path: string): Promise<boolean> => {
    for (const folder of folders) {
      const parts = partsBelow(folder, path);
      if (parts && (await isWithoutLinks(folder, parts))) return true;
    }
    return false;
  };
  const guard = async (path: string): Promise<void> => {
    if (!(await isInside(path))) {
      throw new InputError("It lies outside a workspace that is not trusted, and is not read.", {
        path,
      });
    }
  };
  return {
    resolve: (folder, path) => host.resolve(folder, path),
    stat: async (path) => ((await isInside(path)) ? host.stat(path) : hidden(path)),
    read: async (path, start, end) => {
      await guard(path);
      return host.read(path, start, end);
    },
    list: async (folder) => {
      await guard(folder);
      return host.list(folder);
    },
    variable: () => undefined,
  };
}

/** What leads from a folder to a path inside it; undefined where it lies elsewhere. */
function partsBelow(folder: string, path: string): string[] | undefined {
  const way = relative(resolve(folder), resolve(path));
  if (way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way)) return undefined;
  return way.split(sep).filter(Boolean);
}

/** The folder itself is where the user opened it, through links or not. */
async function isWithoutLinks(folder: string, parts: readonly string[]): Promise<boolean> {
  let at = resolve(folder);
  for (const part of parts) {
    at = join(at, part);
    // What does not exist leads nowhere.
    const found = await lstat(at).catch(() => undefined);
    if (found?.isSymbolicLink()) return false;
  }
  return true;
}

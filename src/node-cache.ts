import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import type { Host } from "./host.js";

/** Of files in the folder; the oldest half goes when there are more. A model's header takes some 100 KB. */
const most = 400;

/** A host that keeps texts between runs in a folder of files; what cannot be read or written there is not kept. */
export function keepingHost(host: Host, folderOf: () => Promise<string>): Host {
  const fileOf = async (key: string) =>
    join(await folderOf(), `${createHash("sha256").update(key).digest("hex")}.json`);
  return {
    ...host,
    kept: {
      async read(key) {
        return readFile(await fileOf(key), "utf8").catch(() => undefined);
      },
      async write(key, text) {
        const file = await fileOf(key);
        const folder = dirname(file);
        // Runs side by side write the same file: each its own, then in place.
        const own = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}`;
        try {
          await mkdir(folder, { recursive: true });
          await writeFile(own, text, { mode: 0o600 });
          await rename(own, file);
          await prune(folder);
        } catch {
          await rm(own, { force: true }).catch(() => {});
        }
      },
    },
  };
}

async function prune(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= most) return;
  const files = await Promise.all(
    names.map(async (name) => {
      const path = join(folder, name);
      return { path, time: (await stat(path)).mtimeMs };
    }),
  );
  const old = files.sort((a, b) => a.time - b.time).slice(0, files.length / 2);
  await Promise.all(old.map(({ path }) => rm(path, { force: true })));
}

/** Where programs keep such things on this system: XDG_CACHE_HOME, or what the system has in its place. */
export async function cacheFolder(): Promise<string> {
  const { default: envPaths } = await import("env-paths");
  return envPaths("modelfile-lint", { suffix: "" }).cache;
}

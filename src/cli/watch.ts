import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { configIn } from "../config/discover.js";
import { nodeHost } from "../node-host.js";
import { UsageError, type Options } from "./options.js";
import { tell } from "./tell.js";

/** Milliseconds without a change before files are checked again: editors write in several steps. */
const calm = 100;

/**
 * Runs again whenever a file changes that a run may have looked at: Modelfiles, configurations, profiles,
 * models beside them. It ends with the signal that the user sends.
 */
export async function watch(
  operands: readonly string[],
  run: () => Promise<number>,
  { quiet }: Options,
): Promise<never> {
  if (operands.includes("-")) throw new UsageError("--watch takes files and folders, not -.");
  const { watch: watchPaths } = await import("chokidar");
  const changes = changeSignal();
  const { folders, files } = await watched(operands);
  const common = {
    ignored: (path: string) => ["node_modules", ".git"].includes(basename(path)),
    ignoreInitial: true,
    followSymlinks: false,
  };
  // What lies beside a file matters, its model for one; what lies below does not.
  const watchers = [
    ...(folders.length > 0 ? [watchPaths(folders, common)] : []),
    ...(files.length > 0 ? [watchPaths(files, { ...common, depth: 0 })] : []),
  ];
  await Promise.all(
    watchers.map((watcher) => {
      watcher.on("all", () => changes.tell());
      return new Promise<void>((ready) => watcher.once("ready", ready));
    }),
  );
  for (;;) {
    await run();
    if (!quiet) tell("Waiting for changes.");
    await changes.settled();
  }
}

/** Folders that were named; the folders of files that were, and the configurations above all of them. */
async function watched(operands: readonly string[]) {
  const folders = new Set<string>();
  const files = new Set<string>();
  for (const operand of operands.length > 0 ? operands : ["."]) {
    const path = resolve(operand);
    const isFolder = (await stat(path).catch(() => undefined))?.isDirectory();
    if (isFolder) folders.add(path);
    else files.add(dirname(path));
    for (let folder = path; folder !== dirname(folder); folder = dirname(folder)) {
      const config = await configIn(folder, nodeHost);
      if (config !== undefined) files.add(config);
    }
  }
  return { folders: [...folders], files: [...files] };
}

/** Waits for a change, and then until there are no more for a moment; changes during a run count. */
function changeSignal() {
  let last: number | undefined;
  let wake: (() => void) | undefined;
  return {
    tell() {
      last = performance.now();
      wake?.();
    },
    async settled() {
      if (last === undefined) await new Promise<void>((resolved) => (wake = resolved));
      for (let left = 1; left > 0;) {
        left = last! + calm - performance.now();
        if (left > 0) await new Promise((resolved) => setTimeout(resolved, left));
      }
      last = undefined;
    },
  };
}

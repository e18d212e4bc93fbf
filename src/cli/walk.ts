import type { Dirent } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { mayHoldModelfiles } from "../embedded/names.js";
import { ignoringBelow, ignoringIn, leftOutBy, type Ignoring } from "./ignore-files.js";

/**
 * Names that Modelfiles go by, counted over public repositories: Modelfile, Modelfile.x, Modelfile-x,
 * Modelfile_x, Modelfile2, x.modelfile, in any case.
 */
const modelfileName = /^(?:.*\.)?modelfile(?:[._-].*|\d.*)?$/i;

/** Files of other programs with such names, backups, and our own. */
const otherName =
  /^\.?modelfile-lint|\.(?:md|markdown|mdx|rst|adoc|html?|css|scss|[cm]?[jt]sx?|vue|svelte|py|ipynb|pyc|go|rs|java|kt|swift|cs|rb|php|lua|vim|sh|ps1|bat|cmd|json[c5l]?|ya?ml|toml|xml|tmlanguage|gguf|png|jpe?g|svg|pdf|zip|gz|log|patch|diff|bak|orig|rej|tmp|sw[op])$/i;

/** A hidden folder that projects keep their Modelfiles in. Others belong to programs. */
const hiddenFolder = ".ollama";

/** Hidden folders with scripts and workflows of the project's own. */
const scriptFolders: ReadonlySet<string> = new Set([".github", ".gitlab", ".devcontainer"]);

/** What lies below a folder. */
export interface Walked {
  /** Sorted. */
  paths: string[];
  /** Folders that cannot be read, with the reason. */
  unreadable: { path: string; error: NodeJS.ErrnoException }[];
  /** An ignore file left something out. */
  leftOut: boolean;
}

/** The entries of a folder. */
export type ReadFolder = (
  path: string,
) => Promise<Pick<Dirent, "name" | "isFile" | "isDirectory">[]>;

const entriesOf: ReadFolder = (path) => readdir(path, { withFileTypes: true });

/**
 * The Modelfiles below a folder, with `embedded` also files that may hold some. Not looked into: hidden folders, node_modules, links, and with
 * `ignoreFiles` what .gitignore and our own ignore files leave out.
 */
export async function modelfilesBelow(
  folder: string,
  { ignoreFiles, embedded = false }: { ignoreFiles: boolean; embedded?: boolean },
  read: ReadFolder = entriesOf,
): Promise<Walked> {
  const walked: Walked = { paths: [], unreadable: [], leftOut: false };
  const visit = async (
    path: string,
    ignoringOf: (names: Set<string>) => Promise<Ignoring | undefined>,
  ) => {
    const entries = await read(path).catch((error: NodeJS.ErrnoException) => {
      walked.unreadable.push({ path, error });
      return [];
    });
    const ignoring = await ignoringOf(new Set(entries.map(({ name }) => name)));
    const isLeftOut = (name: string, kind: "file" | "folder") => {
      const leftOut = ignoring !== undefined && leftOutBy(ignoring, name, kind) !== undefined;
      walked.leftOut ||= leftOut;
      return leftOut;
    };
    const inner: Promise<void>[] = [];
    for (const entry of entries) {
      const { name } = entry;
      if (entry.isDirectory()) {
        if (!isLookedInto(name, embedded) || isLeftOut(name, "folder")) continue;
        const ignoringInside = async (names: Set<string>) =>
          ignoring && ignoringBelow(ignoring, join(ignoring.folder, name), names);
        inner.push(visit(join(path, name), ignoringInside));
      } else if (entry.isFile() && (isModelfile(name) || (embedded && mayHoldModelfiles(name)))) {
        if (!isLeftOut(name, "file")) walked.paths.push(join(path, name));
      }
    }
    await Promise.all(inner);
  };
  await visit(folder, async () => (ignoreFiles ? ignoringIn(folder) : undefined));
  walked.paths.sort();
  walked.unreadable.sort((one, other) => (one.path < other.path ? -1 : 1));
  return walked;
}

/** Whether a file in a folder is taken for a Modelfile by its name. */
export function isModelfile(name: string): boolean {
  return modelfileName.test(name) && !otherName.test(name);
}

function isLookedInto(name: string, embedded: boolean): boolean {
  if (name === "node_modules") return false;
  return !name.startsWith(".") || name === hiddenFolder || (embedded && scriptFolders.has(name));
}

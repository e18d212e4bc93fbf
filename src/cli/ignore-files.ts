import { lstat, readFile } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import process from "node:process";
import type { Ignore, Options } from "ignore";

/** Our own ignore file: written as a .gitignore, and stronger than any of those. */
const ownName = ".modelfile-lint-ignore";

/** As git takes names on these systems, unless core.ignoreCase says otherwise. */
const options: Options = { ignorecase: ["win32", "darwin"].includes(process.platform) };

/** The rules of one file, for what lies below `base`. */
interface Rules {
  file: string;
  base: string;
  matcher: Ignore;
}

/** The ignore files that hold in a folder, those of outer folders first: what is further in wins. */
export interface Ignoring {
  folder: string;
  git: readonly Rules[];
  own: readonly Rules[];
}

/** The ignore file that leaves out what lies in the folder of `ignoring`; undefined where none does. */
export function leftOutBy(
  { folder, git, own }: Ignoring,
  name: string,
  kind: "file" | "folder",
): string | undefined {
  for (const { file, base, matcher } of [...git, ...own].toReversed()) {
    const { ignored, unignored } = matcher.test(pathFrom(base, join(folder, name), kind));
    if (ignored || unignored) return ignored ? file : undefined;
  }
  return undefined;
}

/**
 * The ignore files that hold in a folder. Whoever names a folder wants it looked into, so rules for the
 * folder itself do not count; rules for what is in it do.
 */
export async function ignoringIn(path: string): Promise<Ignoring> {
  const [top = path, ...folders] = await foldersTo(resolve(path));
  let ignoring = await ignoringBelow({ folder: top, git: [], own: [] }, top);
  for (const folder of folders) ignoring = await ignoringBelow(ignoring, folder);
  return ignoring;
}

/** The ignore file by which a file is left out where a folder above it is looked through. */
export async function leftOutOfFolders(path: string): Promise<string | undefined> {
  const folder = dirname(resolve(path));
  const [top = folder, ...folders] = await foldersTo(folder);
  let ignoring = await ignoringBelow({ folder: top, git: [], own: [] }, top);
  for (const inner of folders) {
    const file = leftOutBy(ignoring, basename(inner), "folder");
    if (file !== undefined) return file;
    ignoring = await ignoringBelow(ignoring, inner);
  }
  return leftOutBy(ignoring, basename(path), "file");
}

/**
 * The folders whose ignore files count, down to `path`: from the root of its git repository; without one from
 * the working folder, where that is above it.
 */
async function foldersTo(path: string): Promise<string[]> {
  const folders: string[] = [];
  for (let folder = path; ; folder = dirname(folder)) {
    folders.unshift(folder);
    if (await isRepository(folder)) return folders;
    if (dirname(folder) === folder) break;
  }
  const here = folders.indexOf(process.cwd());
  return here < 0 ? [path] : folders.slice(here);
}

/**
 * What holds in a folder directly below that of `above`, or in that one itself. `names`: what the folder
 * holds, where that is known.
 */
export async function ignoringBelow(
  above: Ignoring,
  folder: string,
  names?: ReadonlySet<string>,
): Promise<Ignoring> {
  const rulesOf = async (name: string) =>
    names && !names.has(name) ? [] : rulesIn(join(folder, name), folder);
  const inner = names ? names.has(".git") : await isRepository(folder);
  const [exclude, git, own] = await Promise.all([
    inner ? rulesIn(await excludeFile(join(folder, ".git")), folder) : [],
    rulesOf(".gitignore"),
    rulesOf(ownName),
  ]);
  return {
    folder,
    // A repository inside another one is its own affair.
    git: [...(inner ? [] : await lookedInto(above.git, folder)), ...exclude, ...git],
    own: [...(await lookedInto(above.own, folder)), ...own],
  };
}

/**
 * Rules for a folder that is looked into although some of them leave it out, because stronger ones take it
 * back. To git such a rule says nothing about what is in the folder; the library would leave all of it out.
 */
async function lookedInto(all: readonly Rules[], folder: string): Promise<Rules[]> {
  const kept: Rules[] = [];
  for (const rules of all) {
    const path = pathFrom(rules.base, folder, "folder");
    if (path === "/" || !rules.matcher.test(path).ignored) kept.push(rules);
    else {
      const pattern = `!/${path.replaceAll(/[\\*?[\]\s]/g, "\\$&")}`;
      const { default: ignore } = await import("ignore");
      const matcher = ignore(options).add(rules.matcher).add([{ pattern }]);
      kept.push({ ...rules, matcher });
    }
  }
  return kept;
}

/** The rules of a file: none where it does not exist, and none where it is a link, as for git. */
async function rulesIn(file: string, base: string): Promise<Rules[]> {
  if (!(await lstat(file).catch(() => undefined))?.isFile()) return [];
  const text = await readFile(file, "utf8").catch(() => "");
  if (!/\S/.test(text)) return [];
  const { default: ignore } = await import("ignore");
  return [{ file, base, matcher: ignore(options).add(text) }];
}

async function isRepository(folder: string): Promise<boolean> {
  return (await lstat(join(folder, ".git")).catch(() => undefined)) !== undefined;
}

/** Where a repository keeps what only this copy of it ignores; `.git` is a file in worktrees and submodules. */
async function excludeFile(git: string): Promise<string> {
  const link = await readFile(git, "utf8").catch(() => "");
  const [, written] = /^gitdir: (.*)$/m.exec(link) ?? [];
  const folder = written === undefined ? git : resolve(dirname(git), written);
  // Worktrees share the folder of the repository that they belong to.
  const common = await readFile(join(folder, "commondir"), "utf8").catch(() => ".");
  return join(resolve(folder, common.trim()), "info", "exclude");
}

/** A path as ignore files speak of it: from their folder, with a "/" behind folders. */
function pathFrom(base: string, path: string, kind: "file" | "folder"): string {
  const inside = path.slice(base.endsWith(sep) ? base.length : base.length + 1);
  return `${inside.replaceAll(sep, "/")}${kind === "folder" ? "/" : ""}`;
}

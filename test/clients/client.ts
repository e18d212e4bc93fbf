import { spawn } from "node:child_process";
import { existsSync, realpathSync } from "node:fs";
import { cp, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import process from "node:process";
import { root } from "../../src/build/bundle.mjs";

/** What every `*.client.ts` exports. */
export interface Client {
  name: string;
  /** Programs that have to be on PATH. */
  needs: readonly string[];
  /** Packages of test/clients/package.json. */
  packages?: readonly string[];
  /** Throws where something is wrong. What it returns is told beside its result, such as versions and figures. */
  test(): Promise<string | void>;
}

/** Every program of that name on PATH, in its order; one that several folders link to only once. */
export function programsOf(name: string): string[] {
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "");
  const found = folders.map((folder) => join(folder, name)).filter((path) => existsSync(path));
  return [...new Map(found.map((path) => [realpathSync(path), path])).values()];
}

const folder = join(root, "test/clients");

export function isInstalled(name: string): boolean {
  return existsSync(join(folder, "node_modules", name));
}

/** For packages of test/clients, which the imports of this repository do not find. */
export const require = createRequire(join(folder, "package.json"));

/** A program that a package of test/clients brings. */
export function packageProgram(name: string): string {
  return join(folder, "node_modules/.bin", name);
}

export interface Ran {
  code: number | null;
  stdout: string;
  stderr: string;
}

interface How {
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  input?: string;
  /** As another user; for those who may. */
  uid?: number;
}

/** What this process was given, but for what "npm run --silent" wants of npm: it is to print as usual. */
const { npm_config_loglevel: _, ...inherited } = process.env;
export { inherited };

/** Runs a program to its end, whatever that is; one that hangs is ended after five minutes. */
export function ran(program: string, args: readonly string[], how: How = {}): Promise<Ran> {
  const { cwd = root, env = inherited, input = "", uid } = how;
  return new Promise((resolve, reject) => {
    const user = uid === undefined ? {} : { uid, gid: uid };
    const child = spawn(program, args, { cwd, env, timeout: 300_000, ...user });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.on("error", reject).on("close", (code) => resolve({ code, stdout, stderr }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

/** What a program prints. Throws with all it said where it fails. */
export async function output(
  program: string,
  args: readonly string[],
  how: How = {},
): Promise<string> {
  const { code, stdout, stderr } = await ran(program, args, how);
  if (code === 0) return stdout;
  const said = `${stdout}${stderr}`.trim().split("\n").slice(-30).join("\n");
  throw new Error(`${program} ${args.join(" ")} ended with ${code}:\n${said}`);
}

/** Does something in a new folder, which is gone afterwards. */
export async function inFolder<T>(work: (path: string) => Promise<T>): Promise<T> {
  const path = await mkdtemp(join(tmpdir(), "modelfile-lint-client-"));
  try {
    return await work(path);
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Copies what git would, as it lies here, so that dist/ and node_modules/ of this folder stay as they are. */
export async function copyRepository(to: string): Promise<void> {
  const listed = await output("git", [
    "-c",
    `safe.directory=${root}`,
    "ls-files",
    "-z",
    "--cached",
    "--others",
    "--exclude-standard",
  ]);
  const paths = listed.split("\0").filter((path) => path !== "" && existsSync(join(root, path)));
  for (const path of paths) await cp(join(root, path), join(to, path));
}

/** Packs a copy of the repository into a folder, and tells what npm printed. */
export async function packInto(to: string): Promise<{ tarball: string; printed: string }> {
  return inFolder(async (copy) => {
    await copyRepository(copy);
    await symlink(join(root, "node_modules"), join(copy, "node_modules"));
    const printed = await output("npm", ["pack", "--pack-destination", to], { cwd: copy });
    const { name, version } = JSON.parse(await readFile(join(copy, "package.json"), "utf8"));
    return { tarball: join(to, `${name}-${version}.tgz`), printed };
  });
}

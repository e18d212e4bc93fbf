import { execFileSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { modelfilesIn } from "../src/cli/files.js";
import { leftOutOfFolders } from "../src/cli/ignore-files.js";
import { isModelfile, modelfilesBelow } from "../src/cli/walk.js";

let root: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "modelfile-lint-ignore-"));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Writes files below the folder of these tests. */
function tree(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    const path = join(root, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}

/** Runs git without what this machine's or a hook's settings add. */
function git(folder: string, args: readonly string[], input = ""): string {
  const own = Object.entries(process.env).filter(([name]) => !name.startsWith("GIT_"));
  const env = { ...Object.fromEntries(own), GIT_CONFIG_NOSYSTEM: "1", HOME: root };
  try {
    return execFileSync("git", args, { cwd: join(root, folder), input, env, encoding: "utf8" });
  } catch (error) {
    // check-ignore ends with 1 where nothing is ignored.
    if ((error as { status?: number }).status === 1) return "";
    throw error;
  }
}

/** The Modelfiles found below a folder, by their paths from there. */
async function found(folder: string, ignoreFiles = true): Promise<string[]> {
  const path = join(root, folder);
  const { paths } = await modelfilesBelow(path, { ignoreFiles });
  return paths.map((one) => relative(path, one));
}

/** Folders of a tree that ignore files are tried on; each holds a Modelfile and a second one. */
const folders = ["", "a", "b", "a/b", "a/b/c", "a/[x]", "b/a", "b/a/b", "b/x y"];
const files = folders.flatMap((folder) => [join(folder, "Modelfile"), join(folder, "b.modelfile")]);

function at(name: string): string {
  return join(root, "file", name);
}

/** Lines of ignore files that have something to do with that tree. */
const line = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom("a", "b", "c", "a/", "b/", "/a", "/b/", "a/b", "b/a/") },
  fc.constantFrom("Modelfile", "/Modelfile", "*.modelfile", "b.*", "*", "/*", "*/", "**", "a/**"),
  fc.constantFrom("**/b", "**/b/", "a/**/c", "/**/Modelfile", "b/*", "b/**/b", "[ab]", "[!a]", "?"),
  fc.constantFrom(
    "a/\\[x\\]",
    "[x]",
    "\\[x]",
    "x y",
    "x\\ y",
    "b/x y/",
    "a   ",
    "a\\ ",
    "# a",
    "\\#a",
  ),
  fc.constantFrom(
    "",
    "[",
    "[]",
    "\\",
    "a\\",
    "***",
    "a//b",
    "//",
    "/",
    "./a",
    "\\!a",
    "[a-",
    "\r",
    "a\r",
  ),
);
const lines = fc
  .array(fc.tuple(line, fc.boolean()), { maxLength: 4 })
  .map((all) => all.map(([text, back]) => (back ? `!${text}` : text)).join("\n"));

describe("ignore files", () => {
  test("leave out what git leaves out", async () => {
    const cases = fc.sample(fc.dictionary(fc.constantFrom(...folders), lines), {
      numRuns: 60,
      seed: 7,
    });
    for (const [index, ignored] of cases.entries()) {
      for (const file of files) tree({ [`git/${index}/${file}`]: "" });
      for (const [folder, text] of Object.entries(ignored)) {
        tree({ [`git/${index}/${folder}/.gitignore`]: text });
      }
    }
    git("git", ["init", "--quiet"]);
    const all = cases.flatMap((_, index) => files.map((file) => `${index}/${file}`));
    const said = git("git", ["check-ignore", "--no-index", "-z", "--stdin"], all.join("\0"));
    const ignored = new Set(said.split("\0"));
    expect(ignored.size).toBeGreaterThan(150);
    expect(all.length - ignored.size).toBeGreaterThan(150);

    const seen = await found("git");
    const wrong = all.filter((file) => ignored.has(file) === seen.includes(file));
    expect(wrong.map((file) => [file, cases[Number.parseInt(file)]])).toEqual([]);
  });

  test("are those from the repository's root down, and what this copy excludes", async () => {
    tree({
      "down/.gitignore": "*.modelfile\n",
      "down/repo/.gitignore": "/out/\n!keep.modelfile\n",
      "down/repo/models/.gitignore": "old\n!/kept.modelfile\n",
      "down/repo/out/Modelfile": "",
      "down/repo/models/Modelfile": "",
      "down/repo/models/kept.modelfile": "",
      "down/repo/models/out/Modelfile": "",
      "down/repo/models/old/Modelfile": "",
      "down/repo/models/mine.modelfile": "",
      "down/repo/models/secret/Modelfile": "",
    });
    git("down/repo", ["init", "--quiet"]);
    tree({ "down/repo/.git/info/exclude": "secret\n*.modelfile\n" });
    expect(await found("down/repo")).toEqual([
      "models/Modelfile",
      "models/kept.modelfile",
      "models/out/Modelfile",
    ]);
    expect(await found("down/repo/models")).toEqual([
      "Modelfile",
      "kept.modelfile",
      "out/Modelfile",
    ]);
    expect(await found("down/repo/models", false)).toHaveLength(6);
  });

  test("of a worktree are those of its repository, and a repository inside has its own", async () => {
    tree({
      "tree/.gitignore": "inner/out\n*.modelfile\n",
      "tree/.git": "gitdir: ../main/.git/worktrees/tree\n",
      "main/.git/worktrees/tree/commondir": "../..\n",
      "main/.git/info/exclude": "secret\n",
      "tree/Modelfile": "",
      "tree/secret/Modelfile": "",
      "tree/inner/out/Modelfile": "",
      "tree/own/.git/HEAD": "",
      "tree/own/x.modelfile": "",
      "tree/own/secret/Modelfile": "",
    });
    expect(await found("tree")).toEqual(["Modelfile", "own/secret/Modelfile", "own/x.modelfile"]);
  });

  test("of our own win over those of git", async () => {
    tree({
      "own/.git/HEAD": "",
      "own/.gitignore": "generated/\n",
      "own/.modelfile-lint-ignore": "!generated/\ngenerated/old\nvendor\n",
      "own/generated/Modelfile": "",
      "own/generated/old/Modelfile": "",
      "own/vendor/Modelfile": "",
      "own/vendor/.gitignore": "!Modelfile\n",
      "own/Modelfile": "",
    });
    expect(await found("own")).toEqual(["Modelfile", "generated/Modelfile"]);
  });

  test("do not keep a folder from being looked into that is named", async () => {
    tree({
      "named/.git/HEAD": "",
      "named/.gitignore": "build/\nx.modelfile\n",
      "named/build/deep/Modelfile": "",
      "named/build/deep/x.modelfile": "",
      "named/star/.gitignore": "*\n",
      "named/star/Modelfile": "",
    });
    expect(await found("named")).toEqual([]);
    expect(await found("named/build")).toEqual(["deep/Modelfile"]);
    expect(await found("named/build/deep")).toEqual(["Modelfile"]);
    const { problems } = await modelfilesIn([join(root, "named/star")]);
    expect(problems).toMatchObject([
      { message: expect.stringMatching(/^No Modelfile in ".*star" besides .*--no-ignore\.$/) },
    ]);
    const all = await modelfilesIn([join(root, "named/star")], { "no-ignore": true });
    expect(all.paths).toHaveLength(1);
    expect(all.named).toEqual([]);
  });

  test("never leave out a file that is named, and say which of them would in a folder", async () => {
    tree({
      "file/.git/HEAD": "",
      "file/.gitignore": "a/b\n",
      "file/a/b/Modelfile": "",
      "file/a/.gitignore": "*.modelfile\n",
      "file/a/x.modelfile": "",
      "file/a/Modelfile": "",
    });
    const { paths, named } = await modelfilesIn([at("a/b/Modelfile")]);
    expect(paths).toEqual([at("a/b/Modelfile")]);
    expect(named).toEqual(paths);
    expect(await leftOutOfFolders(at("a/b/Modelfile"))).toBe(at(".gitignore"));
    expect(await leftOutOfFolders(at("a/x.modelfile"))).toBe(at("a/.gitignore"));
    expect(await leftOutOfFolders(at("a/Modelfile"))).toBeUndefined();
  });
});

function entry(name: string, folder: boolean) {
  return { name, isFile: () => !folder, isDirectory: () => folder };
}

describe("a folder", () => {
  test.each([
    ..."Modelfile modelfile MODELFILE ModelFile Modelfile.txt Modelfile.prod Modelfile-q4 Modelfile_q4".split(
      " ",
    ),
    ..."Modelfile2 Modelfile.0.5b llama.modelfile llama.Modelfile .modelfile qwen2.5.modelfile".split(
      " ",
    ),
  ])("has %s for a Modelfile", (name) => {
    expect(isModelfile(name)).toBe(true);
  });

  test.each([
    ..."Modelfile.md modelfile.py Modelfiles MyModelfile modelfile.test.ts Modelfile~ .Modelfile.swp".split(
      " ",
    ),
    ..."modelfile-lint .modelfile-lint.yaml .modelfile-lint-ignore Modelfile.bak Modelfile.gguf".split(
      " ",
    ),
    ".modelfile-lint-baseline.json",
  ])("does not have %s for one", (name) => {
    expect(isModelfile(name)).toBe(false);
  });

  test("is looked through but for hidden folders, node_modules and links", async () => {
    tree({
      "walk/Modelfile": "",
      "walk/.ollama/Modelfile": "",
      "walk/.cache/Modelfile": "",
      "walk/a/node_modules/x/Modelfile": "",
      "walk/a/b/Modelfile": "",
    });
    symlinkSync("..", join(root, "walk/a/up"));
    symlinkSync("self", join(root, "walk/a/self"));
    symlinkSync("../Modelfile", join(root, "walk/a/Modelfile"));
    expect(await found("walk")).toEqual([".ollama/Modelfile", "Modelfile", "a/b/Modelfile"]);
    const again = await modelfilesIn([join(root, "walk"), join(root, "walk/Modelfile")]);
    expect(again.paths).toHaveLength(3);
  });

  test("that cannot be read is told, and the others are looked through", async () => {
    const { paths, unreadable } = await modelfilesBelow("/w", { ignoreFiles: false }, (path) => {
      if (path === "/w") return Promise.resolve([entry("a", true), entry("b", true)]);
      if (path === "/w/b") return Promise.resolve([entry("Modelfile", false)]);
      return Promise.reject(Object.assign(new Error("EACCES"), { code: "EACCES" }));
    });
    expect(paths).toEqual(["/w/b/Modelfile"]);
    expect(unreadable).toMatchObject([{ path: "/w/a", error: { code: "EACCES" } }]);
  });

  test.runIf(process.getuid?.() !== 0)("without permission is a problem of its own", async () => {
    tree({ "locked/in/Modelfile": "", "locked/Modelfile": "" });
    chmodSync(join(root, "locked/in"), 0);
    const { paths, problems } = await modelfilesIn([join(root, "locked")]);
    chmodSync(join(root, "locked/in"), 0o755);
    expect(paths).toEqual([join(root, "locked/Modelfile")]);
    expect(problems).toMatchObject([{ message: expect.stringMatching(/may not be read/) }]);
  });
});

import assert from "node:assert/strict";
import { chmod, cp, mkdir, readFile, readdir, symlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import process from "node:process";
import ignore from "ignore";
import picomatch from "picomatch";
import { root } from "../../src/build/bundle.mjs";
import { inFolder, output, packageProgram, packInto, ran } from "./client.js";

export const name = "container";
export const needs = ["git", "npm", "tar"];
export const packages = ["dockerfilelint"];

/** Nobody in particular, who owns nothing. */
const nobody = 65534;

interface Instruction {
  name: string;
  args: string;
}

/** The instructions, with lines that go on put together. */
function instructions(text: string): Instruction[] {
  const lines = text.split("\n").filter((line) => !/^\s*(?:#|$)/.test(line));
  return lines
    .join("\n")
    .replaceAll(/\\\n/g, " ")
    .split("\n")
    .map((line) => {
      const [, word = "", args = ""] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
      return { name: word.toUpperCase(), args };
    });
}

/**
 * Does without an engine what the Containerfile says, as far as it concerns the package: what is added has to
 * be there, and be let through by .dockerignore; what it becomes has to run, as a user who owns nothing.
 */
export async function test(): Promise<string> {
  const text = await readFile(join(root, "Containerfile"), "utf8");
  const linted = await output(packageProgram("dockerfilelint"), [
    join(root, "Containerfile"),
    "--json",
  ]);
  assert.deepEqual(
    (JSON.parse(linted) as { files: { issues: object[] }[] }).files.flatMap(({ issues }) => issues),
    [],
  );
  const said = instructions(text);
  const value = (word: string) => said.find(({ name: one }) => one === word)?.args;
  assert.match(value("FROM") ?? "", /^docker\.io\/library\/node:\d+-alpine$/);
  assert.equal(value("USER"), "node");

  return inFolder(async (folder) => {
    const { tarball } = await packInto(folder);
    const filter = ignore().add(await readFile(join(root, ".dockerignore"), "utf8"));
    const context = [basename(tarball), "package.json", "dist/cli.js"].filter(
      (path) => !filter.ignores(path),
    );
    assert.deepEqual(context, [basename(tarball)]);
    const image = join(folder, "image");
    for (const { name: word, args } of said) {
      if (word !== "ADD" && word !== "COPY") continue;
      const sources = args.split(/\s+/);
      const target = join(image, sources.pop() ?? "");
      assert.equal(word, "ADD", "Only ADD unpacks.");
      await mkdir(target, { recursive: true });
      for (const source of sources) {
        const matching = context.filter((path) => picomatch.isMatch(path, source));
        assert.equal(matching.length, 1, `${source} is not there.`);
        await output("tar", ["-xzf", join(folder, matching[0]!), "-C", target]);
      }
    }
    const links = [...(value("RUN") ?? "").matchAll(/ln -s (\S+) (\S+)/g)];
    for (const [, from = "", to = ""] of links) {
      await mkdir(dirname(join(image, to)), { recursive: true });
      await symlink(join(image, from), join(image, to));
    }
    const [entry] = JSON.parse(value("ENTRYPOINT") ?? "[]") as string[];
    const bin = join(image, "usr/local/bin");
    assert.ok((await readdir(bin)).includes(entry ?? ""), `Nothing makes ${entry}.`);

    const work = join(folder, "work");
    await cp(join(root, "examples"), work, { recursive: true });
    await chmod(folder, 0o755);
    const mayChange = process.getuid?.() === 0;
    const { code, stdout, stderr } = await ran(
      join(bin, entry ?? ""),
      ["larger-than-ram/Modelfile", "--format=compact"],
      {
        cwd: work,
        env: { PATH: `${bin}:${dirname(process.execPath)}:/usr/bin:/bin` },
        ...(mayChange && { uid: nobody }),
      },
    );
    assert.equal(code, 1, stderr);
    assert.equal(stderr, "");
    assert.match(stdout, /^larger-than-ram\/Modelfile:2:6: error: .* \[mmap-required\]$/m);
    return "without an engine";
  });
}

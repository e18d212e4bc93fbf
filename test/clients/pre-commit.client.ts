import assert from "node:assert/strict";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import process from "node:process";
import { copyRepository, inFolder, inherited, output, programsOf, ran } from "./client.js";

export const name = "pre-commit";
export const needs = ["pre-commit", "git", "npm"];

const broken = "FROM llama3.2\nPARAMETER temprature 0.7\n";
const mended = "FROM llama3.2\nPARAMETER temperature 0.7\n";

/** As Windows PowerShell writes it with `>`. */
const utf16 = (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le");

/** Nothing of whoever runs this, and no git repository but the one meant. */
function environment(folder: string, program: string): NodeJS.ProcessEnv {
  const others = Object.entries(inherited).filter(([key]) => !key.startsWith("GIT_"));
  const person = { NAME: "Test", EMAIL: "test@example.com" };
  return {
    ...Object.fromEntries(others),
    PATH: `${dirname(program)}:${process.env["PATH"]}`,
    PRE_COMMIT_HOME: join(folder, "cache"),
    GIT_CONFIG_GLOBAL: "/dev/null",
    GITHUB_ACTIONS: "",
    ...Object.fromEntries(
      Object.entries(person).flatMap(([key, value]) => [
        [`GIT_AUTHOR_${key}`, value],
        [`GIT_COMMITTER_${key}`, value],
      ]),
    ),
  };
}

/** A commit with a hook that blocks it, then with one that mends the files, then with nothing left to say. */
async function commits(folder: string, program: string): Promise<string> {
  const env = environment(folder, program);
  const hooks = join(folder, "hooks");
  const project = join(folder, "project");
  await mkdir(hooks);
  await mkdir(join(project, "models"), { recursive: true });
  const git = (cwd: string, ...args: string[]) => output("git", args, { cwd, env });
  await copyRepository(hooks);
  for (const cwd of [hooks, project]) await git(cwd, "init", "--quiet");
  await git(hooks, "add", "--all");
  await git(hooks, "commit", "--quiet", "--message", "All of it");
  await output(program, ["validate-manifest", join(hooks, ".pre-commit-hooks.yaml")], { env });
  const revision = (await git(hooks, "rev-parse", "HEAD")).trim();
  const configure = (hook: string) =>
    writeFile(
      join(project, ".pre-commit-config.yaml"),
      JSON.stringify({ repos: [{ repo: hooks, rev: revision, hooks: [{ id: hook }] }] }),
    );
  const commit = async () => {
    await git(project, "add", "--all");
    const started = performance.now();
    const { code, stdout, stderr } = await ran("git", ["commit", "--message", "Models"], {
      cwd: project,
      env,
    });
    return { code, said: stdout + stderr, seconds: (performance.now() - started) / 1000 };
  };
  const path = join(project, "models/Modelfile");
  const wide = join(project, "chat.Modelfile");
  await writeFile(path, broken);
  await writeFile(wide, utf16(broken));
  await writeFile(join(project, "Modelfile.md"), broken);
  await configure("modelfile-lint");
  await output(program, ["install"], { cwd: project, env });

  const first = await commit();
  assert.equal(first.code, 1, first.said);
  assert.match(first.said, /models\/Modelfile:2:11 error Unknown parameter/);
  assert.match(first.said, /chat\.Modelfile:2:11 error Unknown parameter/);
  assert.doesNotMatch(first.said, /Modelfile\.md/);

  const second = await commit();
  assert.equal(second.code, 1, second.said);
  assert.ok(second.seconds < 10, `The second run took ${second.seconds} s.`);

  await configure("modelfile-fix");
  const fixing = await commit();
  assert.equal(fixing.code, 1, fixing.said);
  assert.match(fixing.said, /files were modified by this hook/);
  assert.equal(await readFile(path, "utf8"), mended);
  assert.deepEqual(await readFile(wide), utf16(mended));

  const last = await commit();
  assert.equal(last.code, 0, last.said);
  assert.match(await git(project, "log", "--oneline"), /Models/);
  const version = (await output(program, ["--version"], { env })).trim();
  return `${version}: ${first.seconds.toFixed(1)} s to install, ${second.seconds.toFixed(1)} s afterwards`;
}

/** With every pre-commit on PATH: those of Debian and PyPI install packages of Node in different ways. */
export async function test(): Promise<string> {
  const told: string[] = [];
  for (const program of programsOf("pre-commit")) {
    told.push(await inFolder((folder) => commits(folder, program)));
  }
  return told.join("; ");
}

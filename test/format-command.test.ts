import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { run } from "./command.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelfile-lint-format-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

async function file(name: string, text: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const untidy = "from   x  \nsystem   hi";
const tidy = "FROM x\nSYSTEM hi\n";

describe("format", () => {
  test("rewrites a file, and names it", async () => {
    const path = await file("one.Modelfile", untidy);
    expect(await run(["format", path])).toEqual({ code: 0, stdout: `${path}\n`, stderr: "" });
    expect(await readFile(path, "utf8")).toBe(tidy);
    expect(await run(["format", path])).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("--check changes nothing and ends with 1", async () => {
    const path = await file("two.Modelfile", untidy);
    expect(await run(["format", "--check", path])).toMatchObject({ code: 1, stdout: `${path}\n` });
    expect(await readFile(path, "utf8")).toBe(untidy);
    await writeFile(path, tidy);
    expect(await run(["format", "--check", path])).toMatchObject({ code: 0, stdout: "" });
  });

  test("goes from standard input to standard output", async () => {
    expect(await run(["format", "-"], { input: untidy })).toMatchObject({ code: 0, stdout: tidy });
  });

  test("keeps the encoding", async () => {
    const path = await file(
      "wide.Modelfile",
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from("from x\r\nsystem hé", "utf16le")]),
    );
    expect((await run(["format", path])).code).toBe(0);
    const bytes = await readFile(path);
    expect([...bytes.subarray(0, 2)]).toEqual([0xff, 0xfe]);
    expect(bytes.subarray(2).toString("utf16le")).toBe("FROM x\r\nSYSTEM hé\r\n");
  });

  test("leaves what Ollama does not read, and says so", async () => {
    const path = await file("bad.Modelfile", "from x\nsytem hi\n");
    const { code, stderr } = await run(["format", path]);
    expect(code).toBe(2);
    expect(stderr).toContain("Ollama does not read it");
    expect(await readFile(path, "utf8")).toBe("from x\nsytem hi\n");
  });

  test("goes on behind a file that it cannot write", async () => {
    const locked = await file("locked.Modelfile", untidy);
    const open = await file("open.Modelfile", untidy);
    await chmod(locked, 0o444);
    const { code, stderr } = await run(["format", locked, open]);
    expect(code).toBe(2);
    expect(stderr).toContain("read-only");
    expect(await readFile(locked, "utf8")).toBe(untidy);
    expect(await readFile(open, "utf8")).toBe(tidy);
  });
});

describe("init", () => {
  test("writes a configuration that holds, once", async () => {
    const home = await mkdtemp(join(folder, "init-"));
    expect(await run(["init"], { cwd: home })).toMatchObject({ code: 0 });
    const path = join(home, ".modelfile-lint.yaml");
    expect((await stat(path)).size).toBeGreaterThan(500);
    await writeFile(join(home, "Modelfile"), "FROM llama3.2\nPARAMETER wisdom 1\n");
    const { code, stdout, stderr } = await run([], { cwd: home });
    expect(stderr).toBe("");
    expect(stdout).toContain("wisdom");
    expect(code).toBe(1);
    const again = await run(["init"], { cwd: home });
    expect(again.code).toBe(2);
    expect(again.stderr).toContain("there already");
  });

  test("shows keys that the schema knows where they are taken out of their comments", async () => {
    const home = await mkdtemp(join(folder, "whole-"));
    await run(["init"], { cwd: home });
    const path = join(home, ".modelfile-lint.yaml");
    const text = await readFile(path, "utf8");
    // Keys stand in comments as they would be written; words of explanation have no colon behind the first one.
    const whole = text.replaceAll(
      /^# (?=(?:machine|server|models|rules|overrides|ignore):| {2})/gm,
      "",
    );
    expect(whole).not.toBe(text);
    await writeFile(path, whole);
    await writeFile(join(home, "Modelfile"), "FROM llama3.2\n");
    const { code, stderr } = await run([], { cwd: home });
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });
});

test("a configuration's ignore leaves files as they are", async () => {
  const folder = await mkdtemp(join(tmpdir(), "format-ignored-"));
  try {
    await writeFile(join(folder, ".modelfile-lint.yaml"), 'ignore: ["theirs.Modelfile"]\n');
    await writeFile(join(folder, "theirs.Modelfile"), "from   llama3.2\n");
    expect(await run(["format", "."], { cwd: folder })).toMatchObject({ code: 0, stdout: "" });
    const { stdout } = await run(["format", "--no-ignore", "."], { cwd: folder });
    expect(stdout).toBe("theirs.Modelfile\n");
  } finally {
    await rm(folder, { recursive: true });
  }
});

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import process from "node:process";
import { globSync } from "tinyglobby";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { root } from "../src/build/bundle.mjs";
import { compile } from "../src/cli/compile.js";
import { readOptions } from "../src/cli/options.js";
import { compileTo, lookInto, nameFor } from "../src/compile/compile.js";
import type { Target } from "../src/compile/target.js";
import { newestRelease } from "../src/facts/release.js";
import { allTargets, targetIds } from "../src/compile/targets.js";
import { compile as compileText, targetIds as exported } from "../src/index.js";
import { isValidName, parseName } from "../grammar/model-name.js";
import { run } from "./command.js";

interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs the verb in this process. What main.ts would explain is thrown. */
async function here(...args: string[]): Promise<Said> {
  vi.stubGlobal("MODELFILE_LINT_VERSION", "0.0.0-test");
  const said = { stdout: "", stderr: "" };
  const spies = (["stdout", "stderr"] as const).map((name) =>
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += String(text);
      return true;
    }),
  );
  try {
    const { values, positionals } = readOptions(args);
    return { code: await compile(values, positionals), ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

let folder: string;
let file: string;

beforeAll(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "modelfile-lint-compile-")), "My Model (2)");
  await mkdir(folder);
  file = join(folder, "Modelfile");
  await writeFile(file, "FROM llama3.2:3b\nPARAMETER num_ctx 8192\nTEMPLATE {{ .Prompt }}\n");
});

afterAll(() => rm(join(folder, ".."), { recursive: true, force: true }));

/** A new folder to write into. */
async function place(): Promise<string> {
  return mkdtemp(join(folder, "out-"));
}

describe("the targets", () => {
  test("are listed with what they make", async () => {
    const { stdout, code } = await here();
    expect(code).toBe(0);
    const targets = await allTargets();
    expect(stdout.trimEnd().split("\n")).toHaveLength(targets.length);
    for (const { id, summary } of targets)
      expect(stdout).toMatch(new RegExp(`^${id} +${summary.slice(0, 20)}`, "m"));
    const json = JSON.parse((await here("--json")).stdout) as {
      version: number;
      targets: object[];
    };
    expect(json.version).toBe(1);
    expect(json.targets).toEqual(targets.map(({ id, summary }) => ({ id, summary })));
  });

  test("go by the names that they are listed under, and none is forgotten", async () => {
    expect((await allTargets()).map(({ id }) => id)).toEqual(targetIds);
    expect(exported).toBe(targetIds);
    const defined = globSync("src/compile/*.ts", { cwd: root }).flatMap((path) => {
      const text = readFileSync(join(root, path), "utf8");
      return /^export const \w+: Target = /m.test(text) ? [basename(path, ".ts")] : [];
    });
    expect([...targetIds].toSorted()).toEqual(defined.toSorted());
  });

  test("each have a page", () => {
    const own = [...targetIds, "from"];
    expect(own.filter((id) => !existsSync(join(root, `docs/compile/${id}.md`)))).toEqual([]);
  });

  test("are guessed at where there is none of a name", async () => {
    await expect(here(file, "--to", "olama-create")).rejects.toThrow(
      /Did you mean "ollama-create"\?/,
    );
    await expect(here(file, "--to", "wibble")).rejects.toThrow(/There are ollama-create, /);
    await expect(here(file)).rejects.toThrow(/compile needs --to: ollama-create, /);
    await expect(here(file, "--to", "ollama-create", "--from", "auto")).rejects.toThrow(/not both/);
    await expect(here(file, "--from", "sho")).rejects.toThrow(/Did you mean "show"\?/);
  });
});

describe("the output", () => {
  test("is the first text, with notes and the names of the others on standard error", async () => {
    const { stdout, stderr, code } = await here(file, "--to", "ollama-options");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ num_ctx: 8192 });
    expect(stderr).toContain("Modelfile:3:1: /api/chat takes no template");
    expect(stderr).toContain("-o FOLDER also writes chat.json, generate.json, chat.py, chat.ts.");
    expect((await here(file, "--to", "ollama-options", "--quiet")).stderr).toBe("");
  });

  test("is data with --json", async () => {
    const { stdout, stderr } = await here(file, "--to", "ollama-options", "--json");
    const { version, target, texts, notes } = JSON.parse(stdout) as Record<string, unknown>;
    expect([version, target]).toEqual([1, "ollama-options"]);
    expect(texts).toHaveLength(5);
    expect(notes).toEqual([
      {
        message: expect.stringContaining("takes no template") as string,
        start: { line: 3, column: 1, offset: 40 },
        end: { line: 3, column: 23, offset: 62 },
      },
    ]);
    expect(stderr).toBe("");
  });

  test("goes into a folder, all of it or nothing", async () => {
    const out = join(await place(), "a", "b");
    expect((await here(file, "--to", "ollama-options", "-o", out)).stdout).toBe("");
    expect((await readdir(out)).toSorted()).toEqual([
      "chat.json",
      "chat.py",
      "chat.ts",
      "generate.json",
      "options.json",
    ]);
    await writeFile(join(out, "chat.ts"), "mine");
    await rm(join(out, "chat.py"));
    const again = ["--to", "ollama-options", "-o", out];
    await expect(here(file, ...again)).rejects.toThrow(
      /chat\.ts" is there already\. --force overwrites it\./,
    );
    expect(existsSync(join(out, "chat.py"))).toBe(false);
    await here(file, ...again, "--force");
    expect(await readFile(join(out, "chat.ts"), "utf8")).toContain("ollama.chat");
    await expect(here(file, ...again)).resolves.toMatchObject({ code: 0 });
  });

  test("goes into one file where there is one", async () => {
    const out = await place();
    const command = join(out, "cmd");
    await writeFile(command, "llama-server -m a.gguf -c 4096");
    await here(command, "--from", "auto", "-o", join(out, "Modelfile"));
    expect(await readFile(join(out, "Modelfile"), "utf8")).toBe(
      "FROM ./a.gguf\n\nPARAMETER num_ctx 4096\n",
    );
    await here(command, "--from", "auto", "-o", `${join(out, "sub")}/`);
    expect(existsSync(join(out, "sub", "Modelfile"))).toBe(true);
  });

  test("is not written through links, nor where several files have no folder", async () => {
    const out = await place();
    const outside = await place();
    await symlink(join(outside, "options.json"), join(out, "options.json"));
    await expect(here(file, "--to", "ollama-options", "-o", out, "--force")).rejects.toThrow(
      /is a link/,
    );
    expect(await readdir(outside)).toEqual([]);
    await expect(here(file, "--to", "ollama-options", "-o", join(out, "x.json"))).rejects.toThrow(
      /-o needs a folder/,
    );
    await expect(here(file, "--to", "ollama-options", "-o", file)).rejects.toThrow(
      /-o needs a folder/,
    );
    expect(await readdir(out)).toEqual(["options.json"]);
  });
});

/** A target that cannot do without something. */
const wants = (needs: "model" | "plan"): Target => ({
  id: "wants",
  summary: "",
  needs,
  compile: () => ({ texts: [], notes: [] }),
});

describe("what cannot be", () => {
  test("is told with Ollama's own error and exit code 1", async () => {
    const bad = join(folder, "Bad");
    await writeFile(bad, "FRM x\n");
    expect(await here(bad, "--to", "ollama-create")).toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /Bad: Ollama 0\.\S+ refuses the file: \(line 1\): command must be/,
      ) as string,
    });
    await writeFile(bad, "FROM x\nPARAMETER num_ctx 8k\n");
    const { code, stdout } = await here(bad, "--to", "ollama-create", "--json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toEqual({
      version: 1,
      target: "ollama-create",
      refused: expect.stringContaining("invalid int value [8k]") as string,
    });
  });

  test("is a failed run where a target lacks the model or the machine that it needs", async () => {
    const release = newestRelease;
    const surroundings = { folder, server: {}, models: new Map(), modelsFolder: folder };
    const naming = { name: "x", path: "Modelfile" };
    const unknown = await lookInto("FROM nobody/knows\n", naming, release, surroundings);
    const known = await lookInto("FROM llama3.2:3b\n", naming, release, surroundings);
    if ("refused" in unknown || "refused" in known) throw new Error("refused");
    expect(() => compileTo(wants("model"), unknown)).toThrow(
      /^wants needs the model .*--model REF=PATH/,
    );
    expect(() => compileTo(wants("plan"), known)).toThrow(
      "wants needs a machine: --machine NAME, FILE or auto.",
    );
    expect(compileTo(wants("model"), known)).toHaveProperty("texts");
  });

  test("is a failed run where the command line does not fit", async () => {
    const machines = ["--machine", "rtx4090-64g", "--machine", "ci-no-gpu-7g"];
    await expect(here(file, "--to", "ollama-create", ...machines)).rejects.toThrow(
      /one machine at a time/,
    );
    await expect(here(file, "--to", "ollama-create", "--name", "a b")).rejects.toThrow(
      /no name that Ollama takes/,
    );
    await expect(here("--to", "ollama-create")).rejects.toThrow(/compile takes one file/);
    const letter = join(folder, "letter");
    await writeFile(letter, "Dear all");
    await expect(here(letter, "--from", "auto")).rejects.toThrow(/nothing that --from auto knows/);
  });
});

const createdName = async (...args: string[]) =>
  (
    JSON.parse((await here(file, "--to", "ollama-create", "-q", ...args)).stdout) as {
      model: string;
    }
  ).model;

const createdBy = async (ollama: string) =>
  JSON.parse(
    (await here(file, "--to", "ollama-create", "-q", "--ollama", ollama)).stdout,
  ) as object;

describe("the surroundings", () => {
  test("the model is named after the folder, or as asked", async () => {
    expect(await createdName()).toBe("my-model-2");
    expect(await createdName("--name", "me/x:1b")).toBe("me/x:1b");
    expect(nameFor("")).toBe("model");
    for (const name of ["Ärger", "..", "日本", "a".repeat(200), "-x-", "a b/c"]) {
      expect(isValidName(parseName(nameFor(name))), name).toBe(true);
    }
  });

  test("a range of releases stands for its newest", async () => {
    expect(Object.keys(await createdBy("0.3 - 0.5.4"))).toEqual(["name", "modelfile"]);
    expect(Object.keys(await createdBy("0.3 - 0.5.5"))).toEqual([
      "model",
      "from",
      "template",
      "parameters",
    ]);
  });

  test("digests of files are computed where they are asked for", async () => {
    const local = await place();
    await writeFile(join(local, "w.gguf"), "GGUFabc");
    await mkdir(join(local, "m", "1_Pooling"), { recursive: true });
    for (const name of ["model.safetensors", "config.json", "1_Pooling/config.json"])
      await writeFile(join(local, "m", name), name);
    const modelfile = join(local, "Modelfile");
    await writeFile(modelfile, "FROM ./w.gguf\n");
    const created = async () =>
      JSON.parse((await here(modelfile, "--to", "ollama-create", "--digests")).stdout) as Record<
        string,
        unknown
      >;
    expect((await created())["files"]).toEqual({
      "w.gguf": "sha256:23087cd7c7b269c4552f0bd250e0f42c736ae0387c17ce3c3a49c47bfdc763b8",
    });
    await writeFile(modelfile, "FROM ./m\n");
    const { files } = (await created()) as { files: Record<string, string> };
    expect(Object.keys(files).toSorted()).toEqual([
      "1_Pooling/config.json",
      "config.json",
      "model.safetensors",
    ]);
    expect(new Set(Object.values(files)).size).toBe(3);
  });

  test("the plan of a machine tells what becomes of a value", async () => {
    const big = join(folder, "Big");
    await writeFile(big, "FROM llama3.2:3b\nPARAMETER num_ctx 262144\n");
    const { stderr } = await here(big, "--to", "ollama-options", "--machine", "rtx4090-64g");
    expect(stderr).toMatch(/Big:2:1: num_ctx 262144 becomes 131072/);
  });

  test("the library compiles the same texts", async () => {
    const result = await compileText("FROM x\nPARAMETER top_k 3\n", "ollama-options");
    expect("texts" in result && result.texts[0]!.text).toBe('{\n  "top_k": 3\n}\n');
    expect(await compileText("FRM x", "ollama-options")).toHaveProperty("refused");
    await expect(compileText("FROM x", "wibble")).rejects.toThrow(RangeError);
  });
});

test("the built command reads standard input, and explains what went wrong", async () => {
  const good = await run(["compile", "-", "--to", "ollama-create", "--name", "x"], {
    input: "FROM y\n",
  });
  expect(good).toMatchObject({ code: 0, stderr: expect.stringContaining("create.sh") as string });
  expect(JSON.parse(good.stdout)).toEqual({ model: "x", from: "y" });
  const bad = await run(["compile", "-", "--to", "nothing"], { input: "FROM y\n" });
  expect(bad).toMatchObject({ code: 2, stdout: "" });
});

/*
 * examples/compile/NAME holds a Modelfile, args.txt with how it is compiled, and what comes of it under
 * the names that -o gives it; says.txt is what is told on standard error.
 */
const examples = join(root, "examples/compile");
const cases = readdirSync(examples).filter((name) => existsSync(join(examples, name, "args.txt")));

test("there are examples", () => {
  expect(cases).toEqual(
    expect.arrayContaining(["ollama-create", "ollama-options", "from-show", "from-llama-server"]),
  );
});

test.each(cases)("example %s", async (name) => {
  const own = join(examples, name);
  const args = readFileSync(join(own, "args.txt"), "utf8").trim().split(/\s+/);
  const source = args.shift()!;
  const { stdout, stderr, code } = await here(join(own, source), ...args, "--json");
  expect([code, stderr]).toEqual([0, ""]);
  const { texts, notes } = JSON.parse(stdout) as {
    texts: { path: string; text: string }[];
    notes: { message: string; start?: { line: number } }[];
  };
  const said = notes.map(({ message, start }) => `${start ? `${start.line}: ` : ""}${message}\n`);
  await expect(said.join("")).toMatchFileSnapshot(join(own, "says.txt"));
  for (const { path, text } of texts) await expect(text).toMatchFileSnapshot(join(own, path));
});

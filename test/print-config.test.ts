import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { rules } from "../rules/index.js";
import { readConfig } from "../src/config/config.js";
import { isFor } from "../src/config/patterns.js";
import { run as runCommand } from "./command.js";

let root: string;

const run = (...args: string[]) => runCommand(args);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "modelfile-lint-print-"));
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

interface Printed {
  configuration: string | null;
  ignored: boolean;
  left_out_by: string | null;
  baseline: { value: string; from: string } | null;
  ollama: { value: string; from: string } | null;
  machines: { value: unknown[]; from: string };
  setups: { machine: string | null; ollama: string }[];
  server: Record<string, { value: string; from: string }>;
  models: Record<string, { value: unknown; from: string }>;
  extends: { value: string; from: string };
  rules: Record<string, { severity: string; from: string }>;
}

async function printed(path: string, ...args: string[]): Promise<Printed> {
  const { code, stdout } = await run("--print-config", path, "--json", ...args);
  expect(code).toBe(0);
  return JSON.parse(stdout) as Printed;
}

/** Of a file in the folder "by". */
function by(name: string): Promise<Printed> {
  return printed(join(root, "by", name));
}

function severities({ rules: all }: Printed): [string, string][] {
  return Object.entries(all).map(([id, { severity }]) => [id, severity]);
}

const config = `
ollama: ">=0.12 <0.30"
machines: [rtx4090-64g, { name: small, ram: 64GiB, ollama: "0.13.5" }]
server: { OLLAMA_NUM_PARALLEL: 2, OLLAMA_KV_CACHE_TYPE: q8_0 }
models:
  "acme/big:q2": { like: "deepseek-v3:671b", weights: 247588783616 }
rules: { default-value: off, duplicate-parameter: error, context-unset: warning }
overrides:
  - files: ["prod/**", "!prod/old/**"]
    extends: strict
    rules: { duplicate-parameter: info }
  - files: ["*.test"]
    extends: minimal
    machine: 2x3090
  - files: ["prod/**"]
    ollama: "0.24"
    rules: { context-unset: info }
ignore: ["vendor", "!vendor/ours/"]
baseline: known.json
`;

describe("what is said about a file", () => {
  test("comes from its rules where nobody says anything", async () => {
    const path = file("none/Modelfile", "FROM llama3.2\n");
    const said = await printed(path, "--no-config");
    expect(said).toMatchObject({
      configuration: null,
      ignored: false,
      left_out_by: null,
      baseline: null,
      ollama: null,
      machines: { value: [], from: "default" },
      setups: [{ machine: null, ollama: "0.32.15" }],
      extends: { value: "recommended", from: "default" },
    });
    const expected = rules.map(({ id, severity, optional }) => [
      id,
      optional ? { severity: "off", from: "extends" } : { severity, from: "own" },
    ]);
    expect(said.rules).toEqual(Object.fromEntries(expected));
  });

  test("comes from the configuration, its overrides and the command line, the last one winning", async () => {
    const path = file("all/.modelfile-lint.yaml", config);
    // A file that does not exist can be asked about.
    const said = await printed(
      join(root, "all/prod/Modelfile"),
      "--rule",
      "context-unset=error",
      "--server",
      "OLLAMA_NUM_PARALLEL=1",
    );
    expect(said).toMatchObject({
      configuration: path,
      baseline: { value: "known.json", from: "configuration" },
      ollama: { value: "0.24", from: "override 3" },
      machines: { value: ["rtx4090-64g", { name: "small" }], from: "configuration" },
      setups: [
        { machine: "rtx4090-64g", ollama: "0.24.0" },
        { machine: "small", ollama: "0.24.0" },
      ],
      server: {
        OLLAMA_NUM_PARALLEL: { value: "1", from: "command line" },
        OLLAMA_KV_CACHE_TYPE: { value: "q8_0", from: "configuration" },
      },
      models: { "acme/big:q2": { value: { like: "deepseek-v3:671b" }, from: "configuration" } },
      extends: { value: "strict", from: "override 1" },
      rules: {
        "default-value": { severity: "off", from: "configuration" },
        "duplicate-parameter": { severity: "info", from: "override 1" },
        "context-unset": { severity: "error", from: "command line" },
        "unknown-parameter": { severity: "error", from: "own" },
      },
    });
    const info = rules.find(({ id, severity }) => severity === "info" && id !== "default-value");
    expect(said.rules[info!.id]).toEqual({ severity: "warning", from: "extends" });
    expect(Object.values(said.rules).filter(({ from }) => from === "own")).not.toEqual([]);
  });

  test("differs by the overrides that are for the file", async () => {
    file("by/.modelfile-lint.yaml", config);
    expect((await by("prod/old/Modelfile")).extends.from).toBe("default");
    expect((await by("prod/old/Modelfile")).rules["context-unset"]).toEqual({
      severity: "info",
      from: "override 3",
    });
    const minimal = await by("a/Modelfile.test");
    expect(minimal.extends).toEqual({ value: "minimal", from: "override 2" });
    expect(minimal.setups.map(({ machine }) => machine)).toEqual(["2x3090"]);
    expect(minimal.rules["trailing-comment"]?.severity).not.toBe("info");
    expect(new Set(Object.values(minimal.rules).map(({ severity }) => severity))).toEqual(
      new Set(["off", "error", "warning"]),
    );
  });

  test("says whether it is left out, and by which file", async () => {
    file("out/.modelfile-lint.yaml", config);
    file("out/.git/HEAD", "");
    const ignored = file("out/.gitignore", "build/\n");
    const left = await printed(join(root, "out/vendor/Modelfile"));
    expect([left.ignored, left.setups]).toEqual([true, []]);
    expect((await printed(join(root, "out/vendor/ours/Modelfile"))).ignored).toBe(false);
    expect((await printed(join(root, "out/vendor/Modelfile"), "--no-ignore")).ignored).toBe(false);
    const built = await printed(join(root, "out/build/Modelfile"));
    expect([built.ignored, built.left_out_by]).toEqual([false, ignored]);
  });

  test("is printed as a configuration that says the same", async () => {
    file("yaml/.modelfile-lint.yaml", config);
    const path = join(root, "yaml/prod/Modelfile");
    const { stdout } = await run("--print-config", path);
    expect(stdout).toMatch(/^# .*prod\/Modelfile\n# Configuration: .*\.modelfile-lint\.yaml\n/);
    expect(stdout).toContain("# Checked on small with Ollama 0.24.0\n");
    expect(stdout).toMatch(/^ {2}default-value: off +# configuration$/m);
    expect(stdout).toMatch(/^ {2}duplicate-parameter: info +# override 1$/m);
    await readConfig(stdout, "printed.yaml");
    file("yaml/again/.modelfile-lint.yaml", stdout.replace("known.json", "../known.json"));
    const before = await printed(path);
    const after = await printed(join(root, "yaml/again/prod/Modelfile"));
    expect(after.setups).toEqual(before.setups);
    expect(severities(after)).toEqual(severities(before));
    expect(Object.keys(parse(stdout) as object)).toEqual([
      "ollama",
      "machines",
      "server",
      "models",
      "baseline",
      "extends",
      "rules",
    ]);
  });

  test("is asked of files alone", async () => {
    const { code, stderr } = await run("--print-config", root);
    expect(stderr).toMatch(/takes a file; ".*" is a folder\.\n$/);
    expect(code).toBe(2);
  });
});

describe("patterns", () => {
  const cases: [patterns: string[], matching: string[], others: string[]][] = [
    [["vendor/**"], ["vendor/a", "vendor/a/b"], ["a/vendor/b", "vendors"]],
    [["vendor"], ["vendor/a", "vendor/a/b"], ["a/vendor/b", "vendors/a"]],
    [["vendor/"], ["vendor/a"], ["a/vendor/b"]],
    [["./vendor/*"], ["vendor/a"], ["vendor/a/b"]],
    [["**/vendor/**"], ["vendor/a", "x/vendor/a"], ["vendors/a"]],
    [["*.test"], ["a.test", "x/y/b.test"], ["a.tests"]],
    [["{a,b}/*"], ["a/x", "b/x"], ["c/x"]],
    [["!(a)/x"], ["b/x"], ["a/x"]],
    [["vendor/**", "!vendor/ours/**"], ["vendor/a"], ["vendor/ours/a"]],
    [["vendor", "!vendor/ours", "vendor/ours/old"], ["vendor/ours/old/a"], ["vendor/ours/a"]],
    [["!vendor/ours", "vendor"], ["vendor/ours/a"], ["a"]],
    [[".ollama/**"], [".ollama/Modelfile"], ["ollama/Modelfile"]],
    [["", "!"], [], ["a"]],
  ];

  test.each(cases)("%j", async (patterns, matching, others) => {
    for (const path of matching)
      expect([path, await isFor(`/w/${path}`, patterns, "/w")]).toEqual([path, true]);
    for (const path of others)
      expect([path, await isFor(`/w/${path}`, patterns, "/w")]).toEqual([path, false]);
  });

  test("of overrides that only take back are for all other files", async () => {
    expect(await isFor("/w/a", ["!b"], "/w", "all")).toBe(true);
    expect(await isFor("/w/b", ["!b"], "/w", "all")).toBe(false);
    expect(await isFor("/w/a", ["!b"], "/w")).toBe(false);
    expect(await isFor("/w/a", [], "/w", "all")).toBe(false);
  });

  test("start from the configuration's folder, which only looks like another one's beginning", async () => {
    expect(await isFor("/wide/a/Modelfile", ["ide/**"], "/w")).toBe(false);
    expect(await isFor("C:\\w\\prod\\Modelfile", ["prod/**"], "C:\\w")).toBe(true);
    expect(await isFor("/prod/Modelfile", ["prod/**"], "/")).toBe(true);
  });
});

describe("a run", () => {
  test("says so where every file that was named is left out", async () => {
    const path = file("left/vendor/Modelfile", "FROM llama3.2\nSYTEM hi\n");
    const other = file("left/Modelfile", "FROM llama3.2\n");
    file("left/.modelfile-lint.yaml", "ignore: [vendor]\n");
    const alone = await run(path);
    expect(alone.stderr).toMatch(
      /vendor\/Modelfile" is left out by "ignore" in .*\.modelfile-lint\.yaml; --no-ignore checks it all the same\.\n$/,
    );
    expect([alone.code, alone.stdout]).toEqual([0, ""]);
    expect((await run(path, "--quiet")).stderr).toBe("");
    expect((await run(path, other)).stderr).toBe("");
    expect((await run(join(root, "left"))).stderr).toBe("");
    expect((await run(join(root, "left/vendor"))).stderr).toContain("is left out by");
    expect((await run(path, "--no-ignore")).code).toBe(1);
  });

  test("checks a file on each of its machines, for each with its own release", async () => {
    file(
      "matrix/.modelfile-lint.yaml",
      'machines:\n  - rtx4090-64g\n  - { name: old, ram: 64GiB, ollama: "0.5.4" }\n',
    );
    const path = file("matrix/Modelfile", "FROM llama3.2\nRENDERER qwen3-coder\n");
    const { stdout } = await run(path, "--json");
    const { files } = JSON.parse(stdout) as {
      files: { machine: string; ollama: string; findings: { rule: string }[] }[];
    };
    expect(
      files.map(({ machine, ollama, findings }) => [
        machine,
        ollama,
        findings.some(({ rule }) => rule === "instruction-too-new"),
      ]),
    ).toEqual([
      ["rtx4090-64g", "0.32.15", false],
      ["old", "0.5.4", true],
    ]);
  });
});

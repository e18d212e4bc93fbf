import {
  chmod,
  mkdtemp,
  mkdir,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { replaceFile } from "../src/cli/files.js";
import { program, run, runApart } from "./command.js";

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelfile-lint-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, ".."), { recursive: true });
  await writeFile(path, content);
  return path;
}

interface Json {
  version: number;
  files: {
    path: string;
    machine: string | null;
    ollama: string;
    fixed: boolean;
    findings: JsonFinding[];
  }[];
  problems: { path: string; message: string }[];
  summary: Record<string, number>;
}

interface JsonFinding {
  rule: string;
  severity: string;
  message: string;
  start: { line: number; column: number; offset: number };
  end: { line: number; column: number; offset: number };
  fix?: { title: string; safety: string; edits: { start: number; end: number; text: string }[] };
}

async function json(args: string[], options?: Parameters<typeof run>[1]): Promise<Json> {
  return JSON.parse((await run([...args, "--format", "json"], options)).stdout) as Json;
}

describe("what cannot be read", () => {
  const cases: [string, () => Promise<string>, RegExp][] = [
    [
      "a missing file",
      async () => join(folder, "nowhere/Modelfile"),
      /"[^"]*nowhere\/Modelfile" does not exist\.$/,
    ],
    [
      "an empty file",
      () => file("empty/Modelfile", ""),
      /is empty\. A Modelfile needs a FROM line\.$/,
    ],
    [
      "a binary file",
      () =>
        file(
          "binary/Modelfile",
          Uint8Array.from({ length: 999 }, (_, i) => (i * 7) % 31),
        ),
      /is no text\./,
    ],
    [
      "a GGUF file",
      () => file("gguf/Modelfile", "GGUF\u0003\0\0\0"),
      /is a GGUF model\. Write FROM/,
    ],
    [
      "UTF-16 without a mark",
      () => file("utf16/Modelfile", Buffer.from("FROM llama3.2\n", "utf16le")),
      /is UTF-16 without a byte-order mark/,
    ],
    [
      "a file of 100 MB",
      async () => {
        const path = await file("large/Modelfile", "FROM llama3.2\n");
        await truncate(path, 100_000_000);
        return path;
      },
      /has 95 MiB; Modelfiles up to 16 MiB are read\.$/,
    ],
    [
      "a link that leads to itself",
      async () => {
        const path = join(folder, "loop");
        await symlink(path, path);
        return path;
      },
      /is a link that leads to itself\.$/,
    ],
  ];

  test.each(cases)("%s: one message with the place, exit code 2", async (_, make, message) => {
    const path = await make();
    for (const args of [[path], [path, "--fix"], ["parse", path]]) {
      const { code, stdout, stderr } = await run(args);
      expect(stderr.trim().split("\n")).toHaveLength(1);
      expect(stderr.trim()).toMatch(message);
      expect(stderr).toContain(path);
      expect(stdout).toBe("");
      expect(code).toBe(2);
    }
  });

  test("a folder without Modelfiles", async () => {
    await mkdir(join(folder, "bare"), { recursive: true });
    const { code, stderr } = await run([join(folder, "bare")]);
    expect(stderr).toMatch(/No Modelfile in ".*bare"\. Name one, or a folder that holds some\.\n$/);
    expect(code).toBe(2);
  });

  test("a folder where parse wants a file", async () => {
    const { code, stderr } = await run(["parse", folder]);
    expect(stderr).toMatch(/is a folder\. Name a Modelfile\.\n$/);
    expect(code).toBe(2);
  });

  test("the other files are checked all the same", async () => {
    const good = await file("beside/Modelfile", "FROM llama3.2\nSYTEM hi\n");
    const { code, stdout, stderr } = await run([join(folder, "nowhere"), good]);
    expect(stdout).toContain('Unknown instruction "SYTEM".');
    expect(stderr).toContain("does not exist.");
    expect(code).toBe(2);
  });

  test.runIf(process.getuid?.() !== 0)("a file that may not be read", async () => {
    const path = await file("secret/Modelfile", "FROM llama3.2\n");
    await chmod(path, 0);
    const { code, stderr } = await run([path]);
    expect(stderr).toMatch(/may not be read\. Check its permissions\.\n$/);
    expect(code).toBe(2);
  });
});

describe("what the command line gets wrong", () => {
  const cases: [string[], string][] = [
    [["--machin", "x"], 'Unknown option "--machin". Did you mean "--machine"?'],
    [["--format", "xml", "x"], "--format takes pretty, compact, json, sarif"],
    [["--ollama", "new", "x"], '"new" is no Ollama release. Write a version such as 0.32.15, or'],
    [["--ollama", "0.32 - 0.6", "x"], '"0.32 - 0.6" ends before it begins.'],
    [
      ["--ollama", ">=0.40", "x"],
      '">=0.40" begins after 0.32.15, the newest Ollama release known.',
    ],
    [["--ollama", "0.1.20", "x"], "Ollama 0.1.20 is too old: releases from 0.1.44 on are known."],
    [["--rule", "unknown-paramter=off", "x"], 'Did you mean "unknown-parameter"?'],
    [
      ["--rule", "unknown-parameter", "x"],
      '--rule takes ID=off, info, warning or error, not "unknown-parameter".',
    ],
    [["--max-warnings", "few", "x"], '--max-warnings takes a whole number, not "few".'],
    [["--machine", "rtx4090", "x"], "rtx4090-64g"],
    [["--unsafe-fixes", "x"], "--unsafe-fixes goes with --fix or --diff."],
    [["explain", "mmap-requird"], 'Unknown rule "mmap-requird".'],
    [["plan"], "plan takes one file."],
    [["pars", "x"], 'Did you mean the command "parse"?'],
  ];

  test.each(cases)("%j", async (args, message) => {
    const modelfile = await file("line/Modelfile", "FROM llama3.2\n");
    const { code, stderr } = await run(
      args.map((arg) => (arg === "x" && args[0] !== "pars" ? modelfile : arg)),
    );
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(code).toBe(2);
  });
});

describe("broken files beside", () => {
  test("a configuration", async () => {
    const path = await file("config/Modelfile", "FROM llama3.2\nSYTEM hi\n");
    const config = await file("config/.modelfile-lint.yaml", "rules:\n  unknown-paramter: off\n");
    const { code, stdout, stderr } = await run([path, "--fix"]);
    expect(stderr).toContain(
      `${config}:2:3: Unknown rule "unknown-paramter". Did you mean "unknown-parameter"?`,
    );
    expect(stdout).toBe("");
    expect(code).toBe(2);
    expect(await readFile(path, "utf8")).toBe("FROM llama3.2\nSYTEM hi\n");
  });

  test("a machine", async () => {
    const path = await file("profile/Modelfile", "FROM llama3.2\n");
    const machine = await file("profile/machine.yaml", "ram: 256G\n");
    const { code, stderr } = await run([path, "--machine", machine]);
    expect(stderr).toMatch(/machine\.yaml:1:6: .*Write 256GiB or 256GB\.\n$/);
    expect(code).toBe(2);
  });

  test("a model", async () => {
    await file("model/tuned.gguf", "<!DOCTYPE html>");
    const path = await file("model/Modelfile", "FROM ./tuned.gguf\n");
    const { code, stderr } = await run([path, "--machine", "rtx4090-64g"]);
    expect(stderr).toMatch(/tuned\.gguf.*no GGUF file/);
    expect(code).toBe(2);
  });
});

describe("configuration", () => {
  test("sets severities, ignores files and overrides by file", async () => {
    await file(
      "set/.modelfile-lint.yaml",
      'rules: { default-value: error, duplicate-parameter: off }\nignore: ["old/**"]\noverrides:\n  - files: ["prod/**"]\n    rules: { default-value: off }\n',
    );
    const text = "FROM llama3.2\nPARAMETER top_k 40\nPARAMETER top_k 40\n";
    await Promise.all(
      ["Modelfile", "old/Modelfile", "prod/Modelfile"].map((name) => file(`set/${name}`, text)),
    );
    const { files } = await json(["set"], { cwd: folder });
    const seen = files.map(({ path, findings }) => [
      path,
      findings.map(({ rule, severity }) => `${rule} ${severity}`),
    ]);
    expect(seen).toEqual([
      ["set/Modelfile", ["default-value error", "default-value error"]],
      ["set/prod/Modelfile", []],
    ]);
  });

  test("names the release, which the command line may change", async () => {
    await file("release/.modelfile-lint.yaml", 'ollama: "0.5.4"\n');
    const path = await file("release/Modelfile", "FROM llama3.2\nRENDERER qwen3-coder\n");
    expect((await json([path])).files[0]!.findings.map(({ rule }) => rule)).toEqual([
      "instruction-too-new",
    ]);
    expect((await json([path, "--ollama", "0.12"])).files[0]!.findings).toEqual([]);
    expect((await json([path, "--no-config"])).files[0]!.ollama).toBe("0.32.15");
  });

  test.each([
    ['ollama: ">=0.40"\n', "1:9"],
    ["rules: {}\noverrides:\n  - files: [x]\n  - files: [Mod*]\n    ollama: ^0.6\n", "5:13"],
  ])("that names no releases is told with the place: %j", async (text, place) => {
    const config = await file("norange/.modelfile-lint.yaml", text);
    const path = await file("norange/Modelfile", "FROM llama3.2\n");
    const { code, stderr } = await run([path]);
    expect(stderr).toContain(`${config}:${place}: "`);
    expect(stderr).toMatch(/the newest Ollama release known|is no Ollama release/);
    expect(code).toBe(2);
    expect((await run([path, "--ollama", "0.6.x"])).code).toBe(0);
  });
});

describe("a range of releases", () => {
  const text = "FROM llama3.2\nPARAMETER mirostat 2\nPARAMETER min_p 0.1\n";

  test("is judged as a whole, each finding with the releases for which it holds", async () => {
    await file("range/.modelfile-lint.yaml", 'ollama: ">=0.3.0 <0.30"\n');
    const path = await file("range/Modelfile", text);
    const [entry] = (await json([path])).files;
    expect(entry?.ollama).toBe("0.3.0 - 0.24.0");
    expect(entry?.findings).toMatchObject([
      { rule: "deprecated-parameter", releases: [{ from: "0.7.0", to: "0.24.0" }] },
      { rule: "parameter-too-new", severity: "error", releases: [{ from: "0.3.0", to: "0.3.0" }] },
    ]);
    const { code, stdout } = await run([path]);
    expect(stdout).toMatch(
      /mirostat has no effect since Ollama 0\.7\.0\.[^]*?when {2}From 0\.7\.0 on\.\n/,
    );
    expect(stdout).toMatch(/min_p needs Ollama 0\.3\.1[^]*?when {2}In 0\.3\.0 alone\.\n/);
    expect(code).toBe(1);
    const newer = await run([path, "--ollama", "0.7 - 0.9"]);
    expect(newer.stdout).not.toContain("  when  ");
    expect(newer.code).toBe(0);
  });

  test("is fixed where that is right for all of it", async () => {
    const path = await file("rangefix/Modelfile", text);
    await run([path, "--fix", "--ollama", "0.6 - 0.9"]);
    expect(await readFile(path, "utf8")).toBe(text);
    const { stdout } = await run([path, "--fix", "--ollama", "0.7 - 0.9"]);
    expect(stdout).toContain("no findings in 1 file; 1 file fixed");
    expect(await readFile(path, "utf8")).toBe("FROM llama3.2\nPARAMETER min_p 0.1\n");
  });

  test("says in which it reads otherwise, and whose figures are shown", async () => {
    const path = await file("rangeram/Modelfile", "FROM llama3.3:70b\nPARAMETER num_ctx 131072\n");
    const machine = await file("rangeram/machine.yaml", "ram: 64GiB\n");
    const { code, stdout } = await run([path, "--machine", machine, "--ollama", "0.11 - 0.32"]);
    expect(stdout).toMatch(/Out of memory: the CPU's part takes [^]* does-not-fit/);
    expect(stdout).toMatch(/ {4}when {2}From 0\.30\.0 on[.;]/);
    expect(stdout).toMatch(/ {4}when {2}Until 0\.[\d.]+: Ollama [\d.]+ refuses it/);
    expect(code).toBe(1);
  });

  test("ends with the newest that is known", async () => {
    const path = await file("rangeend/Modelfile", "FROM llama3.2\n");
    const { code, stderr } = await run([path, "--ollama", "0.30 - 0.99"]);
    expect(stderr).toBe(
      "modelfile-lint: Ollama 0.99 is not known here; the range ends with 0.32.15.\n",
    );
    expect(code).toBe(0);
  });

  test("is planned line by line", async () => {
    const path = await file("rangeplan/Modelfile", "FROM llama3.3:70b\nPARAMETER num_ctx 8192\n");
    const args = ["plan", path, "--machine", "rtx4090-64g", "--ollama", "0.24 - 0.30"];
    const { code, stdout } = await run(args);
    expect(stdout).toContain("llama3.3:70b on rtx4090-64g, Ollama 0.24.0 to 0.30.");
    expect(stdout).toMatch(/^ {2}0\.24\.0 +partly on CPU +\d+\/81 .*llama-runner$/m);
    expect(stdout).toMatch(/^ {2}0\.30\.0\S* +.*\*llama-server$/m);
    expect(stdout).toMatch(/What changes\n {2}From 0\.30\.0 on\n/);
    expect(code).toBe(0);
    const plans = JSON.parse((await run([...args, "--json"])).stdout) as Record<string, unknown>[];
    expect(plans[0]).toMatchObject({
      releases: { from: "0.24.0", to: "0.24.0" },
      ollama: "0.24.0",
      engine: "llama-runner",
    });
    expect(plans.at(-1)).toMatchObject({ releases: { from: "0.30.0" }, engine: "llama-server" });
    expect((await run([...args, "--quiet"])).stdout).not.toContain("What changes");
  });

  test("fails where the model does not run with one of them, with a table for each machine", async () => {
    const path = await file("rangeplan/Modelfile2", "FROM llama3.3:70b\nPARAMETER num_ctx 65536\n");
    const small = await file("rangeplan/machine.yaml", "name: small\nram: 48GiB\n");
    const args = ["plan", path, "--machine", small, "--machine", "4x3090", "--ollama"];
    const { code, stdout } = await run([...args, "0.9 - 0.32"]);
    expect(stdout).toMatch(/ on small, Ollama 0\.9\.0 to 0\.32\.15\n[^]* on 4x3090, Ollama/);
    expect(stdout.match(/^ {2}Ollama +verdict/gm)).toHaveLength(2);
    expect(stdout).toMatch(/refused[^]*out of memory/);
    expect(code).toBe(1);
  });
});

describe("fixing", () => {
  const broken = "FROM llama3.2\r\nPARAMETER temprature 0.7\r\nSYTEM hi\r\n";
  const whole = "FROM llama3.2\r\nPARAMETER temperature 0.7\r\nSYSTEM hi\r\n";

  test("writes the file in its own encoding and line ends, once", async () => {
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(broken, "utf16le")]);
    const path = await file("fix/Modelfile", utf16);
    await chmod(path, 0o640);
    const first = await run([path, "--fix"]);
    expect(first.code).toBe(0);
    const fixed = await readFile(path);
    expect(fixed.subarray(0, 2)).toEqual(Buffer.from([0xff, 0xfe]));
    expect(fixed.subarray(2).toString("utf16le")).toBe(whole);
    expect((await stat(path)).mode & 0o777).toBe(0o640);
    expect(await readdir(join(folder, "fix"))).toEqual(["Modelfile"]);
    const again = await run([path, "--fix", "--exit-non-zero-on-fix"]);
    expect(again.code).toBe(0);
    expect((await readFile(path)).equals(fixed)).toBe(true);
  });

  test("--exit-non-zero-on-fix tells that something was rewritten", async () => {
    const path = await file("nonzero/Modelfile", broken);
    expect((await run([path, "--fix", "--exit-non-zero-on-fix"])).code).toBe(1);
    expect(await readFile(path, "utf8")).toBe(whole);
  });

  test("--diff shows and writes nothing", async () => {
    const path = await file("diff/Modelfile", broken.replaceAll("\r", ""));
    const { code, stdout } = await run(["Modelfile", "--diff"], { cwd: join(folder, "diff") });
    expect(stdout).toContain(
      "-PARAMETER temprature 0.7\n-SYTEM hi\n+PARAMETER temperature 0.7\n+SYSTEM hi\n",
    );
    expect(stdout).toContain("--- a/Modelfile\n+++ b/Modelfile\n");
    expect(code).toBe(1);
    expect(await readFile(path, "utf8")).toBe(broken.replaceAll("\r", ""));
  });

  test("unsafe fixes wait to be asked for", async () => {
    const path = await file("unsafe/Modelfile", "FROM llama3.2\nPARAMETER top_k 40\n");
    await run([path, "--fix"]);
    expect(await readFile(path, "utf8")).toBe("FROM llama3.2\nPARAMETER top_k 40\n");
    await run([path, "--fix", "--unsafe-fixes"]);
    expect(await readFile(path, "utf8")).toBe("FROM llama3.2\n");
  });

  test("standard input comes back fixed, the report beside it", async () => {
    const { stdout, stderr, code } = await run(["-", "--fix"], { input: broken });
    expect(stdout).toBe(whole);
    expect(stderr).toContain("no findings in 1 file; 1 file fixed");
    expect(code).toBe(0);
  });

  test("a read-only file stays as it is", async () => {
    const path = await file("readonly/Modelfile", broken);
    await chmod(path, 0o444);
    const { code, stderr } = await run([path, "--fix"]);
    expect(stderr).toMatch(/is read-only; the fixes were not written\.\n$/);
    expect(code).toBe(2);
    expect(await readFile(path, "utf8")).toBe(broken);
    expect(await readdir(join(folder, "readonly"))).toEqual(["Modelfile"]);
  });

  test("a file that changed meanwhile stays as it is", async () => {
    const path = await file("changed/Modelfile", "FROM b\n");
    const write = replaceFile(path, Buffer.from("FROM a\n"), Buffer.from("FROM c\n"));
    await expect(write).rejects.toThrow(
      "has changed meanwhile; the fixes were not written. Run again.",
    );
    expect(await readFile(path, "utf8")).toBe("FROM b\n");
    expect(await readdir(join(folder, "changed"))).toEqual(["Modelfile"]);
  });

  test("a link is followed, not replaced", async () => {
    const target = await file("link/real/Modelfile", broken);
    const path = join(folder, "link/Modelfile");
    await symlink(target, path);
    await run([path, "--fix"]);
    expect(
      (await readFile(target, "utf8")) === whole && (await readFile(path, "utf8")) === whole,
    ).toBe(true);
    expect(await readdir(join(folder, "link/real"))).toEqual(["Modelfile"]);
  });
});

describe("reports", () => {
  test("JSON counts lines and columns from one, in UTF-16 units", async () => {
    const path = await file(
      "json/Modelfile",
      "FROM llama3.2\r\nSYSTEM 👩 hi\r\nPARAMETER temprature 0.7\r\n",
    );
    const report = await json([path]);
    expect(report.version).toBe(1);
    expect(report.summary).toEqual({ files: 1, errors: 1, warnings: 0, infos: 0, fixed: 0 });
    const [entry] = report.files;
    expect(entry).toMatchObject({ path, machine: null, ollama: "0.32.15", fixed: false });
    expect(entry!.findings).toHaveLength(1);
    expect(entry!.findings[0]).toMatchObject({
      rule: "unknown-parameter",
      severity: "error",
      message: 'Unknown parameter "temprature". Did you mean "temperature"?',
      start: { line: 3, column: 11, offset: 39 },
      end: { line: 3, column: 21, offset: 49 },
      fix: { safety: "safe", edits: [{ start: 39, end: 49, text: "temperature" }] },
    });
  });

  test("a frame points at the place, past wide and combining characters", async () => {
    const path = await file(
      "wide/Modelfile",
      "FROM llama3.2\nPARAMETER 温度 0.7\nMESSAGE Üser é\n",
    );
    const { stdout } = await run([path]);
    const lines = stdout.split("\n");
    const frame = lines.findIndex((line) => line.includes("PARAMETER 温度"));
    expect(lines[frame + 1]!.replace("│", "|").trimEnd()).toBe(`       | ${" ".repeat(10)}^^^^`);
  });

  test("a file cannot steer the terminal", async () => {
    const path = await file(
      "escape/Modelfile",
      "FROM llama3.2\nPARAMETER \u001b[31mred\u0007 \u202e1\n",
    );
    const { stdout } = await run([path, "--color"], { env: { NO_COLOR: "" } });
    // eslint-disable-next-line no-control-regex
    expect(stdout.replaceAll(/\u001b\[\d+(?:;\d+)*m/g, "")).not.toMatch(
      /[\u0000-\u0009\u000b-\u001f\u202e]/,
    );
    expect(stdout).toContain("<U+001B>[31mred<U+0007>");
    expect(stdout).toContain("<U+202E>");
  });

  test("a long line is cut around the finding", async () => {
    const path = await file(
      "long/Modelfile",
      `FROM llama3.2\nPARAMETER stop ${"x".repeat(100_000)}\u00a0y\n`,
    );
    const { stdout } = await run([path]);
    expect(stdout).toContain("…xxx");
    expect(Math.max(...stdout.split("\n").map((line) => line.length))).toBeLessThan(200);
  });

  test("--quiet keeps the errors", async () => {
    const path = await file("quiet/Modelfile", "FROM llama3.2\nPARAMETER mirostat 1\nSYTEM hi\n");
    const { stdout } = await run([path, "--quiet"]);
    expect(stdout).toContain("unknown-instruction");
    expect(stdout).not.toContain("deprecated-parameter");
    expect(stdout).toContain("1 error, 1 warning in 1 file");
  });

  test("exit codes follow --fail-on and --max-warnings", async () => {
    const path = await file("codes/Modelfile", "FROM llama3.2\nPARAMETER mirostat 1\n");
    expect((await run([path])).code).toBe(0);
    expect((await run([path, "--fail-on", "warning"])).code).toBe(1);
    expect((await run([path, "--max-warnings", "0"])).code).toBe(1);
    expect((await run([path, "--max-warnings", "1"])).code).toBe(0);
    expect((await run([path, "--rule", "deprecated-parameter=error"])).code).toBe(1);
  });
});

describe("the other commands", () => {
  test("parse prints Ollama's commands, or its error", async () => {
    const good = await file("parse/Modelfile", 'from llama3.2\nPARAMETER  x\nSYSTEM """a\nb"""\n');
    expect(await run(["parse", good])).toEqual({
      code: 0,
      stdout: 'FROM llama3.2\nPARAMETER  x\nSYSTEM "a\nb"\n',
      stderr: "",
    });
    const bad = await file("parse/Modelfile2", "FROM llama3.2\nSYTEM hi\n");
    const { code, stderr } = await run(["parse", bad, "--ollama", "0.5.4"]);
    expect(stderr).toBe(
      'Error: (line 2): command must be one of "from", "license", "template", "system", "adapter", "parameter", or "message"\n',
    );
    expect(code).toBe(1);
  });

  test("rules lists every rule, explain prints one", async () => {
    const { stdout } = await run(["rules"]);
    expect(stdout).toMatch(/^unknown-parameter +error +Parameter that Ollama does not know$/m);
    const page = await run(["explain", "unknown-parameter"]);
    expect(page.stdout).toContain("unknown parameter 'temprature'");
    expect(page.code).toBe(0);
  });

  test("machine lists presets and prints one that can be read back", async () => {
    expect((await run(["machine"])).stdout).toMatch(/^rtx4090-64g /m);
    const { stdout } = await run(["machine", "rtx4090-64g"]);
    await file("preset/machine.yaml", stdout);
    const path = await file("preset/Modelfile", "FROM llama3.2\n");
    const { files } = await json([path, "--machine", join(folder, "preset/machine.yaml")]);
    expect(files[0]!.findings.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  test("model says what is known and from where", async () => {
    const { stdout } = await run(["model", "llama3.3:70b"]);
    expect(stdout).toMatch(/source +embedded catalogue/);
    expect(stdout).toMatch(/file +42520398528 bytes/);
  });

  test("--help and --version answer", async () => {
    expect((await run(["--help"])).stdout).toContain("modelfile-lint [PATH…]");
    expect((await run(["plan", "--help"])).stdout).toContain("--machine");
    expect((await run(["--version"])).stdout).toBe("modelfile-lint 0.0.0-test (npm)\n");
  });
});

describe("a process of its own", () => {
  test("prints findings, and ends with 1 for errors and with 0 without", async () => {
    const bad = await file("apart/Modelfile", "FROM llama3.2\nSYTEM hi\n");
    const found = await runApart([bad]);
    expect(found).toEqual({
      code: 1,
      stdout: expect.stringContaining('Unknown instruction "SYTEM".') as string,
      stderr: "",
    });
    const { code, stderr } = await runApart(["-"], { input: "FROM llama3.2\n" });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  });

  test.each([
    [["--machin", "x"], /^modelfile-lint: Unknown option "--machin"\. .*\n$/],
    [
      ["nowhere/Modelfile"],
      /^modelfile-lint: nowhere\/Modelfile: "nowhere\/Modelfile" does not exist\.\n$/,
    ],
    [
      ["render", "nowhere/Modelfile"],
      /^modelfile-lint: nowhere\/Modelfile: "nowhere\/Modelfile" does not exist\.\n$/,
    ],
  ])("ends with 2 and one line where it cannot go on: %j", async (args, message) => {
    expect(await runApart(args, { cwd: folder })).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringMatching(message) as string,
    });
  });

  test("finds the same as one that ran others before", async () => {
    const path = await file("same/Modelfile", "FROM llama3.3:70b\nPARAMETER num_ctx 131072\n");
    const args = ["plan", path, "--machine", "rtx4090-64g", "--machine", "2x3090", "--json"];
    expect(await run(args)).toEqual(await runApart(args));
  });

  test("a closed pipe ends the command quietly", async () => {
    const text = `FROM llama3.2\n${"PARAMETER wisdom 1\n".repeat(3000)}`;
    const { spawn } = await import("node:child_process");
    const path = await file("pipe/Modelfile", text);
    const child = spawn("sh", ["-c", `"${process.execPath}" "${program}" "${path}" | head -1`]);
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    await new Promise((resolve) => child.on("close", resolve));
    expect(stderr).toBe("");
  });
});

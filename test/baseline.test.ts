import { mkdtemp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  countsOf,
  printBaseline,
  readBaseline,
  shrunk,
  withoutKnown,
  type Counts,
} from "../src/cli/baseline.js";
import { InputError } from "../src/host.js";
import type { FileResult } from "../src/report/result.js";
import { run as runCommand } from "./command.js";

let root: string;

const run = (...args: string[]) => runCommand(args);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "modelfile-lint-baseline-"));
});

afterAll(() => rm(root, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const path = join(root, name);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** The rules that a run of `--format compact` shows. */
function rulesIn(stdout: string): string[] {
  return [...stdout.matchAll(/\[([\w-]+)\]$/gm)].map(([, rule]) => rule!);
}

function result(path: string, machine: string | null, rules: readonly string[]): FileResult {
  const findings = rules.map((rule) => ({
    rule,
    severity: "warning" as const,
    at: { start: 0, end: 1 },
    message: "",
  }));
  return { path, machine, ollama: "0.32.15", text: "FROM x\n", findings, fixed: false };
}

function counts(files: Record<string, Record<string, number>>): Counts {
  return new Map(Object.entries(files).map(([name, own]) => [name, new Map(Object.entries(own))]));
}

const same = (path: string) => path;

describe("counting", () => {
  test("takes of a file's machines the one with the most findings of a rule", () => {
    const results = [
      result("a", "small", ["x", "x", "y"]),
      result("a", "large", ["x", "z"]),
      result("b", null, []),
    ];
    expect(countsOf(results, same)).toEqual(counts({ a: { x: 2, y: 1, z: 1 }, b: {} }));
  });

  test("hides as many findings as are known, on every machine", () => {
    const results = [result("a", "small", ["x", "x", "y"]), result("a", "large", ["x", "z"])];
    const { hidden, gone, beyond, ...left } = withoutKnown(
      results,
      counts({ a: { x: 3, z: 1 } }),
      same,
    );
    expect(left.results.map(({ findings }) => findings.map(({ rule }) => rule))).toEqual([
      ["y"],
      [],
    ]);
    expect({ hidden, gone, beyond }).toEqual({ hidden: 3, gone: 1, beyond: [] });
  });

  test("shows all of a rule in a file where there are more than known", () => {
    const known = counts({ a: { x: 1 }, b: { x: 9 } });
    const { results, hidden, beyond } = withoutKnown([result("a", null, ["x", "x"])], known, same);
    expect(results[0]?.findings).toHaveLength(2);
    expect(hidden).toBe(0);
    expect(beyond).toEqual([{ path: "a", rule: "x", found: 2, known: 1 }]);
  });

  test("never lets a baseline grow, and leaves files alone that were not looked at", () => {
    const known = counts({ a: { x: 2, y: 1 }, b: { x: 1 }, c: { x: 1 } });
    const found = counts({ a: { x: 1, z: 5 }, b: {}, d: { x: 1 } });
    expect(shrunk(known, found)).toEqual(counts({ a: { x: 1 }, c: { x: 1 } }));
  });

  test("is the same when it is done twice", () => {
    const name = fc.constantFrom("a", "b", "c/d");
    const rules = fc.dictionary(fc.constantFrom("x", "y", "z"), fc.integer({ min: 1, max: 4 }));
    const all = fc.dictionary(name, rules).map(counts);
    fc.assert(
      fc.property(all, all, (known, found) => {
        const once = shrunk(known, found);
        expect(shrunk(once, found)).toEqual(once);
        for (const [path, own] of once) {
          for (const [rule, count] of own) {
            expect(count).toBeLessThanOrEqual(known.get(path)?.get(rule) ?? 0);
          }
        }
      }),
    );
  });
});

describe("the file", () => {
  test("is sorted, a rule on each line, and reads back", async () => {
    const known = counts({ "b/Modelfile": { y: 1, x: 2 }, "a/Modelfile": { z: 3 } });
    const text = printBaseline(known);
    expect(text).toBe(`{
  "version": 1,
  "files": {
    "a/Modelfile": {
      "z": 3
    },
    "b/Modelfile": {
      "x": 2,
      "y": 1
    }
  }
}
`);
    expect(await readBaseline(text, "b.json")).toEqual(known);
    expect(await readBaseline(`\uFEFF${text.replaceAll("\n", "\r\n")}`, "b.json")).toEqual(known);
  });

  test("may hold a file of any name", async () => {
    const named = counts({ __proto__: { constructor: 1 }, "1": { x: 1 }, "é \\": { x: 1 } });
    const proto = new Map([...named, ["__proto__", new Map([["x", 1]])]]);
    expect(await readBaseline(printBaseline(proto), "b.json")).toEqual(proto);
  });

  test.each([
    ["[]", "1:1", /^This is no baseline\./],
    ["{}", "1:1", /^A baseline has version 1, not null\./],
    ['{\n  "version": 2,\n  "files": {} }', "2:14", /^A baseline has version 1, not 2\./],
    ['{ "version": 1, "files": [] }', "1:26", /^files takes a mapping/],
    ['{ "version": 1, "files": { "a": 1 } }', "1:33", /^"a" takes a mapping of rules to counts/],
    ['{ "version": 1,\n"files": { "a": { "x": 0 } } }', "2:24", /^"x" takes a number of findings/],
    ['{ "version": 1, "files": { "a": { "x": "1" } } }', "1:40", /^"x" takes a number/],
    ['{ "version": 1,\n<<<<<<< HEAD\n"files": {} }', "2:1", /^Two versions were not merged here/],
    ['{ "version": 1,\n"files": { "a": }, }', "2:12", /./],
    ['{ "version": 1, "files": {', "1:27", /./],
  ])("that is broken is told with the place: %j", async (text, place, message) => {
    const error = await readBaseline(text, "b.json").catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InputError);
    const { message: told, place: at } = error as InputError;
    expect([at?.path, `${at?.line}:${at?.column}`]).toEqual(["b.json", place]);
    expect(told).toMatch(message);
  });

  test("of any kind is a baseline or an InputError", async () => {
    const broken = fc
      .tuple(fc.integer({ min: 0, max: 60 }), fc.string({ unit: "binary", maxLength: 3 }))
      .map(([at, text]) => {
        const whole = printBaseline(counts({ a: { x: 1 } }));
        return whole.slice(0, at) + text + whole.slice(at + 1);
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(broken, fc.json()), async (text) => {
        const read = await readBaseline(text, "b.json").catch((error: unknown) => error);
        if (read instanceof Error) expect(read).toBeInstanceOf(InputError);
        else expect(read).toBeInstanceOf(Map);
      }),
      { numRuns: 60 },
    );
  });
});

const twice = "FROM llama3.2\nPARAMETER mirostat 1\nSYTEM hi\n";

describe("a run", () => {
  test("writes what is found, hides it from then on, and shows what is new", async () => {
    const path = await file("life/models/Modelfile", twice);
    const baseline = join(root, "life/base/known.json");
    await mkdir(dirname(baseline));
    const compact = ["--format", "compact", "--baseline", baseline, "--no-config", path];

    const first = await run(...compact, "--update-baseline");
    expect(first.stderr).toContain(": 2 findings in 1 file.\n");
    expect([first.code, first.stdout]).toEqual([0, ""]);
    expect([...(await readBaseline(await readFile(baseline, "utf8"), baseline)).keys()]).toEqual([
      "../models/Modelfile",
    ]);

    const second = await run(...compact);
    expect([second.code, second.stdout]).toEqual([0, ""]);
    expect(second.stderr).toContain("2 findings are in the baseline");
    expect((await run(...compact, "--quiet")).stderr).toBe("");
    expect((await run(...compact, "--no-baseline")).code).toBe(1);

    await file("life/models/Modelfile", `${twice}LICENCE x\nPARAMETER mirostat_tau 1\n`);
    const third = await run(...compact, "--update-baseline");
    expect(third.code).toBe(1);
    expect(new Set(rulesIn(third.stdout))).toContain("unknown-instruction");
    expect(third.stderr).toContain("of unknown-instruction, 1 in the baseline");
    const kept = await readBaseline(await readFile(baseline, "utf8"), baseline);
    expect(kept.get("../models/Modelfile")?.get("unknown-instruction")).toBe(1);
  });

  test("tells what is gone, and takes it out when asked, once", async () => {
    const path = await file("gone/Modelfile", twice);
    const baseline = await file(
      "gone/known.json",
      printBaseline(
        counts({
          Modelfile: { "deprecated-parameter": 3, "unknown-instruction": 1 },
          "no/more": { x: 2 },
        }),
      ),
    );
    const args = ["--baseline", baseline, "--no-config", path];
    expect((await run(...args)).stderr).toContain("2 findings of the baseline");
    const { code, stderr } = await run(...args, "--update-baseline");
    expect(stderr).toContain("Took 4 findings out of ");
    expect(code).toBe(0);
    const after = await readFile(baseline, "utf8");
    expect(after).toBe(
      printBaseline(counts({ Modelfile: { "deprecated-parameter": 1, "unknown-instruction": 1 } })),
    );
    // Written as somebody else's formatter likes it, it stays so while nothing changes.
    const own = JSON.stringify(JSON.parse(after));
    await writeFile(baseline, own);
    expect((await run(...args, "--update-baseline")).stderr).not.toContain("Took");
    expect(await readFile(baseline, "utf8")).toBe(own);
  });

  test("counts what --fix leaves", async () => {
    const path = await file("fix/Modelfile", twice);
    const baseline = join(root, "fix/known.json");
    const args = ["--baseline", baseline, "--no-config", "--fix", path];
    expect((await run(...args, "--update-baseline")).code).toBe(0);
    const known = await readBaseline(await readFile(baseline, "utf8"), baseline);
    expect(known.get("Modelfile")?.has("unknown-instruction") ?? false).toBe(false);
    expect(await readFile(path, "utf8")).toContain("SYSTEM hi");
  });

  test.each(["json", "sarif", "github", "gitlab", "junit", "checkstyle", "compact", "pretty"])(
    "hides known findings from %s",
    async (format) => {
      const path = await file(`formats/${format}`, twice);
      const baseline = await file(
        `formats/${format}.json`,
        printBaseline(
          counts({ [format]: { "unknown-instruction": 1, "deprecated-parameter": 9 } }),
        ),
      );
      const args = ["--no-config", "--format", format, path];
      const shown = await run(...args);
      const hidden = await run(...args, "--baseline", baseline);
      expect([shown.code, hidden.code]).toEqual([1, 0]);
      expect(shown.stdout).toContain("SYTEM");
      expect(hidden.stdout).not.toContain("Unknown instruction");
    },
  );

  test("takes the baseline that the nearest configuration names", async () => {
    const path = await file("config/models/Modelfile", twice);
    await file("config/.modelfile-lint.yaml", "baseline: known/all.json\n");
    await mkdir(join(root, "config/known"));
    const missing = await run(path);
    expect(missing.code).toBe(2);
    expect(missing.stderr).toContain("There is no such baseline. --update-baseline writes it.");
    expect(missing.stdout).toContain("SYTEM");
    expect((await run(path, "--update-baseline")).code).toBe(0);
    expect((await run(path)).code).toBe(0);
    expect((await run(path, "--no-config")).code).toBe(1);
    const text = await readFile(join(root, "config/known/all.json"), "utf8");
    expect(text).toContain('"../models/Modelfile"');
  });

  test("that could not check everything writes nothing", async () => {
    const path = await file("half/Modelfile", twice);
    const baseline = join(root, "half/known.json");
    const args = ["--no-config", "--baseline", baseline, "--update-baseline"];
    const { code, stderr } = await run(...args, path, join(root, "half/none"));
    expect(stderr).toContain("The baseline was not written: not everything could be checked.");
    expect(code).toBe(2);
    await expect(readFile(baseline)).rejects.toThrow("ENOENT");
  });

  test("with a broken baseline, or one that cannot be written, shows everything and ends with 2", async () => {
    const path = await file("broken/Modelfile", twice);
    const baseline = await file("broken/known.json", "{\n");
    const { code, stdout, stderr } = await run("--no-config", "--baseline", baseline, path);
    expect(stdout).toContain("SYTEM");
    expect(stderr).toMatch(/known\.json:\d+:\d+: /);
    expect(code).toBe(2);
    const nowhere = join(root, "broken/none/known.json");
    const other = await run("--no-config", "--baseline", nowhere, "--update-baseline", path);
    expect(other.stderr).toContain("cannot be written: its folder does not exist.");
    expect(other.code).toBe(2);
  });

  test("needs a baseline to update", async () => {
    const path = await file("none/Modelfile", twice);
    expect(await run("--no-config", "--update-baseline", path)).toEqual({
      code: 2,
      stdout: "",
      stderr:
        "modelfile-lint: --update-baseline needs --baseline FILE, or baseline: in the configuration.\n",
    });
  });
});

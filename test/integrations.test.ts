import fc from "fast-check";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { rules } from "../rules/index.js";
import { root } from "../src/build/bundle.mjs";
import { modelfilesBelow, type ReadFolder } from "../src/cli/walk.js";
import { compactReport } from "../src/report/compact.js";
import type { FileResult, Problem } from "../src/report/result.js";
import { runs } from "./runs.js";

interface Hook {
  id: string;
  entry: string;
  files: string;
}

const text = (path: string) => readFile(join(root, path), "utf8");

const hooks = parse(await text(".pre-commit-hooks.yaml")) as Hook[];

/** As Python reads the pattern, for names in ASCII. */
const patterns = hooks.map(({ files }) => new RegExp(files.replace(/^\(\?i\)/, ""), "i"));

/** Whether the command finds a file below the folder that it starts in. */
async function isFound(path: string): Promise<boolean> {
  const read: ReadFolder = async (folder) => {
    const inside = folder === "." ? path : path.slice(folder.length + 1);
    const [first = "", ...more] = inside.split("/");
    return [{ name: first, isFile: () => more.length === 0, isDirectory: () => more.length > 0 }];
  };
  return (await modelfilesBelow(".", { ignoreFiles: false }, read)).paths.length > 0;
}

describe("the hooks of pre-commit", () => {
  test.each([
    ["Modelfile", true],
    ["modelfile", true],
    ["models/llama/Modelfile", true],
    ["Modelfile.gpu", true],
    ["Modelfile-q4_K_M", true],
    ["Modelfile_old", true],
    ["Modelfile2", true],
    ["chat.modelfile", true],
    ["chat.v2.Modelfile", true],
    [".ollama/Modelfile", true],
    ["a/.ollama/b/Modelfile", true],
    ["Modelfile.md", false],
    ["models/chat.Modelfile.bak", false],
    [".modelfile-lint.yaml", false],
    [".modelfile-lint-ignore", false],
    ["modelfile-lint.txt", false],
    ["Modelfiles", false],
    ["Modelfiles/readme", false],
    ["MyModelfile", false],
    ["Modelfile/notes", false],
    ["node_modules/a/Modelfile", false],
    ["a/node_modules/Modelfile", false],
    [".git/Modelfile", false],
    ["a/.github/Modelfile", false],
    [".ollamas/Modelfile", false],
  ])("agree with the command on %s: %s", async (path, expected) => {
    expect(await isFound(path)).toBe(expected);
    expect(patterns.map((pattern) => pattern.test(path))).toEqual(patterns.map(() => expected));
  });

  test("agree with the command on any name made of the parts of such names", async () => {
    const part = fc.constantFrom(
      "Modelfile",
      "modelfile",
      "modelfile-lint",
      "models",
      "node_modules",
      ".ollama",
      ".git",
      ".",
      "-",
      "_",
      "2",
      "/",
      "/",
      "md",
      ".md",
      ".bak",
      ".json5",
      ".swp",
      "gpu",
      " ",
      "x",
    );
    const path = fc
      .array(part, { minLength: 1, maxLength: 6 })
      .map((parts) => parts.join(""))
      .filter((one) => one.split("/").every((name) => !["", ".", ".."].includes(name)));
    await fc.assert(
      fc.asyncProperty(path, async (one) => {
        const expected = await isFound(one);
        expect(patterns.map((pattern) => pattern.test(one))).toEqual(patterns.map(() => expected));
      }),
      { numRuns: runs(600) },
    );
  });

  test("block a commit of files that they have mended", () => {
    const entries = Object.fromEntries(hooks.map(({ id, entry }) => [id, entry]));
    expect(entries).toEqual({
      "modelfile-lint": "modelfile-lint",
      "modelfile-fix": "modelfile-lint --fix --exit-non-zero-on-fix",
    });
  });
});

interface Matcher {
  owner: string;
  severity?: string;
  pattern: [
    {
      regexp: string;
      file: number;
      line: number;
      column: number;
      severity?: number;
      message: number;
      code: number;
    },
  ];
}

describe("the problem matcher of GitHub Actions", async () => {
  const { problemMatcher } = JSON.parse(await text(".github/problem-matcher.json")) as {
    problemMatcher: Matcher[];
  };

  /** What the runner makes of a line (actions/runner, OutputManager.cs): the first matcher with a severity it knows. */
  function issue(line: string): Record<string, string | undefined> | undefined {
    for (const { severity, pattern } of problemMatcher) {
      const [one] = pattern;
      const match = new RegExp(one.regexp).exec(line);
      if (!match) continue;
      const type = (one.severity && match[one.severity]) || severity || "error";
      if (!["error", "warning", "notice"].includes(type)) continue;
      const { file, column, message, code } = one;
      return {
        type,
        file: match[file],
        line: match[one.line],
        column: match[column],
        message: match[message],
        code: match[code],
      };
    }
    return undefined;
  }

  const severities = ["error", "warning", "info"] as const;
  const types = { error: "error", warning: "warning", info: "notice" };

  test("reads back every finding of the compact format", () => {
    const results = rules.flatMap(({ id, examples: [example] }) =>
      severities.map((severity): FileResult => {
        const at = { start: 0, end: 1 };
        const message = example?.message ?? "";
        return {
          path: `my models/1:2: ${id}.Modelfile`,
          machine: null,
          ollama: "0.32.15",
          text: example?.bad ?? "",
          findings: [{ rule: id, severity, at, message }],
          fixed: false,
        };
      }),
    );
    const lines = compactReport(results, []).trimEnd().split("\n");
    expect(lines).toHaveLength(results.length);
    for (const [index, { path, findings }] of results.entries()) {
      const { rule, severity } = findings[0]!;
      const read = issue(lines[index]!);
      expect(read).toMatchObject({ type: types[severity], file: path, line: "1", code: rule });
      expect(lines[index]).toContain(`: ${read?.["message"]} [`);
    }
  });

  test("reads back what could not be checked, and leaves other lines alone", () => {
    const problems: Problem[] = [{ path: "gone", message: '"gone" does not exist.' }];
    expect(issue(compactReport([], problems).trimEnd())).toEqual({
      type: "error",
      file: "gone",
      line: "1",
      column: "1",
      message: '"gone" does not exist.',
      code: undefined,
    });
    for (const line of ["", "npm warn: 1:2", "src/a.c:1:2: note: here", "12:30:01: done"]) {
      expect(issue(line)).toBeUndefined();
    }
  });
});

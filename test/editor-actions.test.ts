import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { actions, fixAll, fixAllKind, type Action } from "../src/editor/actions.js";
import type { View } from "../src/editor/view.js";
import type { Finding } from "../src/finding.js";
import { newestRelease } from "../src/facts/release.js";
import { applyEdits } from "../src/fix/fix.js";
import { check } from "../src/lint.js";
import { runs } from "./runs.js";

const context = { release: newestRelease };

function viewOf(text: string): View {
  const file = parseModelfile(text);
  return { file, contexts: [context], findings: check(file, context) };
}

const findingsOf = async (text: string): Promise<Finding[]> => check(parseModelfile(text), context);

/** What is offered where "¦" stands, or in the whole file. */
function offered(marked: string, only?: readonly string[]): { text: string; all: Action[] } {
  const at = marked.indexOf("¦");
  const text = marked.replace("¦", "");
  const span = at < 0 ? { start: 0, end: text.length } : { start: at, end: at };
  return { text, all: actions(viewOf(text), span, only) };
}

/** The text after the action of that title. */
function after(marked: string, title: string): string {
  const { text, all } = offered(marked);
  const action = all.find((one) => one.title === title);
  if (action?.does.kind !== "edits")
    throw new Error(`Offered: ${all.map((one) => one.title).join("; ")}`);
  return applyEdits(text, action.does.edits);
}

const titles = (marked: string) => offered(marked).all.map(({ title }) => title);

const repeated =
  "FROM x\nPARAMETER seed 1\nPARAMETER seed 1\nPARAMETER top_k 5\nPARAMETER top_k 5\n";

describe("actions", () => {
  test("offer fixes first, then silence, then the page", () => {
    const { all } = offered(repeated.replace("seed", "se¦ed"));
    expect(all.map(({ title, kind, preferred }) => [title, kind, preferred ?? false])).toEqual([
      ["Remove this line", "quickfix", true],
      ["Fix all 2 problems of duplicate-parameter in this file", "quickfix", false],
      ["Fix all safe problems", "source.fixAll.modelfile-lint", false],
      ["Disable duplicate-parameter for this line", "quickfix", false],
      ["Disable duplicate-parameter in this file", "quickfix", false],
      ["Show the page of duplicate-parameter", "quickfix", false],
    ]);
    expect(all[0]!.findings.map(({ rule }) => rule)).toEqual(["duplicate-parameter"]);
    expect(all.at(-1)!.does).toEqual({
      kind: "page",
      url: "https://github.com/modelfile-lint/modelfile-lint/blob/main/docs/rules/duplicate-parameter.md",
    });
  });

  test("offer suggestions, none of them preferred", () => {
    const { all } = offered("¦PARAMETER seed 1\n");
    expect(all.map(({ title, preferred }) => [title, preferred])).toEqual([
      ["Build on llama3.2", undefined],
      // What is missing has no line that could be silenced.
      ["Disable missing-from in this file", undefined],
      ["Show the page of missing-from", undefined],
    ]);
    expect(after("¦PARAMETER seed 1\n", "Build on llama3.2")).toBe(
      "FROM llama3.2\nPARAMETER seed 1\n",
    );
  });

  test("offer nothing about other places but to fix all", () => {
    expect(titles(repeated.replace("FROM", "FR¦OM"))).toEqual(["Fix all safe problems"]);
    expect(titles("FROM x¦\nPARAMETER top_k 40\n")).toEqual([]);
  });

  test.each([
    [undefined, 6],
    [[""], 6],
    [["", "quickfix", "refactor", "source"], 6],
    [["quickfix"], 5],
    [["source"], 1],
    [["source.fixAll"], 1],
    [[fixAllKind], 1],
    [["refactor", "source.fixAll"], 1],
    [["source.organizeImports"], 0],
    [["source.fixAll.other"], 0],
    [["quick"], 0],
    [[], 0],
  ])("answer to the kinds %j", (only, count) => {
    expect(offered(repeated.replace("seed", "se¦ed"), only).all).toHaveLength(count);
  });

  test("fix all of a rule at once", () => {
    const title = "Fix all 2 problems of duplicate-parameter in this file";
    expect(after(repeated, title)).toBe("FROM x\nPARAMETER seed 1\nPARAMETER top_k 5\n");
  });
});

const pieces = [
  ..."FROM,SYSTEM,TEMPLATE,PARAMETER,MESSAGE,LICENSE,user,foo,stop,seed,num_ctx,x,1".split(","),
  ...'\n,\n,\r\n, , ,",""",{{ .Promp }},{{ if }},\u200b,# c,\nPARAMETER foo 1\n'.split(","),
  '\nSYSTEM """a\nb',
  "\n# modelfile-lint-disable-next-line secret\n",
];

/** After each action that silences something, there is less of it. */
function silences(text: string): void {
  const view = viewOf(text);
  for (const { title, findings, does } of actions(view, view.file)) {
    if (!title.startsWith("Disable ") || does.kind !== "edits") continue;
    const of = (all: readonly Finding[]) => all.filter(({ rule }) => rule === findings[0]!.rule);
    const left = viewOf(applyEdits(text, does.edits)).findings;
    expect(of(left).length, title).toBeLessThanOrEqual(of(view.findings).length - findings.length);
  }
}

describe("silence", () => {
  const line = "Disable unknown-parameter for this line";
  const file = "Disable unknown-parameter in this file";

  test.each([
    [
      "above the line",
      "FROM x\n  PARAMETER fo¦o 1\n",
      line,
      "FROM x\n# modelfile-lint-disable-next-line unknown-parameter\n  PARAMETER foo 1\n",
    ],
    [
      "with the file's own line ends",
      "FROM x\r\nPARAMETER fo¦o 1",
      line,
      "FROM x\r\n# modelfile-lint-disable-next-line unknown-parameter\r\nPARAMETER foo 1",
    ],
    [
      "with what is silenced there already",
      "FROM x\n# modelfile-lint-disable-next-line secret -- so\n\nPARAMETER fo¦o 1\n",
      line,
      "FROM x\n# modelfile-lint-disable-next-line secret, unknown-parameter -- so\n\nPARAMETER foo 1\n",
    ],
    [
      "at the top of the file",
      "FROM x\nPARAMETER fo¦o 1\n",
      file,
      "# modelfile-lint-disable-file unknown-parameter\nFROM x\nPARAMETER foo 1\n",
    ],
    [
      "with what the file silences already",
      "FROM x\nPARAMETER fo¦o 1\n# modelfile-lint-disable-file secret\n",
      file,
      "FROM x\nPARAMETER foo 1\n# modelfile-lint-disable-file secret, unknown-parameter\n",
    ],
    [
      "around a statement of several lines",
      'FROM x\nTEMPLATE """\n{{ .Promp¦ }}"""',
      "Disable template-unknown-field for this TEMPLATE",
      'FROM x\n# modelfile-lint-disable template-unknown-field\nTEMPLATE """\n{{ .Promp }}"""\n# modelfile-lint-enable template-unknown-field',
    ],
  ])("is written %s", (_, text, title, expected) => {
    expect(after(text, title)).toBe(expected);
  });

  test("is not offered for what nothing silences", () => {
    const { all } = offered("# modelfile-lint-disable no-such-rule\nFROM x\n");
    expect(all.map(({ title }) => title).filter((title) => title.startsWith("Disable"))).toEqual(
      [],
    );
    expect(all.at(-1)!.title).toBe("Show the page of unknown-rule");
  });

  test("is not offered behind a quote that never closes", () => {
    const { all } = offered('SYSTEM """hi\nPARAMETER fo¦o 1\n');
    expect(all.map(({ title }) => title)).toContain("Disable unknown-parameter in this file");
    expect(all.map(({ title }) => title)).not.toContain(line);
  });

  test("silences what it is offered for", () => {
    const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 20 });
    fc.assert(
      fc.property(texts, (parts) => silences(parts.join(""))),
      { numRuns: runs(50) },
    );
  });
});

async function fixed(text: string) {
  const edits = await fixAll(viewOf(text), findingsOf);
  return { edits, text: applyEdits(text, edits) };
}

describe("fixing all", () => {
  test("makes every safe fix, and those that others open the way for", async () => {
    const { text } = await fixed(
      "FROM x\nPARAMETER  seed=1\nPARAMETER seed 1\nPARAMETER num_gqa 1\n",
    );
    expect(text).toBe("FROM x\nPARAMETER seed 1\n");
  });

  test("touches no more than it has to", async () => {
    const { edits } = await fixed(
      `FROM x\r\n${"# é😀\r\n".repeat(3)}PARAMETER  seed 1\r\n# end\r\n`,
    );
    expect(edits).toEqual([{ start: 39, end: 40, text: "" }]);
  });

  test("leaves a byte-order mark and lone surrogates where they are", async () => {
    const { text } = await fixed("\ufeffFROM x\n# \ud83d\nPARAMETER  seed 1\n# \ude00\n");
    expect(text).toBe("\ufeffFROM x\n# \ud83d\nPARAMETER seed 1\n# \ude00\n");
  });

  test("has nothing to do in a file without problems", async () => {
    expect((await fixed("FROM x\n")).edits).toEqual([]);
    expect((await fixed("")).edits).toEqual([]);
  });
});

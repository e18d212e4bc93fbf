import { describe, expect, test } from "vitest";
import type { TextEdit } from "../grammar/bytes.js";
import { parseModelfile } from "../grammar/parser.js";
import contextBeyondTraining from "../rules/context-beyond-training.js";
import contextForcesCpu from "../rules/context-forces-cpu.js";
import doesNotFit from "../rules/does-not-fit.js";
import fewerGpusCheaper from "../rules/fewer-gpus-cheaper.js";
import fitsSingleGpu from "../rules/fits-single-gpu.js";
import mmapRequired from "../rules/mmap-required.js";
import numGpuBeyondLayers from "../rules/num-gpu-beyond-layers.js";
import numGpuDisablesFit from "../rules/num-gpu-disables-fit.js";
import numGpuIsLayers from "../rules/num-gpu-is-layers.js";
import rocmMmapSlowLoad from "../rules/rocm-mmap-slow-load.js";
import slowPaging from "../rules/slow-paging.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import { insertLineAfter, lineEnding, removeLine } from "../src/fix/lines.js";
import { modelReference, settingsOf } from "../src/lint.js";
import { readProfile } from "../src/machines/profile.js";
import { catalogueModel, modelLike } from "../src/models/catalogue.js";
import { makePlan } from "../src/plan/make-plan.js";
import type { Example, Rule } from "../src/rule.js";

const rules = [
  contextBeyondTraining,
  contextForcesCpu,
  doesNotFit,
  fewerGpusCheaper,
  fitsSingleGpu,
  mmapRequired,
  numGpuBeyondLayers,
  numGpuDisablesFit,
  numGpuIsLayers,
  rocmMmapSlowLoad,
  slowPaging,
];

async function findings(
  rule: Rule,
  text: string,
  { ollama, machine, models = {} }: Pick<Example, "ollama" | "machine" | "models">,
) {
  const file = parseModelfile(text);
  const release = ollama === undefined ? newestRelease : parseRelease(ollama)!;
  const reference = modelReference(file)!;
  const described = models[reference];
  const model = described
    ? await modelLike(described.like, described.weights, reference)
    : await catalogueModel(reference);
  expect(model).toBeDefined();
  const context = { release, model: model! };
  if (machine === undefined) return [...rule.check(file, context)];
  const profile = await readProfile(machine, "machine.yaml");
  const { server } = profile;
  const settings = settingsOf(file);
  const plan = makePlan({ model: model!, machine: profile, release, server, settings });
  return [...rule.check(file, { ...context, plan })];
}

function applied(text: string, edits: readonly TextEdit[]): string {
  return edits
    .toSorted((a, b) => b.start - a.start)
    .reduce((now, edit) => now.slice(0, edit.start) + edit.text + now.slice(edit.end), text);
}

describe.each(rules.map((rule) => [rule.id, rule] as const))("%s", (_, rule) => {
  test.each(rule.examples)("$message", async (example) => {
    const { bad, good, message, severity } = example;
    const reports = await findings(rule, bad, example);
    expect(reports.map((report) => report.message)).toEqual([message]);
    const [report] = reports;
    expect(report!.severity ?? rule.severity).toBe(severity ?? rule.severity);
    const change = report!.fix ?? report!.suggestions?.[0];
    expect(change && applied(bad, change.edits)).toBe(good);
    if (good !== undefined) expect(await findings(rule, good, example)).toEqual([]);
  });
});

const machineOf10104 = mmapRequired.examples[0]!;

/** Ids of the rules that find something, with the severity. */
async function found(text: string, given: Partial<Example>): Promise<string[]> {
  const all: string[] = [];
  for (const rule of rules) {
    const reports = await findings(rule, text, { ...machineOf10104, ...given });
    for (const report of reports) all.push(`${report.severity ?? rule.severity} ${rule.id}`);
  }
  return all;
}

describe("a model larger than the RAM", () => {
  const from = "FROM acme/deepseek:q2\n";

  test("is an error where Ollama turns mmap off, a warning once it is on", async () => {
    expect(await found(from, { ollama: "0.6.4" })).toEqual(["error mmap-required"]);
    const fixed = `${from}PARAMETER use_mmap true\n`;
    expect(await found(fixed, { ollama: "0.6.4" })).toEqual(["warning slow-paging"]);
    expect(await found(from, { ollama: "0.32" })).toEqual(["warning slow-paging"]);
  });

  test.each(["0.1.49", "0.3.14", "0.5.4", "0.6.4", "0.9.0", "0.11.4", "0.32", "0.32.15"])(
    "use_mmap false is an error in %s",
    async (ollama) => {
      const written = `${from}PARAMETER use_mmap false\n`;
      expect(await found(written, { ollama })).toEqual(["error mmap-required"]);
    },
  );

  test("what Ollama refuses, mmap does not lift", async () => {
    const machine = machineOf10104.machine!.replace("200GB", "128GB");
    for (const text of [from, `${from}PARAMETER use_mmap true\n`]) {
      expect(await found(text, { ollama: "0.6.4", machine })).toEqual(["error does-not-fit"]);
    }
  });

  test("releases that are approximated warn", async () => {
    const findings = await found(`${from}PARAMETER use_mmap false\n`, { ollama: "0.12.11" });
    expect(findings.every((finding) => !finding.startsWith("error"))).toBe(true);
  });
});

test("131072 tokens on eight T4s: an error of the old estimate alone", async () => {
  const { bad, good, machine } = contextForcesCpu.examples[0]!;
  expect(await found(bad, { ollama: "0.5.11", machine: machine! })).toEqual([
    "error context-forces-cpu",
  ]);
  expect(await found(good!, { ollama: "0.5.11", machine: machine! })).toEqual([
    "info fewer-gpus-cheaper",
  ]);
  expect(await found(bad, { ollama: "0.32.15", machine: machine! })).toEqual([]);
});

test("llama3.3:70b on a 24 GB card and 32 GiB of RAM is nothing to stop at", async () => {
  const machine = "ram: 32GiB\ngpus:\n  - backend: cuda\n    memory: 24GiB\n    free: 23.6GiB\n";
  for (const ollama of ["0.6.4", "0.11.4", "0.32.15"]) {
    expect(await found("FROM llama3.3:70b\nPARAMETER num_ctx 2048\n", { ollama, machine })).toEqual(
      [],
    );
  }
});

const edited = (text: string, edit: TextEdit) => applied(text, [edit]);
const second = (text: string) => {
  const file = parseModelfile(text);
  const statements = file.nodes.filter(({ kind }) => kind === "parameter");
  return { file, node: statements[0]! };
};

describe("lines", () => {
  test.each([
    ["FROM x\nPARAMETER top_k 1\nSYSTEM y\n", "FROM x\nSYSTEM y\n"],
    ["FROM x\r\nPARAMETER top_k 1\r\nSYSTEM y\r\n", "FROM x\r\nSYSTEM y\r\n"],
    ["FROM x\nPARAMETER top_k 1", "FROM x"],
    ["FROM x\nPARAMETER top_k 1\n", "FROM x\n"],
    ["  PARAMETER top_k 1  \nFROM x\n", "FROM x\n"],
    ["PARAMETER top_k 1", ""],
  ])("%j without its line is %j", (text, rest) => {
    const { file, node } = second(text);
    expect(edited(text, removeLine(file, node))).toBe(rest);
  });

  test.each([
    ["PARAMETER top_k 1\nFROM x\n", "PARAMETER top_k 1\nNEW\nFROM x\n"],
    ["PARAMETER top_k 1\r\nFROM x\r\n", "PARAMETER top_k 1\r\nNEW\r\nFROM x\r\n"],
    ["FROM x\nPARAMETER top_k 1", "FROM x\nPARAMETER top_k 1\nNEW"],
    ["FROM x\r\nPARAMETER top_k 1", "FROM x\r\nPARAMETER top_k 1\r\nNEW"],
  ])("%j with a line more is %j", (text, rest) => {
    const { file, node } = second(text);
    expect(edited(text, insertLineAfter(file, node, "NEW"))).toBe(rest);
  });

  test("the first line end is the file's", () => {
    expect(lineEnding(parseModelfile("FROM x"))).toBe("\n");
    expect(lineEnding(parseModelfile("FROM x\r\n\n"))).toBe("\r\n");
  });
});

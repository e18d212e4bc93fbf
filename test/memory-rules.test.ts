import { describe, expect, test } from "vitest";
import type { TextEdit } from "../grammar/bytes.js";
import { parseModelfile } from "../grammar/parser.js";
import contextForcesCpu from "../rules/context-forces-cpu.js";
import { ruleNamed } from "../rules/index.js";
import mmapRequired from "../rules/mmap-required.js";
import { applyEdits } from "../src/fix/fix.js";
import { insertLineAfter, lineEnding, removeLine } from "../src/fix/lines.js";
import { lint } from "../src/index.js";
import { readProfile } from "../src/machines/profile.js";
import type { Example } from "../src/rule.js";

const machineOf10104 = mmapRequired.examples[0]!;

/** Ids of the memory rules that find something, with the severity. */
async function found(text: string, given: Partial<Example>): Promise<string[]> {
  const { ollama, machine, models } = { ...machineOf10104, ...given };
  const findings = await lint(text, {
    machine: await readProfile(machine!, "machine.yaml"),
    models: new Map(Object.entries(models!)),
    ...(ollama !== undefined && { ollama }),
  });
  return findings
    .filter(({ rule }) => ruleNamed(rule)!.group === "memory")
    .map(({ rule, severity }) => `${severity} ${rule}`);
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

const edited = (text: string, edit: TextEdit) => applyEdits(text, [edit]);
const second = (text: string) => {
  const file = parseModelfile(text);
  const statements = file.nodes.filter(({ kind }) => kind === "parameter");
  return { file, node: statements[0]! };
};

describe("lines", () => {
  test.each([
    ["FROM x\nPARAMETER top_k 1\nSYSTEM y\n", "FROM x\nSYSTEM y\n"],
    ["FROM x\r\nPARAMETER top_k 1\r\nSYSTEM y\r\n", "FROM x\r\nSYSTEM y\r\n"],
    ["FROM x\rPARAMETER top_k 1\rSYSTEM y\r", "FROM x\rSYSTEM y\r"],
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
    ["FROM x\rPARAMETER top_k 1\rSYSTEM y", "FROM x\rPARAMETER top_k 1\rNEW\rSYSTEM y"],
  ])("%j with a line more is %j", (text, rest) => {
    const { file, node } = second(text);
    expect(edited(text, insertLineAfter(file, node, "NEW"))).toBe(rest);
  });

  test("the first line end is the file's", () => {
    expect(lineEnding(parseModelfile("FROM x"))).toBe("\n");
    expect(lineEnding(parseModelfile("FROM x\r\n\n"))).toBe("\r\n");
  });
});

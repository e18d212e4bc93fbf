import { describe, expect, test } from "vitest";
import type { TextEdit } from "../grammar/bytes.js";
import { parseModelfile } from "../grammar/parser.js";
import type { Modelfile } from "../grammar/tree.js";
import contextForcesCpu from "../rules/context-forces-cpu.js";
import draftMemory from "../rules/draft-memory.js";
import { ruleNamed, rules } from "../rules/index.js";
import mmapRequired from "../rules/mmap-required.js";
import { lookUp, type Setup } from "../src/context.js";
import { parseRelease } from "../src/facts/release.js";
import { applyEdits } from "../src/fix/fix.js";
import { insertLineAfter, lineEnding, removeLine } from "../src/fix/lines.js";
import { lint } from "../src/index.js";
import { check } from "../src/lint.js";
import { preset } from "../src/machines/presets.js";
import { readProfile } from "../src/machines/profile.js";
import { catalogueModel } from "../src/models/catalogue.js";
import { makePlan } from "../src/plan/make-plan.js";
import type { Verdict } from "../src/plan/plan.js";
import type { Context, Example, Rule } from "../src/rule.js";
import { some } from "./runs.js";

const machineOf10104 = mmapRequired.examples[0]!;

async function setupOf(given: Partial<Example>): Promise<Setup> {
  const { ollama = "0.32.15", machine, models } = { ...machineOf10104, ...given };
  return {
    release: parseRelease(ollama)!,
    machine: (await preset(machine!)) ?? (await readProfile(machine!, "machine.yaml")),
    folder: "/",
    modelsFolder: "/",
    server: {},
    models: new Map(Object.entries(models!)),
  };
}

function severities(rule: Rule, file: Modelfile, context: Context): (string | undefined)[] {
  return [...rule.check(file, context)].map(({ severity = rule.severity }) => severity);
}

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

  test("nothing is an error where the plan is approximated", async () => {
    const file = parseModelfile(`${from}PARAMETER use_mmap false\n`);
    const { context } = await lookUp(file, await setupOf({ ollama: "0.6.4" }));
    expect(severities(mmapRequired, file, context)).toEqual(["error"]);
    const plan = { ...context.plan!, reproduced: false };
    expect(severities(mmapRequired, file, { ...context, plan })).toEqual(["warning"]);
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

/** Every rule on a preset's finding: "warning spills-to-cpu". */
async function said(
  text: string,
  machine: string,
  ollama = "0.32.15",
  server: Record<string, string> = {},
): Promise<string[]> {
  const file = parseModelfile(text);
  const setup = await setupOf({ ollama, machine, models: {} });
  const { context } = await lookUp(file, { ...setup, server });
  return check(file, context)
    .filter(({ rule }) => /^(?:memory|performance)$/.test(ruleNamed(rule)!.group))
    .map(({ rule, severity }) => `${severity} ${rule}`);
}

const llama = "FROM llama3.1:8b\n";

describe("layers that stay on the CPU", () => {
  test("each cause is told by the one rule that knows it", async () => {
    const small = "rtx3060-12g-32g";
    const wide = `${llama}PARAMETER num_ctx 65536\n`;
    expect(await said(wide, small)).toEqual(["warning spills-to-cpu"]);
    const four = { OLLAMA_NUM_PARALLEL: "4" };
    const slots = `${llama}PARAMETER num_ctx 16384\n`;
    expect(await said(slots, small)).toEqual([]);
    expect(await said(slots, small, "0.32.15", four)).toEqual(["warning context-times-parallel"]);
    const batch = "FROM qwen3:14b\nPARAMETER num_ctx 8192\nPARAMETER num_batch 8192\n";
    expect(await said(batch, small)).toEqual(["warning batch-memory"]);
    const alone = "FROM llama3.3:70b\nPARAMETER num_ctx 8192\nPARAMETER main_gpu 0\n";
    expect(await said(alone, "2x3090")).toEqual(["warning main-gpu-disables-split"]);
    const full = "FROM llama3.1:8b-instruct-fp16\nPARAMETER num_ctx 8192\n";
    expect(await said(full, small)).toEqual([
      "info full-precision-weights",
      "warning spills-to-cpu",
    ]);
  });

  test("a num_gpu that asks for a part is no surprise", async () => {
    const text = `${llama}PARAMETER num_ctx 65536\nPARAMETER num_gpu 20\n`;
    expect(await said(text, "rtx3060-12g-32g")).toEqual([]);
  });

  test("a smaller file is told of only where one would fit", async () => {
    const q8 = "FROM phi4:14b-q8_0\nPARAMETER num_ctx 8192\n";
    expect(await said(q8, "rtx3060-12g-32g")).toEqual(["warning spills-to-cpu"]);
    const huge = "FROM llama3.3:70b\nPARAMETER num_ctx 4096\n";
    expect(await said(huge, "rtx3060-12g-32g")).not.toContain("warning spills-to-cpu");
  });

  test("the one layer that is missing has a rule of its own", async () => {
    const text = "FROM mistral:7b\nPARAMETER num_ctx 8192\n";
    expect(await said(`${text}PARAMETER num_gpu 32\n`, "rtx3060-12g-32g")).toEqual([
      "warning last-layer-on-cpu",
    ]);
    expect(await said(`${text}PARAMETER num_gpu 33\n`, "rtx3060-12g-32g")).toEqual([]);
  });

  test("where the disk sets the pace, no other rule speaks of layers", async () => {
    const text = "FROM llama3.3:70b\nPARAMETER num_ctx 8192\n";
    const machine = "ram: 32GiB\ngpus:\n  - name: GeForce GTX 1080 Ti\n";
    expect(await said(text, machine)).toEqual(["warning slow-paging"]);
  });
});

const onGpu = (value: number, machine: string, ollama?: string) =>
  said(`FROM mistral:7b\nPARAMETER num_ctx 8192\nPARAMETER main_gpu ${value}\n`, machine, ollama);

describe("main_gpu", () => {
  test("may choose the card of a model that one card holds", async () => {
    expect(await onGpu(1, "2x3090")).toEqual(["info fits-single-gpu"]);
    expect(await onGpu(0, "rtx4090-64g")).toEqual([]);
  });

  test("ends the load where no card has the number, with or without others", async () => {
    for (const [value, machine] of [
      [2, "2x3090"],
      [1, "rtx4090-64g"],
      [0, "desktop-cpu-32g"],
    ] as const) {
      expect(await onGpu(value, machine)).toContain("error main-gpu-disables-split");
      expect(await onGpu(value, machine, "0.9.6")).not.toContain("error main-gpu-disables-split");
    }
  });

  test("below 0 takes the cards away", async () => {
    expect(await onGpu(-1, "2x3090")).toContain("warning main-gpu-disables-split");
    expect(await onGpu(-1, "desktop-cpu-32g")).toEqual([]);
  });
});

describe("the context that nothing sets", () => {
  test("is told of where eight times as much would fit", async () => {
    expect(await said("FROM llama3.2:3b\n", "rtx3060-12g-32g")).toEqual(["info context-unset"]);
    expect(
      await said("FROM llama3.2:3b\n", "rtx3060-12g-32g", "0.32.15", {
        OLLAMA_CONTEXT_LENGTH: "4096",
      }),
    ).toEqual([]);
    // Trained for 8192 tokens.
    expect(await said("FROM gemma2:2b\n", "rtx3060-12g-32g")).toEqual([]);
    expect(await said("FROM llama3.2:3b\n", "desktop-cpu-32g")).toEqual([]);
  });

  test("is told of where the machine makes it larger than the model", async () => {
    expect(await said(llama, "a6000-128g")).toEqual(["info context-unset"]);
    expect(await said(llama, "a6000-128g", "0.15.4")).not.toContain("warning spills-to-cpu");
    expect(await said(llama, "rtx4090-64g")).toEqual([]);
  });
});

describe("use_mmap", () => {
  const text = `${llama}PARAMETER num_ctx 8192\nPARAMETER use_mmap`;

  test("true is what llama-server does anyway, on most machines", async () => {
    expect(await said(`${text} true\n`, "rtx4090-64g")).toEqual(["info mmap-without-effect"]);
    expect(await said(`${text} false\n`, "rtx4090-64g")).toEqual([]);
    // Without a GPU Ollama turns mapping off unless it is told otherwise.
    expect(await said(`${text} true\n`, "desktop-cpu-32g")).toEqual([]);
    expect(await said(`${text} true\n`, "rtx4090-64g", "0.9.6")).toEqual([]);
  });

  test("counts for nothing on an integrated GPU with direct I/O", async () => {
    for (const value of ["true", "false"]) {
      expect(await said(`${text} ${value}\n`, "dgx-spark-128g")).toEqual([
        "info mmap-without-effect",
      ]);
    }
    expect(await said(`${text} false\n`, "dgx-spark-128g", "0.32.1")).toEqual([]);
  });

  test("true stays where the RAM does not hold the file", async () => {
    expect(
      await found("FROM acme/deepseek:q2\nPARAMETER use_mmap true\n", { ollama: "0.32.15" }),
    ).toEqual(["warning slow-paging"]);
  });
});

test("threads beyond the cores are a warning for what the CPU computes", async () => {
  const text = `${llama}PARAMETER num_ctx 4096\nPARAMETER num_thread`;
  expect(await said(`${text} 16\n`, "desktop-cpu-32g")).toEqual(["warning threads-beyond-cores"]);
  expect(await said(`${text} 16\n`, "rtx4090-64g")).not.toContain("warning threads-beyond-cores");
  expect(await said(`${text} 8\n`, "desktop-cpu-32g")).toEqual([]);
  expect(await said(`${text} 16\n`, "ram: 32GiB\n")).toEqual([]);
});

test("a draft is told of where the model fits without it", async () => {
  const file = parseModelfile("FROM llama3.3:70b\nPARAMETER num_ctx 8192\nDRAFT ./draft.gguf\n");
  const setup = await setupOf({ machine: "a6000-128g", ollama: "0.32.15" });
  const model = (await catalogueModel("llama3.3:70b"))!;
  const judged = async (name: string) => {
    const draft = (await catalogueModel(name))!;
    const plan = makePlan({
      model: { ...model, draft },
      machine: setup.machine!,
      release: setup.release,
      server: {},
      settings: { numCtx: 8192 },
    });
    return [...draftMemory.check(file, { release: setup.release, plan })];
  };
  expect(await judged("llama3.2:1b")).toEqual([]);
  const [finding] = await judged("llama3.1:8b-instruct-fp16");
  expect(finding?.message).toMatch(
    /^The draft takes 1\d\.\d\d GiB beside the model: a RTX A6000 would hold/,
  );
});

describe("what a rule changes", () => {
  const order: Readonly<Record<Verdict, number>> = {
    fits: 0,
    risky: 1,
    partial: 2,
    cpu: 3,
    "out-of-memory": 4,
    refused: 4,
  };
  const models = ["llama3.1:8b", "qwen3:32b", "gpt-oss:20b", "llava:13b"];
  const parameters = [
    [],
    ["num_ctx 65536"],
    ["num_ctx 8192", "num_gpu 999"],
    ["num_ctx 1024", "num_batch 4096"],
    ["num_ctx 16384", "use_mmap false", "main_gpu 0"],
    ["num_ctx 8192", "use_mmap true", "num_thread 64", "num_gpu 0"],
  ];
  const cases = models.flatMap((model) =>
    parameters.map((set) => `FROM ${model}\n${set.map((one) => `PARAMETER ${one}\n`).join("")}`),
  );
  /** Each with the half of the cases that is tried there unless more is asked for. */
  const places = [
    ["rtx3060-12g-32g", "0.6.4", 0],
    ["rtx3060-12g-32g", "0.32.15", 1],
    ["2x3090", "0.9.6", 0],
    ["2x3090", "0.32.15", 1],
    ["gtx1060-16g", "0.32.15", 0],
    ["macbook-air-m2-16g", "0.32.15", 1],
  ] as const;

  test.each(places)(
    "is better or as good on %s with %s, and settles it",
    async (machine, ollama, half) => {
      const setup = await setupOf({ machine, ollama, models: {} });
      // Several rules may come to the same text.
      const known = new Map<string, { file: Modelfile; context: Context }>();
      const lookedUp = async (text: string) => {
        const file = parseModelfile(text);
        const found = known.get(text) ?? { file, context: (await lookUp(file, setup)).context };
        known.set(text, found);
        return found;
      };
      let made = 0;
      for (const text of some(cases, 2, half)) {
        const { file, context } = await lookedUp(text);
        for (const rule of rules.filter(({ group }) => /^(?:memory|performance)$/.test(group))) {
          if (rule.about && !rule.about.some((name) => text.includes(` ${name} `))) continue;
          for (const report of rule.check(file, context)) {
            const change = report.fix ?? report.suggestions?.[0];
            if (!change) continue;
            made++;
            const { file: after, context: then } = await lookedUp(applyEdits(text, change.edits));
            const about = `${rule.id}: ${change.title} in ${JSON.stringify(text)}`;
            // A card with nothing left is no better than a part on the CPU.
            const verdict = rule.id === "num-gpu-disables-fit" ? "partial" : context.plan!.verdict;
            expect(order[then.plan!.verdict], about).toBeLessThanOrEqual(order[verdict]);
            if (report.fix) expect([...rule.check(after, then)], about).toEqual([]);
          }
        }
      }
      expect(made).toBeGreaterThan(2);
    },
  );
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

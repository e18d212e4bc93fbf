import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "../src/build/bundle.mjs";
import { run } from "./command.js";

/**
 * The folders of examples/ are published cases: a Modelfile, the machine it was run on, what the tool
 * says (says.txt) and the file after --fix (Modelfile.fixed). What each must say stands here as well, so
 * that a change of its words cannot hide a change of its judgement.
 */
const mustSay: Readonly<
  Record<string, { findings: string[]; afterFix: string[]; says?: RegExp[] }>
> = {
  // ollama #10104
  "larger-than-ram": {
    findings: ["error mmap-required"],
    afterFix: ["warning slow-paging"],
    says: [/247588783616 bytes \(230\.6 GiB\)/, /unable to allocate CPU buffer/, /--no-mmap/],
  },
  "larger-than-ram-mmap-off": {
    findings: ["error mmap-required"],
    afterFix: ["warning slow-paging"],
  },
  "larger-than-ram-newer-ollama": {
    findings: ["warning slow-paging"],
    afterFix: ["warning slow-paging"],
  },
  "larger-than-ram-refused": {
    findings: ["error does-not-fit"],
    afterFix: ["error does-not-fit"],
    says: [/model requires more system memory/],
  },
  // ollama #9471
  "many-cards": {
    findings: ["info fewer-gpus-cheaper"],
    afterFix: ["info fewer-gpus-cheaper"],
    says: [/60\.1 GB/, /43\.9 GB/],
  },
  "num-gpu-is-layers": {
    findings: ["warning num-gpu-is-layers"],
    afterFix: ["warning num-gpu-is-layers"],
    says: [/num_gpu 2 puts 2 of 81 layers on the GPU, not two GPUs\./],
  },
  // ollama #9902
  "context-forces-cpu": {
    findings: ["error context-forces-cpu", "info default-value"],
    afterFix: ["info fewer-gpus-cheaper", "info default-value"],
    says: [
      /0 of 65 layers/,
      /needs 14\.80 GiB, has 14\.47 GiB/,
      /82944/,
      /More cards of this size do not help/,
    ],
  },
  "context-newer-ollama": { findings: ["info default-value"], afterFix: ["info default-value"] },
  "num-gpu-disables-fit": {
    findings: ["info default-value", "info num-gpu-beyond-layers", "warning num-gpu-disables-fit"],
    afterFix: ["warning spills-to-cpu", "info default-value"],
  },
  // ollama #10172
  "tensor-split": {
    findings: ["info fewer-gpus-cheaper", "error unknown-parameter"],
    afterFix: ["info fewer-gpus-cheaper"],
    says: [/layer split/, /not a Modelfile parameter/, /CUDA_VISIBLE_DEVICES/],
  },
  // exllamav2 #371, llama.cpp #5402
  "amd-mapped": {
    findings: ["warning rocm-mmap-slow-load"],
    afterFix: [],
    says: [/39\.60 GiB pass through 30\.00 GiB/],
  },
  "template-drops-system": {
    findings: ["warning template-without-system", "info template-without-tools"],
    afterFix: ["warning template-without-system", "info template-without-tools"],
    says: [/SYSTEM does not reach the model/],
  },
  "one-card-is-enough": { findings: ["info fits-single-gpu"], afterFix: ["info fits-single-gpu"] },
  "num-gpu-beyond-layers": {
    findings: ["info num-gpu-beyond-layers"],
    afterFix: ["info num-gpu-beyond-layers"],
  },
};

const examples = join(root, "examples");

/** "error mmap-required" for each finding of a printed report. */
function findingsIn(report: string): string[] {
  const heads = report.matchAll(
    /^Modelfile:\d+:\d+ (error|warning|info) .* ([a-z-]+)(?: on .+)?$/gm,
  );
  return [...heads].map(([, severity, rule]) => `${severity} ${rule}`);
}

test("every folder is tested", async () => {
  // What compile makes of Modelfiles is tested with it.
  const folders = (await readdir(examples)).filter((name) => name !== "compile");
  expect(folders.sort()).toEqual(Object.keys(mustSay).sort());
});

describe.concurrent.each(Object.entries(mustSay))("%s", (name, expected) => {
  const folder = join(examples, name);

  test("says what it must", async ({ expect }) => {
    const { stdout, stderr, code } = await run(["Modelfile"], { cwd: folder });
    expect(findingsIn(stdout)).toEqual(expected.findings);
    const text = stdout.replaceAll(/\n {10,}(?=\S)/g, " ");
    for (const pattern of expected.says ?? []) expect(text).toMatch(pattern);
    expect(code).toBe(expected.findings.some((finding) => finding.startsWith("error")) ? 1 : 0);
    await expect(stdout + stderr).toMatchFileSnapshot(join(folder, "says.txt"));
  });

  test("fixes what it must, and nothing else", async ({ expect }) => {
    const copy = await mkdtemp(join(tmpdir(), "modelfile-lint-example-"));
    try {
      await cp(folder, copy, { recursive: true });
      const { stdout } = await run(["Modelfile", "--fix"], { cwd: copy });
      expect(findingsIn(stdout)).toEqual(expected.afterFix);
      const fixed = await readFile(join(copy, "Modelfile"), "utf8");
      await expect(fixed).toMatchFileSnapshot(join(folder, "Modelfile.fixed"));
    } finally {
      await rm(copy, { recursive: true, force: true });
    }
  });
});

test("the prompt of an example shows what its TEMPLATE drops", async () => {
  const cwd = join(examples, "template-drops-system");
  const { stdout, code } = await run(["render", "Modelfile"], { cwd });
  expect(stdout).toContain("SYSTEM does not reach the model.");
  expect(stdout).not.toContain("pirate");
  expect(code).toBe(0);
  await expect(stdout).toMatchFileSnapshot(join(cwd, "renders.txt"));
});

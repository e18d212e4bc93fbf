import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { lookUp } from "../src/context.js";
import { newestRelease } from "../src/facts/release.js";
import { readProfile } from "../src/machines/profile.js";
import { nodeHost } from "../src/node-host.js";
import type { Plan } from "../src/plan/plan.js";
import { ggufHeader, smallLlama, type GgufTensor, type GgufValue } from "./gguf-file.js";

let folder: string;

const write = (name: string, keys: Record<string, GgufValue>, tensors: readonly GgufTensor[]) =>
  writeFile(join(folder, name), ggufHeader(keys, tensors));

const lora: readonly GgufTensor[] = [
  { name: "blk.0.attn_q.weight.lora_a", type: "F32", dims: [64, 16] },
  { name: "blk.0.attn_q.weight.lora_b", type: "F32", dims: [16, 64] },
];
const loraBytes = 2 * 64 * 16 * 4;
const projector: readonly GgufTensor[] = [
  { name: "v.patch_embd.weight", type: "F16", dims: [1024] },
];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelfile-lint-"));
  const { metadata, tensors } = smallLlama();
  await write("model.gguf", metadata, tensors);
  await write("draft.gguf", metadata, tensors);
  await write("mmproj.gguf", { "general.architecture": "clip" }, projector);
  await write(
    "lora.gguf",
    { "general.architecture": "llama", "general.type": "adapter", "adapter.type": "lora" },
    lora,
  );
  await writeFile(join(folder, "broken.gguf"), "<html>");
});

afterAll(() => rm(folder, { recursive: true }));

/** The plan of a file in that folder on a machine with one GPU. */
async function planned(text: string): Promise<Plan> {
  const { plan } = await looked(text);
  return plan!;
}

async function looked(text: string) {
  const machine = await readProfile("ram: 16GiB\ngpus:\n  - name: Tesla T4\n", "machine.yaml");
  const setup = { release: newestRelease, folder, host: nodeHost, machine, modelsFolder: folder };
  const { context, broken } = await lookUp(parseModelfile(text), {
    ...setup,
    server: {},
    models: new Map(),
  });
  return { plan: context.plan, model: context.model, broken };
}

const alone = "FROM ./model.gguf\nPARAMETER num_ctx 2048\n";

describe("beside a model", () => {
  test.each(["FROM ./mmproj.gguf\n", "from mmproj.gguf\n"])(
    "a projector counts: %s",
    async (line) => {
      const plan = await planned(alone + line);
      const { projectorBytes } = plan.model;
      expect(projectorBytes).toBeGreaterThan(2048);
      expect(plan.devices[0]!.projector).toBe(projectorBytes);
      expect((await planned(alone)).devices[0]!.projector).toBe(0);
    },
  );

  test("a projector may come first", async () => {
    const plan = await planned(`FROM ./mmproj.gguf\n${alone}`);
    expect(plan.devices[0]!.projector).toBeGreaterThan(2048);
  });

  test("an adapter lies where its blocks do", async () => {
    const [before, after] = [await planned(alone), await planned(`${alone}ADAPTER ./lora.gguf\n`)];
    expect(after.devices[0]!.weights - before.devices[0]!.weights).toBe(loraBytes);
    const onCpu = `${alone}PARAMETER num_gpu 0\n`;
    const [host, more] = [await planned(onCpu), await planned(`${onCpu}ADAPTER ./lora.gguf\n`)];
    expect(more.host.resident - host.host.resident).toBe(loraBytes);
  });

  test("a draft has weights and a cache of its own", async () => {
    const [before, after] = [await planned(alone), await planned(`${alone}DRAFT ./draft.gguf\n`)];
    const { weights, cache } = before.devices[0]!;
    const more = after.devices[0]!.weights - weights;
    expect(more).toBeGreaterThan(weights + cache);
  });

  test("what does not exist changes nothing", async () => {
    const plan = await planned(`${alone}ADAPTER ./none.gguf\nDRAFT ./none.gguf\n`);
    expect(plan.decidedBy).toEqual((await planned(alone)).decidedBy);
  });

  test("what is damaged is told, and the model is judged without it", async () => {
    const { broken, plan } = await looked(`${alone}ADAPTER ./broken.gguf\n`);
    expect(broken?.message).toMatch(/^"broken\.gguf" is no GGUF file/);
    expect(plan?.decidedBy).toEqual((await planned(alone)).decidedBy);
  });

  test("another kind of file is told, too", async () => {
    const { broken } = await looked(`${alone}ADAPTER ./model.gguf\n`);
    expect(broken?.message).toMatch(/^"model\.gguf" is no adapter/);
  });
});

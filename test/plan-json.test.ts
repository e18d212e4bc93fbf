import { describe, expect, test } from "vitest";
import { parseRelease } from "../src/facts/release.js";
import type { Backend, Gpu } from "../src/machines/machine.js";
import { catalogueModel, modelLike } from "../src/models/catalogue.js";
import type { Model } from "../src/models/model.js";
import { makePlan } from "../src/plan/make-plan.js";
import type { Plan } from "../src/plan/plan.js";
import { planJson } from "../src/report/plan-json.js";
import { run } from "./command.js";

const GiB = 2 ** 30;

const llama = (await catalogueModel("llama3.3:70b"))!;

function planOf(model: Model, backends: readonly Backend[], ollama = "0.32.15"): Plan {
  const card = (backend: Backend): Gpu => ({
    name: `${backend} card`,
    backend,
    total: 24 * GiB,
    free: 23.5 * GiB,
    integrated: false,
  });
  return makePlan({
    model,
    release: parseRelease(ollama)!,
    machine: {
      name: "test",
      os: "linux",
      memory: { total: 128 * GiB, free: 126 * GiB, swap: 0 },
      gpus: backends.map(card),
      server: {},
    },
    server: {},
    settings: { numCtx: 8192 },
  });
}

const advice = [{ change: "PARAMETER num_ctx 4096", effect: "All layers lie on the GPUs." }];
const plan = planOf(llama, ["cuda", "cuda"]);
/** As a tool reads it. */
const read = (of: Plan) => JSON.parse(JSON.stringify(planJson(of, "llama3.3:70b", advice)));
const data = read(plan);

test("has the fields that tools rely on", () => {
  const number = expect.any(Number);
  const text = expect.any(String);
  expect(data).toMatchObject({
    version: 1,
    ollama: "0.32.15",
    engine: "llama-server",
    machine: "test",
    model: {
      name: "llama3.3:70b",
      architecture: "llama",
      layers: 81,
      trained_context: 131072,
      source: "catalogue",
      exact: true,
      weights: llama.weights.total,
    },
    context: { num_ctx: 8192, from: "modelfile", effective: 8192, parallel: 1, cells: 8192 },
    mmap: { in_force: expect.any(Boolean), reason: text },
    flash_attention: expect.stringMatching(/^(on|off|auto)$/),
    kv_cache_type: "f16",
    num_batch: number,
    decided_by: { ollama_estimate: number, physical: number },
    verdict: plan.verdict,
    reasons: plan.reasons,
    limits: {
      num_ctx_full_gpu: plan.limits.numCtxFullGpu ?? null,
      num_ctx_runs: plan.limits.numCtxRuns ?? null,
    },
    accuracy: plan.accuracy,
    advice,
  });
  expect(data.devices).toHaveLength(2);
  const parts = ["weights", "cache", "recurrent", "compute", "used"] as const;
  for (const [at, device] of data.devices.entries()) {
    const known = plan.devices[at]!;
    expect(device).toMatchObject({ id: `CUDA${at}`, name: "cuda card", layers: known.layers });
    for (const part of [...parts, "total", "free", "projector", "overhead", "left"] as const) {
      expect(device[part], part).toBe(known[part]);
    }
  }
  for (const part of [...parts, "total", "free", "layers", "mapped", "output"] as const) {
    expect(data.host[part], part).toBe(plan.host[part]);
  }
  expect(data.decisions[0]).toEqual({ what: text, value: text, reason: text, source: text });
});

test.each(["0.6.4", "0.11.4", "0.13.0", "0.32.15"])("holds whole numbers alone: %s", (ollama) => {
  const check = (value: unknown, path: string): void => {
    if (typeof value === "number") expect.soft(Number.isInteger(value), path).toBe(true);
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) check(inner, `${path}.${key}`);
  };
  check(read(planOf(llama, ["cuda"], ollama)), ollama);
});

test("what is no number is null, and parts of bytes are rounded", () => {
  const host = { ...plan.host, cache: 10.4, compute: Number.NaN };
  const odd = read({ ...plan, host, decidedBy: { ollamaEstimate: undefined, physical: 2.5e9 } });
  expect(odd.host).toMatchObject({ cache: 10, compute: null });
  expect(odd.decided_by).toEqual({ ollama_estimate: null, physical: 2.5e9 });
});

test("devices are called as llama.cpp calls them", () => {
  const ids = planOf(llama, ["cuda", "rocm", "cuda", "vulkan", "sycl", "metal"]).devices;
  expect(ids.map(({ id }) => id)).toEqual(["CUDA0", "ROCm0", "CUDA1", "Vulkan0", "SYCL0", "Metal"]);
});

test("a description's model is one of the catalogue, and not exact", async () => {
  const described = (await modelLike("llama3.3:70b", 30 * GiB, "acme/tuned"))!;
  const { model } = planJson(planOf(described, []), "acme/tuned", []);
  expect(model).toMatchObject({ name: "acme/tuned", source: "catalogue", exact: false });
});

describe("the command", () => {
  const input = "FROM mistral:7b\nPARAMETER num_ctx 8192\n";

  test("prints an object for one machine", async () => {
    const args = ["plan", "-", "--json", "--machine", "rtx4090-64g"];
    const { stdout, code } = await run(args, { input });
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      machine: "rtx4090-64g",
      model: { name: "mistral:7b" },
      verdict: "fits",
      advice: [],
    });
    expect(code).toBe(0);
  });

  test("prints a list for several", async () => {
    const args = ["plan", "-", "--json", "--machine", "rtx4090-64g", "--machine", "2x3090"];
    const { stdout } = await run(args, { input });
    const machines = (JSON.parse(stdout) as { machine: string }[]).map(({ machine }) => machine);
    expect(machines).toEqual(["rtx4090-64g", "2x3090"]);
  });
});

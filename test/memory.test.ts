import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate, subjectOf, type Subject } from "../src/memory/allocate.js";
import type { Allocation, Device, RunParameters } from "../src/memory/allocation.js";
import { NoGraph } from "../src/memory/graph.js";
import type { Header, KeyValue } from "../src/models/header.js";
import { decisionsOf, readFits } from "./accuracy/fits.js";
import { headerOf, modelNames, readBack } from "./accuracy/models.js";
import { devicesOf, pairsOf, readRows, runOf, type Row } from "./accuracy/rows.js";
import { runs, some } from "./runs.js";

const GiB = 2 ** 30;

const subjects = new Map(modelNames.map((name) => [name, subjectOf(headerOf(name))]));
const subjectFor = (name: string): Subject => subjects.get(name)!;

/** Every 40th row, and the first of each model. */
function sample(rows: readonly Row[]): Row[] {
  const chosen = new Set(some(rows, 40));
  const seen = new Set<string>();
  return rows.filter((row) => {
    const isNew = !seen.has(row.model);
    seen.add(row.model);
    return isNew || chosen.has(row);
  });
}

// npm run accuracy compares all rows.
describe("what llama.cpp allocated", () => {
  const all = readRows();
  const rows = sample(all);
  const modes = [...new Set(rows.map(({ mode }) => mode))];

  test.each(modes)("is predicted to the byte: %s", (mode) => {
    const different = rows
      .filter((row) => row.mode === mode)
      .flatMap((row) => {
        const devices = devicesOf(row.devices);
        const found = allocate(subjectFor(row.model), devices, runOf(row), { way: "measured" });
        const pairs = pairsOf(row, found).filter(({ measured, ours }) => measured !== ours);
        return pairs.map((pair) => ({ model: row.model, ...runOf(row), ...pair }));
      });
    expect(different).toEqual([]);
  });

  test("the sample has every mode and model that was measured", () => {
    expect(new Set(modes)).toEqual(new Set(all.map(({ mode }) => mode)));
    expect(new Set(rows.map(({ model }) => model))).toEqual(new Set(all.map(({ model }) => model)));
    expect(rows.length).toBeGreaterThan(230);
  });

  test("its fit is decided alike", () => {
    for (const row of readFits().filter((_, index) => index % 30 === 0)) {
      const { measured, ours } = decisionsOf(row, subjectFor(row.model));
      expect(ours, `${row.rig} ${row.model} ${row.args}`).toBe(measured);
    }
  });

  test("a header is the same through a file", async () => {
    for (const name of ["smollm2-135m", "gpt2", "granite4-h-tiny"]) {
      const { keys, tensors } = await readBack(name);
      const direct = headerOf(name);
      expect(tensors).toEqual(direct.tensors);
      expect([...keys.keys()]).toEqual([...direct.keys.keys()]);
      expect([...keys.values()].map(single)).toEqual([...direct.keys.values()].map(single));
    }
  });
});

/** As a file stores fractions. */
function single(value: KeyValue): KeyValue {
  return typeof value === "number" ? Math.fround(value) : value;
}

// Small ones of every kind: what holds for all is shown on them in little time.
const names = [
  "smollm2-135m",
  "qwen2.5-0.5b",
  "gemma3-1b",
  "gemma3n-e4b",
  "gpt2",
  "bge-base",
  "jamba-3b",
  "lfm2-1.2b",
  "mamba-2.8b",
  "deepseek-v2-lite",
  "gpt-oss-20b",
];

const models = fc.constantFrom(...names);

const anyDevices: fc.Arbitrary<Device[]> = fc.array(
  fc.record({
    backend: fc.constantFrom("cuda", "rocm", "vulkan", "sycl", "metal"),
    free: fc.integer({ min: GiB, max: 80 * GiB }),
    compute: fc.constantFrom(610, 750, 860, 890, 1200),
  }),
  { maxLength: 3 },
);

const anyRun: fc.Arbitrary<RunParameters> = fc
  .record({
    context: fc.integer({ min: 1, max: 65536 }),
    batch: fc.constantFrom(512, 2048),
    microBatch: fc.constantFrom(64, 512, 2048),
    sequences: fc.integer({ min: 1, max: 6 }),
    unifiedCache: fc.boolean(),
    typeK: fc.constantFrom("f16", "q8_0", "q4_0"),
    typeV: fc.constantFrom("f16", "q8_0", "q4_0"),
    flashAttention: fc.constantFrom(true, false, "auto" as const),
    gpuLayers: fc.integer({ min: -1, max: 40 }),
    offloadCache: fc.boolean(),
    wholeWindows: fc.boolean(),
    outputs: fc.integer({ min: 0, max: 8 }),
    embeddings: fc.boolean(),
  })
  // Without flash attention llama.cpp refuses quantised values.
  .map((run) => (run.flashAttention === true ? run : { ...run, typeV: "f16" }));

const shares = ({ devices, host }: Allocation) => [...devices, host];
const total = (allocation: Allocation, part: "weights" | "cache" | "recurrent") =>
  shares(allocation).reduce((bytes, share) => bytes + share[part], 0);

/** Bytes that a model keeps of what it has read. */
function cache(name: string, run: RunParameters): number {
  const found = allocate(subjectFor(name), [], run);
  return total(found, "cache") + total(found, "recurrent");
}

describe("of any model on any machine", () => {
  test("all sizes are whole numbers of bytes, and all layers lie somewhere", () => {
    fc.assert(
      fc.property(models, anyDevices, anyRun, (name, devices, run) => {
        const { network } = subjectFor(name);
        const found = allocate(subjectFor(name), devices, run);
        const sizes = shares(found).flatMap((share) => Object.values(share) as number[]);
        expect(sizes.filter((size) => !Number.isSafeInteger(size) || size < 0)).toEqual([]);

        const all = network.blocks + 1;
        const asked = run.gpuLayers! < 0 ? all : Math.min(run.gpuLayers!, all);
        const onGpus = found.layers.reduce((count, layers) => count + layers, 0);
        expect(onGpus).toBe(devices.length === 0 ? 0 : asked);
        expect(found.devices).toHaveLength(devices.length);
        expect(found.context.total).toBeGreaterThanOrEqual(run.context);
      }),
      { numRuns: runs(25) },
    );
  });

  test("the same question has the same answer", () => {
    fc.assert(
      fc.property(models, anyDevices, anyRun, (name, devices, run) => {
        const first = allocate(subjectFor(name), devices, run);
        expect(allocate(headerOf(name), devices, run)).toEqual(first);
      }),
      { numRuns: runs(8) },
    );
  });

  test("more tokens, sequences or a larger micro-batch never make the cache smaller", () => {
    fc.assert(
      fc.property(models, anyRun, fc.integer({ min: 0, max: 8192 }), (name, run, more) => {
        const now = cache(name, run);
        expect(cache(name, { ...run, context: run.context + more })).toBeGreaterThanOrEqual(now);
        // Each with a context of its own.
        const { sequences, context } = run;
        const each = { ...run, context: context * sequences };
        const another = { ...run, sequences: sequences + 1, context: context * (sequences + 1) };
        expect(cache(name, another)).toBeGreaterThanOrEqual(cache(name, each));
        const larger = { ...run, microBatch: 2 * run.microBatch };
        expect(cache(name, larger)).toBeGreaterThanOrEqual(now);
      }),
      { numRuns: runs(12) },
    );
  });

  test("weights stay the same wherever layers go", () => {
    fc.assert(
      fc.property(
        models,
        anyDevices,
        anyRun,
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 3, maxLength: 3 }),
        (name, devices, run, tensorSplit) => {
          const header = headerOf(name);
          const found = allocate(subjectFor(name), devices, { ...run, tensorSplit });
          const bytes = header.tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
          const ofTensor = (wanted: string) =>
            header.tensors.find((tensor) => tensor.name === wanted)?.bytes ?? 0;
          // Alignment, the padding of a row, rotary factors on each device and a tied embedding twice.
          const padding = header.tensors.length * 1024;
          const twice = (devices.length + 1) * 1024 + ofTensor("token_embd.weight");
          expect(total(found, "weights")).toBeGreaterThanOrEqual(bytes);
          expect(total(found, "weights")).toBeLessThanOrEqual(bytes + padding + twice);
        },
      ),
      { numRuns: runs(25) },
    );
  });
});

/** One of the models with another value under a key. */
function withKey(name: string, key: string, value: KeyValue | undefined): Header {
  const { keys, tensors } = headerOf(name);
  const full = `${subjectFor(name).network.architecture}.${key}`;
  const changed = new Map(keys);
  if (value === undefined) changed.delete(full);
  else changed.set(full, value);
  return { keys: changed, tensors };
}

describe("a header that makes no sense", () => {
  const changedKey = fc.constantFrom(
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.key_length_mla",
    "attention.kv_lora_rank",
    "attention.sliding_window",
    "attention.sliding_window_pattern",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "expert_count",
    "expert_used_count",
    "feed_forward_length",
    "full_attention_interval",
    "leading_dense_block_count",
    "pooling_type",
    "rope.dimension_count",
    "shortconv.l_cache",
    "ssm.conv_kernel",
    "ssm.group_count",
    "ssm.inner_size",
    "ssm.state_size",
    "ssm.time_step_rank",
    "vocab_size",
  );
  const lists: KeyValue[] = [[], [0], [1, 2], [-1, Number.NaN], [true], { length: 5 }];
  const numbers = [0, 1, -1, 3, 0.5, 512, 2 ** 31, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY];
  /** Undefined: the key is missing. */
  const absurd = fc.constantFrom<KeyValue | undefined>(
    undefined,
    "",
    "llama",
    true,
    false,
    ...numbers,
    ...lists,
  );
  // Files with more blocks than llama.cpp takes are refused where they are read.
  const counts = new Set(["block_count", "expert_used_count"]);
  const run: RunParameters = {
    context: 4096,
    batch: 512,
    microBatch: 512,
    sequences: 2,
    unifiedCache: false,
    typeK: "f16",
    typeV: "f16",
    flashAttention: "auto",
  };
  const devices: Device[] = [{ backend: "cuda", free: 8 * GiB, compute: 890 }];

  /** Either nothing is known of it, which callers expect, or there are figures. */
  function judge(header: Header): void {
    try {
      const sizes = shares(allocate(header, devices, run)).flatMap(
        (share) => Object.values(share) as number[],
      );
      expect(sizes.filter((size) => !Number.isFinite(size) || size < 0)).toEqual([]);
    } catch (error) {
      if (!(error instanceof NoGraph)) throw error;
    }
  }

  test("with absurd values under its keys", () => {
    fc.assert(
      fc.property(models, changedKey, absurd, (name, key, value) => {
        fc.pre(!counts.has(key) || !(Number(value) > 512));
        judge(withKey(name, key, value));
      }),
      { numRuns: runs(50) },
    );
  });

  test("with more experts for a token than there are", () => {
    const header = withKey("deepseek-v2-lite", "expert_used_count", 4096);
    expect(() => allocate(header, devices, run)).toThrow(NoGraph);
  });

  test("without some of its tensors", () => {
    fc.assert(
      fc.property(models, fc.integer({ min: 0, max: 1000 }), fc.nat(50), (name, from, count) => {
        const { keys, tensors } = headerOf(name);
        const start = from % tensors.length;
        judge({ keys, tensors: tensors.filter((_, i) => i < start || i > start + count) });
      }),
      { numRuns: runs(25) },
    );
  });

  test("with tensors of other shapes", () => {
    const lengths = fc.constantFrom(1, 7, 32, 4096, 2 ** 20);
    fc.assert(
      fc.property(
        models,
        fc.nat(1000),
        fc.array(lengths, { minLength: 1, maxLength: 4 }),
        (name, at, dims) => {
          const { keys, tensors } = headerOf(name);
          const changed = tensors.map((tensor, i) =>
            i === at % tensors.length ? { ...tensor, dims } : tensor,
          );
          judge({ keys, tensors: changed });
        },
      ),
      { numRuns: runs(25) },
    );
  });

  test("that is empty", () => {
    judge({ keys: new Map(), tensors: [] });
    judge({ keys: new Map([["general.architecture", "llama"]]), tensors: [] });
  });
});

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../src/build/bundle.mjs";
import { exllamav2 } from "../src/compile/exllamav2.js";
import { demandOf, splitOver } from "../src/compile/exllamav2-memory.js";
import type { Source } from "../src/compile/target.js";
import { tabbyOptions, tabbySamplers } from "../src/facts/tabby-options.js";
import type { Machine } from "../src/machines/machine.js";
import type { FileFacts } from "../src/models/local-files.js";
import type { Model } from "../src/models/model.js";
import { driverContext } from "../src/plan/placed.js";
import { card, computer, GiB, modelOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

function folder(...names: string[]): FileFacts {
  return { kind: "folder", path: "/home/me/model", names, pointers: [] };
}

/** An EXL2 folder of a 70B model, some 40 GB. */
function seventy(rest: Partial<Model> = {}): Model {
  const block = 0.487 * GiB;
  return modelOf(
    {
      blocks: 80,
      embedding: 8192,
      vocabulary: 128256,
      heads: 64,
      headsKv: 8,
      trainedContext: 131072,
    },
    {
      source: "folder",
      quantisation: "EXL2",
      exact: false,
      weights: {
        total: 80 * block + 2.6 * GiB,
        blocks: Array.from({ length: 80 }, () => block),
        input: 1.96 * GiB,
        outputNorm: 16384,
        output: 0.64 * GiB - 16384,
        other: 0,
      },
      ...rest,
    },
  );
}

const exl2 = new Map([["./models/llama-70b-exl2", folder("config.json", "output.safetensors")]]);

interface Around {
  model?: Model;
  machine?: Machine;
  server?: Record<string, string>;
  files?: ReadonlyMap<string, FileFacts>;
  name?: string;
}

function sourceFor(lines: string, around: Around = {}, ollama = "0.32.15"): Source {
  return sourceOf(`FROM ./models/llama-70b-exl2\n${lines}`, ollama, { files: exl2, ...around });
}

function compiled(source: Source) {
  const made = exllamav2.compile(source);
  if ("refused" in made) throw new Error(made.refused);
  const [config, preset] = made.texts;
  return {
    made,
    config: parse(config!.text) as Record<string, Record<string, unknown>>,
    preset: parse(preset!.text) as Record<string, { override: unknown; force: boolean }>,
    notes: made.notes.map(({ message }) => message),
  };
}

/** Why it is refused; empty where it is not. */
function refusal(source: Source): string {
  const made = exllamav2.compile(source);
  return "refused" in made ? made.refused : "";
}

const table = (name: string) =>
  JSON.parse(readFileSync(join(root, "src", "facts", `${name}.json`), "utf8")) as object;

const radeons = computer({
  gpus: [
    card({ backend: "rocm", name: "Radeon RX 7900 XTX", compute: "gfx1100" }),
    card({ backend: "rocm", name: "Radeon RX 7900 XTX", compute: "gfx1100" }),
  ],
  free: 30 * GiB,
});

describe("on two AMD cards with less RAM than the model (exllamav2 #371)", () => {
  const source = sourceFor("PARAMETER num_ctx 8192", {
    model: seventy(),
    machine: radeons,
    server: { OLLAMA_KV_CACHE_TYPE: "q8_0" },
  });

  test("loads past the page cache, and says why", () => {
    const { config, notes } = compiled(source);
    expect(config["model"]).toMatchObject({
      model_dir: "./models",
      model_name: "llama-70b-exl2",
      backend: "exllamav2",
      max_seq_len: 8192,
      cache_mode: "Q8",
      gpu_split_auto: false,
      tensor_parallel: false,
      fasttensors: true,
    });
    expect(notes.some((note) => /pass through 30\.00 GiB of free RAM/.test(note))).toBe(true);
  });

  test("splits it so that each card holds its weights and their part of the cache", () => {
    const split = compiled(source).config["model"]!["gpu_split"] as number[];
    const demand = demandOf(seventy(), 8192, "Q8");
    const whole = demand.weights + demand.cache;
    expect(split.reduce((sum, one) => sum + one, 0) * GiB).toBeGreaterThanOrEqual(demand.weights);
    for (const [index, gibibytes] of split.entries()) {
      const gpu = radeons.gpus[index]!;
      const used = (gibibytes * GiB * whole) / demand.weights;
      expect(used).toBeLessThanOrEqual(gpu.free - driverContext(gpu));
    }
  });
});

describe("the cache", () => {
  test("of a token is that of all blocks, in the bytes of its mode", () => {
    const model = seventy();
    expect(demandOf(model, 1, "FP16").cache).toBe(80 * 8 * 256 * 2);
    expect(demandOf(model, 1, "Q4").cache).toBe(80 * 8 * 256 * 0.5625);
  });

  test("is for all requests together, in whole pages", () => {
    const { config } = compiled(
      sourceFor("PARAMETER num_ctx 5000", {
        model: seventy(),
        machine: computer({ gpus: [card({ free: 80 * GiB, total: 80 * GiB })] }),
        server: { OLLAMA_NUM_PARALLEL: "3" },
      }),
    );
    expect(config["model"]).toMatchObject({
      max_seq_len: 5000,
      cache_size: 15104,
      max_batch_size: 3,
    });
  });

  test("is not paged on cards without flash attention, which answer one request at a time", () => {
    const { config, notes } = compiled(
      sourceFor("PARAMETER num_ctx 4096", {
        model: seventy(),
        machine: radeons,
        server: { OLLAMA_NUM_PARALLEL: "3" },
      }),
    );
    expect(config["model"]).not.toHaveProperty("cache_size");
    expect(notes.some((note) => note.includes("one request at a time"))).toBe(true);
  });

  test.each([
    ["q4_0", "Q4"],
    ["q5_1", "Q6"],
    ["q8_0", "Q8"],
    ["f16", "FP16"],
    ["f32", "FP16"],
    ["constructor", "FP16"],
  ])("of %s is %s", (type, mode) => {
    const { config } = compiled(sourceFor("", { server: { OLLAMA_KV_CACHE_TYPE: type } }));
    expect(config["model"]!["cache_mode"]).toBe(mode);
  });
});

describe("a split", () => {
  const demand = { weights: 30 * GiB, perToken: 1, cache: 2 * GiB };

  test("takes one card where one is enough, whichever that is", () => {
    const gpus = [card({ free: 16 * GiB }), card({ free: 48 * GiB, total: 48 * GiB })];
    const { gibibytes, fits } = splitOver(gpus, demand);
    expect(fits).toBe(true);
    expect(gibibytes[0]).toBe(0);
    expect(gibibytes[1]).toBeGreaterThan(30);
  });

  test("does not hold what is larger than all cards", () => {
    const { fits } = splitOver([card({ free: 16 * GiB }), card({ free: 16 * GiB })], demand);
    expect(fits).toBe(false);
  });

  test("that does not fit is left out, and the context that would is named", () => {
    const { config, notes } = compiled(
      sourceFor("PARAMETER num_ctx 131072", {
        model: seventy(),
        machine: computer({ gpus: [card(), card()] }),
      }),
    );
    expect(config["model"]).not.toHaveProperty("gpu_split");
    const note = notes.find((one) => one.includes("do not fit"))!;
    const tokens = Number(/A cache of (\d+) tokens would fit/.exec(note)![1]);
    expect(tokens % 256).toBe(0);
    const less = demandOf(seventy(), tokens, "FP16");
    expect(less.weights + less.cache).toBeLessThanOrEqual(48 * GiB);
    expect(tokens).toBeGreaterThan(4096);
  });
});

test("fasttensors stays off where the weights pass through RAM with room to spare", () => {
  const { config } = compiled(
    sourceFor("PARAMETER num_ctx 8192", {
      model: seventy(),
      machine: computer({ gpus: [card(), card(), card()], free: 128 * GiB }),
    }),
  );
  expect(config["model"]).not.toHaveProperty("fasttensors");
  expect(config["model"]!["gpu_split"]).toHaveLength(3);
});

test("a preset samples as Ollama does, stop strings included", () => {
  const { preset, made, config } = compiled(
    sourceFor(
      'PARAMETER temperature 0.3\nPARAMETER stop "<|end|>"\nPARAMETER stop yes\nPARAMETER num_predict 200\nPARAMETER seed 3',
      { name: "my/model:latest" },
    ),
  );
  expect(preset["temperature"]).toEqual({ override: 0.3, force: false });
  expect(preset["stop"]!.override).toEqual(["<|end|>", "yes"]);
  expect(preset["max_tokens"]!.override).toBe(200);
  expect(preset["top_p"]!.override).toBe(0.9);
  expect(preset).not.toHaveProperty("mirostat_mode");
  expect(made.texts[1]!.path).toBe("sampler_overrides/my-model-latest.yml");
  expect(config["sampling"]).toEqual({ override_preset: "my-model-latest" });
});

test("takes an adapter's and a draft's folder, and leaves files out with a note", () => {
  const text = "ADAPTER ./loras/style\nDRAFT ./models/small\n";
  const { config } = compiled(sourceFor(text));
  expect(config["lora"]).toEqual({
    lora_dir: "./loras",
    loras: [{ name: "style", scaling: 1 }],
  });
  expect(config["draft_model"]).toMatchObject({
    draft_model_dir: "./models",
    draft_model_name: "small",
  });
  const files = compiled(sourceFor("ADAPTER ./style.gguf\nDRAFT ./small.gguf\n"));
  expect(files.config).not.toHaveProperty("lora");
  expect(files.config).not.toHaveProperty("draft_model");
  expect(files.notes.filter((note) => note.endsWith("is a file: it is left out."))).toHaveLength(2);
});

test("tells of everything that it leaves out, where it stands", () => {
  const text =
    "SYSTEM hi\nTEMPLATE {{ .Prompt }}\nMESSAGE user a\nPARAMETER num_gpu 9\nPARAMETER seed 1\nLICENSE MIT\n";
  const source = sourceFor(text);
  const told = compiled(source).made.notes.flatMap(({ at }) => (at ? [at.start] : []));
  const statements = source.file.statements.slice(1).map(({ start }) => start);
  expect(told.sort((a, b) => a - b)).toEqual(statements);
});

describe("refuses", () => {
  const gguf: FileFacts = { kind: "file", path: "/m.gguf", content: "gguf" };

  test.each<[string, string, Around, RegExp]>([
    ["a model of the library", "FROM llama3.3:70b", {}, /llama3\.3:70b is a GGUF file/],
    ["a GGUF file", "FROM ./m.gguf", { files: new Map([["./m.gguf", gguf]]) }, /no GGUF files/],
    ["a GGUF file that nobody has seen", "FROM ./m.gguf", {}, /no GGUF files/],
    [
      "a folder of GGUF files",
      "FROM ./m",
      { files: new Map([["./m", folder("a.gguf")]]) },
      /no GGUF/,
    ],
    [
      "one file of safetensors",
      "FROM ./m.safetensors",
      {
        files: new Map([
          ["./m.safetensors", { kind: "file", path: "/m.safetensors", content: "safetensors" }],
        ]),
      },
      /Name its folder/,
    ],
    ["EXL3", "FROM ./m", { model: seventy({ quantisation: "EXL3" }) }, /exllamav3/],
    [
      "an embedding model",
      "FROM ./m",
      { model: modelOf({ embeddingOnly: true }, { source: "folder" }) },
      /only embeds/,
    ],
    [
      "a computer without CUDA and ROCm",
      "FROM ./m",
      { machine: computer({ gpus: [card({ backend: "metal", name: "M3" })] }) },
      /CUDA and ROCm alone, and test has M3/,
    ],
  ])("%s, and says what to do", (_, text, around, why) => {
    const said = refusal(sourceOf(text, "0.32.15", around));
    expect(said).toMatch(why);
    expect(said).toMatch(/--to llama-server|Name its folder|exllamav3/);
  });

  test("no folder of safetensors, known or not", () => {
    expect(refusal(sourceFor(""))).toBe("");
    expect(refusal(sourceOf("FROM ./somewhere", "0.32.15"))).toBe("");
    expect(refusal(sourceFor("", { model: seventy({ quantisation: "BF16" }) }))).toBe("");
  });
});

test("hostile text survives in the YAML, and stays data", () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom(":", "#", "-", "\n", '"', "'", "{", "&", "*", "!", "|", "%", "@", "`", "no"),
      fc.constantFrom("\u2028", "\u0085", "\t", "0x1", "1:20", "~", "<<", "😀", ": ", " #"),
      fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 10,
  });
  fc.assert(
    fc.property(nasty, nasty, nasty, (path, name, stop) => {
      const source = sourceOf('FROM .\nPARAMETER stop "x"', "0.32.15", { name });
      const own = { ...folder("config.json"), path: `/models/${path.replaceAll(/[\\/]/g, "")}x` };
      const commands = source.commands.map((command) =>
        command.name === "stop" ? { ...command, args: stop } : command,
      );
      const { config, preset } = compiled({
        ...source,
        commands,
        files: new Map<string, FileFacts>([[".", own]]),
      });
      expect(config["model"]!["model_name"]).toBe(own.path.slice("/models/".length));
      expect(preset["stop"]!.override).toEqual([stop]);
      expect(config["sampling"]!["override_preset"]).toMatch(/^[A-Za-z0-9_][A-Za-z0-9._-]*$/);
    }),
    { numRuns: 200 },
  );
});

describe("the options", () => {
  test("are as their schema says", () => {
    const validate = new Ajv({ allErrors: true }).compile(table("tabby-options.schema"));
    validate(table("tabby-options"));
    expect(validate.errors).toBeNull();
    expect(validate({ ...table("tabby-options"), unheard: 1 })).toBe(false);
  });

  test("that are written are all TabbyAPI's own", () => {
    const lines =
      "PARAMETER num_ctx 200000\nPARAMETER num_batch 700\nPARAMETER num_predict 5\nPARAMETER stop a\nADAPTER ./a\nDRAFT ./d\n";
    const early = "PARAMETER mirostat 1\nPARAMETER tfs_z 0.9\n";
    const sources = [
      sourceFor(lines, { model: seventy(), machine: radeons }),
      sourceFor(lines, { model: seventy({ capabilities: ["vision"] }) }),
      sourceFor(
        lines.replace("DRAFT ./d\n", "") + early,
        { model: seventy(), machine: radeons },
        "0.4.0",
      ),
      sourceFor(lines, { machine: computer({ gpus: [card(), card(), card()] }) }),
    ];
    const written = new Set<string>();
    for (const { config, preset } of sources.map(compiled)) {
      for (const [section, options] of Object.entries(config)) {
        for (const option of Object.keys(options)) {
          expect(tabbyOptions(section)).toContain(option);
          written.add(option);
        }
      }
      for (const sampler of Object.keys(preset)) expect(tabbySamplers).toContain(sampler);
    }
    expect(written.size).toBeGreaterThan(15);
  });
});

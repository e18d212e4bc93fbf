import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../src/build/bundle.mjs";
import { libraryRepository } from "../src/compile/hugging-face.js";
import type { Source } from "../src/compile/target.js";
import { cuts, demandOf, stages, storedWeights, type Loaded } from "../src/compile/vllm-memory.js";
import { vllm } from "../src/compile/vllm.js";
import { rayOptions, vllmOptions, vllmSampling } from "../src/facts/vllm-options.js";
import { catalogueModel } from "../src/models/catalogue.js";
import type { FileFacts } from "../src/models/local-files.js";
import type { Model } from "../src/models/model.js";
import { card, computer, GiB, modelOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

const folder = mkdtempSync(join(tmpdir(), "vllm-target-"));
const fake = join(folder, "fake");
writeFileSync(fake, "#!/bin/sh\nprintf '%s\\0' \"$@\"\n");
chmodSync(fake, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compiled(source: Source) {
  const made = vllm.compile(source);
  if ("refused" in made) throw new Error(made.refused);
  const textOf = (path: string) => made.texts.find((text) => text.path === path)?.text;
  return {
    paths: made.texts.map(({ path }) => path),
    serve: textOf("serve.sh")!,
    head: textOf("ray-head.sh"),
    worker: textOf("ray-worker.sh"),
    service: textOf("rayservice.yaml"),
    notes: made.notes.map(({ message }) => message),
    placed: made.notes,
  };
}

/** What the program is started with, by the shell's own reading of the script. */
function argumentsOf(script: string, environment: Record<string, string> = {}): string[] {
  const variables = { VLLM: fake, RAY: fake, MODEL: "m", TOKENIZER: "t", VLLM_HOST_IP: "10.0.0.1" };
  const output = execFileSync("/bin/sh", ["-c", script], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], ...variables, ...environment },
  });
  return output.slice(0, -1).split("\0");
}

function valueOf(script: string, option: string): string | undefined {
  const words = argumentsOf(script);
  const at = words.indexOf(option);
  return at < 0 ? undefined : words[at + 1];
}

function jsonOf(script: string, option: string): unknown {
  return JSON.parse(valueOf(script, option) ?? "null");
}

async function library(name: string): Promise<Model> {
  const model = await catalogueModel(name);
  if (!model) throw new Error(name);
  return model;
}

const llama8 = await library("llama3.1:8b");
const llama70 = await library("llama3.3:70b");
const big = (total: number, count = 1, rest = {}) =>
  computer({
    gpus: Array.from({ length: count }, () =>
      card({ total: total * GiB, free: total * GiB, ...rest }),
    ),
  });

describe("what is served", () => {
  test("is the checkpoint that a name of the library was made of", () => {
    const { serve, notes } = compiled(sourceOf("FROM llama3.1:8b", "0.32.15", { model: llama8 }));
    expect(argumentsOf(serve).slice(0, 2)).toEqual(["serve", "meta-llama/Llama-3.1-8B-Instruct"]);
    expect(notes).toContain(
      "llama3.1:8b is served from meta-llama/Llama-3.1-8B-Instruct, which it was made of by its name: look that it is the same variant.",
    );
    expect(notes.some((note) => note.startsWith("Ollama's file is Q4_K_M"))).toBe(true);
  });

  test.each([
    ["llama3.1:8b", "meta-llama/Llama-3.1-8B-Instruct"],
    ["llama3.1:8b-text-q4_0", undefined],
    ["registry.ollama.ai/library/qwen2.5:14b", "Qwen/Qwen2.5-14B-Instruct"],
    ["llama2:7b", undefined],
    ["llama2:7b-text", "meta-llama/Llama-2-7b-hf"],
    ["llava-llama3:8b", undefined],
    ["someone/llama3.1:8b", undefined],
    ["llama3.1:8b-cloud", undefined],
    ["nothing", undefined],
  ])("of %s is %s", (name, repository) => {
    expect(libraryRepository(name)).toBe(repository);
  });

  test("is asked for where it is not known", () => {
    const { serve, notes } = compiled(sourceOf("FROM someone/model", "0.32.15"));
    expect(serve).toContain("# MODEL: the repository on Hugging Face");
    expect(spawnSync("/bin/sh", ["-c", serve], { env: {} }).status).not.toBe(0);
    expect(argumentsOf(serve, { MODEL: "a b" })[1]).toBe("a b");
    expect(notes.some((note) => note.includes("serve.sh asks for it in MODEL"))).toBe(true);
  });

  test("is a GGUF file with the tokenizer of what it was made of", () => {
    const keys = new Map([["general.source.url", "https://huggingface.co/some/Model"]]);
    const model = modelOf({}, { header: { keys, tensors: [] } });
    const { serve, notes } = compiled(sourceOf("FROM ./m.gguf", "0.32.15", { model }));
    expect(argumentsOf(serve)[1]).toBe("./m.gguf");
    expect(valueOf(serve, "--tokenizer")).toBe("some/Model");
    expect(notes[0]).toContain("vllm-gguf-plugin");
    const unknown = compiled(sourceOf("FROM ./m.gguf", "0.32.15", { model: modelOf() })).serve;
    expect(unknown).toContain(': "${TOKENIZER:?}"');
  });

  test("is a repository of GGUF files with the tag of its quantisation", () => {
    const { serve } = compiled(sourceOf("FROM hf.co/some/Model-GGUF:Q8_0", "0.32.15"));
    expect(argumentsOf(serve)[1]).toBe("some/Model-GGUF:Q8_0");
    const latest = compiled(sourceOf("FROM hf.co/some/Model-GGUF", "0.32.15")).serve;
    expect(argumentsOf(latest)[1]).toBe("some/Model-GGUF:Q4_K_M");
  });

  test("is a folder of safetensors as it is", () => {
    const files = new Map<string, FileFacts>([
      ["./m", { kind: "folder", path: "/m", names: ["model.safetensors"], pointers: [] }],
    ]);
    const { serve, notes } = compiled(sourceOf("FROM ./m", "0.32.15", { files }));
    expect(argumentsOf(serve)[1]).toBe("./m");
    expect(notes.some((note) => note.includes("GGUF"))).toBe(false);
  });
});

describe("options", () => {
  test("carry the context, the requests at a time and Ollama's sampling", () => {
    const text =
      "FROM llama3.1:8b\nPARAMETER num_ctx 8192\nPARAMETER temperature 0.25\nPARAMETER top_k 0\nPARAMETER num_predict 99\nPARAMETER seed 7\n";
    const { serve } = compiled(
      sourceOf(text, "0.32.15", {
        model: llama8,
        machine: big(24),
        server: { OLLAMA_NUM_PARALLEL: "3" },
        name: "mine",
      }),
    );
    expect(valueOf(serve, "--max-model-len")).toBe("8192");
    expect(valueOf(serve, "--max-num-seqs")).toBe("3");
    expect(valueOf(serve, "--served-model-name")).toBe("mine");
    expect(valueOf(serve, "--seed")).toBe("7");
    expect(jsonOf(serve, "--override-generation-config")).toEqual({
      temperature: 0.25,
      top_k: -1,
      top_p: 0.9,
      min_p: 0,
      repetition_penalty: 1,
      max_new_tokens: 99,
    });
  });

  test("never ask for more context than the model has", () => {
    const model = modelOf({ trainedContext: 2048 });
    const { serve } = compiled(sourceOf("FROM x\nPARAMETER num_ctx 9000", "0.32.15", { model }));
    expect(valueOf(serve, "--max-model-len")).toBe("2048");
  });

  test("set 8 bits of the cache on cards that compute with them, and say that it is not the same", () => {
    const server = { OLLAMA_KV_CACHE_TYPE: "q8_0", OLLAMA_FLASH_ATTENTION: "1" };
    const on = (compute: string) =>
      compiled(
        sourceOf("FROM llama3.1:8b", "0.32.15", {
          model: llama8,
          machine: big(48, 1, { compute }),
          server,
        }),
      );
    expect(valueOf(on("8.9").serve, "--kv-cache-dtype")).toBe("fp8");
    expect(on("8.9").notes).toContain(
      "The KV cache is fp8: vLLM has no q8_0. fp8 rounds otherwise.",
    );
    expect(on("8.6").serve).not.toContain("--kv-cache-dtype");
    expect(on("8.6").notes.some((note) => note.startsWith("The KV cache keeps 16 bits"))).toBe(
      true,
    );
  });

  test("set half precision on cards without bfloat16", () => {
    const [old, newer] = ["7.0", "8.0"].map((compute) => {
      const machine = big(32, 1, { compute });
      return compiled(sourceOf("FROM llama3.1:8b", "0.32.15", { model: llama8, machine })).serve;
    });
    expect(valueOf(old!, "--dtype")).toBe("half");
    expect(newer).not.toContain("--dtype");
  });

  test("load adapters and drafts in safetensors, and leave those in GGUF out", () => {
    const files = new Map<string, FileFacts>([
      ["./lora", { kind: "folder", path: "/lora", names: [], pointers: [] }],
      ["./small", { kind: "folder", path: "/small", names: [], pointers: [] }],
    ]);
    const text = "FROM llama3.1:8b\nADAPTER ./lora\nDRAFT ./small\nPARAMETER draft_num_predict 3";
    const { serve } = compiled(sourceOf(text, "0.32.15", { files, name: "mine" }));
    expect(argumentsOf(serve)).toContain("--enable-lora");
    expect(jsonOf(serve, "--lora-modules")).toEqual({ name: "mine", path: "./lora" });
    expect(valueOf(serve, "--served-model-name")).toBe("mine-base");
    expect(jsonOf(serve, "--speculative-config")).toEqual({
      model: "./small",
      num_speculative_tokens: 3,
    });
    const plain = compiled(
      sourceOf("FROM llama3.1:8b\nADAPTER ./l.gguf\nDRAFT ./d.gguf", "0.32.15"),
    );
    expect(plain.serve).not.toMatch(/lora|speculative/);
    expect(plain.notes.filter((note) => / is left out: /.test(note)).length).toBe(2);
  });

  test("sample nothing where the model only embeds", () => {
    const model = modelOf({ embeddingOnly: true });
    const { serve } = compiled(sourceOf("FROM x", "0.32.15", { model }));
    expect(serve).not.toContain("--override-generation-config");
  });

  test("are told of where there are none", () => {
    const text = `FROM llama3.1:8b
SYSTEM Be brief.
TEMPLATE {{ .Prompt }}
MESSAGE user Hello
MESSAGE assistant Hello
PARAMETER stop "<end>"
PARAMETER num_gpu 3
PARAMETER num_thread 4
PARAMETER presence_penalty 1
LICENSE MIT
`;
    const told = compiled(sourceOf(text, "0.32.15")).placed.flatMap(({ at, message }) =>
      at ? [[text.slice(at.start, at.end).split("\n")[0], message] as const] : [],
    );
    expect(told.map(([line]) => line!.split(" ").slice(0, 2).join(" ")).sort()).toEqual(
      [
        "LICENSE MIT",
        "MESSAGE user",
        "PARAMETER num_gpu",
        "PARAMETER num_thread",
        "PARAMETER presence_penalty",
        "PARAMETER stop",
        "SYSTEM Be",
        "TEMPLATE {{",
      ].sort(),
    );
    expect(new Map(told).get("PARAMETER num_thread 4")).toBe(
      "vllm serve has no option for num_thread.",
    );
  });
});

describe("memory", () => {
  /*
   * Runs on an H100 with 79.18 GiB, 0.9 of it, 1024 requests and 8192 tokens (llm-d/llm-d-benchmark,
   * config_explorer/empirical-vllm-memory-results.md): weights, peak of activations, left for the cache.
   */
  test.each([
    ["llama3.1:8b", 1, 14.99, 4.76],
    ["qwen3:32b", 1, 61.03, 5.64],
    // The library's file has a copy of the embedding, of 0.29 GiB, that the checkpoint has not.
    ["qwen3:0.6b", 1, 1.12 + 0.29, 5.56],
  ])("of %s is what vLLM measured", async (name, tensor, weights, activation) => {
    const model = await library(name);
    const loaded: Loaded = {
      model,
      weights: storedWeights(model, 2)!,
      cacheBytes: 2,
      batched: 8192,
      sequences: 1024,
    };
    const demand = demandOf(loaded, { tensor, pipeline: 1 }, 16);
    expect(Math.abs(demand.weights / GiB / weights - 1)).toBeLessThan(0.02);
    // 0.13 GiB beside PyTorch and 1 GiB for graphs are counted with it.
    expect(Math.abs(demand.activation / GiB - 1.13 - activation)).toBeLessThan(0.1);
  });

  test("counts the cache in blocks of 16 tokens", () => {
    const loaded: Loaded = {
      model: modelOf(),
      weights: { blocks: modelOf().weights.blocks, input: 0, output: 0, other: 0 },
      cacheBytes: 2,
      batched: 2048,
      sequences: 256,
    };
    const cache = (length: number, tensor = 1) =>
      demandOf(loaded, { tensor, pipeline: 1 }, length).cache;
    // 32 blocks × 8 heads × (128 + 128) × 2 bytes
    expect(cache(16)).toBe(16 * 131072);
    expect(cache(17)).toBe(32 * 131072);
    expect(cache(16, 4)).toBe(cache(16) / 4);
    // Heads of keys are repeated where there are fewer than cards.
    expect(cache(16, 16)).toBe(cache(16) / 8);
  });

  test("of compressed keys is the same on every card", async () => {
    const model = await library("deepseek-v2:16b");
    const loaded: Loaded = {
      model,
      weights: { blocks: [], input: 0, output: 0, other: 0 },
      cacheBytes: 2,
      batched: 2048,
      sequences: 256,
    };
    const cache = (tensor: number) => demandOf(loaded, { tensor, pipeline: 1 }, 16).cache;
    expect(cache(1)).toBe(16 * model.shape.blocks * (512 + 64) * 2);
    expect(cache(4)).toBe(cache(1));
  });

  test("lets only numbers cut a model that divide its heads", () => {
    const model = modelOf({ heads: 40, headsKv: 8, feedForward: 13824 });
    expect([1, 2, 3, 4, 5, 8, 16].filter((size) => cuts(model, size))).toEqual([1, 2, 4, 8]);
  });

  test("is spread over stages as vLLM does", () => {
    expect(stages(32, 3)).toEqual([11, 11, 10]);
    expect(stages(10, 4)).toEqual([2, 3, 3, 2]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 128 }), fc.integer({ min: 1, max: 128 }), (a, b) => {
        const counts = stages(Math.max(a, b), Math.min(a, b));
        expect(counts.reduce((sum, one) => sum + one, 0)).toBe(Math.max(a, b));
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

/** A model of 131 GiB in 16 bits. */
const source = (machine: ReturnType<typeof big>, context = 8192) =>
  sourceOf(`FROM llama3.3:70b\nPARAMETER num_ctx ${context}`, "0.32.15", {
    model: llama70,
    machine,
  });

describe("placement", () => {
  test("takes the fewest cards that hold the model, and hides the others", () => {
    const small = sourceOf("FROM llama3.1:8b\nPARAMETER num_ctx 8192", "0.32.15", {
      model: llama8,
      machine: computer({
        gpus: [card({ free: 10 * GiB }), card(), card({ total: 48 * GiB, free: 48 * GiB })],
      }),
    });
    const { serve, paths } = compiled(small);
    expect(paths).toEqual(["serve.sh"]);
    expect(serve).toContain("export CUDA_VISIBLE_DEVICES=2\n");
    expect(serve).not.toContain("parallel-size");
  });

  test("cuts tensors over the cards of one machine", () => {
    const { serve, paths, notes } = compiled(source(big(80, 4)));
    expect(valueOf(serve, "--tensor-parallel-size")).toBe("4");
    expect(valueOf(serve, "--gpu-memory-utilization")).toBe("0.9");
    expect(paths).toEqual(["serve.sh"]);
    expect(notes.some((note) => note.startsWith("The fullest of 4 cards (4 × 1) holds"))).toBe(
      true,
    );
  });

  test("stages layers where no number of cards cuts the heads and holds the model", () => {
    const { serve } = compiled(source(big(80, 3)));
    expect(valueOf(serve, "--tensor-parallel-size")).toBeUndefined();
    expect(valueOf(serve, "--pipeline-parallel-size")).toBe("3");
  });

  test("asks for no more memory of a card than is free", () => {
    const machine = computer({ gpus: [card({ total: 48 * GiB, free: 36 * GiB })] });
    const { serve } = compiled(sourceOf("FROM llama3.1:8b", "0.32.15", { model: llama8, machine }));
    const share = Number(valueOf(serve, "--gpu-memory-utilization"));
    expect(share * 48).toBeLessThan(36);
    expect(share).toBe(0.73);
  });

  test("goes over several machines where one does not hold it", () => {
    const { serve, paths, notes, head, worker, service } = compiled(source(big(24, 2)));
    expect(paths).toEqual(["serve.sh", "ray-head.sh", "ray-worker.sh", "rayservice.yaml"]);
    const nodes = Number(valueOf(serve, "--pipeline-parallel-size"));
    expect(valueOf(serve, "--tensor-parallel-size")).toBe("2");
    expect(valueOf(serve, "--distributed-executor-backend")).toBe("ray");
    // 131 GiB of weights in 21.6 GiB a card
    expect(nodes).toBeGreaterThanOrEqual(4);
    expect(nodes).toBeLessThanOrEqual(5);
    expect(notes).toContain(
      `One machine like test does not hold the model: it takes ${nodes} such machines.`,
    );
    expect(argumentsOf(head!)).toEqual(
      "start --block --head --port=6379 --node-ip-address=10.0.0.1 --num-gpus=2".split(" "),
    );
    expect(argumentsOf(worker!, { HEAD: "10.0.0.9" })).toEqual(
      "start --block --address=10.0.0.9:6379 --node-ip-address=10.0.0.1 --num-gpus=2".split(" "),
    );
    const spec = (parse(service!) as { spec: { serveConfigV2: string; rayClusterConfig: unknown } })
      .spec;
    expect(spec.rayClusterConfig).toMatchObject({
      workerGroupSpecs: [
        {
          replicas: nodes,
          template: {
            spec: { containers: [{ resources: { limits: { "nvidia.com/gpu": "2" } } }] },
          },
        },
      ],
    });
    expect(parse(spec.serveConfigV2)).toMatchObject({
      applications: [
        {
          import_path: "ray.serve.llm:build_openai_app",
          args: {
            llm_configs: [
              {
                model_loading_config: { model_source: "meta-llama/Llama-3.3-70B-Instruct" },
                engine_kwargs: {
                  max_model_len: 8192,
                  tensor_parallel_size: 2,
                  pipeline_parallel_size: nodes,
                  distributed_executor_backend: "ray",
                },
              },
            ],
          },
        },
      ],
    });
  });

  test("takes as few machines as hold it: one less is too few", () => {
    const loaded = compiled(source(big(24, 2)));
    const nodes = Number(valueOf(loaded.serve, "--pipeline-parallel-size"));
    const note = loaded.notes.find((one) => one.startsWith("The fullest of"))!;
    const [, held, room] = /holds ([\d.]+) GiB of the ([\d.]+) GiB/.exec(note)!;
    expect(Number(held)).toBeLessThanOrEqual(Number(room));
    // With one machine less each card would hold n / (n - 1) of the weights.
    const weights = Number(/weights ([\d.]+)/.exec(note)![1]);
    expect(Number(held) + weights / (nodes - 1)).toBeGreaterThan(Number(room) - 1);
  });

  test("shortens a context that nobody insists on, and says what one machine serves of one that is asked for", () => {
    const machine = big(24);
    const server = { OLLAMA_CONTEXT_LENGTH: "131072" };
    const shorter = compiled(
      sourceOf("FROM llama3.1:8b", "0.32.15", { model: llama8, machine, server }),
    );
    const length = Number(valueOf(shorter.serve, "--max-model-len"));
    expect(shorter.paths).toEqual(["serve.sh"]);
    expect(length % 16).toBe(0);
    expect(length).toBeGreaterThan(16000);
    expect(shorter.notes).toContain(
      `The context is ${length} in place of 131072: vLLM does not start where the cache has no room for one request of the whole length.`,
    );
    const asked = compiled(
      sourceOf("FROM llama3.1:8b\nPARAMETER num_ctx 131072", "0.32.15", { model: llama8, machine }),
    );
    expect(valueOf(asked.serve, "--max-model-len")).toBe("131072");
    expect(asked.paths).toContain("rayservice.yaml");
    expect(
      asked.notes.some((note) =>
        note.includes(`serves --max-model-len ${length} and no more: for 131072`),
      ),
    ).toBe(true);
  });

  test("says where there is nothing to place it on", () => {
    const apple = computer({ os: "darwin", gpus: [card({ backend: "metal" })] });
    expect(compiled(source(apple)).notes).toContain("vLLM has no GPU that it runs on in test.");
    const tiny = compiled(source(big(2)));
    expect(tiny.notes.some((note) => note.startsWith("No number of machines like test"))).toBe(
      true,
    );
    expect(tiny.paths).toEqual(["serve.sh"]);
    const nowhere = compiled(sourceOf("FROM llama3.3:70b", "0.32.15", { model: llama70 }));
    expect(nowhere.notes.some((note) => note.startsWith("No machine is named"))).toBe(true);
    const unknown = compiled(sourceOf("FROM nobody/knows", "0.32.15", { machine: big(24, 2) }));
    expect(unknown.notes.some((note) => note.endsWith("so that its memory is not checked."))).toBe(
      true,
    );
  });
});

describe("hostile text", () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        "$",
        "`",
        "'",
        '"',
        "\\",
        "-",
        "~",
        " ",
        "!",
        "#",
        ";",
        ":",
        "{",
        "$(id)",
        "😀",
        "語",
      ),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 12,
  });

  test("reaches vllm and Ray Serve as it is, and no shell", () => {
    const validate = serviceValidator();
    fc.assert(
      fc.property(nasty, nasty, nasty, (file, lora, name) => {
        const [model, adapter] = [`./${file.trim()}`, `./${lora.trim()}`];
        const files = new Map<string, FileFacts>([
          [model, { kind: "folder", path: model, names: [], pointers: [] }],
          [adapter, { kind: "folder", path: adapter, names: [], pointers: [] }],
          ["./m", { kind: "folder", path: model, names: [], pointers: [] }],
        ]);
        const source = sourceOf("FROM ./m\nADAPTER ./l", "0.32.15", {
          model: { ...llama70, name },
          machine: { ...big(24), name: `${name}\n$(id)\r` },
          name,
          files,
        });
        const commands = source.commands.map((command) =>
          command.name === "adapter" ? { ...command, args: adapter } : command,
        );
        const { serve, head, worker, service } = compiled({ ...source, commands });
        for (const script of [serve, head!, worker!]) {
          expect(spawnSync("/bin/sh", ["-n"], { input: script }).status).toBe(0);
        }
        expect(jsonOf(serve, "--lora-modules")).toEqual({ name, path: adapter });
        expect(valueOf(serve, "--served-model-name")).toBe(`${name}-base`);
        const object = parse(service!) as { spec: { serveConfigV2: string } };
        validate(object);
        expect(validate.errors).toBeNull();
        const app = parse(object.spec.serveConfigV2) as { applications: [{ args: Args }] };
        expect(app.applications[0].args.llm_configs[0].model_loading_config.model_id).toBe(name);
      }),
      { numRuns: 15 },
    );
  });

  interface Args {
    llm_configs: [{ model_loading_config: { model_id: string } }];
  }
});

function serviceValidator() {
  const file = join(root, "test", "schemas", "rayservice.schema.json");
  return new Ajv({ allErrors: true }).compile(JSON.parse(readFileSync(file, "utf8")) as object);
}

const table = (name: string): unknown =>
  JSON.parse(readFileSync(join(root, "src", "facts", `${name}.json`), "utf8"));

describe("the options", () => {
  test("are as their schema says", () => {
    const validate = new Ajv({ allErrors: true }).compile(table("vllm-options.schema") as object);
    validate(table("vllm-options"));
    expect(validate.errors).toBeNull();
    expect(validate({ ...(table("vllm-options") as object), unheard: 1 })).toBe(false);
  });

  const releases = ["0.1.44", "0.6.4", "0.24.0", "0.32.15"];
  const machines = [
    undefined,
    computer(),
    big(24),
    big(24, 3),
    big(40, 2, { compute: "7.5" }),
    computer({ os: "windows", gpus: [card({ backend: "rocm" }), card()] }),
  ];
  const models = [llama8, llama70, modelOf({ embeddingOnly: true })];
  const texts = [
    "FROM llama3.1:8b",
    "FROM ./m.gguf\nADAPTER ./l.gguf\nPARAMETER num_ctx 65536\nPARAMETER seed 3",
    "FROM hf.co/a/b-GGUF\nPARAMETER top_k 3\nPARAMETER num_predict 5\nSYSTEM x",
  ];

  test("that are written are all known, and every rayservice.yaml is one", () => {
    const validate = serviceValidator();
    const written = new Set<string>();
    for (const release of releases) {
      for (const model of models) {
        for (const machine of machines) {
          for (const text of texts) {
            const server = { OLLAMA_KV_CACHE_TYPE: "q4_0", OLLAMA_NUM_PARALLEL: "2" };
            const made = compiled(
              sourceOf(text, release, { model, server, ...(machine && { machine }) }),
            );
            for (const [option] of made.serve.matchAll(/(?<=^ {2})--[a-z-]+/gm))
              written.add(option);
            for (const script of [made.head ?? "", made.worker ?? ""]) {
              for (const [option] of script.matchAll(/(?<=^ {2})--[a-z-]+/gm)) {
                expect(rayOptions).toContain(option);
              }
            }
            if (made.service === undefined) continue;
            validate(parse(made.service));
            expect(validate.errors).toBeNull();
          }
        }
      }
    }
    expect(written.size).toBeGreaterThan(8);
    expect([...written].filter((option) => !vllmOptions.has(option))).toEqual([]);
    expect(vllmSampling).toContain("repetition_penalty");
  });
});

import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Ajv } from "ajv";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import { root } from "../src/build/bundle.mjs";
import { llamaServer } from "../src/compile/llama-server.js";
import type { Source } from "../src/compile/target.js";
import { bundledBuild, llamaServerFlags } from "../src/facts/llama-server-flags.js";
import type { FileFacts } from "../src/models/local-files.js";
import { card, computer, GiB, MiB, modelOf, releaseOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

const folder = mkdtempSync(join(tmpdir(), "llama-server-target-"));
const fake = join(folder, "llama-server");
writeFileSync(fake, "#!/bin/sh\nprintf '%s\\0' \"$@\"\n");
chmodSync(fake, 0o755);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function compiled(source: Source) {
  const made = llamaServer.compile(source);
  if ("refused" in made) throw new Error(made.refused);
  const textOf = (path: string) => made.texts.find((text) => text.path === path)?.text;
  return {
    plain: textOf("llama-server.sh")!,
    ollama: textOf("ollama.sh"),
    notes: made.notes.map(({ message }) => message),
    placed: made.notes,
  };
}

/** What llama-server is started with, by the shell's own reading of the script. */
function argumentsOf(script: string, environment: Record<string, string> = {}): string[] {
  const output = execFileSync("/bin/sh", ["-c", script], {
    encoding: "utf8",
    env: { PATH: process.env["PATH"], LLAMA_SERVER: fake, MODEL: "model.gguf", ...environment },
  });
  return output.slice(0, -1).split("\0");
}

/** The value behind a flag; undefined without the flag. */
function valueOf(script: string, flag: string): string | undefined {
  const words = argumentsOf(script);
  const at = words.indexOf(flag);
  return at < 0 ? undefined : words[at + 1];
}

const two = [
  card({ total: 12 * GiB, free: 11.5 * GiB }),
  card({ total: 12 * GiB, free: 11.5 * GiB }),
];
const model = modelOf({ trainedContext: 131072 });

/** A small card in front of a large one. */
const cards = (backend: "cuda" | "rocm" | "vulkan") => [
  card({ backend, free: 4 * GiB }),
  card({ backend }),
];

const table = (name: string): unknown =>
  JSON.parse(readFileSync(join(root, "src", "facts", `${name}.json`), "utf8"));

describe("what Ollama itself starts", () => {
  test("has its arguments in Ollama's order", () => {
    const source = sourceOf(
      "FROM ./model.gguf\nADAPTER ./style.gguf\nPARAMETER num_ctx 8192\nPARAMETER num_gpu 20\nPARAMETER num_thread 6\nPARAMETER use_mmap false\nTEMPLATE {{ .Prompt }}\n",
      "0.32.15",
      {
        model,
        machine: computer({ gpus: two }),
        server: { OLLAMA_KV_CACHE_TYPE: "q8_0", OLLAMA_NUM_PARALLEL: "2" },
      },
    );
    expect(argumentsOf(compiled(source).ollama!)).toEqual(
      `--model ./model.gguf --port 8080 --host 127.0.0.1 --no-webui --offline -c 16384 -np 2
       --log-verbosity 4 --no-log-prefix --no-log-timestamps --no-jinja --chat-template chatml
       --lora ./style.gguf --load-mode none --cache-type-k q8_0 --cache-type-v q8_0
       --flash-attn auto -b 1024 -ub 1024 -ngl 20 -t 6 --context-shift --keep 4`.split(/\s+/),
    );
  });

  test("sees one card alone where that one has room, and all of them where it has not", () => {
    const machine = computer({ gpus: [two[0]!, card({ free: 20 * GiB })] });
    const small = compiled(sourceOf("FROM llama3", "0.32.15", { model, machine })).ollama!;
    expect(small).toContain("export CUDA_VISIBLE_DEVICES=1\n");
    expect(small).toContain("--split-mode none \\\n  --main-gpu 0");
    const spread = sourceOf("FROM llama3", "0.32.15", {
      model,
      machine,
      server: { OLLAMA_SCHED_SPREAD: "1" },
    });
    expect(compiled(spread).ollama).not.toMatch(/VISIBLE_DEVICES|--main-gpu/);
  });

  test("names the first of the cards that it sees where main_gpu picks another", () => {
    const machine = computer({ gpus: two });
    const source = sourceOf("FROM x\nPARAMETER main_gpu 1", "0.32.15", { model, machine });
    const { ollama } = compiled(source);
    expect(ollama).toContain("export CUDA_VISIBLE_DEVICES=1\n");
    expect(valueOf(ollama!, "--main-gpu")).toBe("0");
    const beyond = sourceOf("FROM x\nPARAMETER main_gpu 7", "0.32.15", { model, machine });
    expect(valueOf(compiled(beyond).ollama!, "--main-gpu")).toBe("7");
  });

  test.each([
    ["0.32.1", "--no-mmap", undefined],
    ["0.32.5", "--no-mmap", "--direct-io"],
    ["0.32.6", "--load-mode dio", undefined],
  ])("loads by the flags that %s has", (release, flag, also) => {
    const shared = card({ integrated: true, name: "GB10" });
    const machine = computer({ gpus: [shared] });
    const text = "FROM x\nPARAMETER use_mmap false";
    const { ollama } = compiled(sourceOf(text, release, { model, machine }));
    expect(ollama).toContain(flag);
    expect(ollama!.includes("--direct-io")).toBe(also !== undefined);
  });

  test("shifts the context by its length up to 0.30.8, and by the model since", () => {
    const machine = computer({ gpus: two });
    const shifts = (release: string, numCtx: number, architecture = "llama") =>
      compiled(
        sourceOf(`FROM x\nPARAMETER num_ctx ${numCtx}`, release, {
          model: modelOf({ architecture }),
          machine,
        }),
      ).ollama!.includes("--context-shift");
    expect(shifts("0.30.8", 4096)).toBe(true);
    expect(shifts("0.30.8", 8192)).toBe(false);
    expect(shifts("0.30.9", 8192)).toBe(true);
    expect(shifts("0.30.9", 4096, "deepseek2")).toBe(false);
  });

  test("keeps room for a projector on the GPU, and inherits LLAMA_ARG_ variables", () => {
    const seeing = modelOf({}, { projectorBytes: 600 * MiB, capabilities: ["vision"] });
    const machine = computer({ gpus: [card()] });
    const server = { LLAMA_ARG_CACHE_RAM: "0" };
    const { ollama } = compiled(sourceOf("FROM x", "0.32.15", { model: seeing, machine, server }));
    expect(ollama).toContain("export LLAMA_ARG_FIT_TARGET=1624\n");
    expect(ollama).toContain("export LLAMA_ARG_CACHE_RAM=0\n");
    expect(ollama).toContain('--mmproj "$MMPROJ"');
    const onCpu = sourceOf("FROM x\nPARAMETER num_gpu 0", "0.32.15", { model: seeing, machine });
    expect(compiled(onCpu).ollama).toContain("--no-mmproj-offload");
  });

  test("guesses ahead by a DRAFT, or by the heads that a model has where it is asked to", () => {
    const machine = computer({ gpus: [card()] });
    const text = "FROM x\nDRAFT ./small.gguf\n";
    const { ollama } = compiled(sourceOf(text, "0.32.15", { model, machine }));
    expect(ollama).toContain(
      "--spec-type draft-mtp \\\n  --spec-draft-n-max 4 \\\n  --spec-draft-backend-sampling \\\n  --spec-draft-model ./small.gguf",
    );
    const none = sourceOf(`${text}PARAMETER draft_num_predict 0`, "0.32.15", { model, machine });
    expect(compiled(none).ollama).not.toContain("--spec-");
  });

  test("does not exist before 0.30, nor without a machine", () => {
    const old = compiled(
      sourceOf("FROM x", "0.24.0", { model, machine: computer({ gpus: [card()] }) }),
    );
    expect(old.ollama).toBeUndefined();
    expect(old.notes[0]).toMatch(/^Ollama 0\.24\.0 runs models in a runner of its own/);
    const nowhere = compiled(sourceOf("FROM x", "0.32.15", { model }));
    expect(nowhere.ollama).toBeUndefined();
    expect(nowhere.notes[0]).toMatch(/^No machine is named/);
  });
});

describe("llama.cpp alone", () => {
  test("splits layers as the plan does, and gives every slot its own context", () => {
    const machine = computer({ gpus: [card({ free: 6 * GiB }), card({ free: 6 * GiB })] });
    const source = sourceOf("FROM x\nPARAMETER num_ctx 4096", "0.32.15", {
      model,
      machine,
      server: { OLLAMA_NUM_PARALLEL: "2" },
    });
    const { plain } = compiled(source);
    const layers = source.plan!.devices.map((device) => device.layers);
    expect(layers.every((count) => count > 0)).toBe(true);
    expect(valueOf(plain, "--tensor-split")).toBe(layers.join(","));
    expect(valueOf(plain, "-ngl")).toBe(String(layers[0]! + layers[1]!));
    expect(valueOf(plain, "-c")).toBe("8192");
    expect(plain).toContain("--no-kv-unified");
    expect(plain).not.toContain("VISIBLE_DEVICES");
  });

  test("sees only the GPUs that take layers, by the variable of their backend", () => {
    const plainOn = (gpus: ReturnType<typeof cards>) =>
      compiled(
        sourceOf("FROM x\nPARAMETER num_ctx 4096", "0.32.15", {
          model,
          machine: computer({ gpus }),
        }),
      ).plain;
    expect(plainOn(cards("cuda"))).toContain("export CUDA_VISIBLE_DEVICES=1\n");
    expect(plainOn(cards("rocm"))).toContain("export HIP_VISIBLE_DEVICES=1\n");
    expect(plainOn(cards("vulkan"))).toContain("export GGML_VK_VISIBLE_DEVICES=1\n");
    const mixed = plainOn([card({ backend: "vulkan", free: 2 * GiB }), card()]);
    expect(valueOf(mixed, "--device")).toBe("CUDA0");
    expect(mixed).not.toContain("VISIBLE_DEVICES");
  });

  test("samples as Ollama does, also where the Modelfile says nothing", () => {
    const text = "FROM x\nPARAMETER temperature 0.2\nPARAMETER seed 7\nPARAMETER num_predict 99\n";
    const { plain } = compiled(sourceOf(text, "0.32.9"));
    const flags = ["--temp", "--top-p", "--min-p", "--repeat-penalty", "--seed", "--n-predict"];
    expect(flags.map((flag) => valueOf(plain, flag))).toEqual([
      "0.2",
      "0.9",
      "0.0",
      "1.1",
      "7",
      "99",
    ]);
    expect(valueOf(compiled(sourceOf(text, "0.32.10")).plain, "--repeat-penalty")).toBe("1.0");
  });

  test("takes what the base model brings where the Modelfile does not say otherwise", () => {
    const brings = modelOf({}, { parameters: { temperature: 0.1, top_k: 5, stop: ["<end>"] } });
    const { plain, notes } = compiled(
      sourceOf("FROM x\nPARAMETER top_k 9", "0.32.15", { model: brings }),
    );
    expect(valueOf(plain, "--temp")).toBe("0.1");
    expect(valueOf(plain, "--top-k")).toBe("9");
    expect(notes.some((note) => note.endsWith('"stop": ["<end>"]'))).toBe(true);
  });

  test("stops an endless answer where Ollama does, at ten contexts", () => {
    const machine = computer({ gpus: [card()] });
    const text = "FROM x\nPARAMETER num_ctx 4096\nPARAMETER num_predict -1";
    const { plain } = compiled(sourceOf(text, "0.32.15", { model, machine }));
    expect(valueOf(plain, "--n-predict")).toBe("40960");
  });

  test("fetches a model of Hugging Face itself", () => {
    const { plain } = compiled(sourceOf("FROM hf.co/some/Model-GGUF:Q4_K_M", "0.32.15"));
    expect(valueOf(plain, "--hf-repo")).toBe("some/Model-GGUF:Q4_K_M");
    expect(plain).not.toContain("MODEL:?");
    const latest = compiled(sourceOf("FROM hf.co/some/Model-GGUF", "0.32.15")).plain;
    expect(valueOf(latest, "--hf-repo")).toBe("some/Model-GGUF");
  });

  test("asks for the file of a model that Ollama holds", () => {
    const { plain } = compiled(sourceOf("FROM llama3.2", "0.32.15"));
    expect(plain).toContain("# MODEL: the file of llama3.2.");
    const run = spawnSync("/bin/sh", ["-c", plain], { encoding: "utf8", env: {} });
    expect(run.status).not.toBe(0);
    expect(run.stderr).toContain("MODEL");
  });

  test("leaves the fitting of experts to llama-server", () => {
    const experts = modelOf({ experts: 64 });
    const machine = computer({ gpus: [card({ free: 3 * GiB, total: 4 * GiB })] });
    const source = sourceOf("FROM x", "0.32.15", { model: experts, machine });
    const { host } = source.plan!;
    const { plain, notes } = compiled({
      ...source,
      plan: { ...source.plan!, host: { ...host, experts: 12 } },
    });
    expect(plain).not.toContain("-ngl");
    expect(notes.some((note) => note.startsWith("The experts of 12 layers lie in RAM."))).toBe(
      true,
    );
  });

  test("only embeds where the model does", () => {
    const embeds = modelOf({ embeddingOnly: true });
    const { plain } = compiled(sourceOf("FROM x", "0.32.15", { model: embeds }));
    expect(plain).toContain("--embedding");
    expect(plain).not.toContain("--temp");
  });
});

describe("what it cannot carry over", () => {
  test("is told where it stands", () => {
    const text = `FROM x
SYSTEM Be brief.
TEMPLATE {{ .System }}{{ .Prompt }}
MESSAGE user Hello
MESSAGE assistant Hello
PARAMETER stop "<end>"
PARAMETER stop "$(rm)"
LICENSE MIT
`;
    const source = sourceOf(text, "0.32.15", { model });
    const told = compiled(source).placed.flatMap(({ at, message }) =>
      at ? [[text.slice(at.start, at.end).split(" ")[0], message]] : [],
    );
    expect(new Set(told.map(([keyword]) => keyword))).toEqual(
      new Set(["LICENSE", "MESSAGE", "PARAMETER", "SYSTEM", "TEMPLATE"]),
    );
    expect(told.find(([keyword]) => keyword === "PARAMETER")![1]).toContain('["<end>","$(rm)"]');
  });

  test("is no TEMPLATE whose turns the model's own chat template writes too", () => {
    const go = "<|im_start|>user\n{{ .Prompt }}<|im_end|>\n<|im_start|>assistant\n";
    const noteWith = (jinja: string) => {
      const header = { keys: new Map([["tokenizer.chat_template", jinja]]), tensors: [] };
      const held = { ...model, header };
      const template = `FROM x\nTEMPLATE """${go}"""`;
      return compiled(sourceOf(template, "0.32.15", { model: held })).notes.find((note) =>
        note.includes("TEMPLATE"),
      );
    };
    expect(noteWith("{% for m in messages %}<|im_start|>{{ m }}<|im_end|>{% endfor %}")).toContain(
      "writes the same turns: <|im_end|> <|im_start|>",
    );
    expect(noteWith("[INST] {{ messages }} [/INST]")).toContain("writes other turns");
  });

  test("is a parameter that llama.cpp has no flag for any more", () => {
    const { notes } = compiled(sourceOf("FROM x\nPARAMETER tfs_z 0.5", "0.4.0"));
    expect(notes).toContain("llama-server has no flag for tfs_z any more.");
  });

  test("is a folder of safetensors, which llama-server does not read", () => {
    const files = new Map([
      ["./m", { kind: "folder", path: "/m", names: ["model.safetensors"], pointers: [] }] as const,
    ]);
    const { plain, notes } = compiled(sourceOf("FROM ./m", "0.32.15", { files }));
    expect(plain).toContain('--model "$MODEL"');
    expect(notes.some((note) => note.includes("convert_hf_to_gguf.py"))).toBe(true);
  });
});

describe("hostile text", () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom("$", "`", "'", '"', "\\", "-", "~", " ", "!", "#", ";", "$(id)", "😀", "語"),
      fc.string({ minLength: 1, maxLength: 1 }),
    ),
    minLength: 1,
    maxLength: 12,
  });

  test("reaches llama-server as it is, and no shell", () => {
    fc.assert(
      fc.property(nasty, nasty, nasty, nasty, (file, adapter, name, type) => {
        const [from, lora] = [`./${file.trim()}`, `./${adapter.trim()}`];
        const source = sourceOf("FROM ./m.gguf\nADAPTER ./l.gguf", "0.32.15", {
          model,
          machine: { ...computer({ gpus: two }), name: `${name}\n$(id)\r` },
          name,
          server: { OLLAMA_KV_CACHE_TYPE: type, LLAMA_ARG_CHAT_TEMPLATE: type },
        });
        const commands = source.commands.map((command) =>
          command.name === "adapter" ? { ...command, args: lora } : command,
        );
        const local: FileFacts = { kind: "file", path: from, content: "gguf" };
        const { plain, ollama } = compiled({
          ...source,
          commands,
          files: new Map([["./m.gguf", local]]),
        });
        for (const script of [plain, ollama!]) {
          expect(spawnSync("/bin/sh", ["-n"], { input: script }).status).toBe(0);
        }
        expect(valueOf(plain, "--lora")).toBe(lora);
        expect(valueOf(plain, "--alias")).toBe(name);
        const asked = source.plan!.kvCacheType;
        expect(valueOf(ollama!, "--cache-type-k")).toBe(asked === "f16" ? undefined : asked);
      }),
      { numRuns: 15 },
    );
  });
});

describe("the flags", () => {
  test("are as their schema says, each named once", () => {
    const validate = new Ajv({ allErrors: true }).compile(
      table("llama-server-flags.schema") as object,
    );
    const facts = table("llama-server-flags") as { flags: string[][] };
    validate(facts);
    expect(validate.errors).toBeNull();
    expect(validate({ ...facts, unheard: 1 })).toBe(false);
    const names = facts.flags.flat();
    expect(new Set(names).size).toBe(names.length);
  });

  test("know the build that a release comes with", () => {
    expect(bundledBuild(releaseOf("0.32.15"))).toBe("b10488");
    expect(bundledBuild(releaseOf("0.32.4"))).toBe("b10091");
    expect(bundledBuild(releaseOf("0.24.0"))).toBeUndefined();
  });

  const releases = ["0.1.44", "0.6.4", "0.24.0", "0.30.0", "0.32.3", "0.32.15"];
  const machines = [
    undefined,
    computer(),
    computer({ gpus: two }),
    computer({ gpus: [card({ backend: "metal" })], os: "darwin" }),
    computer({ gpus: [card({ backend: "rocm", integrated: true, compute: "gfx1151" }), card()] }),
    computer({ gpus: [card({ backend: "sycl" })] }),
  ];
  const models = [
    model,
    modelOf({ embeddingOnly: true }),
    modelOf({ architecture: "qwen3vl" }, { projectorBytes: 600 * MiB, adapters: [{ bytes: 1 }] }),
  ];
  const texts = [
    "FROM x",
    "FROM ./x.gguf\nPARAMETER use_mmap false\nPARAMETER num_gpu 3\nPARAMETER main_gpu 0\nPARAMETER num_thread 4\nPARAMETER num_batch 64\nPARAMETER num_keep 0\n",
  ];

  test.each(releases)("that are printed for %s are all in llama.cpp's own list", (release) => {
    const extra =
      release === "0.1.44" || release === "0.6.4"
        ? "PARAMETER mirostat 2\nPARAMETER use_mlock true\n"
        : "";
    let printed = 0;
    for (const machine of machines) {
      for (const held of models) {
        for (const text of texts) {
          const source = sourceOf(`${text}\n${extra}`, release, {
            model: held,
            ...(machine && { machine }),
            server: { OLLAMA_KV_CACHE_TYPE: "q8_0", OLLAMA_NUM_PARALLEL: "3" },
          });
          const { plain, ollama = "" } = compiled(source);
          const flags = [...`${plain}\n${ollama}`.matchAll(/^ {2}(\S+)/gm)].map(
            ([, flag]) => flag!,
          );
          printed += flags.length;
          expect(flags.filter((flag) => !llamaServerFlags.has(flag))).toEqual([]);
        }
      }
    }
    expect(printed).toBeGreaterThan(300);
  });
});

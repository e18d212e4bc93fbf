import { posix } from "node:path";
import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { lookUp } from "../src/context.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import type { Finding } from "../src/finding.js";
import { applyEdits } from "../src/fix/fix.js";
import type { Host } from "../src/host.js";
import { check } from "../src/lint.js";
import { readProfile } from "../src/machines/profile.js";
import { ggufStart } from "../src/models/gguf-start.js";
import { splitsAmong } from "../src/models/local-files.js";
import { ggufHeader, smallLlama, type GgufTensor, type GgufValue } from "./gguf-file.js";

type Files = Readonly<Record<string, string | Uint8Array>>;

/** A host with these files in the folder /work, and nothing else. */
function hostWith(files: Files): Host {
  const bytes = new Map(
    Object.entries(files).map(([name, content]) => [
      posix.resolve("/work", name),
      typeof content === "string" ? new TextEncoder().encode(content) : content,
    ]),
  );
  const inside = (folder: string): string[] => {
    const start = folder.endsWith("/") ? folder : `${folder}/`;
    const names = [...bytes.keys()].filter((name) => name.startsWith(start));
    return [...new Set(names.map((name) => name.slice(start.length).split("/")[0]!))];
  };
  return {
    resolve: (folder, path) => posix.resolve(folder, path),
    stat: async (path) => {
      const file = bytes.get(path);
      if (file) return { kind: "file", size: file.length };
      return inside(path).length > 0 ? { kind: "folder", size: 0 } : undefined;
    },
    read: async (path, start, end) => bytes.get(path)!.slice(start, end),
    list: async (folder) => {
      const names = inside(folder);
      if (names.length === 0) throw new Error("no such folder");
      return names;
    },
    variable: () => undefined,
  };
}

interface Setup {
  files?: Files;
  ollama?: string;
  machine?: string;
}

/** What a rule finds, and why no model was read. */
async function found(
  rule: string,
  text: string,
  { files, ollama, machine }: Setup = {},
): Promise<{ own: Finding[]; broken: string | undefined }> {
  const file = parseModelfile(text);
  const profile = machine === undefined ? undefined : await readProfile(machine, "machine.yaml");
  const { context, broken } = await lookUp(file, {
    release: ollama === undefined ? newestRelease : parseRelease(ollama)!,
    folder: "/work",
    modelsFolder: "/work",
    server: {},
    models: new Map(),
    ...(files && { host: hostWith(files) }),
    ...(profile && { machine: profile }),
  });
  // All rules, those that are off as well.
  const own = check(file, context, ({ severity }) => severity).filter((one) => one.rule === rule);
  return { own, broken: broken?.message };
}

async function messages(rule: string, text: string, setup?: Setup): Promise<string[]> {
  return (await found(rule, text, setup)).own.map(({ message }) => message);
}

/** The header of a small model with other keys; these come first, as converters write them. */
function gguf(keys: Record<string, GgufValue> = {}, tensors?: readonly GgufTensor[]): Uint8Array {
  const small = smallLlama();
  const architecture = keys["general.architecture"] ?? "llama";
  const all = { "general.architecture": architecture, ...keys, ...small.metadata, ...keys };
  return ggufHeader(all, tensors ?? small.tensors);
}

const model = gguf({ "general.type": "model" });
const projector = gguf({ "general.architecture": "clip", "general.type": "mmproj" });
const pickle = "PK\u0003\u0004…archive/data.pkl…";
const safetensors = "\u0002\0\0\0\0\0\0\0{}";
const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 4661211424\n";

function lora(architecture: string, ...tensors: [stem: string, a: number[], b: number[]][]) {
  const halves = tensors.flatMap(([stem, a, b]) => [
    { name: `${stem}.lora_a`, type: "F32", dims: a },
    { name: `${stem}.lora_b`, type: "F32", dims: b },
  ]);
  return ggufHeader(
    {
      "general.architecture": architecture,
      "general.type": "adapter",
      "adapter.type": "lora",
      "adapter.lora.alpha": 16.5,
    },
    halves,
  );
}

describe("the first keys of a GGUF file", () => {
  const keys = {
    "general.architecture": "llama",
    "general.alignment": 32,
    "general.tags": ["chat", "small"],
    "general.sizes": [1, 2, 3],
    "general.quantized": true,
    "general.type": "model",
    "general.basename": "Small",
  };
  test.each([1, 2, 3] as const)("are read from version %i", (version) => {
    expect(ggufStart(ggufHeader(keys, [], { version }))).toEqual({
      architecture: "llama",
      type: "model",
      basename: "Small",
    });
  });

  test("are those that are whole, wherever the bytes end", () => {
    const bytes = ggufHeader(keys, []);
    const counts = new Set<number>();
    for (let end = 0; end <= bytes.length; end++) {
      const read = ggufStart(bytes.subarray(0, end));
      for (const text of Object.values(read)) expect(["llama", "model", "Small"]).toContain(text);
      counts.add(Object.keys(read).length);
    }
    expect([...counts].toSorted((one, other) => one - other)).toEqual([0, 1, 2, 3]);
  });

  test("are none in a file of another byte order, or with a length beyond its end", () => {
    expect(ggufStart(ggufHeader(keys, [], { little: false }))).toEqual({});
    const damaged = ggufHeader(keys, []);
    damaged.fill(0xff, 24, 32);
    expect(ggufStart(damaged)).toEqual({});
  });
});

test("shards are counted by stem and number, and a file that is one of one is none", () => {
  const names = ["b-00002-of-00003.gguf", "b-00001-of-00003.gguf", "a-00001-of-00001.gguf"];
  expect(splitsAmong([...names, "b-00001-of-00002.gguf", "plain.gguf"])).toEqual([
    { stem: "b", total: 2, numbers: [1] },
    { stem: "b", total: 3, numbers: [1, 2] },
  ]);
});

describe("several-models", () => {
  const two = { "models/a.gguf": model, "models/b.gguf": model };
  const shards = {
    "models/a-00001-of-00002.gguf": model,
    "models/a-00002-of-00002.gguf": model,
  };
  test.each<[what: string, text: string, setup: Setup, expected: string[]]>([
    [
      "shards come behind every other model",
      "FROM ./models\n",
      { files: { ...two, ...shards } },
      ['"./models" holds 3 models, and Ollama loads "a-00001-of-00002.gguf" alone.'],
    ],
    [
      "two folders",
      "FROM ./b/x\nFROM ./a\n",
      { files: { "b/x/a.gguf": model, "a/b.gguf": model } },
      ['"./b/x" is not loaded: Ollama takes "./a/b.gguf", the last by name.'],
    ],
    [
      "two files, where nothing decides",
      "FROM ./a.gguf\nFROM ./b.gguf\n",
      { files: { "a.gguf": model, "b.gguf": model }, ollama: "0.11.0" },
      ['Ollama 0.11.0 loads "./a.gguf" or "./b.gguf", as chance has it.'],
    ],
    ["shards are one model", "FROM ./models\n", { files: shards }, []],
    [
      "a projector is no model",
      "FROM ./models\n",
      { files: { "models/a.gguf": model, "models/mmproj.gguf": projector } },
      [],
    ],
    [
      "an adapter is no model",
      "FROM ./models\n",
      { files: { "models/a.gguf": model, "models/lora.gguf": lora("llama") } },
      [],
    ],
    [
      "a projector in a line of its own",
      "FROM ./a.gguf\nFROM ./p.gguf\n",
      { files: { "a.gguf": model, "p.gguf": projector } },
      [],
    ],
    [
      "safetensors are taken in place of them",
      "FROM ./models\n",
      { files: { ...two, "models/model.safetensors": safetensors } },
      [],
    ],
    [
      "one of them is a pointer",
      "FROM ./models\n",
      { files: { ...two, "models/c.gguf": pointer } },
      [],
    ],
    [
      "JSON makes the folder fail",
      "FROM ./models\n",
      { files: { ...two, "models/config.json": "{}" } },
      [],
    ],
    ["a name counts", "FROM ./models\nFROM llama3.2\n", { files: two }, []],
    ["older releases take no such folder", "FROM ./models\n", { files: two, ollama: "0.5.4" }, []],
    [
      "the last file alone counts",
      "FROM ./a.gguf\nFROM ./b.gguf\n",
      { files: { "a.gguf": model, "b.gguf": model }, ollama: "0.5.6" },
      [],
    ],
    ["nobody has looked", "FROM ./a.gguf\nFROM ./b.gguf\n", {}, []],
  ])("%s", async (_, text, setup, expected) => {
    expect(await messages("several-models", text, setup)).toEqual(expected);
  });
});

describe("json-beside-gguf", () => {
  test.each<[what: string, files: Files, fixed: string | undefined, count: number]>([
    ["one model", { "m/a.gguf": model, "m/config.json": "{}" }, "FROM ./m/a.gguf\n", 1],
    [
      "shards make one model",
      {
        "m/a-00001-of-00002.gguf": model,
        "m/a-00002-of-00002.gguf": model,
        "m/config.json": "{}",
      },
      "FROM ./m/a-00001-of-00002.gguf\nFROM ./m/a-00002-of-00002.gguf\n",
      1,
    ],
    ["a vocabulary", { "m/a.gguf": model, "m/tokenizer.model": "…" }, "FROM ./m/a.gguf\n", 1],
    ["several models", { "m/a.gguf": model, "m/b.gguf": model, "m/x.json": "{}" }, undefined, 1],
    [
      "some of its shards",
      { "m/a-00001-of-00003.gguf": model, "m/a-00002-of-00003.gguf": model, "m/x.json": "{}" },
      undefined,
      1,
    ],
    ["no JSON", { "m/a.gguf": model, "m/README.md": "…" }, undefined, 0],
    [
      "JSON of safetensors",
      { "m/model.safetensors": safetensors, "m/a.gguf": model, "m/config.json": "{}" },
      undefined,
      0,
    ],
    ["a name with a blank", { "m/a b.gguf": model, "m/config.json": "{}" }, undefined, 1],
  ])("%s", async (_, files, fixed, count) => {
    const text = "FROM ./m\n";
    const { own } = await found("json-beside-gguf", text, { files });
    expect(own).toHaveLength(count);
    const fix = own[0]?.fix;
    expect(fix && applyEdits(text, fix.edits)).toBe(fixed);
    expect(await messages("json-beside-gguf", text, { files, ollama: "0.5.4" })).toEqual([]);
  });

  test("only a file is named where one FROM counts", async () => {
    const files = { "m/a.gguf": model, "m/p.gguf": projector, "m/config.json": "{}" };
    const { own } = await found("json-beside-gguf", "FROM ./m\n", { files, ollama: "0.5.6" });
    expect(own).toHaveLength(1);
    expect(own[0]!.fix).toBeUndefined();
  });
});

describe("missing-shard", () => {
  const one = { "big/big-00002-of-00003.gguf": model };
  test("counts what is missing, and nothing else tells of it", async () => {
    const { own, broken } = await found("missing-shard", "FROM ./big\n", { files: one });
    expect(own.map(({ message }) => message)).toEqual([
      '"./big" holds 1 of the 3 shards of "big": part 1 and 1 more are missing.',
    ]);
    expect(broken).toBeUndefined();
  });

  test.each<[what: string, text: string, setup: Setup]>([
    [
      "all of them are there",
      "FROM ./big\n",
      {
        files: {
          ...one,
          "big/big-00001-of-00003.gguf": model,
          "big/big-00003-of-00003.gguf": model,
        },
      },
    ],
    [
      "safetensors are taken",
      "FROM ./big\n",
      { files: { ...one, "big/model.safetensors": safetensors } },
    ],
    [
      "a file is named, of which another rule speaks",
      "FROM ./big/big-00002-of-00003.gguf\n",
      { files: one },
    ],
    [
      "chance decides",
      "FROM ./big\n",
      { files: { ...one, "big/a.gguf": model }, ollama: "0.24.0" },
    ],
  ])("is silent where %s", async (_, text, setup) => {
    expect(await messages("missing-shard", text, setup)).toEqual([]);
  });
});

describe("projector-as-adapter", () => {
  const files = { "a.gguf": model, "p.gguf": projector, "lora.gguf": lora("llama") };
  const text = "FROM ./a.gguf\nADAPTER ./p.gguf\n";

  test("keeps the lines of several, of which only the last counts", async () => {
    const { own } = await found("projector-as-adapter", `${text}ADAPTER ./lora.gguf\n`, { files });
    expect(own).toHaveLength(1);
    expect(own[0]!.fix).toBeUndefined();
  });

  test("the projector counts in memory, and its line is no problem", async () => {
    const machine = "ram: 16GiB\ngpus:\n  - name: Tesla T4\n";
    const { own, broken } = await found("projector-as-adapter", text, { files, machine });
    expect(own).toHaveLength(1);
    expect(broken).toBeUndefined();
    const { model: read } = (
      await lookUp(parseModelfile(text), {
        release: newestRelease,
        folder: "/work",
        modelsFolder: "/work",
        server: {},
        models: new Map(),
        host: hostWith(files),
      })
    ).context;
    expect(read?.projectorBytes).toBe(projector.length + tensorBytes());
    expect(read?.adapters).toBeUndefined();
  });

  test.each<[what: string, text: string, ollama?: string]>([
    ["FROM is a name, and ADAPTER the only way", "FROM llama3.2\nADAPTER ./p.gguf\n"],
    ["it is an adapter", "FROM ./a.gguf\nADAPTER ./lora.gguf\n"],
    ["a second FROM would take the model's place", text, "0.5.6"],
    ["nothing lies there", "FROM ./a.gguf\nADAPTER ./none.gguf\n"],
  ])("is silent where %s", async (_, other, ollama) => {
    expect(
      await messages("projector-as-adapter", other, { files, ...(ollama && { ollama }) }),
    ).toEqual([]);
  });
});

/** Bytes of the small model's tensors behind its header. */
function tensorBytes(): number {
  const { tensors } = smallLlama();
  const perElement: Record<string, number> = { F32: 4, Q4_K: 144 / 256, Q6_K: 210 / 256 };
  return tensors.reduce((sum, { type, dims }) => {
    const bytes = dims.reduce((product, length) => product * length, 1) * perElement[type]!;
    return sum + Math.ceil(bytes / 32) * 32;
  }, 0);
}

describe("model-as-adapter", () => {
  const files = { "a.gguf": model, "old.gguf": gguf(), "lora.gguf": lora("llama") };

  test("is told once", async () => {
    const text = "FROM ./a.gguf\nADAPTER ./a.gguf\n";
    const other = { ...files, "b.gguf": model };
    const { own, broken } = await found("model-as-adapter", "FROM ./a.gguf\nADAPTER ./b.gguf\n", {
      files: other,
    });
    expect(own.map(({ severity }) => severity)).toEqual(["warning"]);
    expect(broken).toBeUndefined();
    expect((await found("model-as-adapter", text, { files })).own).toHaveLength(1);
  });

  test("is left to the reader where the file does not say what it is", async () => {
    const { own, broken } = await found("model-as-adapter", "FROM ./a.gguf\nADAPTER ./old.gguf\n", {
      files,
    });
    expect(own).toEqual([]);
    expect(broken).toMatch(/is no adapter/);
  });

  test("a damaged file in FROM stays a problem", async () => {
    const damaged = { "a.gguf": model.slice(0, 400) };
    const { own, broken } = await found("model-as-adapter", "FROM ./a.gguf\n", { files: damaged });
    expect(own).toEqual([]);
    expect(broken).toMatch(/"a\.gguf"/);
  });

  test.each([
    "FROM ./a.gguf\nADAPTER ./lora.gguf\n",
    "FROM ./a.gguf\nADAPTER ./a.gguf\nADAPTER ./lora.gguf\n",
    "FROM ./a.gguf\n",
  ])("is silent on %j", async (text) => {
    expect(await messages("model-as-adapter", text, { files })).toEqual([]);
  });
});

describe("missing-projector", () => {
  const named = (basename: string, of: "llama" | "clip" = "llama") =>
    gguf({ "general.architecture": of, "general.basename": basename });
  const pair = { "v/model.gguf": model, "v/mmproj-f16.gguf": projector };

  test("offers every projector that lies there", async () => {
    const files = { ...pair, "v/mmproj-bf16.gguf": projector };
    const { own } = await found("missing-projector", "FROM ./v/model.gguf\n", { files });
    expect(own.map(({ severity }) => severity)).toEqual(["info"]);
    expect(own[0]!.suggestions?.map(({ title }) => title)).toEqual([
      "Add FROM ./v/mmproj-bf16.gguf",
      "Add FROM ./v/mmproj-f16.gguf",
    ]);
  });

  test("knows a model among others by what both call themselves", async () => {
    const files = {
      "a.gguf": named("A"),
      "b.gguf": named("B"),
      "mmproj-b.gguf": named("B", "clip"),
    };
    expect(await messages("missing-projector", "FROM ./a.gguf\n", { files })).toEqual([]);
    expect(await messages("missing-projector", "FROM ./b.gguf\n", { files })).toHaveLength(1);
  });

  test.each<[what: string, text: string, files: Files, ollama?: string]>([
    ["it is named", "FROM ./v/model.gguf\nFROM ./v/mmproj-f16.gguf\n", pair],
    ["it is named in ADAPTER", "FROM ./v/model.gguf\nADAPTER ./v/mmproj-f16.gguf\n", pair],
    ["the folder is named", "FROM ./v\n", pair],
    ["other models lie there", "FROM ./v/model.gguf\n", { ...pair, "v/other.gguf": model }],
    ["it is no projector", "FROM ./a.gguf\n", { "a.gguf": model, "mmproj.gguf": model }],
    [
      "the model has its own",
      "FROM ./v/model.gguf\n",
      { ...pair, "v/model.gguf": gguf({ "llama.vision.block_count": 27 }) },
    ],
    ["the release wants it in the model's file", "FROM ./v/model.gguf\n", pair, "0.24.0"],
    ["FROM is a name", "FROM llama3.2\n", pair],
  ])("is silent where %s", async (_, text, files, ollama) => {
    expect(await messages("missing-projector", text, { files, ...(ollama && { ollama }) })).toEqual(
      [],
    );
  });
});

describe("adapter-base-mismatch", () => {
  const fits: [string, number[], number[]] = ["blk.0.attn_k.weight", [256, 16], [16, 64]];
  const files = {
    "a.gguf": model,
    "fits.gguf": lora("llama", fits),
    "wide.gguf": lora("llama", ["blk.0.attn_q.weight", [512, 16], [16, 256]]),
    "long.gguf": lora("llama", ["blk.0.attn_k.weight", [256, 16], [16, 256]]),
    "deep.gguf": lora("llama", ["blk.7.attn_q.weight", [256, 16], [16, 256]]),
    "embedding.gguf": lora("llama", ["token_embd.weight", [32, 16], [16, 256]]),
    "other.gguf": lora("qwen2", fits),
    "oss.gguf": lora("gpt-oss"),
    "p.gguf": projector,
  };
  test.each([
    [
      "wide.gguf",
      "an adapter for another model: blk.0.attn_q.weight has 256 columns, and the adapter 512.",
    ],
    [
      "long.gguf",
      "an adapter for another model: blk.0.attn_k.weight has 64 rows, and the adapter 256.",
    ],
    ["deep.gguf", "an adapter for another model: this one has no tensor blk.7.attn_q.weight."],
    ["other.gguf", "an adapter for qwen2, and the model is a llama."],
  ])("tells %s from the model", async (name, what) => {
    const { own } = await found("adapter-base-mismatch", `FROM ./a.gguf\nADAPTER ./${name}\n`, {
      files,
    });
    expect(own.map(({ severity, message }) => [severity, message])).toEqual([
      ["error", `"./${name}" is ${what}`],
    ]);
  });

  test.each<[what: string, text: string, ollama?: string]>([
    ["it fits", "FROM ./a.gguf\nADAPTER ./fits.gguf\n"],
    ["it changes the embedding", "FROM ./a.gguf\nADAPTER ./embedding.gguf\n"],
    ["another one counts", "FROM ./a.gguf\nADAPTER ./other.gguf\nADAPTER ./fits.gguf\n"],
    ["it is a projector", "FROM ./a.gguf\nADAPTER ./p.gguf\n"],
    ["Ollama's name for the architecture is another", "FROM gpt-oss:20b\nADAPTER ./oss.gguf\n"],
    [
      "the model is known by its name alone",
      "FROM hf.co/acme/gemma-3-4b-it-GGUF:Q4_K_M\nADAPTER ./other.gguf\n",
    ],
    ["Ollama's engine takes none", "FROM gemma3:4b\nADAPTER ./other.gguf\n", "0.12.6"],
    ["nothing lies there", "FROM ./a.gguf\nADAPTER ./none.gguf\n"],
  ])("is silent where %s", async (_, text, ollama) => {
    expect(
      await messages("adapter-base-mismatch", text, { files, ...(ollama && { ollama }) }),
    ).toEqual([]);
  });
});

const words = (count: number) =>
  gguf({ "tokenizer.ggml.tokens": Array.from({ length: count }, (_, at) => `t${at}`) });

describe("draft-vocabulary", () => {
  test.each([
    [32 + 128, []],
    [32 + 129, ['"./d.gguf" has a vocabulary of 161 tokens, and the model one of 32.']],
  ])("of %i tokens to 32", async (count, expected) => {
    const files = { "a.gguf": model, "d.gguf": words(count) };
    const text = "FROM ./a.gguf\nDRAFT ./d.gguf\n";
    expect(await messages("draft-vocabulary", text, { files })).toEqual(expected);
    expect(await messages("draft-vocabulary", text, { files, ollama: "0.24.0" })).toEqual([]);
  });

  test("is silent without a draft, and where it is missing", async () => {
    const files = { "a.gguf": model };
    expect(await messages("draft-vocabulary", "FROM ./a.gguf\n", { files })).toEqual([]);
    expect(
      await messages("draft-vocabulary", "FROM ./a.gguf\nDRAFT ./d.gguf\n", { files }),
    ).toEqual([]);
  });
});

describe("pickle-weights", () => {
  test.each<[what: string, text: string, files: Files, severities: string[], ollama?: string]>([
    ["an adapter's", "FROM llama3.2\nADAPTER ./l\n", { "l/adapter_model.bin": pickle }, ["error"]],
    ["older pickles", "FROM ./l\n", { "l/pytorch_model.bin": "\u0080\u0002}q\0" }, []],
    [
      "shards",
      "FROM ./l\n",
      {
        "l/pytorch_model-00001-of-00002.bin": pickle,
        "l/pytorch_model-00002-of-00002.bin": pickle,
      },
      ["error"],
    ],
    ["in an old release", "FROM ./l\n", { "l/pytorch_model.bin": pickle }, ["warning"], "0.5.4"],
    [
      "beside safetensors",
      "FROM ./l\n",
      { "l/pytorch_model.bin": pickle, "l/model.safetensors": safetensors },
      [],
    ],
    ["beside a GGUF file", "FROM ./l\n", { "l/training_args.bin": pickle, "l/a.gguf": model }, []],
    ["a GGUF file called so", "FROM ./l\n", { "l/pytorch_model.bin": model }, []],
    ["a pointer to one", "FROM ./l\n", { "l/pytorch_model.bin": pointer }, []],
    [
      "a single file, of which another rule speaks",
      "FROM ./l/pytorch_model.bin\n",
      { "l/pytorch_model.bin": pickle },
      [],
    ],
  ])("%s", async (_, text, files, severities, ollama) => {
    const { own } = await found("pickle-weights", text, { files, ...(ollama && { ollama }) });
    expect(own.map(({ severity }) => severity)).toEqual(severities);
  });

  test("nothing else tells of them", async () => {
    const files = { "l/pytorch_model.bin": pickle, "l/config.json": "{}" };
    const { own, broken } = await found("pickle-weights", "FROM ./l\n", { files });
    expect(own).toHaveLength(1);
    expect(broken).toBeUndefined();
  });
});

describe("git-lfs-pointer", () => {
  test("does not look at weights that Ollama leaves out", async () => {
    const files = { "m/model.safetensors": safetensors, "m/pytorch_model.bin": pointer };
    expect(await messages("git-lfs-pointer", "FROM ./m\n", { files })).toEqual([]);
    const all = { ...files, "m/model.safetensors": pointer };
    expect(await messages("git-lfs-pointer", "FROM ./m\n", { files: all })).toEqual([
      '"./m" holds a Git LFS pointer in place of model.safetensors.',
    ]);
  });
});

describe("folder-of-links", () => {
  const hub = "hub/models--acme--tuned";
  const snapshot = `${hub}/snapshots/0f1e`;
  const linked = {
    [`${snapshot}/model.safetensors`]: safetensors,
    [`${hub}/blobs/4d7a`]: safetensors,
  };

  test.each([`./${snapshot}`, `/work/${snapshot}/`])("finds %s", async (path) => {
    const { own } = await found("folder-of-links", `FROM ${path}\n`, { files: linked });
    expect(own.map(({ severity }) => severity)).toEqual(["error"]);
  });

  test.each<[what: string, text: string, setup: Setup]>([
    [
      "the files themselves lie there",
      `FROM ./${snapshot}\n`,
      { files: { [`${snapshot}/model.safetensors`]: safetensors } },
    ],
    [
      "a file is named",
      `FROM ./${snapshot}/a.gguf\n`,
      { files: { ...linked, [`${snapshot}/a.gguf`]: model } },
    ],
    ["the release takes links", `FROM ./${snapshot}\n`, { files: linked, ollama: "0.6.8" }],
    [
      "the folder only looks like it",
      "FROM ./snapshots/0f1e\n",
      { files: { "snapshots/0f1e/model.safetensors": safetensors, "blobs/4d7a": "…" } },
    ],
    ["nobody has looked", `FROM ./${snapshot}\n`, {}],
  ])("is silent where %s", async (_, text, setup) => {
    expect(await messages("folder-of-links", text, setup)).toEqual([]);
  });
});

describe("same-file-name", () => {
  test.each<[what: string, text: string, count: number, setup?: Setup]>([
    ["two folders", "FROM ./a/m.gguf\nFROM ./b/m.gguf\n", 1],
    ["three folders", "FROM ./a/m.gguf\nFROM ./b/m.gguf\nFROM ./c/m.gguf\n", 2],
    ["the same file twice", "FROM ./a/m.gguf\nFROM a/../a/m.gguf\n", 0],
    ["other names", "FROM ./a/m.gguf\nFROM ./b/n.gguf\n", 0],
    ["folders of one name", "FROM ./a/m\nFROM ./b/m\n", 0],
    ["a name counts", "FROM ./a/m.gguf\nFROM ./b/m.gguf\nFROM llama3.2\n", 0],
    ["older releases", "FROM ./a/m.gguf\nFROM ./b/m.gguf\n", 0, { ollama: "0.5.4" }],
    ["the last file alone counts", "FROM ./a/m.gguf\nFROM ./b/m.gguf\n", 0, { ollama: "0.5.6" }],
    ["one is missing", "FROM ./a/m.gguf\nFROM ./b/m.gguf\n", 0, { files: { "a/m.gguf": model } }],
    ["an adapter, which goes its own way", "FROM ./a/m.gguf\nADAPTER ./b/m.gguf\n", 0],
  ])("%s", async (_, text, count, setup) => {
    expect(await messages("same-file-name", text, setup)).toHaveLength(count);
  });
});

describe("path-escapes-folder", () => {
  test.each([
    ["../m.gguf", 1],
    ["a/../../m.gguf", 1],
    ["..\\m.gguf", 1],
    ["..", 1],
    ["a/../m.gguf", 0],
    ["./m..gguf", 0],
    ["/srv/../m.gguf", 0],
    ["~/../m.gguf", 0],
    ["C:\\..\\m.gguf", 0],
    ["llama3.2", 0],
  ])("%s", async (path, count) => {
    expect(await messages("path-escapes-folder", `FROM ${path}\n`)).toHaveLength(count);
    expect(await messages("path-escapes-folder", `FROM llama3.2\nADAPTER ${path}\n`)).toHaveLength(
      count,
    );
  });
});

describe("backslash-path", () => {
  test.each([
    [".\\m.gguf", "./m.gguf"],
    ["models\\m.gguf", "models/m.gguf"],
    ["..\\models/m.gguf", "../models/m.gguf"],
    ["C:\\models\\m.gguf", undefined],
    ["\\\\server\\models\\m.gguf", undefined],
    ["./my\\ model.gguf", undefined],
    ["./m.gguf", undefined],
    ["llama3.2", undefined],
  ])("%s", async (path, good) => {
    const text = `FROM ${path}\n`;
    const { own } = await found("backslash-path", text);
    const fix = own[0]?.fix;
    expect(fix && applyEdits(text, fix.edits)).toBe(good && `FROM ${good}\n`);
    expect(fix?.safety).toBe(good && "safe");
  });
});

describe("untrusted-registry", () => {
  test.each([
    ["registry.example.com/acme/tuned", 1],
    ["https://registry.example.com/acme/tuned:8b", 1],
    ["localhost:5000/acme/tuned", 1],
    ["llama3.2", 0],
    ["acme/tuned", 0],
    ["registry.ollama.ai/library/llama3.2", 0],
    ["HF.co/acme/tuned-GGUF", 0],
    ["huggingface.co/acme/tuned-GGUF:Q4_K_M", 0],
    ["./models/acme/tuned.gguf", 0],
    ["models/acme/tuned.gguf", 0],
    ["not a name", 0],
  ])("%s", async (name, count) => {
    expect(await messages("untrusted-registry", `FROM ${name}\n`)).toHaveLength(count);
  });

  test("is silent on a file of such a name", async () => {
    const files = { "example.com/acme/tuned": model };
    expect(
      await messages("untrusted-registry", "FROM example.com/acme/tuned\n", { files }),
    ).toEqual([]);
  });
});

describe("unpinned-model", () => {
  test.each<[name: string, count: number, written?: string]>([
    ["llama3.2", 1, "llama3.2:3b"],
    ["library/llama3.2:latest", 1, "library/llama3.2:3b"],
    ["registry.ollama.ai/library/llama3.2", 1, "registry.ollama.ai/library/llama3.2:3b"],
    ["acme/tuned", 1],
    ["localhost:5000/acme/tuned", 1],
    ["llama3.2:1b", 0],
    ["hf.co/acme/tuned-GGUF:Q4_K_M", 0],
    ["gpt-oss:cloud", 0],
    ["./tuned.gguf", 0],
    ["tuned.gguf", 0],
    ["not a name", 0],
  ])("%s", async (name, count, written) => {
    const text = `FROM ${name}\n`;
    const { own } = await found("unpinned-model", text);
    expect(own).toHaveLength(count);
    const change = own[0]?.suggestions?.[0];
    expect(change && applyEdits(text, change.edits)).toBe(written && `FROM ${written}\n`);
  });

  test("is silent on a file of such a name", async () => {
    expect(await messages("unpinned-model", "FROM tuned\n", { files: { tuned: model } })).toEqual(
      [],
    );
  });
});

describe("a licence", () => {
  const licensed = {
    "a.gguf": gguf({ "general.license": "other", "general.license.name": "acme-1.0" }),
    "b.gguf": model,
  };
  test.each<[text: string, lost: number, missing: number]>([
    ["FROM ./a.gguf\n", 1, 0],
    ["FROM ./a.gguf\nLICENSE \n", 1, 0],
    ["FROM ./a.gguf\nLICENSE MIT\n", 0, 0],
    ["FROM ./b.gguf\n", 0, 1],
    ["FROM ./b.gguf\nLICENSE MIT\n", 0, 0],
    ["FROM llama3.2\n", 0, 0],
    ["FROM llama3.2\nFROM ./b.gguf\n", 0, 0],
  ])("%j", async (text, lost, missing) => {
    expect(await messages("license-lost", text, { files: licensed })).toHaveLength(lost);
    expect(await messages("missing-license", text, { files: licensed })).toHaveLength(missing);
  });

  test("is called what it calls itself", async () => {
    expect(await messages("license-lost", "FROM ./a.gguf\n", { files: licensed })).toEqual([
      '"./a.gguf" has the licence "acme-1.0", and the model made from it has none.',
    ]);
  });

  test("with text that is none is left alone", async () => {
    const files = { "a.gguf": gguf({ "general.license": 'two\nlines of "text"' }) };
    expect(await messages("license-lost", "FROM ./a.gguf\n", { files })).toEqual([]);
  });
});

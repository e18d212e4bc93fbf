import { chmod, mkdtemp, mkdir, rename, rm, symlink, truncate, unlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, type Host } from "../src/host.js";
import type { Model, Resolution } from "../src/models/model.js";
import { storedModel } from "../src/models/store.js";
import { nodeHost } from "../src/node-host.js";
import { run } from "./command.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";
import {
  blobPath,
  manifestFor,
  writeBlob,
  writeManifest,
  type ModelInStore,
  type StoredLayer,
} from "./ollama-store.js";

const small = smallLlama();
const weights = ggufHeader(small.metadata, small.tensors);
const plain: StoredLayer = { kind: "model", content: weights };

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelfile-lint-store-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

let stores = 0;

/** A folder for a store that no other test uses. */
async function newStore(): Promise<string> {
  const store = join(folder, `${++stores}`);
  await mkdir(store);
  return store;
}

/** A store of one model, "small:latest" of the library. */
async function storeOf(model: ModelInStore, path = library("small")): Promise<string> {
  const store = await newStore();
  await writeManifest(store, path, await manifestFor(store, model));
  return store;
}

function library(model: string, tag = "latest"): string {
  return `manifests/registry.ollama.ai/library/${model}/${tag}`;
}

function hostOf(store: string): Host {
  return { ...nodeHost, variable: (name) => (name === "OLLAMA_MODELS" ? store : undefined) };
}

function stored(store: string, name = "small"): Promise<Resolution | undefined> {
  return storedModel(name, hostOf(store));
}

async function modelIn(store: string, name?: string): Promise<Model> {
  const found = await stored(store, name);
  if (!found || !("model" in found)) expect.fail(JSON.stringify(found));
  return found.model;
}

/** The message of the InputError; the folder of the store is nobody's business. */
async function complaint(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  expect(error.place?.path).toContain(folder);
  expect(error.message).not.toContain(folder);
  return error.message;
}

describe("a model in Ollama's store", () => {
  test("has the facts of its layers and of its file's header", async () => {
    const store = await storeOf({
      config: {
        model_format: "gguf",
        file_type: "Q4_K_M",
        renderer: "qwen3",
        parser: "qwen3-parser",
        requires: "0.14.0",
        capabilities: ["thinking"],
      },
      layers: [
        plain,
        { kind: "template", content: "{{ .Prompt }}" },
        { kind: "template", content: "{{ if .Tools }}{{ end }}{{ .Prompt }}{{ .Suffix }}" },
        { kind: "system", content: "You are small." },
        { kind: "params", content: '{"stop":["<|a|>","<|b|>"],"temperature":0.6,"num_ctx":4096}' },
        { kind: "license", content: "\n   Apache License\n   Version 2.0, January 2004\n" },
        { kind: "license", content: "SMALL COMMUNITY LICENSE\n\nmuch text" },
        { kind: "projector", content: "not looked into" },
        { kind: "projector", content: "the second is not loaded" },
        { kind: "messages", content: "[]" },
        { kind: "embed", content: "" },
      ],
    });
    const model = await modelIn(store);
    expect(model).toMatchObject({
      name: "small",
      source: "store",
      exact: true,
      quantisation: "Q4_K_M",
      projectorBytes: "not looked into".length,
      template: { language: "go", text: "{{ if .Tools }}{{ end }}{{ .Prompt }}{{ .Suffix }}" },
      system: "You are small.",
      stop: ["<|a|>", "<|b|>"],
      parameters: { temperature: 0.6, num_ctx: 4096 },
      licence: "Apache-2.0, SMALL COMMUNITY LICENSE",
      renderer: "qwen3",
      parser: "qwen3-parser",
      minOllama: "0.14.0",
      shape: { architecture: "llama", blocks: 2, vocabulary: 32 },
    });
    expect(new Set(model.capabilities)).toEqual(
      new Set(["thinking", "completion", "vision", "tools", "insert"]),
    );
    expect(model.header?.tensors).toHaveLength(small.tensors.length);
    const origin = (fact: string) => model.origins?.find(({ facts }) => facts.includes(fact))?.from;
    expect(origin("template")).toBe("manifest of small in Ollama's store");
    expect(origin("tensors")).toBe("model file of small in Ollama's store");
  });

  test("needs no layer but the model's", async () => {
    const model = await modelIn(await storeOf({ layers: [plain] }));
    expect(model).toMatchObject({ stop: [], capabilities: ["completion"] });
    for (const key of ["projectorBytes", "template", "licence", "system", "adapters"]) {
      expect(model).not.toHaveProperty(key);
    }
  });

  test("has the template of its header where Ollama has none of its own", async () => {
    const metadata = { ...small.metadata, "tokenizer.chat_template": "{% for m in messages %}" };
    const content = ggufHeader(metadata, small.tensors);
    const model = await modelIn(await storeOf({ layers: [{ kind: "model", content }] }));
    expect(model.template).toEqual({ language: "jinja", text: "{% for m in messages %}" });
  });

  test("has adapters, whether they can be read or not", async () => {
    const adapter = ggufHeader(
      { "general.architecture": "llama", "general.type": "adapter", "adapter.lora.alpha": 16 },
      [{ name: "blk.0.attn_q.weight.lora_a", type: "F32", dims: [256, 8] }],
    );
    const layers = [
      plain,
      { kind: "adapter", content: adapter },
      { kind: "adapter", content: "ggla of old" },
    ];
    const { adapters } = await modelIn(await storeOf({ layers }));
    expect(adapters).toHaveLength(2);
    expect(adapters![0]!.header!.tensors).toHaveLength(1);
    expect(adapters![0]!.bytes).toBeGreaterThanOrEqual(256 * 8 * 4);
    expect(adapters![1]).toEqual({ bytes: "ggla of old".length });
  });

  test("may lie in several parts of one split file", async () => {
    const split = (at: number) => ({
      "split.count": 2,
      "split.no": at,
      "split.tensors.count": small.tensors.length,
    });
    const first = { ...small.metadata, ...split(0) };
    const layers = [
      { kind: "model", content: ggufHeader(first, small.tensors.slice(0, 5)) },
      { kind: "model", content: ggufHeader(split(1), small.tensors.slice(5)) },
    ];
    const model = await modelIn(await storeOf({ layers }));
    expect(model.header?.tensors).toHaveLength(small.tensors.length);
    expect(model.weights).toEqual((await modelIn(await storeOf({ layers: [plain] }))).weights);
  });

  test.each([
    ["small", library("small")],
    ["SMALL:LATEST", library("small")],
    ["small", library("Small", "LATEST")],
    ["registry.ollama.ai/library/small", library("small")],
    ["ollama.com/library/small", library("small")],
    ["small:8b", library("small", "8b")],
    ["me/small", "manifests/registry.ollama.ai/me/small/latest"],
    ["hf.co/Me/Small-GGUF:q4_k_m", "manifests/hf.co/Me/Small-GGUF/Q4_K_M"],
    ["localhost:5000/me/small", "manifests/localhost:5000/me/small/latest"],
    ["small", "manifests-v2/ollama.com/library/small/latest"],
    ["small", "manifests/ollama.com/library/small/latest"],
  ])("is found: %s at %s", async (name, path) => {
    const model = await modelIn(await storeOf({ layers: [plain] }, path), name);
    expect(model.name).toBe(name);
  });

  test("is the one of the very name where several differ by case alone", async () => {
    const store = await newStore();
    for (const tag of ["Q8", "q8", "other"]) {
      const layers = [plain, { kind: "system", content: tag }];
      await writeManifest(store, library("small", tag), await manifestFor(store, { layers }));
    }
    // Where file names have no case there is but one.
    const q8 = await modelIn(store, "small:q8");
    expect(q8.system?.toLowerCase()).toBe("q8");
    expect((await modelIn(store, "Small:other")).system).toBe("other");
  });

  test("is unknown where there is none of that name", async () => {
    const store = await storeOf({ layers: [plain] });
    await mkdir(join(store, library("folder")), { recursive: true });
    for (const name of ["smaller", "small:8b", "me/small", "folder", "../small", "a/../b", ""]) {
      expect(await stored(store, name), name).toBeUndefined();
    }
    expect(await stored(join(store, "none"))).toBeUndefined();
    expect(await stored(join(store, library("small")))).toBeUndefined();
  });

  test("is not told of where the store has its tensors as safetensors, or none at all", async () => {
    const tensors = { layers: [{ kind: "tensor", content: "x" }], config: {} };
    const format = { layers: [plain], config: { model_format: "safetensors" } };
    for (const model of [tensors, format]) {
      expect(await stored(await storeOf(model))).toEqual({
        unknown:
          '"small" lies in Ollama\'s store as safetensors, which are not read there. ' +
          "Describe it under models: in the configuration.",
      });
    }
    const config = { remote_model: "big", remote_host: "https://ollama.com:443" };
    expect(await stored(await storeOf({ layers: [], config }))).toEqual({
      unknown: `"small" runs in Ollama's cloud, not on this machine.`,
    });
  });

  test("is the GGUF one of a list of manifests", async () => {
    const store = await newStore();
    const type = "application/vnd.ollama.manifest.list.v2+json";
    const gguf = await manifestFor(store, { layers: [plain] });
    const digest = await writeBlob(store, JSON.stringify(gguf));
    const mlx = { ...gguf, layers: [], runner: "mlx" };
    const list = (...manifests: unknown[]) => ({ schemaVersion: 2, mediaType: type, manifests });
    const write = (content: unknown) => writeManifest(store, library("small"), content);
    await write(list(mlx, { ...gguf, runner: "Ollama" }));
    expect((await modelIn(store)).shape.blocks).toBe(2);
    await write(list(mlx, { mediaType: gguf.mediaType, digest, runner: "llamacpp" }));
    expect((await modelIn(store)).shape.blocks).toBe(2);
    await write(list(mlx));
    expect(await stored(store)).toMatchObject({ unknown: expect.stringContaining("safetensors") });
    await write(list({ runner: "ollama", digest: "sha256:../../x" }));
    expect(await complaint(stored(store))).toContain("is damaged");
    await write(list({ runner: "ollama" }));
    expect(await complaint(stored(store))).toContain("is damaged");
  });
});

/** A store that lacks the blob of such a layer. */
async function lacking(kind: string): Promise<Resolution | undefined> {
  const lost = { kind, content: kind === "model" ? weights : "lost" };
  const store = await storeOf({ layers: kind === "model" ? [lost] : [plain, lost] });
  await unlink(blobPath(store, await writeBlob(await newStore(), lost.content)));
  return stored(store);
}

const again = "Run `ollama pull small` again.";

describe("a damaged store", () => {
  const digest = `sha256:${"0".repeat(64)}`;
  test.each<[unknown, string]>([
    ["", "no text"],
    ["{", "no JSON"],
    ["[]", "another value"],
    ["{}", "no layers"],
    [{ layers: {} }, "layers that are none"],
    [{ layers: [null] }, "a layer that is none"],
    [{ layers: [{ mediaType: "x" }] }, "no digest"],
    [{ layers: [{ digest: "sha256:abc" }] }, "a short digest"],
    [{ layers: [{ digest: `sha512:${"0".repeat(64)}` }] }, "another hash"],
    [{ layers: [{ digest: `sha256:../../../../etc/${"0".repeat(50)}` }] }, "a path"],
    [{ layers: [{ digest: `${digest}/../x` }] }, "a path behind a digest"],
    [{ layers: [], config: { digest: "x" } }, "a configuration without a hash"],
  ])("has a manifest of %j: %s", async (content) => {
    const store = await newStore();
    await writeManifest(store, library("small"), content);
    expect(await complaint(stored(store))).toBe(
      `The manifest of "small" in Ollama's store is damaged. ${again}`,
    );
  });

  test("has a manifest without a model", async () => {
    const store = await storeOf({ layers: [{ kind: "template", content: "x" }] });
    expect(await complaint(stored(store))).toBe(
      `"small" has no model file in its manifest. ${again}`,
    );
  });

  test("lacks a blob", async () => {
    expect(await complaint(lacking("model"))).toBe(
      `"small" lacks its model file in Ollama's store. ${again}`,
    );
    expect(await complaint(lacking("params"))).toBe(
      `"small" lacks its parameters in Ollama's store. ${again}`,
    );
    expect(await complaint(lacking("template"))).toContain("lacks its template");
    expect(await complaint(lacking("projector"))).toContain("lacks its projector");
    expect(await complaint(lacking("adapter"))).toContain("lacks its adapter");
    expect(await complaint(lacking("license"))).toContain("lacks its licence");
  });

  test("may have blobs named as releases before 0.1.30 named them", async () => {
    if (process.platform === "win32") return;
    const store = await storeOf({ layers: [plain] });
    const at = blobPath(store, await writeBlob(await newStore(), weights));
    await rename(at, at.replace("sha256-", "sha256:"));
    expect((await modelIn(store)).source).toBe("store");
  });

  test.each([
    [{ kind: "params", content: "{" }, "The parameters of"],
    [{ kind: "params", content: "[1]" }, "The parameters of"],
  ])("has broken JSON: %j", async (layer, whose) => {
    const store = await storeOf({ layers: [plain, layer] });
    expect(await complaint(stored(store))).toBe(
      `${whose} "small" in Ollama's store is damaged. ${again}`,
    );
  });

  test("has small layers that are huge", async () => {
    for (const [kind, size, problem] of [
      ["params", 2 ** 20 + 1, 'parameters of "small" in Ollama\'s store has more than 1 MiB'],
      ["template", 4 * 2 ** 20 + 1, "template of"],
      ["license", 2 ** 40, "licence of"],
    ] as const) {
      const layer = { kind, content: "{ }" };
      const store = await storeOf({ layers: [plain, layer] });
      await truncate(blobPath(store, await writeBlob(await newStore(), layer.content)), size);
      expect(await complaint(stored(store))).toContain(problem);
    }
    const store = await newStore();
    await truncate(await writeManifest(store, library("small"), "{}"), 2 ** 40);
    expect(await complaint(stored(store))).toBe(
      `The manifest of "small" in Ollama's store has more than 16 MiB. ${again}`,
    );
  });

  test.each([
    ["", `is empty. ${again}`],
    ["GGUF", `ends inside its header. ${again}`],
    ["hello", 'is no GGUF file: it starts with "hell".'],
    ["ggjt", "is a ggjt file, and llama.cpp reads GGUF only. Convert the model again."],
  ])("has a model file of %j", async (content, problem) => {
    const store = await storeOf({ layers: [{ kind: "model", content }] });
    expect(await complaint(stored(store))).toBe(
      `The model file of "small" in Ollama's store ${problem}`,
    );
  });

  test("has links that lead in a circle", async () => {
    if (process.platform === "win32") return;
    const store = await storeOf({ layers: [plain] });
    const manifest = join(store, library("loop"));
    await mkdir(join(manifest, ".."), { recursive: true });
    await symlink(manifest, manifest);
    expect(await complaint(stored(store, "loop"))).toBe(
      'The manifest of "loop" in Ollama\'s store is damaged. Run `ollama pull loop` again.',
    );
    const at = blobPath(store, await writeBlob(await newStore(), weights));
    await unlink(at);
    await symlink(at, at);
    expect(await complaint(stored(store))).toContain("lacks its model file");
    // A folder above itself.
    await symlink(store, join(store, "manifests", "Registry.Ollama.AI"));
    expect(await stored(store, "none")).toBeUndefined();
  });

  test("cannot be read", async () => {
    if (process.platform === "win32" || process.getuid?.() === 0) return;
    const store = await storeOf({ layers: [plain] });
    await chmod(join(store, "manifests"), 0o000);
    expect(await complaint(stored(store))).toContain("Check the permissions");
    await chmod(join(store, "manifests"), 0o700);
  });
});

/** A host that has these folders and files alone; lists of names are folders. */
function hostWith(
  files: Readonly<Record<string, readonly string[] | string>>,
  models?: string,
): Host & { looked: string[] } {
  const looked: string[] = [];
  return {
    looked,
    resolve: (from, path) => (/^[~/]/.test(path) ? path : `${from}/${path}`),
    stat: async (path) => {
      looked.push(path);
      const found = files[path];
      if (found === undefined) return undefined;
      return typeof found === "string"
        ? { kind: "file", size: found.length }
        : { kind: "folder", size: 0 };
    },
    read: async (path) => new TextEncoder().encode(files[path] as string),
    list: async (path) => {
      const found = files[path];
      if (found === undefined || typeof found === "string" || found[0] === "unreadable") {
        throw new Error(`${path} cannot be read`);
      }
      return [...found];
    },
    variable: (name) => (name === "OLLAMA_MODELS" ? models : undefined),
  };
}

describe("where stores lie", () => {
  const home = "~/.ollama/models";
  const service = "/usr/share/ollama/.ollama/models";

  test("is asked once each", async () => {
    const nothing = hostWith({});
    expect(await storedModel("small", nothing)).toBeUndefined();
    expect(nothing.looked).toEqual([home, service]);
    const chosen = hostWith({}, ` "/data/models" `);
    expect(await storedModel("small", chosen)).toBeUndefined();
    expect(chosen.looked).toEqual(["/data/models"]);
    const empty = hostWith({}, "");
    await storedModel("small", empty);
    expect(empty.looked).toEqual([home, service]);
  });

  test("is the home folder, or the service's", async () => {
    for (const store of [home, service]) {
      const host = hostWith({ [store]: [], [`${store}/${library("small")}`]: "{" });
      await expect(storedModel("small", host)).rejects.toThrow("is damaged");
    }
  });

  test("is silent where the service's cannot be read, and one's own is not", async () => {
    const own = hostWith({ [home]: ["manifests"], [`${home}/manifests`]: ["unreadable"] });
    await expect(storedModel("small", own)).rejects.toThrow("Ollama's store cannot be read.");
    const others = hostWith({ [service]: ["manifests"], [`${service}/manifests`]: ["unreadable"] });
    expect(await storedModel("small", others)).toBeUndefined();
  });
});

test("the command tells of a stored model, and prints it as JSON", async () => {
  const store = await storeOf({
    layers: [plain, { kind: "params", content: '{"stop":["<|a|>"],"temperature":0.5}' }],
  });
  const env = { OLLAMA_MODELS: store };
  const text = await run(["model", "small"], { cwd: folder, env });
  expect(text.stderr).toBe("");
  expect(text.stdout).toMatch(/source +Ollama's store\n/);
  expect(text.stdout).toMatch(/tokenizer +gpt2, 32 tokens\n/);
  expect(text.stdout).toMatch(/stop +"<\|a\|>"\n/);
  expect(text.stdout).toMatch(/parameters +temperature 0\.5\n/);
  expect(text.stdout).toMatch(/known from +manifest of small in Ollama's store: stop/);
  const { stdout } = await run(["model", "small", "--json"], { cwd: folder, env });
  expect(JSON.parse(stdout)).toMatchObject({
    source: "store",
    header: { keys: { "llama.block_count": 2 }, tensors: small.tensors.length },
  });
  const without = await run(["model", "small"], { cwd: folder });
  expect(without.code).toBe(2);
  expect(without.stderr).toContain("neither in Ollama's store nor in the catalogue");
});

import { describe, expect, test } from "vitest";
import type { ModelChoice } from "../src/config/config.js";
import { InputError, type Host } from "../src/host.js";
import { describedModel } from "../src/models/description.js";
import { resolveModel } from "../src/models/resolve.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";

const { metadata, tensors } = smallLlama();
const model = ggufHeader(metadata, tensors);

type Files = Readonly<Record<string, Uint8Array | string | undefined>>;

/**
 * A host with these files and folders (undefined), whose store of models is /models; paths are relative
 * to their folder's.
 */
function hostWith(files: Files, request?: Host["request"]): Host {
  const contents = (path: string) => {
    const content = files[path];
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  };
  return {
    resolve: (folder, path) =>
      path.startsWith("/") ? path : `${folder}/${path.replace("./", "")}`,
    stat: async (path) => {
      if (!(path in files)) return undefined;
      const bytes = contents(path);
      return bytes ? { kind: "file", size: bytes.length } : { kind: "folder", size: 0 };
    },
    read: async (path, start, end) => contents(path)!.slice(start, end),
    list: async () => [],
    variable: (name) => (name === "OLLAMA_MODELS" ? "/models" : undefined),
    ...(request && { request }),
  };
}

const digest = `sha256:${"0".repeat(64)}`;

/** A store that has a model of this name, in the library. */
function storeWith(name: string): Files {
  const layers = [{ mediaType: "application/vnd.ollama.image.model", digest }];
  return {
    "/models": undefined,
    [`/models/manifests/registry.ollama.ai/library/${name}/latest`]: JSON.stringify({ layers }),
    [`/models/blobs/${digest.replace(":", "-")}`]: model,
  };
}

/** What FROM means in /work/Modelfile, by a configuration in /. */
function resolve(
  reference: string,
  host?: Host,
  models: Readonly<Record<string, ModelChoice>> = {},
) {
  return resolveModel(reference, {
    folder: "/work",
    modelsFolder: "/config",
    models: new Map(Object.entries(models)),
    ...(host && { host }),
  });
}

/** "gguf x": source and name of the model, or why there is none. */
async function found(...args: Parameters<typeof resolve>): Promise<string> {
  const resolution = await resolve(...args);
  if ("unknown" in resolution) return resolution.unknown;
  return `${resolution.model.source} ${resolution.model.name}`;
}

/** Message of the InputError, with its place where it has one. */
async function complaint(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  const { path, line, column } = error.place ?? {};
  const place = [path, line, column].filter((part) => part !== undefined).join(":");
  return `${place} ${error.message}`.trim();
}

const nothing = hostWith({});

describe("the model that FROM means", () => {
  test("is what the configuration says, before anything else", async () => {
    const host = hostWith({ "/work/llama3.2": model, "/config/own.gguf": model });
    expect(await found("llama3.2", host, { "llama3.2": "own.gguf" })).toBe("gguf llama3.2");
    const like = { like: "qwen3:8b" };
    expect(await found("llama3.2", host, { "llama3.2": like })).toBe("description llama3.2");
    expect(await found("./x.gguf", host, { "./x.gguf": like })).toBe("description ./x.gguf");
    expect(await found("llama3.2", host, { "llama3.3": like })).toBe("gguf llama3.2");
  });

  test.each([
    ["acme/tuned", "acme/tuned:latest"],
    ["acme/tuned:latest", "acme/tuned"],
    ["ACME/Tuned", "acme/tuned"],
    ["llama3", "registry.ollama.ai/library/llama3:latest"],
    ["hf.co/acme/tuned:Q4_K_M", "hf.co/acme/tuned:q4_k_m"],
  ])("is %s by the key %s", async (reference, key) => {
    const models = { other: "x.gguf", [key]: { like: "qwen3:8b" } };
    expect(await found(reference, nothing, models)).toBe(`description ${reference}`);
  });

  test("is the exact text rather than another way to write it", async () => {
    const models = { "a:latest": { like: "qwen3:4b" }, a: { like: "qwen3:8b" } };
    const resolution = await resolve("a", nothing, models);
    expect(resolution).toMatchObject({ model: { shape: { embedding: 4096 } } });
  });

  test("is a file or folder rather than a name", async () => {
    const files = { "/work/llama3.2": model, "/work/qwen3": undefined, "/abs.gguf": model };
    const host = hostWith({ ...files, "/work": undefined, "/work/m.safetensors": "{}" });
    expect(await found("llama3.2", host)).toBe("gguf llama3.2");
    expect(await found("./llama3.2", host)).toBe("gguf ./llama3.2");
    expect(await found("/abs.gguf", host)).toBe("gguf /abs.gguf");
    // They hold nothing, and yet nothing else is meant.
    await expect(resolve("qwen3", host)).rejects.toThrow();
    await expect(resolve("m.safetensors", host)).rejects.toThrow();
  });

  test("is broken where the file is", async () => {
    const host = hostWith({ "/work/llama3.2": "hello" });
    expect(await complaint(resolve("llama3.2", host))).toBe(
      '/work/llama3.2 "llama3.2" is no GGUF file: it starts with "hell".',
    );
  });

  test("is the library's otherwise, with a host and without", async () => {
    for (const host of [nothing, undefined]) {
      expect(await found("llama3.3", host)).toBe("catalogue llama3.3:70b");
      expect(await found("Library/Llama3.3:70B-instruct-q8_0", host)).toBe(
        "catalogue llama3.3:70b-instruct-q8_0",
      );
      expect(await found("llama3.3:local", host)).toBe("catalogue llama3.3:70b");
    }
  });

  test("is what Ollama's store has, rather than the catalogue's", async () => {
    const files = storeWith("llama3.3");
    expect(await found("llama3.3", hostWith(files))).toBe("store llama3.3");
    expect(await found("llama3.3:local", hostWith(files))).toBe("store llama3.3");
    expect(await found("llama3.3:70b", hostWith(files))).toBe("catalogue llama3.3:70b");
    expect(await found("llama3.3", hostWith({ ...files, "/work/llama3.3": model }))).toBe(
      "gguf llama3.3",
    );
    const like = { "llama3.3": { like: "qwen3:8b" } };
    expect(await found("llama3.3", hostWith(files), like)).toBe("description llama3.3");
    const broken = hostWith({ ...files, [`/models/blobs/${digest.replace(":", "-")}`]: "" });
    expect(await complaint(resolve("llama3.3", broken))).toContain("Run `ollama pull llama3.3`");
  });

  test.each([
    ["./none.gguf", '"./none.gguf" does not exist.'],
    ["none.GGUF", '"none.GGUF" does not exist.'],
    ["~/models/x", '"~/models/x" does not exist.'],
    ["C:\\models\\x.gguf", '"C:\\models\\x.gguf" does not exist.'],
    ["../x", '"../x" does not exist.'],
    [
      "https://me:hush@example.com/x.gguf?token=hush",
      '"https://example.com/x.gguf" is an address, which only --online reads.',
    ],
    ["gpt-oss:120b-cloud", `"gpt-oss:120b-cloud" runs in Ollama's cloud, not on this machine.`],
    ["a b", `"a b" is no model's name.`],
    ["", `"" is no model's name.`],
  ])("is unknown: %j", async (reference, why) => {
    expect(await found(reference, nothing)).toBe(why);
  });

  test("is unknown by a name that nobody knows, and what would help is said", async () => {
    const places = `"acme/x" is neither in Ollama's store nor in the catalogue of its library.`;
    const help = "what it is with --model NAME=PATH or models: in the configuration.";
    expect(await found("acme/x", nothing)).toBe(`${places} Try --online, or say ${help}`);
    expect(await found("acme/x")).toBe(`"acme/x" is not in the catalogue of Ollama's library.`);
    const asked = hostWith({}, async () => ({ status: 404, body: new TextEncoder().encode("{}") }));
    expect(await found("acme/x", asked)).toBe(`${places} Say ${help}`);
  });

  test("is what a server has, where the network may be asked", async () => {
    const info = Object.entries(metadata).filter(([, value]) => !Array.isArray(value));
    const shown = {
      details: {},
      model_info: Object.fromEntries(info),
      tensors: tensors.map(({ dims, ...tensor }) => ({ ...tensor, shape: dims })),
    };
    const body = new TextEncoder().encode(JSON.stringify(shown));
    const request = async () => ({ status: 200, body });
    expect(await found("llama3.3", hostWith({}, request))).toBe("api llama3.3");
    expect(await found("llama3.3", hostWith(storeWith("llama3.3"), request))).toBe(
      "store llama3.3",
    );
  });

  test("is still known where no server answers", async () => {
    const host = hostWith({}, async () => {
      throw new InputError("http://x cannot be reached.");
    });
    expect(await found("llama3.3", host)).toBe("catalogue llama3.3:70b");
    expect(await found("acme/x", host)).toContain("http://x cannot be reached. Start it with");
    // Nothing but the address could tell.
    expect(await complaint(resolve("hf.co/acme/x:Q4_K_M", host))).toContain("cannot be reached");
    expect(await complaint(resolve("https://a.example/x.gguf", host))).toContain(
      "cannot be reached",
    );
  });

  test("is unknown where files are, and nobody can look at them", async () => {
    const why = '"./x.gguf" is a file, and files cannot be read here.';
    expect(await found("./x.gguf")).toBe(why);
    expect(await found("a", undefined, { a: "./x.gguf" })).toBe(why);
    expect(await found("a", undefined, { a: { like: "qwen3:8b" } })).toBe("description a");
  });
});

function described(text: string, name = "m.yaml") {
  return describedModel(name, "x", "/config", hostWith({ [`/config/${name}`]: text }));
}

describe("a description", () => {
  test("names a library model, and the size of the file", async () => {
    const known = { name: "x", source: "description", exact: false };
    expect(await described("like: deepseek-v3:671b\nweights: 247588783616\n")).toMatchObject({
      ...known,
      fileBytes: 247_588_783_616,
    });
    const json = '{ "like": "qwen3:8b", "weights": "6GiB" }';
    expect(await described(json, "m.JSON")).toMatchObject({ ...known, fileBytes: 6 * 2 ** 30 });
    expect(await described("like: qwen3:8b")).toMatchObject({ ...known, quantisation: "Q4_K_M" });
  });

  test.each([
    ["", ":1:1 A model's description is a mapping. Write it like like: llama3.3:70b."],
    ["- a", ":1:1 A model's description is a mapping. Write it like like: llama3.3:70b."],
    ["weights: 1GiB", ":1:1 like is missing. Add like: llama3.3:70b."],
    ["lik: x", ':1:1 Unknown key "lik". Did you mean "like"?'],
    ["like: x\nsize: 1GiB", ':2:1 Unknown key "size". Known: like, weights.'],
    ["like: 3", ":1:7 like takes a model of Ollama's library: llama3.3:70b."],
    ["like: qwen3\nweights: 0", ":2:10 weights: 0 is no size of a model."],
    [
      "like: qwen3\nweights: 6G",
      ':2:10 weights: "6G" has no unit that can be trusted. Write 6GiB or 6GB.',
    ],
    ["like: qwen3\nweights: [1]", ":2:10 weights takes a size such as 16GiB."],
    ["like: qwen3:8c", `:1:7 Ollama's library has no model "qwen3:8c". Near: `],
    ["like: xyzzyxyzzy", `:1:7 Ollama's library has no model "xyzzyxyzzy". Name one like `],
    ["like: [", ":1:8 "],
  ])("of %j cannot be used", async (text, message) => {
    expect(await complaint(described(text))).toContain(`/config/m.yaml${message}`);
  });

  test("may be missing", async () => {
    const missing = describedModel("none.yml", "x", "/config", nothing);
    expect(await complaint(missing)).toContain("does not exist.");
    const unknown = describedModel({ like: "lama3.3" }, "x", "/config", nothing);
    expect(await complaint(unknown)).toMatch(
      /^Ollama's library has no model "lama3\.3"\. Near: llama3\.3/,
    );
  });
});

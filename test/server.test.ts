import { describe, expect, test } from "vitest";
import { InputError, type Host, type RequestOptions } from "../src/host.js";
import { readGguf } from "../src/models/gguf.js";
import type { Model } from "../src/models/model.js";
import { serverAddress, servedModel, serverState } from "../src/models/server.js";
import { nodeHost } from "../src/node-host.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";

const { metadata, tensors } = smallLlama();
const address = "http://127.0.0.1:11434";

/** The keys as the server hands them on: without the name, and arrays only where they are asked for. */
const modelInfo: Readonly<Record<string, unknown>> = {
  ...metadata,
  "general.name": undefined,
  "general.parameter_count": 500_000,
  "general.tags": null,
  "tokenizer.ggml.tokens": null,
  "tokenizer.ggml.bos_token_id": 1,
  "tokenizer.ggml.add_bos_token": true,
};

const table = tensors.map(({ name, type, dims }) => ({ name, type, shape: dims }));

const shown = {
  license: "MIT License\n\nCopyright …",
  modelfile: "FROM small\nRENDERER qwen3\nPARSER other\nPARSER qwen3-parser\n",
  parameters: [
    'stop                           "<|a|>"',
    'stop                           "a\\x01\\a\\U0001f600\\"b\\\\"',
    "temperature                    0.6",
    "num_ctx                        4096",
    "use_mmap                       true",
  ].join("\n"),
  template: "{{ .Prompt }}",
  system: "You are small.",
  details: { format: "gguf", family: "llama", quantization_level: "Q4_K_M" },
  model_info: modelInfo,
  tensors: table,
  capabilities: ["completion", "tools"],
  requires: "0.14.0",
};

interface Asked {
  url: string;
  options: RequestOptions;
}

type Reply = { status?: number; body: unknown } | InputError;

/** A host with a server that answers these paths, and what it was asked. */
function hostWith(
  replies: Readonly<Record<string, Reply | ((body: unknown) => Reply)>>,
  variable?: string,
): Host & { asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    resolve: (_, path) => path,
    stat: async () => undefined,
    read: () => expect.fail("nothing is read"),
    list: () => expect.fail("nothing is listed"),
    variable: (name) => (name === "OLLAMA_HOST" ? variable : undefined),
    request: async (url, options) => {
      asked.push({ url, options });
      const given = replies[new URL(url).pathname] ?? { status: 404, body: { error: "none" } };
      const reply = typeof given === "function" ? given(options.body) : given;
      if (reply instanceof InputError) throw reply;
      const text = typeof reply.body === "string" ? reply.body : JSON.stringify(reply.body);
      return { status: reply.status ?? 200, body: new TextEncoder().encode(text) };
    },
  };
}

function serving(show: object, tags: unknown = { models: [] }): ReturnType<typeof hostWith> {
  return hostWith({ "/api/show": { body: show }, "/api/tags": { body: tags } });
}

async function modelOf(host: Host): Promise<Model> {
  const found = await servedModel("small", host);
  if (!found || !("model" in found)) expect.fail(JSON.stringify(found));
  return found.model;
}

/** Why nothing is known of a model that is shown otherwise than usual. */
async function unknown(show: object): Promise<string> {
  const found = await servedModel("small", serving({ ...shown, ...show }));
  return found && "unknown" in found ? found.unknown : "known";
}

async function complaint(asking: Promise<unknown>): Promise<string> {
  const error: unknown = await asking.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  expect(error.message).not.toContain("hush");
  return error.message;
}

/** The same model, read from its file. */
const bytes = ggufHeader(metadata, tensors);
const fromFile = readGguf(
  "/small.gguf",
  {
    resolve: (_, path) => path,
    stat: async () => ({ kind: "file", size: bytes.length }),
    read: async (_, start, end) => bytes.slice(start, end),
    list: async () => [],
    variable: () => undefined,
  },
  "small",
);

describe("a model on a server", () => {
  test("has the same shape, weights and tensors as in its file", async () => {
    const model = await modelOf(serving(shown));
    const { shape, weights, header } = await fromFile;
    expect(model).toMatchObject({ name: "small", source: "api", exact: true, shape, weights });
    expect(model.header!.tensors).toEqual(header!.tensors);
    expect(model.header!.keys.get("llama.block_count")).toBe(2);
    expect(model.header!.keys.get("tokenizer.ggml.tokens")).toEqual({ length: 32 });
    expect(model.header!.keys.has("general.tags")).toBe(false);
  });

  test("has what Ollama keeps beside it", async () => {
    const model = await modelOf(serving(shown));
    expect(model).toMatchObject({
      quantisation: "Q4_K_M",
      licence: "MIT",
      template: { text: "{{ .Prompt }}", language: "go" },
      system: "You are small.",
      stop: ["<|a|>", 'a\u0001\u0007😀"b\\'],
      parameters: { temperature: 0.6, num_ctx: 4096, use_mmap: true },
      capabilities: ["completion", "tools"],
      minOllama: "0.14.0",
      renderer: "qwen3",
      parser: "qwen3-parser",
      tokenizer: { model: "gpt2", tokens: 32, bos: 1, addsBos: true },
    });
    expect(model.origins![0]!.from).toBe(`/api/show of ${address}`);
  });

  test("has little where the server says little", async () => {
    const { model_info, tensors, details } = shown;
    const model = await modelOf(serving({ model_info, tensors, details }));
    expect(model).toMatchObject({ stop: [], capabilities: ["completion"] });
    for (const key of ["template", "system", "licence", "parameters", "renderer", "minOllama"]) {
      expect(model).not.toHaveProperty(key);
    }
    const jinja = await modelOf(serving({ ...shown, template: "{% for m in messages %}" }));
    expect(jinja.template?.language).toBe("jinja");
  });

  test("has the file's bytes from the list of models", async () => {
    const models = [
      { name: "other:latest", size: 1 },
      { name: "Small:Latest", size: 5_000_000 },
    ];
    const host = serving(shown, { models });
    const { fileBytes } = await modelOf(host);
    expect(fileBytes).toBe(5_000_000 - 12_000);
    expect(host.asked.map(({ url }) => url)).toEqual([
      `${address}/api/show`,
      `${address}/api/tags`,
    ]);
    expect(host.asked[0]!.options).toMatchObject({ method: "POST", body: { model: "small" } });
  });

  test("is asked for in full where values of single blocks are left out", async () => {
    for (const left of [null, []]) {
      const short = { ...modelInfo, "llama.attention.head_count_kv": left };
      const full = { ...modelInfo, "llama.attention.head_count_kv": [2, 4] };
      const host = hostWith({
        "/api/show": (body) => {
          const { verbose } = body as { verbose?: boolean };
          return { body: { ...shown, model_info: verbose ? full : short } };
        },
        "/api/tags": { body: {} },
      });
      const model = await modelOf(host);
      expect(model.shape.headsKv).toEqual([2, 4]);
      expect(model.header!.keys.get("llama.attention.head_count_kv")).toEqual([2, 4]);
    }
  });

  test("has its tensors turned round where a server hands them on in reverse", async () => {
    const reversed = table.map(({ shape, ...tensor }) => ({
      ...tensor,
      shape: shape.toReversed(),
    }));
    const model = await modelOf(serving({ ...shown, tensors: reversed }));
    expect(model.header!.tensors).toEqual((await fromFile).header!.tensors);
  });

  test("has estimated weights where the server does not know their types", async () => {
    const some = table.map((tensor) =>
      tensor.type === "Q6_K" ? { ...tensor, type: "unknown" } : tensor,
    );
    const { weights } = await fromFile;
    const size = weights.total + 12_000;
    const models = [{ name: "small:latest", size }];
    const model = await modelOf(serving({ ...shown, tensors: some }, { models }));
    expect(model).toMatchObject({ exact: false, fileBytes: weights.total });
    expect(model.weights.total).toBe(weights.total);
    expect(model.weights.blocks[0]).toBeGreaterThan(weights.blocks[0]! * 0.9);
    expect(model.weights.blocks[0]).toBeLessThan(weights.blocks[0]! * 1.1);
    expect(model).not.toHaveProperty("header");
    // Nothing to share out.
    expect(await unknown({ tensors: some })).toBe(
      `Ollama's server at ${address} does not say how large "small" is. Update it to 0.6.1 or later.`,
    );
  });

  test("has estimated weights where a release before 0.6.1 lists no tensors", async () => {
    const words = Array.from({ length: 32 }, (_, i) => `t${i}`);
    const models = [{ name: "small:latest", size: 412_000 }];
    const { tensors: _, ...old } = shown;
    const host = hostWith({
      "/api/show": (body) => {
        const { verbose } = body as { verbose?: boolean };
        const tokens = verbose ? words : null;
        return { body: { ...old, model_info: { ...modelInfo, "tokenizer.ggml.tokens": tokens } } };
      },
      "/api/tags": { body: { models } },
    });
    const model = await modelOf(host);
    expect(model).toMatchObject({ exact: false, shape: { vocabulary: 32 }, fileBytes: 400_000 });
    const { total, blocks, input } = model.weights;
    expect(total).toBe(400_000);
    expect(blocks).toHaveLength(2);
    expect(blocks[0]! + blocks[1]! + input).toBe(total);
    expect(input).toBeCloseTo((256 * 32 * 400_000) / 500_000, -1);
  });

  test("has a projector as large as its parameters make it", async () => {
    const projector_info = { "general.parameter_count": 1000, "general.file_type": 1 };
    const capabilities: string[] = [];
    const model = await modelOf(serving({ ...shown, projector_info, capabilities }));
    expect(model.projectorBytes).toBe(2000);
    expect(model.capabilities).toEqual(["completion", "vision"]);
    const origin = model.origins!.find(({ facts }) => facts.includes("projector"));
    expect(origin!.exact).toBe(false);
  });

  test("is not told of where it cannot be known", async () => {
    expect(await unknown({ remote_model: "big" })).toContain("runs in Ollama's cloud");
    expect(await unknown({ details: { format: "safetensors" } })).toContain("as safetensors");
    const lacking = 'does not say how "small" is built. Update it to 0.6.1 or later.';
    expect(await unknown({ model_info: undefined })).toContain(lacking);
    expect(await unknown({ model_info: {} })).toContain(lacking);
    for (const wrong of [-1, 1.5, 1e6, "2", null]) {
      const model_info = { ...modelInfo, "llama.block_count": wrong };
      expect(await unknown({ model_info })).toContain(lacking);
    }
  });

  test("may be described in nonsense", async () => {
    const strange = [null, 1, {}, { name: 1 }, { name: "x" }, { name: "y", shape: ["a"] }];
    const more = { name: "blk.0.huge", type: "F32", shape: [2 ** 40, 2 ** 40] };
    const model = await modelOf(serving({ ...shown, tensors: [...strange, ...table] }));
    expect(model.weights).toEqual((await fromFile).weights);
    expect(await unknown({ tensors: [more] })).toContain("does not say how large");
    const odd = { parameters: 5, template: [], license: {}, capabilities: "all", system: 1 };
    expect((await modelOf(serving({ ...shown, ...odd }))).stop).toEqual([]);
  });

  test("is unknown to a server that has none, and without a network", async () => {
    expect(await servedModel("small", hostWith({}))).toBeUndefined();
    expect(await servedModel("small", nodeHost)).toBeUndefined();
    expect(await serverState(nodeHost)).toBeUndefined();
  });
});

describe("no server of Ollama's", () => {
  const noOllama = `What answers at ${address} is no Ollama server. Check OLLAMA_HOST.`;

  test.each([
    ["<html></html>", noOllama],
    ["", noOllama],
    ["[1]", noOllama],
    [{ object: "list" }, noOllama],
  ])("is what answers %j", async (body, message) => {
    expect(await complaint(servedModel("small", hostWith({ "/api/show": { body } })))).toBe(
      message,
    );
    expect(await complaint(serverState(hostWith({ "/api/version": { body } })))).toBe(message);
  });

  test("is what answers with a web page that nothing is there", async () => {
    const body = "<html>Not Found</html>";
    const host = hostWith({ "/api/show": { status: 404, body } });
    expect(await complaint(servedModel("small", host))).toBe(noOllama);
  });

  test("is what cannot be reached", async () => {
    const failure = new InputError(`${address}/api/show cannot be reached: nothing listens there.`);
    expect(await complaint(servedModel("small", hostWith({ "/api/show": failure })))).toBe(
      `Ollama's server cannot be asked: ${failure.message} Start it with \`ollama serve\`, or set OLLAMA_HOST.`,
    );
  });

  test("says what went wrong inside it", async () => {
    const host = hostWith({ "/api/show": { status: 500, body: { error: "out of\nhope" } } });
    expect(await complaint(servedModel("small", host))).toBe(
      `Ollama's server at ${address} answers /api/show with status 500: "out of\\nhope".`,
    );
  });

  test.each([
    "http://me:hush@example.com",
    "http://example.com/?token=hush",
    "a b",
    "http://[hush",
  ])("lies at %j", async (variable) => {
    const host = hostWith({}, variable);
    expect(await complaint(servedModel("small", host))).toContain("OLLAMA_HOST is no address");
    expect(host.asked).toEqual([]);
  });
});

test("a server's state is its version and what it has loaded", async () => {
  const models = [
    { name: "small:latest", size: 100, size_vram: 60, context_length: 8192 },
    { name: "old:latest", size: 100 },
    { name: "broken", size: -1 },
    null,
  ];
  const version = { body: { version: "0.32.15" } };
  const host = hostWith({ "/api/version": version, "/api/ps": { body: { models } } });
  expect(await serverState(host)).toEqual({
    version: "0.32.15",
    loaded: [
      { name: "small:latest", size: 100, sizeVram: 60, contextLength: 8192 },
      { name: "old:latest", size: 100, sizeVram: 0 },
    ],
  });
  const idle = hostWith({ "/api/version": version, "/api/ps": { body: { models: null } } });
  expect(await serverState(idle)).toEqual({ version: "0.32.15", loaded: [] });
});

// What Host and ConnectableHost in Ollama's envconfig/config.go make of it.
test.each([
  [undefined, "http://127.0.0.1:11434"],
  ["", "http://127.0.0.1:11434"],
  ["  ", "http://127.0.0.1:11434"],
  ["0.0.0.0", "http://127.0.0.1:11434"],
  ["0.0.0.0:8080", "http://127.0.0.1:8080"],
  [":8080", "http://127.0.0.1:8080"],
  ["1.2.3.4", "http://1.2.3.4:11434"],
  ["example.com", "http://example.com:11434"],
  ["example.com:1234", "http://example.com:1234"],
  ["example.com:", "http://example.com:11434"],
  ["example.com:66000", "http://example.com:11434"],
  ["example.com:-1", "http://example.com:11434"],
  ["http://example.com", "http://example.com:80"],
  ["https://example.com", "https://example.com:443"],
  ["https://example.com:1234", "https://example.com:1234"],
  ["https://example.com/", "https://example.com:443"],
  ["https://example.com/ollama/", "https://example.com:443/ollama"],
  ["example.com:8080/a/b", "http://example.com:8080/a/b"],
  ["ollama.com", "https://ollama.com:443"],
  ["::", "http://[::1]:11434"],
  ["::1", "http://[::1]:11434"],
  ["[::]", "http://[::1]:11434"],
  ["[::1]:1337", "http://[::1]:1337"],
  ["[2001:db8::1]", "http://[2001:db8::1]:11434"],
  [`"1.2.3.4:5"`, "http://1.2.3.4:5"],
  [` '1.2.3.4' `, "http://1.2.3.4:11434"],
])("OLLAMA_HOST of %j is %s", (variable, expected) => {
  expect(serverAddress(variable)).toBe(expected);
});

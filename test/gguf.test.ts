import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { gguf } from "@huggingface/gguf";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, type Host } from "../src/host.js";
import { catalogueEntry, catalogueModel } from "../src/models/catalogue.js";
import { fileTensors } from "../src/models/catalogue-entry.js";
import { readAdapter, readGguf, readProjector } from "../src/models/gguf.js";
import type { Model } from "../src/models/model.js";
import { readHeader } from "../src/models/gguf-header.js";
import { fileType, tensorTypes } from "../src/models/tensor-types.js";
import { nodeHost } from "../src/node-host.js";
import {
  ggufHeader,
  smallLlama,
  type GgufForm,
  type GgufTensor,
  type GgufValue,
} from "./gguf-file.js";
import { runs } from "./runs.js";

/** A host with these files in the folder /m, and how many bytes were read of them. */
function hostWith(files: Readonly<Record<string, Uint8Array>>): Host & { bytesRead: number } {
  const host = {
    bytesRead: 0,
    resolve: (folder: string, path: string) => (path === ".." ? "/m" : `${folder}/${path}`),
    stat: async (path: string) => {
      const bytes = files[path];
      return bytes && { kind: "file" as const, size: bytes.length };
    },
    read: async (path: string, start?: number, end?: number) => {
      const bytes = files[path]!.slice(start, end);
      host.bytesRead += bytes.length;
      return bytes;
    },
    list: async () => expect.fail("A model is found by its name."),
    variable: () => undefined,
  };
  return host;
}

/** Reads on in zeros behind the end of the host's files. */
function padded(host: Host): Host["read"] {
  return async (path, start = 0, end = 0) => {
    const bytes = new Uint8Array(end - start);
    bytes.set(await host.read(path, start, end));
    return bytes;
  };
}

function read(bytes: Uint8Array, file = "x.gguf"): Promise<Model> {
  return readGguf(`/m/${file}`, hostWith({ [`/m/${file}`]: bytes }), "x");
}

/** The message of the InputError that `reading` ends in, which names a file. */
async function complaint(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  expect(error.place?.path).toBeDefined();
  return error.message;
}

const small = smallLlama();
const smallFile = ggufHeader(small.metadata, small.tensors);
const withKeys = (metadata: Record<string, GgufValue>) =>
  ggufHeader({ ...small.metadata, ...metadata }, small.tensors);
const without = (key: string) => {
  const { [key]: _, ...metadata } = small.metadata;
  return ggufHeader(metadata, small.tensors);
};
const withTensors = (tensors: readonly GgufTensor[]) => ggufHeader(small.metadata, tensors);

/** The bytes with one number of 32 or 64 bits changed. */
function patched(bytes: Uint8Array, at: number, value: number | bigint): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  if (typeof value === "bigint") view.setBigUint64(at, value, true);
  else view.setUint32(at, value, true);
  return copy;
}

const bytes = (text: string) => new TextEncoder().encode(text);

/** Where `text` begins. */
function find(bytes: Uint8Array, text: string): number {
  const at = new TextDecoder("latin1").decode(bytes).indexOf(text);
  if (at < 0) throw new Error(`${text} is not in the file.`);
  return at;
}

describe("a GGUF file", () => {
  test("says everything in its header", async () => {
    const { header, ...model } = await read(smallFile);
    expect(model).toEqual({
      name: "x",
      source: "gguf",
      exact: true,
      shape: {
        architecture: "llama",
        blocks: 2,
        trainedContext: 4096,
        embedding: 256,
        vocabulary: 32,
        feedForward: 512,
        heads: 8,
        headsKv: 2,
        keyLength: 32,
        valueLength: 32,
      },
      weights: {
        total: 348_544,
        // 256 F32; Q4_K has 144 bytes for 256 elements, Q6_K 210.
        blocks: [168_064, 168_064],
        input: 32 * 144,
        outputNorm: 1024,
        output: 32 * 210,
        other: 64,
      },
      fileBytes: smallFile.length + 348_544,
      truncated: { expected: smallFile.length + 348_544, actual: smallFile.length },
      quantisation: "Q4_K_M",
      capabilities: ["completion"],
      tokenizer: { model: "gpt2", tokens: 32 },
      origins: [
        {
          facts: ["keys", "tensors", "capabilities", "tokenizer"],
          from: "GGUF header of x.gguf",
          exact: true,
        },
      ],
    });
    expect(Object.fromEntries(header!.keys)).toEqual({
      ...small.metadata,
      "llama.attention.layer_norm_rms_epsilon": Math.fround(1e-5),
      "tokenizer.ggml.tokens": { length: 32 },
    });
    expect(header!.tensors).toHaveLength(small.tensors.length);
    expect(header!.tensors.slice(0, 2)).toEqual([
      { name: "token_embd.weight", type: "Q4_K", dims: [256, 32], bytes: 32 * 144 },
      { name: "blk.0.attn_norm.weight", type: "F32", dims: [256], bytes: 1024 },
    ]);
  });

  test("says what the model is for", async () => {
    const model = await read(
      withKeys({
        "general.license": "apache-2.0",
        "llama.vision.block_count": 24,
        "llama.audio.block_count": 12,
        "tokenizer.ggml.pre": "llama-bpe",
        "tokenizer.ggml.add_bos_token": false,
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.chat_template": "{% if tools %}{{ tools }}{% endif %}<think></think>",
      }),
    );
    expect(model).toMatchObject({
      licence: "apache-2.0",
      capabilities: ["completion", "vision", "audio", "tools", "thinking"],
      template: {
        text: "{% if tools %}{{ tools }}{% endif %}<think></think>",
        language: "jinja",
      },
      tokenizer: { model: "gpt2", pre: "llama-bpe", tokens: 32, addsBos: false, bos: 1, eos: 2 },
    });
    expect(model.origins?.[0]?.facts).toEqual(expect.arrayContaining(["template", "licence"]));
    const cuts = "{{ message.content.split('</think>')[-1] }}";
    const capabilities = async (template: string) =>
      (await read(withKeys({ "tokenizer.chat_template": template }))).capabilities;
    expect(await capabilities(cuts)).toEqual(["completion", "thinking"]);
    expect(await capabilities(`${cuts}{{ reasoning_content }}`)).toEqual(["completion"]);
    expect(await capabilities("")).toEqual(["completion"]);
  });

  test("of the size of Llama 3.1 8B agrees with the catalogue to the byte", async () => {
    const entry = await catalogueEntry("llama3.1:8b");
    const known = await catalogueModel("llama3.1:8b");
    const tensors = fileTensors(entry!, "Q4_K_M");
    const words = Array.from({ length: 128_256 }, (_, i) => `t${i}`);
    const header = ggufHeader(
      {
        "general.architecture": "llama",
        "general.file_type": fileType("Q4_K_M")!.id,
        "llama.block_count": 32,
        "llama.context_length": 131_072,
        "llama.embedding_length": 4096,
        "llama.feed_forward_length": 14_336,
        "llama.attention.head_count": 32,
        "llama.attention.head_count_kv": 8,
        "tokenizer.ggml.tokens": words,
        "tokenizer.ggml.token_type": { type: "int32", value: words.map(() => 1) },
      },
      tensors,
    );
    const host = hostWith({ "/m/llama.gguf": header });
    const { shape, weights, fileBytes, quantisation } = await readGguf("/m/llama.gguf", host, "x");
    expect({ shape, weights, quantisation }).toEqual({
      shape: known!.shape,
      weights: known!.weights,
      quantisation: "Q4_K_M",
    });
    expect(weights.total).toBe(4_912_898_304);
    expect(fileBytes).toBe(header.length + 4_912_898_304);
    // Each byte once, and none of what can be skipped.
    expect(host.bytesRead).toBeLessThanOrEqual(header.length);
  });

  test("may be complete, or have anything behind its tensors", async () => {
    const whole = new Uint8Array(smallFile.length + 348_544);
    whole.set(smallFile);
    expect((await read(whole)).fileBytes).toBe(whole.length);
    expect(await read(whole)).not.toHaveProperty("truncated");
    // rope_freqs.weight has 64 bytes, so that there is no padding behind it.
    expect((await read(whole.slice(0, -1))).truncated).toEqual({
      expected: whole.length,
      actual: whole.length - 1,
    });
    const longer = new Uint8Array(whole.length + 1000);
    longer.set(smallFile);
    expect((await read(longer)).fileBytes).toBe(longer.length);
  });

  test("may hold values of every type", async () => {
    const bytes = withKeys({
      "a.uint8": { type: "uint8", value: 1 },
      "a.int8": { type: "int8", value: -1 },
      "a.uint16": { type: "uint16", value: 1 },
      "a.int16": { type: "int16", value: -1 },
      "a.int32": -1,
      "a.bool": true,
      "a.int64": { type: "int64", value: -1n },
      "a.float64": { type: "float64", value: 0.1 },
      "a.bools": [true, false],
      "a.floats": [0.5, 1],
      "a.nothing": [],
      "llama.block_count": 2n,
      "llama.expert_count": { type: "uint16", value: 8 },
      "llama.attention.sliding_window": 1024,
      "llama.attention.key_length": 128,
      "llama.attention.value_length": 64,
      "llama.vocab_size": 40,
    });
    expect((await read(bytes)).shape).toEqual({
      ...(await read(smallFile)).shape,
      experts: 8,
      slidingWindow: 1024,
      keyLength: 128,
      valueLength: 64,
      vocabulary: 40,
    });
  });

  test("keeps what differs from block to block", async () => {
    const { shape } = await read(
      withKeys({
        "llama.attention.head_count": [0, 4],
        "llama.attention.head_count_kv": { type: "int32", value: [0, 2] },
        "llama.feed_forward_length": [512, 1024, 2048],
      }),
    );
    expect(shape).toMatchObject({ heads: [0, 4], headsKv: [0, 2], feedForward: [512, 1024] });
    expect(shape.keyLength).toBe(64);
  });

  test("has defaults for what it leaves out", async () => {
    const bare = ggufHeader(
      { "general.architecture": "rwkv7", "rwkv7.block_count": 2, "rwkv7.embedding_length": 256 },
      small.tensors,
    );
    const model = await read(bare);
    expect(model).not.toHaveProperty("quantisation");
    expect(model.shape).toEqual({
      architecture: "rwkv7",
      blocks: 2,
      embedding: 256,
      vocabulary: 32,
      heads: 0,
      headsKv: 0,
      keyLength: 0,
      valueLength: 0,
    });
    expect((await read(without("llama.attention.head_count_kv"))).shape.headsKv).toBe(8);
    expect((await read(withKeys({ "general.file_type": 1024 }))).quantisation).toBeUndefined();
  });

  test("that pools only embeds", async () => {
    const { shape, capabilities } = await read(withKeys({ "llama.pooling_type": 1 }));
    expect(shape.embeddingOnly).toBe(true);
    expect(capabilities).toEqual(["embedding"]);
  });

  test("may have an alignment of its own", async () => {
    const bytes = withKeys({ "general.alignment": 4096 });
    // Hardly a tensor ends on such a boundary.
    expect((await read(bytes)).fileBytes % 4096).toBe(0);
    expect((await read(bytes)).weights.total).toBe(348_544);
    // The padding behind the last tensor, which has 64 bytes, may be missing.
    const { fileBytes } = await read(bytes);
    const unpadded = new Uint8Array(fileBytes - 4096 + 64);
    unpadded.set(bytes);
    expect((await read(unpadded)).fileBytes).toBe(unpadded.length);
    expect(await read(unpadded)).not.toHaveProperty("truncated");
    expect(await read(unpadded.slice(0, -1))).toHaveProperty("truncated");
  });

  test("may have MXFP4 under the number that Ollama once gave it", async () => {
    const dims = [32, 2];
    const bytes = withTensors([...small.tensors, { name: "last", type: "MXFP4", dims }]);
    const old = patched(bytes, find(bytes, "last") + 4 + 4 + 16, 4);
    expect(await read(old)).toEqual(await read(bytes));
    expect((await read(old)).weights.other).toBe(64 + 34);
  });

  test("may begin with megabytes of text", async () => {
    const long = withKeys({ "general.description": "x".repeat(3_000_000) });
    expect((await read(long)).weights.total).toBe(348_544);
  });
});

const rounded = (value: unknown) => (typeof value === "bigint" ? Number(value) : value);

describe("another reader agrees", () => {
  const every: Record<string, GgufValue> = {
    "general.architecture": "llama",
    "a.uint8": { type: "uint8", value: 255 },
    "a.int8": { type: "int8", value: -128 },
    "a.uint16": { type: "uint16", value: 65_535 },
    "a.int16": { type: "int16", value: -2 },
    "a.uint32": 4_294_967_295,
    "a.int32": -3,
    "a.float32": 0.1,
    "a.bool": true,
    "a.uint64": 2n ** 40n,
    "a.int64": { type: "int64", value: -(2n ** 40n) },
    "a.float64": { type: "float64", value: 0.1 },
    "a.text": "Grüße, 世界 🙂 \ufeff\0",
    "a.bools": [true, false],
    "a.int16s": { type: "int16", value: [-1, 0, 1] },
    "a.float64s": { type: "float64", value: [0.1, 1e300] },
    "a.int64s": { type: "int64", value: [-1n, 2n ** 33n] },
    "a.none": { type: "uint32", value: [] },
    "a.most": Array.from({ length: 4096 }, (_, i) => i),
    "general.alignment": 64,
  };
  const tokens = Array.from({ length: 100_000 }, (_, i) =>
    i % 7 === 0 ? `<|${i}|>` : `t${i}`.repeat(1 + (i % 3)),
  );
  const bracketed = new Map([...tokens.entries()].filter(([i]) => i % 7 === 0));
  const long: Record<string, GgufValue> = {
    "a.more": Array.from({ length: 4097 }, (_, i) => i),
    // Lengths and texts that lie across every border of what is read at once.
    "tokenizer.ggml.tokens": tokens,
    "tokenizer.ggml.scores": { type: "float32", value: Array.from({ length: 600_000 }, () => 0.5) },
    "a.last": "behind them",
  };
  const tensors = tensorTypes
    .filter(({ typeSize }) => typeSize !== undefined)
    .map(({ name, blockSize = 1 }, i) => ({
      name: `tensor.${i}`,
      type: name,
      dims: [blockSize * 3, 2, 5, 1].slice(0, 1 + (i % 4)),
    }));
  const typeNames = new Map<number, string>(tensorTypes.map(({ id, name }) => [id, name]));
  const forms: readonly Required<GgufForm>[] = ([1, 2, 3] as const).flatMap((version) =>
    [true, false].map((little) => ({ version, little })),
  );

  test.each(forms)("about version $version, little-endian: $little", async (form) => {
    const bytes = ggufHeader({ ...every, ...long }, tensors, form);
    const { metadata, tensorInfos, tensorDataOffset } = await gguf("https://gguf.invalid/", {
      fetch: async (_, request) => {
        const range = new Headers(request?.headers).get("range") ?? "";
        const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(range)!;
        return new Response(bytes.slice(Number(start), Number(end) + 1), { status: 206 });
      },
    });
    const host = hostWith({ "/m/x.gguf": bytes });
    const { header, fileBytes } = await readHeader({
      size: bytes.length,
      read: (start, end) => host.read("/m/x.gguf", start, end),
      fail: (problem) => expect.fail(problem),
    });

    const { version, tensor_count, kv_count, ...theirs } = metadata as Record<string, unknown>;
    expect({ version, tensor_count: Number(tensor_count), kv_count: Number(kv_count) }).toEqual({
      version: form.version,
      tensor_count: tensors.length,
      kv_count: header.keys.size,
    });
    expect(header.keys).toEqual(
      new Map(
        Object.entries(theirs).map(([key, value]) => {
          if (!Array.isArray(value)) return [key, rounded(value)];
          if (!(key in long)) return [key, value.map(rounded)];
          const { length } = value;
          return [key, key === "tokenizer.ggml.tokens" ? { length, bracketed } : { length }];
        }),
      ),
    );
    expect(header.tensors.map(({ name, dims }) => ({ name, dims }))).toEqual(
      tensorInfos.map(({ name, shape }) => ({ name, dims: shape.map(Number) })),
    );
    expect(header.tensors.map(({ type }) => type)).toEqual(
      tensorInfos.map(({ dtype }) => typeNames.get(dtype)),
    );
    // Offsets are checked while reading, and follow from the sizes.
    const last = tensorInfos.at(-1)!;
    const end = Number(tensorDataOffset + last.offset) + header.tensors.at(-1)!.bytes;
    expect(fileBytes).toBe(Math.ceil(end / 64) * 64);
    // Scores are skipped without being read.
    expect(host.bytesRead).toBeLessThan(bytes.length);
  });
});

function readWith<T>(
  reader: (path: string, host: Host) => Promise<T>,
  bytes: Uint8Array,
): Promise<T> {
  return reader("/m/x.gguf", hostWith({ "/m/x.gguf": bytes }));
}

describe("what else GGUF files hold", () => {
  const projector = ggufHeader(
    {
      "general.architecture": "clip",
      "clip.has_vision_encoder": true,
      "clip.projector_type": "mlp",
    },
    [{ name: "v.patch_embd.weight", type: "F16", dims: [14, 14, 3, 32] }],
  );

  test("are projectors", async () => {
    const { header, fileBytes } = await readWith(readProjector, projector);
    expect(header.keys.get("clip.projector_type")).toBe("mlp");
    expect(header.tensors).toEqual([
      { name: "v.patch_embd.weight", type: "F16", dims: [14, 14, 3, 32], bytes: 37_632 },
    ]);
    expect(fileBytes).toBe(projector.length + 37_632);
    // As Ollama's own converter and that of llama.cpp call them.
    for (const keys of [
      { "general.architecture": "mllama", "mllama.vision.block_count": 32 },
      { "general.architecture": "clip2", "general.type": "mmproj" },
      { "general.architecture": "gemma3", "general.type": "projector" },
    ]) {
      const { header } = await readWith(readProjector, ggufHeader(keys, []));
      expect(header.keys.size).toBe(2);
    }
    expect(await complaint(readWith(readProjector, smallFile))).toBe(
      '"x.gguf" is no projector. Name the model\'s mmproj file.',
    );
    expect(await complaint(read(ggufHeader({ "general.type": "mmproj" }, [])))).toBe(
      '"x.gguf" is a projector for images or sound. Name the model\'s own file first.',
    );
  });

  test("are adapters", async () => {
    const keys = {
      "general.architecture": "llama",
      "general.type": "adapter",
      "adapter.type": "lora",
    };
    const tensors = ["lora_a", "lora_b"].map((end) => ({
      name: `blk.0.attn_q.weight.${end}`,
      type: "F32",
      dims: [256, 8],
    }));
    const bytes = ggufHeader({ ...keys, "adapter.lora.alpha": 16.5 }, tensors);
    const { header, fileBytes, alpha } = await readWith(readAdapter, bytes);
    expect(header.tensors.map(({ name }) => name)).toEqual(tensors.map(({ name }) => name));
    expect(fileBytes).toBe(bytes.length + 2 * 8192);
    expect(alpha).toBe(16.5);
    expect(await readWith(readAdapter, ggufHeader(keys, []))).not.toHaveProperty("alpha");
    expect(await complaint(readWith(readAdapter, projector))).toBe(
      '"x.gguf" is no adapter. Name what convert_lora_to_gguf.py made.',
    );
  });
});

/** One of the parts of the small model, counted from 0. */
function split(at: number, of = 3): Uint8Array {
  const { metadata, tensors } = small;
  const part = tensors.slice((at * tensors.length) / of, ((at + 1) * tensors.length) / of);
  const keys: Record<string, GgufValue> = {
    "split.no": { type: "uint16", value: at },
    "split.count": { type: "uint16", value: of },
  };
  return ggufHeader(at === 0 ? { ...metadata, ...keys } : keys, part);
}

const path = (at: number) => `/m/${partName(at)}`;
const partName = (at: number) =>
  `a-very-long-name-for-a-model-of-this-size-0000${at}-of-00003.gguf`;

describe("a split GGUF file", () => {
  test("is read with all its parts", async () => {
    const files = { [path(1)]: split(0), [path(2)]: split(1), [path(3)]: split(2) };
    const { weights, shape, fileBytes, truncated, header } = await readGguf(
      path(1),
      hostWith(files),
      "x",
    );
    const whole = await read(smallFile);
    expect({ weights, shape }).toEqual({ weights: whole.weights, shape: whole.shape });
    const headers = Object.values(files).reduce((sum, bytes) => sum + bytes.length, 0);
    expect(fileBytes).toBe(headers + weights.total);
    expect(truncated).toEqual({ expected: fileBytes, actual: headers });
    expect(header?.tensors).toEqual(whole.header?.tensors);
  });

  test("needs its parts, the first one first", async () => {
    const files = { [path(1)]: split(0), [path(2)]: split(1) };
    expect(await complaint(readGguf(path(1), hostWith(files), "x"))).toBe(
      `"${partName(1)}" needs "${partName(3)}", which is missing beside it. Keep all 3 parts in one folder.`,
    );
    expect(await complaint(readGguf(path(2), hostWith(files), "x"))).toBe(
      `"${partName(2)}" is part 2 of 3. Name the first: "${partName(1)}".`,
    );
    expect(await complaint(read(split(0)))).toBe(
      '"x.gguf" is one of 3 parts, which its name hides. Let it end in "-00001-of-00003.gguf".',
    );
    const twice = { ...files, [path(3)]: split(1) };
    expect(await complaint(readGguf(path(1), hostWith(twice), "x"))).toBe(
      `"${partName(1)}" and its other parts hold a tensor twice. Download them again.`,
    );
    const many = withKeys({ "split.count": 65_535 });
    const name = "/m/x-00001-of-65535.gguf";
    expect(await complaint(readGguf(name, hostWith({ [name]: many }), "x"))).toBe(
      '"x-00001-of-65535.gguf" says it has 65535 parts, and no model has as many. Download it again.',
    );
    const broken = { ...files, [path(3)]: split(2).slice(0, 90) };
    expect(await complaint(readGguf(path(1), hostWith(broken), "x"))).toBe(
      `"${partName(3)}" ends inside its header. Download it again.`,
    );
  });
});

describe("what is no readable GGUF file", () => {
  const tensor = (name: string, type = "F32", dims = [32]) =>
    withTensors([...small.tensors, { name, type, dims }]);
  const lfs = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4920738944\n";
  const again = "Download it again.";

  test.each<[string, Uint8Array, string]>([
    ["empty", bytes(""), `is empty. ${again}`],
    [
      "a web page",
      bytes("<!DOCTYPE html>"),
      'is no GGUF file: it starts with "<!DO". Download the file itself, not its web page.',
    ],
    ["a zip", bytes("PK\x03\x04"), 'is no GGUF file: it starts with "PK\\u0003\\u0004".'],
    ["three bytes", bytes("GGU"), 'is no GGUF file: it starts with "GGU".'],
    ["a pointer", bytes(lfs), "is a Git LFS pointer and not the file itself. Run `git lfs pull`."],
    ...["ggml", "ggmf", "ggjt", "ggla", "ggsn"].map((format): [string, Uint8Array, string] => [
      format,
      bytes(`${format.split("").toReversed().join("")}\x01\0\0\0`),
      `is a ${format} file, and llama.cpp reads GGUF only. Convert the model again.`,
    ]),
    ["only magic", bytes("GGUF"), `ends inside its header. ${again}`],
    ["only counts", smallFile.slice(0, 24), `ends inside its header. ${again}`],
    [
      "of a later version",
      patched(smallFile, 4, 4),
      `says it has GGUF version 4, and only 1 to 3 are known. ${again}`,
    ],
    [
      "version 0",
      patched(smallFile, 4, 0),
      `says it has GGUF version 0, and only 1 to 3 are known. ${again}`,
    ],
    ["with 99,999 tensors", patched(smallFile, 8, 99_999n), `ends inside its header. ${again}`],
    [
      "with tensors beyond counting",
      patched(smallFile, 8, 0x0001_0000_0000_0000n),
      `has a damaged header: it counts 281474976710656 tensors and 12 keys. ${again}`,
    ],
    [
      "with keys beyond counting",
      patched(smallFile, 16, 100_001n),
      `has a damaged header: it counts 14 tensors and 100001 keys. ${again}`,
    ],
    [
      "with a key less than it counts",
      patched(smallFile, 16, 13n),
      `has a damaged header: the name of a tensor in it has more than 65535 bytes. ${again}`,
    ],
    [
      "with a key twice",
      (() => {
        const twice = withKeys({ "llama.block_couns": 3 });
        return patched(twice, find(twice, "llama.block_couns") + 13, 0x746e756f);
      })(),
      `has a damaged header: key "llama.block_count" stands in it twice. ${again}`,
    ],
    [
      "with a key without a name",
      withKeys({ "": 1 }),
      `has a damaged header: a key in it has no name. ${again}`,
    ],
    [
      "with a name beyond bounds",
      withKeys({ ["x".repeat(65_536)]: 1 }),
      `has a damaged header: the name of a key in it has more than 65535 bytes. ${again}`,
    ],
    [
      "with a text beyond the file",
      patched(smallFile, find(smallFile, "gpt2") - 8, 70_000n),
      `ends inside its header. ${again}`,
    ],
    [
      "with a text beyond any file",
      patched(smallFile, find(smallFile, "gpt2") - 8, 2n ** 63n),
      `has a damaged header: a length in it is impossible. ${again}`,
    ],
    [
      "with a value of an unknown type",
      patched(smallFile, find(smallFile, "gpt2") - 12, 13),
      `has a damaged header: key "tokenizer.ggml.model" has the unknown type 13. ${again}`,
    ],
    [
      "with arrays in an array",
      patched(smallFile, find(smallFile, "tokenizer.ggml.tokens") + 21 + 4, 9),
      `has a damaged header: key "tokenizer.ggml.tokens" is an array of arrays, which llama.cpp does not read. ${again}`,
    ],
    [
      "with more words than bytes",
      patched(smallFile, find(smallFile, "tokenizer.ggml.tokens") + 21 + 8, 1000n),
      `ends inside its header. ${again}`,
    ],
    [
      "with five dimensions",
      tensor("deep", "F32", [1, 1, 1, 1, 1]),
      `has a damaged header: tensor "deep" has an impossible shape. ${again}`,
    ],
    [
      "with a tensor twice",
      tensor("output.weight"),
      `has a damaged header: tensor "output.weight" stands in it twice. ${again}`,
    ],
    [
      "with half a block",
      patched(smallFile, find(smallFile, "output.weight") + 13 + 4, 100n),
      `has a damaged header: tensor "output.weight" has an impossible shape. ${again}`,
    ],
    [
      "with a tensor larger than any disk",
      patched(smallFile, find(smallFile, "rope_freqs") + 17 + 4, 2n ** 51n - 1n),
      `has a damaged header: its tensors are larger than any disk. ${again}`,
    ],
    [
      "with a tensor beyond counting",
      patched(smallFile, find(smallFile, "rope_freqs") + 17 + 4, 2n ** 62n),
      `has a damaged header: tensor "rope_freqs.weight" has an impossible shape. ${again}`,
    ],
    [
      "with gaps",
      patched(smallFile, find(smallFile, "rope_freqs") + 17 + 4 + 8 + 4, 32n),
      `has a damaged header: tensor "rope_freqs.weight" does not lie behind the one before it. ${again}`,
    ],
    [
      "with a crooked alignment",
      patched(
        withKeys({ "general.alignment": 32 }),
        find(withKeys({ "general.alignment": 32 }), "general.alignment") + 17 + 4,
        33,
      ),
      `has a damaged header: its alignment is no power of two. ${again}`,
    ],
    [
      "of an unknown type",
      patched(smallFile, find(smallFile, "rope_freqs") + 17 + 4 + 8, 99),
      'has a tensor "rope_freqs.weight" of the unknown type 99. Update modelfile-lint.',
    ],
    [
      "of a dropped type",
      patched(smallFile, find(smallFile, "rope_freqs") + 17 + 4 + 8, 31),
      "has tensors of type Q4_0_4_4, which llama.cpp dropped. Quantise the model again.",
    ],
    ["a vocabulary", withTensors([]), "holds no tensors. Name the file with the weights."],
    [
      "without architecture",
      without("general.architecture"),
      "has no usable general.architecture. Convert the model again.",
    ],
    [
      "without blocks",
      without("llama.block_count"),
      "has no usable llama.block_count. Convert the model again.",
    ],
    [
      "with blocks for a text",
      withKeys({ "llama.block_count": "2" }),
      "has no usable llama.block_count. Convert the model again.",
    ],
    [
      "with too many blocks",
      withKeys({ "llama.block_count": 0xffff_ffff }),
      `says it has 4294967295 blocks, and llama.cpp takes 512. ${again}`,
    ],
    [
      "with too few heads",
      withKeys({ "llama.attention.head_count": [8] }),
      "has no usable llama.attention.head_count. Convert the model again.",
    ],
    [
      "a projector",
      withKeys({ "general.architecture": "clip" }),
      "is a projector for images or sound. Name the model's own file first.",
    ],
    [
      "an importance matrix",
      withKeys({ "general.type": "imatrix" }),
      "is an importance matrix and no model. Name the model's own file.",
    ],
    [
      "an adapter",
      withKeys({ "general.type": "adapter" }),
      "is an adapter and no model. Name it in ADAPTER.",
    ],
  ])("%s", async (_, file, message) => {
    expect(await complaint(read(file))).toBe(`"x.gguf" ${message}`);
  });

  test("because it has more text than any", async () => {
    const texts = Object.fromEntries(
      Array.from({ length: 90 }, (_, i) => [`text.${i}`, "x".repeat(100_000)]),
    );
    expect(await complaint(read(withKeys(texts)))).toBe(
      '"x.gguf" has a damaged header: it has more than 16 MiB of names, texts and numbers. Download it again.',
    );
  });

  test("because its header is larger than any", async () => {
    // The vocabulary is skipped, and would be twice as long as a header may be.
    const bytes = withKeys({ "tokenizer.ggml.scores": { type: "float32", value: [1, 2] } });
    const at = find(bytes, "tokenizer.ggml.scores") + 21 + 8;
    const host = hostWith({ "/m/x.gguf": patched(bytes, at, 2n ** 25n) });
    const large = { ...host, stat: async () => ({ kind: "file" as const, size: 2 ** 40 }) };
    expect(await complaint(readGguf("/m/x.gguf", { ...large, read: padded(host) }, "x"))).toBe(
      '"x.gguf" has a header of more than 64 MiB, and no model needs as much. Download it again.',
    );
  });

  test("because another program makes it shorter meanwhile", async () => {
    const host = { ...hostWith({}), stat: async () => ({ kind: "file" as const, size: 9999 }) };
    const shorter = { ...host, read: async () => smallFile.slice(0, 24) };
    expect(await complaint(readGguf("/m/x.gguf", shorter, "x"))).toBe(
      '"x.gguf" ends inside its header. Download it again.',
    );
  });

  test("because it ends anywhere in its header", async () => {
    const end = find(smallFile, "rope_freqs.weight") + 17 + 4 + 8 + 4 + 8;
    for (let length = 0; length < end; length += length < 24 ? 1 : 7) {
      expect(await complaint(read(smallFile.slice(0, length)))).toMatch(/^"x\.gguf" (ends|is) /);
    }
    // The padding behind the last tensor's entry may be missing.
    expect(await read(smallFile.slice(0, end))).toEqual({
      ...(await read(smallFile)),
      truncated: { expected: smallFile.length + 348_544, actual: end },
    });
  });

  test("because the rest was never downloaded", async () => {
    // Programs that reserve the space first leave zeros behind.
    const { truncated: _, ...model } = await read(smallFile);
    for (let length = 24; length < smallFile.length; length += 11) {
      const file = new Uint8Array(smallFile.length + 348_544);
      file.set(smallFile.slice(0, length));
      const result = await read(file).catch((error: unknown) => error);
      if (!(result instanceof InputError))
        expect(result).toEqual({ ...model, fileBytes: file.length });
    }
  });

  test("at random places: 300 larger headers", async () => {
    const large = withKeys({
      "tokenizer.ggml.tokens": Array.from({ length: 3000 }, (_, i) => `word ${i}`),
      "tokenizer.ggml.scores": Array.from({ length: 3000 }, (_, i) => i + 0.5),
    });
    const end = find(large, "rope_freqs.weight") + 17 + 4 + 8 + 4 + 8;
    const lengths = fc.integer({ min: 24, max: end - 1 });
    await fc.assert(
      fc.asyncProperty(lengths, async (length) => {
        await expect(read(large.slice(0, length))).rejects.toThrow(InputError);
      }),
      { numRuns: runs(100) },
    );
  });
});

describe("the files of this computer", () => {
  let folder = "";
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "gguf-"));
    await writeFile(join(folder, "x.gguf"), smallFile);
    await mkdir(join(folder, "folder.gguf"));
  });
  afterAll(() => rm(folder, { recursive: true }));
  const readHere = (name: string) => readGguf(nodeHost.resolve(folder, name), nodeHost, name);

  test("are read at any place", async () => {
    const path = join(folder, "x.gguf");
    expect(await nodeHost.stat(path)).toEqual({
      kind: "file",
      size: smallFile.length,
      changed: expect.any(Number),
    });
    expect(new Uint8Array(await nodeHost.read(path))).toEqual(smallFile);
    expect(await nodeHost.read(path, 4, 24)).toEqual(smallFile.slice(4, 24));
    expect(await nodeHost.read(path, 100)).toEqual(smallFile.slice(100));
    expect(await nodeHost.read(path, 2000, 1e12)).toEqual(smallFile.slice(2000));
    expect(await nodeHost.read(path, 1e6, 2e6)).toHaveLength(0);
    expect((await nodeHost.list(folder)).sort()).toContain("x.gguf");
  });

  test("are models, however large", async () => {
    expect(await readHere("x.gguf")).toEqual({ ...(await read(smallFile)), name: "x.gguf" });
    const large = join(folder, "large.gguf");
    await writeFile(large, smallFile);
    await truncate(large, 8 * 2 ** 30);
    expect((await readHere("large.gguf")).fileBytes).toBe(8 * 2 ** 30);
    expect(await nodeHost.read(large, 6 * 2 ** 30, 6 * 2 ** 30 + 4)).toEqual(new Uint8Array(4));
  });

  test("may be counted in a hole of a large file", async () => {
    const path = join(folder, "hostile.gguf");
    await writeFile(path, patched(smallFile, 8, 99_999n));
    await truncate(path, 8 * 2 ** 30);
    expect(await complaint(readHere("hostile.gguf"))).toBe(
      '"hostile.gguf" has a damaged header: a tensor in it has no name. Download it again.',
    );
  });

  test("may be missing, or folders", async () => {
    expect(await complaint(readHere("none.gguf"))).toBe('"none.gguf" does not exist.');
    expect(await complaint(readHere("folder.gguf"))).toBe(
      '"folder.gguf" is a folder. Name the GGUF file in it.',
    );
    expect(await nodeHost.stat(join(folder, "folder.gguf"))).toEqual({ kind: "folder", size: 0 });
    expect(await nodeHost.stat(join(folder, "x.gguf", "below"))).toBeUndefined();
    expect(await nodeHost.stat("\0")).toBeUndefined();
  });

  test.skipIf(process.platform === "win32")(
    "may be no files at all, and are never opened then",
    async () => {
      const fifo = join(folder, "fifo.gguf");
      execFileSync("mkfifo", [fifo]);
      await symlink("/dev/zero", join(folder, "device.gguf"));
      for (const name of ["fifo.gguf", "device.gguf"]) {
        expect(await nodeHost.stat(join(folder, name))).toEqual({ kind: "other", size: 0 });
        expect(await complaint(readHere(name))).toBe(`"${name}" is no regular file.`);
        await expect(nodeHost.read(join(folder, name))).rejects.toThrow("is no regular file.");
      }
    },
    5000,
  );

  test.skipIf(process.platform === "win32" || process.getuid?.() === 0)(
    "may be unreadable",
    async () => {
      await writeFile(join(folder, "secret.gguf"), smallFile);
      await chmod(join(folder, "secret.gguf"), 0);
      expect(await complaint(readHere("secret.gguf"))).toBe(
        '"secret.gguf" cannot be read. Check its permissions.',
      );
    },
  );

  test("may lie in the home folder", () => {
    expect(nodeHost.resolve("/a", "~")).toBe(homedir());
    expect(nodeHost.resolve("/a", "~/b/c")).toBe(join(homedir(), "b", "c"));
    expect(nodeHost.resolve(join(folder, "a"), "~b")).toBe(join(folder, "a", "~b"));
    expect(nodeHost.resolve(join(folder, "a"), "../b")).toBe(join(folder, "b"));
    expect(nodeHost.resolve("/a", folder)).toBe(folder);
  });

  test("have an environment", () => {
    expect(nodeHost.variable("PATH")).toBe(process.env["PATH"]);
    expect(nodeHost.variable("MODELFILE_LINT_NOTHING")).toBeUndefined();
  });
});

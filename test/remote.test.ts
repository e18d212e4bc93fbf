import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { InputError, type Answer, type Host, type RequestOptions } from "../src/host.js";
import { readGguf } from "../src/models/gguf.js";
import { remoteModel } from "../src/models/remote.js";
import { onlineHost } from "../src/node-host.js";
import { ggufHeader, smallLlama, type GgufValue } from "./gguf-file.js";

const { metadata, tensors } = smallLlama();
const smallFile = ggufHeader(metadata, tensors);
const bytes = (text: string) => new TextEncoder().encode(text);

interface Asked extends RequestOptions {
  url: string;
}

type Served = Uint8Array | ((asked: Asked) => Answer);

/** A host whose network holds these, by address; what was asked for is kept. */
function online(served: Readonly<Record<string, Served>>): Host & { asked: Asked[] } {
  const asked: Asked[] = [];
  return {
    asked,
    resolve: () => expect.fail("No file is looked at."),
    stat: () => expect.fail("No file is looked at."),
    read: () => expect.fail("No file is looked at."),
    list: () => expect.fail("No file is looked at."),
    variable: () => undefined,
    request: async (url, options) => {
      asked.push({ url, ...options });
      const found = served[url];
      if (typeof found === "function") return found({ url, ...options });
      if (!found) return { status: 404, body: bytes("not here") };
      const { range, most } = options;
      if (!range && found.length > most) throw new InputError("It sends too much.");
      if (!range) return { status: 200, body: found };
      if (range.start >= found.length) return { status: 416, body: new Uint8Array() };
      const body = found.slice(range.start, range.end);
      return { status: 206, body, total: found.length };
    },
  };
}

async function complaint(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  return error.message;
}

const url = "https://example.com/models/small.gguf";

/** One of three parts of the small model, counted from 0. */
function split(at: number, keys: Record<string, GgufValue>): Uint8Array {
  return ggufHeader(
    { ...keys, "split.no": at, "split.count": 3 },
    tensors.slice((at * tensors.length) / 3, ((at + 1) * tensors.length) / 3),
  );
}

/** The address of such a part, counted from 1. */
function at(part: number): string {
  return `https://example.com/a%20b/x%20y-0000${part}-of-00003.gguf?download=1`;
}

function digest(letter: string): string {
  return `sha256:${letter.repeat(64)}`;
}

function layer(kind: string, letter: string, size: number) {
  return { mediaType: `application/vnd.ollama.image.${kind}`, digest: digest(letter), size };
}

describe("the address of a GGUF file", () => {
  test("is a model", async () => {
    const host = online({ [url]: smallFile });
    const model = await remoteModel(url, host);
    expect(model).toMatchObject({
      name: url,
      source: "gguf",
      shape: { architecture: "llama", blocks: 2 },
      weights: { total: 348_544 },
      origins: [{ from: "GGUF header of small.gguf" }],
    });
    expect(host.asked).toEqual([{ url, range: { start: 0, end: 2 ** 18 }, most: 2 ** 18 }]);
  });

  test("is read no further than its header", async () => {
    const words = Array.from({ length: 128_000 }, (_, i) => `word ${i}`);
    const keys = {
      ...metadata,
      "tokenizer.ggml.scores": { type: "float32" as const, value: words.map(() => 0.5) },
      "tokenizer.ggml.tokens": words,
    };
    const header = ggufHeader(keys, tensors);
    const whole = new Uint8Array(header.length + 348_544 + 30e6);
    whole.set(header);
    const host = online({ [url]: whole });
    const model = await remoteModel(url, host);
    expect(model).toMatchObject({ shape: { vocabulary: 128_000 }, fileBytes: whole.length });
    expect(model).not.toHaveProperty("truncated");
    expect(host.asked.length).toBeLessThan(6);
    const ranges = host.asked.map(({ range, most }) => {
      expect(most).toBe(range!.end - range!.start);
      return most;
    });
    expect(ranges.reduce((a, b) => a + b)).toBeLessThan(2 * header.length);
  });

  test("may hold one of many parts", async () => {
    const served = { [at(1)]: split(0, metadata), [at(2)]: split(1, {}), [at(3)]: split(2, {}) };
    const model = await remoteModel(at(1), online(served));
    expect(model).toMatchObject({ weights: { total: 348_544 } });
    const { [at(3)]: _, ...without } = served;
    expect(await complaint(remoteModel(at(1), online(without)))).toBe(
      '"https://example.com/a%20b/x%20y-00001-of-00003.gguf" needs "x y-00003-of-00003.gguf", which is missing beside it. Keep all 3 parts in one folder.',
    );
    expect(await complaint(remoteModel(at(2), online(served)))).toMatch(
      /is part 2 of 3\. Name the first: "x y-00001-of-00003\.gguf"\.$/,
    );
  });

  test("is none of these", async () => {
    const none = online({});
    expect(await remoteModel("https://example.com/model.safetensors", none)).toBeUndefined();
    expect(await remoteModel("https://", none)).toBeUndefined();
    expect(await remoteModel("https://[/x.gguf", none)).toBeUndefined();
    expect(await remoteModel("ftp://example.com/x.gguf", none)).toBeUndefined();
    expect(await remoteModel("llama3.2", none)).toBeUndefined();
    expect(await remoteModel("", none)).toBeUndefined();
    expect(none.asked).toEqual([]);
    const offline = { ...none };
    delete (offline as Host).request;
    expect(await remoteModel(url, offline)).toBeUndefined();
    expect(await remoteModel("hf.co/user/repo", offline)).toBeUndefined();
  });

  test("must be safe to ask", async () => {
    const none = online({});
    expect(await complaint(remoteModel("http://example.com/x.gguf", none))).toBe(
      '"http://example.com/x.gguf" is not read without encryption. Write https.',
    );
    const secret = await complaint(
      remoteModel("https://me:hunter2@example.com/x.gguf?key=k3y", none),
    );
    expect(secret).toBe(
      '"https://example.com/x.gguf" is given with a name or password. Leave them out.',
    );
    expect(none.asked).toEqual([]);
    for (const server of ["localhost:8080", "127.0.0.1", "[::1]:1"]) {
      const local = `http://${server}/x.gguf`;
      expect(await remoteModel(local, online({ [local]: smallFile }))).toBeDefined();
    }
  });

  test.each<[string, Served, string]>([
    [
      "a web page",
      bytes("<!DOCTYPE html>"),
      'is no GGUF file: it starts with "<!DO". Download the file itself, not its web page.',
    ],
    ["nothing", new Uint8Array(), "is empty. Download it again."],
    ["a file that ends", smallFile.slice(0, 100), "ends inside its header. Download it again."],
    [
      "private",
      () => ({ status: 403, body: bytes("") }),
      "is not for everyone. Download the file yourself.",
    ],
    [
      "broken",
      () => ({ status: 503, body: bytes("") }),
      "cannot be had: the server answers status 503. Try again later.",
    ],
    [
      "of unknown length",
      ({ range }) => ({ status: 206, body: smallFile.slice(range!.start, range!.end) }),
      "comes from a server that sends no parts of files. Download the file.",
    ],
    [
      "of another length",
      () => ({ status: 206, body: smallFile, total: 1e9 }),
      "comes from a server that sends no parts of files. Download the file.",
    ],
    [
      "of a server that forgets about parts",
      ({ range }) =>
        range!.start === 0
          ? { status: 206, body: long.slice(0, range!.end), total: long.length }
          : { status: 200, body: long.slice(0, range!.end - range!.start) },
      "comes from a server that sends no parts of files. Download the file.",
    ],
  ])("is told about: %s", async (_, served, message) => {
    const secret = `${url}?token=s3cret`;
    const said = await complaint(remoteModel(secret, online({ [secret]: served })));
    expect(said).toBe(`"${url}" ${message}`);
  });

  const long = ggufHeader({ "general.description": "x".repeat(1e6) }, []);

  test("may be of a server that knows no parts, where the file is short", async () => {
    expect(
      await remoteModel(url, online({ [url]: () => ({ status: 200, body: smallFile }) })),
    ).toMatchObject({
      weights: { total: 348_544 },
    });
  });

  test("is given up where it has too many bytes", async () => {
    const head = ggufHeader({ ...metadata, "split.count": 900 }, tensors);
    const other = ggufHeader({ "a.words": Array.from({ length: 10_000 }, () => "x".repeat(30)) }, [
      { name: "other", type: "F32", dims: [1] },
    ]);
    let sent = 0;
    const host: Host = {
      ...online({}),
      request: async (address, { range }) => {
        const file = address.includes("-00001-of-") ? head : other;
        const body = file.slice(range!.start, range!.end);
        sent += body.length;
        return { status: 206, body, total: file.length };
      },
    };
    expect(await complaint(remoteModel("https://example.com/x-00001-of-00900.gguf", host))).toBe(
      "The headers of this model take more than 128 MiB. Download its file.",
    );
    expect(sent).toBeLessThanOrEqual(128 * 2 ** 20);
  });
});

describe("a repository of Hugging Face", () => {
  const repository = "https://huggingface.co/v2/user/Small-1.0-GGUF";
  const blob = (letter: string) => `${repository}/blobs/${digest(letter)}`;
  const manifest = (...layers: unknown[]) => bytes(JSON.stringify({ schemaVersion: 2, layers }));
  const reference = "hf.co/user/Small-1.0-GGUF:Q4_K_M";
  const named = `${repository}/manifests/Q4_K_M`;

  test("is what Ollama would pull", async () => {
    const host = online({
      [named]: manifest(
        layer("model", "a", smallFile.length),
        layer("projector", "b", 600_000_000),
        layer("template", "c", 20),
        layer("params", "d", 30),
        layer("license", "e", 100),
        layer("messages", "f", 100),
      ),
      [blob("a")]: smallFile,
      [blob("c")]: bytes("{{ .Prompt }}"),
      [blob("d")]: bytes('{"stop":["<|eot_id|>",7],"temperature":0.6}'),
      [blob("e")]: bytes("MIT License\n\nCopyright"),
    });
    const model = await remoteModel(reference, host);
    expect(model).toMatchObject({
      name: reference,
      weights: { total: 348_544 },
      projectorBytes: 600_000_000,
      template: { text: "{{ .Prompt }}", language: "go" },
      stop: ["<|eot_id|>"],
      parameters: { stop: ["<|eot_id|>", 7], temperature: 0.6 },
      licence: "MIT",
      capabilities: ["completion", "vision"],
      origins: [
        { from: `manifest of ${reference} on Hugging Face`, exact: true },
        { from: `GGUF header of ${reference}`, exact: true },
      ],
    });
    expect(model!.origins![0]!.facts).toEqual(
      expect.arrayContaining(["projectorBytes", "stop", "template", "licence"]),
    );
    // The messages are not needed, and nothing of the projector but its size.
    expect(host.asked.map(({ url }) => url)).toEqual([named, ...["a", "c", "d", "e"].map(blob)]);
    expect(Math.max(...host.asked.map(({ most }) => most))).toBe(2 ** 20);
  });

  test("has a tag of its own, and other names", async () => {
    const host = online({
      [`${repository}/manifests/latest`]: manifest(layer("model", "a", smallFile.length)),
      [blob("a")]: smallFile,
    });
    for (const name of [
      "hf.co/user/Small-1.0-GGUF",
      "HuggingFace.co/user/Small-1.0-GGUF:latest",
      "https://hf.co/user/Small-1.0-GGUF",
    ]) {
      const model = await remoteModel(name, host);
      expect(model).toMatchObject({ name, capabilities: ["completion"] });
      expect(model).not.toHaveProperty("template");
    }
    expect(await remoteModel("hf.example.com/user/repo", host)).toBeUndefined();
    expect(await remoteModel("user/repo", host)).toBeUndefined();
  });

  test("does without what it cannot get", async () => {
    const host = online({
      [named]: manifest(
        null,
        { mediaType: "application/vnd.ollama.image.params", digest: "sha256:../../x", size: 1 },
        { ...layer("params", "b", 5), size: -1 },
        layer("template", "c", 2e9),
        layer("license", "d", 10),
        layer("model", "a", smallFile.length),
      ),
      [blob("a")]: smallFile,
    });
    const model = await remoteModel(reference, host);
    expect(model).toMatchObject({ weights: { total: 348_544 } });
    for (const key of ["template", "stop", "parameters", "licence"]) {
      expect(model).not.toHaveProperty(key);
    }
    expect(host.asked.map(({ url }) => url)).toEqual([named, blob("a"), blob("d")]);
  });

  test.each<[string, Record<string, Served>, RegExp]>([
    ["nothing", {}, /^Hugging Face has no "hf\.co\/.*" that is for everyone\. Check its name\.$/],
    [
      "parts",
      { [named]: () => ({ status: 400, body: bytes('{"error":"a sharded GGUF"}') }) },
      /is split in parts, which Ollama cannot pull\./,
    ],
    [
      "no such tag",
      { [named]: () => ({ status: 400, body: bytes('{"error":"no valid tag"}') }) },
      /has no GGUF file for .*Check the tag/,
    ],
    ["trouble", { [named]: () => ({ status: 500, body: bytes("") }) }, /answers status 500/],
    ["a page", { [named]: bytes("<html>") }, /answers no manifest/],
    ["no list", { [named]: bytes('{"layers":{"length":3}}') }, /answers no manifest/],
    ["no model", { [named]: manifest(layer("license", "a", 1)) }, /has no GGUF file on Hugging/],
    ["a model that is gone", { [named]: manifest(layer("model", "a", 1)) }, /is gone from Hugging/],
    [
      "a projector",
      {
        [named]: manifest(layer("model", "a", 1)),
        [blob("a")]: ggufHeader({ "general.type": "mmproj" }, []),
      },
      /^"hf\.co\/.*" on Hugging Face is a projector/,
    ],
  ])("is told about: %s", async (_, served, message) => {
    expect(await complaint(remoteModel(reference, online(served)))).toMatch(message);
  });
});

describe("a server of this computer", () => {
  const words = Array.from({ length: 50_000 }, (_, i) => `word ${i}`);
  const file = ggufHeader({ ...metadata, "tokenizer.ggml.tokens": words }, tensors);
  let sent = 0;
  const server = createServer((request, response) => {
    const [, start, end] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (request.url === "/moved.gguf") {
      response.writeHead(302, { location: "/model.gguf" }).end();
    } else if (request.url === "/whole.gguf") {
      response.writeHead(200, { "content-length": file.length }).end(file);
    } else if (request.url === "/model.gguf" && start !== undefined) {
      const part = file.subarray(Number(start), Number(end) + 1);
      sent += part.length;
      const range = `bytes ${start}-${Number(start) + part.length - 1}/${file.length}`;
      response.writeHead(206, { "content-range": range }).end(part);
    } else response.writeHead(404).end("not here");
  });
  let address = "";
  beforeAll(async () => {
    await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
    address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => void server.close());

  test("is read like a file", async () => {
    const local: Host = {
      ...onlineHost,
      stat: async () => ({ kind: "file", size: file.length }),
      read: async (_, start, end) => file.slice(start, end),
    };
    const { name: _, origins: __, ...model } = await readGguf("/model.gguf", local, "model");
    for (const path of ["model.gguf", "moved.gguf"]) {
      sent = 0;
      expect(await remoteModel(`${address}/${path}`, onlineHost)).toMatchObject(model);
      expect(sent).toBe(file.length);
    }
  });

  test("may have nothing, or only whole files", async () => {
    expect(await complaint(remoteModel(`${address}/none.gguf`, onlineHost))).toBe(
      `"${address}/none.gguf" does not exist. Check the address.`,
    );
    expect(await complaint(remoteModel(`${address}/whole.gguf`, onlineHost))).toMatch(
      /does not serve parts of files/,
    );
  });
});

import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readGguf } from "../src/models/gguf.js";
import { keepingHost } from "../src/node-cache.js";
import { nodeHost } from "../src/node-host.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";

let folder: string;
let model: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "kept-"));
  model = join(folder, "model.gguf");
  const { metadata, tensors } = smallLlama();
  await writeFile(model, ggufHeader({ ...metadata, ...vocabulary }, tensors));
});
afterAll(() => rm(folder, { recursive: true }));

const vocabulary = {
  "tokenizer.ggml.model": "gpt2",
  "tokenizer.ggml.tokens": ["a", "<|im_end|>", ...Array.from({ length: 5000 }, (_, i) => `t${i}`)],
};

/** A host that keeps headers in `cache`, and how often it has read from the model. */
function counting(cache: string) {
  const count = { reads: 0 };
  const host = keepingHost(
    {
      ...nodeHost,
      read: (path, ...range) => {
        if (path === model) count.reads++;
        return nodeHost.read(path, ...range);
      },
    },
    async () => cache,
  );
  return { host, count };
}

test("a header is read once in a run, and not at all in the next", async () => {
  const cache = join(folder, "cache");
  const first = counting(cache);
  const read = await readGguf(model, first.host, "m");
  expect(await readGguf(model, first.host, "m")).toEqual(read);
  expect(first.count.reads).toBe(1);
  expect(read.header?.keys.get("tokenizer.ggml.tokens")).toEqual({
    length: 5002,
    bracketed: new Map([[1, "<|im_end|>"]]),
  });

  const second = counting(cache);
  expect(await readGguf(model, second.host, "m")).toEqual(read);
  expect(second.count.reads).toBe(0);
});

test("a file that has changed is read again", async () => {
  const cache = join(folder, "cache");
  const { metadata, tensors } = smallLlama();
  await writeFile(model, ggufHeader({ ...metadata, "general.name": "other" }, tensors));
  const { host, count } = counting(cache);
  const { header } = await readGguf(model, host, "m");
  expect(header?.keys.get("general.name")).toBe("other");
  expect(count.reads).toBe(1);
});

test("what is damaged in the cache is read anew, and what cannot be kept is no problem", async () => {
  const cache = join(folder, "cache");
  for (const name of await readdir(cache)) await writeFile(join(cache, name), '{"keys": [[');
  const { host, count } = counting(cache);
  const { header } = await readGguf(model, host, "m");
  expect(header?.tensors.length).toBeGreaterThan(0);
  expect(count.reads).toBe(1);

  // A file stands where the folder should be.
  const without = counting(model);
  expect(await readGguf(model, without.host, "m")).toMatchObject({ source: "gguf" });
});

test("a header that cannot be read is tried again", async () => {
  const { host } = counting(join(folder, "other"));
  await writeFile(model, "GGUF");
  await expect(readGguf(model, host, "m")).rejects.toThrow("model.gguf");
  const { metadata, tensors } = smallLlama();
  await writeFile(model, ggufHeader(metadata, tensors));
  expect(await readGguf(model, host, "m")).toMatchObject({ source: "gguf" });
});

test("numbers that JSON cannot say are not kept", async () => {
  const { metadata, tensors } = smallLlama();
  const infinite = { "llama.rope.scale": { type: "float32", value: Infinity } } as const;
  await writeFile(model, ggufHeader({ ...metadata, ...infinite }, tensors));
  const cache = join(folder, "infinite");
  const { header } = await readGguf(model, counting(cache).host, "m");
  expect(header?.keys.get("llama.rope.scale")).toBe(Infinity);
  expect(await readdir(cache).catch(() => "none")).toBe("none");
});

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { InputError, type Host } from "../src/host.js";
import { readGguf } from "../src/models/gguf.js";
import type { Model } from "../src/models/model.js";
import { ggufHeader, smallLlama, type GgufForm } from "./gguf-file.js";
import { hostileHeaders } from "./gguf-hostile.js";
import { runs, some } from "./runs.js";

/** A file that is as large as one likes: `bytes`, and zeros behind them up to `size`. */
function reading(bytes: Uint8Array, size = bytes.length) {
  const reads: [start: number, end: number][] = [];
  const host: Host = {
    resolve: (folder, path) => `${folder}/${path}`,
    stat: async () => ({ kind: "file", size }),
    read: async (_, start = 0, end = size) => {
      expect(start).toBeLessThan(end);
      expect(end).toBeLessThanOrEqual(size);
      // No byte is read a second time.
      expect(start).toBeGreaterThanOrEqual(reads.at(-1)?.[1] ?? 0);
      reads.push([start, end]);
      const part = new Uint8Array(end - start);
      part.set(bytes.subarray(start, end));
      return part;
    },
    list: async () => expect.fail("Nothing is listed."),
    variable: () => undefined,
  };
  return { host, bytesRead: () => reads.reduce((sum, [start, end]) => sum + end - start, 0) };
}

/** What becomes of a file: a model or an InputError, at bounded cost; everything else fails the test. */
async function outcome(bytes: Uint8Array, size?: number): Promise<Model | InputError> {
  const { host, bytesRead } = reading(bytes, size);
  const result: unknown = await readGguf("/x.gguf", host, "x").catch((error: unknown) => error);
  expect(bytesRead()).toBeLessThanOrEqual(Math.min(size ?? bytes.length, 64 * 2 ** 20));
  if (result instanceof InputError) {
    expect(result.message).toMatch(/^"x\.gguf" [a-z][^\n]{10,350}\.$/);
    expect(result.place).toEqual({ path: "/x.gguf" });
    return result;
  }
  if (result instanceof Error) throw result;
  const model = result as Model;
  const { total, blocks, input, outputNorm, output, other } = model.weights;
  expect(total).toBe([...blocks, input, outputNorm, output, other].reduce((a, b) => a + b, 0));
  expect(total).toBe(model.header!.tensors.reduce((sum, { bytes }) => sum + bytes, 0));
  expect(model.fileBytes).toBeGreaterThanOrEqual(total);
  expect(model.fileBytes).toBe(model.truncated?.expected ?? size ?? bytes.length);
  return model;
}

const forms: readonly Required<GgufForm>[] = ([1, 2, 3] as const).flatMap((version) =>
  [true, false].map((little) => ({ version, little })),
);
const { metadata, tensors } = smallLlama();
const files = forms.map((form) =>
  ggufHeader(
    {
      ...metadata,
      "a.numbers": [1, 2, 3],
      "a.fractions": [0.5, 1.5],
      "a.large": 2n ** 40n,
      "tokenizer.chat_template": "{{ messages }}",
      "tokenizer.ggml.add_bos_token": true,
    },
    tensors,
    form,
  ),
);
const file = fc.constantFrom(...files);
const dataBytes = 348_544;

describe("a header with damage ends in a model or in a message", () => {
  test("as it is, in every form", async () => {
    for (const bytes of files) expect(await outcome(bytes)).toMatchObject({ exact: true });
  });

  test("where bytes are others", async () => {
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(file, changes, fc.boolean(), async (bytes, changes, complete) => {
        const changed = new Uint8Array(bytes.length + (complete ? dataBytes : 0));
        changed.set(bytes);
        for (const [at, value] of changes) changed[at % bytes.length] = value;
        await outcome(changed);
      }),
      { numRuns: runs(150) },
    );
  });

  test("where numbers are extreme", async () => {
    const powers = [0n, 1n, 2n, 6n, 12n, 16n, 31n, 32n, 53n, 61n, 62n, 63n].map((n) => 2n ** n);
    const number = fc.constantFrom(0n, 99_999n, ...powers.flatMap((n) => [n - 1n, n, n + 1n]));
    const sizes = fc.constantFrom(undefined, 2 ** 30, 2 ** 40);
    await fc.assert(
      fc.asyncProperty(
        ...([file, fc.nat(), number, fc.boolean(), fc.boolean(), sizes] as const),
        async (bytes, place, number, wide, little, size) => {
          const changed = bytes.slice();
          const view = new DataView(changed.buffer);
          const at = 4 + (place % (bytes.length - 12));
          if (wide) view.setBigUint64(at, number, little);
          else view.setUint32(at, Number(number & 0xffff_ffffn), little);
          const { host, bytesRead } = reading(changed, size);
          const result: unknown = await readGguf("/x.gguf", host, "x").catch(
            (error: unknown) => error,
          );
          if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
          expect(bytesRead()).toBeLessThanOrEqual(64 * 2 ** 20);
        },
      ),
      { numRuns: runs(150) },
    );
  });

  test("where pieces are missing, twice there or from another file", async () => {
    const cut = fc.record({
      at: fc.nat(),
      length: fc.nat(200),
      from: fc.nat(),
      copied: fc.nat(200),
    });
    await fc.assert(
      fc.asyncProperty(file, file, cut, async (bytes, other, { at, length, from, copied }) => {
        const start = at % bytes.length;
        const second = from % other.length;
        await outcome(
          new Uint8Array([
            ...bytes.subarray(0, start),
            ...other.subarray(second, second + copied),
            ...bytes.subarray(start + length),
          ]),
        );
      }),
      { numRuns: runs(150) },
    );
  });

  test.each(forms.map((form, index) => ({ ...form, index, bytes: files[index]! })))(
    "at every end: version $version, little-endian: $little",
    async ({ index, bytes }) => {
      // Each end comes up in two of the forms.
      for (const length of some([...bytes.keys()], 3, index)) {
        const ended = await outcome(bytes.slice(0, length));
        // Behind the table there may be padding.
        if (length < bytes.length - 31) expect(ended).toBeInstanceOf(InputError);
      }
    },
  );

  test("in the other byte order, or as another version", async () => {
    for (const bytes of files) {
      for (let version = 0; version <= 4; version++) {
        for (const little of [true, false]) {
          const changed = bytes.slice();
          new DataView(changed.buffer).setUint32(4, version, little);
          const same = changed.every((byte, at) => byte === bytes[at]);
          const result = await outcome(changed);
          // Versions 2 and 3 differ in nothing that is read here.
          if (!same && (version === 0 || version === 4)) expect(result).toBeInstanceOf(InputError);
        }
      }
    }
  });
});

describe("20 MB of", () => {
  const size = 20e6;
  const ends: Readonly<Record<string, RegExp>> = {
    "a text": /more than 16 MiB of names/,
    "a text as long as may be": /no tensors/,
    "texts as long as may be in all": /ends inside its header/,
    "words without letters": /no tensors/,
    "words of one letter": /no tensors/,
    "more words than there is room": /length in it is impossible/,
    "words, the last of which has no end": /length in it is impossible/,
    numbers: /no tensors/,
    "more numbers than there is room": /length in it is impossible/,
    "arrays that are just kept": /more than 16 MiB of names/,
    "arrays in arrays": /array of arrays/,
    keys: /no tensors/,
    "keys with long names": /more than 16 MiB of names/,
    "keys of the same name": /key "a" stands in it twice/,
    "keys without names": /no name/,
    tensors: /no usable general\.architecture/,
    "tensors with long names": /more than 16 MiB of names/,
    "tensors of the same name": /tensor "a" stands in it twice/,
    "tensors of all dimensions": /impossible shape/,
    noise: /damaged header/,
  };

  test.each(Object.keys(hostileHeaders))("%s", async (name) => {
    const bytes = hostileHeaders[name]!(size);
    const result = await outcome(bytes);
    expect((result as InputError).message).toMatch(ends[name]!);
    // In a larger file the header may be longer, and still is refused.
    expect(await outcome(bytes, 2 ** 40)).toBeInstanceOf(InputError);
  });

  test("numbers are skipped without being read", async () => {
    const { host, bytesRead } = reading(hostileHeaders["numbers"]!(size));
    await expect(readGguf("/x.gguf", host, "x")).rejects.toThrow("holds no tensors");
    expect(bytesRead()).toBeLessThan(2 ** 20);
  });
});

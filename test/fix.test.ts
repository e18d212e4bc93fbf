import fc from "fast-check";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { decode } from "../grammar/bytes.js";
import { createFromCommands, type CreateRequest } from "../grammar/create-request.js";
import { readText } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import { root } from "../src/build/bundle.mjs";
import { newestRelease, parseRelease, type Release } from "../src/facts/release.js";
import type { Finding } from "../src/finding.js";
import { fix } from "../src/fix/fix.js";
import { check } from "../src/lint.js";
import { runs, some } from "./runs.js";

/** What Ollama makes of a text: the request, or undefined where it refuses it somewhere. */
function requestOf(text: string, release: Release): CreateRequest | undefined {
  const reading = readText(text, release);
  if (!reading.ok) return undefined;
  const create = createFromCommands(reading.commands, release);
  if (!create.ok || !create.server.ok || create.request_json_error !== undefined) return undefined;
  // A warning that a fix takes away is no part of the model.
  const { warnings: _, ...request } = create;
  return request;
}

/** Fixes with the newest release; each text is checked once, however often it comes up. */
function fixer(): (bytes: Uint8Array, unsafe: boolean) => ReturnType<typeof fix> {
  const known = new Map<string, Finding[]>();
  const findingsOf = (text: string): Finding[] => {
    const found = known.get(text) ?? check(parseModelfile(text), { release: newestRelease });
    known.set(text, found);
    return found;
  };
  return (bytes, unsafe) => fix(bytes, (text) => Promise.resolve(findingsOf(text)), unsafe);
}

const lines = [
  "FROM llama3.2",
  "FROM llama3.2 # base",
  "from: llama3.2",
  "FROM <model>",
  "PARAMETER temperature 0.7",
  "PARAMETER temprature 0.7",
  "PARAMETER TEMPERATURE 0,7",
  "PARAMETER  num_ctx 8k",
  "PARAMETER num_ctx=4096 # tokens",
  "PARAMETER num_ctx\u00a04096",
  'PARAMETER stop "</s>"',
  'PARAMETER stop "</s>" # end',
  "PARAMETER stop '</s>'",
  'PARAMETER stop "\\n"',
  "PARAMETER stop",
  "PARAMETER mirostat 2",
  "PARAMETER tfs_z 1",
  "PARAMETER system hi",
  "PARAMETER use_mmap yes",
  "PARAMETER top_k 40",
  "PARAMETER tensor_split 1,1",
  "SYSTEM You are terse.",
  "SYSTEM You are terse. \\",
  "You never explain.",
  'SYSTEM """You are terse.',
  'You never explain."""',
  'SYSTEM"hi"',
  "SYSTEM “hi”",
  "SYTEM hi",
  "MESSAGE User hi",
  "MESSAGE  user: hi",
  "MESSAGE assistant",
  "\u00a0\u00a0SYSTEM a\u200bb\u00a0c",
  "REQUIRES >=0.14",
  "RENDERER qwen3-coder",
  "# a comment",
  "```",
  "ollama run x",
  "",
  '"""',
];

const file = fc
  .tuple(
    fc.array(fc.constantFrom(...lines), { maxLength: 12 }),
    fc.constantFrom("\n", "\r\n", "\r"),
    fc.boolean(),
  )
  .map(([chosen, end, last]) => chosen.join(end) + (last ? end : ""));

const release = fc
  .constantFrom("0.1.48", "0.4.2", "0.5.4", "0.12.0", "0.32.15")
  .map((text) => parseRelease(text)!);

describe("on files put together from mistakes", () => {
  test("an error is found exactly where Ollama refuses the file", () => {
    fc.assert(
      fc.property(file, release, (text, on) => {
        const { trimsValues } = { trimsValues: on.version !== "0.1.48" };
        const errors = check(parseModelfile(text, { trimsValues }), { release: on }).filter(
          ({ severity }) => severity === "error",
        );
        const loads = !(on.version === "0.1.48" && text.includes("use_mmap"));
        if (loads) expect(errors.length > 0).toBe(requestOf(text, on) === undefined);
      }),
      { numRuns: runs(1000) },
    );
  });

  test("safe fixes keep the model, or mend a file that was refused; the second run finds nothing to do", async () => {
    await fc.assert(
      fc.asyncProperty(file, async (text) => {
        const before = requestOf(text, newestRelease);
        const fixed = fixer();
        const result = await fixed(new TextEncoder().encode(text), false);
        if (before) expect(requestOf(result.text, newestRelease)).toEqual(before);
        const again = await fixed(result.bytes, false);
        expect(again.made).toEqual([]);
        expect(again.text).toBe(result.text);
      }),
      { numRuns: runs(300) },
    );
  });

  test("unsafe fixes never turn a good file into one that Ollama refuses, and come to an end", async () => {
    await fc.assert(
      fc.asyncProperty(file, async (text) => {
        const before = requestOf(text, newestRelease);
        const fixed = fixer();
        const result = await fixed(new TextEncoder().encode(text), true);
        if (before) expect(requestOf(result.text, newestRelease)).toBeDefined();
        expect((await fixed(result.bytes, true)).text).toBe(result.text);
      }),
      { numRuns: runs(300) },
    );
  });
});

test("overlapping fixes are made one after the other", async () => {
  const text = "FROM llama3.2\nPARAMETER  num_ctx=8k # tokens\n";
  const result = await fixer()(new TextEncoder().encode(text), false);
  expect(result.text).toBe("FROM llama3.2\n# tokens\nPARAMETER num_ctx 8192\n");
  expect(result.findings).toEqual([]);
});

test("bytes that are no text survive a fix beside them", async () => {
  const bytes = Buffer.concat([
    Buffer.from("FROM llama3.2\nSYSTEM caf"),
    Buffer.from([0xe9, 0x20, 0xff]),
    Buffer.from("\nSYTEM x\n"),
  ]);
  const result = await fixer()(bytes, false);
  const expected = Buffer.concat([
    Buffer.from("FROM llama3.2\nSYSTEM caf"),
    Buffer.from([0xe9, 0x20, 0xff]),
    Buffer.from("\nSYSTEM x\n"),
  ]);
  expect(Buffer.from(result.bytes).equals(expected)).toBe(true);
});

const corpus = join(root, "../shared/evidence/modelfiles");

describe.skipIf(!existsSync(corpus))("on real files", () => {
  test("fixing loses nothing that Ollama read", async () => {
    let changed = 0;
    for (const name of some(readdirSync(corpus), 2)) {
      const bytes = readFileSync(join(corpus, name));
      const before = requestOf(decode(bytes).text, newestRelease);
      const fixed = fixer();
      const result = await fixed(bytes, false);
      if (result.made.length > 0) changed++;
      else expect(Buffer.from(result.bytes).equals(bytes), name).toBe(true);
      if (before) expect(requestOf(result.text, newestRelease), name).toEqual(before);
      expect((await fixed(result.bytes, false)).made, name).toEqual([]);
      const unsafe = await fixed(bytes, true);
      if (before) expect(requestOf(unsafe.text, newestRelease), name).toBeDefined();
    }
    expect(changed).toBeGreaterThan(20);
  });
});

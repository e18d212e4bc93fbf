/*
 * One reading of a GGUF header in a process of its own, for bench.ts: what memory it takes at most shows
 * in a fresh one alone, and a command reads a header once, before anything is warm.
 *
 *   list              prints the names of vocabularies and of hostile headers
 *   make NAME FILE    writes the header of that name
 *   read WAY FILE     reads it, and prints { ms, bytes }: the time it took, and the memory of the
 *                     process at its most
 */
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { nodeHost } from "../src/node-host.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";
import { hostileHeaders } from "./gguf-hostile.js";

/** Tokens and merges of Llama 3 and of Gemma 3, whose tokens have scores. */
const vocabularies: Readonly<Record<string, () => Uint8Array>> = {
  "128k tokens, 280k merges": () => vocabulary(128_256, 280_147),
  "256k tokens, 515k merges": () => vocabulary(262_144, 514_906),
};

function vocabulary(tokens: number, merges: number): Uint8Array {
  const { metadata, tensors } = smallLlama();
  const words = Array.from({ length: tokens }, (_, i) => `Ġ${i.toString(36)}`);
  return ggufHeader(
    {
      ...metadata,
      "tokenizer.ggml.tokens": words,
      "tokenizer.ggml.scores": { type: "float32", value: words.map((_, i) => -i) },
      "tokenizer.ggml.token_type": { type: "int32", value: words.map(() => 1) },
      "tokenizer.ggml.merges": Array.from(
        { length: merges },
        (_, i) => `Ġ${i.toString(36)} ${(i % 997).toString(36)}`,
      ),
      "tokenizer.chat_template": "{{ messages }}".repeat(300),
    },
    tensors,
  );
}

/** Each loads what it needs, and gives what is measured. */
const ways: Readonly<Record<string, (file: string) => Promise<() => Promise<unknown>>>> = {
  nothing: async () => async () => {},
  bare: async (file) => async () => {
    const { size } = (await nodeHost.stat(file))!;
    const piece = 4 * 2 ** 20;
    for (let at = 0; at < size; at += piece) await nodeHost.read(file, at, at + piece);
  },
  ours: async (file) => {
    const { readGguf } = await import("../src/models/gguf.js");
    return () => readGguf(file, nodeHost, "x").catch(() => {});
  },
  library: async (file) => {
    const { gguf } = await import("@huggingface/gguf");
    return () => gguf(file, { allowLocalFile: true });
  },
};

const [, program = "", how = "", ...names] = process.argv;
const [name = "", file = ""] = names;
if (how === "list") {
  const lists = [vocabularies, hostileHeaders].map((headers) => Object.keys(headers));
  console.log(JSON.stringify(lists));
} else if (how === "make") {
  writeFileSync(file, vocabularies[name]?.() ?? hostileHeaders[name]!(40e6));
} else if (how === "read") {
  // Linux counts what the parent had as the child's own: it has to be as small as this one.
  execFileSync(process.execPath, [program, "measure", name, file], { stdio: "inherit" });
} else {
  const job = await ways[name]!(file);
  const start = performance.now();
  await job();
  const ms = performance.now() - start;
  console.log(JSON.stringify({ ms, bytes: process.resourceUsage().maxRSS * 1024 }));
}

import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import {
  catalogueEntry,
  catalogueModel,
  loadCatalogue,
  modelLike,
  nearestCatalogueNames,
} from "../src/models/catalogue.js";
import { printedRange } from "../src/models/catalogue-entry.js";
import type { Weights } from "../src/models/model.js";
import { quantise } from "../src/models/quantisation.js";
import { blockOf, fileType, tensorBytes } from "../src/models/tensor-types.js";
import { modelTensors } from "../src/models/tensors.js";

const gib = 2 ** 30;
const mib = 2 ** 20;

const facts = new URL("../src/facts/", import.meta.url);

function json(name: string): object {
  const value: unknown = JSON.parse(readFileSync(new URL(name, facts), "utf8"));
  if (typeof value !== "object" || value === null) throw new Error(`${name} holds no object.`);
  return value;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

function sumOfParts({ blocks, input, outputNorm, output, other }: Weights): number {
  return sum(blocks) + input + outputNorm + output + other;
}

async function model(reference: string) {
  const found = await catalogueModel(reference);
  if (!found) throw new Error(`${reference} is not in the catalogue.`);
  return found;
}

describe("the files", () => {
  test.each(["catalogue", "quants"])("%s.json is what its schema says", (name) => {
    const validate = new Ajv({ allErrors: true }).compile(json(`${name}.schema.json`));
    validate(json(`${name}.json`));
    expect(validate.errors).toBeNull();
  });

  test("no tag has two meanings, and every name leads somewhere", async () => {
    const { entries, families, templateFamilies } = await loadCatalogue();
    const ids = new Set(entries.map(({ id }) => id));
    expect(ids.size).toBe(410);
    const names = entries.flatMap(({ id, tags }) =>
      tags.flatMap(([tags]) => tags.map((tag) => `${id.split(":")[0]}:${tag}`.toLowerCase())),
    );
    expect(names).toHaveLength(7014);
    expect(new Set(names).size).toBe(names.length);
    for (const [family, latest] of Object.entries(families)) {
      expect(latest === null || ids.has(latest), family).toBe(true);
    }
    for (const { id, template, tags } of entries) {
      expect(templateFamilies, id).toHaveProperty([template]);
      expect(tags[0]![0].map((tag) => tag.toLowerCase())).toContain(id.split(":")[1]);
    }
  });
});

describe("llama3.3:70b", () => {
  test("has the size of its file, block by block", async () => {
    const { fileBytes, weights, shape, exact, source, quantisation } = await model("llama3.3:70b");
    expect({ fileBytes, exact, source, quantisation }).toEqual({
      fileBytes: 42_520_398_528,
      exact: true,
      source: "catalogue",
      quantisation: "Q4_K_M",
    });
    expect(weights.blocks).toHaveLength(80);
    expect(sum(weights.blocks) / gib).toBeCloseTo(38.2, 1);
    expect((weights.outputNorm + weights.output) / mib).toBeCloseTo(822, 0);
    // The input embedding is Q4_K: 144 bytes for every 256 of 128,256 x 8,192 elements.
    expect(weights.input).toBe(((128_256 * 8192) / 256) * 144);
    expect(weights.total).toBe(sumOfParts(weights));
    expect(shape).toEqual({
      architecture: "llama",
      blocks: 80,
      trainedContext: 131_072,
      embedding: 8192,
      vocabulary: 128_256,
      feedForward: 28_672,
      heads: 64,
      headsKv: 8,
      keyLength: 128,
      valueLength: 128,
    });
  });

  test("knows what its parameters layer sets", async () => {
    const { stop, capabilities } = await model("llama3.3");
    expect(stop).toEqual(["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]);
    expect(capabilities).toEqual(["completion", "tools"]);
  });

  test.each([
    ["llama3.3", "llama3.3:70b"],
    ["llama3.3:latest", "llama3.3:70b"],
    ["llama3.3:70b", "llama3.3:70b"],
    ["LLAMA3.3:70B", "llama3.3:70b"],
    ["library/llama3.3:70b", "llama3.3:70b"],
    ["registry.ollama.ai/library/llama3.3:70b", "llama3.3:70b"],
    ["https://registry.ollama.ai/library/llama3.3", "llama3.3:70b"],
    ["llama3.3:70b-instruct-q8_0", "llama3.3:70b-instruct-q8_0"],
    ["llama3.3:70b-instruct-Q8_0", "llama3.3:70b-instruct-q8_0"],
    ["llama3.3:70b-instruct-q4_k_m", "llama3.3:70b-instruct-q4_K_M"],
  ])("is found as %s", async (reference, name) => {
    expect((await model(reference)).name).toBe(name);
  });

  test("is twice as large in Q8_0, with the same template", async () => {
    const { quantisation, fileBytes, exact, stop } = await model("llama3.3:70b-instruct-q8_0");
    const { low, high } = printedRange("75GB");
    expect(quantisation).toBe("Q8_0");
    expect(fileBytes).toBeGreaterThan(low);
    expect(fileBytes).toBeLessThan(high);
    // Its size is known as printed only.
    expect(exact).toBe(false);
    expect(stop).toHaveLength(3);
  });
});

describe("other models", () => {
  test("deepseek-r1:32b", async () => {
    const { fileBytes, weights, shape, exact } = await model("deepseek-r1:32b");
    expect(fileBytes).toBe(19_851_335_552);
    expect(weights.blocks).toHaveLength(64);
    expect(shape.architecture).toBe("qwen2");
    expect(exact).toBe(true);
  });

  test("deepseek-v3:671b: the first three blocks have no experts", async () => {
    const { weights, shape, fileBytes } = await model("deepseek-v3:671b");
    expect(shape).toMatchObject({ architecture: "deepseek2", blocks: 61, experts: 256 });
    expect(fileBytes / 1e9).toBeCloseTo(404.4, 1);
    const [dense, , , mixed] = weights.blocks;
    expect(mixed! / dense!).toBeGreaterThan(10);
    expect(weights.total).toBe(sumOfParts(weights));
  });

  test("a projector file counts apart", async () => {
    const { projectorBytes, fileBytes } = await model("llava:7b");
    expect({ projectorBytes, fileBytes }).toEqual({
      projectorBytes: 624_434_368,
      fileBytes: 4_108_916_992,
    });
  });

  test("a tower in the same file counts as other", async () => {
    const { weights, projectorBytes } = await model("gemma3:4b");
    expect(projectorBytes).toBeUndefined();
    expect(weights.other / mib).toBeGreaterThan(700);
  });

  test("a tied output has no bytes of its own", async () => {
    const { weights } = await model("llama3.2:3b");
    expect(weights.output).toBe(0);
    expect(weights.input).toBeGreaterThan(0);
  });

  test("an embedding model only embeds", async () => {
    expect((await model("nomic-embed-text")).shape.embeddingOnly).toBe(true);
    expect((await model("llama3.2")).shape).not.toHaveProperty("embeddingOnly");
  });

  test("heads differ from block to block", async () => {
    const { headsKv, blocks } = (await model("granite4:3b-h")).shape;
    expect(headsKv).toHaveLength(blocks);
  });

  test("a tag with another context says so", async () => {
    expect((await model("phi3:14b")).shape.trainedContext).toBe(131_072);
    const short = await model("phi3:14b-medium-4k-instruct-q4_0");
    expect(short.shape.trainedContext).toBe(4096);
  });

  test("base models do not speak like the default tag", async () => {
    expect((await model("llama3:8b-text-q4_0")).stop).toBeUndefined();
    expect((await model("llama3:8b-instruct-q8_0")).stop).toBeDefined();
  });

  test("what else is known comes along", async () => {
    expect(await model("gemma3:4b")).toMatchObject({
      licence: "gemma",
      minOllama: "0.6.0",
      tokenizer: { tokens: 262_145 },
    });
    const { parameters, origins } = await model("llama3.3");
    expect(parameters).toEqual({
      stop: ["<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"],
    });
    expect(origins).toContainEqual({
      facts: ["tensors"],
      from: "catalogue of the library, llama3.3:70b",
      exact: true,
    });
    expect((await model("llama3:8b-text-q4_0")).parameters).toBeUndefined();
  });

  test("every default tag of known quantisation gives a whole model", async () => {
    const { entries } = await loadCatalogue();
    let exact = 0;
    for (const { id, gguf, tags } of entries) {
      const found = await model(id);
      const { weights, fileBytes } = found;
      expect(weights.blocks, id).toHaveLength(gguf.block_count);
      expect(sumOfParts(weights), id).toBe(weights.total);
      const parts = [...weights.blocks, weights.input, weights.output, weights.other];
      expect(
        parts.every((bytes) => Number.isSafeInteger(bytes) && bytes >= 0),
        id,
      ).toBe(true);
      expect(fileBytes - weights.total, id).toBeGreaterThan(0);
      expect(found.name).toBe(id);
      if (tags[0]![3]?.modelBytes !== undefined) {
        expect(fileBytes, id).toBe(tags[0]![3].modelBytes);
        exact++;
      }
    }
    expect(exact).toBe(329);
  });
});

describe("a file whose quantisation nobody names", () => {
  test.each([
    ["gemma3:1b-it-qat", "Q4_0", "1.0GB"],
    ["gemma3:4b-it-qat", "Q4_0", "4.0GB"],
    ["gemma3:27b-it-qat", "Q4_0", "18GB"],
    ["gemma4:e2b-it-qat", "Q4_0", "4.3GB"],
    ["gemma4:31b-it-qat", "Q4_0", "19GB"],
    ["granite4:latest", "Q4_K_M", "2.1GB"],
    ["deepseek-llm:67b-base", "Q4_0", "38GB"],
  ])("%s is %s by its size", async (reference, quantisation, size) => {
    const found = await model(reference);
    const { low, high } = printedRange(size);
    expect(found).toMatchObject({ quantisation, exact: false });
    expect(found.fileBytes).toBeGreaterThan(low * 0.98);
    expect(found.fileBytes).toBeLessThan(high * 1.02);
  });

  test("models trained for quantisation keep the embedding where the size says so", async () => {
    const large = (await model("gemma3:4b-it-qat")).header!.tensors;
    const small = (await model("gemma3:270m-it-qat")).header!.tensors;
    expect(large[0]).toMatchObject({ name: "token_embd.weight", type: "F16" });
    expect(small[0]).toMatchObject({ name: "token_embd.weight", type: "Q8_0" });
  });
});

describe("what is not in the catalogue", () => {
  test.each([
    ["no such family", "llama9"],
    ["no such tag", "llama3.2:4b"],
    ["another namespace", "someone/llama3.2"],
    ["another registry", "hf.co/library/llama3.2"],
    ["a path", "./llama3.2"],
    ["a digest", "llama3.2@sha256:0123"],
    ["an unknown mix of models", "muse-glimmer:30b-q4_K_M-dflash"],
    ["a model of another shape under the same size", "deepseek-r1:8b-llama-distill-q4_K_M"],
    ["nothing", ""],
  ])("%s: %s", async (_, reference) => {
    expect(await catalogueModel(reference)).toBeUndefined();
  });

  test("an entry is known even where its file is not", async () => {
    expect((await catalogueEntry("muse-glimmer:30b-q4_K_M-dflash"))?.id).toBe("muse-glimmer:30b");
    expect(await catalogueEntry("llama9")).toBeUndefined();
  });
});

describe("modelLike", () => {
  test("scales every part, and loses no byte", async () => {
    const bytes = 247_588_783_616;
    const like = await model("deepseek-v3:671b");
    const scaled = await modelLike("deepseek-v3:671b", bytes, "ours");
    const header = like.fileBytes - like.weights.total;
    expect(scaled).toMatchObject({ name: "ours", exact: false, fileBytes: bytes });
    expect(scaled?.shape).toEqual(like.shape);
    expect(scaled?.quantisation).toBeUndefined();
    const weights = scaled!.weights;
    expect(weights.total).toBe(bytes - header);
    expect(sumOfParts(weights)).toBe(weights.total);
    const factor = weights.total / like.weights.total;
    for (const [block, size] of weights.blocks.entries()) {
      expect(Math.abs(size - like.weights.blocks[block]! * factor)).toBeLessThanOrEqual(1);
    }
  });

  test("without a size it is as large as the other", async () => {
    const like = await model("qwen2.5:7b");
    const same = await modelLike("qwen2.5:7b", undefined, "ours");
    expect(same).toMatchObject({ fileBytes: like.fileBytes, quantisation: "Q4_K_M", exact: false });
    expect(same?.weights).toEqual(like.weights);
  });

  test("its tensors grow alike, and keep their dimensions", async () => {
    const like = (await model("qwen2.5:7b")).header!;
    const scaled = await modelLike("qwen2.5:7b", 2 * (await model("qwen2.5:7b")).fileBytes, "ours");
    const { keys, tensors } = scaled!.header!;
    expect(keys).toEqual(like.keys);
    expect(tensors.map(({ dims }) => dims)).toEqual(like.tensors.map(({ dims }) => dims));
    expect(sum(tensors.map(({ bytes }) => bytes)) / scaled!.weights.total).toBeCloseTo(1, 4);
    expect(tensors[0]!.bytes / like.tensors[0]!.bytes).toBeCloseTo(2, 2);
    expect(scaled!.origins?.[0]?.from).toBe("likeness of qwen2.5:7b");
  });

  test("stays whole where the file is smaller than a header", async () => {
    const tiny = await modelLike("llama3.2:1b", 1000, "tiny");
    expect(sumOfParts(tiny!.weights)).toBe(1000);
  });

  test("knows no model like an unknown one", async () => {
    expect(await modelLike("llama9", 1e9, "ours")).toBeUndefined();
  });
});

describe("nearestCatalogueNames", () => {
  test.each([
    ["llama3.2:4b", ["llama3.2:3b"]],
    ["library/llama3.2:4b", ["llama3.2:3b"]],
    ["llama3.1:80b", ["llama3.1:70b"]],
    ["llama3.1:8b-instruct-q4_K_N", ["llama3.1:8b-instruct-q4_K_M"]],
    ["lama3.2", ["llama3.2"]],
    ["lama3.2:3b", ["llama3.2:3b"]],
    ["Qwen2.5-Codr", ["qwen2.5-coder"]],
    ["mistral-nemo:12", ["mistral-nemo:12b"]],
  ])("%s", async (reference, names) => {
    expect(await nearestCatalogueNames(reference, 1)).toEqual(names);
  });

  test("as many as asked for, the nearest first", async () => {
    expect(await nearestCatalogueNames("llama3.2:4b", 2)).toEqual(["llama3.2:3b", "llama3.2:1b"]);
    expect(await nearestCatalogueNames("deepseek", 20)).toContain("deepseek-r1");
  });

  test("none for names of others, or like no other", async () => {
    expect(await nearestCatalogueNames("someone/llama3.2", 3)).toEqual([]);
    expect(await nearestCatalogueNames("my-own-assistant", 3)).toEqual([]);
  });
});

/** Llama 3.1 8B, the model that llama.cpp's table of file types was measured with. */
const llama8b = {
  architecture: "llama",
  block_count: 32,
  embedding_length: 4096,
  feed_forward_length: 14_336,
  head_count: 32,
  head_count_kv: 8,
  key_length: 128,
  value_length: 128,
  context_length: 131_072,
  vocab_size: 128_256,
  extra: { rope_freqs: 64 },
};

describe("quantisation", () => {
  // Bits per weight as tools/quantize/README.md of llama.cpp has them.
  test.each([
    ["IQ1_S", 2.0042],
    ["IQ1_M", 2.146],
    ["IQ2_XXS", 2.3824],
    ["IQ2_XS", 2.5882],
    ["IQ2_S", 2.7403],
    ["IQ2_M", 2.9294],
    ["IQ3_XXS", 3.2548],
    ["IQ3_XS", 3.4977],
    ["IQ3_S", 3.6606],
    ["IQ3_M", 3.7628],
    ["IQ4_XS", 4.4597],
    ["IQ4_NL", 4.6818],
    ["Q2_K_S", 2.9697],
    ["Q2_K", 3.1593],
    ["Q3_K_S", 3.6429],
    ["Q3_K_M", 3.996],
    ["Q3_K_L", 4.2979],
    ["Q4_K_S", 4.6672],
    ["Q4_K_M", 4.8944],
    ["Q5_K_S", 5.5704],
    ["Q5_K_M", 5.7036],
    ["Q6_K", 6.5633],
    ["Q8_0", 8.5008],
    ["F16", 16.0005],
  ])("%s of Llama 3.1 8B: %d bits per weight", (name, measured) => {
    const imatrix = name === "IQ3_XXS";
    const tensors = quantise(llama8b, { fileType: name, era: "llama-2024", imatrix });
    const bits = 8 * sum(tensors.map(({ bytes }) => bytes));
    expect(bits / sum(tensors.map(({ elements }) => elements))).toBeCloseTo(measured, 4);
  });

  test("file types have aliases and any case", () => {
    expect(fileType("fp16")?.name).toBe("F16");
    expect(fileType("q4_k")?.name).toBe("Q4_K_M");
    expect(fileType("Q9_0")).toBeUndefined();
  });

  test("a tensor is padded to 32 bytes", () => {
    expect(tensorBytes("F32", [3])).toBe(32);
    expect(tensorBytes("Q4_K", [256, 3])).toBe(448);
    expect(tensorBytes("Q8_0", [32, 16])).toBe(544);
  });

  test("what cannot be counted is refused", () => {
    expect(() => tensorBytes("F32", [2 ** 30, 2 ** 30])).toThrow(RangeError);
    expect(() => blockOf("Q4_2")).toThrow('"Q4_2"');
    expect(() => quantise(llama8b, { fileType: "Q4_2", era: "pure" })).toThrow('"Q4_2"');
    expect(() => modelTensors({ ...llama8b, architecture: "new" })).toThrow('"new"');
    expect(() => modelTensors({ ...llama8b, expert_count: 8 })).toThrow(
      "expert_feed_forward_length",
    );
    expect(() => modelTensors({ ...llama8b, head_count: [32] })).toThrow("blk.1.attn_q.weight");
  });
});

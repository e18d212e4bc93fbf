import { describe, expect, test } from "vitest";
import { allocate } from "../src/memory/allocate.js";
import { catalogueModel, loadCatalogue } from "../src/models/catalogue.js";
import type { CatalogueEntry } from "../src/models/catalogue-entry.js";
import { textAt, type Header } from "../src/models/header.js";
import { ofBlock } from "../src/models/hyperparameters.js";

async function header(reference: string): Promise<Header> {
  const model = await catalogueModel(reference);
  if (!model?.header) throw new Error(`${reference} has no header.`);
  return model.header;
}

/** The values under these keys, the architecture in front of them left out. */
async function keys(reference: string, ...names: string[]): Promise<Record<string, unknown>> {
  const { keys } = await header(reference);
  const architecture = textAt({ keys, tensors: [] }, "general.architecture");
  return Object.fromEntries(names.map((name) => [name, keys.get(`${architecture}.${name}`)]));
}

async function dims(reference: string, name: string) {
  return (await header(reference)).tensors.find((tensor) => tensor.name === name)?.dims;
}

/** Blocks that see the whole context. */
function whole(windowed: readonly boolean[]): number[] {
  return windowed.flatMap((has, block) => (has ? [] : [block]));
}

describe("keys", () => {
  test("of a plain model are those of its file", async () => {
    expect(Object.fromEntries((await header("llama3.1:8b")).keys)).toEqual({
      "general.architecture": "llama",
      "general.file_type": 15,
      "llama.attention.head_count": 32,
      "llama.attention.head_count_kv": 8,
      "llama.attention.key_length": 128,
      "llama.attention.layer_norm_rms_epsilon": 1e-5,
      "llama.attention.value_length": 128,
      "llama.block_count": 32,
      "llama.context_length": 131_072,
      "llama.embedding_length": 4096,
      "llama.feed_forward_length": 14_336,
      "llama.rope.dimension_count": 128,
      "llama.rope.freq_base": 500_000,
      "llama.rope.scaling.factor": 8,
      "llama.rope.scaling.original_context_length": 8192,
      "llama.rope.scaling.type": "llama3",
      "llama.vocab_size": 128_256,
      "tokenizer.ggml.tokens": { length: 128_256 },
    });
  });

  test("are of the file rather than of the model", async () => {
    expect(await keys("phi3:14b-medium-4k-instruct-q4_0", "context_length")).toEqual({
      context_length: 4096,
    });
    const { keys: own } = await header("llama3.1:8b-instruct-q8_0");
    expect(own.get("general.file_type")).toBe(7);
  });

  test.each([
    ["gpt-oss:20b", "gpt-oss"],
    ["qwen2.5vl:3b", "qwen2vl"],
    ["deepseek-ocr:3b", "deepseek2-ocr"],
    ["olmo-3:7b", "olmo2"],
    ["embeddinggemma:300m", "gemma-embedding"],
  ])("%s: llama.cpp calls it %s", async (reference, architecture) => {
    expect((await header(reference)).keys.get("general.architecture")).toBe(architecture);
  });

  test("the catalogue's aliases are llama.cpp's names", async () => {
    const { architectureAliases, entries } = await loadCatalogue();
    for (const [own, name] of Object.entries(architectureAliases)) {
      const { id } = entries.find(({ gguf }) => gguf.architecture === own)!;
      const found = (await catalogueModel(id))!.header?.keys.get("general.architecture");
      expect(found ?? null, own).toBe(name);
    }
  });

  test.each([
    ["falcon:7b", false],
    ["phi:2.7b", false],
    ["stablelm2:1.6b", false],
    ["starcoder:1b", false],
    ["starcoder2:3b", false],
    ["command-r:35b", false],
    ["command-r7b:7b", false],
    ["dbrx:132b", false],
    ["nemotron-mini:4b", false],
    ["all-minilm:22m", false],
    ["nomic-embed-text", false],
    ["phi3:3.8b", true],
    ["glm4:9b", true],
    ["granite3.3:8b", true],
    ["olmo2:7b", true],
    ["gemma3:4b", true],
    ["nemotron-3-nano:4b", true],
    ["internlm2:7b", true],
    ["exaone3.5:2.4b", true],
  ])("%s has norms that only scale: %s", async (reference, rms) => {
    const found = await keys(
      reference,
      "attention.layer_norm_rms_epsilon",
      "attention.layer_norm_epsilon",
    );
    expect(Object.values(found).map((value) => value !== undefined)).toEqual([rms, !rms]);
  });

  test("of windows say which blocks see the whole context", async () => {
    const window = ["attention.sliding_window", "attention.sliding_window_pattern"];
    const values = async (reference: string) => Object.values(await keys(reference, ...window));
    expect(await values("gemma3:4b")).toEqual([1024, 6]);
    expect(await values("gemma2:9b")).toEqual([4096, 2]);
    expect(await values("gpt-oss:20b")).toEqual([128, 2]);
    expect(await values("command-r7b:7b")).toEqual([4096, 4]);
    expect(await values("laguna-xs.2")).toEqual([512, 4]);
    // A window that llama.cpp does not use.
    expect(await values("phi3:3.8b")).toEqual([262_144, undefined]);
    expect(await values("llama3.1:8b")).toEqual([undefined, undefined]);
    const listed = async (reference: string) => (await values(reference))[1] as boolean[];
    expect(whole(await listed("gemma3n:e4b"))).toEqual([4, 9, 14, 19, 24, 29, 34]);
    expect(whole(await listed("gemma4:e2b"))).toEqual([4, 9, 14, 19, 24, 29, 34]);
  });

  test("of blocks that share a cache", async () => {
    expect(await keys("gemma3n:e4b", "attention.shared_kv_layers")).toEqual({
      "attention.shared_kv_layers": 15,
    });
    expect(
      await keys("gemma4:e2b", "attention.shared_kv_layers", "attention.key_length_swa"),
    ).toEqual({ "attention.shared_kv_layers": 20, "attention.key_length_swa": 256 });
  });

  test("of compressed attention: split files have one head, older ones all", async () => {
    const names = [
      "attention.head_count_kv",
      "attention.key_length",
      "attention.value_length",
      "attention.key_length_mla",
      "attention.value_length_mla",
      "attention.kv_lora_rank",
    ];
    expect(Object.values(await keys("glm-4.7-flash", ...names))).toEqual([
      1, 576, 512, 256, 256, 512,
    ]);
    expect(Object.values(await keys("deepseek-v3:671b", ...names))).toEqual([
      128,
      192,
      128,
      undefined,
      undefined,
      512,
    ]);
    expect(await dims("glm-4.7-flash", "blk.1.attn_k_b.weight")).toEqual([192, 512, 20]);
    expect(await dims("deepseek-v3:671b", "blk.1.attn_kv_b.weight")).toEqual([512, 32_768]);
  });

  test("of experts say how they are chosen", async () => {
    const names = ["expert_gating_func", "expert_weights_norm", "expert_weights_scale"];
    const values = async (reference: string) => Object.values(await keys(reference, ...names));
    expect(await values("deepseek-v3:671b")).toEqual([2, true, 2.5]);
    expect(await values("deepseek-v2:236b")).toEqual([undefined, undefined, 16]);
    expect(await values("deepseek-v2:16b")).toEqual([undefined, undefined, 1]);
    expect(await values("qwen3:30b")).toEqual([undefined, undefined, undefined]);
    expect(await keys("llama4:128x17b", "interleave_moe_layer_step", "expert_count")).toEqual({
      interleave_moe_layer_step: 2,
      expert_count: 128,
    });
  });

  test("of recurrent blocks", async () => {
    const found = await keys(
      "granite4:7b-a1b-h",
      "ssm.conv_kernel",
      "ssm.inner_size",
      "ssm.state_size",
      "ssm.time_step_rank",
      "ssm.group_count",
      "rope.scaling.finetuned",
    );
    expect(Object.values(found)).toEqual([4, 3072, 128, 48, 1, false]);
    // ssm_norm and the states' numbers as llama.cpp's converter shapes them.
    expect(await dims("granite4:7b-a1b-h", "blk.0.ssm_a")).toEqual([1, 48]);
    expect(await dims("granite4:7b-a1b-h", "blk.0.ssm_norm.weight")).toEqual([3072, 1]);
    expect(await keys("lfm2.5-thinking", "shortconv.l_cache", "feed_forward_length")).toEqual({
      "shortconv.l_cache": 3,
      feed_forward_length: 8192,
    });
    expect(await keys("qwen3-next:80b", "full_attention_interval", "block_count")).toEqual({
      full_attention_interval: 4,
      block_count: 48,
    });
  });

  test("count the blocks that predict further tokens", async () => {
    expect(await keys("qwen3.5:9b", "block_count", "nextn_predict_layers")).toEqual({
      block_count: 33,
      nextn_predict_layers: 1,
    });
    expect(await dims("qwen3.5:9b", "blk.32.nextn.eh_proj.weight")).toEqual([8192, 4096]);
  });

  test("of models for embeddings", async () => {
    const names = ["pooling_type", "attention.causal"];
    const values = async (reference: string) => Object.values(await keys(reference, ...names));
    expect(await values("all-minilm")).toEqual([1, false]);
    expect(await values("mxbai-embed-large")).toEqual([2, false]);
    expect(await values("nomic-embed-text")).toEqual([1, false]);
    expect(await values("qwen3-embedding:8b")).toEqual([3, undefined]);
    expect(await values("qwen3:8b")).toEqual([undefined, undefined]);
  });

  test("of positions in pictures, and of what is added for them", async () => {
    expect(await keys("qwen3-vl:8b", "rope.dimension_sections", "n_deepstack_layers")).toEqual({
      "rope.dimension_sections": [24, 20, 20, 0],
      n_deepstack_layers: 3,
    });
    expect(await keys("qwen2.5vl:7b", "rope.dimension_sections")).toEqual({
      "rope.dimension_sections": [16, 24, 24, 0],
    });
  });

  test("of scales that cost an operation", async () => {
    const names = ["logit_scale", "residual_scale", "embedding_scale"];
    const there = async (reference: string) =>
      Object.values(await keys(reference, ...names)).map((value) => value !== undefined);
    expect(await there("granite3.3:8b")).toEqual([true, true, true]);
    expect(await there("command-r:35b")).toEqual([true, false, false]);
    expect(await there("llama3.1:8b")).toEqual([false, false, false]);
    expect(await keys("gemma2:9b", "attn_logit_softcapping", "final_logit_softcapping")).toEqual({
      attn_logit_softcapping: 50,
      final_logit_softcapping: 30,
    });
  });
});

describe("tensors", () => {
  test("have llama.cpp's names where Ollama's file has others", async () => {
    const names = new Set((await header("gpt-oss:20b")).tensors.map(({ name }) => name));
    for (const name of ["attn_sinks.weight", "post_attention_norm.weight", "attn_output.weight"]) {
      expect(names, name).toContain(`blk.0.${name}`);
    }
    expect(names).not.toContain("blk.0.ffn_norm.weight");
    const lfm = new Set((await header("lfm2.5-thinking")).tensors.map(({ name }) => name));
    expect(lfm).toContain("token_embd_norm.weight");
    expect(lfm).not.toContain("output_norm.weight");
  });

  test("lack the rows that stand for pictures and sound", async () => {
    const { keys: own } = await header("gemma3n:e4b");
    expect(await dims("gemma3n:e4b", "token_embd.weight")).toEqual([2048, 262_144]);
    expect(own.get("gemma3n.vocab_size")).toBe(262_144);
    expect(own.get("tokenizer.ggml.tokens")).toEqual({ length: 262_144 });
  });

  test("are not padded", async () => {
    const { tensors } = await header("phi3:3.8b");
    const factors = tensors.find(({ name }) => name === "rope_factors_long.weight");
    expect(factors).toEqual({
      name: "rope_factors_long.weight",
      type: "F32",
      dims: [48],
      bytes: 192,
    });
    const { tensors: gpt } = await header("gpt-oss:20b");
    const bias = gpt.find(({ name }) => name === "blk.0.ffn_gate_exps.bias");
    expect(bias).toEqual({
      name: "blk.0.ffn_gate_exps.bias",
      type: "F32",
      dims: [2880, 32],
      bytes: 2880 * 32 * 4,
    });
  });

  test("are the weights, without a tower and never scaled", async () => {
    const { entries } = await loadCatalogue();
    let without = 0;
    for (const { id, gguf, vision } of entries) {
      const { header: found, weights, exact, fileBytes } = (await catalogueModel(id))!;
      if (!found) {
        expect(gguf.architecture).toBe("mllama");
        without++;
        continue;
      }
      const { tensors } = found;
      expect(new Set(tensors.map(({ name }) => name)).size, id).toBe(tensors.length);
      const last = gguf.block_count + (gguf.extra?.mtp_layers ?? 0);
      const odd = tensors.filter(
        ({ name, dims: lengths, bytes }) =>
          /^(?:[avs]|mm)\./.test(name) ||
          !(Number.isSafeInteger(bytes) && bytes > 0) ||
          lengths.length > 4 ||
          Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0) >= last,
      );
      expect(odd, id).toEqual([]);
      if (!exact || vision || gguf.extra?.per_layer_vocab) continue;
      const sum = tensors.reduce((total, { bytes }) => total + bytes, 0);
      expect(weights.total - sum, id).toBeGreaterThanOrEqual(0);
      // Padding, and where the file is a little larger than what is recomputed.
      expect(weights.total - sum, id).toBeLessThan(fileBytes / 1000 + 32 * tensors.length);
    }
    expect(without).toBe(2);
  });
});

/** Of each architecture the smallest model. */
function smallest(entries: readonly CatalogueEntry[]): CatalogueEntry[] {
  const found = new Map<string, CatalogueEntry>();
  for (const entry of entries) {
    const { architecture, block_count: blocks } = entry.gguf;
    const other = found.get(architecture);
    if (!other || blocks < other.gguf.block_count) found.set(architecture, entry);
  }
  return [...found.values()];
}

test("memory can be computed from every kind, and its cache is the catalogue's", async () => {
  const { entries } = await loadCatalogue();
  const context = 16_384;
  const run = {
    context,
    batch: 512,
    microBatch: 512,
    sequences: 1,
    unifiedCache: false,
    typeK: "f16",
    typeV: "f16",
    flashAttention: true,
  };
  let compared = 0;
  for (const { id, gguf, kvCache } of smallest(entries)) {
    const model = (await catalogueModel(id))!;
    if (!model.header) continue;
    const { cache, compute } = allocate(model.header, [], run, { folds: true }).host;
    expect(compute, id).toBeGreaterThan(0);
    // Only Ollama's own engine keeps keys and values apart there, or a window of 8192 tokens.
    if (gguf.extra?.absorbed || gguf.architecture === "llama4") continue;
    const of = (key: string) => kvCache[key] ?? 0;
    const window = Math.ceil(((gguf.sliding_window ?? 0) + 512) / 256) * 256;
    const full = (of("kFull") + of("vFull")) * context;
    const elements = full + (of("kWindow") + of("vWindow")) * Math.min(context, window);
    const encodes = cache === 0 && ofBlock(gguf.head_count_kv, 0) > 0;
    expect(encodes, id).toBe(/bert|gemma-embedding/.test(gguf.architecture));
    if (!encodes) expect(Math.abs(cache - 2 * elements), id).toBeLessThan(64 * gguf.block_count);
    compared++;
  }
  expect(compared).toBeGreaterThan(40);
});

import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { allocate } from "../src/memory/allocate.js";
import { InputError, type Host } from "../src/host.js";
import { catalogueEntry, catalogueModel } from "../src/models/catalogue.js";
import { checkpointShape } from "../src/models/checkpoint.js";
import type { JsonRecord } from "../src/models/json.js";
import type { Model } from "../src/models/model.js";
import { folderModel } from "../src/models/safetensors.js";
import { modelTensors } from "../src/models/tensors.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";

/** Name, type, lengths with the row length last. */
type Stored = readonly [name: string, type: string, ...shape: number[]];

/** A file of which only the start is there; `size` is said to be its own. */
interface File {
  start: Uint8Array;
  size?: number;
}

const bits: Readonly<Record<string, number>> = {
  BF16: 16,
  F16: 16,
  F32: 32,
  F8_E4M3: 8,
  U8: 8,
  I32: 32,
};

function encoded(header: string): Uint8Array {
  const json = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + json.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

/** The header of a file with these tensors, which claims to hold their data. */
function safetensors(tensors: readonly Stored[]): File {
  let end = 0;
  const entries = tensors.map(([name, dtype, ...shape]) => {
    const start = end;
    end += (shape.reduce((product, length) => product * length, 1) * (bits[dtype] ?? 16)) / 8;
    return [name, { dtype, shape, data_offsets: [start, end] }];
  });
  const metadata = ["__metadata__", { format: "pt" }];
  const start = encoded(JSON.stringify(Object.fromEntries([metadata, ...entries])));
  return { start, size: start.length + end };
}

type Files = Readonly<Record<string, File | string>>;

function hostWith(files: Files): Host {
  const at = (path: string): File | undefined => {
    const file = files[path.replace("/m/", "")];
    return typeof file === "string" ? { start: new TextEncoder().encode(file) } : file;
  };
  return {
    resolve: (folder, path) => (path.startsWith("/") ? path : `${folder}/${path}`),
    stat: async (path) => {
      if (path === "/m") return { kind: "folder", size: 0 };
      const file = at(path);
      return file && { kind: "file", size: file.size ?? file.start.length };
    },
    read: async (path, from, to) => at(path)!.start.slice(from, to),
    list: async () => Object.keys(files),
    variable: () => undefined,
  };
}

function read(files: Files, path = "/m"): Promise<Model> {
  return folderModel(path, hostWith(files), path === "/m" ? "./m" : path.slice(3));
}

async function complaint(files: Files, path?: string): Promise<string> {
  const error: unknown = await read(files, path).then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  return error.message;
}

function checkpoint(config: object, tensors: readonly Stored[]): Files {
  return { "config.json": JSON.stringify(config), "model.safetensors": safetensors(tensors) };
}

const times = (count: number) => Array.from({ length: count }, (_, index) => index);

/** Names and shapes as transformers saves a model of the Llama kind. */
function llamaTensors({
  blocks,
  width,
  inner,
  heads,
  headsKv,
  headLength = width / heads,
  vocabulary,
  output = false,
  bias = false,
  type = "BF16",
}: {
  blocks: number;
  width: number;
  inner: number;
  heads: number;
  headsKv: number;
  headLength?: number;
  vocabulary: number;
  output?: boolean;
  bias?: boolean;
  type?: string;
}): Stored[] {
  const keys = headsKv * headLength;
  return [
    ["model.embed_tokens.weight", type, vocabulary, width],
    ["model.norm.weight", type, width],
    ...(output ? [["lm_head.weight", type, vocabulary, width] as const] : []),
    ...times(blocks).flatMap((block): Stored[] => {
      const at = `model.layers.${block}`;
      const rows = { q_proj: heads * headLength, k_proj: keys, v_proj: keys };
      return [
        [`${at}.input_layernorm.weight`, type, width],
        [`${at}.post_attention_layernorm.weight`, type, width],
        ...Object.entries(rows).flatMap(([part, length]): Stored[] => [
          [`${at}.self_attn.${part}.weight`, type, length, width],
          ...(bias ? [[`${at}.self_attn.${part}.bias`, type, length] as const] : []),
        ]),
        [`${at}.self_attn.o_proj.weight`, type, width, heads * headLength],
        [`${at}.mlp.gate_proj.weight`, type, inner, width],
        [`${at}.mlp.up_proj.weight`, type, inner, width],
        [`${at}.mlp.down_proj.weight`, type, width, inner],
      ];
    }),
  ];
}

/** config.json of Llama 3.2 1B. */
const llama1b = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  attention_bias: false,
  mlp_bias: false,
  bos_token_id: 128_000,
  eos_token_id: [128_001, 128_008, 128_009],
  head_dim: 64,
  hidden_size: 2048,
  intermediate_size: 8192,
  max_position_embeddings: 131_072,
  num_attention_heads: 32,
  num_hidden_layers: 16,
  num_key_value_heads: 8,
  rope_scaling: {
    factor: 32,
    high_freq_factor: 4,
    low_freq_factor: 1,
    original_max_position_embeddings: 8192,
    rope_type: "llama3",
  },
  rope_theta: 500_000,
  tie_word_embeddings: true,
  vocab_size: 128_256,
};

const shape1b = {
  blocks: 16,
  width: 2048,
  inner: 8192,
  heads: 32,
  headsKv: 8,
  vocabulary: 128_256,
};
const tensors1b = llamaTensors(shape1b);
const files1b = checkpoint(llama1b, tensors1b);

/** A matrix in FP8, and what its squares are multiplied by. */
function matrix(name: string, rows: number, columns: number): Stored[] {
  return [
    [`${name}.weight`, "F8_E4M3", rows, columns],
    [`${name}.weight_scale_inv`, "F32", Math.ceil(rows / 128), Math.ceil(columns / 128)],
  ];
}

function feedForward(at: string, inner: number): Stored[] {
  return [
    ...matrix(`${at}.gate_proj`, inner, 512),
    ...matrix(`${at}.up_proj`, inner, 512),
    ...matrix(`${at}.down_proj`, 512, inner),
  ];
}

function named(tensors: readonly { name: string; dims: readonly number[] }[]) {
  return tensors.map(({ name, dims }) => ({ name, dims }));
}

describe("a folder of safetensors", () => {
  test("is what Ollama would convert it to, as the library has it in half precision", async () => {
    const model = await read(files1b);
    const like = (await catalogueModel("llama3.2:1b-instruct-fp16"))!;
    expect(model).toMatchObject({
      name: "./m",
      source: "folder",
      exact: true,
      quantisation: "BF16",
      tokenizer: { tokens: 128_256, bos: 128_000 },
    });
    expect(model.shape).toEqual(like.shape);
    expect(model.weights.blocks).toEqual(like.weights.blocks);
    expect(model.weights.output).toBe(0);
    // Two bytes an element of the matrices, four of the norms and of the 32 rotary factors.
    expect(model.weights.total).toBe(1_235_746_816 * 2 + 67_584 * 4 + 32 * 4);
    expect(model.fileBytes).toBeGreaterThan(model.weights.total);
    expect(named(model.header!.tensors)).toEqual(named(like.header!.tensors));
    const type = "general.file_type";
    const keys = new Map(like.header!.keys).set(type, model.header!.keys.get(type)!);
    expect(model.header!.keys).toEqual(keys);
  });

  test("in several files", async () => {
    const half = Math.floor(tensors1b.length / 2);
    const map = Object.fromEntries(
      tensors1b.map(([name], index) => [
        name,
        `model-0000${index < half ? 1 : 2}-of-00002.safetensors`,
      ]),
    );
    const model = await read({
      "config.json": JSON.stringify(llama1b),
      "model.safetensors.index.json": JSON.stringify({ weight_map: map }),
      "model-00001-of-00002.safetensors": safetensors(tensors1b.slice(0, half)),
      "model-00002-of-00002.safetensors": safetensors(tensors1b.slice(half)),
      "adapter_model.safetensors": "not looked at",
    });
    expect(model.weights).toEqual((await read(files1b)).weights);
  });

  test("with an output of its own, in F16 from F32, with biases", async () => {
    const shape = {
      blocks: 24,
      width: 896,
      inner: 4864,
      heads: 14,
      headsKv: 2,
      vocabulary: 151_936,
    };
    const config = {
      architectures: ["Qwen2ForCausalLM"],
      hidden_size: 896,
      intermediate_size: 4864,
      max_position_embeddings: 32_768,
      num_attention_heads: 14,
      num_hidden_layers: 24,
      num_key_value_heads: 2,
      vocab_size: 151_936,
    };
    const tied = await read(
      checkpoint(config, llamaTensors({ ...shape, bias: true, type: "F32" })),
    );
    expect(tied).toMatchObject({
      exact: true,
      quantisation: "F16",
      shape: { architecture: "qwen2" },
    });
    // Qwen2.5 0.5B: the published number of parameters.
    const elements = tied.header!.tensors.reduce(
      (sum, { dims }) => sum + dims.reduce((product, length) => product * length, 1),
      0,
    );
    expect(elements).toBe(494_032_768);
    const untied = llamaTensors({ ...shape, bias: true, output: true });
    expect((await read(checkpoint(config, untied))).weights.output).toBe(151_936 * 896 * 2);
    // A tensor that config.json does not tell of.
    const more: Stored[] = [...untied, ["model.surprise.weight", "BF16", 10, 10]];
    expect((await read(checkpoint(config, more))).exact).toBe(false);
  });

  test("experts, one tensor each", async () => {
    const plain = llamaTensors({ ...shape1b, output: true }).filter(
      ([name]) => !name.includes(".mlp."),
    );
    const experts = times(16).flatMap((block): Stored[] => [
      [`model.layers.${block}.block_sparse_moe.gate.weight`, "BF16", 8, 2048],
      ...times(8).flatMap((expert): Stored[] => {
        const at = `model.layers.${block}.block_sparse_moe.experts.${expert}`;
        return [
          [`${at}.w1.weight`, "BF16", 8192, 2048],
          [`${at}.w2.weight`, "BF16", 2048, 8192],
          [`${at}.w3.weight`, "BF16", 8192, 2048],
        ];
      }),
    ]);
    const { rope_scaling: _rope, ...config } = llama1b;
    const model = await read(
      checkpoint(
        {
          ...config,
          architectures: ["MixtralForCausalLM"],
          num_local_experts: 8,
          num_experts_per_tok: 2,
        },
        [...plain, ...experts],
      ),
    );
    expect(model).toMatchObject({ exact: true, shape: { architecture: "llama", experts: 8 } });
    const gate = model.header!.tensors.find(({ name }) => name === "blk.3.ffn_gate_exps.weight");
    expect(gate).toEqual({
      name: "blk.3.ffn_gate_exps.weight",
      type: "BF16",
      dims: [2048, 8192, 8],
      bytes: 2048 * 8192 * 8 * 2,
    });
    expect(model.header!.keys.get("llama.expert_used_count")).toBe(2);
  });

  test("a tower for pictures counts, and is none of the text model's", async () => {
    const shape = {
      blocks: 34,
      width: 2560,
      inner: 10_240,
      heads: 8,
      headsKv: 4,
      headLength: 256,
      vocabulary: 262_208,
    };
    const text = llamaTensors(shape).flatMap((tensor): Stored[] => {
      const [name, type] = tensor;
      const renamed: Stored = [`language_model.${name}`, type, ...tensor.slice(2).map(Number)];
      if (!name.endsWith("input_layernorm.weight")) return [renamed];
      const at = `language_model.${name.slice(0, -"input_layernorm.weight".length)}`;
      return [
        renamed,
        [`${at}pre_feedforward_layernorm.weight`, type, 2560],
        [`${at}post_feedforward_layernorm.weight`, type, 2560],
        [`${at}self_attn.q_norm.weight`, type, 256],
        [`${at}self_attn.k_norm.weight`, type, 256],
      ];
    });
    const tower: Stored[] = [
      ["vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight", "BF16", 4304, 1152],
      ["vision_tower.vision_model.encoder.layers.0.mlp.fc1.bias", "BF16", 4304],
      ["multi_modal_projector.mm_input_projection_weight", "BF16", 1152, 2560],
    ];
    // The heads of Gemma 3 4B stand in code alone.
    const config = {
      architectures: ["Gemma3ForConditionalGeneration"],
      text_config: {
        hidden_size: 2560,
        intermediate_size: 10_240,
        num_hidden_layers: 34,
        sliding_window: 1024,
      },
      vision_config: { hidden_size: 1152 },
    };
    const model = await read(checkpoint(config, [...text, ...tower]));
    expect(model).toMatchObject({
      exact: true,
      shape: {
        architecture: "gemma3",
        heads: 8,
        headsKv: 4,
        keyLength: 256,
        slidingWindow: 1024,
        trainedContext: 131_072,
      },
    });
    expect(model.weights.other).toBe((4304 * 1152 + 1152 * 2560) * 2 + 4304 * 4);
    expect(model.header!.tensors.some(({ name }) => /^(?:v|mm)\./.test(name))).toBe(false);
    expect(model.header!.keys.get("gemma3.attention.sliding_window_pattern")).toBe(6);
  });

  test("gpt-oss stays in MXFP4", async () => {
    const blocks = times(2).flatMap((block): Stored[] => {
      const at = `model.layers.${block}`;
      return [
        [`${at}.input_layernorm.weight`, "BF16", 2880],
        [`${at}.post_attention_layernorm.weight`, "BF16", 2880],
        [`${at}.self_attn.q_proj.weight`, "BF16", 4096, 2880],
        [`${at}.self_attn.q_proj.bias`, "BF16", 4096],
        ...["k_proj", "v_proj"].flatMap((part): Stored[] => [
          [`${at}.self_attn.${part}.weight`, "BF16", 512, 2880],
          [`${at}.self_attn.${part}.bias`, "BF16", 512],
        ]),
        [`${at}.self_attn.o_proj.weight`, "BF16", 2880, 4096],
        [`${at}.self_attn.o_proj.bias`, "BF16", 2880],
        [`${at}.self_attn.sinks`, "BF16", 64],
        [`${at}.mlp.router.weight`, "BF16", 32, 2880],
        [`${at}.mlp.router.bias`, "BF16", 32],
        [`${at}.mlp.experts.gate_up_proj_blocks`, "U8", 32, 5760, 90, 16],
        [`${at}.mlp.experts.gate_up_proj_scales`, "U8", 32, 5760, 90],
        [`${at}.mlp.experts.gate_up_proj_bias`, "BF16", 32, 5760],
        [`${at}.mlp.experts.down_proj_blocks`, "U8", 32, 2880, 90, 16],
        [`${at}.mlp.experts.down_proj_scales`, "U8", 32, 2880, 90],
        [`${at}.mlp.experts.down_proj_bias`, "BF16", 32, 2880],
      ];
    });
    const config = {
      architectures: ["GptOssForCausalLM"],
      head_dim: 64,
      hidden_size: 2880,
      intermediate_size: 2880,
      max_position_embeddings: 131_072,
      num_attention_heads: 64,
      num_experts_per_tok: 4,
      num_hidden_layers: 2,
      num_key_value_heads: 8,
      num_local_experts: 32,
      quantization_config: { quant_method: "mxfp4" },
      sliding_window: 128,
    };
    const model = await read(
      checkpoint(config, [
        ["model.embed_tokens.weight", "BF16", 201_088, 2880],
        ["model.norm.weight", "BF16", 2880],
        ["lm_head.weight", "BF16", 201_088, 2880],
        ...blocks,
      ]),
    );
    expect(model).toMatchObject({
      exact: true,
      quantisation: "MXFP4",
      shape: { architecture: "gptoss" },
    });
    const like = (await catalogueModel("gpt-oss:20b"))!;
    const [ours, theirs] = [model, like].map(({ header: other }) =>
      other!.tensors.filter(({ name }) => name.startsWith("blk.1.")),
    );
    expect(ours).toEqual(theirs);
    expect(model.header!.keys.get("general.architecture")).toBe("gpt-oss");
  });

  test("DeepSeek in FP8 becomes Q8_0 in some releases, without the block that predicts more", async () => {
    const config = {
      architectures: ["DeepseekV3ForCausalLM"],
      first_k_dense_replace: 1,
      hidden_size: 512,
      intermediate_size: 1024,
      kv_lora_rank: 256,
      max_position_embeddings: 4096,
      moe_intermediate_size: 256,
      n_routed_experts: 4,
      n_shared_experts: 1,
      num_attention_heads: 4,
      num_experts_per_tok: 2,
      num_hidden_layers: 2,
      num_key_value_heads: 4,
      q_lora_rank: 256,
      qk_nope_head_dim: 64,
      qk_rope_head_dim: 32,
      quantization_config: { quant_method: "fp8", weight_block_size: [128, 128] },
      v_head_dim: 64,
    };
    const layers = times(3).flatMap((block): Stored[] => {
      const at = `model.layers.${block}`;
      return [
        [`${at}.input_layernorm.weight`, "BF16", 512],
        [`${at}.post_attention_layernorm.weight`, "BF16", 512],
        [`${at}.self_attn.q_a_layernorm.weight`, "BF16", 256],
        [`${at}.self_attn.kv_a_layernorm.weight`, "BF16", 256],
        ...matrix(`${at}.self_attn.q_a_proj`, 256, 512),
        ...matrix(`${at}.self_attn.q_b_proj`, 4 * 96, 256),
        ...matrix(`${at}.self_attn.kv_a_proj_with_mqa`, 256 + 32, 512),
        ...matrix(`${at}.self_attn.kv_b_proj`, 4 * 128, 256),
        ...matrix(`${at}.self_attn.o_proj`, 512, 4 * 64),
        ...(block === 0
          ? feedForward(`${at}.mlp`, 1024)
          : [
              [`${at}.mlp.gate.weight`, "BF16", 4, 512] as const,
              [`${at}.mlp.gate.e_score_correction_bias`, "F32", 4] as const,
              ...feedForward(`${at}.mlp.shared_experts`, 256),
              ...times(4).flatMap((expert) => feedForward(`${at}.mlp.experts.${expert}`, 256)),
            ]),
      ];
    });
    const tensors: Stored[] = [
      ["model.embed_tokens.weight", "BF16", 1000, 512],
      ["model.norm.weight", "BF16", 512],
      ["lm_head.weight", "BF16", 1000, 512],
      ...layers,
    ];
    const model = await read(checkpoint(config, tensors));
    expect(model).toMatchObject({
      exact: false,
      quantisation: "Q8_0",
      shape: { architecture: "deepseek2", blocks: 2, experts: 4, keyLength: 96, valueLength: 64 },
    });
    expect(model.header!.keys.get("deepseek2.expert_gating_func")).toBe(2);
    expect(model.header!.tensors.some(({ name }) => name.startsWith("blk.2."))).toBe(false);
  });

  test("is something to compute memory from", async () => {
    const { header } = await read(files1b);
    const run = {
      context: 4096,
      batch: 512,
      microBatch: 512,
      sequences: 1,
      unifiedCache: false,
      typeK: "f16",
      typeV: "f16",
      flashAttention: true,
    };
    // 16 blocks, 8 heads of 64 elements, keys and values of two bytes.
    expect(allocate(header!, [], run).host.cache).toBe(4096 * 16 * 8 * 64 * 2 * 2);
  });

  test("an architecture that is converted and not known tensor by tensor is known by its sizes", async () => {
    const config = { ...llama1b, architectures: ["LagunaForCausalLM"], model_type: "laguna" };
    const model = await read(checkpoint(config, tensors1b));
    expect(model).toMatchObject({
      exact: false,
      quantisation: "BF16",
      shape: { architecture: "laguna", blocks: 16 },
    });
    expect(model.header).toBeUndefined();
    expect(model.weights.total).toBe(1_235_746_816 * 2 + 67_584 * 4);
    expect(model.weights.input).toBe(128_256 * 2048 * 2);
    expect(new Set(model.weights.blocks).size).toBe(1);
  });

  test("EXL2 is for another engine, and as large as it is stored", async () => {
    const config = { ...llama1b, quantization_config: { quant_method: "exl2", bits: 4 } };
    const packed = tensors1b.map(([name, ...rest]): Stored =>
      name.endsWith("_proj.weight")
        ? [name.replace(".weight", ".q_weight"), "I32", 64, 256]
        : [name, ...rest],
    );
    const model = await read(checkpoint(config, packed));
    expect(model).toMatchObject({ exact: false, quantisation: "EXL2", source: "folder" });
    expect(model.weights.blocks[0]).toBe(7 * 64 * 256 * 4 + 2 * 2048 * 2);
    expect(model.header).toBeUndefined();
    // Whatever the architecture: Ollama is not asked.
    const other = { ...config, architectures: ["Qwen3ForCausalLM"], model_type: "qwen3" };
    expect((await read(checkpoint(other, packed))).shape.architecture).toBe("qwen3");
  });

  test("brings its chat template", async () => {
    const settings = JSON.stringify({ chat_template: "{{ old }}" });
    expect(await read({ ...files1b, "tokenizer_config.json": settings })).toMatchObject({
      template: { text: "{{ old }}", language: "jinja" },
    });
    const both = {
      ...files1b,
      "tokenizer_config.json": settings,
      "chat_template.jinja": "{{ new }}",
    };
    expect((await read(both)).template?.text).toBe("{{ new }}");
  });

  test("numbers that are none in JSON are read as Ollama reads them", async () => {
    const config = JSON.stringify({ ...llama1b, router: "NaN" }).replace(
      '"NaN"',
      "[NaN, -Infinity]",
    );
    expect((await read({ ...files1b, "config.json": config })).exact).toBe(true);
  });
});

/** What the checkpoints of library models say of themselves, and tensors that tell of the rest. */
const checkpoints: [id: string, config: JsonRecord, tensors: Readonly<Record<string, number[]>>][] =
  [
    [
      "phi3.5:3.8b",
      {
        architectures: ["Phi3ForCausalLM"],
        hidden_size: 3072,
        intermediate_size: 8192,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 32,
        max_position_embeddings: 131072,
        vocab_size: 32064,
        rope_scaling: { type: "longrope", long_factor: Array(48).fill(1) },
      },
      { "lm_head.weight": [1] },
    ],
    [
      "lfm2.5-thinking:1.2b",
      {
        architectures: ["Lfm2ForCausalLM"],
        hidden_size: 2048,
        num_hidden_layers: 16,
        num_attention_heads: 32,
        num_key_value_heads: 8,
        vocab_size: 65536,
        conv_L_cache: 3,
        full_attn_idxs: [2, 5, 8, 10, 12, 14],
      },
      { "feed_forward.w1.weight": [8192, 2048] },
    ],
    [
      "qwen3-next:80b",
      {
        architectures: ["Qwen3NextForCausalLM"],
        hidden_size: 2048,
        intermediate_size: 5120,
        num_hidden_layers: 48,
        num_attention_heads: 16,
        num_key_value_heads: 2,
        head_dim: 256,
        vocab_size: 151936,
        linear_num_value_heads: 32,
        linear_num_key_heads: 16,
        linear_key_head_dim: 128,
        linear_value_head_dim: 128,
        linear_conv_kernel_dim: 4,
        full_attention_interval: 4,
        num_experts: 512,
        num_experts_per_tok: 10,
        moe_intermediate_size: 512,
        shared_expert_intermediate_size: 512,
      },
      { "lm_head.weight": [1], "mtp.fc.weight": [1] },
    ],
    [
      "qwen3.5:0.8b",
      {
        architectures: ["Qwen3_5ForConditionalGeneration"],
        text_config: {
          hidden_size: 1024,
          intermediate_size: 3584,
          num_hidden_layers: 24,
          num_attention_heads: 8,
          num_key_value_heads: 2,
          head_dim: 256,
          vocab_size: 248320,
          linear_num_value_heads: 16,
          linear_num_key_heads: 16,
          linear_key_head_dim: 128,
          linear_value_head_dim: 128,
          linear_conv_kernel_dim: 4,
          full_attention_interval: 4,
        },
      },
      { "mtp.fc.weight": [1] },
    ],
    [
      "olmo-3:7b",
      {
        architectures: ["Olmo3ForCausalLM"],
        hidden_size: 4096,
        intermediate_size: 11008,
        num_hidden_layers: 32,
        num_attention_heads: 32,
        num_key_value_heads: 32,
        vocab_size: 100278,
        sliding_window: 4096,
      },
      { "lm_head.weight": [1] },
    ],
    [
      "all-minilm:22m",
      {
        architectures: ["BertModel"],
        hidden_size: 384,
        intermediate_size: 1536,
        num_hidden_layers: 6,
        num_attention_heads: 12,
        type_vocab_size: 2,
        vocab_size: 30522,
      },
      { "position_embeddings.weight": [512, 384] },
    ],
    [
      "command-r:35b",
      {
        architectures: ["CohereForCausalLM"],
        hidden_size: 8192,
        intermediate_size: 24576,
        num_hidden_layers: 40,
        num_attention_heads: 64,
        num_key_value_heads: 8,
        vocab_size: 256000,
        use_qk_norm: false,
      },
      {},
    ],
    [
      "gemma2:2b",
      {
        architectures: ["Gemma2ForCausalLM"],
        hidden_size: 2304,
        intermediate_size: 9216,
        num_hidden_layers: 26,
        num_attention_heads: 8,
        num_key_value_heads: 4,
        head_dim: 256,
        vocab_size: 256000,
        sliding_window: 4096,
      },
      {},
    ],
    [
      "gemma:2b",
      {
        architectures: ["GemmaForCausalLM"],
        hidden_size: 2048,
        intermediate_size: 16384,
        num_hidden_layers: 18,
        num_attention_heads: 8,
        num_key_value_heads: 1,
        head_dim: 256,
        vocab_size: 256000,
      },
      {},
    ],
    [
      "qwen2.5vl:3b",
      {
        architectures: ["Qwen2_5_VLForConditionalGeneration"],
        hidden_size: 2048,
        intermediate_size: 11008,
        num_hidden_layers: 36,
        num_attention_heads: 16,
        num_key_value_heads: 2,
        vocab_size: 151936,
      },
      {},
    ],
    [
      "qwen3-vl:30b",
      {
        architectures: ["Qwen3VLMoeForConditionalGeneration"],
        text_config: {
          hidden_size: 2048,
          intermediate_size: 6144,
          num_hidden_layers: 48,
          num_attention_heads: 32,
          num_key_value_heads: 4,
          head_dim: 128,
          vocab_size: 151936,
          num_experts: 128,
          num_experts_per_tok: 8,
          moe_intermediate_size: 768,
        },
      },
      { "lm_head.weight": [1] },
    ],
    [
      "mistral-small3.1:24b",
      {
        architectures: ["Mistral3ForConditionalGeneration"],
        text_config: {
          hidden_size: 5120,
          intermediate_size: 32768,
          num_hidden_layers: 40,
          num_attention_heads: 32,
          num_key_value_heads: 8,
          head_dim: 128,
          vocab_size: 131072,
        },
      },
      { "lm_head.weight": [1] },
    ],
    [
      "deepseek-v3:671b",
      {
        architectures: ["DeepseekV3ForCausalLM"],
        hidden_size: 7168,
        intermediate_size: 18432,
        num_hidden_layers: 61,
        num_attention_heads: 128,
        num_key_value_heads: 128,
        vocab_size: 129280,
        first_k_dense_replace: 3,
        kv_lora_rank: 512,
        q_lora_rank: 1536,
        qk_nope_head_dim: 128,
        qk_rope_head_dim: 64,
        v_head_dim: 128,
        n_routed_experts: 256,
        n_shared_experts: 1,
        num_experts_per_tok: 8,
        moe_intermediate_size: 2048,
      },
      { "lm_head.weight": [1], e_score_correction_bias: [256] },
    ],
  ];

test.each(checkpoints)(
  "the tensors of %s follow from its config.json",
  async (id, config, shapes) => {
    const shape = checkpointShape({ config, shapeOf: (end) => shapes[end] });
    const like = (await catalogueEntry(id))!.gguf;
    expect(named(modelTensors(shape!))).toEqual(named(modelTensors(like)));
  },
);

describe("a folder of GGUF files", () => {
  const { metadata, tensors } = smallLlama();
  const gguf = { start: ggufHeader(metadata, tensors) };

  test("is the file in it", async () => {
    expect(await read({ "x.gguf": gguf, "mmproj-x.gguf": gguf, "README.md": "" })).toMatchObject({
      source: "gguf",
      name: "./m",
      exact: true,
    });
  });

  test("is the last of several, and nobody knows for sure", async () => {
    expect((await read({ "a.gguf": gguf, "b.gguf": gguf })).exact).toBe(false);
  });

  test("is not looked at beside safetensors", async () => {
    expect((await read({ ...files1b, "x.gguf": gguf })).source).toBe("folder");
  });
});

const config = JSON.stringify(llama1b);

function refusing(part: "list" | "read"): Host {
  return { ...hostWith(files1b), [part]: () => Promise.reject(new Error("EACCES")) };
}

const one: File = safetensors([["model.embed_tokens.weight", "BF16", 8, 4]]);
const header = (entry: object) => ({
  start: encoded(JSON.stringify({ "a.b": entry })),
  size: 1000,
});
const sound = { dtype: "BF16", shape: [2, 2], data_offsets: [0, 8] };

describe("what is no model", () => {
  test.each<[string, Files, string]>([
    [
      "nothing",
      {},
      '"./m" holds no model: no *.safetensors and no *.gguf. Name the folder with the weights.',
    ],
    [
      "an adapter",
      { "adapter_config.json": "{}", "adapter_model.safetensors": one },
      "is an adapter and no model. Name it in ADAPTER.",
    ],
    ["an adapter of MLX", { "adapters.safetensors": one }, "is an adapter and no model."],
    [
      "PyTorch",
      { "config.json": config, "pytorch_model.bin": "" },
      "holds PyTorch weights, which are not read here.",
    ],
    [
      "no config.json",
      { "model.safetensors": one },
      "has no config.json, which says what the model is. Download it.",
    ],
    [
      "a broken config.json",
      { ...files1b, "config.json": "{" },
      "has a damaged config.json. Download it again.",
    ],
    ["a list", { ...files1b, "config.json": "[]" }, "has a damaged config.json."],
    [
      "a huge config.json",
      { ...files1b, "config.json": " ".repeat(2 ** 20 + 1) },
      "has a config.json that is too large to be one.",
    ],
    [
      "no architecture",
      { ...files1b, "config.json": "{}" },
      "has no architectures in its config.json.",
    ],
    [
      "no shape",
      { ...files1b, "config.json": '{"architectures":["LlamaForCausalLM"]}' },
      "has a config.json without num_hidden_layers or hidden_size.",
    ],
    [
      "too many blocks",
      {
        ...files1b,
        "config.json": config.replace(
          '"num_hidden_layers":16',
          '"num_hidden_layers":1000000000000',
        ),
      },
      "has a config.json without num_hidden_layers",
    ],
    [
      "an unknown architecture",
      { ...files1b, "config.json": config.replace("LlamaForCausalLM", "Qwen3ForCausalLM") },
      "is a Qwen3ForCausalLM, which Ollama does not convert. Make a GGUF file of it with llama.cpp's convert_hf_to_gguf.py and name that.",
    ],
    [
      "a missing file",
      {
        ...files1b,
        "model.safetensors.index.json":
          '{"weight_map":{"a":"model.safetensors","b":"model-2.safetensors"}}',
      },
      'is not complete: "model-2.safetensors" is missing of 2 files.',
    ],
    [
      "missing files",
      { ...files1b, "model.safetensors.index.json": '{"weight_map":{"a":"x","b":"y","c":"z"}}' },
      'is not complete: "x" and 2 more are missing of 3 files.',
    ],
    [
      "a broken index",
      { ...files1b, "model.safetensors.index.json": "x" },
      "has a damaged model.safetensors.index.json.",
    ],
    [
      "a tensor twice",
      { "config.json": config, "model-1.safetensors": one, "model-2.safetensors": one },
      'holds the tensor "model.embed_tokens.weight" in two files.',
    ],
    [
      "no tensors",
      { "config.json": config, "model.safetensors": { start: encoded("{}") } },
      "holds no tensors.",
    ],
    [
      "a pointer",
      {
        "config.json": config,
        "model.safetensors": "version https://git-lfs.github.com/spec/v1\noid sha256:00\n",
      },
      '"model.safetensors" is a Git LFS pointer and not the file itself. Run `git lfs pull`.',
    ],
    [
      "a web page",
      { "config.json": config, "model.safetensors": "<!DOCTYPE html><html>" },
      'is no safetensors file: it starts with "<!DO". Download the file itself, not its web page.',
    ],
    [
      "an empty file",
      { "config.json": config, "model.safetensors": "" },
      '"model.safetensors" is empty.',
    ],
    [
      "a start alone",
      { "config.json": config, "model.safetensors": "abc" },
      "ends inside its header.",
    ],
    [
      "half a header",
      { "config.json": config, "model.safetensors": { start: one.start.slice(0, 40) } },
      "ends inside its header. Download it again.",
    ],
    [
      "an endless header",
      {
        "config.json": config,
        "model.safetensors": {
          start: new Uint8Array([0, 0, 0, 0, 1, 0, 0, 0, 123, 125]),
          size: 2 ** 40,
        },
      },
      "has a header of more than 16 MiB, and no model needs as much.",
    ],
    [
      "no JSON",
      { "config.json": config, "model.safetensors": { start: encoded("{no") } },
      "has a damaged header: it is no JSON.",
    ],
    [
      "missing data",
      { "config.json": config, "model.safetensors": { ...one, size: one.size! - 1 } },
      "ends inside its tensors",
    ],
    [
      "a type of the future",
      { "config.json": config, "model.safetensors": header({ ...sound, dtype: "F2" }) },
      'has a tensor "a.b" of the unknown type "F2". Update modelfile-lint.',
    ],
    [
      "no type",
      { "config.json": config, "model.safetensors": header({ shape: [1] }) },
      'has a damaged header: tensor "a.b" has no type.',
    ],
    [
      "another size",
      { "config.json": config, "model.safetensors": header({ ...sound, shape: [3, 3] }) },
      'tensor "a.b" has an impossible shape or place',
    ],
    [
      "a negative place",
      { "config.json": config, "model.safetensors": header({ ...sound, data_offsets: [-8, 0] }) },
      "impossible shape or place",
    ],
    [
      "too many elements",
      {
        "config.json": config,
        "model.safetensors": header({ ...sound, shape: [2 ** 40, 2 ** 40] }),
      },
      "impossible shape or place",
    ],
  ])("%s", async (_, files, message) => {
    expect(await complaint(files)).toContain(message);
  });

  test.each<[string, object, string]>([
    ["gptq", { quantization_config: { quant_method: "gptq", bits: 4 } }, "GPTQ"],
    ["awq", { quantization_config: { quant_method: "AWQ" } }, "AWQ"],
    ["bitsandbytes", { quantization_config: { quant_method: "bitsandbytes" } }, "bitsandbytes"],
    ["MLX", { quantization: { group_size: 64, bits: 4 } }, "MLX"],
    ["something else", {}, "I32"],
  ])("quantised with %s", async (_, settings, name) => {
    const packed = tensors1b.map(([tensor, type, ...shape]): Stored => [
      tensor,
      shape.length > 1 ? "I32" : type,
      ...shape,
    ]);
    expect(await complaint(checkpoint({ ...llama1b, ...settings }, packed))).toBe(
      `"./m" is quantised as ${name}, which Ollama does not convert. Use the unquantised model, or a GGUF file.`,
    );
  });

  test("one file is never converted", async () => {
    expect(await complaint(files1b, "/m/model.safetensors")).toBe(
      '"model.safetensors" is one file, and Ollama converts folders with a config.json. Name its folder.',
    );
    expect(
      await complaint({ "adapter_model.safetensors": one }, "/m/adapter_model.safetensors"),
    ).toContain("is an adapter and no model.");
    expect(await complaint({}, "/m/none.safetensors")).toBe('"none.safetensors" does not exist.');
  });

  test("what cannot be read", async () => {
    await expect(folderModel("/m", refusing("list"), "./m")).rejects.toThrow("cannot be listed");
    await expect(folderModel("/m", refusing("read"), "./m")).rejects.toThrow(InputError);
  });

  test("whatever the bytes are, the complaint is ours", async () => {
    const texts = fc.string({ maxLength: 60 });
    const values = fc.dictionary(texts, fc.jsonValue(), { maxKeys: 4 });
    const file = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((start): File => ({ start })),
      values.map((value): File => ({ start: encoded(JSON.stringify(value)), size: 10_000 })),
    );
    const configs = fc.oneof(
      fc.jsonValue(),
      fc.record(
        {
          hidden_size: fc.integer(),
          num_attention_heads: fc.nat(),
          num_hidden_layers: fc.nat(),
          layer_types: fc.jsonValue(),
          rope_scaling: fc.jsonValue(),
          text_config: fc.jsonValue(),
          vocab_size: fc.double(),
        },
        { requiredKeys: [] },
      ),
    );
    const names = fc.constantFrom(
      "Lfm2ForCausalLM",
      "DeepseekV3ForCausalLM",
      "Qwen3NextForCausalLM",
      "Phi3ForCausalLM",
    );
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(file, fc.constant(one)),
        configs,
        names,
        async (bytes, value, name) => {
          const said =
            typeof value === "object" && value !== null
              ? { ...value, architectures: [name] }
              : value;
          const files = { "config.json": JSON.stringify(said), "model.safetensors": bytes };
          const result = await read(files).catch((error: unknown) => error);
          if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
        },
      ),
    );
  });
});

function facts(name: string): object {
  const file = new URL(`../src/facts/${name}`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as object;
}

test("src/facts/checkpoints.json is what its schema says", () => {
  const validate = new Ajv({ allErrors: true }).compile(facts("checkpoints.schema.json"));
  validate(facts("checkpoints.json"));
  expect(validate.errors).toBeNull();
});

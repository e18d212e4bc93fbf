import type { GgufTensor } from "../gguf-file.js";

/** A model as models.json describes it: hyper-parameters of a real one, and how its weights are stored. */
export interface Description {
  architecture: string;
  quantisation: string;
  vocabulary: number;
  /** The output layer uses the input embedding. */
  tied?: boolean;
  /** The file has rope_freqs.weight, as Llama 3.1 and later have. */
  ropeFrequencies?: boolean;
  /** As in the file, the architecture in front left out: "block_count". */
  keys: Readonly<Record<string, Value>>;
}

type Value = number | boolean | string | readonly number[] | readonly boolean[];

/** A type is given where it does not follow from the quantisation. */
type Tensor = Omit<GgufTensor, "type"> & { type?: string };

/** The tensors of a model's file in its order, with the names, shapes and types that the real one has. */
export function tensorsOf(description: Description): GgufTensor[] {
  const shape = shapeOf(description);
  const layer = layers[description.architecture];
  if (!layer) throw new Error(`Nothing describes the tensors of ${description.architecture}.`);
  const blocks = Array.from({ length: shape.blocks }, (_, block) =>
    layer(shape, block).map((tensor) => ({ ...tensor, name: `blk.${block}.${tensor.name}` })),
  );
  const ends = [...embeddings(shape), ...(extras[description.architecture]?.(shape) ?? [])];
  return [...ends, ...blocks.flat()].map(({ name, dims, type }) => ({
    name,
    dims,
    type: type ?? storedAs(description, name, dims),
  }));
}

// Shapes.

interface Shape extends Description {
  blocks: number;
  embedding: number;
  feedForward: number;
  heads: number;
  headsKv: number;
  /** Elements of a head's keys, and of its values but for latent attention. */
  head: number;
  experts: number;
  expertLength: number;
  /** The number under a key, 0 where there is none. */
  number: (key: string) => number;
  /** Whether a block of a hybrid attends; the others are recurrent. */
  attends: (block: number) => boolean;
}

function shapeOf(description: Description): Shape {
  const { keys } = description;
  const numbers = (key: string): number[] => {
    const value = keys[key];
    return [value ?? 0].flat().map(Number);
  };
  const number = (key: string) => Math.max(...numbers(key));
  const embedding = number("embedding_length");
  const heads = number("attention.head_count");
  const perBlock = numbers("attention.head_count_kv");
  const interval = number("full_attention_interval");
  return {
    ...description,
    blocks: number("block_count"),
    embedding,
    feedForward: number("feed_forward_length"),
    heads,
    headsKv: Math.max(...perBlock),
    head: number("attention.key_length") || embedding / heads,
    experts: number("expert_count"),
    expertLength: number("expert_feed_forward_length") || number("feed_forward_length"),
    number,
    attends: (block) =>
      interval > 0
        ? (block + 1) % interval === 0
        : perBlock.length === 1 || (perBlock[block] ?? 0) > 0,
  };
}

const weight = (name: string, ...dims: number[]): Tensor => ({ name: `${name}.weight`, dims });
const bias = (name: string, length: number): Tensor => ({ name: `${name}.bias`, dims: [length] });
const typed = (type: string, tensor: Tensor): Tensor => ({ ...tensor, type });

/** Norms of rows as long as the embedding. */
const norms = ({ embedding }: Shape, ...names: string[]) =>
  names.map((name) => weight(name, embedding));
const biasedNorms = ({ embedding }: Shape, ...names: string[]) =>
  names.flatMap((name) => [weight(name, embedding), bias(name, embedding)]);

function embeddings(shape: Shape): Tensor[] {
  const { architecture, embedding, vocabulary } = shape;
  // Encoders and lfm2 have no norm of that name.
  const normed = !["bert", "nomic-bert", "lfm2"].includes(architecture);
  return [
    weight("token_embd", embedding, vocabulary),
    ...(normed ? norms(shape, "output_norm") : []),
    ...(shape.tied ? [] : [weight("output", embedding, vocabulary)]),
    ...(shape.ropeFrequencies ? [weight("rope_freqs", shape.head / 2)] : []),
  ];
}

// Parts of a block.

interface AttentionForm {
  /** Biases of queries, keys and values. */
  biased?: boolean;
  /** Bias of the output. */
  outputBiased?: boolean;
  /** Norms of queries and keys: of each head, or of all heads at once. */
  normed?: "head" | "whole";
  /** One tensor for queries, keys and values. */
  fused?: boolean;
  /** Queries come with a gate as long as they are. */
  gated?: boolean;
}

function attention(shape: Shape, form: AttentionForm = {}): Tensor[] {
  const { embedding, heads, headsKv, head } = shape;
  const queries = heads * head;
  const keys = headsKv * head;
  const projections: [name: string, length: number][] = form.fused
    ? [["attn_qkv", queries + 2 * keys]]
    : [
        ["attn_q", queries],
        ["attn_k", keys],
        ["attn_v", keys],
      ];
  const wider = (name: string, length: number) =>
    form.gated && name === "attn_q" ? 2 * length : length;
  return [
    ...projections.map(([name, length]) => weight(name, embedding, wider(name, length))),
    ...(form.biased ? projections.map(([name, length]) => bias(name, length)) : []),
    weight("attn_output", queries, embedding),
    ...(form.outputBiased ? [bias("attn_output", embedding)] : []),
    ...(form.normed
      ? [
          weight("attn_q_norm", form.normed === "whole" ? queries : head),
          weight("attn_k_norm", form.normed === "whole" ? keys : head),
        ]
      : []),
  ];
}

/** Multi-head latent attention: what is cached of keys and values is compressed. */
function latentAttention({ embedding, heads, number }: Shape): Tensor[] {
  const rank = number("attention.kv_lora_rank");
  const queryRank = number("attention.q_lora_rank");
  const keyLength = number("attention.key_length_mla");
  const valueLength = number("attention.value_length_mla");
  const rotary = number("rope.dimension_count");
  return [
    ...(queryRank > 0
      ? [
          weight("attn_q_a", embedding, queryRank),
          weight("attn_q_a_norm", queryRank),
          weight("attn_q_b", queryRank, heads * keyLength),
        ]
      : [weight("attn_q", embedding, heads * keyLength)]),
    weight("attn_kv_a_mqa", embedding, rank + rotary),
    weight("attn_kv_a_norm", rank),
    weight("attn_k_b", keyLength - rotary, rank, heads),
    weight("attn_v_b", rank, valueLength, heads),
    weight("attn_output", heads * valueLength, embedding),
  ];
}

function gatedFeedForward({ embedding, feedForward }: Shape): Tensor[] {
  return [
    weight("ffn_gate", embedding, feedForward),
    weight("ffn_up", embedding, feedForward),
    weight("ffn_down", feedForward, embedding),
  ];
}

/** Gate and upward matrix in one. */
function fusedFeedForward({ embedding, feedForward }: Shape): Tensor[] {
  return [weight("ffn_up", embedding, 2 * feedForward), weight("ffn_down", feedForward, embedding)];
}

function plainFeedForward({ embedding, feedForward }: Shape): Tensor[] {
  return [weight("ffn_up", embedding, feedForward), weight("ffn_down", feedForward, embedding)];
}

function biasedFeedForward(shape: Shape): Tensor[] {
  return [
    ...plainFeedForward(shape),
    bias("ffn_up", shape.feedForward),
    bias("ffn_down", shape.embedding),
  ];
}

interface ExpertsForm {
  biased?: boolean;
  /** A bias of the choice of experts. */
  choiceBiased?: boolean;
  /** Rows of the expert that all tokens pass; 0: there is none. */
  shared?: number;
  /** That expert has a gate. */
  sharedGated?: boolean;
}

function mixture(shape: Shape, form: ExpertsForm = {}): Tensor[] {
  const { embedding, experts, expertLength } = shape;
  const { shared = 0 } = form;
  const biases: [name: string, length: number][] = [
    ["ffn_gate_exps", expertLength],
    ["ffn_up_exps", expertLength],
    ["ffn_down_exps", embedding],
  ];
  return [
    weight("ffn_gate_inp", embedding, experts),
    weight("ffn_gate_exps", embedding, expertLength, experts),
    weight("ffn_up_exps", embedding, expertLength, experts),
    weight("ffn_down_exps", expertLength, embedding, experts),
    ...(form.biased
      ? [
          bias("ffn_gate_inp", experts),
          ...biases.map(([name, length]) => ({ name: `${name}.bias`, dims: [length, experts] })),
        ]
      : []),
    ...(form.choiceBiased ? [bias("exp_probs_b", experts)] : []),
    ...(form.sharedGated ? [weight("ffn_gate_inp_shexp", embedding)] : []),
    ...(shared > 0
      ? [
          weight("ffn_gate_shexp", embedding, shared),
          weight("ffn_up_shexp", embedding, shared),
          weight("ffn_down_shexp", shared, embedding),
        ]
      : []),
  ];
}

/** <architecture>.ssm.* */
function stateSpace({ number }: Shape) {
  return {
    convolution: number("ssm.conv_kernel"),
    inner: number("ssm.inner_size"),
    state: number("ssm.state_size"),
    rank: number("ssm.time_step_rank"),
    groups: number("ssm.group_count"),
  };
}

/** `normed`: jamba has norms where the first Mamba has none. */
function mamba(shape: Shape, normed: boolean): Tensor[] {
  const { embedding } = shape;
  const { convolution, inner, state, rank } = stateSpace(shape);
  return [
    weight("ssm_in", embedding, 2 * inner),
    weight("ssm_conv1d", convolution, inner),
    bias("ssm_conv1d", inner),
    weight("ssm_x", inner, rank + 2 * state),
    ...(normed ? [weight("ssm_dt_norm", rank)] : []),
    weight("ssm_dt", rank, inner),
    bias("ssm_dt", inner),
    ...(normed ? [weight("ssm_b_norm", state), weight("ssm_c_norm", state)] : []),
    { name: "ssm_a", dims: [state, inner] },
    { name: "ssm_d", dims: [inner] },
    weight("ssm_out", inner, embedding),
  ];
}

/** Here the rank of the time step is the number of heads. */
function mamba2(shape: Shape): Tensor[] {
  const { embedding } = shape;
  const { convolution, inner, state, rank: heads, groups } = stateSpace(shape);
  const convolved = inner + 2 * groups * state;
  return [
    weight("ssm_in", embedding, inner + convolved + heads),
    weight("ssm_conv1d", convolution, convolved),
    bias("ssm_conv1d", convolved),
    bias("ssm_dt", heads),
    { name: "ssm_a", dims: [1, heads] },
    { name: "ssm_d", dims: [1, heads] },
    weight("ssm_norm", inner / groups, groups),
    weight("ssm_out", inner, embedding),
  ];
}

/** Gated delta net; qwen3next has one tensor where qwen35 has two for beta and alpha. */
function deltaNet(shape: Shape): Tensor[] {
  const { embedding } = shape;
  const { convolution, inner, state, rank: heads, groups } = stateSpace(shape);
  const convolved = inner + 2 * groups * state;
  return [
    weight("attn_qkv", embedding, convolved),
    weight("attn_gate", embedding, inner),
    weight("ssm_conv1d", convolution, convolved),
    bias("ssm_dt", heads),
    { name: "ssm_a", dims: [heads] },
    ...(shape.architecture === "qwen3next"
      ? [weight("ssm_ba", embedding, 2 * heads)]
      : [weight("ssm_beta", embedding, heads), weight("ssm_alpha", embedding, heads)]),
    weight("ssm_norm", state),
    weight("ssm_out", inner, embedding),
  ];
}

function shortConvolution({ embedding, number }: Shape): Tensor[] {
  return [
    weight("shortconv.conv", number("shortconv.l_cache"), embedding),
    weight("shortconv.in_proj", embedding, 3 * embedding),
    weight("shortconv.out_proj", embedding, embedding),
  ];
}

// Blocks.

type Layer = (shape: Shape, block: number) => Tensor[];

/** The block of Llama and its many relatives. */
function llama(form: AttentionForm = {}): Layer {
  return (shape) => [
    ...norms(shape, "attn_norm"),
    ...attention(shape, form),
    ...norms(shape, "ffn_norm"),
    ...(shape.experts > 0 ? mixture(shape) : gatedFeedForward(shape)),
  ];
}

/** Gemma from the second on has norms behind attention and feed-forward, too. */
function gemma(form: AttentionForm = {}): Layer {
  return (shape) => [
    ...norms(shape, "attn_norm"),
    ...attention(shape, form),
    ...norms(shape, "post_attention_norm", "ffn_norm"),
    ...gatedFeedForward(shape),
    ...norms(shape, "post_ffw_norm"),
  ];
}

/** Command R: attention and feed-forward side by side. */
const parallel: Layer = (shape) => [
  ...norms(shape, "attn_norm"),
  ...attention(shape),
  ...gatedFeedForward(shape),
];

const layers: Readonly<Record<string, Layer>> = {
  llama: llama(),
  granite: llama(),
  gemma: llama(),
  qwen2: llama({ biased: true }),
  qwen3: llama({ normed: "head" }),
  qwen3moe: llama({ normed: "head" }),
  gemma2: gemma(),
  gemma3: gemma({ normed: "head" }),
  "gemma-embedding": gemma({ normed: "head" }),
  gemma3n: (shape) => {
    const { embedding } = shape;
    const perLayer = shape.number("embedding_length_per_layer_input");
    const streams = shape.number("altup.num_inputs");
    const rank = 64;
    return [
      ...gemma({ normed: "head" })(shape, 0),
      typed("F32", weight("inp_gate", embedding, perLayer)),
      typed("F32", weight("proj", perLayer, embedding)),
      ...norms(shape, "post_norm"),
      weight("altup_correct_coef", streams, streams),
      ...norms(shape, "altup_correct_scale"),
      weight("altup_predict_coef", streams, streams ** 2),
      weight("altup_router", embedding, streams),
      ...norms(shape, "altup_router_norm"),
      typed("F16", weight("laurel_l", embedding, rank)),
      typed("F16", weight("laurel_r", rank, embedding)),
      ...norms(shape, "laurel_post_norm"),
    ];
  },
  phi2: (shape) => [
    ...biasedNorms(shape, "attn_norm"),
    ...attention(shape, { biased: true, outputBiased: true }),
    ...biasedFeedForward(shape),
  ],
  phi3: (shape) => [
    ...norms(shape, "attn_norm"),
    ...attention(shape, { fused: true }),
    ...norms(shape, "ffn_norm"),
    ...fusedFeedForward(shape),
  ],
  deepseek2: (shape, block) => [
    ...norms(shape, "attn_norm"),
    ...latentAttention(shape),
    ...norms(shape, "ffn_norm"),
    ...(block < shape.number("leading_dense_block_count")
      ? gatedFeedForward(shape)
      : mixture(shape, {
          shared: shape.expertLength * shape.number("expert_shared_count"),
          choiceBiased: shape.number("attention.q_lora_rank") > 0,
        })),
  ],
  "gpt-oss": (shape) => [
    ...norms(shape, "attn_norm"),
    ...attention(shape, { biased: true, outputBiased: true }),
    weight("attn_sinks", shape.heads),
    ...norms(shape, "post_attention_norm"),
    ...mixture(shape, { biased: true }),
  ],
  "command-r": parallel,
  cohere2: parallel,
  falcon: (shape) => [
    ...biasedNorms(shape, "attn_norm"),
    ...attention(shape, { fused: true }),
    ...plainFeedForward(shape),
  ],
  starcoder2: (shape) => [
    ...biasedNorms(shape, "attn_norm"),
    ...attention(shape, { biased: true, outputBiased: true }),
    ...biasedNorms(shape, "ffn_norm"),
    ...biasedFeedForward(shape),
  ],
  gpt2: (shape) => [
    ...biasedNorms(shape, "attn_norm"),
    ...attention(shape, { fused: true, biased: true, outputBiased: true }),
    ...biasedNorms(shape, "ffn_norm"),
    ...biasedFeedForward(shape),
  ],
  stablelm: (shape) => [
    ...biasedNorms(shape, "attn_norm"),
    ...attention(shape, { biased: true }),
    ...biasedNorms(shape, "ffn_norm"),
    ...gatedFeedForward(shape),
  ],
  mamba: (shape) => [...norms(shape, "attn_norm"), ...mamba(shape, false)],
  granitehybrid: (shape, block) => [
    ...norms(shape, "attn_norm"),
    ...(shape.attends(block) ? attention(shape) : mamba2(shape)),
    ...norms(shape, "ffn_norm"),
    ...mixture(shape, { shared: shape.number("expert_shared_feed_forward_length") }),
  ],
  jamba: (shape, block) => [
    ...norms(shape, "attn_norm"),
    ...(shape.attends(block) ? attention(shape) : mamba(shape, true)),
    ...norms(shape, "ffn_norm"),
    ...gatedFeedForward(shape),
  ],
  qwen3next: (shape, block) => [
    ...norms(shape, "attn_norm", "post_attention_norm"),
    ...(shape.attends(block) ? attention(shape, { normed: "head", gated: true }) : deltaNet(shape)),
    ...mixture(shape, {
      shared: shape.number("expert_shared_feed_forward_length"),
      sharedGated: true,
    }),
  ],
  qwen35: (shape, block) => [
    ...norms(shape, "attn_norm", "post_attention_norm"),
    ...(shape.attends(block) ? attention(shape, { normed: "head", gated: true }) : deltaNet(shape)),
    ...gatedFeedForward(shape),
  ],
  lfm2: (shape, block) => [
    ...norms(shape, "attn_norm"),
    ...(shape.attends(block) ? attention(shape, { normed: "head" }) : shortConvolution(shape)),
    ...norms(shape, "ffn_norm"),
    ...gatedFeedForward(shape),
  ],
  "falcon-h1": (shape) => [
    ...mamba2(shape),
    ...norms(shape, "attn_norm"),
    ...attention(shape),
    { name: "ffn_norm", dims: [shape.embedding] },
    ...gatedFeedForward(shape),
  ],
  bert: (shape) => [
    ...attention(shape, { biased: true, outputBiased: true }),
    ...biasedNorms(shape, "attn_output_norm"),
    ...biasedFeedForward(shape),
    ...biasedNorms(shape, "layer_output_norm"),
  ],
  "nomic-bert": (shape) => [
    ...attention(shape, { fused: true }),
    ...biasedNorms(shape, "attn_output_norm"),
    ...gatedFeedForward(shape),
    ...biasedNorms(shape, "layer_output_norm"),
  ],
  llama4: (shape) => [
    ...norms(shape, "attn_norm"),
    ...attention(shape),
    ...norms(shape, "ffn_norm"),
    ...mixture(shape, { shared: shape.expertLength }),
  ],
  glm4: (shape) => [
    ...norms(shape, "attn_norm"),
    ...attention(shape, { biased: true }),
    ...norms(shape, "post_attention_norm", "ffn_norm"),
    ...fusedFeedForward(shape),
    ...norms(shape, "post_ffw_norm"),
  ],
  glm4moe: (shape, block) => [
    ...norms(shape, "attn_norm"),
    ...attention(shape, { biased: true }),
    ...norms(shape, "post_attention_norm"),
    ...(block < shape.number("leading_dense_block_count")
      ? gatedFeedForward(shape)
      : mixture(shape, { shared: shape.expertLength, choiceBiased: true })),
  ],
  olmo2: (shape) => [
    ...attention(shape, { normed: "whole" }),
    ...norms(shape, "post_attention_norm"),
    ...gatedFeedForward(shape),
    ...norms(shape, "post_ffw_norm"),
  ],
};

/** Tensors of no block beside the embedding, its norm and the output. */
const extras: Readonly<Record<string, (shape: Shape) => Tensor[]>> = {
  gemma3n: ({ embedding, vocabulary, blocks, number }) => {
    const perLayer = number("embedding_length_per_layer_input");
    const others = number("altup.num_inputs") - 1;
    return [
      typed("F16", weight("altup_proj", embedding, embedding, others)),
      typed("F16", weight("altup_unembd_proj", embedding, embedding, others)),
      typed("Q5_K", weight("per_layer_token_embd", perLayer * blocks, vocabulary)),
      typed("F16", weight("per_layer_model_proj", embedding, perLayer * blocks)),
      weight("per_layer_proj_norm", perLayer),
    ];
  },
  phi2: ({ embedding, vocabulary }) => [bias("output_norm", embedding), bias("output", vocabulary)],
  // Of models for long contexts.
  phi3: ({ head, number }) =>
    number("context_length") > 16384
      ? ["long", "short"].map((length) => weight(`rope_factors_${length}`, head / 2))
      : [],
  falcon: ({ embedding }) => [bias("output_norm", embedding)],
  starcoder2: ({ embedding }) => [bias("output_norm", embedding)],
  stablelm: ({ embedding }) => [bias("output_norm", embedding)],
  gpt2: ({ embedding, number }) => [
    bias("output_norm", embedding),
    weight("position_embd", embedding, number("context_length")),
  ],
  lfm2: (shape) => norms(shape, "token_embd_norm"),
  bert: (shape) => [
    weight("position_embd", shape.embedding, shape.number("context_length")),
    weight("token_types", shape.embedding, 2),
    ...biasedNorms(shape, "token_embd_norm"),
  ],
  "nomic-bert": (shape) => [
    weight("token_types", shape.embedding, 2),
    ...biasedNorms(shape, "token_embd_norm"),
  ],
};

// Types.

/** What stays unquantised whatever its length. */
const unquantised =
  /norm|ffn_gate_inp|\.bias$|ssm_(?:conv1d|a|d)|shortconv\.conv|position_embd|token_types|altup/;

/** As llama-quantize stores them (src/llama-quant.cpp llama_tensor_get_type). */
function storedAs(
  { quantisation, tied = false, keys }: Description,
  name: string,
  dims: readonly number[],
): string {
  if (dims.length === 1 || unquantised.test(name)) return "F32";
  const output = name === (tied ? "token_embd.weight" : "output.weight");
  const rowLength = dims[0]!;
  switch (quantisation) {
    case "F16":
      return "F16";
    case "MXFP4":
      return name.includes("_exps") ? "MXFP4" : "Q8_0";
    case "Q8_0":
      return fitting("Q8_0", rowLength);
    case "Q4_0":
      return fitting(output ? "Q6_K" : "Q4_0", rowLength);
    case "Q4_K_M":
      return fitting(output ? "Q6_K" : mediumType(name, keys), rowLength);
    default:
      throw new Error(`Nothing says how ${quantisation} stores tensors.`);
  }
}

/** Q4_K_M keeps more of some tensors, and of those of some blocks. */
function mediumType(name: string, keys: Description["keys"]): string {
  const blocks = Number(keys["block_count"]);
  const block = Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? 0);
  const eighth = Math.floor(blocks / 8);
  const favoured =
    block < blocks / 8 || block >= Math.floor((7 * blocks) / 8) || (block - eighth) % 3 === 2;
  const mixes = Number(keys["expert_count"] ?? 0) >= 8;
  if (/attn_v\.|attn_v_b/.test(name)) return mixes ? "Q8_0" : favoured ? "Q6_K" : "Q4_K";
  if (name.includes("attn_k.")) return mixes ? "Q8_0" : "Q4_K";
  if (name.includes("ffn_down")) return favoured ? "Q6_K" : "Q4_K";
  if (name.includes("attn_qkv")) return "Q5_K";
  return "Q4_K";
}

/** Elements of a block, and what is taken where they do not divide a row. */
const blockLengths: Readonly<Record<string, [length: number, otherwise: string]>> = {
  Q4_K: [256, "Q5_0"],
  Q5_K: [256, "Q5_1"],
  Q6_K: [256, "Q8_0"],
  Q4_0: [32, "F16"],
  Q5_0: [32, "F16"],
  Q5_1: [32, "F16"],
  Q8_0: [32, "F16"],
};

function fitting(type: string, rowLength: number): string {
  const [length, otherwise] = blockLengths[type] ?? [1, type];
  return rowLength % length === 0 ? type : fitting(otherwise, rowLength);
}

import type { Architecture } from "../architecture.js";
import type { Builder } from "../builder.js";
import type { Tensor } from "../graph.js";
import { embed } from "../layers/ends.js";
import { layered, normedHeads, rotate, rotateFar } from "./llama.js";

/** Dense models in the order of llama that differ by a norm, an activation or what rotates. */
export const rotating: Architecture = {
  names: [
    "chatglm",
    "codeshell",
    "ernie4_5",
    "internlm2",
    "orion",
    "pangu-embedded",
    "qwen",
    "xverse",
  ],
  build: (b) => layered(b, { prepare: (_, __, parts) => rotate(b, parts) }),
};

export const nemotron: Architecture = {
  names: ["nemotron"],
  build: (b) => layered(b, { prepare: (_, __, parts) => rotate(b, parts), activation: "RELU_SQR" }),
};

export const arcee: Architecture = {
  names: ["arcee"],
  build: (b) => layered(b, { prepare: rotateFar, activation: "RELU_SQR" }),
};

export const apertus: Architecture = {
  names: ["apertus"],
  build: (b) =>
    layered(b, {
      prepare: (_, block, parts) => rotateFar(b, block, normedHeads(b, block, parts)),
      activation: "XIELU",
    }),
};

export const seedOss: Architecture = {
  names: ["seed_oss"],
  build: (b) =>
    layered(b, {
      prepare: (_, __, parts) => rotate(b, parts),
      innerNorm: "post_attention_norm",
    }),
};

/** Embedding, residuals and logits are scaled, whether the file says by what or not. */
export const minicpm: Architecture = {
  names: ["minicpm"],
  adapt: () => ({ scalesEmbedding: true, scalesResidual: true, scalesLogits: true }),
  build: (b) => layered(b, { prepare: rotateFar }),
};

/** hunyuan-dense and hunyuan-vl: heads are normed behind rotation. */
export const hunyuan: Architecture = {
  names: ["hunyuan-dense", "hunyuan-vl"],
  build: (b) =>
    layered(b, {
      prepare: (_, block, parts) => normedHeads(b, block, rotateFar(b, block, parts)),
    }),
};

const restsFromRotation = (block: number) => (block + 1) % 4 === 0;

/** Every fourth block does not rotate. */
export const smollm3: Architecture = {
  names: ["smollm3"],
  differs: restsFromRotation,
  build: (b) =>
    layered(b, {
      prepare: (_, block, parts) => (restsFromRotation(block) ? parts : rotate(b, parts)),
    }),
};

/** Positions bias the scores instead of rotating (ALiBi); of baichuan's sizes only the smaller rotates. */
export const biased: Architecture = {
  names: ["baichuan", "refact"],
  build: (b) => {
    const rotates = b.network.architecture === "baichuan" && b.network.layers === 32;
    layered(b, { prepare: (_, __, parts) => (rotates ? rotate(b, parts) : parts) });
  },
};

/** Norms without weights. */
export const olmo: Architecture = {
  names: ["olmo"],
  adapt: () => ({ rmsNorm: false }),
  build: (b) => layered(b, { prepare: (_, __, parts) => rotate(b, parts) }),
};

/** ALiBi as well; bloom norms the embeddings, mpt may have learned positions. */
export const bloom: Architecture = {
  names: ["bloom", "mpt"],
  build: (b) =>
    layered(b, {
      begin: () => {
        const x = embed(b);
        const positions = b.weight("position_embd.weight");
        if (positions) return b.graph.add(x, b.graph.getRows(positions, b.positions));
        const norm = b.weight("token_embd_norm.weight");
        return norm ? b.graph.norm(x, norm, b.weight("token_embd_norm.bias"), "mean") : x;
      },
    }),
};

/** Models that fill in masked tokens: they see the whole text at once, without a cache. */
export const diffusing: Architecture = {
  names: ["dream", "llada"],
  adapt: () => ({ encodes: true, causal: false }),
  build: (b) => layered(b, { prepare: (_, __, parts) => rotate(b, parts) }),
};

/** Pictures and sound have positions in time, height and width. */
export const qwen2vl: Architecture = {
  names: ["qwen2vl"],
  adapt: () => ({ positions: 4 }),
  build: (b) => layered(b, { prepare: (_, __, parts) => rotate(b, parts) }),
};

/** Further embeddings of a picture are added behind the first blocks: three in all models known. */
export const qwen3vl: Architecture = {
  names: ["qwen3vl", "qwen3vlmoe"],
  adapt: () => ({ positions: 4 }),
  differs: (block, { deepstack }) => block < deepstack,
  build: (b) => {
    const { graph, network } = b;
    const { embedding, deepstack } = network;
    let embedded: Tensor;
    layered(b, {
      begin: () => (embedded = embed(b)),
      prepare: (_, block, parts) => rotate(b, normedHeads(b, block, parts)),
      finish: (block, x) => {
        if (block >= deepstack) return x;
        const offset = (block + 1) * embedding * embedded.type.bytes;
        return graph.add(x, graph.view2d(embedded, embedding, b.tokens, embedded.nb[1], offset));
      },
    });
  },
};

/** Blocks before which Solar Pro keeps the stream, and those that get it back: twice. */
const skips = [
  { kept: new Set([12, 20, 32, 44]), mixed: new Set([16, 24, 36, 48]) },
  { kept: new Set([20, 32]), mixed: new Set([28, 40]) },
];

/** Ollama's own (llama/patches, solar-pro): what skips blocks is mixed in behind attention. */
export const solar: Architecture = {
  names: ["solar"],
  differs: (block) => skips.some(({ kept, mixed }) => kept.has(block) || mixed.has(block)),
  build: (b) => {
    const kept: Tensor[] = [];
    layered(b, {
      prepare: rotateFar,
      carry: (block, x) => {
        let result = x;
        for (const [index, skip] of skips.entries()) if (skip.kept.has(block)) kept[index] = x;
        for (const [index, skip] of skips.entries()) {
          if (skip.mixed.has(block)) result = mixed(b, block, kept[index] ?? x, result);
        }
        return result;
      },
    });
  },
};

function mixed(b: Builder, block: number, skipped: Tensor, x: Tensor): Tensor {
  const { graph } = b;
  const shares = b.of(block, "bskcn_tv.weight");
  const weighted = (of: Tensor, index: number) =>
    shares ? graph.mul(of, graph.view1d(shares, 1, index * shares.nb[0])) : graph.scale(of);
  return graph.add(weighted(skipped, 0), weighted(x, 1));
}

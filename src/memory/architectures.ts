import type { Architecture } from "./architecture.js";
import { bert, modernBert, neoBert } from "./architectures/bert.js";
import { deepseek2, minicpm3 } from "./architectures/deepseek.js";
import { afmoe, laguna, museGlimmer } from "./architectures/gated.js";
import { gemma, gemma2, gemma3, gemmaEmbedding } from "./architectures/gemma.js";
import { gemma3n } from "./architectures/gemma3n.js";
import { gemma4 } from "./architectures/gemma4.js";
import { glm4, glm4moe } from "./architectures/glm.js";
import { gptOss } from "./architectures/gpt-oss.js";
import { kimiLinear } from "./architectures/kimi.js";
import { llama, llama4, mistral3, qwen2, qwen3 } from "./architectures/llama.js";
import * as mixtures from "./architectures/mixtures.js";
import { nemotronH } from "./architectures/nemotron-h.js";
import * as parallel from "./architectures/parallel.js";
import * as plain from "./architectures/plain.js";
import { qwenDelta } from "./architectures/qwen-delta.js";
import { falconH1, graniteHybrid, jamba, lfm2, mambas } from "./architectures/recurrent.js";
import { exaone4, gpt2, olmo2, phi3, stablelm } from "./architectures/sequential.js";

const families: readonly Architecture[] = [
  ...Object.values(mixtures),
  ...Object.values(parallel),
  ...Object.values(plain),
  afmoe,
  bert,
  deepseek2,
  exaone4,
  falconH1,
  gemma,
  gemma2,
  gemma3,
  gemma3n,
  gemma4,
  gemmaEmbedding,
  glm4,
  glm4moe,
  gpt2,
  gptOss,
  graniteHybrid,
  jamba,
  kimiLinear,
  laguna,
  lfm2,
  llama,
  llama4,
  mambas,
  minicpm3,
  mistral3,
  modernBert,
  museGlimmer,
  nemotronH,
  neoBert,
  olmo2,
  phi3,
  qwen2,
  qwen3,
  qwenDelta,
  stablelm,
];

const byName = new Map(families.flatMap((family) => family.names.map((name) => [name, family])));

/** Undefined where no graph is known for the architecture. */
export function architectureNamed(name: string): Architecture | undefined {
  return byName.get(name);
}

export const architectureNames: readonly string[] = [...byName.keys()];

/**
 * Those whose predictions agree to the byte with measurements of llama.cpp (docs/memory.md). The others
 * follow its source.
 */
export const measuredArchitectures: ReadonlySet<string> = new Set([
  "bert",
  "cohere2",
  "command-r",
  "deepseek2",
  "falcon",
  "falcon-h1",
  "gemma",
  "gemma-embedding",
  "gemma2",
  "gemma3",
  "gemma3n",
  "glm4",
  "glm4moe",
  "gpt-oss",
  "gpt2",
  "granite",
  "granitehybrid",
  "jamba",
  "lfm2",
  "llama",
  "llama4",
  "mamba",
  "nomic-bert",
  "olmo2",
  "phi2",
  "phi3",
  "qwen2",
  "qwen3",
  "qwen35",
  "qwen3moe",
  "qwen3next",
  "stablelm",
  "starcoder2",
]);

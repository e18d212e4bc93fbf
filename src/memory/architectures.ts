import type { Architecture } from "./architecture.js";
import { bert } from "./architectures/bert.js";
import { deepseek2 } from "./architectures/deepseek.js";
import { gemma, gemma2, gemma3, gemmaEmbedding } from "./architectures/gemma.js";
import { gemma3n } from "./architectures/gemma3n.js";
import { gemma4 } from "./architectures/gemma4.js";
import { glm4, glm4moe } from "./architectures/glm.js";
import { gptOss } from "./architectures/gpt-oss.js";
import { llama, llama4, qwen2, qwen3 } from "./architectures/llama.js";
import { cohere2, commandR, falcon, phi2 } from "./architectures/parallel.js";
import { qwenDelta } from "./architectures/qwen-delta.js";
import { falconH1, graniteHybrid, jamba, lfm2, mambas } from "./architectures/recurrent.js";
import { gpt2, olmo2, phi3, stablelm } from "./architectures/sequential.js";

const families: readonly Architecture[] = [
  bert,
  cohere2,
  commandR,
  deepseek2,
  falcon,
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
  lfm2,
  llama,
  llama4,
  mambas,
  olmo2,
  phi2,
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

import {
  bert,
  chatglm,
  commandR,
  falcon,
  glm4,
  nemotron,
  olmo2,
  phi2,
  phi3,
  stablelm,
  starcoder,
  starcoder2,
} from "./architectures/dense.js";
import { gemma, gemma3n, gemma4 } from "./architectures/gemma.js";
import { graniteHybrid, lfm2, nemotronH, qwenDelta } from "./architectures/hybrid.js";
import { llama, mllama } from "./architectures/llama.js";
import { cohere2moe, dbrx, deepseek2, gptoss, laguna } from "./architectures/mixture.js";
import type { Tensor } from "./architectures/parts.js";
import type { Hyperparameters } from "./hyperparameters.js";

/** By general.architecture, in the spelling of the Ollama library and of llama.cpp. */
const builders = new Map<string, (model: Hyperparameters) => Iterable<Tensor>>([
  ["bert", bert],
  ["chatglm", chatglm],
  ["cohere2", commandR],
  ["cohere2moe", cohere2moe],
  ["command-r", commandR],
  ["dbrx", dbrx],
  ["deepseek2", deepseek2],
  ["deepseekocr", llama],
  ["exaone", llama],
  ["falcon", falcon],
  ["gemma", gemma],
  ["gemma-embedding", gemma],
  ["gemma2", gemma],
  ["gemma3", gemma],
  ["gemma3n", gemma3n],
  ["gemma4", gemma4],
  ["glm4", glm4],
  ["gpt-oss", gptoss],
  ["gptoss", gptoss],
  ["granite", llama],
  ["granitehybrid", graniteHybrid],
  ["granitemoe", llama],
  ["internlm2", llama],
  ["jina-bert-v2", bert],
  ["laguna", laguna],
  ["lfm2", lfm2],
  ["lfm2moe", lfm2],
  ["llama", llama],
  ["llama4", llama],
  ["minicpm", llama],
  ["mistral3", llama],
  ["mllama", mllama],
  ["muse-glimmer", laguna],
  ["nemotron", nemotron],
  ["nemotron_h", nemotronH],
  ["nemotron_h_moe", nemotronH],
  ["nomic-bert", bert],
  ["nomic-bert-moe", bert],
  ["olmo2", olmo2],
  ["olmo3", olmo2],
  ["phi2", phi2],
  ["phi3", phi3],
  ["pro", llama],
  ["qwen2", llama],
  ["qwen25vl", llama],
  ["qwen2moe", llama],
  ["qwen2vl", llama],
  ["qwen3", llama],
  ["qwen35", qwenDelta],
  ["qwen35moe", qwenDelta],
  ["qwen3moe", llama],
  ["qwen3next", qwenDelta],
  ["qwen3vl", llama],
  ["qwen3vlmoe", llama],
  ["smollm3", llama],
  ["solar", llama],
  ["stablelm", stablelm],
  ["starcoder", starcoder],
  ["starcoder2", starcoder2],
]);

/**
 * Every tensor of a text model, in the order of its file. The names are those of llama.cpp
 * (src/llama-arch.cpp) or, for architectures that Ollama alone knows, of Ollama's converters.
 * @throws Error where the architecture is not known or its description lacks a number.
 */
export function modelTensors(model: Hyperparameters): Tensor[] {
  const builder = builders.get(model.architecture);
  if (!builder) throw new Error(`Architecture "${model.architecture}" has no known tensors.`);
  return [...builder(model)];
}

import { since } from "../facts/release.js";
import { vllmEngineOptions } from "../facts/vllm-options.js";
import { serverWord } from "../ollama/server.js";
import { numberOf, type InForce } from "./parameters-in-force.js";
import { shellValue, type Variable } from "./shell-words.js";
import type { Source } from "./target.js";
import type { ServedModel } from "./vllm-model.js";
import type { Yaml } from "./yaml-text.js";

/** An option of `vllm serve`; a value of JSON is one word of it. */
export interface Setting {
  option: string;
  value?: string | number | Variable | Json;
}

type Json = Readonly<Record<string, string | number>>;

type Parameters = ReadonlyMap<string, InForce>;

/** What placement and files decide. */
export interface Decided {
  served: ServedModel;
  /** --max-model-len */
  length: number | undefined;
  share: number | undefined;
  tensor: number;
  pipeline: number;
  nodes: number;
  half: boolean;
  cacheType: string | undefined;
  sequences: number | undefined;
  adapters: readonly string[];
  draft: string | undefined;
}

export function settingsOf(source: Source, decided: Decided, parameters: Parameters): Setting[] {
  const { served, adapters } = decided;
  const some = (option: string, value: Setting["value"]): Setting[] =>
    value === undefined ? [] : [{ option, value }];
  return [
    { option: "--host", value: "127.0.0.1" },
    { option: "--port", value: { variable: "PORT" } },
    { option: "--served-model-name", value: baseName(source, adapters) },
    ...some("--tokenizer", served.tokenizer),
    ...some("--dtype", decided.half ? "half" : undefined),
    ...some("--max-model-len", decided.length),
    ...some("--max-num-seqs", decided.sequences),
    ...some("--gpu-memory-utilization", decided.share),
    ...some("--kv-cache-dtype", decided.cacheType),
    ...some("--tensor-parallel-size", decided.tensor > 1 ? decided.tensor : undefined),
    ...some("--pipeline-parallel-size", decided.pipeline > 1 ? decided.pipeline : undefined),
    ...some("--distributed-executor-backend", decided.nodes > 1 ? "ray" : undefined),
    ...some("--seed", seedOf(parameters)),
    ...some("--override-generation-config", generationConfig(source, parameters)),
    ...(adapters.length > 0 ? [{ option: "--enable-lora" }] : []),
    ...adapters.map((path): Setting => ({
      option: "--lora-modules",
      value: { name: source.name, path },
    })),
    ...some("--speculative-config", speculation(decided, parameters)),
  ];
}

/** With an adapter the name asks for it, and the model alone has another. */
function baseName({ name }: Source, adapters: readonly string[]): string {
  return adapters.length > 0 ? `${name}-base` : name;
}

/** An option and its value as a shell takes them. */
export function shellSetting({ option, value }: Setting): string {
  if (value === undefined) return option;
  if (typeof value === "number") return `${option} ${value}`;
  const word = typeof value === "string" || isVariable(value) ? value : JSON.stringify(value);
  return `${option} ${shellValue(word)}`;
}

/** The same as Ray Serve's engine_kwargs; LoRA and what only the user knows are left out. */
export function engineArguments(settings: readonly Setting[]): Record<string, Yaml> {
  const taken = settings.flatMap(({ option, value }): [string, Yaml][] => {
    const isOwn = option === "--served-model-name" || option === "--enable-lora";
    if (!vllmEngineOptions.has(option) || isOwn || value === undefined) return [];
    if (typeof value === "object" && isVariable(value)) return [];
    return [[option.slice(2).replaceAll("-", "_"), value]];
  });
  return Object.fromEntries(taken);
}

function isVariable(value: Variable | Json): value is Variable {
  return "variable" in value;
}

/** A negative seed, the default among them, is a new one for each request. */
function seedOf(parameters: Parameters): number | undefined {
  const seed = numberOf(parameters, "seed");
  return seed !== undefined && Number.isSafeInteger(seed) && seed >= 0 ? seed : undefined;
}

/** What Ollama samples with, by the names that get_diff_sampling_param in vllm/config/model.py takes. */
function generationConfig({ model }: Source, parameters: Parameters): Json | undefined {
  if (model?.shape.embeddingOnly) return undefined;
  const number = (name: string) => numberOf(parameters, name);
  const [topK, penalty, length] = [
    number("top_k"),
    number("repeat_penalty"),
    number("num_predict"),
  ];
  const values: Record<string, number | undefined> = {
    temperature: atLeast(number("temperature"), 0),
    // -1 is no limit to every release of vLLM; Ollama's is 0 and less.
    top_k: topK === undefined || topK > 0 ? topK : -1,
    top_p: number("top_p"),
    min_p: number("min_p"),
    repetition_penalty: penalty !== undefined && penalty > 0 ? penalty : undefined,
    max_new_tokens: length !== undefined && length > 0 ? length : undefined,
  };
  const set = Object.entries(values).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return set.length === 0 ? undefined : Object.fromEntries(set);
}

function atLeast(value: number | undefined, least: number): number | undefined {
  return value === undefined ? undefined : Math.max(least, value);
}

/** Four tokens, as Ollama guesses where a DRAFT is there. */
function speculation({ draft }: Decided, parameters: Parameters): Json | undefined {
  const tokens = numberOf(parameters, "draft_num_predict") ?? 4;
  if (draft === undefined || tokens <= 0) return undefined;
  return { model: draft, num_speculative_tokens: tokens };
}

/** OLLAMA_KV_CACHE_TYPE, where it makes a difference: f16 is 16 bits as vLLM's own. */
export function askedCacheType({ server, release, plan }: Source): string | undefined {
  const asked = plan
    ? plan.kvCacheType
    : since(release, "0.5.0")
      ? serverWord(server, "OLLAMA_KV_CACHE_TYPE")
      : undefined;
  return asked === undefined || /^(?:|f16|bf16|f32)$/.test(asked) ? undefined : asked;
}

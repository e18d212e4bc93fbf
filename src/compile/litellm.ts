import { contextOf, madeNote, ollamaAddress, unsentNotes } from "./api-client.js";
import { numberOf, parametersInForce, type InForce } from "./parameters-in-force.js";
import type { Compiled, Source, Target } from "./target.js";
import { yamlText, type Yaml } from "./yaml-text.js";

/** An entry of LiteLLM's proxy: a name, where it leads, and its limits. */
export const litellm: Target = {
  id: "litellm",
  summary: "an entry for the model in LiteLLM's config.yaml",
  compile,
};

type Parameters = ReadonlyMap<string, InForce>;

/**
 * Parameters that LiteLLM sends to /api/chat as they are, by their names there (OllamaChatConfig in
 * litellm/llms/ollama/chat/transformation.py of BerriAI/litellm at 0261f9565d76b161b4946b64268b6a03e338e40d).
 * `frequency_penalty` is none of them: it becomes repeat_penalty.
 */
const sentAs: Readonly<Record<string, string>> = {
  temperature: "temperature",
  top_p: "top_p",
  seed: "seed",
  stop: "stop",
  num_predict: "max_tokens",
  top_k: "top_k",
  num_ctx: "num_ctx",
  num_gpu: "num_gpu",
  num_thread: "num_thread",
  repeat_last_n: "repeat_last_n",
  repeat_penalty: "repeat_penalty",
  mirostat: "mirostat",
  mirostat_eta: "mirostat_eta",
  mirostat_tau: "mirostat_tau",
  tfs_z: "tfs_z",
};

function compile(source: Source): Compiled {
  const { name, model, path, release } = source;
  const parameters = parametersInForce(source);
  const embeds = model?.shape.embeddingOnly === true;
  const entry: Yaml = {
    model_name: name,
    litellm_params: {
      model: `${embeds ? "ollama" : "ollama_chat"}/${name}`,
      api_base: ollamaAddress(source),
      ...(embeds ? {} : sentParameters(parameters)),
    },
    model_info: modelInfo(source, parameters),
  };
  return {
    texts: [
      {
        path: "config.yaml",
        text: yamlText(
          { model_list: [entry] },
          `Made by modelfile-lint from ${path}, for Ollama ${release.version}.`,
        ),
      },
    ],
    notes: [
      madeNote(source),
      ...(embeds ? [] : unsentNotes(source, new Set(Object.keys(sentAs)), unsent)),
    ],
  };
}

function unsent(name: string): string {
  if (name === "frequency_penalty") {
    return "LiteLLM sends frequency_penalty as repeat_penalty, so that it is left out: the model's own counts.";
  }
  return `LiteLLM knows no ${name} of Ollama, so that it is left out: the model's own counts.`;
}

/** Those that the Modelfile sets. The rest the model brings itself. */
function sentParameters(parameters: Parameters): Record<string, Yaml | undefined> {
  const own = Object.entries(sentAs).flatMap(([name, sent]): [string, Yaml][] => {
    const { texts = [], from } = parameters.get(name) ?? {};
    if (from !== "file") return [];
    if (name === "stop") return [[sent, texts]];
    const value = Number(texts.at(-1));
    // Ollama takes -1 as no limit; to clients of OpenAI's API there is none such.
    const isLimit = name !== "num_predict" || value > 0;
    return Number.isFinite(value) && isLimit ? [[sent, value]] : [];
  });
  return Object.fromEntries(own);
}

/** What the proxy tells clients and routes by (ModelInfo in litellm/types/utils.py). */
function modelInfo(source: Source, parameters: Parameters): Yaml {
  const { model } = source;
  const context = contextOf(source, parameters);
  const length = numberOf(parameters, "num_predict") ?? -1;
  const can = (what: string) => model?.capabilities?.includes(what);
  if (model?.shape.embeddingOnly) {
    return {
      mode: "embedding",
      max_input_tokens: context,
      output_vector_size: model.shape.embedding,
    };
  }
  return {
    mode: "chat",
    max_input_tokens: context,
    max_output_tokens: length > 0 ? length : context,
    ...(model?.capabilities && {
      supports_function_calling: can("tools"),
      supports_vision: can("vision"),
    }),
    input_cost_per_token: 0,
    output_cost_per_token: 0,
  };
}

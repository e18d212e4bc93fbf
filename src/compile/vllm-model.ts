import { ggufRepository, libraryRepository, sourceRepository } from "./hugging-face.js";
import type { Blank } from "./llama-server-command.js";
import { isFolder } from "./llama-server-files.js";
import type { Variable } from "./shell-words.js";
import type { Note, Source } from "./target.js";
import { storedWeights, type StoredWeights } from "./vllm-memory.js";
import { namedWeights, pathFor } from "./weights-named.js";

/** What `vllm serve` loads. */
export interface ServedModel {
  /** repository: a checkpoint on Hugging Face; gguf: one there, or a file. */
  form: "repository" | "folder" | "gguf";
  model: string | Variable;
  tokenizer?: string | Variable;
  blanks: readonly Blank[];
  /** Undefined where the tensors are not known. */
  weights?: StoredWeights;
  notes: readonly Note[];
}

/**
 * Bytes an element of checkpoints that are published quantised, by quantization_config of their config.json;
 * undefined: as in the GGUF file (MXFP4). All others are taken as 16 bits.
 */
const quantised: readonly (readonly [repository: RegExp, bytes: number | undefined])[] = [
  [/^openai\/gpt-oss/, undefined],
  [/^deepseek-ai\/DeepSeek-(?:V3|R1(?:-0528)?$)/, 1],
];

const usualBytes = 2;

/**
 * FROM as vLLM can load it: a folder as it is; a GGUF file by the plugin; a name of Ollama's library as the
 * checkpoint that the catalogue knows for it. Ollama's own files are GGUF, and no name of a file tells where they lie.
 */
export function servedModel(source: Source): ServedModel {
  const { model: from } = namedWeights(source);
  const text = from?.text ?? "";
  if (from?.kind === "file") {
    const path = pathFor(text, source);
    return isFolder(text, source) ? folder(source, path) : gguf(source, path);
  }
  const remote = from && ggufRepository(text);
  if (remote) {
    const tag = remote.tag ?? source.model?.quantisation ?? "Q4_K_M";
    return gguf(source, `${remote.repository}:${tag}`);
  }
  return checkpoint(source, text);
}

function folder({ model }: Source, path: string): ServedModel {
  return {
    form: "folder",
    model: path,
    blanks: [],
    ...known(model && storedWeights(model, usualBytes)),
    notes: [],
  };
}

function gguf({ model }: Source, name: string): ServedModel {
  const tokenizer = model && sourceRepository(model);
  const blank: Blank = {
    variable: "TOKENIZER",
    means: "the repository on Hugging Face that the GGUF file was made of; its tokenizer is used.",
  };
  return {
    form: "gguf",
    model: name,
    tokenizer: tokenizer ?? { variable: blank.variable },
    blanks: tokenizer === undefined ? [blank] : [],
    ...known(model && storedWeights(model, undefined)),
    notes: [
      {
        message:
          "vLLM reads GGUF files with the package vllm-gguf-plugin, and calls it experimental (docs/features/quantization/gguf.md). A checkpoint in safetensors runs better.",
      },
    ],
  };
}

function checkpoint({ model }: Source, text: string): ServedModel {
  const repository = libraryRepository(text) ?? (model && sourceRepository(model));
  const named = text === "" ? "the model" : text;
  if (repository === undefined) {
    const means = `the repository on Hugging Face, or the folder, with the checkpoint of ${named}.`;
    return {
      form: "repository",
      model: { variable: "MODEL" },
      blanks: [{ variable: "MODEL", means }],
      ...known(model && storedWeights(model, usualBytes)),
      notes: [
        {
          message: `Which checkpoint ${named} was made of is not known: serve.sh asks for it in MODEL. Ollama's own file is GGUF, which vLLM does not run well.`,
        },
      ],
    };
  }
  const own = quantised.find(([pattern]) => pattern.test(repository));
  const bytes = own ? own[1] : usualBytes;
  return {
    form: "repository",
    model: repository,
    blanks: [],
    ...known(model && storedWeights(model, bytes)),
    notes: [
      {
        message: `${named} is served from ${repository}, which it was made of by its name: look that it is the same variant.`,
      },
      ...quantisedNotes(model?.quantisation, own !== undefined),
    ],
  };
}

function quantisedNotes(quantisation: string | undefined, isQuantised: boolean): Note[] {
  if (quantisation === undefined || isQuantised || /^(?:B?F16|F32)$/.test(quantisation)) return [];
  return [
    {
      message: `Ollama's file is ${quantisation}; the checkpoint has 16 bits an element. A repository with AWQ, GPTQ or FP8 weights takes less memory: name it in place of the model.`,
    },
  ];
}

function known(weights: StoredWeights | undefined): Pick<ServedModel, "weights"> {
  return weights ? { weights } : {};
}

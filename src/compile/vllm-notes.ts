import { isInstruction } from "../../grammar/create-request.js";
import { parameterFact } from "../facts/parameters.js";
import type { InForce } from "./parameters-in-force.js";
import { droppedNotes, noteOn, notesOn } from "./notes.js";
import type { Note, Source } from "./target.js";

/** What no option of `vllm serve` says. */
export function vllmLeftOut(source: Source, parameters: ReadonlyMap<string, InForce>): Note[] {
  return [
    ...instructionNotes(source),
    ...templateNotes(source),
    ...droppedNotes(source),
    ...parameterNotes(source),
    ...stopNotes(source, parameters),
    ...toolNotes(source),
  ];
}

const withoutOption: Readonly<Record<string, string>> = {
  system:
    "vLLM keeps no system prompt. Send it as the first message of a chat, with the role system.",
  renderer: "Ollama's own code renders the prompt. vLLM takes the chat template of the model.",
  parser:
    "Ollama's own code parses the answer. vLLM does so with --tool-call-parser and --reasoning-parser.",
  license: "vLLM shows no licence: keep it beside the model.",
  requires: "REQUIRES names a release of Ollama, which vLLM is not.",
};

function instructionNotes(source: Source): Note[] {
  const message = "vLLM keeps no messages. Send those of MESSAGE in front of each chat's own.";
  return [
    ...Object.entries(withoutOption).flatMap(([name, text]) => notesOn(source, name, text)),
    ...notesOn(source, "message", message).slice(0, 1),
  ];
}

function templateNotes(source: Source): Note[] {
  const message =
    "TEMPLATE is a Go template, and vLLM takes Jinja: the model's own chat template is used. --chat-template names the file of another.";
  return notesOn(source, "template", message).slice(-1);
}

/** Parameters that options carry. */
const carried: ReadonlySet<string> = new Set([
  "num_ctx",
  "temperature",
  "top_k",
  "top_p",
  "min_p",
  "num_predict",
  "stop",
  "draft_num_predict",
  // Another name of FROM.
  "model",
]);

const askedFor = "vLLM has no default for it. Send it with each request, under the same name.";

const parameterMessages: Readonly<Record<string, string>> = {
  seed: "--seed is for the whole server, and Ollama's seed for each request: send it with the request for the same answer each time.",
  repeat_penalty:
    "repetition_penalty of vLLM looks at the prompt and the whole answer; Ollama's at the last repeat_last_n tokens.",
  repeat_last_n: "vLLM's penalties look at the prompt and the whole answer.",
  presence_penalty: askedFor,
  frequency_penalty: askedFor,
  num_gpu:
    "vLLM keeps every layer on GPUs. --cpu-offload-gb is its own way to keep some of the weights in RAM.",
  main_gpu: "vLLM takes the first GPUs that it sees: CUDA_VISIBLE_DEVICES chooses them.",
  num_batch:
    "num_batch has no counterpart: --max-num-batched-tokens counts the tokens of all requests together.",
  use_mmap: "vLLM copies the weights to the GPUs, so that use_mmap decides nothing.",
};

function parameterNotes(source: Source): Note[] {
  const dropped = new Set(droppedNotes(source).map(({ at }) => at?.start));
  return source.commands.flatMap(({ name }, index) => {
    if (isInstruction(name) || !parameterFact(name) || carried.has(name)) return [];
    const message = parameterMessages[name] ?? `vllm serve has no option for ${name}.`;
    const note = noteOn(source, index, message);
    return dropped.has(note.at?.start) ? [] : [note];
  });
}

function stopNotes(source: Source, parameters: ReadonlyMap<string, InForce>): Note[] {
  const texts = parameters.get("stop")?.texts ?? [];
  // The end of a turn ends an answer of vLLM by the model's own generation_config.json.
  const own = notesOn(
    source,
    "stop",
    `vllm serve has no option for stop strings. Send them with each request: "stop": ${JSON.stringify(texts)}`,
  );
  return own.slice(0, 1);
}

function toolNotes({ model }: Source): Note[] {
  if (!model?.capabilities?.includes("tools")) return [];
  const message =
    "Tools need --enable-auto-tool-choice and the --tool-call-parser that the model's answers are written for (docs/features/tool_calling.md).";
  return [{ message }];
}

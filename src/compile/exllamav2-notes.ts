import { isFolderPath } from "./exllamav2-config.js";
import { droppedNotes, noteOn, notesOn } from "./notes.js";
import { numberOf, type InForce } from "./parameters-in-force.js";
import type { Note, Source } from "./target.js";

/** Instructions and parameters that TabbyAPI has nothing for. */
const without: Readonly<Record<string, string>> = {
  system: "TabbyAPI keeps no system prompt. Send it as the first message of a chat.",
  template:
    "TEMPLATE is a Go template, and TabbyAPI takes Jinja. It uses the chat template in the model's folder; prompt_template names another.",
  renderer: "Ollama's own code renders the prompt. TabbyAPI takes the model's chat template.",
  parser: "Ollama's own code parses the answer, which TabbyAPI hands on as it is.",
  license: "TabbyAPI shows no licence: keep it beside the model.",
  requires: "REQUIRES names a release of Ollama, which TabbyAPI is not.",
  num_gpu: "exllamav2 keeps every layer on the GPUs: num_gpu means nothing to it.",
  main_gpu: "exllamav2 has no main GPU. CUDA_VISIBLE_DEVICES chooses the cards.",
  num_thread: "exllamav2 computes on the GPUs: num_thread means nothing to it.",
  use_mmap: "exllamav2 loads the weights its own way: use_mmap means nothing to it.",
  use_mlock: "exllamav2 keeps no weights in RAM: use_mlock means nothing to it.",
  num_keep: "TabbyAPI does not shift the context: num_keep means nothing to it.",
  draft_num_predict: "exllamav2 chooses itself how far a draft guesses.",
  penalize_newline: "TabbyAPI has no such setting.",
};

/** What config.yml and the preset do not hold. */
export function keptNotes(source: Source, parameters: ReadonlyMap<string, InForce>): Note[] {
  const { commands } = source;
  const dropped = droppedNotes(source);
  const isDropped = new Set(dropped.map(({ at }) => at?.start));
  const first = commands.findIndex(({ name }) => name === "message");
  const seed = numberOf(parameters, "seed") ?? -1;
  return [
    ...Object.entries(without)
      .flatMap(([name, message]) => notesOn(source, name, message))
      .filter(({ at }) => !isDropped.has(at?.start)),
    ...(first < 0
      ? []
      : [
          noteOn(
            source,
            first,
            "TabbyAPI keeps no messages. Send those of MESSAGE in front of each chat's own.",
          ),
        ]),
    ...(seed >= 0
      ? notesOn(source, "seed", "A preset holds no seed: send it with each request.")
      : []),
    ...attachmentNotes(source),
    ...dropped,
  ];
}

function attachmentNotes(source: Source): Note[] {
  return source.commands.flatMap(({ name, args }, index) => {
    if ((name !== "adapter" && name !== "draft") || isFolderPath(args, source)) return [];
    const what = name === "adapter" ? "adapters as PEFT's folders" : "a draft model's folder";
    return [
      noteOn(source, index, `exllamav2 takes ${what}, and ${args} is a file: it is left out.`),
    ];
  });
}

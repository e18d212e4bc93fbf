import { textAt } from "../models/header.js";
import { promptDecision } from "../ollama/prompt.js";
import { since } from "../facts/release.js";
import type { Plan } from "../plan/plan.js";
import { isTurnToken, tokensIn } from "../prompt/family.js";
import { isFolder, type LoadedFiles } from "./llama-server-files.js";
import { buildFor, leavesFitting } from "./llama-server-plain.js";
import { droppedNotes, noteOn, notesOn } from "./notes.js";
import type { InForce } from "./parameters-in-force.js";
import type { Note, Source } from "./target.js";
import { namedWeights } from "./weights-named.js";

/** What no flag of llama-server says. */
export function leftOut(
  source: Source,
  files: LoadedFiles,
  parameters: ReadonlyMap<string, InForce>,
): Note[] {
  return [
    ...machineNotes(source),
    ...weightNotes(source, files),
    ...instructionNotes(source),
    ...templateNotes(source),
    ...stopNotes(source, parameters),
    ...droppedNotes(source),
    ...parameterNotes(source),
  ];
}

function machineNotes({ plan, release }: Source): Note[] {
  if (!plan) {
    const message =
      "No machine is named: the command has what the Modelfile alone says, and llama-server places the model itself.";
    return [{ message }];
  }
  const own = since(release, "0.30.0")
    ? []
    : [
        {
          message: `Ollama ${release.version} runs models in a runner of its own: there is no command of its llama-server. The other one is for llama.cpp ${buildFor(release)}.`,
        },
      ];
  return [...own, ...planNotes(plan)];
}

function planNotes(plan: Plan): Note[] {
  const notes: string[] = [];
  if (/^(?:out-of-memory|refused)$/.test(plan.verdict)) {
    notes.push(`It does not run so on ${plan.machine.name}. ${plan.reasons[0] ?? ""}`.trim());
  }
  if (!plan.reproduced) notes.push("The placement is an approximation.");
  if (leavesFitting(plan)) {
    notes.push(
      `The experts of ${plan.host.experts} layers lie in RAM. llama-server places them itself, so that no -ngl is given.`,
    );
  }
  if (since(plan.release, "0.30.0") && /^(?:unknown|detected)$/.test(promptDecision(plan).value)) {
    notes.push(
      "Which template makes the prompt is not known here. Where it is a TEMPLATE, Ollama adds --no-jinja --chat-template chatml.",
    );
  }
  if (plan.machine.os === "windows")
    notes.push("The scripts are for a POSIX shell, such as Git's.");
  return notes.map((message) => ({ message }));
}

function weightNotes(source: Source, files: LoadedFiles): Note[] {
  const { model } = namedWeights(source);
  const notes: Note[] = [];
  if (model && model.kind === "file" && isFolder(model.text, source)) {
    const message =
      "llama-server reads GGUF files, and FROM is a folder. llama.cpp's convert_hf_to_gguf.py makes one of it, as Ollama does.";
    notes.push({ at: model.node, message });
  }
  if (files.adapters.some((adapter) => typeof adapter === "string" && adapter.includes(","))) {
    notes.push(
      ...notesOn(
        source,
        "adapter",
        "llama-server cuts --lora at commas: rename the adapter's file.",
      ),
    );
  }
  if (files.inlineProjector) {
    const message =
      "The projector lies in the model's file, where Ollama's llama-server alone finds it. llama.cpp needs it in a file of its own, for --mmproj.";
    notes.push({ ...(model && { at: model.node }), message });
  }
  return notes;
}

const withoutFlag: Readonly<Record<string, string>> = {
  system:
    "llama-server has no flag for a system prompt. Send it as the first message of a chat, with the role system.",
  renderer:
    "Ollama's own code renders the prompt. llama-server takes the chat template of the model.",
  parser: "Ollama's own code parses the answer. llama-server does so by the chat template.",
  license: "llama-server shows no licence: keep it beside the model.",
  requires: "REQUIRES names a release of Ollama, which llama-server is not.",
};

function instructionNotes(source: Source): Note[] {
  const messages = source.commands.flatMap(({ name }, index) =>
    name === "message" ? [index] : [],
  );
  const [first] = messages;
  return [
    ...Object.entries(withoutFlag).flatMap(([name, message]) => notesOn(source, name, message)),
    ...(first === undefined
      ? []
      : [
          noteOn(
            source,
            first,
            "llama-server keeps no messages. Send those of MESSAGE in front of each chat's own.",
          ),
        ]),
  ];
}

/** Whether the model's own chat template does for TEMPLATE, by the tokens that turns begin and end with. */
function templateNotes(source: Source): Note[] {
  const { commands, model, release, server, plan } = source;
  const text = commands.findLast(({ name }) => name === "template")?.args ?? "";
  const inherited = model?.template?.language === "go" ? model.template.text : "";
  const go = text || inherited;
  if (go === "" || model?.shape.embeddingOnly) return [];
  const at = (message: string): Note[] => {
    const notes = notesOn(source, "template", message);
    return notes.length > 0 ? notes.slice(-1) : [{ message }];
  };
  const jinja = model?.header && textAt(model.header, "tokenizer.chat_template");
  const template = "TEMPLATE is a Go template, and llama-server takes Jinja.";
  if (jinja === undefined) {
    const message = `${template} Its prompt is that of the model's own chat template, which is not known here: --chat-template-file names another.`;
    return at(message);
  }
  const settings = plan?.settings ?? { template: go };
  if (promptDecision({ model: model!, release, server, settings }).value === "chat-template") {
    return text === ""
      ? []
      : at("Ollama does not use TEMPLATE here either: the chat template does more.");
  }
  const [ours, theirs] = [turnsIn(go), turnsIn(jinja)];
  if (ours.length > 0 && ours.join() === theirs.join()) {
    const shown = ours.slice(0, 4).join(" ");
    return at(`${template} The model's own chat template writes the same turns: ${shown}.`);
  }
  const message = `${template} The model's own chat template writes other turns: write one like TEMPLATE, and name it with --chat-template-file.`;
  return at(message);
}

function turnsIn(text: string): string[] {
  const tokens = tokensIn(text).map(({ token }) => token);
  return [...new Set(tokens.filter(isTurnToken))].sort();
}

function stopNotes(source: Source, parameters: ReadonlyMap<string, InForce>): Note[] {
  const stop = parameters.get("stop");
  if (!stop || stop.texts.length === 0) return [];
  const message = `llama-server has no flag for stop strings. Send them with each request: "stop": ${JSON.stringify(stop.texts)}`;
  const notes = notesOn(source, "stop", message);
  return notes.length > 0 ? notes.slice(0, 1) : [{ message }];
}

/** Parameters that llama.cpp had flags for once. */
const gone = [
  "tfs_z",
  "penalize_newline",
  "low_vram",
  "f16_kv",
  "logits_all",
  "vocab_only",
] as const;

function parameterNotes(source: Source): Note[] {
  const dropped = new Set(droppedNotes(source).map(({ at }) => at?.start));
  return gone.flatMap((name) =>
    notesOn(source, name, `llama-server has no flag for ${name} any more.`).filter(
      ({ at }) => !dropped.has(at?.start),
    ),
  );
}

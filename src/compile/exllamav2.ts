import { formatBytes } from "../machines/sizes.js";
import { configOf } from "./exllamav2-config.js";
import { keptNotes } from "./exllamav2-notes.js";
import { parametersInForce } from "./parameters-in-force.js";
import { samplerPreset, yamlText } from "./sampler-preset.js";
import { shellComment } from "./shell-words.js";
import type { Compiled, Refusal, Source, Target } from "./target.js";
import { namedWeights } from "./weights-named.js";

/** ExLlamaV2 is a library; TabbyAPI is its server, and this is what that one reads. */
export const exllamav2: Target = {
  id: "exllamav2",
  summary: "config.yml and a sampler preset for TabbyAPI, the server of ExLlamaV2",
  compile,
};

function compile(source: Source): Compiled | Refusal {
  const refused = whyNot(source);
  if (refused !== undefined) return { refused };
  const parameters = parametersInForce(source);
  const preset =
    source.name.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^[.-]+/, "") || "modelfile";
  const { config, notes } = configOf(source, parameters, preset);
  const about = shellComment(`config.yml of TabbyAPI, for ${source.name}.`);
  return {
    texts: [
      { path: "config.yml", text: `${about}\n${yamlText(config)}` },
      {
        path: `sampler_overrides/${preset}.yml`,
        text: samplerPreset(
          parameters,
          `What ${source.name} samples with where a request does not say.`,
        ),
      },
    ],
    notes: [...notes, ...keptNotes(source, parameters)],
  };
}

const instead =
  "Take the model's safetensors, or a quantised EXL2 folder, or use --to llama-server.";

/** Why exllamav2 cannot run it. */
function whyNot(source: Source): string | undefined {
  const { model } = namedWeights(source);
  if (!model || model.kind === "unclear") return `FROM names no folder of weights. ${instead}`;
  const { text } = model;
  if (model.kind === "name") {
    return `exllamav2 reads EXL2, GPTQ and FP16 folders, and Ollama's ${text} is a GGUF file. ${instead}`;
  }
  if (isGguf(text, source)) {
    return `exllamav2 reads EXL2, GPTQ and FP16 folders, and no GGUF files. ${instead}`;
  }
  if (source.files?.get(text)?.kind === "file") {
    return `exllamav2 takes a folder with a config.json, and ${text} is one file. Name its folder.`;
  }
  return whyNotModel(source) ?? whyNotMachine(source);
}

/** Where a model comes from that is a GGUF file for certain: its file, or Ollama. */
const isHeld = /^(?:gguf|store|api)$/;

function isGguf(text: string, source: Source): boolean {
  const facts = source.files?.get(text);
  if (facts?.kind === "file") return facts.content === "gguf";
  if (facts?.kind !== "folder") {
    return /\.gguf$/i.test(text) || isHeld.test(source.model?.source ?? "");
  }
  const isAny = (pattern: RegExp) => facts.names.some((name) => pattern.test(name));
  return isAny(/\.gguf$/i) && !isAny(/\.safetensors$/i);
}

/** Quantisations of folders that exllamav2 has no code for; Q8_0 is what Ollama makes of FP8. */
const foreign: Readonly<Record<string, string>> = { EXL3: "EXL3", MXFP4: "MXFP4", Q8_0: "FP8" };

function whyNotModel({ model }: Source): string | undefined {
  if (model?.shape.embeddingOnly) {
    return "exllamav2 generates text, and this model only embeds. Use --to llama-server.";
  }
  const name = foreign[model?.quantisation ?? ""];
  if (name === undefined) return undefined;
  const help = name === "EXL3" ? "TabbyAPI loads it with the backend exllamav3." : instead;
  return `exllamav2 does not read ${name}. ${help}`;
}

function whyNotMachine({ machine }: Source): string | undefined {
  if (!machine || machine.gpus.some(({ backend }) => /^(?:cuda|rocm)$/.test(backend))) {
    return undefined;
  }
  const has = machine.gpus[0]?.name ?? `${formatBytes(machine.memory.total)} of RAM and no GPU`;
  return `exllamav2 runs on CUDA and ROCm alone, and ${machine.name} has ${has}. Use --to llama-server.`;
}

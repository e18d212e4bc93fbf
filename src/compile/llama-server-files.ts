import { since } from "../facts/release.js";
import { numberAt } from "../models/header.js";
import type { Model } from "../models/model.js";
import { projectorSize } from "../ollama/projector.js";
import type { Blank } from "./llama-server-command.js";
import type { Variable } from "./shell-words.js";
import type { Source } from "./target.js";
import { isProjector, namedWeights, pathFor } from "./weights-named.js";

type Place = string | Variable;

/** Where llama-server finds what it loads: paths of the Modelfile, or variables for what only the user knows. */
export interface LoadedFiles {
  model: Place;
  projector?: Place;
  /** The projector's tensors lie in the model's own file. */
  inlineProjector: boolean;
  adapters: readonly Place[];
  draft?: Place;
  blanks: readonly Blank[];
}

export function loadedFiles(source: Source): LoadedFiles {
  const { model } = source;
  const blanks: Blank[] = [];
  const blank = (variable: string, means: string): Variable => {
    blanks.push({ variable, means });
    return { variable };
  };
  const named = namedWeights(source);
  const place = modelPath(source) ?? blank("MODEL", modelMeans(source));
  const inlineProjector = model !== undefined && holdsProjector(model);
  const projector = named.projector
    ? pathFor(named.projector, source)
    : model?.projectorBytes !== undefined
      ? blank("MMPROJ", "the projector, the second FROM of ollama show --modelfile.")
      : inlineProjector
        ? place
        : undefined;
  const adapters = attached("adapter", source);
  const draft = attached("draft", source).at(-1);
  return {
    model: place,
    ...(projector !== undefined && { projector }),
    inlineProjector,
    adapters:
      adapters.length === 0 && (model?.adapters ?? []).length > 0
        ? [blank("ADAPTER", "the adapter, behind ADAPTER of ollama show --modelfile.")]
        : adapters,
    ...(draft !== undefined && { draft }),
    ...(draft === undefined &&
      model?.draft && {
        draft: blank("DRAFT", "the draft model, behind DRAFT of ollama show --modelfile."),
      }),
    blanks,
  };
}

/** The GGUF file that FROM names; undefined where it names a folder or a model. */
export function modelPath(source: Source): string | undefined {
  const { model } = namedWeights(source);
  if (model?.kind !== "file" || isFolder(model.text, source)) return undefined;
  return pathFor(model.text, source);
}

export function isFolder(text: string, { files, model }: Source): boolean {
  const kind = files?.get(text)?.kind;
  return kind === undefined ? model?.source === "folder" : kind === "folder";
}

function modelMeans(source: Source): string {
  const { model } = namedWeights(source);
  if (model && isFolder(model.text, source)) {
    return `the GGUF file that llama.cpp's convert_hf_to_gguf.py makes of ${model.text}.`;
  }
  const name = model?.text ?? "the model";
  return `the file of ${name}. Behind FROM of ollama show --modelfile ${name} stands its path.`;
}

/** Ollama's own llama-server reads such a file as model and as projector. */
function holdsProjector(model: Model): boolean {
  return model.projectorBytes === undefined && projectorSize(model) !== undefined;
}

/** Since 0.5.5 the last adapter alone is taken. */
function attached(name: "adapter" | "draft", source: Source): string[] {
  const texts = source.commands.flatMap((command) =>
    command.name === name && !isProjector(command.args, source) ? [command.args] : [],
  );
  const counting = name === "adapter" && since(source.release, "0.5.5") ? texts.slice(-1) : texts;
  return counting.map((text) => pathFor(text, source));
}

/** How a draft guesses; undefined where nothing does (0.32.15:llm/llama_server.go externalDraftType, hasMTPDraft). */
export function draftType({ model }: Source, { draft }: LoadedFiles): string | undefined {
  if (draft !== undefined) {
    return model?.draft?.shape.architecture === "dflash" ? "draft-dflash" : "draft-mtp";
  }
  const header = model?.header;
  if (!header) return undefined;
  const { architecture } = model.shape;
  const heads = numberAt(header, `${architecture}.nextn_predict_layers`) ?? 0;
  const isQwen = architecture === "qwen35" || architecture === "qwen35moe";
  const holds = heads > 0 || (isQwen && header.tensors.some(({ name }) => name.startsWith("mtp.")));
  return holds ? "draft-mtp" : undefined;
}

import { since } from "../facts/release.js";
import { tabbyCacheModes } from "../facts/tabby-options.js";
import type { Gpu, Machine } from "../machines/machine.js";
import { formatBytes } from "../machines/sizes.js";
import { seesImages } from "../ollama/context.js";
import { serverWord } from "../ollama/server.js";
import { demandOf, splitOver, type Demand } from "./exllamav2-memory.js";
import { numberOf, type InForce } from "./parameters-in-force.js";
import type { Note, Source } from "./target.js";
import { namedWeights, pathFor } from "./weights-named.js";

type Options = Record<string, unknown>;

type Parameters = ReadonlyMap<string, InForce>;

/** TabbyAPI's config.yml as data, and what is to be known of it. What is left out has TabbyAPI's default. */
export function configOf(
  source: Source,
  parameters: Parameters,
  preset: string,
): { config: Record<string, Options>; notes: Note[] } {
  const notes: Note[] = [];
  const note = (message: string) => void notes.push({ message });
  const gpus = cardsOf(source.machine);
  const sized = sizes(source, parameters, gpus, note);
  const path = pathFor(namedWeights(source).model!.text, source);
  const { folder, name } = placeOf(path);
  if (!isAbsolute(path))
    note(`model_dir is ${folder}, from the folder that TabbyAPI is started in.`);
  const draft = draftOptions(source, parameters, sized.cacheMode);
  return {
    config: {
      model: {
        model_dir: folder,
        model_name: name,
        backend: "exllamav2",
        ...sized.options,
        ...(source.model && seesImages(source.model) && { vision: true }),
        ...cardOptions(source, gpus, sized, note),
      },
      ...(draft && { draft_model: draft }),
      sampling: { override_preset: preset },
      ...loraOptions(source),
    },
    notes,
  };
}

/** The cards that exllamav2 can use: those of one kind, as PyTorch is built for one. */
function cardsOf(machine: Machine | undefined): readonly Gpu[] {
  const cards = (backend: Gpu["backend"]) =>
    machine?.gpus.filter((gpu) => gpu.backend === backend) ?? [];
  return cards("cuda").length > 0 ? cards("cuda") : cards("rocm");
}

interface Sizes {
  options: Options;
  cacheMode: string;
  demand: Demand | undefined;
}

function sizes(
  source: Source,
  parameters: Parameters,
  gpus: readonly Gpu[],
  note: (message: string) => void,
): Sizes {
  const { plan, model } = source;
  const tokens = plan?.context.effective ?? numberOf(parameters, "num_ctx");
  const length = tokens === undefined ? undefined : Math.max(tokens, 4);
  const slots = plan?.context.parallel ?? 1;
  const cells = length === undefined ? undefined : Math.ceil((length * slots) / 256) * 256;
  const cacheMode = cacheModeOf(source, note);
  const isPaged = gpus.every(pages);
  if (!isPaged && slots > 1) {
    note(
      "Without flash attention, on AMD's cards and those before Ampere, TabbyAPI answers one request at a time.",
    );
  }
  if (length === undefined) note("Nothing sets num_ctx: TabbyAPI takes what config.json says.");
  const trained = model?.shape.trainedContext;
  const isStretched = length !== undefined && trained !== undefined && length > trained;
  const chunk = numberOf(parameters, "num_batch") ?? 0;
  return {
    options: {
      ...(length !== undefined && { max_seq_len: length }),
      ...(isPaged && cells !== undefined && { cache_size: cells }),
      cache_mode: cacheMode,
      ...(isStretched && { rope_alpha: "auto" }),
      // TabbyAPI rounds it up itself, with a warning.
      ...(chunk > 0 && { chunk_size: Math.max(256, Math.ceil(chunk / 256) * 256) }),
      ...(plan && isPaged && { max_batch_size: slots }),
    },
    cacheMode,
    demand:
      model && cells !== undefined
        ? demandOf(model, isPaged ? cells : length!, cacheMode)
        : undefined,
  };
}

/** Flash attention, which the paged cache needs, runs on Ampere and newer (backends/exllamav2/model.py). */
function pages({ backend, compute }: Gpu): boolean {
  return backend === "cuda" && (compute === undefined || Number(compute) >= 8);
}

/** Types of the KV cache by the mode that takes as many bits, or the next more. */
const cacheModes: Readonly<Record<string, string>> = {
  f16: "FP16",
  bf16: "FP16",
  q8_0: "Q8",
  q5_0: "Q6",
  q5_1: "Q6",
  q4_0: "Q4",
  q4_1: "Q4",
  iq4_nl: "Q4",
};

function cacheModeOf({ server, release }: Source, note: (message: string) => void): string {
  const asked = since(release, "0.5.0") ? serverWord(server, "OLLAMA_KV_CACHE_TYPE") : undefined;
  if (asked === undefined) return "FP16";
  const mode = Object.hasOwn(cacheModes, asked) ? cacheModes[asked]! : undefined;
  if (mode !== undefined) return mode;
  note(
    `OLLAMA_KV_CACHE_TYPE is ${asked}, and exllamav2 has ${tabbyCacheModes.join(", ")}: FP16 it is.`,
  );
  return "FP16";
}

/** How the model gets onto the cards. */
function cardOptions(
  source: Source,
  gpus: readonly Gpu[],
  { demand }: Sizes,
  note: (message: string) => void,
): Options {
  const { machine } = source;
  if (!machine || gpus.length === 0) {
    note("No machine is named: TabbyAPI splits the model over the cards itself.");
    return {};
  }
  if (!demand) {
    note(
      "The sizes of the model or of its context are not known: TabbyAPI splits it over the cards itself.",
    );
    return fast(gpus, machine, undefined, note);
  }
  const split = splitOver(gpus, demand);
  if (!split.fits) note(whyTooLarge(demand, split.room, machine));
  const several = gpus.length > 1;
  return {
    ...(several &&
      split.fits && {
        tensor_parallel: false,
        gpu_split_auto: false,
        gpu_split: split.gibibytes,
      }),
    ...fast(gpus, machine, demand, note),
  };
}

function whyTooLarge({ weights, cache, perToken }: Demand, room: number, machine: Machine): string {
  const need = `Weights of ${formatBytes(weights)} and a cache of ${formatBytes(cache)}`;
  const cells = Math.floor((room - weights) / perToken / 256) * 256;
  const help =
    cells >= 256
      ? `A cache of ${cells} tokens would fit.`
      : "It keeps nothing in RAM: take a smaller quantisation.";
  return `${need} do not fit on ${machine.name}, whose cards have ${formatBytes(room)} for them. ${help}`;
}

/**
 * Safetensors are mapped, so that all that goes to the cards passes through the page cache; with ROCm, or
 * with less RAM than that, the load stalls (exllamav2 #371).
 */
function fast(
  gpus: readonly Gpu[],
  { memory }: Machine,
  demand: Demand | undefined,
  note: (message: string) => void,
): Options {
  const isRocm = gpus[0]?.backend === "rocm";
  const passes = demand !== undefined && demand.weights > memory.free;
  if (!isRocm && !passes) return {};
  const why = passes
    ? `${formatBytes(demand.weights)} pass through ${formatBytes(memory.free)} of free RAM`
    : "ROCm reads mapped files slowly";
  note(
    `fasttensors is on: ${why} (exllamav2 #371). exllamav2 has had one loader for all since 0.2.3, and newer TabbyAPI ignores the option.`,
  );
  return { fasttensors: true };
}

function draftOptions(
  source: Source,
  parameters: Parameters,
  cacheMode: string,
): Options | undefined {
  const text = source.commands.findLast(({ name }) => name === "draft")?.args;
  const tokens = numberOf(parameters, "draft_num_predict") ?? 4;
  if (text === undefined || tokens <= 0 || !isFolderPath(text, source)) return undefined;
  const { folder, name } = placeOf(pathFor(text, source));
  return { draft_model_dir: folder, draft_model_name: name, draft_cache_mode: cacheMode };
}

function loraOptions(source: Source): Record<string, Options> {
  const texts = source.commands.flatMap(({ name, args }) => (name === "adapter" ? [args] : []));
  const text = texts.findLast((one) => isFolderPath(one, source));
  if (text === undefined) return {};
  const { folder, name } = placeOf(pathFor(text, source));
  return { lora: { lora_dir: folder, loras: [{ name, scaling: 1 }] } };
}

/** Whether an attachment is a folder, as PEFT's adapters and models of Hugging Face are. */
export function isFolderPath(text: string, { files }: Pick<Source, "files">): boolean {
  const facts = files?.get(text);
  if (facts && facts.kind !== "missing") return facts.kind === "folder";
  return !/\.(?:gguf|bin|safetensors)$/i.test(text);
}

function isAbsolute(path: string): boolean {
  return /^(?:[\\/~]|[A-Za-z]:[\\/])/.test(path);
}

/** A folder as TabbyAPI names it: where it lies, and what it is called. */
function placeOf(path: string): { folder: string; name: string } {
  const whole = path.replace(/(?<=.)[\\/]+$/, "");
  const cut = Math.max(whole.lastIndexOf("/"), whole.lastIndexOf("\\"));
  if (cut < 0) return { folder: ".", name: whole };
  return { folder: whole.slice(0, cut) || whole.slice(0, 1), name: whole.slice(cut + 1) };
}

import { parseName } from "../../grammar/model-name.js";
import { bundledBuild } from "../facts/llama-server-flags.js";
import { newestRelease, since, within, type Release } from "../facts/release.js";
import { serverWord } from "../ollama/server.js";
import type { Plan } from "../plan/plan.js";
import { selectionOf } from "./gpu-selection.js";
import type { LoadedFiles } from "./llama-server-files.js";
import type { Argument, Command } from "./llama-server-command.js";
import {
  batchArguments,
  draftArguments,
  imageArguments,
  loadsDirectly,
  projectorArguments,
  shiftArguments,
  shiftsContext,
} from "./llama-server-ollama.js";
import { numberOf, valueOf, type InForce } from "./parameters-in-force.js";
import type { Source } from "./target.js";
import { namedWeights } from "./weights-named.js";

type Parameters = ReadonlyMap<string, InForce>;

/** The same model with llama.cpp alone: requests go to it, and no Ollama is there to fill them in. */
export function plainCommand(source: Source, files: LoadedFiles, parameters: Parameters): Command {
  const { plan } = source;
  const selection = plan && selectionOf(plan.machine, cardsUsed(plan));
  const hub = hubReference(source);
  return {
    about: [
      `${source.name} with llama.cpp ${buildFor(source.release)} or newer.`,
      ...(plan ? [`Placed for ${plan.machine.name} as the plan has it.`] : []),
      "Run it in the folder of the Modelfile.",
    ],
    blanks: files.blanks.filter(({ variable }) => hub === undefined || !fromHub.has(variable)),
    environment: selection?.environment ?? {},
    arguments: [
      hub === undefined ? ["--model", files.model] : ["--hf-repo", hub],
      ["--alias", source.name],
      ...contextArguments(source, parameters),
      ...(plan ? placementArguments(plan, selection?.devices) : wantedPlacement(parameters)),
      ...(plan ? computeArguments(plan) : wantedCompute(source, parameters)),
      ...loadArguments(source, parameters),
      ...threadArguments(parameters),
      ...files.adapters.map((adapter): Argument => ["--lora", adapter]),
      // A projector that lies in the model's own file is for Ollama's llama-server alone.
      ...(hub !== undefined || files.inlineProjector
        ? []
        : projectorArguments(plan ?? { decisions: [] }, files)),
      ...draftArguments(source, plan, files, parameters),
      ...(source.model ? imageArguments(source.model) : []),
      ...(source.model?.shape.embeddingOnly ? [] : answerArguments(source, parameters)),
    ],
  };
}

/** The build that a release comes with, or the newest release: what the flags are those of. */
export function buildFor(release: Release): string {
  return bundledBuild(release) ?? bundledBuild(newestRelease) ?? "";
}

/** What llama-server fetches with a model of Hugging Face. */
const fromHub = new Set(["MODEL", "MMPROJ"]);

/** "hf.co/user/model:Q4_K_M" as --hf-repo takes it. */
function hubReference(source: Source): string | undefined {
  const { model } = namedWeights(source);
  if (model?.kind !== "name") return undefined;
  const { host, namespace, model: name, tag } = parseName(model.text);
  if (!/^(?:hf\.co|huggingface\.co)$/i.test(host)) return undefined;
  // Ollama's "latest" is no quantisation.
  return `${namespace}/${name}${tag === "latest" ? "" : `:${tag}`}`;
}

/** -c is for all slots together: each has its part, as each request has with Ollama. */
function contextArguments({ plan }: Source, parameters: Parameters): Argument[] {
  if (!plan) {
    const tokens = numberOf(parameters, "num_ctx");
    return tokens === undefined ? [] : [["-c", String(Math.max(tokens, 4))]];
  }
  const { cells, parallel } = plan.context;
  return [
    ["-c", String(cells)],
    ["-np", String(parallel)],
    ...(parallel > 1 ? ([["--no-kv-unified"]] as const) : []),
  ];
}

/** Indexes of the cards that take layers. */
function cardsUsed({ devices }: Plan): number[] {
  return devices.flatMap(({ layers }, index) => (layers > 0 ? [index] : []));
}

/** Whether llama-server has to fit the model again: which experts lie in RAM no number says. */
export function leavesFitting({ host }: Plan): boolean {
  return host.experts > 0;
}

function placementArguments(plan: Plan, devices: string | undefined): Argument[] {
  const { layers, machine } = plan;
  const used = cardsUsed(plan);
  const seen: Argument[] = devices === undefined ? [] : [["--device", devices]];
  if (leavesFitting(plan)) return seen;
  const count: Argument = ["-ngl", String(layers.onGpu)];
  if (used.length > 1) {
    const parts = used.map((index) => plan.devices[index]!.layers);
    return [...seen, count, ["--split-mode", "layer"], ["--tensor-split", parts.join(",")]];
  }
  const isOneOfMany = used.length === 1 && machine.gpus.length > 1;
  const alone: Argument[] = isOneOfMany
    ? [
        ["--split-mode", "none"],
        ["--main-gpu", "0"],
      ]
    : [];
  return [...seen, count, ...alone];
}

/** Without a machine, what the Modelfile alone says. */
function wantedPlacement(parameters: Parameters): Argument[] {
  const layers = numberOf(parameters, "num_gpu") ?? -1;
  const main =
    parameters.get("main_gpu")?.from === "file" ? valueOf(parameters, "main_gpu") : undefined;
  return [
    ...(layers < 0 ? [] : ([["-ngl", String(layers)]] as const)),
    ...(main === undefined
      ? []
      : ([
          ["--split-mode", "none"],
          ["--main-gpu", main],
        ] as const)),
  ];
}

function computeArguments(plan: Plan): Argument[] {
  return [
    ...batchArguments(plan),
    ["--flash-attn", plan.flashAttention],
    ...cacheArguments(plan.kvCacheType),
    ...(plan.model.shape.embeddingOnly ? ([["--embedding"]] as const) : []),
  ];
}

function wantedCompute({ server, release, model }: Source, parameters: Parameters): Argument[] {
  const numBatch = numberOf(parameters, "num_batch") ?? 0;
  const asked = since(release, "0.5.0") ? serverWord(server, "OLLAMA_KV_CACHE_TYPE") : undefined;
  return [
    ...(numBatch > 0 ? batchArguments({ numBatch }) : []),
    ...cacheArguments(asked ?? "f16"),
    ...(model?.shape.embeddingOnly ? ([["--embedding"]] as const) : []),
  ];
}

function cacheArguments(type: string): Argument[] {
  if (type === "f16") return [];
  return [
    ["--cache-type-k", type],
    ["--cache-type-v", type],
  ];
}

/** Builds before llama.cpp #20834 have flags of their own for each way. */
function loadArguments({ plan, release }: Source, parameters: Parameters): Argument[] {
  const locks = valueOf(parameters, "use_mlock") === "true";
  const maps = plan ? plan.mmap.inForce : valueOf(parameters, "use_mmap") !== "false";
  const isDirect = plan !== undefined && loadsDirectly(plan);
  if (within(release, { from: "0.30.0", to: "0.32.5" })) {
    if (isDirect) return [["--direct-io"]];
    return maps ? [] : [["--no-mmap"]];
  }
  if (isDirect) return [["--load-mode", "dio"]];
  if (locks) return [["--load-mode", maps ? "mmap+mlock" : "mlock"]];
  return maps ? [] : [["--load-mode", "none"]];
}

function threadArguments(parameters: Parameters): Argument[] {
  const threads = numberOf(parameters, "num_thread") ?? 0;
  return [
    ...(threads > 0 ? ([["--threads", String(threads)]] as const) : []),
    ...(valueOf(parameters, "numa") === "true" ? ([["--numa", "distribute"]] as const) : []),
  ];
}

/** Flags for what Ollama sends with every request. */
const sampling: Readonly<Record<string, string>> = {
  temperature: "--temp",
  top_k: "--top-k",
  top_p: "--top-p",
  min_p: "--min-p",
  typical_p: "--typical",
  repeat_last_n: "--repeat-last-n",
  repeat_penalty: "--repeat-penalty",
  presence_penalty: "--presence-penalty",
  frequency_penalty: "--frequency-penalty",
  mirostat: "--mirostat",
  mirostat_tau: "--mirostat-ent",
  mirostat_eta: "--mirostat-lr",
  seed: "--seed",
};

function answerArguments(source: Source, parameters: Parameters): Argument[] {
  const { plan, release } = source;
  const usesMirostat = (numberOf(parameters, "mirostat") ?? 0) !== 0;
  const samplers = Object.entries(sampling).flatMap(([name, flag]): Argument[] => {
    const value = valueOf(parameters, name);
    if (value === undefined || (name.startsWith("mirostat") && !usesMirostat)) return [];
    return [[flag, value]];
  });
  const shifts = !plan || !since(release, "0.30.0") || shiftsContext(plan);
  return [
    ["--jinja"],
    ...(shifts ? shiftArguments(parameters) : []),
    ...samplers,
    ...lengthArguments(source, parameters),
  ];
}

/**
 * An answer without an end is stopped after ten times the context (boundedNumPredict, since 0.1.33). Since 0.30
 * a 0 is left out of the request, and so sets no end.
 */
function lengthArguments({ plan, release }: Source, parameters: Parameters): Argument[] {
  const wanted = numberOf(parameters, "num_predict") ?? -1;
  if (wanted === 0 && since(release, "0.30.0")) return [];
  const most = plan ? 10 * plan.context.effective : undefined;
  if (most !== undefined && (wanted < 0 || wanted > most)) return [["--n-predict", String(most)]];
  return wanted < 0 ? [] : [["--n-predict", String(wanted)]];
}

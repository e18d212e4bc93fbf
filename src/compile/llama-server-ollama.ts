import { bundledBuild } from "../facts/llama-server-flags.js";
import { since, within } from "../facts/release.js";
import type { Model } from "../models/model.js";
import { visibleGpus } from "../ollama/engine.js";
import {
  availableMemory,
  chooseGpus,
  predictVram,
  type GpuChoice,
} from "../ollama/llama-server.js";
import { wantedLayers } from "../ollama/load.js";
import { paddedFor, projectorSize } from "../ollama/projector.js";
import { promptDecision } from "../ollama/prompt.js";
import { serverFlag, serverText, serverWord } from "../ollama/server.js";
import type { Plan } from "../plan/plan.js";
import { indexesOf, selectionOf } from "./gpu-selection.js";
import { draftType, type LoadedFiles } from "./llama-server-files.js";
import type { Argument, Command } from "./llama-server-command.js";
import { numberOf, type InForce } from "./parameters-in-force.js";
import type { Source } from "./target.js";

const MiB = 2 ** 20;
const GiB = 2 ** 30;

type Parameters = ReadonlyMap<string, InForce>;

/**
 * What Ollama since 0.30 starts, argument for argument (0.30.0–0.32.15:llm/llama_server.go startLlamaServer).
 * The port is one that is free, and is left to the user.
 */
export function ollamaCommand(
  source: Source,
  plan: Plan,
  files: LoadedFiles,
  parameters: Parameters,
): Command {
  const { release } = source;
  const build = bundledBuild(release);
  const comes = build === undefined ? "" : ` (llama.cpp ${build})`;
  return {
    about: [
      `llama-server as Ollama ${release.version}${comes} starts it on ${plan.machine.name}.`,
      "Run it in the folder of the Modelfile. Ollama's own program lies in lib/ollama.",
    ],
    blanks: files.blanks,
    port: 8080,
    environment: environmentOf(plan, files),
    arguments: ollamaArguments(source, plan, files, parameters),
  };
}

function ollamaArguments(
  source: Source,
  plan: Plan,
  files: LoadedFiles,
  parameters: Parameters,
): Argument[] {
  const { context, settings, model } = plan;
  const threads = numberOf(parameters, "num_thread") ?? 0;
  const layers = wantedLayers(plan);
  return [
    ["--model", files.model],
    ["--port", { variable: "PORT" }],
    ["--host", "127.0.0.1"],
    ["--no-webui"],
    ["--offline"],
    ["-c", String(context.cells)],
    ["-np", String(context.parallel)],
    ["--log-verbosity", "4"],
    ["--no-log-prefix"],
    ["--no-log-timestamps"],
    ...(rendersItself(plan)
      ? ([["--no-jinja"], ["--chat-template", "chatml"]] satisfies Argument[])
      : []),
    ...projectorArguments(plan, files),
    ...draftArguments(source, plan, files, parameters),
    ...imageArguments(model),
    ...files.adapters.map((adapter): Argument => ["--lora", adapter]),
    ...loadArguments(plan),
    ...cacheArguments(plan),
    ["--flash-attn", plan.flashAttention],
    ...(model.shape.embeddingOnly ? ([["--embedding"]] satisfies Argument[]) : []),
    // num_batch 0 and less pass no flag.
    ...(settings.numBatch === undefined || settings.numBatch > 0 ? batchArguments(plan) : []),
    ...(layers === undefined ? [] : ([["-ngl", String(layers)]] satisfies Argument[])),
    ...(threads > 0 ? ([["-t", String(threads)]] satisfies Argument[]) : []),
    ...mainGpuArguments(plan),
    ...(shiftsContext(plan) ? shiftArguments(parameters) : []),
  ];
}

/** Prompts that Ollama renders itself go to /completion, so that no template is to be read. */
function rendersItself(plan: Plan): boolean {
  const { value } = promptDecision(plan);
  if (/^(?:renderer|template|harmony)$/.test(value)) return true;
  if (value === "bare") return (plan.settings.parser ?? plan.model.parser ?? "") !== "";
  return value === "none" && plan.model.template?.language === "go";
}

/** Where the plan has the projector. */
export function projectorPlace({ decisions }: Pick<Plan, "decisions">): string | undefined {
  return decisions.find(({ what }) => what === "projector")?.value;
}

export function projectorArguments(
  plan: Pick<Plan, "decisions">,
  { projector }: Pick<LoadedFiles, "projector">,
): Argument[] {
  if (projector === undefined) return [];
  const onCpu = projectorPlace(plan) === "cpu";
  return [["--mmproj", projector], ...(onCpu ? ([["--no-mmproj-offload"]] as const) : [])];
}

/**
 * Up to some release before 0.32.6 every draft is an MTP one that the backend samples; since then Metal does
 * not, and draft models of their own kind pass nothing on it (appendDraftArgs, before appendMTPDraftArgs).
 */
export function draftArguments(
  source: Source,
  plan: Pick<Plan, "release" | "machine"> | undefined,
  files: LoadedFiles,
  parameters: Parameters,
): Argument[] {
  const type = draftType(source, files);
  // Four, where a DRAFT is there; heads in the model itself guess only where they are asked to.
  const tokens = numberOf(parameters, "draft_num_predict") ?? (files.draft === undefined ? 0 : 4);
  if (type === undefined || tokens <= 0) return [];
  const isNew = plan === undefined || since(plan.release, "0.32.6");
  const isMetal = plan?.machine.gpus[0]?.backend === "metal";
  const sampling: Argument = [
    isNew && isMetal ? "--no-spec-draft-backend-sampling" : "--spec-draft-backend-sampling",
  ];
  return [
    ["--spec-type", isNew ? type : "draft-mtp"],
    ["--spec-draft-n-max", String(tokens)],
    ...(isNew && type !== "draft-mtp" ? [] : [sampling]),
    ...(files.draft === undefined ? [] : ([["--spec-draft-model", files.draft]] as const)),
  ];
}

/** qwenVLServerArgs */
export function imageArguments({ shape }: Model): Argument[] {
  const isQwen = /^(?:qwen2vl|qwen25vl|qwen3vl|qwen3vlmoe)$/.test(shape.architecture);
  return isQwen ? [["--image-min-tokens", "1024"]] : [];
}

/** How the weights are read. --load-mode came with llama.cpp #20834, which 0.32.6 is the first to have. */
function loadArguments(plan: Plan): Argument[] {
  const { release, mmap, settings } = plan;
  const isDirect = loadsDirectly(plan);
  if (since(release, "0.32.6")) {
    if (isDirect) return [["--load-mode", "dio"]];
    return mmap.inForce ? [] : [["--load-mode", "none"]];
  }
  const isRead = isDirect ? settings.useMmap === false : !mmap.inForce;
  return [
    ...(isRead ? ([["--no-mmap"]] as const) : []),
    ...(isDirect ? ([["--direct-io"]] as const) : []),
  ];
}

/** GPUs that share the memory of a Linux computer are loaded past the page cache since 0.32.2. */
export function loadsDirectly(plan: Plan): boolean {
  const { machine, release } = plan;
  return (
    machine.os === "linux" &&
    since(release, "0.32.2") &&
    choiceOf(plan).gpus.some(
      ({ backend, integrated }) => integrated && (backend === "cuda" || backend === "rocm"),
    )
  );
}

/** Nothing is passed where nothing is set: f16 is llama-server's own. */
function cacheArguments({ server, kvCacheType }: Plan): Argument[] {
  if (serverWord(server, "OLLAMA_KV_CACHE_TYPE") === undefined) return [];
  return [
    ["--cache-type-k", kvCacheType],
    ["--cache-type-v", kvCacheType],
  ];
}

export function batchArguments({ numBatch }: Pick<Plan, "numBatch">): Argument[] {
  return [
    ["-b", String(numBatch)],
    ["-ub", String(numBatch)],
  ];
}

function choiceOf(plan: Plan): GpuChoice {
  return chooseGpus(plan, predictVram(plan.model, plan.context.cells));
}

/** Share of the free memory within which one GPU is enough (server/sched.go llamaServerLoadHeadroomPercent). */
const comfortable = 0.8;

function single(index: number): Argument[] {
  return [
    ["--split-mode", "none"],
    ["--main-gpu", String(index)],
  ];
}

/** 0.32.15:server/sched.go selectLlamaServerPlacement: one that is picked is the only one seen, number 0. */
function mainGpuArguments(plan: Plan): Argument[] {
  const { machine, release, server, settings, model, context } = plan;
  const { mainGpu } = settings;
  const isAlone = visibleGpus(machine, release, server).length <= 1;
  if (isAlone || settings.numGpu === 0) return mainGpu === undefined ? [] : single(mainGpu);
  const { gpus, problem } = choiceOf(plan);
  if (mainGpu !== undefined)
    return single(problem === undefined && gpus.length === 1 ? 0 : mainGpu);
  if (serverFlag(server, "OLLAMA_SCHED_SPREAD") === true || gpus.length !== 1) return [];
  const predicted = predictVram(model, context.cells);
  return predicted <= comfortable * availableMemory(gpus, machine) ? single(0) : [];
}

/** resolveContextShift: up to 0.30.8 by the length of the context, then for all models but one. */
export function shiftsContext({ release, context, model }: Plan): boolean {
  return within(release, { from: "0.30.0", to: "0.30.8" })
    ? context.effective < 8192
    : model.shape.architecture !== "deepseek2";
}

export function shiftArguments(parameters: Parameters): Argument[] {
  const keep = numberOf(parameters, "num_keep") ?? 0;
  return [["--context-shift"], ...(keep > 0 ? ([["--keep", String(keep)]] as const) : [])];
}

/** What llama-server inherits, and what Ollama adds (ml/device.go GetDevicesEnv, extraEnvsForStart). */
function environmentOf(plan: Plan, { projector }: LoadedFiles): Record<string, string> {
  const { server, machine, release, model } = plan;
  const inherited = Object.entries(server).filter(([name]) => /^LLAMA_ARG_[A-Z0-9_]+$/.test(name));
  const place = projectorPlace(plan) === "gpu" && projector !== undefined ? "gpu" : undefined;
  const size = paddedFor(release, place) ? projectorSize(model) : undefined;
  const isSet = serverText(server, "LLAMA_ARG_FIT_TARGET") !== "";
  const { environment } = selectionOf(machine, indexesOf(machine, choiceOf(plan).gpus));
  return {
    ...environment,
    ...(size !== undefined &&
      !isSet && { LLAMA_ARG_FIT_TARGET: String(Math.ceil((size + GiB) / MiB)) }),
    ...Object.fromEntries(inherited),
  };
}

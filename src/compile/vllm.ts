import { vllmFrom } from "../facts/vllm-options.js";
import type { Machine } from "../machines/machine.js";
import { serverNumber } from "../ollama/server.js";
import { selectionOf } from "./gpu-selection.js";
import { notesOn } from "./notes.js";
import { parametersInForce } from "./parameters-in-force.js";
import { rayScripts, rayService } from "./ray-cluster.js";
import { shellCommand, shellComment, shellValue, shellWord } from "./shell-words.js";
import type { Compiled, Note, Source, Target, Text } from "./target.js";
import { settingsOf, shellSetting, type Setting } from "./vllm-arguments.js";
import type { Loaded } from "./vllm-memory.js";
import { servedModel, type ServedModel } from "./vllm-model.js";
import { vllmLeftOut } from "./vllm-notes.js";
import {
  cardsOf,
  inGiB,
  placeOn,
  type Cards,
  type Found,
  type Placed,
  type Placement,
} from "./vllm-placement.js";
import {
  attachedTo,
  cacheTypeOf,
  needsHalf,
  wantedLength,
  type WantedLength,
} from "./vllm-wanted.js";

/** What serves the model with vLLM: on one machine, or over several as a Ray cluster. */
export const vllm: Target = {
  id: "vllm",
  summary:
    "vllm serve on one machine, or over several as a Ray cluster and a RayService of KubeRay",
  compile,
};

function compile(source: Source): Compiled {
  const { machine } = source;
  const parameters = parametersInForce(source);
  const served = servedModel(source);
  const wanted = wantedLength(source, parameters);
  const all = machine && cardsOf(machine);
  const cache = cacheTypeOf(source, all?.cards ?? []);
  const placed = machine && placedOn(source, machine, served, cache.type, wanted);
  const placement = placed && "placement" in placed ? placed.placement : undefined;
  const cards: Cards | undefined = placement ?? all;
  const sequences = sequencesOf(source);
  const { adapters, draft, notes: attachedNotes } = attachedTo(source);
  const settings = settingsOf(
    source,
    {
      served,
      length: placement?.length ?? wanted.length,
      share: cards?.share,
      tensor: placement?.tensor ?? 1,
      pipeline: placement?.pipeline ?? 1,
      nodes: placement?.nodes ?? 1,
      half: needsHalf(machine, cards?.cards ?? []),
      cacheType: cache.type,
      sequences,
      adapters,
      draft,
    },
    parameters,
  );
  const cluster =
    machine && placement && placement.nodes > 1
      ? clusterTexts(source, machine, placement, served, settings)
      : { texts: [], notes: [] };
  return {
    texts: [serveScript(source, served, settings, placement), ...cluster.texts],
    notes: [
      ...served.notes,
      ...placementNotes(source, served, placed, wanted),
      ...cluster.notes,
      ...cache.notes,
      ...attachedNotes,
      ...(sequences === undefined ? [{ message: manyRequests }] : []),
      ...vllmLeftOut(source, parameters),
    ],
  };
}

const manyRequests =
  "Ollama's requests wait for each other unless OLLAMA_NUM_PARALLEL is set; vLLM serves as many at a time as its cache holds. --max-num-seqs limits them.";

/** --max-num-seqs, where Ollama is told how many requests to serve at a time. */
function sequencesOf({ server, plan }: Source): number | undefined {
  const asked = serverNumber(server, "OLLAMA_NUM_PARALLEL") ?? 0;
  return asked > 0 ? (plan?.context.parallel ?? asked) : undefined;
}

/** Defaults of a server by the memory of a card (EngineArgs.get_batch_defaults in vllm/engine/arg_utils.py). */
const batches = {
  largeFrom: 70 * 2 ** 30,
  large: { batched: 8192, sequences: 1024 },
  small: { batched: 2048, sequences: 256 },
} as const;

/** Undefined where the sizes are not known. */
function placedOn(
  source: Source,
  machine: Machine,
  { weights }: ServedModel,
  cacheType: string | undefined,
  { length, insists }: WantedLength,
): Placed | undefined {
  const { model } = source;
  if (!model || !weights || length === undefined) return undefined;
  const smallest = Math.min(...machine.gpus.map(({ total }) => total));
  const isA100 = machine.gpus.some(({ name }) => /a100/i.test(name));
  const usual = smallest >= batches.largeFrom && !isA100 ? batches.large : batches.small;
  const loaded: Loaded = {
    model,
    weights,
    cacheBytes: cacheType === undefined ? 2 : 1,
    batched: usual.batched,
    sequences: sequencesOf(source) ?? usual.sequences,
  };
  return placeOn(machine, loaded, { length, insists });
}

function serveScript(
  { path, machine }: Source,
  { model, blanks }: ServedModel,
  settings: readonly Setting[],
  placement: Placement | undefined,
): Text {
  const where =
    placement && placement.nodes > 1 ? `on the first of ${placement.nodes} machines like` : "on";
  const on = machine ? `, ${where} ${machine.name}` : "";
  const environment =
    machine && placement?.nodes === 1 ? selectionOf(machine, placement.cards).environment : {};
  const text = [
    "#!/bin/sh",
    shellComment(`${path} with vLLM, ${vllmFrom} or newer${on}.`),
    "set -eu",
    ...blanks.flatMap(({ variable, means }) => [
      shellComment(`${variable}: ${means}`),
      `: "\${${variable}:?}"`,
    ]),
    ': "${PORT:=8000}"',
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    shellCommand(`exec "\${VLLM:-vllm}" serve ${shellValue(model)}`, settings.map(shellSetting)),
    "",
  ].join("\n");
  return { path: "serve.sh", text };
}

function clusterTexts(
  source: Source,
  machine: Machine,
  placement: Placement,
  { model, form }: ServedModel,
  settings: readonly Setting[],
): Compiled {
  const scripts = rayScripts(machine, placement);
  if (typeof model !== "string") {
    const message = "There is no rayservice.yaml, since the checkpoint is not known.";
    return { texts: scripts, notes: [{ message }] };
  }
  const isLocal = form === "folder" || /^[./~]|^[A-Za-z]:/.test(model);
  const local = `${model} has to be at the same place on each machine, and in each pod.`;
  return {
    texts: [...scripts, rayService(source, machine, placement, model, settings)],
    notes: [
      ...(isLocal ? [{ message: local }] : []),
      ...notesOn(source, "adapter", "rayservice.yaml is without the adapter."),
      {
        message:
          "The pods of rayservice.yaml may take half of a machine's cores and free RAM, and its images are those of KubeRay's sample: change both to what you have.",
      },
    ],
  };
}

function placementNotes(
  { machine, plan }: Source,
  { weights }: ServedModel,
  placed: Placed | undefined,
  { length }: WantedLength,
): Note[] {
  if (!machine) {
    const message =
      "No machine is named: nothing is said of GPUs and memory. vLLM takes one GPU, unless --tensor-parallel-size says otherwise.";
    return [{ message }];
  }
  const system = systemNotes(machine);
  if (!placed) {
    const what = weights || !plan ? "The model" : "What the model's tensors are";
    return [...system, { message: `${what} is not known, so that its memory is not checked.` }];
  }
  if ("unplaced" in placed) return [...system, { message: placed.unplaced }];
  return [...system, ...memoryNotes(machine, placed, length ?? 0)];
}

function systemNotes({ os }: Machine): Note[] {
  if (os === "linux") return [];
  return [{ message: "vLLM runs on Linux: under Windows in WSL, on a Mac without its GPU." }];
}

/** The check of memory in numbers, and what came of it. */
function memoryNotes(machine: Machine, { placement, shortened }: Found, asked: number): Note[] {
  const { demand, room, share, nodes, cards, tensor, pipeline, length } = placement;
  const count = nodes * cards.length;
  const over = count === 1 ? "One card" : `The fullest of ${count} cards (${tensor} × ${pipeline})`;
  const parts = [
    `weights ${inGiB(demand.weights)}`,
    `the KV cache of one request ${inGiB(demand.cache)}`,
    `activations and CUDA graphs ${inGiB(demand.activation)}`,
  ].join(", ");
  const check = `${over} holds ${inGiB(demand.total)} of the ${inGiB(room)} that vLLM takes of it (${share} of its memory): ${parts}.`;
  const notes = [check];
  if (nodes > 1) {
    const many = `it takes ${nodes} such machines`;
    notes.unshift(
      shortened === undefined
        ? `One machine like ${machine.name} does not hold the model: ${many}.`
        : `One machine like ${machine.name} serves --max-model-len ${shortened} and no more: for ${asked} ${many}.`,
    );
  } else if (length < asked) {
    notes.unshift(
      `The context is ${length} in place of ${asked}: vLLM does not start where the cache has no room for one request of the whole length.`,
    );
  }
  return notes.map((message) => ({ message }));
}

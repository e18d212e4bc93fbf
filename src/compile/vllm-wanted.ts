import type { Machine } from "../machines/machine.js";
import { serverNumber } from "../ollama/server.js";
import { noteOn } from "./notes.js";
import { numberOf, type InForce } from "./parameters-in-force.js";
import type { Note, Source } from "./target.js";
import { askedCacheType } from "./vllm-arguments.js";
import { pathFor } from "./weights-named.js";

/** Tokens of one request; undefined where the model's own length holds. */
export interface WantedLength {
  length: number | undefined;
  /** The Modelfile says so. */
  insists: boolean;
}

/** vLLM refuses more than the model was trained for (_get_and_verify_max_len in vllm/config/model.py). */
export function wantedLength(
  { plan, model, server }: Source,
  parameters: ReadonlyMap<string, InForce>,
): WantedLength {
  const trained = model?.shape.trainedContext ?? Number.POSITIVE_INFINITY;
  const most = (length: number) => Math.min(length, trained > 0 ? trained : length);
  if (plan) {
    const { effective, from } = plan.context;
    return { length: most(effective), insists: from === "modelfile" };
  }
  const own = numberOf(parameters, "num_ctx");
  if (own !== undefined && own > 0) return { length: most(own), insists: true };
  const served = serverNumber(server, "OLLAMA_CONTEXT_LENGTH") ?? 0;
  return { length: served > 0 ? most(served) : undefined, insists: false };
}

export interface CacheType {
  /** --kv-cache-dtype */
  type: "fp8" | undefined;
  notes: readonly Note[];
}

/** Eight bits are fp8 to vLLM, which these cards compute with from compute capability 8.9 on. */
export function cacheTypeOf(source: Source, cards: readonly number[]): CacheType {
  const asked = askedCacheType(source);
  if (asked === undefined) return { type: undefined, notes: [] };
  const gpus = cards.flatMap((index) => source.machine?.gpus[index] ?? []);
  const isOld = gpus.some(
    ({ compute, backend }) => backend === "cuda" && Number(compute ?? 9) < 8.9,
  );
  const message = isOld
    ? `The KV cache keeps 16 bits: vLLM has no ${asked}, and these cards have no fp8.`
    : `The KV cache is fp8: vLLM has no ${asked}. fp8 rounds otherwise${/4/.test(asked) ? " and takes twice the memory" : ""}.`;
  return { type: isOld ? undefined : "fp8", notes: [{ message }] };
}

/** bfloat16 needs compute capability 8.0 (_check_if_gpu_supports_dtype in vllm/v1/worker/gpu_worker.py). */
export function needsHalf(machine: Machine | undefined, cards: readonly number[]): boolean {
  const gpus = cards.flatMap((index) => machine?.gpus[index] ?? []);
  return gpus.some(({ compute, backend }) => backend === "cuda" && Number(compute ?? 8) < 8);
}

export interface Attached {
  /** Folders of LoRA adapters in safetensors. */
  adapters: readonly string[];
  /** Folder of a model that guesses ahead. */
  draft: string | undefined;
  notes: readonly Note[];
}

export function attachedTo(source: Source): Attached {
  const { commands, model } = source;
  const adapters: string[] = [];
  const notes: Note[] = [];
  let draft: string | undefined;
  commands.forEach(({ name, args }, index) => {
    if (name !== "adapter" && name !== "draft") return;
    if (source.files?.get(args)?.kind !== "folder") {
      notes.push(noteOn(source, index, isGguf[name]));
    } else if (name === "draft") draft = pathFor(args, source);
    else {
      adapters.push(pathFor(args, source));
      notes.push(noteOn(source, index, adapted(source)));
    }
  });
  if (adapters.length === 0 && (model?.adapters ?? []).some(({ name }) => name === undefined)) {
    notes.push({ message: isGguf.adapter });
  }
  return { adapters, draft, notes };
}

const isGguf = {
  adapter:
    "The adapter is left out: vLLM reads LoRA in safetensors, as PEFT writes it, and Ollama's is GGUF.",
  draft: "The draft model is left out: vLLM guesses ahead with a checkpoint in safetensors.",
} as const;

function adapted({ name }: Source): string {
  return `Requests for ${name} get the adapter, those for ${name}-base the model alone. Where adapter_config.json has an r beyond 16, add --max-lora-rank.`;
}

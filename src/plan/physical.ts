import type { Gpu } from "../machines/machine.js";
import { allocate, keptBytes, subjectOf, type Subject } from "../memory/allocate.js";
import type { Device, RunParameters, Share } from "../memory/allocation.js";
import { NoGraph } from "../memory/graph.js";
import { fit } from "../memory/fit.js";
import type { Header } from "../models/header.js";
import { offloadableLayers, type Model } from "../models/model.js";
import { kvCacheBytesPerElement } from "../models/tensor-types.js";
import { boundPlacement } from "./bound.js";
import {
  driverContext,
  fitMargin,
  type PhysicalInput,
  type PlacedDevice,
  type Placement,
} from "./placed.js";

/**
 * What llama.cpp allocates: from the graph of the model's architecture where its tensors are known, by
 * closed forms otherwise. Adapters and a draft count as weights of the memory that they lie in.
 */
export function physicalPlacement(input: PhysicalInput): Placement {
  return withCompanions(modelPlacement(input), input);
}

function modelPlacement(input: PhysicalInput): Placement {
  const { header } = input.model;
  if (!header) return boundPlacement(input);
  try {
    return computedPlacement(input, subjectFor(header));
  } catch (error) {
    if (error instanceof NoGraph) return boundPlacement(input);
    throw error;
  }
}

/**
 * An adapter's matrices lie beside those that they change (llama-adapter.cpp llama_adapter_lora_init); a
 * draft has weights, cache and buffers of its own, with all its layers on the first device that has any
 * of the model's.
 */
function withCompanions(placement: Placement, input: PhysicalInput): Placement {
  const { adapters = [], draft } = input.model;
  if (adapters.length === 0 && !draft) return placement;
  const { devices, host } = placement;
  const inRam = devices.length;
  const bytes = [...devices.map(() => 0), 0];
  const deviceOf = (layer: number): number => {
    if (layer < host.layers) return inRam;
    let end = host.layers;
    const device = devices.findIndex(({ layers }) => (end += layers) > layer);
    return device === -1 ? inRam : device;
  };
  const output = offloadableLayers(input.model) - 1;
  for (const { header, bytes: size } of adapters) {
    for (const tensor of header?.tensors ?? []) {
      const block = /^blk\.(\d+)\./.exec(tensor.name)?.[1];
      bytes[deviceOf(block === undefined ? output : Number(block))]! += tensor.bytes;
    }
    if (!header) bytes[deviceOf(output)]! += size;
  }
  if (draft) {
    const first = devices.findIndex(({ layers }) => layers > 0);
    const own = first === -1 ? [] : [devices[first]!.gpu];
    const layers = own.map(() => offloadableLayers(draft));
    const found = modelPlacement({ ...input, model: draft, gpus: own, layers });
    for (const { used, overhead } of found.devices) bytes[first]! += used - overhead;
    bytes[inRam]! += bytesIn(found.host) + found.host.output;
  }
  const placed = devices.map((device, index) => ({
    ...device,
    weights: device.weights + bytes[index]!,
    used: device.used + bytes[index]!,
  }));
  return {
    ...placement,
    devices: placed,
    host: { ...host, weights: host.weights + bytes[inRam]! },
    total: placement.total + sum(bytes),
    holds: placed.every(({ gpu, used }) => used <= gpu.free),
  };
}

/** Bytes of weights, cache and state, wherever they lie; undefined where the tensors are not known. */
export function leastBytes(input: Omit<PhysicalInput, "layers">): number | undefined {
  const { header } = input.model;
  if (!header) return undefined;
  try {
    return keptBytes(subjectFor(header), askedFor({ ...input, layers: 0 }));
  } catch (error) {
    if (error instanceof NoGraph) return undefined;
    throw error;
  }
}

const subjects = new WeakMap<Header, Subject>();

function subjectFor(header: Header): Subject {
  const known = subjects.get(header);
  if (known) return known;
  const subject = subjectOf(header);
  subjects.set(header, subject);
  return subject;
}

function computedPlacement(input: PhysicalInput, subject: Subject): Placement {
  const { gpus, model, layers, quick = false } = input;
  const projector = projectorOf(model);
  const devices = gpus.map((gpu, index): Device => ({
    backend: gpu.backend,
    // What is there when llama.cpp looks: the driver has taken its part, a projector is loaded first.
    free: Math.max(0, gpu.free - driverContext(gpu) - (index === 0 ? projector : 0)),
    ...capability(gpu),
  }));
  const asked = askedFor(input);
  const run =
    layers === "fit"
      ? devices.length > 0
        ? fit(subject, devices, asked, { margin: fitMargin }).run
        : asked
      : typeof layers === "number"
        ? { ...asked, gpuLayers: layers }
        : { ...asked, gpuLayers: sum(layers), tensorSplit: layers };
  const found = allocate(subject, devices, run, { folds: quick });

  const first = found.layers.findIndex((count) => count > 0);
  const placed = gpus.map((gpu, index): PlacedDevice => {
    const count = found.layers[index]!;
    const share = found.devices[index]!;
    const overhead = count > 0 ? driverContext(gpu) : 0;
    const own = index === first ? projector : 0;
    return {
      gpu,
      layers: count,
      ...share,
      projector: own,
      overhead,
      used: count > 0 ? bytesIn(share) + own + overhead : 0,
    };
  });
  // Blocks that predict further tokens count for llama.cpp, not for Ollama.
  const all = offloadableLayers(model);
  const onGpu = Math.min(sum(found.layers), all);
  const host = {
    ...found.host,
    layers: all - onGpu,
    experts: run.overrides?.length ?? 0,
    weights: found.host.weights + (first < 0 ? projector : 0),
  };
  return {
    devices: placed,
    host,
    layers: onGpu,
    total: sum(placed.map(({ used }) => used)) + bytesIn(host) + host.output,
    holds: placed.every(({ gpu, used }) => used <= gpu.free),
    accuracy: found.accuracy,
  };
}

function bytesIn({ weights, cache, recurrent, compute }: Share): number {
  return weights + cache + recurrent + compute;
}

/** What llama.cpp is asked to run. */
function askedFor(input: PhysicalInput): RunParameters {
  // With a type that does not exist nothing runs; what stands beside it is shown all the same.
  const type = Object.hasOwn(kvCacheBytesPerElement, input.kvType) ? input.kvType : "f16";
  return {
    context: input.numCtx * input.parallel,
    batch: input.numBatch,
    microBatch: input.numBatch,
    sequences: input.parallel,
    unifiedCache: input.unifiedCache,
    typeK: type,
    typeV: type,
    flashAttention: input.flashAttention,
    outputs: input.outputs,
    embeddings: input.model.shape.embeddingOnly === true,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((all, one) => all + one, 0);
}

/** "8.9" as 890. */
function capability({ backend, compute }: Gpu): Pick<Device, "compute"> {
  const number = backend === "cuda" ? Number(compute) : Number.NaN;
  return Number.isFinite(number) && number > 0 ? { compute: Math.round(number * 100) } : {};
}

/** Bytes of a projector: a file of its own, or what the model's file holds besides the text model. */
function projectorOf({ projectorBytes, weights, header, capabilities }: Model): number {
  if (projectorBytes !== undefined) return projectorBytes;
  if (!header || !capabilities?.includes("vision")) return 0;
  return Math.max(0, weights.total - sum(header.tensors.map(({ bytes }) => bytes)));
}

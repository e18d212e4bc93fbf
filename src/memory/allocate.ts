import { textAt, type Header } from "../models/header.js";
import type { Allocation, Device, RunParameters, Share } from "./allocation.js";
import type { Architecture } from "./architecture.js";
import { architectureNamed, measuredArchitectures } from "./architectures.js";
import { generic } from "./architectures/generic.js";
import { backendsOf } from "./backends.js";
import { Builder, type Blueprint } from "./builder.js";
import { computeBound } from "./bound.js";
import { caches } from "./cache.js";
import { answering, contextSizes, type ContextSizes } from "./context.js";
import { cudaSupports } from "./flash-attention.js";
import { ram, type Graph } from "./graph.js";
import { keysOf, networkOf, type Network } from "./network.js";
import { blockKinds, folded, type BlockKinds } from "./fold.js";
import { layerDevices, placeWeights, type Placement } from "./placement.js";
import { compute } from "./scheduler.js";
import { tensorsOf, type Tensors } from "./tensors.js";

/**
 * allocated: what a context takes when it is really created. measured: what llama.cpp finds when it only
 * measures (no_alloc), which is what its fit goes by and what test/accuracy/measured-memory.jsonl.gz
 * holds: without the generation graph, and with norms left to the scheduler.
 */
export type Way = "allocated" | "measured";

export interface Options {
  way?: Way;
  /**
   * Leaves out of the graph what repeats: five times as fast, and the compute buffers are those of the
   * whole graph in all but a few cases (docs/memory.md). For searches; what they find is looked at whole.
   */
  folds?: boolean;
}

/** A model ready to be asked about several times. */
export interface Subject {
  network: Network;
  /** Its own graph, or one read off the tensors. */
  architecture: Architecture;
  tensors: Tensors;
  kinds: BlockKinds;
}

/** @throws Error where the header lacks what nothing can be computed without. */
export function subjectOf(header: Header): Subject {
  const name = textAt(header, "general.architecture") ?? "";
  const keys = keysOf(header);
  const listed = header.keys.get("tokenizer.ggml.tokens");
  const vocabulary = typeof listed === "object" ? listed.length : 0;
  const base = networkOf(name, keys, vocabulary);
  const architecture = architectureNamed(name) ?? generic;
  const network = { ...base, ...architecture.adapt?.(base, keys) };
  const tensors = tensorsOf(header.tensors, network.blocks);
  const kinds = blockKinds(network, tensors.ofBlock, architecture.differs);
  return { network, architecture, tensors, kinds };
}

/** What llama.cpp allocates for a model on these devices. */
export function allocate(
  header: Header | Subject,
  devices: readonly Device[],
  run: RunParameters,
  { way = "allocated", folds = false }: Options = {},
): Allocation {
  const subject = "network" in header ? header : subjectOf(header);
  const { network, tensors, architecture } = subject;
  const sizes = contextSizes(network, run);
  const layer = layerDevices(network, devices, run.gpuLayers, run.tensorSplit);
  const placement = placeWeights(network, tensors, devices, layer, run.overrides);
  const few = foldedBlocks(subject, placement, devices);
  const blocks = folds ? few : Array.from({ length: network.layers }, (_, block) => block);
  const blueprint = { network, tensors, placement, run, sizes, blocks, flashAttention: true };
  const flashAttention = choosesFlashAttention(
    { ...blueprint, blocks: few },
    architecture,
    devices,
  );
  const kept = caches(network, devices, run, sizes, layer, flashAttention);
  const settled = { ...blueprint, flashAttention };
  const graphs = computeBuffers(settled, architecture, devices, way);
  // While it answers, one token a sequence passes: hardly ever more, and then it does not depend on blocks.
  const answer =
    way === "measured" || folds
      ? []
      : computeBuffers(
          { ...settled, blocks: few, sizes: answering(sizes) },
          architecture,
          devices,
          way,
        ).bytes;
  const computeOn = (index: number) => Math.max(graphs.bytes.at(index)!, answer.at(index) ?? 0);
  // A graph that is only guessed from the tensors may be too small.
  const least = architecture === generic ? boundOf(network, sizes, flashAttention) : 0;

  const layers = devices.map(() => 0);
  for (let index = 0; index <= network.blocks; index++) {
    const device = layer(index);
    if (device !== ram) layers[device]!++;
  }
  return {
    devices: devices.map((_, index): Share => ({
      weights: placement.devices[index]!,
      cache: kept.cache.devices[index]!,
      recurrent: kept.recurrent.devices[index]!,
      compute: Math.max(computeOn(index), least),
    })),
    host: {
      weights: placement.host,
      cache: kept.cache.host,
      recurrent: kept.recurrent.host,
      compute: computeOn(-1),
      output: outputBytes(network, run, sizes),
    },
    context: { perSequence: sizes.perSequence, total: sizes.total },
    flashAttention,
    layers,
    accuracy: accuracyOf(architecture, network),
    graph: { nodes: graphs.nodes, splits: graphs.splits },
  };
}

const inRam = () => ram;

/**
 * Bytes of weights, cache and state wherever they lie: what no placement can do without. Far quicker
 * than an allocation.
 */
export function keptBytes(subject: Subject, run: RunParameters): number {
  const { network, tensors } = subject;
  const { host } = placeWeights(network, tensors, [], inRam);
  const found = caches(network, [], run, contextSizes(network, run), inRam, true);
  return host + found.cache.host + found.recurrent.host;
}

function accuracyOf(architecture: Architecture, network: Network): Allocation["accuracy"] {
  if (architecture === generic) return "bound";
  return measuredArchitectures.has(network.architecture) ? "exact" : "generic";
}

function boundOf(network: Network, sizes: ContextSizes, flashAttention: boolean): number {
  const { embedding, vocabulary, heads, keyLength } = network;
  return computeBound({
    tokens: sizes.tokens,
    outputs: sizes.outputs,
    cells: sizes.total,
    embedding,
    vocabulary,
    heads: Math.max(0, ...heads),
    keyLength,
    flashAttention,
  });
}

/** Numbers of the blocks that stand for all. */
function foldedBlocks(
  { network, kinds }: Subject,
  { layer, scattered }: Placement,
  devices: readonly Device[],
): number[] {
  const byPlace = Array.from({ length: network.layers }, (_, block) => {
    const device = layer(block);
    // Where weights are copied to a device that computes with them, their types count, too.
    const copied = scattered.has(block) || (device === ram && devices.length > 0);
    const kind = copied ? -1 - kinds.typed[block]! : kinds.plain[block]!;
    return kind * (devices.length + 1) + device + 1;
  });
  return folded(byPlace);
}

/** Logits and embeddings that are handed out (llama-context.cpp output_reserve). */
function outputBytes(network: Network, run: RunParameters, sizes: ContextSizes): number {
  const rows = Math.max(run.outputs ?? 0, sizes.sequences);
  return 4 * rows * (network.vocabulary + (run.embeddings ? network.embedding : 0));
}

/** "auto": whether every device that keeps keys computes flash attention on them. */
function choosesFlashAttention(
  blueprint: Blueprint,
  architecture: Architecture,
  devices: readonly Device[],
): boolean {
  const { flashAttention } = blueprint.run;
  if (flashAttention !== "auto") return flashAttention;
  if (devices.length === 0 || blueprint.network.encodes) return true;
  const graph = built(architecture, { ...blueprint, sizes: answering(blueprint.sizes) });
  return graph.nodes.every((node) => {
    if (node.op !== "FLASH_ATTN_EXT") return true;
    const keys = node.sources[1]!;
    const { device } = keys.view ?? keys;
    if (device === undefined || device === ram) return true;
    const { backend } = devices[device]!;
    return (backend !== "cuda" && backend !== "rocm") || cudaSupports(node);
  });
}

function built(architecture: Architecture, blueprint: Blueprint): Graph {
  const builder = new Builder(blueprint);
  architecture.build(builder);
  return builder.graph;
}

function computeBuffers(
  blueprint: Blueprint,
  architecture: Architecture,
  devices: readonly Device[],
  way: Way,
): { bytes: number[]; nodes: number; splits: number } {
  const { network, run, sizes } = blueprint;
  const gpuLayers = run.gpuLayers ?? -1;
  const wholly = gpuLayers < 0 || gpuLayers > network.blocks;
  const pipelined =
    devices.length > 1 && wholly && run.offloadCache !== false && !run.overrides?.length;
  const allocated = way === "allocated";
  return compute(built(architecture, blueprint), {
    backends: backendsOf(devices),
    pipelined,
    pinsNorms: allocated && (wholly || sizes.tokens < 32),
    pinsAttention: allocated,
  });
}

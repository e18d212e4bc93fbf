import type { TensorInfo } from "../models/header.js";
import type { RunParameters } from "./allocation.js";
import { cellsOf, keyLengthOf, keyRow, longestValueRow, valueLengthOf, valueRow } from "./cache.js";
import type { ContextSizes } from "./context.js";
import { Graph, isQuantised, NoGraph, ram, typeNamed, type Tensor, type Type } from "./graph.js";
import { hasCache, stateElements, type Network } from "./network.js";
import type { Placement } from "./placement.js";
import type { Tensors } from "./tensors.js";

/** What a graph is built from. */
export interface Blueprint {
  network: Network;
  tensors: Tensors;
  placement: Placement;
  run: RunParameters;
  sizes: ContextSizes;
  flashAttention: boolean;
  /** Numbers of the blocks that the graph has: all, or as many as its buffers depend on. */
  blocks: readonly number[];
}

/** A graph in the making, with the weights, inputs and caches that its layers share. */
export class Builder {
  readonly graph = new Graph();
  readonly network: Network;
  readonly sizes: ContextSizes;
  readonly run: RunParameters;
  readonly flashAttention: boolean;
  /** Tokens of the graph: a multiple of the sequences. */
  readonly tokens: number;
  /** inp_pos */
  readonly positions: Tensor;
  readonly #blueprint: Blueprint;
  readonly #shared = new Map<string, Tensor | undefined>();
  readonly #weights = new Map<TensorInfo, Tensor>();

  constructor(blueprint: Blueprint) {
    const { network, sizes, run, flashAttention } = blueprint;
    this.#blueprint = blueprint;
    this.network = network;
    this.sizes = sizes;
    this.run = run;
    this.flashAttention = flashAttention;
    this.tokens = Math.ceil(sizes.tokens / sizes.sequences) * sizes.sequences;
    this.positions = this.graph.input("I32", [this.tokens * network.positions], "inp_pos");
  }

  /** Made once, then the same for all who ask. */
  #once(name: string, make: () => Tensor | undefined): Tensor | undefined {
    if (!this.#shared.has(name)) this.#shared.set(name, make());
    return this.#shared.get(name);
  }

  /** Undefined where the model has no such tensor. */
  weight(name: string): Tensor | undefined {
    return this.#placed(this.#blueprint.tensors.byName.get(name));
  }

  #placed(info: TensorInfo | undefined): Tensor | undefined {
    if (!info) return undefined;
    const known = this.#weights.get(info);
    if (known) return known;
    const device = this.#blueprint.placement.weights.get(info) ?? ram;
    const weight = this.graph.weight(info.name, info.type, info.dims, device);
    this.#weights.set(info, weight);
    return weight;
  }

  /** @throws Error where the model lacks it: then the graph is not this architecture's. */
  needed(name: string): Tensor {
    const weight = this.weight(name);
    if (!weight) throw new NoGraph(`The model has no tensor "${name}".`);
    return weight;
  }

  /** A tensor of a block: "attn_q.weight". */
  of(block: number, name: string): Tensor | undefined {
    return this.#placed(this.#blueprint.tensors.ofBlock[block]?.get(name));
  }

  neededOf(block: number, name: string): Tensor {
    const weight = this.of(block, name);
    if (!weight) throw new NoGraph(`The model has no tensor "blk.${block}.${name}".`);
    return weight;
  }

  /** Numbers of the blocks that the graph has. */
  blocks(): readonly number[] {
    return this.#blueprint.blocks;
  }

  isLast(block: number): boolean {
    return block === this.network.layers - 1;
  }

  /** The rows of those tokens alone whose output is asked for (inp_out_ids). */
  outputRows(x: Tensor): Tensor {
    const ids = this.#once("inp_out_ids", () =>
      this.graph.input("I32", [this.sizes.outputs], "inp_out_ids"),
    );
    return this.graph.getRows(x, ids!);
  }

  /** Behind attention of the last block only the rows go on whose output is asked for. */
  keptRows<T extends Tensor[]>(block: number, ...tensors: T): T {
    return this.isLast(block) ? (tensors.map((tensor) => this.outputRows(tensor)) as T) : tensors;
  }

  /** Matrix for the output: the input embedding's where the model has none. */
  outputWeight(): Tensor {
    const own = this.weight("output.weight");
    if (own) return own;
    const { tensors, placement } = this.#blueprint;
    const info = tensors.byName.get("token_embd.weight");
    if (!info) throw new NoGraph('The model has no tensor "token_embd.weight".');
    const device = placement.output ?? placement.weights.get(info) ?? ram;
    const make = () => this.graph.weight("token_embd.weight", info.type, info.dims, device);
    return this.#once("output (tied)", make)!;
  }

  /** Factors of rotation by wavelength, on the block's device; undefined where the model has none. */
  ropeFactors(block: number): Tensor | undefined {
    const { tensors, placement } = this.#blueprint;
    // Long and short factors are of one size, so it does not matter which the context takes.
    const { byName } = tensors;
    const info = byName.get("rope_freqs.weight") ?? byName.get("rope_factors_short.weight");
    if (!info) return undefined;
    const device = placement.layer(block);
    return this.#once(`${info.name} ${device}`, () =>
      this.graph.weight(info.name, "F32", info.dims, device),
    );
  }

  #cacheDevice(block: number): number {
    return this.run.offloadCache === false ? ram : this.#blueprint.placement.layer(block);
  }

  keyCache(block: number): Tensor {
    const row = keyRow(this.network, block);
    return this.#cache(`cache_k_l${block}`, typeNamed(this.run.typeK.toUpperCase()), row, block);
  }

  valueCache(block: number): Tensor {
    const row = valueRow(this.network, block, this.flashAttention);
    return this.#cache(`cache_v_l${block}`, typeNamed(this.run.typeV.toUpperCase()), row, block);
  }

  #cache(name: string, type: Type, row: number, block: number): Tensor {
    const { network, sizes } = this;
    const lengths = [row, cellsOf(network, sizes, block), sizes.streams];
    return this.#once(name, () => this.graph.cache(name, type, lengths, this.#cacheDevice(block)))!;
  }

  /** The recurrent state of a block: `shift` for convolutions and token shifts, `state` for the rest. */
  state(block: number, part: "shift" | "state"): Tensor {
    const name = `cache_${part === "shift" ? "r" : "s"}_l${block}`;
    const lengths = [stateElements(this.network)[part], this.sizes.sequences];
    return this.#once(name, () =>
      this.graph.cache(name, typeNamed("F32"), lengths, this.#cacheDevice(block)),
    )!;
  }

  /** Which state each sequence continues; the second part is for states that move. */
  stateRows(): { used: Tensor; others: Tensor } {
    const { sequences } = this.sizes;
    const copy = this.#once("s_copy", () => this.graph.input("I32", [sequences], "s_copy"))!;
    const used = this.#once("s_copy used", () => this.graph.view1d(copy, sequences))!;
    const others = this.#once("s_copy others", () =>
      this.graph.view1d(copy, 0, sequences * copy.nb[0]),
    )!;
    return { used, others };
  }

  /** What a token may look at: of the window's blocks or of those that see everything. */
  mask(windowed: boolean): Tensor {
    const { network, sizes, tokens } = this;
    const cells = windowed ? sizes.windowCells : sizes.perSequence;
    const lengths = network.encodes
      ? [tokens, tokens]
      : [cells, tokens / sizes.streams, 1, sizes.streams];
    // Since June 2026 the mask is filled in the type that flash attention reads.
    const type = this.flashAttention ? "F16" : "F32";
    const name = windowed ? "kq_mask_swa" : "kq_mask";
    return this.#once(name, () => this.graph.input(type, lengths, name))!;
  }

  /** Cells that the keys of this graph's tokens go to. */
  keyRows(windowed: boolean): Tensor {
    const name = windowed ? "k_idxs_swa" : "k_idxs";
    return this.#once(name, () => this.graph.input("I64", [this.tokens], name))!;
  }

  /** Cells that the values go to: transposed ones element by element. */
  valueRows(windowed: boolean): Tensor {
    const name = windowed ? "v_idxs_swa" : "v_idxs";
    const { tokens, flashAttention, network } = this;
    const length = flashAttention ? tokens : tokens * longestValueRow(network);
    return this.#once(name, () => this.graph.input("I64", [length], name))!;
  }

  /**
   * The matrix that spreads outliers over a head before it is quantised for the cache
   * (llama-graph.cpp, attention rotation); undefined where the cache is not quantised, or heads differ.
   */
  rotation(part: "key" | "value", windowed: boolean): Tensor | undefined {
    const { network, run } = this;
    if (network.latent) return undefined;
    const name = `rotation ${part} ${windowed}`;
    return this.#once(name, () => {
      const isKey = part === "key";
      const type = typeNamed((isKey ? run.typeK : run.typeV).toUpperCase());
      const length = this.#commonLength(isKey ? keyLengthOf : valueLengthOf, windowed);
      if (length === undefined || !isQuantised(type) || length % 64 !== 0) return undefined;
      let size = 64;
      if (isKey) while (length % (size * 2) === 0) size *= 2;
      return this.graph.input("F32", [size, size], name);
    });
  }

  /** Of the blocks with a cache; undefined where there are none, or they differ. */
  #commonLength(
    lengthOf: (network: Network, block: number) => number,
    windowed: boolean,
  ): number | undefined {
    const { network } = this;
    const lengths = new Set<number>();
    for (let block = 0; block < network.layers; block++) {
      if (hasCache(network, block) && network.windowed[block] === windowed) {
        lengths.add(lengthOf(network, block));
      }
    }
    return lengths.size === 1 ? [...lengths][0] : undefined;
  }

  /** An input of the whole graph, made once. */
  input(name: string, type: string, lengths: readonly number[]): Tensor {
    return this.#once(name, () => this.graph.input(type, lengths, name))!;
  }
}

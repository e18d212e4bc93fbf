import type { Device, RunParameters } from "../../src/memory/allocation.js";
import { fit } from "../../src/memory/fit.js";
import type { Subject } from "../../src/memory/allocate.js";
import { devicesOf, linesOf } from "./rows.js";

/** A decision of llama.cpp's own fit; README.md describes the fields. */
export interface FitRow {
  rig: string;
  model: string;
  devices: string;
  /** "n_ctx=32768 n_seq=4": what was asked for; the rest was left open. */
  args: string;
  n_ctx: number;
  ngl: number;
  ts: readonly number[];
  /** "blk\.3\.ffn_…=CPU" */
  overrides: readonly string[];
}

export const readFits = () => linesOf<FitRow>("measured-fit.jsonl");

/** What llama.cpp decided and what we decide, both as one line. */
export function decisionsOf(row: FitRow, subject: Subject): { measured: string; ours: string } {
  const devices = devicesOf(row.devices);
  const asked = askedOf(row.args);
  const { run, outcome } = fit(subject, devices, asked);
  // A context that need not shrink stays open here, and is what the model was trained for there.
  const context = outcome === "as-asked" && asked.context === 0 ? row.n_ctx : run.context;
  return {
    measured: decision(row.n_ctx, row.ngl, row.ts.slice(0, devices.length), row.overrides),
    ours: decision(context, run.gpuLayers ?? -1, splitOf(run, devices), overridesOf(run)),
  };
}

function askedOf(args: string): RunParameters {
  const given = new Map(
    args.split(" ").map((arg): [string, string] => {
      const [name = "", value = ""] = arg.split("=");
      return [name, value];
    }),
  );
  const number = (name: string, otherwise: number) => Number(given.get(name) ?? otherwise);
  return {
    context: number("n_ctx", 0),
    batch: 2048,
    microBatch: number("n_ubatch", 512),
    sequences: number("n_seq", 1),
    unifiedCache: false,
    typeK: given.get("tk") ?? "f16",
    typeV: given.get("tv") ?? "f16",
    flashAttention: "auto",
    outputs: number("nout", 1),
  };
}

/** llama.cpp writes zeros where nothing is split. */
function splitOf({ tensorSplit }: RunParameters, devices: readonly Device[]): readonly number[] {
  return tensorSplit ?? devices.map(() => 0);
}

function overridesOf({ overrides = [] }: RunParameters): string[] {
  return overrides.map(
    ({ pattern, device }) => `${pattern.source}=${device === undefined ? "CPU" : `CUDA${device}`}`,
  );
}

function decision(
  context: number,
  layers: number,
  split: readonly number[],
  overrides: readonly string[],
): string {
  const elsewhere = overrides.map((override) => override.replace("CUDA_Host", "CPU"));
  return `context ${context}, layers ${layers}, split ${split.join()}, overrides ${elsewhere.join(" ")}`;
}

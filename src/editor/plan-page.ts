import { formatBytes } from "../machines/sizes.js";
import type { Plan } from "../plan/plan.js";
import { cacheBytes } from "../plan/solve.js";
import { takesPart, verdictText } from "../plan/in-words.js";

import { count, plain, table } from "./markdown.js";

/** The machine and the release that a plan is of. */
export function planOn({ machine, release }: Plan): string {
  return `${plain(machine.name)}, Ollama ${release.version}`;
}

/** The verdict with its reasons, in one paragraph. */
export function verdictLine(plan: Plan): string {
  const reasons = plan.reasons.map((reason) => plain(reason, 300));
  return [`On ${planOn(plan)} it **${verdictText(plan)}**.`, ...reasons].join(" ");
}

/** Bytes of every device that takes part, and of the RAM. */
export function memoryTable(plan: Plan): string {
  const { devices, host, mmap } = plan;
  const rows = devices
    .filter(takesPart)
    .map((device) => [
      plain(`${device.id} ${device.name}`.trim()),
      `${device.layers}`,
      size(device.weights + device.projector),
      size(device.cache + device.recurrent),
      size(device.compute + device.overhead),
      size(device.used),
      size(device.left),
    ]);
  const mapped = mmap.inForce && host.resident > 0 ? ", mapped" : "";
  const ram = [
    "RAM",
    `${host.layers}`,
    size(host.resident) + mapped,
    size(host.cache + host.recurrent),
    size(host.compute + host.output),
    size(host.used),
    size(host.free - host.used),
  ];
  const heading = ["", "layers", "weights", "KV cache", "buffers", "used", "left"];
  return table(heading, [...rows, ram], "right");
}

function size(bytes: number): string {
  return bytes === 0 ? "–" : formatBytes(bytes);
}

/** Tokens that are in force, by whom, and what the KV cache takes for them. */
export function contextLine(plan: Plan): string {
  const { numCtx, from, effective, parallel, cells } = plan.context;
  const by = {
    modelfile: "the Modelfile",
    server: "OLLAMA_CONTEXT_LENGTH",
    default: "Ollama's own choice",
  }[from];
  const asked = numCtx === effective ? "" : ` of ${numCtx}`;
  const slots =
    parallel > 1
      ? `${count(parallel, "request")} side by side make ${cells} cells`
      : count(cells, "cell");
  const cache = `${formatBytes(cacheBytes(plan))} of ${plan.kvCacheType}`;
  return `**${effective}${asked} tokens** are in force, by ${by}: ${slots}, a KV cache of ${cache}.`;
}

/** The largest contexts that fit the GPUs and that run at all. */
export function limitsLine({ limits, machine, layers, model }: Plan): string {
  const { numCtxFullGpu: full, numCtxRuns: runs } = limits;
  const trained = model.shape.trainedContext;
  const all = `all ${layers.offloadable} layers on the GPU${machine.gpus.length === 1 ? "" : "s"}`;
  const most = runs === undefined ? "none runs" : `up to **${runs}** runs`;
  const parts =
    machine.gpus.length === 0
      ? [most]
      : full === undefined
        ? [`none has ${all}`, most]
        : full === runs
          ? [`${most} with ${all}`]
          : [`up to **${full}** has ${all}`, most];
  if (trained !== undefined) parts.push(`the model was trained for ${trained}`);
  const text = parts.join("; ");
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`;
}

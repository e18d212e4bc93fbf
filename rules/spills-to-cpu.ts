import type { Modelfile } from "../grammar/tree.js";
import type { Report } from "../src/finding.js";
import { contextChange, contextPlace, modelPlace, numberSet } from "../src/fix/places.js";
import { formatBytes } from "../src/machines/sizes.js";
import type { Plan } from "../src/plan/plan.js";
import {
  bestQuantisation,
  isFullPrecision,
  largestContext,
  layersOnCpu,
  readsFromDisk,
  smallerQuantisations,
  spillCause,
  withSettings,
} from "../src/plan/solve.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "spills-to-cpu",
  group: "memory",
  severity: "warning",
  summary: "Layers on the CPU that a smaller context or file would bring to the GPU",
  why: `
What does not fit on the GPUs is computed by the CPU, and every token waits for it: \`ollama ps\` shows a split such as
\`23%/77% CPU/GPU\`, the log \`offloaded 26/33 layers to GPU\`. The KV cache grows with \`num_ctx\` and takes the
room of layers, so the first thing to lower is the context (ollama #9902), then the quantisation.
`,
  says: [{ at: "load", text: "offloaded …/… layers to GPU" }],
  needs: "plan",
  examples: [
    {
      bad: "FROM llama3.1:8b\nPARAMETER num_ctx 65536\n",
      good: "FROM llama3.1:8b\nPARAMETER num_ctx 45056\n",
      message:
        "A context of 65536 tokens leaves 7 of 33 layers on the CPU. With up to 46080 all lie on the GPU.",
      ollama: "0.32.15",
      machine: "rtx3060-12g-32g",
    },
    {
      bad: "FROM phi4:14b-q8_0\nPARAMETER num_ctx 8192\n",
      message:
        "14.51 GiB of weights leave 16 of 41 layers on the CPU, whatever the context: the GPU has 11.63 GiB free.",
      ollama: "0.32.15",
      machine: "rtx3060-12g-32g",
    },
  ],

  *check(file, { plan }) {
    // What the disk gives is another rule's matter.
    if (!plan || readsFromDisk(plan)) return;
    const cause = spillCause(plan);
    let report: Report | undefined;
    if (cause === "context") report = byContext(file, plan);
    if (cause === "weights") report = byContextInPart(file, plan) ?? byWeights(file, plan);
    if (report) yield report;
  },
});

function byContext(file: Modelfile, plan: Plan): Report | undefined {
  const at = contextPlace(file);
  const best = largestContext(plan);
  // With no layer on a GPU it is context-forces-cpu that tells, with all but one last-layer-on-cpu.
  if (!at || !best || plan.verdict === "cpu" || layersOnCpu(plan) === 1) return undefined;
  const change = contextChange(file, best.value);
  const cure = `With up to ${plan.limits.numCtxFullGpu} all lie on ${theGpus(plan)}.`;
  return {
    at,
    ...originOf(plan),
    message: `A context of ${plan.context.effective} tokens leaves ${onCpu(plan)} on the CPU. ${cure}`,
    ...(numberSet(file, "num_ctx")
      ? { fix: { ...change, safety: "unsafe" } }
      : { suggestions: [change] }),
  };
}

/** A context that most releases take by themselves. */
const modest = 4096;

/** No context brings all layers to the GPUs, but a modest one many more. */
function byContextInPart(file: Modelfile, plan: Plan): Report | undefined {
  const at = contextPlace(file);
  const { effective } = plan.context;
  if (!at || effective <= modest) return undefined;
  const less = withSettings(plan, { numCtx: modest });
  if (layersOnCpu(plan) - layersOnCpu(less) < plan.layers.offloadable / 4) return undefined;
  return {
    at,
    ...originOf(plan),
    message: `A context of ${effective} tokens leaves ${onCpu(plan)} on the CPU. With ${modest} it is ${onCpu(less)}.`,
    suggestions: [contextChange(file, modest)],
  };
}

function byWeights(file: Modelfile, plan: Plan): Report | undefined {
  const { model, devices } = plan;
  const at = modelPlace(file);
  if (!at) return undefined;
  const best = bestQuantisation(plan, smallerQuantisations(model));
  if (!best) return undefined;
  const free = formatBytes(devices.reduce((sum, device) => sum + device.free, 0));
  const { quantisation, fileBytes } = best.value;
  return {
    at,
    message: `${formatBytes(model.fileBytes)} of weights leave ${onCpu(plan)} on the CPU, whatever the context: ${theGpus(plan)} ${devices.length === 1 ? "has" : "have"} ${free} free.`,
    // Of full precision another rule tells how to get there.
    ...(!isFullPrecision(model) && {
      help: `A ${quantisation} file, about ${formatBytes(fileBytes)}, would lie on ${theGpus(plan)} wholly.`,
    }),
  };
}

/** Who chose the context, where it was not the file. */
function originOf({ context, release }: Plan): Pick<Report, "help"> {
  if (context.from === "modelfile") return {};
  return {
    help:
      context.from === "server"
        ? "OLLAMA_CONTEXT_LENGTH sets it; num_ctx in the file goes before it."
        : `Nothing sets num_ctx, and Ollama ${release.version} takes ${context.numCtx} by itself.`,
  };
}

function theGpus({ devices }: Plan): string {
  return devices.length === 1 ? "the GPU" : "the GPUs";
}

function onCpu({ layers, host }: Plan): string {
  const { onGpu, offloadable } = layers;
  const experts = `the experts of ${host.experts}`;
  if (onGpu === offloadable) return `${experts} of ${offloadable} layers`;
  const whole = `${offloadable - onGpu} of ${offloadable} layers`;
  return host.experts > 0 ? `${whole} and ${experts} more` : whole;
}

import { modelPlace } from "../src/fix/places.js";
import { serverNumber } from "../src/ollama/server.js";
import { formatBytes } from "../src/machines/sizes.js";
import { onOneCard } from "../src/plan/one-card.js";
import type { Plan } from "../src/plan/plan.js";
import { spillCause } from "../src/plan/solve.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "gpu-below-minimum",
  group: "memory",
  severity: "info",
  summary: "GPU that takes no layer, though others stay on the CPU",
  why: `
Until 0.12.10 a card takes layers only if it has room for the compute graph of the whole context, 457 MiB (512 with
Metal), two layers, and on the first card the projector. Below that Ollama logs \`gpu has too little memory to allocate
any layers\` and leaves it empty, however much of its memory is free.
`,
  says: [{ at: "load", text: "gpu has too little memory to allocate any layers", to: "0.12.10" }],
  needs: "plan",
  examples: [
    {
      bad: "FROM llama3.3:70b\nPARAMETER num_ctx 32768\n",
      message:
        "CUDA1, a GeForce GTX 1650, takes no layer: it needs 5.96 GiB and has 3.80 GiB free.",
      ollama: "0.6.4",
      machine:
        "ram: 128GiB\ngpus:\n  - name: GeForce RTX 3090\n  - name: GeForce GTX 1650\n    memory: 4GiB\n    free: 3.8GiB\n    backend: cuda\nserver:\n  OLLAMA_NUM_PARALLEL: 1\n",
    },
  ],

  *check(file, { plan }) {
    const at = modelPlace(file);
    if (!plan || !at || plan.settings.numGpu !== undefined) return;
    const cause = spillCause(plan);
    // Where no card takes any, context-forces-cpu speaks of the context.
    if (cause === undefined || (plan.verdict === "cpu" && cause === "context")) return;
    for (const { minimum, layers, free, id, name } of plan.devices) {
      if (minimum === undefined || layers > 0 || free >= minimum) continue;
      yield {
        at,
        message: `${id}, a ${name}, takes no layer: it needs ${formatBytes(minimum)} and has ${formatBytes(free)} free.`,
        help: largestTerm(plan),
        // A smaller context may bring some layers there, which spills-to-cpu tells.
        ...(plan.verdict === "cpu" && plan.context.effective <= modest && { severity: "warning" }),
      };
    }
  },
});

/** A context that most releases take by themselves. */
const modest = 4096;

/** What most of a card's minimum is for (0.11.4:llm/memory.go EstimateGPULayers). */
function largestTerm(plan: Plan): string {
  const { graph, kv } = onOneCard(plan);
  const layers = 2 * ((plan.model.weights.blocks[0] ?? 0) + (kv[0] ?? 0));
  const terms: [string, number][] = [
    [
      `The compute graph of ${plan.context.cells} tokens takes`,
      Math.max(graph.partial, graph.full),
    ],
    ["Two layers with their cache take", layers],
    ["The projector takes", plan.model.projectorBytes ?? 0],
    ["OLLAMA_GPU_OVERHEAD takes", serverNumber(plan.server, "OLLAMA_GPU_OVERHEAD") ?? 0],
  ];
  const [what, bytes] = terms.toSorted(([, a], [, b]) => b - a)[0]!;
  return `${what} ${formatBytes(bytes)} of that.`;
}

import { formatBytes } from "../src/machines/sizes.js";
import { contextChange, contextPlace, numberSet } from "../src/fix/places.js";
import { inSteps } from "../src/plan/solve.js";
import { severityOf } from "../src/certainty.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "context-forces-cpu",
  group: "memory",
  severity: "error",
  summary: "Context that keeps every layer off the GPUs",
  why: `
The compute graph of the whole context has to fit on every card on its own, beside 457 MiB and two layers;
otherwise Ollama logs \`gpu has too little memory to allocate any layers\` and runs the model on the CPU,
\`100% CPU\` in \`ollama ps\`. The sum over the cards does not count, so more cards of the same size do not help. A
smaller \`num_ctx\` does.
`,
  says: [{ at: "load", text: "gpu has too little memory to allocate any layers", to: "0.12.10" }],
  needs: "plan",
  examples: [
    {
      bad: "FROM deepseek-r1:32b\nPARAMETER num_ctx 131072\nPARAMETER num_predict -1\n",
      good: "FROM deepseek-r1:32b\nPARAMETER num_ctx 81920\nPARAMETER num_predict -1\n",
      message:
        "num_ctx 131072 leaves 0 of 65 layers on 8 GPUs: each needs 14.80 GiB, has 14.47 GiB. Up to 82944 all fit.",
      ollama: "0.5.11",
      machine:
        "ram: 256GiB\ngpus:\n  - name: Tesla T4\n    count: 8\n    memory: 15GiB\n    free: 14814MiB\n",
    },
  ],

  *check(file, { plan }) {
    if (!plan || plan.verdict !== "cpu" || plan.machine.gpus.length === 0) return;
    const { numCtxFullGpu: limit } = plan.limits;
    const { effective, parallel } = plan.context;
    if (numberSet(file, "num_gpu")?.number === 0) return;
    if (limit === undefined || limit >= effective) return;
    const at = contextPlace(file);
    if (!at) return;
    const { devices } = plan;
    const minima = devices.flatMap(({ minimum }) => (minimum === undefined ? [] : [minimum]));
    const free = Math.max(...devices.map((device) => device.free));
    const needed = Math.min(...minima);
    const count = devices.length === 1 ? "the GPU" : `${devices.length} GPUs`;
    const why =
      minima.length > 0
        ? `${devices.length > 1 ? "each" : "it"} needs ${formatBytes(needed)}, has ${formatBytes(free)}`
        : "its cache takes the room";
    yield {
      at,
      message: `num_ctx ${effective} leaves 0 of ${plan.layers.offloadable} layers on ${count}: ${why}. Up to ${limit} all fit.`,
      help: [
        "More cards of this size do not help: each pays for the graph of the whole context.",
        ...(parallel > 1
          ? [`That is ${parallel} requests at a time (OLLAMA_NUM_PARALLEL), each with a context.`]
          : []),
      ].join(" "),
      severity: minima.length > 0 ? severityOf(plan, needed, free) : "warning",
      // Safe, although the context shrinks: on the CPU the model cannot run as meant.
      fix: { ...contextChange(file, inSteps(limit)), safety: "safe" },
    };
  },
});

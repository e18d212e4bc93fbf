import { formatBytes } from "../src/machines/sizes.js";
import { addParameter, modelPlace, numberSet } from "../src/fix/places.js";
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
    const { effective } = plan.context;
    if (numberSet(file, "num_gpu")?.number === 0) return;
    if (limit === undefined || limit >= effective) return;
    const set = numberSet(file, "num_ctx");
    const at = set?.value ?? modelPlace(file);
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
    const value = roundedDown(limit);
    yield {
      at,
      message: `num_ctx ${effective} leaves 0 of ${plan.layers.offloadable} layers on ${count}: ${why}. Up to ${limit} all fit.`,
      help: `More cards of this size do not help: each pays for the graph of the whole context.`,
      severity: minima.length > 0 ? severityOf(plan, needed, free) : "warning",
      fix: {
        title: `Set num_ctx to ${value}`,
        // Safe, although the context shrinks: on the CPU the model cannot run as meant.
        safety: "safe",
        edits: set
          ? [{ start: set.value.start, end: set.value.end, text: String(value) }]
          : addParameter(file, `num_ctx ${value}`),
      },
    };
  },
});

/** To a multiple of 4096, or of 1024 where there is none. */
function roundedDown(tokens: number): number {
  return tokens >= 4096 ? tokens - (tokens % 4096) : tokens - (tokens % 1024);
}

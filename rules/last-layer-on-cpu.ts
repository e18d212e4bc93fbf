import type { Modelfile } from "../grammar/tree.js";
import type { Report } from "../src/finding.js";
import { removeLine } from "../src/fix/lines.js";
import { contextChange, contextPlace, numberSet } from "../src/fix/places.js";
import type { Plan } from "../src/plan/plan.js";
import {
  isWhollyOnGpu,
  largestContext,
  layersOnCpu,
  spillCause,
  withSettings,
} from "../src/plan/solve.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "last-layer-on-cpu",
  group: "performance",
  severity: "warning",
  summary: "A single layer that is missing on the GPU",
  why: `
One layer on the CPU makes every token go there and back: \`offloaded 32/33 layers to GPU\` costs about 27 % of the speed
(ollama #17123). The output layer counts as one, so that \`num_gpu\` has to be the number of blocks and one more. A
slightly smaller \`num_ctx\` makes room for it.
`,
  says: [{ at: "load", text: "offloaded …/… layers to GPU" }],
  needs: "plan",
  examples: [
    {
      bad: "FROM mistral:7b\nPARAMETER num_ctx 8192\nPARAMETER num_gpu 32\n",
      good: "FROM mistral:7b\nPARAMETER num_ctx 8192\n",
      message: "num_gpu 32 leaves one of 33 layers on the CPU: the output layer counts as well.",
      ollama: "0.32.15",
      machine: "rtx3060-12g-32g",
    },
    {
      bad: "FROM qwen3:32b\nPARAMETER num_ctx 8192\n",
      good: "FROM qwen3:32b\nPARAMETER num_ctx 7168\n",
      message:
        "One of 65 layers stays on the CPU. With 7168 tokens of context instead of 8192 it fits on the GPU.",
      ollama: "0.9.6",
      machine: "rtx4090-64g",
    },
  ],

  *check(file, { plan }) {
    if (!plan || layersOnCpu(plan) !== 1) return;
    const cause = spillCause(plan);
    if (cause === "num_gpu") yield* byNumber(file, plan);
    if (cause === "context") yield* byContext(file, plan);
  },
});

function* byNumber(file: Modelfile, plan: Plan): Iterable<Report> {
  const set = numberSet(file, "num_gpu");
  const { offloadable, onGpu } = plan.layers;
  if (!set || set.number !== onGpu || !isWhollyOnGpu(withSettings(plan, { numGpu: undefined }))) {
    return;
  }
  yield {
    at: set.value,
    message: `num_gpu ${set.number} leaves one of ${offloadable} layers on the CPU: the output layer counts as well.`,
    fix: {
      title: "Let Ollama choose the layers",
      safety: "unsafe",
      edits: [removeLine(file, set.node)],
    },
  };
}

function* byContext(file: Modelfile, plan: Plan): Iterable<Report> {
  const at = contextPlace(file);
  // As little less as brings the layer there.
  const best = largestContext(plan, 1024);
  if (!at || !best) return;
  const change = contextChange(file, best.value);
  yield {
    at,
    message: `One of ${plan.layers.offloadable} layers stays on the CPU. With ${plan.limits.numCtxFullGpu} tokens of context instead of ${plan.context.effective} it fits on the GPU.`,
    ...(numberSet(file, "num_ctx")
      ? { fix: { ...change, safety: "unsafe" } }
      : { suggestions: [change] }),
  };
}

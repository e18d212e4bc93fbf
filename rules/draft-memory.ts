import { instructionsNamed } from "../grammar/tree.js";
import { numberSet } from "../src/fix/places.js";
import { formatBytes } from "../src/machines/sizes.js";
import type { Plan } from "../src/plan/plan.js";
import { since } from "../src/facts/release.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "draft-memory",
  group: "memory",
  severity: "warning",
  summary: "Draft model that does not fit beside the model",
  why: `
A model that \`DRAFT\` names is loaded beside the one that \`FROM\` names, with weights, KV cache and compute buffer of
its own, and all of it lies on one GPU. What was to make answers faster makes them slower where it leaves too little
room, or ends with \`cudaMalloc failed: out of memory\`.
`,
  says: [{ at: "load", text: "cudaMalloc failed: out of memory" }],
  needs: "plan",
  examples: [
    {
      bad: "FROM llama3.3:70b\nPARAMETER num_ctx 8192\nDRAFT ./draft.gguf\n",
      message: "The draft model is not counted in what the GPUs hold: its size is not known.",
      severity: "info",
      ollama: "0.32.15",
      machine: "a100-80g-256g",
    },
  ],

  *check(file, { plan }) {
    const at = instructionsNamed(file, "DRAFT").at(-1)?.value;
    if (!plan || !at || !since(plan.release, "0.30.0") || at.text === "") return;
    if ((numberSet(file, "draft_num_predict")?.number ?? 1) <= 0) return;
    const { draft } = plan.model;
    if (!draft) {
      yield {
        at,
        message: "The draft model is not counted in what the GPUs hold: its size is not known.",
        severity: "info",
      };
      return;
    }
    const without = withoutDraft(plan);
    if (order.indexOf(plan.verdict) <= order.indexOf(without.verdict)) return;
    const taken = formatBytes(plan.decidedBy.physical - without.decidedBy.physical);
    yield {
      at,
      message: `The draft takes ${taken} beside the model: ${consequence(plan)}.`,
      help: "Take a smaller draft, or a smaller num_ctx.",
    };
  },
});

const order = ["fits", "risky", "partial", "cpu", "out-of-memory", "refused"];

function consequence({ devices, verdict }: Plan): string {
  const used = devices.filter(({ layers }) => layers > 0);
  const [fullest] = used.toSorted((a, b) => a.left - b.left);
  if (verdict === "partial" || !fullest) return "some layers move to the CPU for it";
  const { name, left, used: taken, free } = fullest;
  return left < 0
    ? `a ${name} would hold ${formatBytes(taken)} and has ${formatBytes(free)} free`
    : `it leaves ${formatBytes(left)} on a ${name}`;
}

function withoutDraft(plan: Plan): Plan {
  const { draft: _, ...alone } = plan.model;
  return plan.otherwise({ model: alone });
}

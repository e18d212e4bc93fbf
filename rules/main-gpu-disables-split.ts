import { severityOf } from "../src/certainty.js";
import type { Report } from "../src/finding.js";
import { removeLine } from "../src/fix/lines.js";
import { numberSet, type Setting } from "../src/fix/places.js";
import { visibleGpus } from "../src/ollama/engine.js";
import type { Plan } from "../src/plan/plan.js";
import { layersOnCpu, mainGpuCounts, spillCause, withSettings } from "../src/plan/solve.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "main-gpu-disables-split",
  group: "memory",
  severity: "warning",
  summary: "main_gpu that leaves the other GPUs empty",
  why: `
Until 0.24 \`main_gpu\` names the card for small tensors, and 0 changes nothing. Since 0.30 any value, 0 included, makes
Ollama pass \`--split-mode none --main-gpu 0\`: the model lies on that card alone, and what it does not hold goes to the
CPU. A number that no card has ends the load with \`invalid value for main_gpu: 2 (available devices: 2)\`, and a
negative one takes all cards away.
`,
  says: [
    { at: "load", text: "invalid value for main_gpu: … (available devices: …)", from: "0.30.0" },
  ],
  needs: "plan",
  about: ["main_gpu"],
  examples: [
    {
      bad: "FROM llama3.3:70b\nPARAMETER num_ctx 8192\nPARAMETER main_gpu 0\n",
      good: "FROM llama3.3:70b\nPARAMETER num_ctx 8192\n",
      message:
        "main_gpu 0 keeps the model on one GPU: 39 of 81 layers stay on the CPU, 0 without it.",
      ollama: "0.32.15",
      machine: "2x3090",
    },
    {
      bad: "FROM mistral:7b\nPARAMETER num_ctx 8192\nPARAMETER main_gpu 2\n",
      good: "FROM mistral:7b\nPARAMETER num_ctx 8192\n",
      message:
        'main_gpu is 2, and the machine has GPUs 0 to 1: the load ends with "invalid value for main_gpu".',
      severity: "error",
      ollama: "0.32.15",
      machine: "2x3090",
    },
  ],

  *check(file, { plan }) {
    const set = numberSet(file, "main_gpu");
    if (!plan || !set || !mainGpuCounts(plan) || plan.settings.numGpu === 0) return;
    const found = outOfRange(plan, set) ?? alone(plan, set);
    if (!found) return;
    const edits = [removeLine(file, set.node)];
    yield {
      ...found.report,
      at: set.value,
      fix: { title: "Let Ollama choose the GPUs", safety: found.safety, edits },
    };
  },
});

interface Found {
  report: Omit<Report, "at">;
  safety: "safe" | "unsafe";
}

/** Numbers count within a backend; llama-server gets one that no backend has as it stands. */
function outOfRange(plan: Plan, { number }: Setting): Found | undefined {
  const { machine, release, server } = plan;
  const visible = visibleGpus(machine, release, server);
  // Cards that Ollama leaves aside may be llama-server's only ones.
  if (visible.length < machine.gpus.length) return undefined;
  const backends = visible.map(({ backend }) => backend);
  const count = Math.max(0, ...backends.map((one) => backends.filter((all) => all === one).length));
  if (number < 0 && count > 0) {
    const message = `main_gpu ${number} takes all GPUs away, and the model runs on the CPU.`;
    return { report: { message }, safety: "unsafe" };
  }
  if (number < count || number < 0) return undefined;
  const devices =
    count === 0 ? "no GPU" : count === 1 ? "one GPU, number 0" : `GPUs 0 to ${count - 1}`;
  return {
    report: {
      message: `main_gpu is ${number}, and the machine has ${devices}: the load ends with "invalid value for main_gpu".`,
      severity: severityOf(plan, number + 1, 0),
    },
    safety: "safe",
  };
}

function alone(plan: Plan, { number }: Setting): Found | undefined {
  if (spillCause(plan) !== "main_gpu") return undefined;
  const split = withSettings(plan, { mainGpu: undefined });
  return {
    report: {
      message: `main_gpu ${number} keeps the model on one GPU: ${layersOnCpu(plan)} of ${plan.layers.offloadable} layers stay on the CPU, ${layersOnCpu(split)} without it.`,
    },
    safety: "unsafe",
  };
}

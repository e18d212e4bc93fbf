import { since } from "../src/facts/release.js";
import { removeLine } from "../src/fix/lines.js";
import { formatBytes } from "../src/machines/sizes.js";
import { numberSet } from "../src/fix/places.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "num-gpu-disables-fit",
  group: "memory",
  severity: "warning",
  summary: "num_gpu that turns llama-server's fitting off",
  why: `
Since 0.30 llama-server fits a model to the free memory itself. With \`num_gpu\` set it gives up, \`n_gpu_layers already
set by user to 999, abort\`, and loads that many layers whether they fit or not: \`cudaMalloc failed: out of memory\`
instead of a part on the CPU (llama.cpp #19437).
`,
  needs: "plan",
  about: ["num_gpu"],
  examples: [
    {
      bad: "FROM deepseek-r1:32b\nPARAMETER num_ctx 131072\nPARAMETER num_gpu 999\n",
      good: "FROM deepseek-r1:32b\nPARAMETER num_ctx 131072\n",
      message:
        "num_gpu 999 turns fitting off: it leaves 60 MiB on a Tesla T4, where the next allocation may fail.",
      ollama: "0.32.15",
      machine:
        "ram: 256GiB\ngpus:\n  - name: Tesla T4\n    count: 4\n    memory: 15GiB\n    free: 14814MiB\n",
    },
  ],

  *check(file, { plan, release }) {
    const set = numberSet(file, "num_gpu");
    if (!plan || !set || set.number < 1 || !since(release, "0.30.0")) return;
    if (plan.verdict !== "risky" && plan.verdict !== "out-of-memory") return;
    const [fullest] = plan.devices.toSorted((a, b) => a.left - b.left);
    if (!fullest || fullest.left >= 2 ** 29) return;
    const { name, used, free, left } = fullest;
    const consequence =
      left < 0
        ? `a ${name} would hold ${formatBytes(used)} and has ${formatBytes(free)} free`
        : `it leaves ${formatBytes(left)} on a ${name}, where the next allocation may fail`;
    yield {
      at: set.value,
      message: `num_gpu ${set.number} turns fitting off: ${consequence}.`,
      help: `Without it, what does not fit stays on the CPU.`,
      // Safe: with it the model runs out of memory; without it the same model loads.
      fix: {
        title: "Let llama-server fit the layers",
        safety: "safe",
        edits: [removeLine(file, set.node)],
      },
    };
  },
});

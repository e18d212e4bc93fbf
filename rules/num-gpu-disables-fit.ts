import { since } from "../src/facts/release.js";
import { removeLine } from "../src/fix/lines.js";
import { formatBytes } from "../src/machines/sizes.js";
import { numberSet } from "../src/fix/places.js";
import type { DevicePlan, Plan } from "../src/plan/plan.js";
import { severityOf } from "../src/certainty.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "num-gpu-disables-fit",
  group: "memory",
  severity: "warning",
  summary: "num_gpu that forces more layers onto the GPUs than they hold",
  why: `
Since 0.30 llama-server fits a model to the free memory itself. With \`num_gpu\` set it gives up, \`n_gpu_layers already
set by user to 999, abort\`, and loads that many layers whether they fit or not: \`cudaMalloc failed: out of memory\`
instead of a part on the CPU (llama.cpp #19437). Earlier releases pass \`num_gpu\` to the runner as it stands, whatever
their estimate says.
`,
  says: [
    {
      at: "load",
      text: "failed to fit params to free device memory: n_gpu_layers already set by user to …, abort",
      from: "0.30.0",
    },
    {
      at: "load",
      text: "memory layout cannot be allocated with num_gpu = …",
      from: "0.11.5",
      to: "0.24.0",
    },
    { at: "load", text: "cudaMalloc failed: out of memory" },
    { at: "load", text: "unable to allocate CUDA0 buffer" },
    { at: "load", text: "unable to allocate ROCm0 buffer" },
    { at: "load", text: "failed to allocate … buffer of size …" },
    { at: "load", text: "failed to allocate compute buffers" },
  ],
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
    {
      bad: "FROM deepseek-r1:32b\nPARAMETER num_ctx 8192\nPARAMETER num_gpu 999\n",
      good: "FROM deepseek-r1:32b\nPARAMETER num_ctx 8192\n",
      message:
        "num_gpu 999 goes before Ollama's estimate: a Tesla T4 would hold 21.21 GiB and has 14.56 GiB free.",
      ollama: "0.9.6",
      machine: "t4-16g",
    },
  ],

  *check(file, { plan }) {
    const set = numberSet(file, "num_gpu");
    if (!plan || !set || set.number < 1) return;
    const [fullest] = plan.devices.toSorted((a, b) => a.left - b.left);
    const why = fullest && whyTooMany(plan, set.number, fullest);
    if (why === undefined) return;
    yield {
      at: set.value,
      message: `num_gpu ${set.number} ${why}.`,
      help: `Without it, what does not fit stays on the CPU.`,
      ...(plan.verdict === "refused" && { severity: severityOf(plan, 1, 0) }),
      // Safe where the model runs out of memory with it: without it the same model loads.
      fix: {
        title: `Let ${since(plan.release, "0.30.0") ? "llama-server" : "Ollama"} fit the layers`,
        safety: plan.verdict !== "risky" || fullest!.left < hopeless ? "safe" : "unsafe",
        edits: [removeLine(file, set.node)],
      },
    };
  },
});

/** With fewer bytes left on a card than these the first long prompt fails: CUDA's pool alone takes more. */
export const hopeless = 2 ** 27;

/** Bytes that a card has to have left for what is allocated while the model runs. */
const little = 2 ** 29;

function whyTooMany({ verdict, refusal, release }: Plan, numGpu: number, fullest: DevicePlan) {
  const { name, used, free, left } = fullest;
  const over = `a ${name} would hold ${formatBytes(used)} and has ${formatBytes(free)} free`;
  if (since(release, "0.30.0")) {
    if (verdict === "out-of-memory" && left < 0) return `turns fitting off: ${over}`;
    if (!/^(?:risky|out-of-memory)$/.test(verdict) || left >= little) return undefined;
    return `turns fitting off: it leaves ${formatBytes(left)} on a ${name}, where the next allocation may fail`;
  }
  // The Ollama engine tries the layout first (0.24.0:llm/server.go).
  if (verdict === "refused" && !refusal) {
    return `is more than the GPUs hold: "memory layout cannot be allocated with num_gpu = ${numGpu}"`;
  }
  return verdict === "out-of-memory" && left < 0
    ? `goes before Ollama's estimate: ${over}`
    : undefined;
}

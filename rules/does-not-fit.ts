import type { Change } from "../src/finding.js";
import { formatBytes } from "../src/machines/sizes.js";
import type { Plan } from "../src/plan/plan.js";
import { modelPlace, numberSet } from "../src/fix/places.js";
import { severityOf } from "../src/certainty.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "does-not-fit",
  group: "memory",
  severity: "error",
  summary: "More memory than the machine has",
  why: `
What the GPUs do not take has to fit into RAM. Ollama 0.2.2 to 0.24 refuses the model on Linux (since 0.3.5 on
Windows) with \`model requires more system memory (176.6 GiB) than is available (117.2 GiB)\`; \`use_mmap\` does not
lift that. Since 0.30 nothing is checked: llama-server fails to load, or the kernel ends it.
`,
  needs: "plan",
  examples: [
    {
      bad: "FROM acme/deepseek:q2\n",
      message:
        'Ollama 0.6.4 refuses it: "model requires more system memory (176.6 GiB) than is available (117.2 GiB)".',
      ollama: "0.6.4",
      machine:
        "ram: 128GB\nram_free: 125.8GB\ngpus:\n  - backend: cuda\n    memory: 80GiB\n    free: 79GiB\n",
      models: { "acme/deepseek:q2": { like: "deepseek-v3:671b", weights: 247588783616 } },
    },
    {
      bad: "FROM llama3.3:70b\nPARAMETER num_ctx 131072\n",
      good: "FROM llama3.3:70b\nPARAMETER num_ctx 69632\n",
      message: "Out of memory: the CPU's part takes 79.94 GiB, 62.00 GiB of RAM is free.",
      ollama: "0.32.15",
      machine: "ram: 64GiB\n",
    },
  ],

  *check(file, { plan }) {
    if (!plan) return;
    const { host, machine, release, refusal } = plan;
    const room = host.free + machine.memory.swap;
    const set = numberSet(file, "num_ctx");
    const at = set?.value ?? modelPlace(file);
    if (!at) return;
    const fits = plan.limits.numCtxRuns;
    const help =
      fits !== undefined && fits < plan.context.effective
        ? `num_ctx ${rounded(fits)} runs.`
        : `Take a smaller quantisation or model.`;
    const suggestions = set ? smaller(plan, set.value) : [];
    const more = { help, ...(suggestions.length > 0 && { suggestions }) };
    if (refusal) {
      const { required, available } = refusal;
      yield {
        at,
        message: `Ollama ${release.version} refuses it: "model requires more system memory (${formatBytes(required)}) than is available (${formatBytes(available)})".`,
        severity: severityOf(plan, required, available),
        ...more,
      };
    } else if (plan.verdict === "out-of-memory" && host.used > room && !mappingHelps(plan)) {
      yield {
        at,
        message: `Out of memory: the CPU's part takes ${formatBytes(host.used)}, ${formatBytes(room)} of RAM is free.`,
        severity: severityOf(plan, host.used, room),
        ...more,
      };
    }
  },
});

/** The weights alone are too much, and mapping them is another rule's answer. */
function mappingHelps({ mmap, host, machine }: Plan): boolean {
  const room = host.free + machine.memory.swap;
  if (mmap.inForce || !mmap.settable) return false;
  return host.weights > room && host.cache + host.compute <= room;
}

function smaller({ limits, context }: Plan, at: { start: number; end: number }): Change[] {
  const { numCtxRuns } = limits;
  if (numCtxRuns === undefined || numCtxRuns >= context.effective) return [];
  const text = String(rounded(numCtxRuns));
  return [{ title: `Set num_ctx to ${text}`, edits: [{ start: at.start, end: at.end, text }] }];
}

function rounded(tokens: number): number {
  return tokens >= 4096 ? tokens - (tokens % 4096) : tokens;
}

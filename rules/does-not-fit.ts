import { since } from "../src/facts/release.js";
import { formatBytes } from "../src/machines/sizes.js";
import { roomIn } from "../src/plan/room.js";
import type { Plan } from "../src/plan/plan.js";
import { contextChange, contextPlace } from "../src/fix/places.js";
import { inSteps } from "../src/plan/solve.js";
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
  says: [
    {
      at: "load",
      text: "model requires more system memory (…) than is available (…)",
      from: "0.2.2",
      to: "0.24.0",
    },
    {
      at: "load",
      text: "model requires more system memory than is currently available unable to load full model on GPU",
      from: "0.12.7",
      to: "0.12.10",
    },
    { at: "load", text: "memory layout cannot be allocated", from: "0.11.5", to: "0.24.0" },
    { at: "load", text: "llama runner process has terminated: signal: killed", to: "0.24.0" },
    { at: "load", text: "llama-server process has terminated: signal: killed", from: "0.30.0" },
    { at: "load", text: "model failed to load, this may be due to resource limitations" },
  ],
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
      good: "FROM llama3.3:70b\nPARAMETER num_ctx 65536\n",
      message: "Out of memory: the CPU's part takes 81.00 GiB, 62.00 GiB of RAM is free.",
      ollama: "0.32.15",
      machine: "ram: 64GiB\n",
    },
  ],

  *check(file, { plan }) {
    const problem = plan && problemOf(plan);
    const at = contextPlace(file);
    if (!problem || !at) return;
    const { message, needed, room } = problem;
    const fits = smallerContext(plan);
    const help = [
      fits === undefined ? "Take a smaller quantisation or model." : `num_ctx ${fits} runs.`,
      ...(plan.context.parallel > 1
        ? [`The cache is for ${plan.context.parallel} requests at a time (OLLAMA_NUM_PARALLEL).`]
        : []),
    ].join(" ");
    yield {
      at,
      message,
      help,
      severity: severityOf(plan, needed, room),
      ...(fits !== undefined && { suggestions: [contextChange(file, fits)] }),
    };
  },
});

interface Problem {
  message: string;
  /** Bytes. */
  needed: number;
  room: number;
}

function problemOf(plan: Plan): Problem | undefined {
  const { host, machine, release, refusal } = plan;
  if (refusal) {
    const { required: needed, available: room } = refusal;
    const sizes = `(${formatBytes(needed)}) than is available (${formatBytes(room)})`;
    const message = `Ollama ${release.version} refuses it: "model requires more system memory ${sizes}".`;
    return { message, needed, room };
  }
  const forced = (plan.settings.numGpu ?? -1) > 0;
  if (plan.verdict === "refused" && !forced && !since(release, "0.30.0")) {
    // The Ollama engine finds no place for its buffers (0.24.0:llm/server.go).
    const message = `Ollama ${release.version} refuses it: "memory layout cannot be allocated".`;
    return { message, needed: 1, room: 0 };
  }
  if (plan.verdict !== "out-of-memory" || mappingHelps(plan)) return undefined;
  const room = roomIn(machine);
  const where = room > host.free ? "RAM and swap" : "RAM";
  const free = `${formatBytes(room)} of ${where} is free`;
  if (host.used > room) {
    const message = `Out of memory: the CPU's part takes ${formatBytes(host.used)}, ${free}.`;
    return { message, needed: host.used, room };
  }
  const shared = sharedBytes(plan);
  if (host.used + shared > room) {
    const needed = host.used + shared;
    const message = `Out of memory: the GPU shares the RAM, together they take ${formatBytes(needed)}, ${free}.`;
    return { message, needed, room };
  }
  return overfullCard(plan);
}

/** Bytes of the computer's own memory that integrated GPUs take. */
function sharedBytes({ devices, machine }: Plan): number {
  const shared = devices.filter((_, index) => machine.gpus[index]?.integrated);
  return shared.reduce((sum, { used }) => sum + used, 0);
}

/** A card that Ollama's estimate gives more than it holds; num_gpu and a draft have rules of their own. */
function overfullCard({ devices, settings, model }: Plan): Problem | undefined {
  const over = devices.find(({ left }) => left < 0);
  if (!over || model.draft || (settings.numGpu ?? -1) > 0) return undefined;
  const { name, used: needed, free: room } = over;
  const message = `Out of memory: a ${name} would hold ${formatBytes(needed)} and has ${formatBytes(room)} free.`;
  return { message, needed, room };
}

/** The weights alone are too much, and mapping them is another rule's answer. */
function mappingHelps({ mmap, host, machine }: Plan): boolean {
  const room = roomIn(machine);
  if (mmap.inForce || !mmap.settable) return false;
  return host.weights > room && host.cache + host.compute <= room;
}

/** The largest context that runs; undefined where none smaller does. */
function smallerContext({ limits, context }: Plan): number | undefined {
  const { numCtxRuns } = limits;
  if (numCtxRuns === undefined || numCtxRuns >= context.effective) return undefined;
  return inSteps(numCtxRuns);
}

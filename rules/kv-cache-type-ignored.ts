import { severityOf } from "../src/certainty.js";
import { since } from "../src/facts/release.js";
import { modelPlace } from "../src/fix/places.js";
import { cacheProblem } from "../src/ollama/kv-cache.js";
import { serverWord } from "../src/ollama/server.js";
import { rule } from "../src/rule.js";

const machine = (type: string) =>
  `ram: 64GiB\ngpus:\n  - name: GeForce RTX 3090\nserver:\n  OLLAMA_KV_CACHE_TYPE: ${type}\n`;

export default rule({
  id: "kv-cache-type-ignored",
  group: "memory",
  severity: "info",
  summary: "OLLAMA_KV_CACHE_TYPE that the model does not get",
  why: `
A quantised KV cache needs flash attention, and a model and GPUs that have it; otherwise Ollama up to 0.24 keeps f16
and takes twice the memory that was counted on, with no more than a line in the log: \`kv cache type not supported by
model\`, \`OLLAMA_FLASH_ATTENTION must be enabled to use a quantized OLLAMA_KV_CACHE_TYPE\`. Since 0.30 the type is passed
on unchecked, and llama-server does not start where it cannot have it.
`,
  says: [
    { at: "load", text: "kv cache type not supported by model", from: "0.5.0", to: "0.24.0" },
    {
      at: "load",
      text: "OLLAMA_FLASH_ATTENTION must be enabled to use a quantized OLLAMA_KV_CACHE_TYPE",
      from: "0.13.4",
      to: "0.24.0",
    },
    { at: "load", text: "flash attention enabled but not supported by model" },
    { at: "load", text: "quantized kv cache requested but flash attention disabled" },
  ],
  needs: "plan",
  examples: [
    {
      bad: "FROM mistral:7b\nPARAMETER num_ctx 8192\n",
      message: "OLLAMA_KV_CACHE_TYPE asks for q8_0, and the KV cache stays f16.",
      ollama: "0.9.6",
      machine: machine("q8_0"),
    },
    {
      bad: "FROM mistral:7b\nPARAMETER num_ctx 8192\n",
      message: "llama-server does not start with a KV cache of q6_0.",
      severity: "error",
      ollama: "0.32.15",
      machine: machine("q6_0"),
    },
  ],

  *check(file, { plan }) {
    const at = modelPlace(file);
    const asked = plan && serverWord(plan.server, "OLLAMA_KV_CACHE_TYPE");
    if (!plan || !at || asked === undefined || asked === "f16") return;
    if (since(plan.release, "0.30.0")) {
      const problem = cacheProblem(plan.model, plan.flashAttention, asked);
      if (problem === undefined || plan.verdict !== "refused") return;
      yield {
        at,
        message: `llama-server does not start with a KV cache of ${asked}.`,
        help: problem,
        severity: severityOf(plan, 1, 0),
      };
    } else if (plan.kvCacheType === "f16") {
      const reason = plan.decisions.find(({ what }) => what === "KV cache")?.reason;
      yield {
        at,
        message: `OLLAMA_KV_CACHE_TYPE asks for ${asked}, and the KV cache stays f16.`,
        ...(reason !== undefined && { help: reason }),
      };
    }
  },
});

import { modelPlace } from "../src/fix/places.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "fits-single-gpu",
  group: "memory",
  severity: "info",
  summary: "Model that one of several GPUs holds",
  why: `
Ollama keeps a model on one card where it fits, since every further card costs memory and time. Which card is not a
matter of the Modelfile: \`CUDA_VISIBLE_DEVICES\` (\`ROCR_VISIBLE_DEVICES\`) in the environment of the server chooses,
and \`OLLAMA_SCHED_SPREAD=1\` spreads the model. Both have no effect on \`ollama run\`.
`,
  needs: "plan",
  examples: [
    {
      bad: "FROM mistral:7b\n",
      message: "One of the 8 GPUs holds all of it, and Ollama uses that one alone.",
      ollama: "0.6.5",
      machine:
        "ram: 256GiB\ngpus:\n  - backend: cuda\n    memory: 24GiB\n    free: 23.5GiB\n    count: 8\n",
    },
  ],

  *check(file, { plan }) {
    if (!plan || plan.devices.length < 2 || plan.verdict !== "fits") return;
    if (plan.devices.filter(({ layers }) => layers > 0).length !== 1) return;
    const at = modelPlace(file);
    if (!at) return;
    yield {
      at,
      message: `One of the ${plan.devices.length} GPUs holds all of it, and Ollama uses that one alone.`,
      help: "CUDA_VISIBLE_DEVICES in the server's environment chooses the card.",
    };
  },
});

import { instructionsNamed } from "../grammar/tree.js";
import { engineOf } from "../src/ollama/engine.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "adapter-unsupported",
  group: "references",
  severity: "error",
  summary: "ADAPTER for a model that Ollama's own engine runs",
  why: `
From 0.5.12 to 0.24.0 Ollama ran some architectures by an engine of its own, which has no adapters: \`ollama
create\` takes the file, and loading stops with \`loras are not yet implemented\`. Since 0.30.0 llama.cpp runs
every model and applies them.
`,
  says: [{ at: "load", text: "loras are not yet implemented", from: "0.5.12", to: "0.24.0" }],
  needs: "model",
  examples: [
    {
      bad: "FROM gemma3:4b\nADAPTER ./style.gguf\n",
      ollama: "0.12.6",
      message: "Ollama 0.12.6 cannot load an adapter for gemma3.",
      fails: "load",
    },
    {
      bad: "FROM hf.co/acme/gemma-3-4b-it-GGUF:Q4_K_M\nADAPTER ./style.gguf\n",
      ollama: "0.12.6",
      severity: "warning",
      message: "Ollama 0.12.6 cannot load an adapter for gemma3.",
    },
  ],

  *check(file, { model, release }) {
    if (!model || engineOf(model, release, {}) !== "ollama-engine") return;
    const adapter = instructionsNamed(file, "ADAPTER").findLast(({ value }) => value?.text);
    if (!adapter) return;
    yield {
      at: adapter.value!,
      message: `Ollama ${release.version} cannot load an adapter for ${model.shape.architecture}.`,
      help: "Merge the adapter into the model, or use 0.30.0 or later.",
      ...(model.source === "name" && { severity: "warning" as const }),
    };
  },
});

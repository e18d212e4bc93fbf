import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "model-as-adapter",
  group: "references",
  severity: "warning",
  summary: "ADAPTER with a whole model, which is then loaded in place of FROM's",
  why: `
Ollama goes by what a file holds. A GGUF file that does not call itself an adapter in \`general.type\` becomes one more model,
and of several the last one is loaded: \`ollama create\` says nothing, and FROM's weights are never used. A model that the
adapter has been merged into belongs in FROM.
`,
  examples: [
    {
      bad: "FROM ./base.gguf\nADAPTER ./tuned.gguf\n",
      files: { "base.gguf": {}, "tuned.gguf": { "general.type": "model" } },
      message:
        '"./tuned.gguf" is a model and no adapter: Ollama loads it in place of the one in FROM.',
    },
  ],

  *check(file, context) {
    const found = pointedAt(file, context).findLast(({ keyword }) => keyword === "ADAPTER");
    if (found?.facts.kind !== "file" || found.facts.says?.type !== "model") return;
    yield {
      at: found.value,
      message: `"${found.text}" is a model and no adapter: Ollama loads it in place of the one in FROM.`,
      help: "Name it in FROM, or make an adapter with llama.cpp's convert_lora_to_gguf.py.",
    };
  },
});

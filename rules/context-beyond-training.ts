import { clampsToTraining } from "../src/ollama/context.js";
import { numberSet } from "../src/fix/places.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "context-beyond-training",
  group: "memory",
  severity: "warning",
  summary: "num_ctx above the context that the model was trained for",
  why: `
Since 0.9.3 Ollama lowers the context to the trained length and logs \`requested context size too large for model\`.
Releases 0.1.35 to 0.9.2 take the number as it is: positions that the model never saw, worse answers, and memory for a
cache that helps nobody.
`,
  says: [
    { at: "load", text: "requested context size too large for model", from: "0.9.3", to: "0.24.0" },
  ],
  needs: "model",
  about: ["num_ctx"],
  examples: [
    {
      bad: "FROM mistral:7b\nPARAMETER num_ctx 65536\n",
      good: "FROM mistral:7b\nPARAMETER num_ctx 32768\n",
      message: "num_ctx 65536 is beyond the 32768 tokens of training: Ollama 0.32.15 uses 32768.",
      ollama: "0.32.15",
    },
    {
      bad: "FROM mistral:7b\nPARAMETER num_ctx 65536\n",
      good: "FROM mistral:7b\nPARAMETER num_ctx 32768\n",
      message: "num_ctx 65536 is beyond the 32768 tokens of training: answers degrade past them.",
      ollama: "0.6.4",
    },
  ],

  *check(file, { model, release }) {
    const set = numberSet(file, "num_ctx");
    const trained = model?.shape.trainedContext;
    if (!set || trained === undefined || set.number <= trained) return;
    const effect = clampsToTraining(release)
      ? `Ollama ${release.version} uses ${trained}`
      : "answers degrade past them";
    yield {
      at: set.value,
      message: `num_ctx ${set.number} is beyond the ${trained} tokens of training: ${effect}.`,
      fix: {
        title: `Set num_ctx to ${trained}`,
        safety: "unsafe",
        edits: [{ start: set.value.start, end: set.value.end, text: String(trained) }],
      },
    };
  },
});

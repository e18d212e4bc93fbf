import { instructionsNamed } from "../grammar/tree.js";
import { within } from "../src/facts/release.js";
import { isProjectorStart } from "../src/models/gguf-start.js";
import { fromsOf } from "../src/ollama/from.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "projector-as-adapter",
  group: "references",
  severity: "info",
  summary: "ADAPTER with a projector, which belongs in FROM",
  why: `
An adapter changes the weights of a model, a projector turns images or sound into what it understands. Ollama goes by
what a file holds (server/create.go isProjectorGGUF), so this works; but it reads as if there were an adapter (ollama #15346), and a
projector is written as a FROM of its own beside the model's.
`,
  examples: [
    {
      bad: "FROM ./model.gguf\nADAPTER ./mmproj.gguf\n",
      good: "FROM ./model.gguf\nFROM ./mmproj.gguf\n",
      files: { "model.gguf": {}, "mmproj.gguf": { "general.architecture": "clip" } },
      message: '"./mmproj.gguf" is a projector and no adapter.',
    },
  ],

  *check(file, context) {
    const { release, localFrom } = context;
    const froms = fromsOf(file, localFrom);
    // Beside a model's name no further FROM is looked at, and ADAPTER is the only way.
    if (froms.length === 0 || froms.some(({ kind }) => kind !== "file")) return;
    // These take the last file alone.
    if (within(release, { from: "0.5.5", to: "0.5.6" })) return;
    const adapters = instructionsNamed(file, "ADAPTER");
    for (const { keyword, value, text, facts } of pointedAt(file, context)) {
      if (keyword !== "ADAPTER" || facts.kind !== "file") continue;
      if (!facts.says || !isProjectorStart(facts.says)) continue;
      const node = adapters.find((one) => one.value === value);
      const change = node && {
        title: "Write FROM",
        edits: [{ start: node.keyword.start, end: node.keyword.end, text: "FROM" }],
      };
      yield {
        at: value,
        message: `"${text}" is a projector and no adapter.`,
        // Of several ADAPTER lines only the last counts, and every FROM.
        ...(change && adapters.length === 1 && { fix: { ...change, safety: "safe" } }),
      };
    }
  },
});

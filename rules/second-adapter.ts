import { lineOf } from "../grammar/places.js";
import { instructionsNamed } from "../grammar/tree.js";
import { since } from "../src/facts/release.js";
import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "second-adapter",
  group: "references",
  severity: "error",
  summary: "More than one ADAPTER",
  why: `
Since 0.5.5 the last ADAPTER counts and the others are left out, without a word. Releases up to 0.4.5 store
all of them, and then cannot load the model: \`ollama supports only one lora adapter, but multiple were
provided\`. Only 0.4.6 to 0.5.4 apply several (ollama #7667).
`,
  says: [
    {
      at: "load",
      text: "ollama supports only one lora adapter, but multiple were provided",
      to: "0.4.5",
    },
  ],
  examples: [
    {
      bad: "FROM llama3.2\nADAPTER ./style.gguf\nADAPTER ./facts.gguf\n",
      good: "FROM llama3.2\nADAPTER ./facts.gguf\n",
      severity: "warning",
      message: '"./style.gguf" is left out: the ADAPTER in line 3 counts.',
    },
    {
      bad: "FROM llama3.2\nADAPTER ./style.gguf\nADAPTER ./facts.gguf\n",
      ollama: "0.3.14",
      message: "Ollama 0.3.14 cannot load a model with more than one ADAPTER.",
      fails: "load",
    },
  ],

  *check(file, { release }) {
    const adapters = instructionsNamed(file, "ADAPTER").filter(
      ({ value, flaws }) => value && flaws.length === 0,
    );
    const last = adapters.pop();
    const before = adapters.at(-1);
    if (!last || !before) return;
    if (!since(release, "0.4.6")) {
      yield {
        at: last.value!,
        message: `Ollama ${release.version} cannot load a model with more than one ADAPTER.`,
        related: [{ at: before.value!, message: "The one before." }],
      };
    }
    if (!since(release, "0.5.5")) return;
    for (const node of adapters) {
      yield {
        at: node.value!,
        severity: "warning",
        message: `"${node.value!.text}" is left out: the ADAPTER in line ${lineOf(file, last.start)} counts.`,
        related: [{ at: last.value!, message: "This one counts." }],
        fix: { title: "Remove the line", safety: "safe", edits: [removeLine(file, node)] },
      };
    }
  },
});

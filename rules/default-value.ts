import { parametersOf } from "../grammar/tree.js";
import { readParameter, readValue } from "../grammar/values.js";
import { defaultOf, parameterFact, standing } from "../src/facts/parameters.js";
import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "default-value",
  group: "parameters",
  severity: "info",
  summary: "Parameter set to Ollama's own default",
  why: `
The line changes nothing where the base model sets nothing, and hides the base model's own value where
it sets one. It also pins today's default: \`repeat_penalty\` went from 1.1 to 1.0 with 0.32.10.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER top_k 40\n",
      good: "FROM llama3.2\n",
      message: "40 is top_k's default in Ollama 0.32.15.",
    },
  ],

  *check(file, { release }) {
    for (const node of parametersOf(file)) {
      const { parameter: name, value } = node;
      if (!value || node.flaws.length > 0 || standing(name, release) !== "accepted") continue;
      const fact = parameterFact(name)!;
      const usual = defaultOf(fact, release)?.value;
      if (usual === undefined || fact.type === "strings") continue;
      const read = readParameter(name, value.text, release);
      const own = readValue(fact.type, usual);
      if (!read.ok || !("value" in read) || read.value.value !== own?.value) continue;
      yield {
        at: { start: node.start, end: value.end },
        message: `${value.text} is ${name}'s default in Ollama ${release.version}.`,
        fix: { title: "Remove the line", safety: "unsafe", edits: [removeLine(file, node)] },
      };
    }
  },
});

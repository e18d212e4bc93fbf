import { parametersOf } from "../grammar/tree.js";
import { goneSince, parameterFact, standing } from "../src/facts/parameters.js";
import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "removed-parameter",
  group: "parameters",
  severity: "error",
  summary: "Parameter that Ollama removed",
  why: `
Old releases of \`ollama show --modelfile\` wrote parameters such as \`rope_frequency_base\`, \`num_gqa\` and
\`tfs_z\` into the file. Later ones refuse them: \`ollama create\` stops with \`unknown parameter 'tfs_z'\`.
What they set is read from the model's own file now, or is gone.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER tfs_z 1\n",
      good: "FROM llama3.2\n",
      message: "tfs_z is refused since Ollama 0.5.2.",
    },
    {
      bad: "FROM llama2\nPARAMETER num_gqa 8\n",
      good: "FROM llama2\n",
      ollama: "0.5.4",
      message: "num_gqa is refused since Ollama 0.1.35.",
    },
  ],

  *check(file, { release }) {
    for (const node of parametersOf(file)) {
      if (standing(node.parameter, release) !== "removed") continue;
      const fact = parameterFact(node.parameter)!;
      yield {
        at: node.parameterSpan,
        message: `${fact.name} is refused since Ollama ${goneSince(fact)}.`,
        help: fact.summary,
        fix: { title: "Remove the line", safety: "safe", edits: [removeLine(file, node)] },
      };
    }
  },
});

import { parametersOf } from "../grammar/tree.js";
import { goneSince, parameterFact, standing } from "../src/facts/parameters.js";
import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "deprecated-parameter",
  group: "parameters",
  severity: "warning",
  summary: "Parameter that Ollama drops",
  why: `
\`ollama create\` prints \`warning: parameter mirostat is deprecated\`, drops the line without reading its
value, and goes on: the setting has no effect.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER mirostat 2\n",
      good: "FROM llama3.2\n",
      message: "mirostat has no effect since Ollama 0.7.0.",
    },
  ],

  *check(file, { release }) {
    for (const node of parametersOf(file)) {
      if (standing(node.parameter, release) !== "deprecated") continue;
      const fact = parameterFact(node.parameter)!;
      yield {
        at: node.parameterSpan,
        message: `${fact.name} has no effect since Ollama ${goneSince(fact)}.`,
        help: fact.summary,
        fix: { title: "Remove the line", safety: "safe", edits: [removeLine(file, node)] },
      };
    }
  },
});

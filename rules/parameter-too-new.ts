import { parametersOf } from "../grammar/tree.js";
import { parameterFact, standing } from "../src/facts/parameters.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "parameter-too-new",
  group: "releases",
  severity: "error",
  summary: "Parameter that the release does not have yet",
  why: `
\`ollama create\` of an older release stops with \`unknown parameter 'draft_num_predict'\`. The file needs
the release that brought the parameter, or has to do without it.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER draft_num_predict 4\n",
      ollama: "0.24.0",
      message: "draft_num_predict needs Ollama 0.30.0; 0.24.0 refuses it.",
    },
  ],

  *check(file, { release }) {
    for (const node of parametersOf(file)) {
      if (standing(node.parameter, release) !== "too-new") continue;
      const { name, first } = parameterFact(node.parameter)!;
      yield {
        at: node.parameterSpan,
        message: `${name} needs Ollama ${first}; ${release.version} refuses it.`,
      };
    }
  },
});

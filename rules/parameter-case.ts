import { parametersOf } from "../grammar/tree.js";
import { parameterFact, standing } from "../src/facts/parameters.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "parameter-case",
  group: "parameters",
  severity: "error",
  summary: "Parameter's name in the wrong case",
  why: `
Keywords may be written in any case, parameters' names may not: \`ollama create\` stops with \`unknown
parameter 'TEMPERATURE'\`.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER TEMPERATURE 0.7\n",
      good: "FROM llama3.2\nPARAMETER temperature 0.7\n",
      message: '"TEMPERATURE" is written in lower case: "temperature".',
    },
  ],

  *check(file, { release }) {
    for (const node of parametersOf(file)) {
      const lower = node.parameter.toLowerCase();
      if (lower === node.parameter || node.flaws.some(({ kind }) => kind === "bad-name")) continue;
      const how = standing(lower, release);
      if (how === "unknown") continue;
      yield {
        at: node.parameterSpan,
        message: `"${node.parameter}" is written in lower case: "${parameterFact(lower)!.name}".`,
        fix: {
          title: "Use lower case",
          safety: "safe",
          edits: [{ ...node.parameterSpan, text: lower }],
        },
      };
    }
  },
});

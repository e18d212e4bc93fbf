import { isInstruction } from "../grammar/create-request.js";
import { parametersOf } from "../grammar/tree.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "parameter-is-instruction",
  group: "parameters",
  severity: "warning",
  summary: "PARAMETER with the name of an instruction",
  why: `
Parameters and instructions share one list of names in Ollama's parser, so that \`PARAMETER system hi\` is
\`SYSTEM hi\`, and \`PARAMETER model llama3.2\` is \`FROM llama3.2\`. Nothing says so, and a role written this
way is not checked.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER system You are terse.\n",
      good: "FROM llama3.2\nSYSTEM You are terse.\n",
      message: '"PARAMETER system" is SYSTEM to Ollama.',
    },
  ],

  *check(file) {
    for (const node of parametersOf(file)) {
      const { parameter: name } = node;
      if (!isInstruction(name) || node.flaws.length > 0) continue;
      const keyword = name === "model" ? "FROM" : name.toUpperCase();
      const at = { start: node.keyword.start, end: node.parameterSpan.end };
      yield {
        at,
        message: `"PARAMETER ${name}" is ${keyword} to Ollama.`,
        // A message's role is checked only behind MESSAGE, so that line may mean something else there.
        ...(keyword !== "MESSAGE" && {
          fix: { title: `Write ${keyword}`, safety: "safe", edits: [{ ...at, text: keyword }] },
        }),
      };
    }
  },
});

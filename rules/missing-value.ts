import { type Statement } from "../grammar/tree.js";
import { parameterFact, standing } from "../src/facts/parameters.js";
import type { Report } from "../src/finding.js";
import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "missing-value",
  group: "syntax",
  severity: "error",
  summary: "Keyword, name or role without a value",
  why: `
A keyword that ends its line is no instruction to Ollama: \`ollama create\` stops with \`command must be
one of "from", …\` and names the next line, or with \`unexpected EOF: num_ctx\` where a parameter's value
is missing. With a blank behind it the value is empty, which a number cannot be: \`invalid int value
[]\`. An empty stop string matches at once, and every answer is empty.
`,
  says: [{ at: "create", text: "no Modelfile or safetensors files found" }],
  examples: [
    { bad: "FROM llama3.2\nSYSTEM\n", good: "FROM llama3.2\n", message: "SYSTEM has no value." },
    {
      bad: "FROM llama3.2\nPARAMETER top_k\n",
      good: "FROM llama3.2\n",
      message: "PARAMETER top_k has no value.",
    },
    {
      bad: "FROM llama3.2\nPARAMETER\n",
      good: "FROM llama3.2\n",
      message: "PARAMETER has neither name nor value.",
    },
    {
      bad: "FROM llama3.2\nPARAMETER top_k \n",
      good: "FROM llama3.2\n",
      message: "PARAMETER top_k has no value.",
    },
    {
      bad: "FROM llama3.2\nMESSAGE user\n",
      good: "FROM llama3.2\n",
      message: "MESSAGE user has no text.",
    },
    {
      bad: 'FROM acme/tuned\nPARAMETER stop ""\n',
      good: "FROM acme/tuned\n",
      message: "An empty stop string ends every answer before it begins.",
      severity: "warning",
    },
    {
      bad: "FROM \n",
      message: "FROM without a name means the folder that the Modelfile is in.",
      severity: "warning",
    },
  ],

  *check(file, { release }) {
    for (const node of file.statements) {
      if (node.kind === "stray") continue;
      const at = { start: node.keyword.start, end: node.leaves.at(-1)!.end };
      const remove = [{ title: "Remove the line", edits: [removeLine(file, node)] }];
      if (node.flaws.some(({ kind }) => kind === "no-value")) {
        yield { at, message: refused(node), suggestions: remove };
      } else if (node.kind === "parameter" && node.value?.text === "") {
        if (standing(node.parameter, release) === "accepted") yield emptyParameter(node.parameter);
        else if (node.parameter === "") yield { at, message: refused(node), suggestions: remove };
      } else if (node.kind === "instruction" && node.name === "FROM" && node.value?.text === "") {
        yield {
          at,
          severity: "warning",
          message: "FROM without a name means the folder that the Modelfile is in.",
          help: "Write FROM . if that is meant, else the model to build on.",
        };
      }

      function emptyParameter(name: string): Report {
        if (parameterFact(name)!.type !== "strings") {
          return { at, message: `PARAMETER ${name} has no value.`, suggestions: remove };
        }
        return {
          at,
          severity: "warning",
          message: "An empty stop string ends every answer before it begins.",
          suggestions: remove,
        };
      }
    }
  },
});

function refused(node: Exclude<Statement, { kind: "stray" }>): string {
  if (node.kind === "parameter") {
    return node.parameter === ""
      ? "PARAMETER has neither name nor value."
      : `PARAMETER ${node.parameter} has no value.`;
  }
  if (node.kind === "message") {
    return node.role === ""
      ? "MESSAGE has neither role nor text."
      : `MESSAGE ${node.role} has no text.`;
  }
  return `${node.name} has no value.`;
}

import { rule } from "../src/rule.js";

export default rule({
  id: "double-space-before-name",
  group: "syntax",
  severity: "error",
  summary: "More than one blank before a parameter's name or a role",
  why: `
Exactly one space or tab separates PARAMETER from a name and MESSAGE from a role. With two, Ollama
reads an empty name: \`ollama create\` stops with \`unknown parameter ''\`, or with \`message role must be
one of "system", "user", or "assistant"\`. Before a value, blanks do no harm.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER  top_k 4\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: "Two blanks after PARAMETER make its name empty. Use one.",
    },
    {
      bad: "FROM llama3.2\nMESSAGE \tuser hi\n",
      good: "FROM llama3.2\nMESSAGE user hi\n",
      message: "Two blanks after MESSAGE make its role empty. Use one.",
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      const role = node.flaws.some(({ kind }) => kind === "extra-blank");
      const name = node.kind === "parameter" && node.parameter === "" && node.value?.text;
      if ((!role && !name) || node.kind === "stray") continue;
      const start = node.keyword.end;
      const end = start + /^[ \t]*/.exec(file.text.slice(start, node.end))![0].length;
      if (end - start < 2) continue;
      const count = end - start === 2 ? "Two" : `${end - start}`;
      yield {
        at: { start, end },
        message: `${count} blanks after ${node.name} make its ${role ? "role" : "name"} empty. Use one.`,
        fix: {
          title: "Use one blank",
          safety: "safe",
          edits: [{ start, end, text: " " }],
        },
      };
    }
  },
});

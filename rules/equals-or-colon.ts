import { readParameter } from "../grammar/values.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "equals-or-colon",
  group: "syntax",
  severity: "error",
  summary: "Equals sign or colon between a name and its value",
  why: `
A blank separates keyword, name and value, nothing else. \`PARAMETER top_k=4\` stops \`ollama create\` with
\`unexpected EOF: top_k\`, \`FROM: llama3.2\` with \`command must be one of "from", …\`.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER top_k=4\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: 'A blank belongs between "top_k" and its value, not "=".',
    },
    {
      bad: "FROM: llama3.2\n",
      good: "FROM llama3.2\n",
      message: 'A blank belongs between "FROM" and its value, not ":".',
    },
    {
      bad: "FROM llama3.2\nMESSAGE user: hi\n",
      good: "FROM llama3.2\nMESSAGE user hi\n",
      message: 'A blank belongs between "user" and its value, not ":".',
    },
    {
      bad: "FROM llama3.2\nPARAMETER top_k = 4\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: 'A blank belongs between "top_k" and its value, not "=".',
    },
  ],

  *check(file, { release }) {
    for (const node of file.statements) {
      if (node.kind === "stray" || node.kind === "unknown") continue;
      for (const flaw of node.flaws) {
        if (flaw.kind !== "wrong-separator") continue;
        const written = file.text.slice(flaw.start, flaw.end);
        const sign = /[=:]/.exec(written)?.[0];
        if (!sign) continue;
        const before = /[^ \t]*$/.exec(file.text.slice(node.start, flaw.start))![0];
        yield {
          at: { start: flaw.start, end: flaw.start + written.trimEnd().length },
          message: `A blank belongs between "${before}" and its value, not "${sign}".`,
          fix: { title: "Use a blank", safety: "safe", edits: [{ ...flaw, text: " " }] },
        };
      }
      // `top_k = 4`: Ollama reads the name, and "= 4" for a value that is no number.
      if (
        node.kind === "parameter" &&
        node.value?.quote === "" &&
        /^[=:][ \t]/.test(node.value.text)
      ) {
        const { start } = node.value;
        const end = start + /^[=:][ \t]*/.exec(file.text.slice(start, node.value.end))![0].length;
        // `stop = x` is taken as it stands, and so is anything for a deprecated name.
        const accepted = readParameter(node.parameter, node.value.text, release).ok;
        yield {
          at: { start, end: start + 1 },
          severity: accepted ? "warning" : "error",
          message: `A blank belongs between "${node.parameter}" and its value, not "${file.text[start]}".`,
          fix: {
            title: "Use a blank",
            safety: accepted ? "unsafe" : "safe",
            edits: [{ start, end, text: "" }],
          },
        };
      }
    }
  },
});

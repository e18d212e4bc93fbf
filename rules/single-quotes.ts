import { readParameter } from "../grammar/values.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "single-quotes",
  group: "syntax",
  severity: "warning",
  summary: "Apostrophes around a value",
  why: `
Only \`"\` and \`"""\` are quotes. Apostrophes are kept as text: \`stop '</s>'\` waits for an answer that
contains the apostrophes, and a number stops \`ollama create\` with \`invalid float value ['0.7']\`.
`,
  examples: [
    {
      bad: "FROM acme/tuned\nPARAMETER stop '</s>'\n",
      good: 'FROM acme/tuned\nPARAMETER stop "</s>"\n',
      message: "Apostrophes are part of the value: only double quotes are quotes.",
    },
    {
      bad: "FROM llama3.2\nSYSTEM 'You are terse.'\n",
      good: 'FROM llama3.2\nSYSTEM "You are terse."\n',
      message: "Apostrophes are part of the value: only double quotes are quotes.",
    },
  ],

  *check(file, { release }) {
    for (const node of file.statements) {
      if (node.kind === "stray" || node.kind === "unknown" || node.value?.quote !== "") continue;
      const { value } = node;
      const match = /^('''|')([^'"]+)\1$/s.exec(file.text.slice(value.start, value.end));
      if (!match) continue;
      const refused =
        node.kind === "parameter" && !readParameter(node.parameter, value.text, release).ok;
      yield {
        at: value,
        // A number in apostrophes has parameter-type's error; this is its cause, with the fix.
        message: "Apostrophes are part of the value: only double quotes are quotes.",
        fix: {
          title: "Use double quotes",
          safety: refused ? "safe" : "unsafe",
          edits: [{ start: value.start, end: value.end, text: `"${match[2]}"` }],
        },
      };
    }
  },
});

import { readParameter } from "../grammar/values.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "smart-quotes",
  group: "syntax",
  severity: "warning",
  summary: "Typographic quotes around a value",
  why: `
Word processors turn \`"\` into “ and ”, which Ollama keeps as text: they end up in the prompt or in the
stop string, and a value of several lines ends with its first line.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYSTEM “You are terse.”\n",
      good: 'FROM llama3.2\nSYSTEM "You are terse."\n',
      message: "“ and ” are part of the value: only straight double quotes are quotes.",
    },
  ],

  *check(file, { release }) {
    for (const node of file.statements) {
      if (node.kind === "stray" || node.kind === "unknown" || node.value?.quote !== "") continue;
      const { value } = node;
      const match = /^([“”„«]{1,3})([^"“”„«»]+)([“”»]{0,3})$/.exec(
        file.text.slice(value.start, value.end),
      );
      if (!match) continue;
      const refused =
        node.kind === "parameter" && !readParameter(node.parameter, value.text, release).ok;
      const [, open, text, close] = match;
      yield {
        at: { start: value.start, end: value.start + open!.length },
        message: `${open} and ${close || "”"} are part of the value: only straight double quotes are quotes.`,
        ...(close && {
          fix: {
            title: "Use straight quotes",
            safety: refused ? "safe" : "unsafe",
            edits: [{ start: value.start, end: value.end, text: `"${text}"` }],
          },
        }),
      };
    }
  },
});

import { rule } from "../src/rule.js";

export default rule({
  id: "unneeded-quotes",
  group: "style",
  severity: "info",
  optional: true,
  summary: "Quotes around a value of one word",
  why: `
Quotes keep line breaks and the blanks at the ends of a value; around a single word they do nothing. Prompts, which are
text, may have them.
`,
  examples: [
    {
      bad: 'FROM acme/tuned\nPARAMETER stop "</s>"\n',
      good: "FROM acme/tuned\nPARAMETER stop </s>\n",
      message: 'The quotes around "</s>" do nothing.',
    },
    {
      bad: 'FROM "llama3.2"\n',
      good: "FROM llama3.2\n",
      message: 'The quotes around "llama3.2" do nothing.',
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind !== "parameter" && node.kind !== "instruction") continue;
      if (prompts.has(node.name) || node.flaws.length > 0) continue;
      const { value } = node;
      if (!value || value.quote === "" || !value.closed) continue;
      const written = file.text.slice(value.content.start, value.content.end);
      // A number sign or an apostrophe would look like more than it is.
      if (!/^[^\s"'#]+$/.test(written) || written !== value.text) continue;
      yield {
        at: { start: value.start, end: value.end },
        message: `The quotes around "${written}" do nothing.`,
        fix: {
          title: "Remove the quotes",
          safety: "safe",
          edits: [{ start: value.start, end: value.end, text: written }],
        },
      };
    }
  },
});

const prompts = new Set(["SYSTEM", "TEMPLATE", "LICENSE"]);

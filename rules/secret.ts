import { rule } from "../src/rule.js";

export default rule({
  id: "secret",
  group: "safety",
  severity: "warning",
  summary: "Text that looks like a key or a token",
  why: `
What stands in SYSTEM, TEMPLATE and MESSAGE becomes part of the model: \`ollama show\` prints it, the model may repeat
it, and \`ollama push\` publishes it. A comment is published with the file. A key that was public once has to be
revoked. What counts as one: the rules of secretlint's recommended preset, and the keys of Hugging Face, Google, Groq,
xAI, OpenRouter and other services besides. Examples of documentation are left alone.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYSTEM Sign requests with AKIA2E0A8F3B244C9986.\n",
      message: "This looks like an AWS access key.",
    },
  ],

  *check(_, { secrets = [] }) {
    for (const { start, end, what } of secrets) {
      yield { at: { start, end }, message: `This looks like ${what}.` };
    }
  },
});

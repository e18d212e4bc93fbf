import { rule } from "../src/rule.js";

export default rule({
  id: "missing-blank",
  group: "syntax",
  severity: "error",
  summary: "Keyword and value written together",
  why: `
A keyword ends at a space or tab. \`SYSTEM"""…\` is no instruction to Ollama: \`ollama create\` stops with
\`command must be one of "from", "license", "template", "system", …\`.
`,
  examples: [
    {
      bad: 'FROM llama3.2\nSYSTEM"""You are terse."""\n',
      good: 'FROM llama3.2\nSYSTEM """You are terse."""\n',
      message: "SYSTEM and its value need a blank between them.",
    },
    {
      bad: 'FROM llama3.2\nMESSAGE "hi"\n',
      message: "MESSAGE has no role before its text.",
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      const flaw = node.flaws.find(({ kind }) => kind === "no-separator");
      if (!flaw || node.kind === "stray") continue;
      const at = { start: node.keyword.start, end: flaw.start };
      if (node.kind === "message" && node.role === "") {
        yield {
          at: node.keyword,
          message: "MESSAGE has no role before its text.",
          help: "Valid: system, user, assistant.",
        };
      } else {
        yield {
          at,
          message: `${file.text.slice(at.start, at.end)} and its value need a blank between them.`,
          fix: {
            title: "Insert a blank",
            safety: "safe",
            edits: [{ start: flaw.start, end: flaw.start, text: " " }],
          },
        };
      }
    }
  },
});

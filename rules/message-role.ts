import { nearest } from "../src/nearest.js";
import { rule } from "../src/rule.js";

const roles = ["system", "user", "assistant"];

export default rule({
  id: "message-role",
  group: "messages",
  severity: "error",
  summary: "Role that MESSAGE does not have",
  why: `
\`ollama create\` stops with \`message role must be one of "system", "user", or "assistant"\`. Roles are
written in lower case; \`tool\` is none, although the API knows it.
`,
  examples: [
    {
      bad: "FROM llama3.2\nMESSAGE User hi\n",
      good: "FROM llama3.2\nMESSAGE user hi\n",
      message: 'Unknown role "User". Did you mean "user"?',
    },
    {
      bad: "FROM llama3.2\nMESSAGE tool 42\n",
      message: 'Unknown role "tool".',
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind !== "message") continue;
      if (!node.flaws.some(({ kind }) => kind === "unknown-role" || kind === "bad-role")) continue;
      const bare = node.role.replaceAll(/[^A-Za-z]/g, "");
      const guess = nearest(bare, roles);
      yield {
        at: node.roleSpan,
        message: `Unknown role "${node.role}".${guess ? ` Did you mean "${guess}"?` : ""}`,
        help: `Valid: ${roles.join(", ")}.`,
        ...(guess && {
          fix: {
            title: `Replace with ${guess}`,
            safety: "safe",
            edits: [{ ...node.roleSpan, text: guess }],
          },
        }),
      };
    }
  },
});

import type { Statement } from "../grammar/tree.js";
import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "embedding-model-prompt",
  group: "messages",
  severity: "warning",
  summary: "Prompt for a model that only embeds",
  why: `
An embedding model turns a text into numbers: there is no chat and no answer. SYSTEM, TEMPLATE, MESSAGE and
\`stop\` are stored and never used; what a text has to begin with, such as \`search_query:\`, the caller must send.
`,
  says: [{ at: "chat", text: '"…" does not support chat' }],
  needs: "model",
  examples: [
    {
      bad: "FROM bge-m3:567m\nSYSTEM You embed.\n",
      good: "FROM bge-m3:567m\n",
      message: 'SYSTEM is never used: "bge-m3:567m" only embeds.',
    },
  ],

  *check(file, { model }) {
    if (!model?.shape.embeddingOnly) return;
    for (const node of file.statements) {
      const what = unused(node);
      if (what === undefined || node.kind === "stray" || node.flaws.length > 0) continue;
      yield {
        at: node.keyword,
        message: `${what} is never used: "${model.name}" only embeds.`,
        fix: { title: "Remove it", safety: "unsafe", edits: [removeLine(file, node)] },
      };
    }
  },
});

function unused(node: Statement): string | undefined {
  if (node.kind === "message") return "MESSAGE";
  if (node.kind === "parameter") return node.parameter === "stop" ? "stop" : undefined;
  if (node.kind !== "instruction") return undefined;
  return node.name === "SYSTEM" || node.name === "TEMPLATE" ? node.name : undefined;
}

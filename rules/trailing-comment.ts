import { decidingFrom, type Statement } from "../grammar/tree.js";
import { standing, parameterFact } from "../src/facts/parameters.js";
import type { Release } from "../src/facts/release.js";
import { lineEnding } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "trailing-comment",
  group: "syntax",
  severity: "error",
  summary: "Comment behind a value",
  why: `
\`#\` starts a comment only at the start of a line; anywhere else it is part of the value. Numbers then
stop \`ollama create\` with \`invalid int value [4096 # tokens]\`, names with \`invalid model name\`, and a
stop string silently never matches.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER num_ctx 4096 # tokens\n",
      good: "FROM llama3.2\n# tokens\nPARAMETER num_ctx 4096\n",
      message: '"# tokens" is part of the value: comments stand on lines of their own.',
    },
    {
      bad: "FROM llama3.2   # the base\n",
      good: "# the base\nFROM llama3.2\n",
      message: '"# the base" is part of the value: comments stand on lines of their own.',
    },
    {
      bad: "FROM acme/tuned\nPARAMETER stop <end> # end of turn\n",
      good: "FROM acme/tuned\n# end of turn\nPARAMETER stop <end>\n",
      message: '"# end of turn" is part of the value: comments stand on lines of their own.',
      severity: "warning",
    },
  ],

  *check(file, { release }) {
    const from = decidingFrom(file);
    for (const node of file.statements) {
      const severity = severityFor(node, release, node === from);
      if (!severity || node.kind === "stray" || node.value?.quote !== "") continue;
      const { value } = node;
      const text = file.text.slice(value.start, value.end);
      const first = text.search(/[ \t]#/);
      if (first < 0) continue;
      // From the first number sign on, so that "# 1 # 2" moves as a whole.
      const comment = text.slice(first).trim();
      // Text such as "C #1" may be meant.
      if (severity === "warning" && !/^#+[ \t]+\S/.test(comment)) continue;
      const start = value.start + text.slice(0, first).trimEnd().length;
      const shown = comment.length > 40 ? `${comment.slice(0, 39)}…` : comment;
      yield {
        at: { start: value.end - comment.length, end: value.end },
        severity,
        message: `"${shown}" is part of the value: comments stand on lines of their own.`,
        fix: {
          title: "Move the comment above",
          safety: severity === "error" ? "safe" : "unsafe",
          edits: [
            { start: node.start, end: node.start, text: comment + lineEnding(file) },
            { start, end: value.end, text: "" },
          ],
        },
      };
    }
  },
});

/** Text may hold a number sign; names, paths and numbers hold none, and Ollama refuses them. */
function severityFor(
  node: Statement,
  release: Release,
  decides: boolean,
): "error" | "warning" | undefined {
  if (node.kind === "instruction") {
    // Of several FROM only the last has to be a name.
    if (node.name === "FROM") return decides ? "error" : "warning";
    if (node.name === "REQUIRES") return "error";
    return ["ADAPTER", "DRAFT", "RENDERER", "PARSER"].includes(node.name) ? "warning" : undefined;
  }
  if (node.kind !== "parameter" || standing(node.parameter, release) !== "accepted")
    return undefined;
  return parameterFact(node.parameter)!.type === "strings" ? "warning" : "error";
}

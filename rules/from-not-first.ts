import { instructionsNamed, type Modelfile, type Node } from "../grammar/tree.js";
import { lineEnding, removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "from-not-first",
  group: "style",
  severity: "info",
  optional: true,
  summary: "FROM below other instructions",
  why: `
Ollama takes instructions in any order. A reader looks for FROM first: what every other line means depends on the model.
`,
  examples: [
    {
      bad: "PARAMETER top_k 4\nFROM llama3.2\nSYSTEM You are terse.\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\nSYSTEM You are terse.\n",
      message: "FROM stands below other instructions.",
    },
  ],

  *check(file) {
    const froms = instructionsNamed(file, "FROM");
    const [first] = file.statements;
    const [from] = froms;
    if (!from || !first || first === from) return;
    const line = file.text.slice(from.start, from.end);
    // A comment above either of them would lose what it is about.
    const moves = froms.length === 1 && !commented(file, first) && !commented(file, from);
    yield {
      at: from.keyword,
      message: "FROM stands below other instructions.",
      ...(moves && {
        fix: {
          title: "Move it to the top",
          safety: "safe" as const,
          edits: [
            { start: first.start, end: first.start, text: line + lineEnding(file) },
            removeLine(file, from),
          ],
        },
      }),
    };
  },
});

/** Whether a comment stands in the line above. */
function commented({ nodes, text }: Modelfile, node: Node): boolean {
  const before = nodes.slice(0, nodes.indexOf(node));
  const comment = before.findLast(({ kind }) => kind !== "gap");
  if (comment?.kind !== "comment") return false;
  return (text.slice(comment.end, node.start).match(/\r\n|\r|\n/g) ?? []).length < 2;
}

import { rule } from "../src/rule.js";
import { named } from "./dropped-character.js";

export default rule({
  id: "invisible-before-instruction",
  group: "syntax",
  severity: "error",
  summary: "Invisible character before an instruction",
  why: `
A no-break space, a second byte-order mark or another character that cannot be printed stands before
the keyword. Ollama ignores one such character; two, or one with a blank behind it, stop \`ollama
create\` with \`command must be one of "from", …\`.
`,
  examples: [
    {
      bad: "FROM llama3.2\n\u00a0PARAMETER top_k 4\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: "U+00A0 (no-break space) stands before PARAMETER.",
      severity: "info",
    },
    {
      bad: "FROM llama3.2\n\u00a0\u00a0PARAMETER top_k 4\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: "U+00A0 (no-break space) stands before PARAMETER.",
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      const first = node.leaves[0]!;
      if (first.type !== "Invisible" || node.kind === "stray") continue;
      const refused = node.flaws.some(({ kind }) => kind === "invisible");
      yield {
        at: { start: first.start, end: first.end },
        ...(!refused && { severity: "info" as const }),
        message: `${named(file.text.codePointAt(first.start)!)} stands before ${node.name}.`,
        fix: {
          title: "Remove it",
          safety: "safe",
          edits: [{ start: first.start, end: first.end, text: "" }],
        },
      };
    }
  },
});

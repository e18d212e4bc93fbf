import { lineOf } from "../grammar/places.js";
import { parametersOf, type Parameter } from "../grammar/tree.js";
import { parameterFact, standing } from "../src/facts/parameters.js";
import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "duplicate-parameter",
  group: "parameters",
  severity: "warning",
  summary: "Parameter set more than once",
  why: `
The last one wins, without a word from \`ollama create\`. Only \`stop\` may be repeated: there each line adds
a string.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER top_k 4\nPARAMETER top_k 40\n",
      good: "FROM llama3.2\nPARAMETER top_k 40\n",
      message: "top_k is set again in line 3, and that one counts.",
    },
  ],

  *check(file, { release }) {
    const last = new Map<string, Parameter>();
    for (const node of parametersOf(file)) last.set(node.parameter, node);
    for (const node of parametersOf(file)) {
      const winner = last.get(node.parameter)!;
      if (winner === node || node.flaws.length > 0 || winner.flaws.length > 0) continue;
      if (standing(node.parameter, release) !== "accepted") continue;
      if (parameterFact(node.parameter)!.type === "strings") continue;
      const line = lineOf(file, winner.start);
      const same = winner.value?.text === node.value?.text;
      yield {
        at: { start: node.start, end: node.value?.end ?? node.end },
        message: `${node.parameter} is set again in line ${line}, and that one counts.`,
        related: [{ at: winner.parameterSpan, message: "This one counts." }],
        fix: {
          title: "Remove this line",
          // Every release since 0.1.35 takes the last one.
          safety: same ? "safe" : "unsafe",
          edits: [removeLine(file, node)],
        },
      };
    }
  },
});

import { rule } from "../src/rule.js";

export default rule({
  id: "grouped-parameters",
  group: "style",
  severity: "info",
  optional: true,
  summary: "PARAMETER lines in several places",
  why: `
Of a parameter that is set twice the last one wins, far below the first; and of \`stop\` every line counts. Both are seen
where PARAMETER lines stand together.
`,
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER top_k 4\nSYSTEM You are terse.\nPARAMETER top_p 0.5\n",
      message: "This PARAMETER stands apart from those in line 2 and below.",
    },
  ],

  *check(file) {
    let first: number | undefined;
    let apart = false;
    for (const { kind, start, end } of file.statements) {
      if (kind !== "parameter") {
        apart = first !== undefined;
        continue;
      }
      first ??= start;
      if (!apart) continue;
      yield {
        at: { start, end },
        message: `This PARAMETER stands apart from those in line ${lineOf(file.text, first)} and below.`,
      };
      return;
    }
  },
});

function lineOf(text: string, offset: number): number {
  return (text.slice(0, offset).match(/\r\n|\r|\n/g) ?? []).length + 1;
}

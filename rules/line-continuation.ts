import { rule } from "../src/rule.js";

export default rule({
  id: "line-continuation",
  group: "syntax",
  severity: "error",
  summary: "Backslash meant to continue the line",
  why: `
A Modelfile has no line continuation: the backslash becomes part of the value, and the next line is
read as an instruction, so that \`ollama create\` stops with \`command must be one of "from", …\`. Text of
several lines stands between \`"""\`.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYSTEM You are terse. \\\n  You never explain.\n",
      good: 'FROM llama3.2\nSYSTEM """You are terse.\n  You never explain."""\n',
      message: "A backslash does not continue the line: the value ends here.",
    },
  ],

  *check(file) {
    for (let index = 0; index < file.nodes.length; index++) {
      const node = file.nodes[index]!;
      if (node.kind === "gap" || node.kind === "comment" || node.kind === "stray") continue;
      const { value } = node;
      if (value?.quote !== "" || !value.text.endsWith("\\")) continue;
      let last = node.end;
      let next = index;
      while (file.nodes[next + 1]?.kind === "gap" && file.nodes[next + 2]?.kind === "stray") {
        last = file.nodes[next + 2]!.end;
        next += 2;
      }
      // Nothing follows that could have been meant: the backslash is text.
      if (next === index) continue;
      const text = file.text.slice(value.start, last);
      yield {
        at: { start: value.end - 1, end: value.end },
        message: "A backslash does not continue the line: the value ends here.",
        help: 'Put the whole text between """.',
        ...(!text.includes('"""') && {
          fix: {
            title: 'Put """ around the text',
            safety: "safe",
            edits: [
              {
                start: value.start,
                end: last,
                text: `"""${text.replaceAll(/[ \t]*\\(?=\r|\n)/g, "")}"""`,
              },
            ],
          },
        }),
      };
    }
  },
});

import { rule } from "../src/rule.js";

export default rule({
  id: "prefer-triple-quotes",
  group: "style",
  severity: "info",
  summary: "Text of several lines between single double quotes",
  why: `
A value that begins with \`"\` ends at the first line that ends with one. As soon as somebody quotes a word at the end of a
line, the value ends there, and \`ollama create\` stops with \`command must be one of "from", …\`. \`ollama show\` writes
such text between \`"""\`.
`,
  examples: [
    {
      bad: 'FROM llama3.2\nSYSTEM "You are terse.\nNever explain."\n',
      good: 'FROM llama3.2\nSYSTEM """You are terse.\nNever explain."""\n',
      message: 'Text of several lines is safer between """.',
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind === "stray" || node.kind === "unknown" || node.flaws.length > 0) continue;
      const { value } = node;
      if (value?.quote !== '"' || !value.closed) continue;
      const { start, end } = value.content;
      const written = file.text.slice(start, end);
      // A quote at either end would belong to the quotes around it.
      const same = !written.includes('"""') && !/^"|"$/.test(written);
      if (!/[\r\n]/.test(written)) continue;
      yield {
        at: { start: value.start, end: value.start + 1 },
        message: 'Text of several lines is safer between """.',
        ...(same && {
          fix: {
            title: 'Use """',
            safety: "safe" as const,
            edits: [
              { start: value.start, end: start, text: '"""' },
              { start: end, end: value.end, text: '"""' },
            ],
          },
        }),
      };
    }
  },
});

import { removeLine } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

/** What a line outside any instruction plainly is, where it is not text of the author's. */
const patterns: readonly RegExp[] = [
  /^(?:export|set|source|sudo|cd|mkdir|curl|wget|cat|echo|docker|chmod) +\S/,
  /^ollama +(?:run|create|pull|push|show|serve|list|ls|rm|cp|ps|stop)\b/,
  /^\$ +\S/,
  /^failed to get console mode/i,
  /^(?:```|~~~)/,
  /^<!--.*-->$/,
  /^(?:EOF|EOT|---)$/,
  /^@['"]$|^['"]@/,
];

/** Whether a line was pasted in from a shell session, a Markdown fence or a heredoc. */
export function isShellLine(line: string): boolean {
  const text = line.trim();
  return patterns.some((pattern) => pattern.test(text));
}

export default rule({
  id: "shell-line",
  group: "syntax",
  severity: "error",
  summary: "Line of a shell session, heredoc or Markdown fence",
  why: `
A line that came along with a pasted Modelfile is read as an instruction: \`ollama create\` stops with
\`command must be one of "from", …\`. Commands such as \`ollama run\` belong into the shell, settings such
as \`export OLLAMA_NUM_PARALLEL=2\` into the environment of the server.
`,
  examples: [
    {
      bad: "FROM llama3.2\nollama run mymodel\n",
      good: "FROM llama3.2\n",
      message: '"ollama run mymodel" is a line of a shell, not of a Modelfile.',
    },
    {
      bad: "```\nFROM llama3.2\n```\n",
      good: "FROM llama3.2\n```\n",
      message: '"```" is a line of Markdown, not of a Modelfile.',
      also: ["shell-line"],
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind !== "stray" && node.kind !== "unknown") continue;
      const line = file.text.slice(node.start, node.end).trim();
      if (!isShellLine(line)) continue;
      const what = /^(?:```|~~~|<!--)/.test(line) ? "Markdown" : "a shell";
      const shown = line.length > 40 ? `${line.slice(0, 39)}…` : line;
      yield {
        at: { start: node.start, end: node.end },
        message: `"${shown}" is a line of ${what}, not of a Modelfile.`,
        help: "Remove it.",
        suggestions: [{ title: "Remove the line", edits: [removeLine(file, node)] }],
      };
    }
  },
});

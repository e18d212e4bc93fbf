import { lineOf } from "../grammar/places.js";
import { keywords } from "../grammar/tokens.js";
import { type Modelfile, type Span, type Value } from "../grammar/tree.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "unclosed-quote",
  group: "syntax",
  severity: "error",
  summary: "Quote that never closes, or closes lines later",
  why: `
A quoted value ends at the first line that ends in the same quote. Until then every line belongs to
it, instructions included. Where no such line comes, \`ollama create\` stops with \`unexpected EOF\` and
names no line; where one comes by chance, the instructions in between are lost without a word.
`,
  examples: [
    {
      bad: 'FROM acme/tuned\nPARAMETER stop "</s>\nPARAMETER top_k 4\n',
      good: 'FROM acme/tuned\nPARAMETER stop "</s>"\nPARAMETER top_k 4\n',
      message: "This quote never closes: Ollama reads to the end of the file for its end.",
    },
    {
      bad: 'FROM llama3.2\nSYSTEM """You are terse.\nYou never explain.\nPARAMETER top_k 4\n',
      good: 'FROM llama3.2\nSYSTEM """You are terse.\nYou never explain."""\nPARAMETER top_k 4\n',
      message: "This quote never closes: Ollama reads to the end of the file for its end.",
    },
    {
      bad: 'FROM acme/tuned\nSYSTEM "You are terse.\nPARAMETER top_k 4\nPARAMETER stop "x"\n',
      good: 'FROM acme/tuned\nSYSTEM "You are terse."\nPARAMETER top_k 4\nPARAMETER stop "x"\n',
      message:
        "This quote closes in line 4: the text swallows 2 lines that look like instructions.",
      severity: "warning",
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind === "stray" || !node.value || node.value.quote === "") continue;
      const { value } = node;
      const open = { start: value.start, end: value.content.start };
      if (node.flaws.some(({ kind }) => kind === "unclosed-quote")) {
        yield {
          at: open,
          message: "This quote never closes: Ollama reads to the end of the file for its end.",
          help: `Close it with ${value.quote} at the end of a line.`,
          suggestions: [
            {
              title: "Close it behind the text",
              edits: [{ start: value.end, end: value.end, text: value.quote }],
            },
          ],
        };
      } else if (value.closed && value.quote === '"') {
        const swallowed = swallowedLines(file, value);
        if (swallowed.length === 0) continue;
        const first = firstLineEnd(file, value);
        yield {
          at: open,
          severity: "warning",
          message: `This quote closes in line ${lineOf(file, value.end)}: the text swallows ${
            swallowed.length === 1
              ? "a line that looks like an instruction"
              : `${swallowed.length} lines that look like instructions`
          }.`,
          help: 'Close it where the text ends; text of several lines is safer between """.',
          related: swallowed.map((at) => ({ at, message: "This is read as text." })),
          suggestions: [
            {
              title: "Close it in its first line",
              edits: [{ start: first, end: first, text: '"' }],
            },
          ],
        };
      }
    }
  },
});

const instructionLine = new RegExp(`^[ \\t]*(?:${[...keywords.keys()].join("|")})[ \\t].*`, "gm");

/** Lines of a value, behind its first, that look like instructions. */
function swallowedLines(file: Modelfile, { content }: Value): Span[] {
  const text = file.text.slice(content.start, content.end);
  const lines = [...text.matchAll(instructionLine)];
  return lines
    .filter(({ index }) => index > 0)
    .map(({ index, 0: line }) => ({
      start: content.start + index,
      end: content.start + index + line.trimEnd().length,
    }));
}

function firstLineEnd(file: Modelfile, { content }: Value): number {
  const line = /^.*/.exec(file.text.slice(content.start))![0];
  return content.start + line.trimEnd().length;
}

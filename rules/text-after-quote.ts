import { type Modelfile, type Span, type Statement, type Value } from "../grammar/tree.js";
import type { Change, Report } from "../src/finding.js";
import { lineEnding } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "text-after-quote",
  group: "syntax",
  severity: "error",
  summary: "Text or a comment behind the closing quote",
  why: `
A quote closes a value only where it ends the line. Text behind it, a \`# comment\` too, keeps the value
open: the following lines become part of it up to one that happens to end in a quote, or to the end of
the file, where \`ollama create\` stops with \`unexpected EOF\`.
`,
  examples: [
    {
      bad: 'FROM acme/tuned\nPARAMETER stop "</s>" # end of turn\nPARAMETER top_k 4\n',
      good: 'FROM acme/tuned\n# end of turn\nPARAMETER stop "</s>"\nPARAMETER top_k 4\n',
      message: "The comment behind the closing quote keeps the value open to the end of the file.",
    },
    {
      bad: 'FROM llama3.2\nSYSTEM "You are terse." Always.\n',
      good: 'FROM llama3.2\nSYSTEM """"You are terse." Always."""\n',
      message: "Text behind the closing quote keeps the value open to the end of the file.",
    },
    {
      bad: 'FROM acme/tuned\nPARAMETER stop "</s>" # end\nPARAMETER top_k 4\nPARAMETER stop "x"\n',
      good: 'FROM acme/tuned\n# end\nPARAMETER stop "</s>"\nPARAMETER top_k 4\nPARAMETER stop "x"\n',
      message: "The comment behind the closing quote keeps the value open for 2 more lines.",
      severity: "warning",
      also: ["unclosed-quote"],
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind === "stray" || !node.value) continue;
      const { value } = node;
      if (value.after) {
        yield report(file, node, value, value.after, "to the end of the file", true);
      } else if (value.closed && value.quote !== "") {
        const behind = commentBehindQuote(file, value);
        if (!behind) continue;
        const lines = file.text.slice(behind.end, value.end).split(/\r\n|\r|\n/).length - 1;
        const span = lines === 1 ? "for another line" : `for ${lines} more lines`;
        yield { ...report(file, node, value, behind, span, false), severity: "warning" };
      }
    }
  },
});

/** A comment behind a quote in the first line of a value that goes on for lines. */
function commentBehindQuote(file: Modelfile, { quote, content }: Value): Span | undefined {
  const line = /^.*/.exec(file.text.slice(content.start, content.end))![0];
  if (content.start + line.length >= content.end) return undefined;
  const match = new RegExp(`^[^"]*${quote}([ \\t]+#.*)$`).exec(line);
  if (!match) return undefined;
  const end = content.start + line.length;
  return { start: end - match[1]!.length, end };
}

function report(
  file: Modelfile,
  node: Statement,
  value: Value,
  behind: Span,
  span: string,
  refused: boolean,
): Report {
  const text = file.text.slice(behind.start, behind.end);
  const comment = text.trim();
  const at = { start: behind.start + (text.length - text.trimStart().length), end: behind.end };
  if (comment.startsWith("#")) {
    const change: Change = {
      title: "Move the comment above",
      edits: [
        { start: node.start, end: node.start, text: comment + lineEnding(file) },
        { ...behind, text: "" },
      ],
    };
    return {
      at,
      message: `The comment behind the closing quote keeps the value open ${span}.`,
      help: "Put the comment on a line of its own.",
      // A value that did close, however late, becomes lines again, and nobody knows what they hold.
      ...(refused ? { fix: { ...change, safety: "safe" } } : { suggestions: [change] }),
    };
  }
  const whole = file.text.slice(value.start, behind.end).trimEnd();
  return {
    at,
    message: `Text behind the closing quote keeps the value open ${span}.`,
    help: 'Remove it, or put """ around the whole value.',
    ...(!whole.includes('"""') && {
      suggestions: [
        {
          title: 'Put """ around the whole value',
          edits: [{ start: value.start, end: value.start + whole.length, text: `"""${whole}"""` }],
        },
        { title: "Remove the text behind the quote", edits: [{ ...behind, text: "" }] },
      ],
    }),
  };
}

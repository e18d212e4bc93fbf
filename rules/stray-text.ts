import type { Instruction, Message, Modelfile, Node, Stray } from "../grammar/tree.js";
import type { Report } from "../src/finding.js";
import { rule } from "../src/rule.js";
import { isShellLine } from "./shell-line.js";

export default rule({
  id: "stray-text",
  group: "syntax",
  severity: "error",
  summary: "Text outside any instruction",
  why: `
A value without quotes ends with its line, and the next line is read as an instruction: \`ollama
create\` stops with \`command must be one of "from", "license", "template", …\`. Text of several lines
needs \`"""\` around it. The same happens behind a \`"""\` that closes earlier than meant: a block ends
at the first line that ends in \`"""\`.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYSTEM You are terse.\nYou never explain.\n",
      good: 'FROM llama3.2\nSYSTEM """You are terse.\nYou never explain."""\n',
      message: "Text outside any instruction. Did the SYSTEM text above lose its quotes?",
    },
    {
      bad: "FROM llama3.2\n- a\n- list\n",
      message: "Text outside any instruction.",
    },
  ],

  *check(file) {
    for (let index = 0; index < file.nodes.length; index++) {
      if (!isStrayText(file, file.nodes[index])) continue;
      const first = file.nodes[index] as Stray;
      const above = file.nodes[index - 1]?.kind === "gap" ? index - 2 : index - 1;
      let last = first;
      // Neighbouring lines are one mistake.
      for (; ; index += 2) {
        const next = file.nodes[index + 2];
        if (file.nodes[index + 1]?.kind !== "gap" || !isStrayText(file, next)) break;
        last = next as Stray;
      }
      const before = unquotedText(file.nodes[above]);
      // A backslash before it says what was meant; line-continuation has the finding.
      if (before?.value?.text.endsWith("\\")) continue;
      yield report(file, first, last, before);
    }
  },
});

function isStrayText(file: Modelfile, node: Node | undefined): boolean {
  return node?.kind === "stray" && !isShellLine(file.text.slice(node.start, node.end));
}

/** A text value without quotes, which the lines below may have been meant for. */
function unquotedText(node: Node | undefined): Instruction | Message | undefined {
  if (node?.kind !== "instruction" && node?.kind !== "message") return undefined;
  const textual = ["SYSTEM", "TEMPLATE", "LICENSE", "MESSAGE"].includes(node.name);
  return textual && node.value?.quote === "" && node.value.text !== "" ? node : undefined;
}

function report(
  file: Modelfile,
  first: Stray,
  last: Stray,
  before: Instruction | Message | undefined,
): Report {
  const at = { start: first.start, end: last.end };
  if (!before) {
    return {
      at,
      message: "Text outside any instruction.",
      help: 'Put it behind a keyword, or a # before it. Several lines of text need """ around them.',
    };
  }
  const value = before.value!;
  const text = file.text.slice(value.start, last.end);
  return {
    at,
    message: `Text outside any instruction. Did the ${before.name} text above lose its quotes?`,
    related: [{ at: value, message: "This text ends with its line." }],
    ...(!text.includes('"""') && {
      suggestions: [
        {
          title: `Put """ around the ${before.name} text`,
          edits: [
            { start: value.start, end: value.start, text: '"""' },
            { start: last.end, end: last.end, text: '"""' },
          ],
        },
      ],
    }),
  };
}

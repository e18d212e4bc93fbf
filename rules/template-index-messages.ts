import type { Operand } from "../grammar/template/tree.js";
import { chatFailure, runningTemplate, severityAtChat } from "../src/ollama/running-template.js";
import { operandsOf } from "../src/prompt/template-fields.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-index-messages",
  group: "template",
  severity: "error",
  summary: ".Messages only where Ollama does not look for it",
  why: `
Ollama hands \`.Messages\` to templates that name it, and looks for the name everywhere but in parentheses with a field
behind them. A template that has only \`(index .Messages 0).Content\` counts as one for single turns: it gets
\`.Prompt\` instead, and fails with \`error calling index: index of untyped nil\`.
`,
  says: [{ at: "chat", text: "error calling index: index of untyped nil" }],
  examples: [
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ .System }}{{ (index .Messages 0).Content }}"""\n',
      ollama: "0.11.0",
      message: "Ollama does not see .Messages in these parentheses: every chat fails.",
      fails: "chat",
    },
  ],

  *check(file, context) {
    const found = runningTemplate(file, context);
    if (found?.ollama.mode !== "legacy") return;
    const place = operandsOf(found.template).find(
      (one) => one.kind === "chain" && hasMessages(one.operand),
    );
    if (!place) return;
    const always = chatFailure(file, found, context.release)?.includes("untyped nil") === true;
    const then = always ? "every chat fails" : "it is empty here";
    yield {
      at: found.inFile(place),
      message: `Ollama does not see .Messages in these parentheses: ${then}.`,
      severity: always ? severityAtChat(file, context) : "warning",
      help: "Read it into a variable first: `{{ $first := index .Messages 0 }}{{ $first.Content }}`.",
    };
  },
});

function hasMessages(operand: Operand): boolean {
  if (operand.kind === "field") return operand.names[0]?.text === "Messages";
  if (operand.kind === "chain") return hasMessages(operand.operand);
  return (
    operand.kind === "pipe" &&
    operand.commands.some(({ operands }) => operands.some((one) => hasMessages(one)))
  );
}

import type { Branch, Template } from "../grammar/template/tree.js";
import type { Span } from "../grammar/tree.js";
import { chatFailure, runningTemplate, severityAtChat } from "../src/ollama/running-template.js";
import { nodesOf, operandsOf } from "../src/prompt/template-fields.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-response-in-else",
  group: "template",
  severity: "error",
  summary: ".Response in a branch that has an else",
  why: `
Without \`.Messages\` a template writes one turn. For the last one Ollama cuts it behind \`.Response\`, and its code for
that cannot do so within an \`if\`, \`range\` or \`with\` that has an \`else\`: the request handler panics with \`interface
conversion: parse.Node is nil, not *parse.ListNode\`, whichever branch is taken. \`ollama create\` does not notice.
`,
  says: [{ at: "chat", text: "interface conversion: parse.Node is nil, not *parse.ListNode" }],
  examples: [
    {
      bad: "FROM llama3.2\nTEMPLATE {{ .Prompt }}{{ if .System }}{{ .System }} {{ .Response }}{{ else }} - {{ .Response }}{{ end }}\n",
      ollama: "0.11.0",
      message: ".Response stands in an if that has an else: Ollama panics on every chat.",
      fails: "chat",
    },
    {
      bad: "FROM llama3.2\nTEMPLATE {{ .System }}{{ if .Prompt }}{{ .Prompt }} {{ .Response }}{{ else }}{{ end }}\n",
      good: "FROM llama3.2\nTEMPLATE {{ .System }}{{ if .Prompt }}{{ .Prompt }} {{ .Response }}{{ end }}\n",
      ollama: "0.11.0",
      message: ".Response stands in an if that has an else: Ollama panics on every chat.",
      fails: "chat",
    },
  ],

  *check(file, context) {
    const found = runningTemplate(file, context);
    if (found?.ollama.mode !== "legacy") return;
    const { template, inFile } = found;
    const place = responseInBranch(template);
    if (!place || !chatFailure(file, found, context.release)?.includes("parse.Node is nil")) return;
    const { at, branch } = place;
    const otherwise = branch.elseList!;
    const nothing = template.text.slice(otherwise.start, otherwise.end).trim() === "";
    yield {
      at: inFile(at),
      message: `.Response stands in ${branch.kind === "if" ? "an" : "a"} ${branch.kind} that has an else: Ollama panics on every chat.`,
      severity: severityAtChat(file, context),
      help: "Close the branch in front of .Response, or write the template with .Messages.",
      ...(nothing && {
        suggestions: [
          {
            title: "Remove the empty else",
            edits: [{ ...inFile({ start: branch.list.end, end: otherwise.end }), text: "" }],
          },
        ],
      }),
    };
  },
});

/** The first branch with an else whose first list has the field, which is what Ollama stumbles over. */
function responseInBranch({ main }: Template): { at: Span; branch: Branch } | undefined {
  for (const branch of nodesOf({ main, defined: new Map() })) {
    if (!("elseList" in branch) || !branch.elseList) continue;
    const at = operandsOf({ main: branch.list, defined: new Map() }).find(
      (one) => one.kind === "field" && one.names.some(({ text }) => text === "Response"),
    );
    if (at) return { at, branch };
  }
  return undefined;
}

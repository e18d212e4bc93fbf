import type { Template } from "../grammar/template/tree.js";
import type { Span } from "../grammar/tree.js";
import { chatFailure, runningTemplate, severityAtChat } from "../src/ollama/running-template.js";
import { nodesOf, operandsOf } from "../src/prompt/template-fields.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-legacy-function",
  group: "template",
  severity: "error",
  summary: "TEMPLATE without .Messages that uses what its last turn lacks",
  why: `
Without \`.Messages\` a template writes one turn. The last one is written with a copy that ends behind \`.Response\`, and
Ollama gives that copy neither its own functions nor what \`define\` and \`block\` have defined: every request ends in
\`"json" is not a defined function\` or \`template "turn" not defined\`. \`ollama create\` does not notice. A template
with \`.Messages\` is run as it is.
`,
  says: [
    { at: "chat", text: '"…" is not a defined function' },
    { at: "chat", text: 'template "…" not defined' },
  ],
  examples: [
    {
      bad: "FROM llama3.2\nTEMPLATE {{ .System }} Today is {{ currentDate }}. {{ .Prompt }}\n",
      ollama: "0.11.0",
      message: 'Without .Messages there is no "currentDate" for the last turn: every chat fails.',
      fails: "chat",
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ define "turn" }}{{ .System }} {{ .Prompt }}{{ end }}{{ template "turn" . }}"""\n',
      ollama: "0.11.0",
      message: 'Without .Messages there is no template "turn" for the last turn: every chat fails.',
      fails: "chat",
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ if .System }}{{ json .System }}{{ end }} {{ .Prompt }}"""\n',
      message:
        'Without .Messages there is no "json" for the last turn: chats with a system message fail.',
      severity: "warning",
    },
  ],

  *check(file, context) {
    const found = runningTemplate(file, context);
    if (found?.ollama.mode !== "legacy") return;
    const { template, inFile } = found;
    const always = missing(chatFailure(file, found, context.release), template);
    const instructed = missing(chatFailure(file, found, context.release, "Be brief."), template);
    const lacks = always ?? instructed;
    if (!lacks) return;
    const then = always ? "every chat fails" : "chats with a system message fail";
    yield {
      at: inFile(lacks.at),
      message: `Without .Messages there is no ${lacks.what} for the last turn: ${then}.`,
      severity: always ? severityAtChat(file, context) : "warning",
      help: "Write the template with `{{ range .Messages }}`, or do without.",
    };
  },
});

/** What Go has not found, where the template as a whole has it. */
function missing(
  failure: string | undefined,
  template: Template,
): { what: string; at: Span } | undefined {
  const name = /"(\w+)" is not a defined function/.exec(failure ?? "")?.[1];
  if (name !== undefined) {
    const at = operandsOf(template).find((one) => one.kind === "identifier" && one.text === name);
    return at && { what: `"${name}"`, at };
  }
  const called = /template "([^"]*)" not defined/.exec(failure ?? "")?.[1];
  if (called === undefined || !template.defined.has(called)) return undefined;
  const at = nodesOf(template).find((node) => node.kind === "template" && node.name === called);
  return at && { what: `template "${called}"`, at };
}

import { hasTemplateFact, type TemplateField } from "../src/facts/template.js";
import type { Release } from "../src/facts/release.js";
import { fatalFields, runningTemplate, severityAtChat } from "../src/ollama/running-template.js";
import { fieldsOf, fieldUses, root, type FieldUse } from "../src/prompt/template-fields.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-newer-field",
  group: "template",
  severity: "warning",
  summary: "Name in TEMPLATE that only newer releases set",
  why: `
What a template gets has grown: \`.Messages\` with 0.2.2, \`.Tools\` and \`.Suffix\` with 0.2.6, \`.Think\` and \`.Thinking\` with
0.9.0, \`.ThinkLevel\` with 0.11.0. An older release takes the template all the same. A name at the top is then
empty, and prints \`<no value>\`; one that a message lacks ends the chat: \`can't evaluate field Thinking in type
*api.Message\`.
`,
  says: [{ at: "chat", text: "can't evaluate field … in type …" }],
  examples: [
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ .Role }}: {{ .Content }}{{ end }}{{ if .IsThinkSet }}<think>{{ end }}"""\n',
      ollama: "0.8.0",
      message: '".IsThinkSet" needs Ollama 0.9.0; 0.8.0 never sets it.',
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ if .Thinking }}<think>{{ .Thinking }}</think>{{ end }}{{ .Content }}{{ end }}"""\n',
      ollama: "0.8.0",
      message: '"Thinking" of a message needs Ollama 0.9.0; with 0.8.0 every chat fails.',
      severity: "error",
      fails: "chat",
    },
  ],

  *check(file, context) {
    const { release } = context;
    const found = runningTemplate(file, context);
    if (!found) return;
    const uses = fieldUses(found.template);
    const newer = uses.flatMap((use) => {
      const field = fieldsOf(use.holder)?.find(({ name }) => name === use.name);
      return field && !hasTemplateFact(field, release) ? [{ use, field }] : [];
    });
    if (newer.length === 0) return;
    const fatal = fatalFields(file, found, release);
    for (const { use, field } of newer) {
      if (newer.find((one) => one.field === field)?.use !== use) continue;
      const stops = newer.some((one) => one.field === field && fatal.has(one.use.start));
      yield {
        at: found.inFile(use),
        message: inWords(use, field, release, stops),
        ...(stops && { severity: severityAtChat(file, context) }),
      };
    }
  },
});

function inWords(
  { name, holder, as }: FieldUse,
  { first }: TemplateField,
  { version }: Release,
  stops: boolean,
): string {
  if (holder === root) {
    const then = as === "printed" ? 'prints "<no value>" in its place' : "never sets it";
    return `".${name}" needs Ollama ${first}; ${version} ${then}.`;
  }
  const then = stops ? "every chat fails" : "a chat that gets here fails";
  const of = holder === "Message" ? "a message" : "a tool call";
  return `"${name}" of ${of} needs Ollama ${first}; with ${version} ${then}.`;
}

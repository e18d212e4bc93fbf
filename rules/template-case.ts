import { fatalFields, runningTemplate, severityAtChat } from "../src/ollama/running-template.js";
import { fieldsOf, fieldUses, root } from "../src/prompt/template-fields.js";
import { holderInWords } from "../src/prompt/template-words.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-case",
  group: "template",
  severity: "warning",
  summary: "Name in TEMPLATE in the wrong case",
  why: `
Names in templates are case-sensitive, and nothing warns: for \`{{ .prompt }}\` the text \`<no value>\` goes into the
prompt, and the model never reads the question. \`.messages\` even makes Ollama take the template for one that
handles whole chats. Of a message or a tool it is an error as soon as a chat gets there: \`can't evaluate field
content\`.
`,
  says: [{ at: "chat", text: "can't evaluate field … in type …" }],
  examples: [
    {
      bad: "FROM llama3.2\nTEMPLATE {{ .System }} {{ .prompt }} {{ .Prompt }}\n",
      good: "FROM llama3.2\nTEMPLATE {{ .System }} {{ .Prompt }} {{ .Prompt }}\n",
      message: '".prompt" is written ".Prompt".',
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ .Role }}: {{ .content }}{{ end }}"""\n',
      good: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ .Role }}: {{ .Content }}{{ end }}"""\n',
      ollama: "0.11.0",
      message: 'A message has no field "content", only "Content": every chat fails.',
      severity: "error",
      fails: "chat",
    },
  ],

  *check(file, context) {
    const found = runningTemplate(file, context);
    if (!found) return;
    const { template, inFile } = found;
    const uses = fieldUses(template);
    let fatal: ReadonlySet<number> | undefined;
    for (const use of uses) {
      const { name, holder, start } = use;
      const fields = fieldsOf(holder) ?? [];
      const right = fields.find((field) => field.name.toLowerCase() === name.toLowerCase());
      if (!right || right.name === name) continue;
      fatal ??= fatalFields(file, found, context.release);
      const stops = fatal.has(start);
      const then = stops ? "every chat fails" : "a chat that gets here fails";
      yield {
        at: inFile(use),
        message:
          holder === root
            ? `".${name}" is written ".${right.name}".`
            : `${holderInWords(holder)} has no field "${name}", only "${right.name}": ${then}.`,
        ...(stops && { severity: severityAtChat(file, context) }),
        fix: {
          title: `Replace with ${right.name}`,
          // Only where nothing works as it is does the model not change.
          safety: stops ? "safe" : "unsafe",
          edits: [{ ...inFile(use), text: right.name }],
        },
      };
    }
  },
});

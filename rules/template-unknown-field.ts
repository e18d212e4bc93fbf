import { hasTemplateFact } from "../src/facts/template.js";
import { nearest } from "../src/nearest.js";
import { fatalFields, runningTemplate, severityAtChat } from "../src/ollama/running-template.js";
import { fieldsOf, fieldUses, root, type FieldUse } from "../src/prompt/template-fields.js";
import { holderInWords } from "../src/prompt/template-words.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-unknown-field",
  group: "template",
  severity: "warning",
  summary: "Name in TEMPLATE that Ollama does not set",
  why: `
A template gets System, Prompt and Response, or System, Messages and Tools, and Suffix, Think, ThinkLevel and IsThinkSet.
Another name is no error: \`<no value>\` goes into the prompt, and an \`if\` on it never holds. What a message or a
tool lacks is an error, though not before a chat gets there: \`can't evaluate field Text in type
*template.templateMessage\`.
`,
  says: [{ at: "chat", text: "can't evaluate field … in type …" }],
  examples: [
    {
      bad: "FROM llama3.2\nTEMPLATE {{ .System }} {{ .Promt }} {{ .Prompt }}\n",
      good: "FROM llama3.2\nTEMPLATE {{ .System }} {{ .Prompt }} {{ .Prompt }}\n",
      message: 'Ollama sets no ".Promt": "<no value>" is printed. Did you mean ".Prompt"?',
    },
    {
      bad: "FROM llama3.2\nTEMPLATE {{ .System }} {{ if .First }}Hi.{{ end }} {{ .Prompt }}\n",
      message: 'Ollama sets no ".First": the condition never holds.',
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ .Role }}: {{ .Contents }}{{ end }}"""\n',
      good: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ .Role }}: {{ .Content }}{{ end }}"""\n',
      ollama: "0.11.0",
      message: 'A message has no field "Contents": every chat fails. Did you mean "Content"?',
      severity: "error",
      fails: "chat",
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ if eq .Role "tool" }}{{ .Tool }}{{ end }}{{ .Content }}{{ end }}"""\n',
      message: 'A message has no field "Tool": a chat that gets here fails.',
    },
  ],

  *check(file, context) {
    const { release } = context;
    const found = runningTemplate(file, context);
    if (!found) return;
    const { template, inFile } = found;
    const unknown = fieldUses(template).filter(isUnknown);
    if (unknown.length === 0) return;
    const fatal = fatalFields(file, found, release);
    for (const [use, all] of byName(unknown)) {
      const { name, holder } = use;
      const names = (fieldsOf(holder) ?? [])
        .filter((field) => hasTemplateFact(field, release))
        .map((field) => field.name);
      const stops = all.some(({ start }) => fatal.has(start));
      const meant = nearest(name, names);
      const dot = holder === root ? "." : "";
      const list = names.map((one) => dot + one).join(", ");
      const help = holder.startsWith("[]")
        ? "A list is gone through with range: `{{ range .Messages }}{{ .Content }}{{ end }}`."
        : ((holder === root ? gone[name] : undefined) ?? (list && `There are ${list}.`));
      const what = inWords(use, stops);
      yield {
        at: inFile(use),
        message: meant === undefined ? what : `${what} Did you mean "${dot}${meant}"?`,
        ...(help !== "" && { help }),
        ...(stops && { severity: severityAtChat(file, context) }),
        ...(meant !== undefined && {
          fix: {
            title: `Replace with ${dot}${meant}`,
            // Only where nothing works as it is does the model not change.
            safety: stops ? ("safe" as const) : ("unsafe" as const),
            edits: all.map((one) => ({ ...inFile(one), text: meant })),
          },
        }),
      };
    }
  },
});

function isUnknown({ name, holder }: FieldUse): boolean {
  // Another case is template-case's.
  const wanted = name.toLowerCase();
  return !fieldsOf(holder)?.some((field) => field.name.toLowerCase() === wanted);
}

/** The first use of each name, with all of them. */
function byName(uses: readonly FieldUse[]): (readonly [FieldUse, readonly FieldUse[]])[] {
  const groups = new Map<string, [FieldUse, ...FieldUse[]]>();
  for (const use of uses) {
    const key = `${use.holder} ${use.name}`;
    const group = groups.get(key);
    if (group) group.push(use);
    else groups.set(key, [use]);
  }
  return [...groups.values()].map((group) => [group[0], group]);
}

function inWords({ name, holder, as }: FieldUse, stops: boolean): string {
  if (holder !== root) {
    const then = stops ? "every chat fails" : "a chat that gets here fails";
    return `${holderInWords(holder)} has no field "${name}": ${then}.`;
  }
  const instead = {
    printed: '"<no value>" is printed',
    tested: "the condition never holds",
    argument: "it is always nil",
  }[as];
  return `Ollama sets no ".${name}": ${instead}.`;
}

const retrieved =
  "Ollama looks nothing up: text that an application finds belongs into the message itself.";

/** Names that old templates and other programs have. */
const gone: Readonly<Record<string, string>> = {
  First:
    "Only early releases set .First, for the first turn of a chat. A condition on .System alone does what was meant.",
  Context: retrieved,
  Document: retrieved,
  Documents: retrieved,
  Input: "What the user says is .Prompt, or the last of .Messages.",
  Query: "What the user says is .Prompt, or the last of .Messages.",
  Question: "What the user says is .Prompt, or the last of .Messages.",
};

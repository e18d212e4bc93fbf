import { usesTemplate } from "../src/ollama/file-prompt.js";
import { severityAtChat } from "../src/ollama/running-template.js";
import { chatNames, sampleOf } from "../src/prompt/sample.js";
import { rule } from "../src/rule.js";
import type { Span } from "../grammar/tree.js";
import type { FileTemplate } from "../src/prompt/file-template.js";

export default rule({
  id: "template-error-at-chat",
  group: "template",
  severity: "error",
  summary: "TEMPLATE that fails when it is run",
  why: `
\`ollama create\` reads a template and does not run it. One that fails then, as by an index beyond the last
message, is stored, and requests are answered with \`template: :1:10: executing "" at <index .Messages 5>: error
calling index: …\`. Here it is run with chats of one to four messages, with and without tools.
`,
  says: [{ at: "chat", text: 'template: :…: executing "" at <…>: error calling …: …' }],
  examples: [
    {
      bad: 'FROM acme/tuned\nTEMPLATE "{{ range .Messages }}{{ if gt .Content 0 }}{{ .Content }}{{ end }}{{ end }}"\n',
      ollama: "0.11.0",
      message:
        'Ollama fails on every chat: template: :1:27: executing "" at <gt .Content 0>: error calling gt: incompatible types for comparison: string and int',
      fails: "chat",
    },
    {
      bad: 'FROM acme/tuned\nTEMPLATE "{{ .System }} {{ (index .Messages 1).Content }} {{ .Messages }}"\n',
      message:
        'Ollama fails on a chat of one message: template: :1:18: executing "" at <index .Messages 1>: error calling index: reflect: slice index out of range',
      severity: "warning",
    },
  ],

  *check(file, context) {
    const sample = sampleOf(file, context.release);
    if (!sample || !usesTemplate(file, context)) return;
    const failed = chatNames.flatMap((chat) => {
      const tried = sample.tried(chat);
      return tried.ok || tried.bound ? [] : [{ chat, ...tried }];
    });
    const [first] = failed;
    if (!first || explained.test(first.error)) return;
    const always = failed.length === chatNames.length;
    yield {
      at: placeIn(sample.found, first.error),
      message: `Ollama fails on ${always ? "every chat" : when[first.chat]}: ${first.error}`,
      severity: always ? severityAtChat(file, context) : "warning",
    };
  },
});

const when = {
  alone: "a chat of one message",
  instructed: "a chat of a system prompt and one message",
  answered: "a chat of three messages",
  long: "a chat of a system prompt and three messages",
  tools: "a chat with tools",
  called: "a chat in which a tool is called",
} as const;

/** Errors and panics that rules of their own find in the text. */
const explained =
  /is not a defined function|template "[^"]*" not defined|can't evaluate field|index of untyped nil|parse\.Node is nil/;

/** Where Go says that it stopped: its columns count bytes from 0. */
function placeIn({ template, inFile, node }: FileTemplate, error: string): Span {
  const [, line = "", column = "", shown = ""] =
    /^template: :(\d+):(\d+): executing "[^"]*" at <(.*?)(?:\.\.\.)?>: /.exec(error) ?? [];
  const before = template.text.split("\n").slice(0, Number(line) - 1);
  const start = before.join("\n").length + (before.length > 0 ? 1 : 0) + Number(column);
  const read = line !== "" && shown !== "" && template.text.startsWith(shown, start);
  return read ? inFile({ start, end: start + shown.length }) : node.keyword;
}

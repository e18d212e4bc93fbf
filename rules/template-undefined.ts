import { since } from "../src/facts/release.js";
import { chatFailure, runningTemplate, severityAtChat } from "../src/ollama/running-template.js";
import { templateOf } from "../src/prompt/file-template.js";
import { nearest } from "../src/nearest.js";
import { nodesOf } from "../src/prompt/template-fields.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-undefined",
  group: "template",
  severity: "error",
  summary: "{{ template }} that names nothing, or passes nothing on",
  why: `
\`{{ template "turn" . }}\` runs what \`{{ define "turn" }}\` defines. Without a value behind the name \`ollama create\` stops
with \`undefined template specified\`, whether it is defined or not; before 0.12.4 it crashed the request. A name that
nothing defines passes, and ends the chat that gets there: \`template "turn" not defined\`.
`,
  says: [{ at: "chat", text: 'template "…" not defined' }],
  examples: [
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ define "turn" }}{{ range .Messages }}{{ .Content }}{{ end }}{{ end }}{{ template "turn" }}"""\n',
      good: 'FROM llama3.2\nTEMPLATE """{{ define "turn" }}{{ range .Messages }}{{ .Content }}{{ end }}{{ end }}{{ template "turn" . }}"""\n',
      message: '{{ template "turn" }} passes nothing on, and Ollama refuses it.',
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ template "turn" . }}{{ .Content }}{{ end }}"""\n',
      ollama: "0.11.0",
      message: 'Nothing defines the template "turn": every chat fails.',
      fails: "chat",
    },
    {
      bad: 'FROM llama3.2\nTEMPLATE """{{ range .Messages }}{{ if .ToolCalls }}{{ template "calls" . }}{{ end }}{{ .Content }}{{ end }}"""\n',
      message: 'Nothing defines the template "calls": a chat that gets here fails.',
      severity: "warning",
    },
  ],

  *check(file, context) {
    const { release } = context;
    const found = templateOf(file, release);
    if (!found || found.template.error) return;
    const { template, ollama, inFile } = found;
    const calls = nodesOf(template).filter((node) => node.kind === "template");
    const bare = calls.filter(({ pipe }) => !pipe);
    for (const { name, nameSpan, start, end } of bare) {
      const { end: behind } = inFile(nameSpan);
      const then = since(release, "0.12.4")
        ? "and Ollama refuses it"
        : `which makes Ollama ${release.version} crash`;
      yield {
        at: inFile({ start, end }),
        message: `{{ template "${name}" }} passes nothing on, ${then}.`,
        help: "Ollama prints `undefined template specified`. A dot passes on everything.",
        fix: {
          title: "Pass the dot on",
          safety: "safe",
          edits: [{ start: behind, end: behind, text: " ." }],
        },
      };
    }
    const running = bare.length === 0 && runningTemplate(file, context);
    if (!running || ollama.undefinedTemplates.length === 0) return;
    const failure = chatFailure(file, running, release) ?? "";
    for (const name of ollama.undefinedTemplates) {
      const call = calls.find((one) => one.name === name);
      if (!call) continue;
      const always = failure.includes(`template "${name}" not defined`);
      const then = always ? "every chat fails" : "a chat that gets here fails";
      const guess = nearest(name, template.defined.keys());
      yield {
        at: inFile(call.nameSpan),
        message: `Nothing defines the template "${name}": ${then}.`,
        severity: always ? severityAtChat(file, context) : "warning",
        ...(guess !== undefined && { help: `Did you mean "${guess}"?` }),
      };
    }
  },
});

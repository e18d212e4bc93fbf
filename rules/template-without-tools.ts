import { within } from "../src/facts/release.js";
import { promptOf } from "../src/ollama/file-prompt.js";
import { sampleOf } from "../src/prompt/sample.js";
import { rule } from "../src/rule.js";

/** Since 0.30 the chat template in the model's file counts as well, and goes before a TEMPLATE that can do less. */
const byTemplateAlone = { from: "0.2.6", to: "0.24.0" };

export default rule({
  id: "template-without-tools",
  group: "template",
  severity: "info",
  summary: "TEMPLATE that takes tools away from the model",
  why: `
Until 0.24 Ollama judges by the template what a model can do. Without \`.Tools\` in it, requests with tools are answered
with \`does not support tools\`, whatever the model below was trained for; and its own template, which TEMPLATE
replaces, may well have them.
`,
  says: [{ at: "chat", text: "… does not support tools", to: "0.24.0" }],
  needs: "model",
  examples: [
    {
      bad: 'FROM llama3.1:8b\nTEMPLATE "{{ .System }} {{ .Prompt }}"\n',
      ollama: "0.12.6",
      message: '"llama3.1:8b" can use tools; with this TEMPLATE it cannot.',
    },
  ],

  *check(file, context) {
    const { model, release } = context;
    if (!model?.capabilities?.includes("tools") || model.source === "name") return;
    if (!within(release, byTemplateAlone)) return;
    const sample = sampleOf(file, release);
    if (!sample || sample.found.ollama.capabilities.includes("tools")) return;
    const made = promptOf(file, context);
    // A parser may bring the tools.
    if (made?.value !== "template" || !made.certain || model.parser !== undefined) return;
    yield {
      at: sample.found.node.keyword,
      message: `"${model.name}" can use tools; with this TEMPLATE it cannot.`,
      help: "Leave TEMPLATE out to keep the model's own, or print .Tools, .ToolCalls and the answers of tools.",
    };
  },
});

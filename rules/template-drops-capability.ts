import { within } from "../src/facts/release.js";
import { promptOf } from "../src/ollama/file-prompt.js";
import { sampleOf } from "../src/prompt/sample.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-drops-capability",
  group: "template",
  severity: "info",
  summary: "TEMPLATE that takes thinking or insertion away from the model",
  why: `
Until 0.24 Ollama judges by the template what a model can do. Where no part of it prints \`.Thinking\` with text around it,
requests that ask for thinking are answered with \`does not support thinking\`, and where it lacks \`.Suffix\`, requests
with a suffix with \`does not support insert\`; the model's own template, which TEMPLATE replaces, may well have them.
`,
  says: [
    { at: "chat", text: '"…" does not support thinking', to: "0.24.0" },
    { at: "chat", text: "… does not support insert", to: "0.24.0" },
  ],
  needs: "model",
  examples: [
    {
      bad: 'FROM deepseek-r1:8b\nTEMPLATE "{{ .System }} {{ .Prompt }}"\n',
      ollama: "0.12.6",
      message: '"deepseek-r1:8b" can think; with this TEMPLATE it cannot be asked to.',
    },
    {
      bad: 'FROM qwen2.5-coder:7b\nTEMPLATE "{{ .System }} {{ .Prompt }}"\n',
      ollama: "0.12.6",
      message: '"qwen2.5-coder:7b" can fill in text; with this TEMPLATE it cannot be asked to.',
    },
  ],

  *check(file, context) {
    const { model, release } = context;
    if (!model?.capabilities || model.source === "name" || model.parser !== undefined) return;
    const sample = sampleOf(file, release);
    const made = promptOf(file, context);
    if (!sample || made?.value !== "template" || !made.certain) return;
    const own: readonly string[] = sample.found.ollama.capabilities;
    for (const { capability, from, can, help } of byTemplate) {
      if (!model.capabilities.includes(capability) || own.includes(capability)) continue;
      if (!within(release, { from, to: "0.24.0" })) continue;
      yield {
        at: sample.found.node.keyword,
        message: `"${model.name}" can ${can}; with this TEMPLATE it cannot be asked to.`,
        help,
      };
    }
  },
});

/** server/images.go Capabilities: what the template alone decides, and since when. */
const byTemplate = [
  {
    capability: "thinking",
    from: "0.9.0",
    can: "think",
    help: "Leave TEMPLATE out to keep the model's own, or print .Thinking of each message between its tags.",
  },
  {
    capability: "insert",
    from: "0.2.6",
    can: "fill in text",
    help: "Leave TEMPLATE out to keep the model's own, or print .Suffix where it is given.",
  },
];

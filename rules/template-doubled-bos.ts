import { families } from "../src/facts/families.js";
import { since } from "../src/facts/release.js";
import type { Model } from "../src/models/model.js";
import { usesTemplate } from "../src/ollama/file-prompt.js";
import { familiesOf } from "../src/prompt/family.js";
import { templateOf } from "../src/prompt/file-template.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "template-doubled-bos",
  group: "template",
  severity: "warning",
  summary: "TEMPLATE that begins with a token which the tokenizer puts in front anyway",
  why: `
Most tokenizers begin every prompt with a token of their own, such as \`<s>\` or \`<|begin_of_text|>\`. A template
that writes it too makes two of them, which no model was trained with; llama.cpp warns of it in the log.
Since 0.30.0 Ollama drops the template's (completionPrompt in llm/llama_server.go).
`,
  says: [
    {
      at: "chat",
      text: "Added a BOS token to the prompt as specified by the model but the prompt also starts with a BOS token",
    },
  ],
  needs: "model",
  examples: [
    {
      bad: `FROM llama3.2:3b
TEMPLATE """<|begin_of_text|>{{ range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>

{{ .Content }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>

"""
`,
      good: `FROM llama3.2:3b
TEMPLATE """{{ range .Messages }}<|start_header_id|>{{ .Role }}<|end_header_id|>

{{ .Content }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>

"""
`,
      ollama: "0.24.0",
      message: 'The tokenizer of "llama3.2:3b" puts "<|begin_of_text|>" in front as well.',
    },
  ],

  *check(file, context) {
    const { model, release } = context;
    if (!model) return;
    const found = templateOf(file, release);
    const token = found && beginningsOf(model).find((bos) => found.value.text.startsWith(bos));
    if (!found || token === undefined || since(release, "0.30.0")) return;
    if (!usesTemplate(file, context)) return;
    const at = found.inFile({ start: 0, end: token.length });
    yield {
      at,
      message: `The tokenizer of "${model.name}" puts "${token}" in front as well.`,
      fix: {
        title: `Leave "${token}" to the tokenizer`,
        safety: "unsafe",
        edits: [{ ...at, text: "" }],
      },
    };
  },
});

/** What the tokenizer is known to put in front: a file says so, and the library's models of a family agree. */
function beginningsOf(model: Model): string[] {
  const { tokenizer, source } = model;
  if (source === "catalogue") return familiesOf(model).flatMap(({ bos }) => bos ?? []);
  if (tokenizer?.addsBos !== true) return [];
  const own = tokenizer.bos === undefined ? undefined : tokenizer.bracketed?.get(tokenizer.bos);
  return own === undefined ? families.flatMap(({ bos }) => bos ?? []) : [own];
}

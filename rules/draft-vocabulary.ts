import { since } from "../src/facts/release.js";
import type { Tokenizer } from "../src/models/model.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

/** SPEC_VOCAB_MAX_SIZE_DIFFERENCE in llama.cpp's common/speculative.cpp. */
const mostApart = 128;

export default rule({
  id: "draft-vocabulary",
  group: "references",
  severity: "warning",
  summary: "DRAFT with another vocabulary than the model",
  why: `
A draft guesses the next tokens, and the model checks them. That works where both have the same tokens: llama.cpp asks for
the same kind of vocabulary and nearly the same size (common/speculative.cpp common_speculative_are_compatible), and
without that a draft costs time at best. \`ollama create\` compares nothing. A smaller model of the same family fits.
`,
  needs: "model",
  examples: [
    {
      bad: "FROM ./model.gguf\nDRAFT ./draft.gguf\n",
      files: { "model.gguf": {}, "draft.gguf": { "tokenizer.ggml.model": "llama" } },
      message: `"./draft.gguf" has a vocabulary of the kind "llama", and the model one of the kind "gpt2".`,
    },
  ],

  *check(file, context) {
    const { model, release } = context;
    if (!since(release, "0.30.0") || !model?.exact) return;
    const found = pointedAt(file, context).find(
      ({ keyword, facts }) => keyword === "DRAFT" && facts.kind === "file",
    );
    const { tokenizer } = model;
    const other = model.draft?.tokenizer;
    if (!found || !tokenizer || !other) return;
    const problem = differenceOf(tokenizer, other);
    if (problem !== undefined)
      yield { at: found.value, message: `"${found.text}" has ${problem}.` };
  },
});

function differenceOf(model: Tokenizer, draft: Tokenizer): string | undefined {
  if (model.model !== undefined && draft.model !== undefined && model.model !== draft.model) {
    return `a vocabulary of the kind "${draft.model}", and the model one of the kind "${model.model}"`;
  }
  if (Math.abs(model.tokens - draft.tokens) <= mostApart) return undefined;
  return `a vocabulary of ${draft.tokens} tokens, and the model one of ${model.tokens}`;
}

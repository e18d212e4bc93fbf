import { since } from "../src/facts/release.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "draft-equals-model",
  group: "references",
  severity: "error",
  summary: "DRAFT with the file or folder that FROM names",
  why: `
A draft is a smaller model that guesses ahead of the model itself. \`ollama create\` refuses one that is the same:
\`DRAFT must not reference the same local path as FROM\`.
`,
  says: [{ at: "create", text: "DRAFT must not reference the same local path as FROM: …" }],
  examples: [
    {
      bad: "FROM ./model.gguf\nDRAFT model.gguf\n",
      files: { "model.gguf": {} },
      message: '"model.gguf" is the model itself, which FROM names.',
      fails: "create",
    },
  ],

  *check(file, context) {
    // Earlier releases have no DRAFT, which another rule says.
    if (!since(context.release, "0.30.0")) return;
    const found = pointedAt(file, context);
    for (const { keyword, value, text, facts } of found) {
      if (keyword !== "DRAFT" || facts.kind === "missing") continue;
      const model = found.find(
        (one) =>
          one.keyword === "FROM" &&
          one.facts.kind !== "missing" &&
          one.facts.path === facts.path &&
          // Only what stands before it is compared (parser/parser.go rejectMatchingLocalPath).
          one.value.start < value.start,
      );
      if (!model) continue;
      yield {
        at: value,
        message: `"${text}" is the model itself, which FROM names.`,
        related: [{ at: model.value, message: "This is the model." }],
      };
    }
  },
});

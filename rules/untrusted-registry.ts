import { parseReference } from "../grammar/model-name.js";
import { decidingFrom } from "../grammar/tree.js";
import { fromsOf } from "../src/ollama/from.js";
import { rule } from "../src/rule.js";

/** Ollama's own, its web site's, of which another rule speaks, and Hugging Face's. */
const known = new Set([
  "registry.ollama.ai",
  "ollama.com",
  "www.ollama.com",
  "ollama.ai",
  "hf.co",
  "huggingface.co",
]);

export default rule({
  id: "untrusted-registry",
  group: "safety",
  severity: "warning",
  summary: "Model from a registry that is neither Ollama's nor Hugging Face",
  why: `
FROM may name any host, and \`ollama create\` pulls from it without asking: weights, template and system prompt are what that
host sends today. Where models are to come from known places only, this rule says which one does not.
`,
  optional: true,
  examples: [
    {
      bad: "FROM registry.example.com/acme/tuned:8b\n",
      message: '"registry.example.com" is neither Ollama\'s registry nor Hugging Face.',
    },
  ],

  *check(file, { localFrom, files }) {
    const value = decidingFrom(file)?.value;
    if (!value || (files?.get(value.text)?.kind ?? "missing") !== "missing") return;
    const reference = parseReference(value.text);
    const isName = fromsOf(file, localFrom).some(
      (from) => from.value === value && from.kind === "name",
    );
    if (!reference.ok || !isName || known.has(reference.name.host.toLowerCase())) return;
    yield {
      at: value,
      message: `"${reference.name.host}" is neither Ollama's registry nor Hugging Face.`,
    };
  },
});

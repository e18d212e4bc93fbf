import { parseBareName, parseReference } from "../grammar/model-name.js";
import { decidingFrom } from "../grammar/tree.js";
import { since } from "../src/facts/release.js";
import type { Change } from "../src/finding.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "path-shadows-model",
  group: "references",
  severity: "warning",
  summary: "FROM with a model's name that a file or folder has as well",
  why: `
Since 0.5.5 \`ollama create\` looks for FROM on disk first (parser/parser.go expandPath), so a folder \`llama3\` beside
the Modelfile is imported in place of the model \`llama3\`. A folder without weights ends in \`no Modelfile or
safetensors files found\` (ollama #4538). A path that is meant is clearer as \`./llama3\`.
`,
  says: [{ at: "create", text: "no Modelfile or safetensors files found", from: "0.5.5" }],
  examples: [
    {
      bad: "FROM llama3\n",
      good: "FROM library/llama3\n",
      files: { "llama3/notes.txt": "To do.\n" },
      message: '"llama3" is a folder here, and Ollama takes that and not the model.',
    },
  ],

  *check(file, { release, files }) {
    const value = decidingFrom(file)?.value;
    if (!value || !since(release, "0.5.5")) return;
    const { text } = value;
    const facts = files?.get(text);
    if (!facts || facts.kind === "missing") return;
    // With a file's ending it is meant as one, and with a slash as likely as not.
    const reference = parseReference(text);
    if (!reference.ok || /\.(?:gguf|ggml|bin|pth?|safetensors)$/i.test(text)) return;
    const { host, namespace } = parseBareName(text);
    if (namespace !== "" || host !== "") return;
    const change = (title: string, start: string): Change => ({
      title,
      edits: [{ start: value.content.start, end: value.content.end, text: `${start}${text}` }],
    });
    yield {
      at: value,
      message: `"${text}" is a ${facts.kind} here, and Ollama takes that and not the model.`,
      suggestions: [change("Name the model", "library/"), change(`Name the ${facts.kind}`, "./")],
    };
  },
});

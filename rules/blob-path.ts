import type { Modelfile } from "../grammar/tree.js";
import { parseReference } from "../grammar/model-name.js";
import { fromsOf } from "../src/ollama/from.js";
import { rule } from "../src/rule.js";

const digest = "0123456789abcdef".repeat(4);

export default rule({
  id: "blob-path",
  group: "references",
  severity: "info",
  summary: "FROM with a file of Ollama's own store",
  why: `
\`ollama show --modelfile\` writes the path that the weights have in this machine's store. The file is not there on
another machine, nor here once the model is removed; the comment above FROM has the model's name, which Ollama can pull.
`,
  says: [{ at: "create", text: "invalid model name" }],
  examples: [
    {
      bad: `# FROM llama3.2:latest\n\nFROM /usr/share/ollama/.ollama/models/blobs/sha256-${digest}\n`,
      message: `"sha256-0123456789ab…" is a file of one machine's model store.`,
    },
    {
      bad: `FROM ./blobs/sha256-${digest}\n`,
      message: `"sha256-0123456789ab…" is a file of one machine's model store.`,
    },
  ],

  *check(file) {
    const froms = fromsOf(file);
    const from = froms.find(({ text }) => isBlob(text));
    if (!from) return;
    const name = froms.length === 1 ? nameAbove(file) : undefined;
    const hash = /sha256[-:]([0-9a-f]{12})/i.exec(from.text)![1];
    const { start, end } = from.value.content;
    yield {
      at: from.value,
      message: `"sha256-${hash}…" is a file of one machine's model store.`,
      ...(name !== undefined && {
        suggestions: [{ title: `Use ${name}`, edits: [{ start, end, text: name }] }],
      }),
    };
  },
});

/** server/modelpath.go GetBlobsPath: named after its digest, with `:` before 0.1.31. */
export function isBlob(path: string): boolean {
  return /(?:^|[\\/])blobs[\\/]+sha256[-:][0-9a-f]{64}$/i.test(path);
}

/** The name in `# FROM llama3.2:latest`, which `ollama show` writes; a path there is no better. */
function nameAbove(file: Modelfile): string | undefined {
  const comments = file.nodes.filter(({ kind }) => kind === "comment");
  const names = comments.flatMap(({ start, end }) => {
    const name = /^#\s*FROM\s+(\S+)\s*$/.exec(file.text.slice(start, end))?.[1];
    return name !== undefined && parseReference(name).ok ? [name] : [];
  });
  return names.length === 1 ? names[0] : undefined;
}

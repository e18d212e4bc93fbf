import { since } from "../src/facts/release.js";
import type { Change } from "../src/finding.js";
import { insertLineAfter } from "../src/fix/lines.js";
import { filesOf, fromsOf, type From } from "../src/ollama/from.js";
import { rule } from "../src/rule.js";
import type { Modelfile } from "../grammar/tree.js";

/** More lines than this are not written into a file; a folder can be named instead. */
const mostAdded = 40;

/** One FROM that names a part of a split model (llama.cpp's llama_split_path). */
interface Shard {
  from: From;
  before: string;
  number: number;
  of: string;
}

export default rule({
  id: "split-model",
  group: "references",
  severity: "error",
  summary: "Model in shards of which some are missing, or that the release cannot join",
  why: `
A file like \`model-00001-of-00003.gguf\` is a part. Since 0.30.0 Ollama joins the parts, all of which have to be
named, each in its FROM line, or by the folder that they lie in: \`split GGUF … has 1 shards, expected 3\`.
Earlier releases load one part and fail: \`llama-gguf-split --merge\` joins them.
`,
  says: [{ at: "create", text: "split GGUF … has … shards, expected …", from: "0.30.0" }],
  examples: [
    {
      bad: "FROM ./big-00001-of-00003.gguf\n",
      good: "FROM ./big-00001-of-00003.gguf\nFROM ./big-00002-of-00003.gguf\nFROM ./big-00003-of-00003.gguf\n",
      message: "1 of 3 shards is named, and Ollama cannot load the model without the others.",
      fails: "create",
    },
    {
      bad: "FROM ./big-00001-of-00002.gguf\nFROM ./big-00002-of-00002.gguf\n",
      ollama: "0.24.0",
      message: "Ollama 0.24.0 cannot load a model in 2 shards.",
      fails: "load",
    },
  ],

  *check(file, { release, localFrom }) {
    for (const shards of models(filesOf(fromsOf(file, localFrom), release))) {
      const { from, of } = shards[0]!;
      const total = Number(of);
      const named = new Set(shards.map(({ number }) => number)).size;
      if (!since(release, "0.30.0")) {
        yield {
          at: from.value,
          message: `Ollama ${release.version} cannot load a model in ${total} shards.`,
          help: "Join them with llama-gguf-split --merge; 0.30.0 joins them by itself.",
        };
      } else if (named < total) {
        const suggestion = withTheOthers(file, shards);
        yield {
          at: from.value,
          message: `${named} of ${total} shards ${named === 1 ? "is" : "are"} named, and Ollama cannot load the model without the others.`,
          ...(suggestion && { suggestions: [suggestion] }),
        };
      }
    }
  },
});

/** Shards by the model that they are parts of. */
function models(files: readonly From[]): Shard[][] {
  const found = new Map<string, Shard[]>();
  for (const from of files) {
    const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/is.exec(from.text);
    if (!match) continue;
    const [, before = "", number, of = ""] = match;
    if (Number(of) < 2) continue;
    const key = `${before}\n${of}`;
    found.set(key, [...(found.get(key) ?? []), { from, before, number: Number(number), of }]);
  }
  return [...found.values()];
}

function withTheOthers(file: Modelfile, shards: readonly Shard[]): Change | undefined {
  const last = shards.at(-1)!;
  const named = new Set(shards.map(({ number }) => number));
  const numbers = Array.from({ length: Number(last.of) }, (_, index) => index + 1);
  const missing = numbers.filter((number) => !named.has(number));
  if (missing.length > mostAdded) return undefined;
  const lines = missing.map((number) => {
    const path = `${last.before}-${String(number).padStart(5, "0")}-of-${last.of}.gguf`;
    return insertLineAfter(file, last.from.node, `FROM ${path}`);
  });
  const text = lines.map((line) => line.text).join("");
  return { title: "Name all of them", edits: [{ ...lines[0]!, text }] };
}

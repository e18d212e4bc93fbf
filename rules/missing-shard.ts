import { since } from "../src/facts/release.js";
import { ggufsIn, splitsAmong } from "../src/models/local-files.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "missing-shard",
  group: "references",
  severity: "error",
  summary:
    "Folder with a model in shards of which some are missing, or that the release cannot join",
  why: `
Of a folder Ollama takes every \`*.gguf\`. Since 0.30.0 it joins the parts of a split model, all of which have to be there:
\`split GGUF … has 2 shards, expected 3\`. Earlier releases take each part for a model of its own, and cannot load it.
`,
  says: [{ at: "create", text: "split GGUF … has … shards, expected …", from: "0.30.0" }],
  examples: [
    {
      bad: "FROM ./big\n",
      files: { "big/big-00001-of-00003.gguf": {}, "big/big-00003-of-00003.gguf": {} },
      message: '"./big" holds 2 of the 3 shards of "big": part 2 is missing.',
      fails: "create",
    },
    {
      bad: "FROM ./big\n",
      ollama: "0.24.0",
      files: { "big/big-00001-of-00002.gguf": {}, "big/big-00002-of-00002.gguf": {} },
      message: "Ollama 0.24.0 cannot load a model in 2 shards.",
      fails: "load",
    },
  ],

  *check(file, context) {
    const { release } = context;
    for (const { keyword, value, text, facts } of pointedAt(file, context)) {
      if (keyword === "ADAPTER" || facts.kind !== "folder") continue;
      const names = ggufsIn(facts).map(({ name }) => name);
      for (const { stem, total, numbers } of splitsAmong(names)) {
        if (!since(release, "0.30.0")) {
          // Beside other models chance decides, of which another rule speaks.
          if (names.length > numbers.length) continue;
          yield {
            at: value,
            message: `Ollama ${release.version} cannot load a model in ${total} shards.`,
            help: "Join them with llama-gguf-split --merge; 0.30.0 joins them by itself.",
          };
        } else if (numbers.length < total) {
          yield {
            at: value,
            message: `"${text}" holds ${numbers.length} of the ${total} shards of "${stem}": ${missing(total, numbers)}.`,
            help: "Download all of them.",
          };
        }
      }
    }
  },
});

function missing(total: number, numbers: readonly number[]): string {
  const all = Array.from({ length: total }, (_, index) => index + 1);
  const [first, ...more] = all.filter((number) => !numbers.includes(number));
  return more.length === 0
    ? `part ${first} is missing`
    : `part ${first} and ${more.length} more are missing`;
}

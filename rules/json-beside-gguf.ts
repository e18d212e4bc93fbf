import type { Modelfile } from "../grammar/tree.js";
import { since, type Release } from "../src/facts/release.js";
import type { Change, Report } from "../src/finding.js";
import { insertLineAfter } from "../src/fix/lines.js";
import {
  ggufsIn,
  isBesideModel,
  splitsAmong,
  type WeightsFile,
} from "../src/models/local-files.js";
import { fromsOf, type From } from "../src/ollama/from.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "json-beside-gguf",
  group: "references",
  severity: "error",
  summary: "Folder with a GGUF file and JSON files, which Ollama takes as well",
  why: `
Of a folder \`ollama create\` takes the weights and every \`*.json\` and \`tokenizer.model\` besides (parser/parser.go filesForModel). Beside
safetensors they say what the model is; beside GGUF files each of them is read as one more: \`supplied file was not in GGUF
format\`. Repositories of GGUF files often have a \`config.json\`. The GGUF file itself can be named instead.
`,
  says: [{ at: "create", text: "supplied file was not in GGUF format" }],
  examples: [
    {
      bad: "FROM ./llama\n",
      good: "FROM ./llama/llama-q4_k_m.gguf\n",
      files: { "llama/config.json": "{}", "llama/llama-q4_k_m.gguf": {} },
      message: 'Ollama reads "config.json" in "./llama" as if it were a GGUF file.',
      fails: "create",
    },
    {
      bad: "FROM ./gemma\n",
      good: "FROM ./gemma/gemma.gguf\nFROM ./gemma/mmproj.gguf\n",
      files: {
        "gemma/config.json": "{}",
        "gemma/gemma.gguf": {},
        "gemma/mmproj.gguf": { "general.architecture": "clip" },
      },
      message: 'Ollama reads "config.json" in "./gemma" as if it were a GGUF file.',
      fails: "create",
    },
  ],

  *check(file, context) {
    const { release, localFrom } = context;
    if (!since(release, "0.5.5")) return;
    const froms = fromsOf(file, localFrom);
    for (const { keyword, value, text, facts } of pointedAt(file, context)) {
      if (keyword !== "FROM" || facts.kind !== "folder") continue;
      const ggufs = ggufsIn(facts);
      const json = facts.names
        .toSorted()
        .find((name) => name.endsWith(".json") || name === "tokenizer.model");
      if (ggufs.length === 0 || json === undefined) continue;
      const from = froms.find((one) => one.value === value);
      yield {
        at: value,
        message: `Ollama reads "${json}" in "${text}" as if it were a GGUF file.`,
        ...(from && changes(file, from, ggufs, release)),
      };
    }
  },
});

/** The files in place of their folder: by a fix where they make one model, to choose from otherwise. */
function changes(
  file: Modelfile,
  { node, text, value }: From,
  ggufs: readonly WeightsFile[],
  release: Release,
): Pick<Report, "fix" | "suggestions"> {
  const folder = text.replace(/[\\/]+$/, "");
  if (folder === "" || ggufs.some(({ name }) => /\s/.test(name))) return {};
  const models = ggufs.filter((one) => !isBesideModel(one)).map(({ name }) => name);
  const beside = ggufs.filter(isBesideModel).map(({ name }) => name);
  const written = (name: string): Change => ({
    title: `Write ${folder}/${name}`,
    edits: [{ start: value.content.start, end: value.content.end, text: `${folder}/${name}` }],
  });
  const splits = splitsAmong(models);
  const joined = splits.some(({ total }) => total === models.length) && since(release, "0.30.0");
  const [first, ...more] = [...models, ...beside];
  if (first !== undefined && (models.length === 1 || joined) && splits.length === Number(joined)) {
    if (more.length === 0) return { fix: { ...written(first), safety: "safe" } };
    // Before that only the last FROM counts.
    if (!since(release, "0.5.7")) return {};
    const lines = more.map((name) => insertLineAfter(file, node, `FROM ${folder}/${name}`));
    const added = { ...lines[0]!, text: lines.map((line) => line.text).join("") };
    const edits = [...written(first).edits, added];
    return { fix: { title: "Name the files", edits, safety: "safe" } };
  }
  return splits.length === 0 && models.length > 1 ? { suggestions: models.map(written) } : {};
}

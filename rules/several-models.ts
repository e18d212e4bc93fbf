import { since, type Release } from "../src/facts/release.js";
import type { Change, Report } from "../src/finding.js";
import { removeLine } from "../src/fix/lines.js";
import { ggufsIn, isBesideModel, splitsAmong } from "../src/models/local-files.js";
import type { Modelfile, Value } from "../grammar/tree.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

/** More models than this are not offered one by one. */
const mostOffered = 5;

/** A model among the files that FROM names; the shards of one are one. */
interface Candidate {
  /** Of the file, without folders; of the first shard. */
  name: string;
  split: boolean;
  value: Value;
  /** As FROM would name it. */
  path: string;
}

export default rule({
  id: "several-models",
  group: "references",
  severity: "warning",
  summary: "FROM with several models, of which Ollama loads one",
  why: `
Every GGUF file that FROM names, or that lies in a folder it names, becomes a part of what \`ollama create\` makes,
and nothing is said of it. Of several models the last one is loaded: since 0.30.0 by the name of its file, with shards
behind all others, and in no certain order before. A projector is no model, and shards are one.
`,
  examples: [
    {
      bad: "FROM ./models\n",
      good: "FROM ./models/tuned-q8_0.gguf\n",
      files: { "models/tuned-q4_k_m.gguf": {}, "models/tuned-q8_0.gguf": {} },
      message: '"./models" holds 2 models, and Ollama loads "tuned-q8_0.gguf" alone.',
    },
    {
      bad: "FROM ./models\n",
      good: "FROM ./models/tuned-q4_k_m.gguf\n",
      ollama: "0.24.0",
      files: { "models/tuned-q4_k_m.gguf": {}, "models/tuned-q8_0.gguf": {} },
      message: '"./models" holds 2 models, and which one Ollama 0.24.0 loads is left to chance.',
    },
    {
      bad: "FROM ./base.gguf\nFROM ./tuned.gguf\n",
      good: "FROM ./tuned.gguf\n",
      files: { "base.gguf": {}, "tuned.gguf": {} },
      message: '"./base.gguf" is not loaded: Ollama takes "./tuned.gguf", the last by name.',
    },
  ],

  *check(file, context) {
    const { release } = context;
    // Until then nothing but the last FROM counted, or the order of the lines.
    if (!since(release, "0.5.5")) return;
    const found = candidates(pointedAt(file, context));
    const sorted = found.toSorted(
      (one, other) => Number(one.split) - Number(other.split) || (one.name < other.name ? -1 : 1),
    );
    const loaded = sorted.at(-1);
    if (!loaded || sorted.length < 2) return;
    const values = new Set(sorted.map(({ value }) => value));
    if (values.size === 1) yield inFolder(sorted, loaded, release);
    else yield* inLines(file, sorted, loaded, release);
  },
});

function candidates(found: ReturnType<typeof pointedAt>): Candidate[] {
  const models = new Map<string, Candidate>();
  const add = (name: string, value: Value, path: string) => {
    const [split] = splitsAmong([name]);
    const key = split ? `${split.stem}/${split.total}` : name;
    if (!models.has(key)) models.set(key, { name, split: split !== undefined, value, path });
  };
  for (const { keyword, value, text, facts } of found) {
    if (keyword !== "FROM") continue;
    if (facts.kind === "file" && facts.content === "gguf" && !isBesideModel(facts)) {
      add(text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf("\\")) + 1), value, text);
    }
    if (facts.kind !== "folder") continue;
    // Another rule says that this is refused.
    if (facts.names.some((name) => name.endsWith(".json"))) continue;
    for (const weights of ggufsIn(facts)) {
      if (isBesideModel(weights)) continue;
      add(weights.name, value, `${text.replace(/[\\/]+$/, "")}/${weights.name}`);
    }
  }
  return [...models.values()];
}

/** Several in one folder. */
function inFolder(models: readonly Candidate[], loaded: Candidate, release: Release): Report {
  const { value } = loaded;
  const lastCounts = since(release, "0.30.0");
  const holds = `"${value.text}" holds ${models.length} models`;
  const message = lastCounts
    ? `${holds}, and Ollama loads "${loaded.name}" alone.`
    : `${holds}, and which one Ollama ${release.version} loads is left to chance.`;
  const ordered = lastCounts ? models.toReversed() : models;
  const suggestions = ordered
    .filter(({ split, path }) => !split && !/\s/.test(path))
    .slice(0, mostOffered)
    .map(({ path }): Change => ({
      title: `Write ${path}`,
      edits: [{ start: value.content.start, end: value.content.end, text: path }],
    }));
  return { at: value, message, ...(suggestions.length > 0 && { suggestions }) };
}

/** Several lines with a model each. */
function* inLines(
  file: Modelfile,
  models: readonly Candidate[],
  loaded: Candidate,
  release: Release,
): Iterable<Report> {
  const others = [...new Set(models.map(({ value }) => value))].filter(
    (value) => value !== loaded.value,
  );
  const lastCounts = since(release, "0.30.0");
  for (const value of others) {
    const node = file.statements.find(({ start, end }) => start <= value.start && value.end <= end);
    const change = node && { title: "Remove the line", edits: [removeLine(file, node)] };
    yield {
      at: value,
      message: lastCounts
        ? `"${value.text}" is not loaded: Ollama takes "${loaded.path}", the last by name.`
        : `Ollama ${release.version} loads "${value.text}" or "${loaded.path}", as chance has it.`,
      related: [{ at: loaded.value, message: "The other one." }],
      ...(change && { suggestions: [change] }),
    };
  }
}

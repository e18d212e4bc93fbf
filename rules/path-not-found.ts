import { parseReference } from "../grammar/model-name.js";
import type { Value } from "../grammar/tree.js";
import type { Change, Report } from "../src/finding.js";
import { folderOf, type FileFacts } from "../src/models/local-files.js";
import { nearest } from "../src/nearest.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

type Missing = Extract<FileFacts, { kind: "missing" }>;

export default rule({
  id: "path-not-found",
  group: "references",
  severity: "error",
  summary: "FROM, ADAPTER or DRAFT with a path where nothing lies",
  why: `
Ollama takes a FROM that is not on disk for a model's name: \`invalid model name\`, or, where it could be one, an
attempt to pull it that ends with \`pull model manifest: file does not exist\`. ADAPTER and DRAFT answer \`no such
file or directory\`. Paths start from the Modelfile's folder. A path whose folder is missing too, or holds no
weights at all, may be meant for another machine, and a FROM that could be a name may be one: those are warnings.
`,
  says: [
    { at: "create", text: "invalid model name" },
    { at: "create", text: "stat …: no such file or directory" },
    { at: "pull", text: "pull model manifest: file does not exist" },
  ],
  examples: [
    {
      bad: "FROM ./modle.gguf\n",
      good: "FROM ./model.gguf\n",
      files: { "model.gguf": {} },
      message: '"./modle.gguf" does not exist. Did you mean "./model.gguf"?',
      fails: "create",
    },
    {
      bad: "FROM ./base.gguf\nADAPTER ./style.gguf\n",
      files: { "base.gguf": {} },
      message: '"./style.gguf" does not exist.',
      fails: "create",
    },
    {
      bad: "FROM ./base.gguf\n",
      files: { "README.md": "Put the weights here." },
      severity: "warning",
      message: '"./base.gguf" does not exist.',
    },
    {
      bad: "FROM models/base.gguf\n",
      files: { "model.gguf": {} },
      severity: "warning",
      message: '"models/base.gguf" does not exist, and Ollama takes it for a model\'s name.',
    },
    {
      bad: "FROM /srv/models/base.gguf\n",
      files: { "model.gguf": {} },
      severity: "warning",
      message: '"/srv/models/base.gguf" does not exist, nor does its folder.',
    },
  ],

  *check(file, context) {
    for (const { keyword, kind, value, text, facts } of pointedAt(file, context)) {
      if (facts.kind !== "missing" || kind === "name") continue;
      if (kind === "unclear" && !/\.(?:gguf|bin)$/i.test(text)) continue;
      // Other rules speak of a comment behind the path, and of a single safetensors file.
      if (/[ \t]#|\.safetensors$/i.test(text)) continue;
      yield report(value, facts, keyword === "FROM" && parseReference(text).ok);
    }
  },
});

function report(value: Value, { nearby }: Missing, mayBeName: boolean): Report {
  const { text } = value;
  const meant = nearby && likely(text, nearby);
  if (meant !== undefined) {
    const change: Change = {
      title: `Write ${meant}`,
      edits: [{ start: value.content.start, end: value.content.end, text: meant }],
    };
    const message = `"${text}" does not exist. Did you mean "${meant}"?`;
    return { at: value, message, suggestions: [change] };
  }
  if (mayBeName) {
    return {
      at: value,
      message: `"${text}" does not exist, and Ollama takes it for a model's name.`,
      severity: "warning",
    };
  }
  if (nearby) {
    // Weights are seldom committed: where a folder has none at all, they may lie on the machine that runs them.
    const elsewhere = !nearby.some((name) => /\.(?:gguf|safetensors|bin)$/i.test(name));
    const severity = elsewhere ? { severity: "warning" as const } : {};
    return { at: value, message: `"${text}" does not exist.`, ...severity };
  }
  const message = `"${text}" does not exist, nor does its folder.`;
  return { at: value, message, severity: "warning" };
}

/** The path with the name that was meant, where one in its folder is alike. */
function likely(text: string, names: readonly string[]): string | undefined {
  const slashes = text.replaceAll("\\", "/");
  const last = slashes.slice(slashes.lastIndexOf("/") + 1);
  if (last === "" || last === "." || last === "..") return undefined;
  const ending = /\.\w+$/.exec(last)?.[0].toLowerCase();
  const name = names.includes(last)
    ? last
    : nearest(
        last,
        // A tokenizer or a README is not what was meant by a model.
        names.filter((one) => ending === undefined || one.toLowerCase().endsWith(ending)),
      );
  if (name === undefined || /[\s"]/.test(name)) return undefined;
  const folder = folderOf(text);
  if (!slashes.includes("/")) return name;
  return folder.endsWith("/") ? `${folder}${name}` : `${folder}/${name}`;
}

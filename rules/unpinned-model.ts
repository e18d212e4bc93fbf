import { parseBareName, parseReference } from "../grammar/model-name.js";
import { decidingFrom } from "../grammar/tree.js";
import type { Change } from "../src/finding.js";
import type { Model } from "../src/models/model.js";
import { fromsOf } from "../src/ollama/from.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "unpinned-model",
  group: "references",
  severity: "info",
  summary: "Model without a tag, or with the tag latest",
  why: `
No tag means \`latest\`, and what that is its owner may change from one day to the next: another size, another quantisation,
another template. A tag that says size and quantisation stays what it is.
`,
  optional: true,
  examples: [
    {
      bad: "FROM llama3.2\n",
      good: "FROM llama3.2:3b\n",
      message: '"llama3.2" is whatever "latest" means on the day that it is pulled.',
    },
    {
      bad: "FROM hf.co/acme/tuned-GGUF\n",
      message: '"hf.co/acme/tuned-GGUF" is whatever "latest" means on the day that it is pulled.',
    },
  ],

  *check(file, { localFrom, files, model }) {
    const value = decidingFrom(file)?.value;
    if (!value || (files?.get(value.text)?.kind ?? "missing") !== "missing") return;
    const { text } = value;
    const reference = parseReference(text);
    const isName = fromsOf(file, localFrom).some(
      (from) => from.value === value && from.kind === "name",
    );
    // What runs in the cloud its owner changes whatever the tag.
    if (!reference.ok || !isName || reference.source === "cloud") return;
    if (reference.name.tag.toLowerCase() !== "latest") return;
    const tag = tagOf(model, reference.name.model);
    const written = text.endsWith(`:${parseBareName(text).tag}`)
      ? text.slice(0, text.lastIndexOf(":"))
      : text;
    const change: Change = {
      title: `Write ${written}:${tag}`,
      edits: [{ start: value.content.start, end: value.content.end, text: `${written}:${tag}` }],
    };
    yield {
      at: value,
      message: `"${text}" is whatever "latest" means on the day that it is pulled.`,
      ...(tag !== undefined && reference.source === "unspecified" && { suggestions: [change] }),
    };
  },
});

/** The tag that says what latest is, as the catalogue of Ollama's library has it. */
function tagOf(model: Model | undefined, family: string): string | undefined {
  if (model?.source !== "catalogue") return undefined;
  const name = parseBareName(model.name);
  const same = name.model.toLowerCase() === family.toLowerCase();
  return same && name.tag !== "" && name.tag !== "latest" ? name.tag : undefined;
}

import { since } from "../src/facts/release.js";
import type { Change } from "../src/finding.js";
import { insertLineAfter } from "../src/fix/lines.js";
import { isProjectorStart } from "../src/models/gguf-start.js";
import { splitsAmong, type FileFacts } from "../src/models/local-files.js";
import { filesOf, fromsOf } from "../src/ollama/from.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

type LocalFile = Extract<FileFacts, { kind: "file" }>;

export default rule({
  id: "missing-projector",
  group: "references",
  severity: "info",
  summary: "Projector beside the model that no FROM names",
  why: `
In llama.cpp's form a vision model comes in two files, and the one called mmproj turns images or sound into what the model
understands. Each has a FROM line of its own; without the second the model takes text alone (ollama #5264, #9967).
`,
  needs: "model",
  examples: [
    {
      bad: "FROM ./model.gguf\n",
      good: "FROM ./model.gguf\nFROM ./mmproj-f16.gguf\n",
      files: { "model.gguf": {}, "mmproj-f16.gguf": { "general.architecture": "clip" } },
      message: '"mmproj-f16.gguf" lies beside "./model.gguf", and no FROM names it.',
    },
  ],

  *check(file, context) {
    const { release, model, localFrom } = context;
    // Before, Ollama's own engine ran many such models, and only with the projector in the model's file.
    if (!since(release, "0.30.0") || model?.source !== "gguf") return;
    if (model.projectorBytes !== undefined || model.capabilities?.includes("vision")) return;
    const [from, ...more] = filesOf(fromsOf(file, localFrom), release);
    const found = pointedAt(file, context).find(({ value }) => value === from?.value);
    if (!from || more.length > 0 || found?.facts.kind !== "file") return;
    const projectors = projectorsOf(found.facts, from.text);
    const [first] = projectors;
    if (first === undefined) return;
    const folder = /^(?:.*[\\/])?/.exec(from.text)![0] || "./";
    const suggestions = projectors.map((name): Change => {
      const path = `${folder}${name}`;
      return {
        title: `Add FROM ${path}`,
        edits: [insertLineAfter(file, from.node, `FROM ${path}`)],
      };
    });
    yield {
      at: from.value,
      message: `"${first}" lies beside "${from.text}", and no FROM names it.`,
      help: "The model takes no images or sound without it.",
      suggestions,
    };
  },
});

/** Projectors beside a model that are its own by all that is known. */
function projectorsOf({ says, beside = [] }: LocalFile, text: string): string[] {
  const isProjector = (one: (typeof beside)[number]) => one.says && isProjectorStart(one.says);
  const own = text.slice(Math.max(text.lastIndexOf("/"), text.lastIndexOf("\\")) + 1);
  const [split] = splitsAmong([own]);
  const models = beside.filter(
    (one) => !isProjector(one) && !(split && splitsAmong([one.name])[0]?.stem === split.stem),
  );
  return beside.flatMap((one) => {
    if (!isProjector(one) || /\s/.test(one.name)) return [];
    const [name, other] = [says?.basename, one.says?.basename];
    // A folder may hold many models, and one without vision may lie beside another's projector.
    const belongs =
      name !== undefined && other !== undefined ? name === other : models.length === 0;
    return belongs ? [one.name] : [];
  });
}

import { instructionsNamed } from "../grammar/tree.js";
import { insertLineAfter } from "../src/fix/lines.js";
import { textAt } from "../src/models/header.js";
import { fromsOf } from "../src/ollama/from.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "license-lost",
  group: "safety",
  severity: "info",
  summary: "GGUF file that names a licence, without LICENSE",
  why: `
A GGUF file may say in \`general.license\` what licence its weights have. \`ollama create\` does not look at it: only LICENSE gives the
model a licence that \`ollama show --license\` prints, and that goes along when the model is pushed or built on.
`,
  needs: "model",
  examples: [
    {
      bad: "FROM ./model.gguf\n",
      good: "FROM ./model.gguf\nLICENSE apache-2.0\n",
      files: { "model.gguf": { "general.license": "apache-2.0" } },
      message: '"./model.gguf" has the licence "apache-2.0", and the model made from it has none.',
    },
  ],

  *check(file, { model, localFrom }) {
    if (model?.source !== "gguf" || !model.licence) return;
    if (instructionsNamed(file, "LICENSE").some(({ value }) => value?.text.trim())) return;
    const from = fromsOf(file, localFrom).find(({ text }) => text === model.name);
    if (!from) return;
    // "other" stands for one that has a name of its own.
    const named = model.header && textAt(model.header, "general.license.name");
    const licence = (named ?? model.licence).trim();
    if (!/^[\w.+ -]{1,80}$/.test(licence)) return;
    yield {
      at: from.value,
      message: `"${from.text}" has the licence "${licence}", and the model made from it has none.`,
      suggestions: [
        {
          title: `Add LICENSE ${licence}`,
          edits: [insertLineAfter(file, from.node, `LICENSE ${licence}`)],
        },
      ],
    };
  },
});

import { instructionsNamed } from "../grammar/tree.js";
import { filesOf, fromsOf } from "../src/ollama/from.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "missing-license",
  group: "safety",
  severity: "info",
  summary: "Model made of files, without LICENSE",
  why: `
A model that is built on another by name keeps the other's licence. One that is made of files has none but those that LICENSE
gives it, and whoever pulls it cannot know what it may be used for. It matters to those alone who publish models, so the rule is off
unless it is asked for.
`,
  optional: true,
  examples: [
    {
      bad: "FROM ./model.gguf\n",
      files: { "model.gguf": {} },
      message: 'The model made from "./model.gguf" has no licence: there is no LICENSE.',
    },
  ],

  *check(file, { release, localFrom, model }) {
    // Another rule says which one the file has.
    if (model?.source === "gguf" && model.licence) return;
    if (instructionsNamed(file, "LICENSE").some(({ value }) => value?.text.trim())) return;
    const [from] = filesOf(fromsOf(file, localFrom), release);
    if (!from) return;
    const text = from.text === "" ? "." : from.text;
    yield {
      at: from.value,
      message: `The model made from "${text}" has no licence: there is no LICENSE.`,
    };
  },
});

import { instructionsNamed } from "../grammar/tree.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "path-escapes-folder",
  group: "safety",
  severity: "warning",
  summary: "Path that leads out of the Modelfile's folder",
  why: `
Ollama follows \`../\` wherever it leads. A Modelfile that is passed on with its folder, or built by a server for somebody
else, should not reach beyond it: what lies there is not the same on every machine, and may be nobody's business. In a
repository with a folder for models it is what people want, so the rule is off unless it is asked for.
`,
  optional: true,
  examples: [
    {
      bad: "FROM ../models/tuned.gguf\n",
      message: `"../models/tuned.gguf" leads out of the Modelfile's folder.`,
    },
  ],

  *check(file) {
    for (const keyword of ["FROM", "ADAPTER", "DRAFT"]) {
      for (const { value, flaws } of instructionsNamed(file, keyword)) {
        if (!value || flaws.length > 0 || !leadsOut(value.text)) continue;
        yield { at: value, message: `"${value.text}" leads out of the Modelfile's folder.` };
      }
    }
  },
});

/** By its text alone: where a link leads is not asked. An absolute path has a rule of its own. */
function leadsOut(path: string): boolean {
  let depth = 0;
  for (const part of path.split(/[\\/]+/)) {
    if (part === "..") depth--;
    else if (part !== "." && part !== "") depth++;
    if (depth < 0) return !/^[\\/~]|^[A-Za-z]:[\\/]/.test(path);
  }
  return false;
}

import { isKnownRelease, since } from "../src/facts/release.js";
import type { Report } from "../src/finding.js";
import { modelPlace } from "../src/fix/places.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "model-refused",
  group: "releases",
  severity: "error",
  summary: "Model that newer releases no longer load",
  why: `
The architecture of llama3.2-vision was Ollama's alone. Since 0.7.0 a file with its projector beside it is refused: \`'llama3.2-vision'
is no longer compatible with your version of Ollama and has been replaced by a newer version\`. Since 0.30.0
llama.cpp runs every model and does not know it at all: \`unknown model architecture: 'mllama'\` (ollama #16490).
`,
  says: [
    {
      at: "load",
      text: "'llama3.2-vision' is no longer compatible with your version of Ollama and has been replaced by a newer version",
      from: "0.7.0",
    },
    {
      at: "load",
      text: "unknown model architecture: 'mllama'",
      from: "0.30.0",
    },
  ],
  needs: "model",
  examples: [
    {
      bad: "FROM llama3.2-vision:11b\n",
      message: 'Ollama 0.32.15 cannot load "llama3.2-vision:11b": it does not know mllama.',
      fails: "load",
    },
  ],

  *check(file, { model, release }) {
    const at = modelPlace(file);
    if (!at || model?.shape.architecture !== "mllama" || !since(release, "0.7.0")) return;
    const common: Pick<Report, "at" | "severity"> = {
      at,
      // Nobody knows what a release to come loads.
      ...((model.source === "name" || !isKnownRelease(release)) && { severity: "warning" }),
    };
    const refused = `Ollama ${release.version} cannot load "${model.name}"`;
    if (since(release, "0.30.0")) {
      yield {
        ...common,
        message: `${refused}: it does not know mllama.`,
        help: "0.24.0 is the last release that does. Another vision model, such as gemma3 or qwen2.5vl, runs in both.",
      };
    } else if (model.projectorBytes !== undefined) {
      yield {
        ...common,
        message: `${refused} with its projector in a file of its own.`,
        help: "ollama pull llama3.2-vision brings the file that holds both.",
      };
    }
  },
});

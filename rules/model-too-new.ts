import { ownCodeSince } from "../src/facts/instructions.js";
import { since } from "../src/facts/release.js";
import { modelPlace } from "../src/fix/places.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "model-too-new",
  group: "releases",
  severity: "error",
  summary: "Model that needs a newer release",
  why: `
Ollama's library hands a model to no release that is too old for it: \`pull model manifest: 412: The model you
are attempting to pull requires a newer version of Ollama\`. A file of it that is there already fails at loading
where the release does not know its architecture, and answers badly where it does not know its prompt.
`,
  says: [
    {
      at: "pull",
      text: "pull model manifest: 412: The model you are attempting to pull requires a newer version of Ollama",
    },
    {
      at: "create",
      text: "failed to validate GGUF with llama-quantize without compatibility patches: …",
      from: "0.30.0",
    },
    { at: "load", text: "unknown model architecture: '…'" },
  ],
  needs: "model",
  examples: [
    {
      bad: "FROM gemma4:26b\n",
      ollama: "0.11.4",
      message: '"gemma4:26b" needs Ollama 0.20.0; 0.11.4 cannot load it.',
      fails: "create",
    },
    {
      bad: "FROM devstral-small-2:24b\n",
      ollama: "0.12.6",
      severity: "warning",
      message: '"devstral-small-2:24b" asks for Ollama 0.13.3; this is 0.12.6.',
    },
  ],

  *check(file, { model, release }) {
    const at = modelPlace(file);
    if (!at || model?.minOllama === undefined || since(release, model.minOllama)) return;
    const { minOllama, name, source, shape } = model;
    // Where Ollama's own code for the architecture came with that release, no older one can load it. What a
    // manifest or a server says is the model's REQUIRES, which nothing enforces.
    const certain = source === "catalogue" && ownCodeSince(shape.architecture) === minOllama;
    yield {
      at,
      message: certain
        ? `"${name}" needs Ollama ${minOllama}; ${release.version} cannot load it.`
        : `"${name}" asks for Ollama ${minOllama}; this is ${release.version}.`,
      ...(!certain && { severity: "warning" as const }),
    };
  },
});

import { since } from "../src/facts/release.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

const snapshot = "models--acme--tuned/snapshots/0f1e2d3c";

export default rule({
  id: "folder-of-links",
  group: "references",
  severity: "error",
  summary: "Folder of Hugging Face's cache, whose files are links out of it",
  why: `
In the cache of huggingface_hub a model's folder holds links to files that lie elsewhere. Since 0.7.0 \`ollama create\` takes no link that
leads out of the folder in FROM: \`insecure path: ../../blobs/…\` (parser/parser.go fileDigestMap). A single file may be a link.
`,
  says: [{ at: "create", text: "insecure path: …", from: "0.7.0" }],
  examples: [
    {
      bad: `FROM ./${snapshot}\n`,
      files: {
        [`${snapshot}/config.json`]: '{"architectures":["LlamaForCausalLM"]}',
        [`${snapshot}/model.safetensors`]: "\u0002\0\0\0\0\0\0\0{}",
        "models--acme--tuned/blobs/4d7a": "\u0002\0\0\0\0\0\0\0{}",
      },
      message: `The files in "./${snapshot}" are links out of it, which Ollama refuses.`,
      fails: "create",
    },
  ],

  *check(file, context) {
    if (!since(context.release, "0.7.0")) return;
    for (const { value, text, facts } of pointedAt(file, context)) {
      if (facts.kind !== "folder" || !facts.linksOut || !facts.weights?.length) continue;
      yield {
        at: value,
        message: `The files in "${text}" are links out of it, which Ollama refuses.`,
        help: "Download the model with --local-dir, and name that folder.",
      };
    }
  },
});

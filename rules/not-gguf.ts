import { since } from "../src/facts/release.js";
import { isUsable, type Content } from "../src/models/local-files.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

/** What a file is, and what to do; Git LFS pointers have a rule of their own. */
const said: ReadonlyMap<Content, { what: string; help: string }> = new Map([
  [
    "html",
    {
      what: "is a web page, no GGUF file",
      help: "Download the file itself: on Hugging Face its address has /resolve/ where the page's has /blob/.",
    },
  ],
  [
    "pytorch",
    {
      what: "is a PyTorch file, no GGUF file",
      help: "Convert it with llama.cpp's convert_hf_to_gguf.py, or an adapter with convert_lora_to_gguf.py.",
    },
  ],
  ["zip", { what: "is a ZIP archive, no GGUF file", help: "Unpack it." }],
  [
    "ggml",
    {
      what: "is in a format that llama.cpp has dropped for GGUF",
      help: "Convert the original model again.",
    },
  ],
  ["empty", { what: "is empty", help: "Download it again." }],
  [
    "safetensors",
    {
      what: "holds safetensors, no GGUF",
      help: "Name the folder of the model, with its config.json.",
    },
  ],
  ["other", { what: "is no GGUF file", help: "Download it again, or convert the model to GGUF." }],
]);

export default rule({
  id: "not-gguf",
  group: "references",
  severity: "error",
  summary: "File that is no GGUF file, by its first bytes",
  why: `
\`ollama create\` looks at what a file holds, not at its name: \`invalid file magic\` (ollama #4217, #8728),
\`unsupported content type: unknown\` (#9951). Most often a web page was downloaded in place of the file, or a PyTorch
file was renamed.
`,
  says: [
    { at: "create", text: "invalid file magic" },
    { at: "create", text: "unsupported content type: unknown" },
  ],
  examples: [
    {
      bad: "FROM ./model.gguf\n",
      files: { "model.gguf": "<!DOCTYPE html>\n<html>…</html>\n" },
      message: '"./model.gguf" is a web page, no GGUF file.',
      fails: "create",
    },
    {
      bad: "FROM ./base.gguf\nADAPTER ./style.bin\n",
      files: { "base.gguf": {}, "style.bin": "PK\u0003\u0004…archive/data.pkl…" },
      message: '"./style.bin" is a PyTorch file, no GGUF file.',
      fails: "create",
    },
    {
      bad: "FROM ./model.gguf\n",
      files: { "model.gguf": "" },
      message: '"./model.gguf" is empty.',
      fails: "create",
    },
  ],

  *check(file, context) {
    for (const { value, text, keyword, facts } of pointedAt(file, context)) {
      if (facts.kind !== "file" || isUsable(text, facts.content)) continue;
      const { content } = facts;
      // The server read adapters in llama.cpp's old format, and which of its formats this is, is not told.
      if (content === "ggml" && keyword === "ADAPTER") continue;
      // Until then the command packed folders itself, and the server unpacked whatever came (server/model.go).
      if (content === "zip" && !since(context.release, "0.5.5")) continue;
      const words = said.get(content);
      if (words) yield { at: value, message: `"${text}" ${words.what}.`, help: words.help };
    }
  },
});

import { since } from "../src/facts/release.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "adapter-folder-unreadable",
  group: "references",
  severity: "error",
  summary: "Folder with a safetensors adapter, which the release no longer reads",
  why: `
Since 0.12.11 \`ollama create\` looks in a folder for \`model*.safetensors\` alone (ollama #13010), and an adapter's file is
\`adapter_model.safetensors\` (PEFT) or \`adapters.safetensors\` (MLX): \`no Modelfile or safetensors files found\`.
Releases 0.3.7 to 0.12.10 convert such a folder.
`,
  says: [{ at: "create", text: "no Modelfile or safetensors files found", from: "0.12.11" }],
  examples: [
    {
      bad: "FROM ./base.gguf\nADAPTER ./lora\n",
      files: {
        "base.gguf": {},
        "lora/adapter_config.json": "{}",
        "lora/adapter_model.safetensors": "\u0058\0\0\0\0\0\0\0{}",
      },
      message:
        'Ollama 0.32.15 finds nothing in "./lora": it does not look for "adapter_model.safetensors".',
      fails: "create",
    },
  ],

  *check(file, context) {
    const { release } = context;
    if (!since(release, "0.12.11")) return;
    for (const { keyword, value, text, facts } of pointedAt(file, context)) {
      if (keyword !== "ADAPTER" || facts.kind !== "folder") continue;
      const adapter = facts.names.find((name) =>
        /^adapters?(?:_model)?.*\.safetensors$/.test(name),
      );
      // Whatever else the command would take from the folder (parser/parser.go filesForModel).
      const other = facts.names.some((name) =>
        /^model.*\.safetensors$|\.(?:gguf|bin|pth)$/.test(name),
      );
      if (adapter === undefined || other) continue;
      yield {
        at: value,
        message: `Ollama ${release.version} finds nothing in "${text}": it does not look for "${adapter}".`,
        help: "Convert the adapter with llama.cpp's convert_lora_to_gguf.py and name the GGUF file.",
      };
    }
  },
});

import { instructionsNamed, type Value } from "../grammar/tree.js";
import { since, within, type Release } from "../src/facts/release.js";
import type { Report } from "../src/finding.js";
import { filesOf, fromsOf } from "../src/ollama/from.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "single-safetensors",
  group: "references",
  severity: "error",
  summary: "Safetensors file where Ollama takes a folder",
  why: `
Safetensors hold tensors and nothing else. What they are stands in \`config.json\` or \`adapter_config.json\` beside
them, so Ollama converts a folder, and refuses the file alone: \`unsupported content type: unknown\` (ollama
#9951), \`invalid file magic\` (#4217).
`,
  says: [
    { at: "create", text: "unsupported content type: unknown" },
    { at: "create", text: "invalid file magic" },
  ],
  examples: [
    {
      bad: "FROM ./llama/model.safetensors\n",
      good: "FROM ./llama\n",
      message:
        '"./llama/model.safetensors" is a single file: Ollama converts the folder that it lies in.',
      fails: "create",
    },
    {
      bad: "FROM llama3.2\nADAPTER ./lora/adapter_model.safetensors\n",
      message: '"./lora/adapter_model.safetensors" is a single file, which Ollama cannot convert.',
      fails: "create",
    },
    {
      bad: "FROM llama3.2\nADAPTER ./lora/adapter_model.safetensors\n",
      good: "FROM llama3.2\nADAPTER ./lora\n",
      ollama: "0.5.4",
      message:
        '"./lora/adapter_model.safetensors" is a single file: Ollama converts the folder that it lies in.',
      fails: "create",
    },
  ],

  *check(file, { release, localFrom }) {
    const froms = filesOf(fromsOf(file, localFrom), release).map(({ value }) => value);
    // With the configuration named as well, the files may make a whole.
    if (!froms.some(({ text }) => /\.json$/i.test(text))) {
      for (const value of froms.filter(isSafetensors)) yield report(value, true);
    }
    for (const { value, flaws } of instructionsNamed(file, "ADAPTER")) {
      if (!value || flaws.length > 0 || !isSafetensors(value)) continue;
      yield report(value, readsAdapterFolders(release), adapterHelp(release));
    }
  },
});

function isSafetensors({ text }: Value): boolean {
  return /\.safetensors$/i.test(text);
}

/** Later releases look for model*.safetensors alone (ollama #13010); parser/parser.go filesForModel. */
function readsAdapterFolders(release: Release): boolean {
  return within(release, { from: "0.3.7", to: "0.12.10" });
}

function adapterHelp(release: Release): string | undefined {
  if (readsAdapterFolders(release)) return undefined;
  return since(release, "0.12.11")
    ? "Convert it with llama.cpp's convert_lora_to_gguf.py; of a folder Ollama takes files called model*.safetensors alone."
    : "Convert it with llama.cpp's convert_lora_to_gguf.py.";
}

function report(value: Value, folderWorks: boolean, help?: string): Report {
  const folder =
    value.text.replace(/[\\/]?[^\\/]*$/, "") || (/^[\\/]/.test(value.text) ? "/" : ".");
  return {
    at: value,
    message: `"${value.text}" is a single file${
      folderWorks ? ": Ollama converts the folder that it lies in" : ", which Ollama cannot convert"
    }.`,
    ...(help !== undefined && { help }),
    ...(folderWorks && {
      suggestions: [
        {
          title: "Name the folder",
          edits: [{ start: value.content.start, end: value.content.end, text: folder }],
        },
      ],
    }),
  };
}

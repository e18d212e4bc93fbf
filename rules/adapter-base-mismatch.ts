import { engineOf } from "../src/ollama/engine.js";
import { textAt, type Header } from "../src/models/header.js";
import type { Model } from "../src/models/model.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

/** Architectures of Ollama's library by llama.cpp's name (src/facts/catalogue.json, architectureAliases). */
const aliases: ReadonlyMap<string, string> = new Map([
  ["gptoss", "gpt-oss"],
  ["qwen25vl", "qwen2vl"],
]);

export default rule({
  id: "adapter-base-mismatch",
  group: "references",
  severity: "error",
  summary: "Adapter that was made for another model",
  why: `
\`ollama create\` compares nothing, and llama.cpp refuses the adapter when the model is loaded (src/llama-adapter.cpp): \`model
arch and LoRA arch mismatch\`, or, for a model of another size, \`tensor … has incorrect shape (hint: maybe wrong base
model?)\`. An adapter fits the model that it was trained on alone.
`,
  says: [
    { at: "load", text: "model arch and LoRA arch mismatch" },
    { at: "load", text: "tensor … has incorrect shape (hint: maybe wrong base model?)" },
  ],
  needs: "model",
  examples: [
    {
      bad: "FROM ./base.gguf\nADAPTER ./style.gguf\n",
      files: {
        "base.gguf": {},
        "style.gguf": { "general.architecture": "qwen2", "general.type": "adapter" },
      },
      message: '"./style.gguf" is an adapter for qwen2, and the model is a llama.',
      fails: "load",
    },
    {
      bad: "FROM gemma2:2b\nADAPTER ./style.gguf\n",
      files: { "style.gguf": { "general.architecture": "qwen2", "general.type": "adapter" } },
      severity: "warning",
      message: '"./style.gguf" is an adapter for qwen2, and the model is a gemma2.',
    },
  ],

  *check(file, context) {
    const { model, release } = context;
    const found = pointedAt(file, context).findLast(({ keyword }) => keyword === "ADAPTER");
    const header = model?.adapters?.findLast(({ name }) => name === found?.text)?.header;
    if (!model || !found || !header) return;
    // Of a model whose name alone is known the architecture is a guess; Ollama's engine takes no adapters at all.
    if (model.source === "name" || engineOf(model, release, {}) === "ollama-engine") return;
    const problem = problemOf(header, model, found.text);
    if (problem === undefined) return;
    // Ollama translates files of its own library when it loads them.
    const certain = model.source === "gguf";
    yield {
      at: found.value,
      message: problem,
      ...(!certain && { severity: "warning" as const }),
    };
  },
});

function problemOf(adapter: Header, model: Model, text: string): string | undefined {
  const made = textAt(adapter, "general.architecture");
  const { architecture } = model.shape;
  const own = aliases.get(architecture) ?? architecture;
  if (made !== undefined && made !== own && made !== architecture) {
    return `"${text}" is an adapter for ${made}, and the model is a ${own}.`;
  }
  return model.source === "gguf" && model.header
    ? shapeProblem(adapter, model.header, text)
    : undefined;
}

/** The first tensor of the adapter that fits none of the model (llama_adapter_lora_init_impl). */
function shapeProblem(adapter: Header, base: Header, text: string): string | undefined {
  const dims = new Map(base.tensors.map((tensor) => [tensor.name, tensor.dims]));
  for (const {
    name,
    dims: [input, output],
  } of adapter.tensors) {
    const [, stem, part] = /^(.*)\.lora_([ab])$/.exec(name) ?? [];
    // The embedding's halves are stored the other way round.
    if (stem === undefined || stem === "token_embd.weight") continue;
    const of = dims.get(stem);
    if (!of) return `"${text}" is an adapter for another model: this one has no tensor ${stem}.`;
    const [fits, has, wants] =
      part === "a" ? [input === of[0], input, of[0]] : [output === of[1], output, of[1]];
    if (fits) continue;
    return `"${text}" is an adapter for another model: ${stem} has ${wants} ${part === "a" ? "columns" : "rows"}, and the adapter ${has}.`;
  }
  return undefined;
}

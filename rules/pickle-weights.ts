import { since } from "../src/facts/release.js";
import { picklesIn } from "../src/models/local-files.js";
import { pointedAt } from "../src/ollama/pointed-at.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "pickle-weights",
  group: "safety",
  severity: "error",
  summary: "Folder with PyTorch weights alone, which Ollama does not convert",
  why: `
\`pytorch_model.bin\` and \`consolidated.00.pth\` are pickles: what loads them with PyTorch runs the code that they hold.
\`ollama create\` sends them to the server, which converts safetensors and nothing else since 0.5.5: \`unknown type\` (ollama #10282), or
\`supplied file was not in GGUF format\`. Releases before converted some of them, and never promised to (#7327).
`,
  says: [
    { at: "create", text: "unknown type" },
    { at: "create", text: "supplied file was not in GGUF format" },
  ],
  examples: [
    {
      bad: "FROM ./bert\n",
      files: {
        "bert/config.json": '{"architectures":["BertModel"]}',
        "bert/pytorch_model.bin": "PK\u0003\u0004…archive/data.pkl…",
      },
      message:
        'Ollama does not convert the PyTorch weights in "./bert", such as "pytorch_model.bin".',
      fails: "create",
    },
    {
      bad: "FROM ./llama\n",
      ollama: "0.3.14",
      severity: "warning",
      files: {
        "llama/config.json": '{"architectures":["LlamaForCausalLM"]}',
        "llama/consolidated.00.pth": "PK\u0003\u0004…archive/data.pkl…",
      },
      message: 'Ollama 0.3.14 may not convert the PyTorch weights in "./llama".',
    },
  ],

  *check(file, context) {
    const { release } = context;
    for (const { value, text, facts } of pointedAt(file, context)) {
      if (facts.kind !== "folder") continue;
      const [first] = picklesIn(facts);
      // Where there is anything else, that is taken, or another rule has something to say.
      if (first === undefined || facts.names.some((name) => /\.(?:safetensors|gguf)$/.test(name))) {
        continue;
      }
      const help = "Look for the model's safetensors, or for a GGUF file of it.";
      if (!since(release, "0.5.5")) {
        const message = `Ollama ${release.version} may not convert the PyTorch weights in "${text}".`;
        yield { at: value, message, help, severity: "warning" };
        continue;
      }
      const message = `Ollama does not convert the PyTorch weights in "${text}", such as "${first}".`;
      yield { at: value, message, help };
    }
  },
});

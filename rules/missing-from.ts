import { lineEnding } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "missing-from",
  group: "syntax",
  severity: "error",
  summary: "No FROM line",
  why: `
\`ollama create\` stops with \`no FROM line\`: every model is built on another one or on a file of
weights. FROM may stand anywhere in the file.
`,
  examples: [
    {
      bad: "SYSTEM You are terse.\n",
      good: "FROM llama3.2\nSYSTEM You are terse.\n",
      message: "No FROM line: Ollama cannot tell what to build on.",
    },
    {
      bad: "",
      good: "FROM llama3.2\n",
      message: "The file is empty. A Modelfile needs a FROM line.",
    },
    {
      bad: "# to be written\n",
      good: "FROM llama3.2\n# to be written\n",
      message: "No FROM line: Ollama cannot tell what to build on.",
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind === "instruction" && node.name === "FROM") return;
      // PARAMETER model is FROM by another name, and a misspelt FROM has its own finding.
      if (node.kind === "parameter" && node.parameter === "model") return;
      if (node.kind === "unknown" && /^F[A-Z]{2,4}$/i.test(node.name)) return;
    }
    const first = file.nodes.find(({ kind }) => kind !== "gap");
    const empty = file.nodes.length === 0;
    yield {
      at: first ? { start: first.start, end: first.start } : { start: 0, end: 0 },
      message: empty
        ? "The file is empty. A Modelfile needs a FROM line."
        : "No FROM line: Ollama cannot tell what to build on.",
      help: "Name a model, such as FROM llama3.2, or a file, such as FROM ./model.gguf.",
      suggestions: [
        {
          title: "Build on llama3.2",
          edits: [{ start: 0, end: 0, text: `FROM llama3.2${lineEnding(file)}` }],
        },
      ],
    };
  },
});

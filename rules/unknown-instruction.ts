import { keywords } from "../grammar/tokens.js";
import { type Unknown } from "../grammar/tree.js";
import type { Report } from "../src/finding.js";
import { nearest } from "../src/nearest.js";
import { rule } from "../src/rule.js";
import { isShellLine } from "./shell-line.js";

/** Instructions of early releases and of Dockerfiles, and what takes their place. */
const instead: Readonly<Record<string, string>> = {
  PROMPT: "It went with Ollama 0.1.14. Use TEMPLATE.",
  EMBED: "It went with Ollama 0.1.4. Use the embeddings API.",
  MODEL: "Use FROM.",
  BASE: "Use FROM.",
  ENV: "A Modelfile has no variables; the server's belong into its environment.",
  ARG: "A Modelfile has no variables.",
  RUN: "A Modelfile runs nothing.",
  COPY: "FROM and ADAPTER take files by path.",
  ADD: "FROM and ADAPTER take files by path.",
  CMD: "A Modelfile runs nothing.",
  ENTRYPOINT: "A Modelfile runs nothing.",
  LABEL: "A Modelfile has no labels. Use a comment.",
  MAINTAINER: "A Modelfile has no labels. Use a comment.",
  OPTION: "Use PARAMETER.",
  SET: "Use PARAMETER.",
  STOP: "Use PARAMETER stop.",
  TEMPERATURE: "Use PARAMETER temperature.",
  USER: "Use MESSAGE user.",
  ASSISTANT: "Use MESSAGE assistant.",
};

export default rule({
  id: "unknown-instruction",
  group: "syntax",
  severity: "error",
  summary: "Instruction that Ollama does not know",
  why: `
\`ollama create\` stops with \`command must be one of "from", "license", "template", "system",
"adapter", …\`. Keywords may be written in any case, but not misspelt. The line number that Ollama
gives is too high where lines end in CRLF, which it counts twice.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYTEM You are terse.\n",
      good: "FROM llama3.2\nSYSTEM You are terse.\n",
      message: 'Unknown instruction "SYTEM". Did you mean "SYSTEM"?',
    },
    {
      bad: 'FROM llama3.2\nPROMPT """\n{{ .Prompt }}\n"""\n',
      message: 'Unknown instruction "PROMPT".',
    },
  ],

  *check(file) {
    const guesses = new Map<string, string | undefined>();
    for (const node of file.statements) {
      if (node.kind === "unknown" && !isShellLine(file.text.slice(node.start, node.end))) {
        yield report(node, guesses);
      }
    }
  },
});

const valid = `Valid: ${[...keywords.keys()].join(", ")}.`;

function report(node: Unknown, guesses: Map<string, string | undefined>): Report {
  const known = instead[node.name.toUpperCase()];
  // The same word is often wrong in many lines.
  if (known === undefined && !guesses.has(node.name)) {
    guesses.set(node.name, nearest(node.name, keywords.keys()));
  }
  const guess = guesses.get(node.name);
  return {
    at: node.keyword,
    message: `Unknown instruction "${node.name}".${guess ? ` Did you mean "${guess}"?` : ""}`,
    help: known ?? valid,
    ...(guess && {
      fix: {
        title: `Replace with ${guess}`,
        safety: "safe",
        edits: [{ ...node.keyword, text: guess }],
      },
    }),
  };
}

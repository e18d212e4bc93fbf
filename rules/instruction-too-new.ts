import { acceptsInstruction, instructionFact } from "../src/facts/instructions.js";
import { within } from "../src/facts/release.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "instruction-too-new",
  group: "releases",
  severity: "error",
  summary: "Instruction that the release does not have yet",
  why: `
An older release refuses the whole file: \`command must be one of "from", "license", "template",
"system", "adapter", "parameter", or "message"\`. RENDERER and PARSER came with 0.12.0, REQUIRES with
0.14.0, DRAFT with 0.23.1: up to 0.24.0 for \`ollama create --experimental\` alone, else \`DRAFT requires
--experimental\`.
`,
  says: [{ at: "create", text: "DRAFT requires --experimental", from: "0.23.1", to: "0.24.0" }],
  examples: [
    {
      bad: "FROM llama3.2\nRENDERER qwen3-coder\n",
      ollama: "0.5.4",
      message: "RENDERER needs Ollama 0.12.0; 0.5.4 refuses the file.",
    },
    {
      bad: "FROM llama3.2\nDRAFT ./draft.gguf\n",
      ollama: "0.24.0",
      severity: "warning",
      message: "Up to Ollama 0.24.0 DRAFT needs ollama create --experimental.",
    },
  ],

  *check(file, { release }) {
    for (const node of file.statements) {
      if (node.kind !== "instruction") continue;
      const fact = instructionFact(node.name)!;
      if (fact.flag && within(release, fact.flag)) {
        yield {
          at: node.keyword,
          severity: "warning",
          message: `Up to Ollama ${fact.flag.to} ${fact.name} needs ollama create ${fact.flag.name}.`,
        };
      }
      if (acceptsInstruction(fact, release)) continue;
      yield {
        at: node.keyword,
        message: `${fact.name} needs Ollama ${fact.first}; ${release.version} refuses the file.`,
      };
    }
  },
});

import { contextChange, numberSet } from "../src/fix/places.js";
import { removeLine } from "../src/fix/lines.js";
import { seesImages } from "../src/ollama/context.js";
import { rule } from "../src/rule.js";

/** Tokens that Ollama takes at least (server/sched.go getRunner). */
const least = 4;
/** Tokens of a model that sees images, at least. */
const leastWithImages = 2048;

export default rule({
  id: "context-too-small",
  group: "memory",
  severity: "warning",
  summary: "num_ctx below what Ollama takes",
  why: `
\`num_ctx 0\` and \`num_ctx -1\` mean neither the default nor the model's own context: since 0.1.19 everything below 4
becomes 4, and the model sees four tokens of the prompt. Models that see images get 2048 tokens at least
(\`multimodal models require at least 2048 context\`), and gpt-oss got 8192 in 0.11.0 to 0.15.4.
`,
  says: [
    { at: "load", text: "multimodal models require at least 2048 context" },
    { at: "chat", text: "truncating input prompt" },
  ],
  about: ["num_ctx"],
  examples: [
    {
      bad: "FROM llama3.2\nPARAMETER num_ctx 0\n",
      good: "FROM llama3.2\n",
      message: "num_ctx 0 gives a context of 4 tokens.",
    },
    {
      bad: "FROM llama3.2\nPARAMETER num_ctx -1\n",
      good: "FROM llama3.2\n",
      message: "num_ctx -1 gives a context of 4 tokens.",
    },
    {
      bad: "FROM gemma3:4b\nPARAMETER num_ctx 1024\n",
      good: "FROM gemma3:4b\nPARAMETER num_ctx 2048\n",
      message: "num_ctx 1024 becomes 2048.",
    },
  ],

  *check(file, { model, plan }) {
    const set = numberSet(file, "num_ctx");
    if (!set) return;
    const { number, value, node } = set;
    const images = model !== undefined && seesImages(model);
    const effective = plan?.context.effective ?? Math.max(number, images ? leastWithImages : least);
    if (effective <= number) return;
    if (effective === least) {
      yield {
        at: value,
        message: `num_ctx ${number} gives a context of ${least} tokens.`,
        help: "Without the line Ollama takes its default.",
        suggestions: [{ title: "Remove the line", edits: [removeLine(file, node)] }],
      };
      return;
    }
    const why = images
      ? "A model that sees images gets that at least."
      : plan?.decisions.findLast(({ what }) => what === "context")?.reason;
    yield {
      at: value,
      message: `num_ctx ${number} becomes ${effective}.`,
      ...(why !== undefined && { help: why }),
      // What is in force today.
      fix: { ...contextChange(file, effective), safety: "safe" },
    };
  },
});

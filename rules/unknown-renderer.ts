import { isKnownRelease } from "../src/facts/release.js";
import { missingBuiltIn } from "../src/ollama/built-in.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "unknown-renderer",
  group: "releases",
  severity: "error",
  summary: "RENDERER that the release does not have",
  why: `
A renderer is code in Ollama, and every release has a list of its own. \`ollama create\` stores any name; then
each request is answered \`unknown renderer "qwen3-code"\`. Names are case-sensitive.
`,
  says: [{ at: "chat", text: 'unknown renderer "…"' }],
  examples: [
    {
      bad: "FROM ./model.gguf\nRENDERER qwen3-code\n",
      good: "FROM ./model.gguf\nRENDERER qwen3-coder\n",
      ollama: "0.12.0",
      message: 'Ollama 0.12.0 has no renderer "qwen3-code". Did you mean "qwen3-coder"?',
      fails: "chat",
    },
    {
      bad: "FROM ./model.gguf\nRENDERER qwen3.5\nREQUIRES 0.17.1\n",
      ollama: "0.17.0",
      message: 'The renderer "qwen3.5" needs Ollama 0.17.1; with 0.17.0 no chat works.',
      also: ["requires-above-release"],
      fails: "chat",
    },
  ],

  *check(file, { release }) {
    const missing = missingBuiltIn(file, "RENDERER", release);
    if (!missing) return;
    const { value, standing, names, guess } = missing;
    const { text, content } = value;
    const what =
      standing.is === "unknown"
        ? `Ollama ${release.version} has no renderer "${text}".`
        : standing.is === "gone"
          ? `The renderer "${text}" is gone since Ollama ${standing.release}.`
          : `The renderer "${text}" needs Ollama ${standing.release}; with ${release.version} no chat works.`;
    yield {
      at: value,
      message: guess === undefined ? what : `${what} Did you mean "${guess}"?`,
      help: `Valid: ${names.join(", ")}.`,
      // Nobody knows the list of a release to come.
      ...(!isKnownRelease(release) && { severity: "warning" as const }),
      ...(guess !== undefined && {
        fix: {
          title: `Replace with ${guess}`,
          safety: "safe",
          edits: [{ start: content.start, end: content.end, text: guess }],
        },
      }),
    };
  },
});

import { instructionsNamed } from "../grammar/tree.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "backslash-path",
  group: "references",
  severity: "info",
  summary: "Relative path with backslashes, which only Windows understands",
  why: `
On Linux and macOS a backslash is a letter like any other: the file is not found, and FROM is taken for a model's name,
\`invalid model name\`. Slashes work on Windows as well.
`,
  says: [{ at: "create", text: "invalid model name" }],
  examples: [
    {
      bad: "FROM .\\models\\tuned.gguf\n",
      good: "FROM ./models/tuned.gguf\n",
      message: '".\\models\\tuned.gguf" is a path on Windows alone.',
    },
  ],

  *check(file) {
    for (const keyword of ["FROM", "ADAPTER", "DRAFT"]) {
      for (const { value, flaws } of instructionsNamed(file, keyword)) {
        if (!value || flaws.length > 0) continue;
        const { text, content } = value;
        // A drive's path, a server's and a shell's way to write a blank are no better with slashes.
        if (!text.includes("\\") || /^(?:[A-Za-z]:|\\|[a-z]+:\/\/)|\\\s/.test(text)) continue;
        // Dropped characters stand in the file, and not in the text.
        if (file.text.slice(content.start, content.end) !== text) continue;
        yield {
          at: value,
          message: `"${text}" is a path on Windows alone.`,
          fix: {
            title: "Use slashes",
            safety: "safe",
            edits: [{ start: content.start, end: content.end, text: text.replaceAll("\\", "/") }],
          },
        };
      }
    }
  },
});

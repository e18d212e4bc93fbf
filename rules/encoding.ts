import { rule } from "../src/rule.js";

export default rule({
  id: "encoding",
  group: "syntax",
  severity: "warning",
  summary: "Bytes that are no text",
  why: `
Ollama reads UTF-8, and UTF-16 with a byte-order mark. Every byte that is neither becomes U+FFFD (�) and
stays in the prompt; text saved as Windows-1252 or Latin-1 loses its accented letters this way.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYSTEM Caf\ufffd\n",
      message: "U+FFFD stands where a character was lost: the file was not saved as UTF-8.",
    },
  ],

  *check(file) {
    const start = file.text.indexOf("\ufffd");
    if (start < 0) return;
    yield {
      at: { start, end: start + 1 },
      message: "U+FFFD stands where a character was lost: the file was not saved as UTF-8.",
      help: "Save the file as UTF-8 and write the character again.",
    };
  },
});

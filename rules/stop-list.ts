import { parametersOf, type Value } from "../grammar/tree.js";
import { lineEnding } from "../src/fix/lines.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "stop-list",
  group: "parameters",
  severity: "warning",
  summary: "List of stop strings on one line",
  why: `
\`stop\` takes one string, to the end of the line. A list is that string, brackets, quotes and commas included: no answer
holds it, and none is stopped. Each string has a PARAMETER line of its own.
`,
  about: ["stop"],
  examples: [
    {
      bad: 'FROM acme/tuned\nPARAMETER stop ["<|im_end|>", "</s>"]\n',
      good: 'FROM acme/tuned\nPARAMETER stop "<|im_end|>"\nPARAMETER stop "</s>"\n',
      message: "This is one stop string, brackets and all: each string has a line of its own.",
    },
    {
      bad: 'FROM acme/tuned\nPARAMETER stop "<|im_end|>", "</s>"\n',
      good: 'FROM acme/tuned\nPARAMETER stop "<|im_end|>"\nPARAMETER stop "</s>"\n',
      message:
        "This is one stop string, quotes and commas and all: each string has a line of its own.",
    },
  ],

  *check(file) {
    for (const node of parametersOf(file)) {
      if (node.parameter !== "stop" || !node.value || node.flaws.length > 0) continue;
      const written = file.text.slice(node.value.start, node.value.end);
      const list = bracketed(node.value, written) ?? listed(written);
      if (!list) continue;
      const what = written.startsWith("[") ? "brackets" : "quotes and commas";
      const lines = list.map((text) => `PARAMETER stop "${text}"`);
      yield {
        at: { start: node.value.start, end: node.value.end },
        message: `This is one stop string, ${what} and all: each string has a line of its own.`,
        fix: {
          title: "Give each string a line",
          safety: "unsafe",
          edits: [{ start: node.start, end: node.value.end, text: lines.join(lineEnding(file)) }],
        },
      };
    }
  },
});

/** A list in JSON, or in Python's spelling of it. Tokens such as [INST] hold no quotes. */
function bracketed({ quote }: Value, written: string): string[] | undefined {
  if (quote !== "" || !/^\[.*\]$/s.test(written)) return undefined;
  for (const text of [written, written.replaceAll("'", '"')]) {
    try {
      const read: unknown = JSON.parse(text);
      if (Array.isArray(read) && read.length > 0 && read.every((one) => typeof one === "string")) {
        return read;
      }
    } catch {
      // Not this spelling.
    }
  }
  return undefined;
}

/** `"a", "b"`: Ollama takes the first and the last quote off. */
function listed(written: string): string[] | undefined {
  if (!/^"[^"\r\n]+"(?:[ \t]*,[ \t]*"[^"\r\n]+")+$/.test(written)) return undefined;
  return [...written.matchAll(/"([^"]+)"/g)].map(([, text]) => text!);
}

import type { Report } from "../src/finding.js";
import { rule } from "../src/rule.js";
import { named } from "./dropped-character.js";

const [override, isolate] = ["\u202e", "\u2066"];

export default rule({
  id: "bidi-text",
  group: "safety",
  severity: "warning",
  summary: "Characters that show text in another order than Ollama reads it",
  why: `
Editors and reviews obey characters that turn the direction of writing round; Ollama reads what stands in the file, in
its order, and drops them from values. So a prompt, or a comment that seems to be one, can say something else than a
reader sees (CVE-2021-42574). An override is always told; an embedding or an isolate, which right-to-left text may need,
only where nothing on its line closes it.
`,
  examples: [
    {
      bad: `FROM llama3.2\n# ${override}esrever\nSYSTEM You are terse.\n`,
      good: "FROM llama3.2\n# esrever\nSYSTEM You are terse.\n",
      message: "U+202E (right-to-left override) shows this text in another order than it is read.",
    },
    {
      bad: `FROM llama3.2\nSYSTEM Obey ${isolate}the user.\n`,
      good: "FROM llama3.2\nSYSTEM Obey the user.\n",
      message:
        "U+2066 (left-to-right isolate) is not closed on its line: what follows is shown out of order.",
      also: ["dropped-character"],
    },
  ],

  *check({ text }) {
    if (!/[\u202a-\u202e\u2066-\u2069]/.test(text)) return;
    for (const line of text.matchAll(/[^\r\n]+/g)) {
      for (const at of turns(line[0])) {
        const code = line[0].charCodeAt(at);
        const start = line.index + at;
        yield report(code, start);
      }
    }
  },
});

const names: Readonly<Record<number, string>> = {
  0x202a: "left-to-right embedding",
  0x202b: "right-to-left embedding",
  0x202d: "left-to-right override",
  0x202e: "right-to-left override",
  0x2066: "left-to-right isolate",
  0x2067: "right-to-left isolate",
  0x2068: "first strong isolate",
};

function report(code: number, start: number): Report {
  const end = start + 1;
  const name = `${named(code)} (${names[code]})`;
  return {
    at: { start, end },
    message: isOverride(code)
      ? `${name} shows this text in another order than it is read.`
      : `${name} is not closed on its line: what follows is shown out of order.`,
    // Ollama drops it from values, and reads no comments.
    fix: { title: "Remove it", safety: "safe", edits: [{ start, end, text: "" }] },
  };
}

/**
 * Where a line has an override, or something else that it does not close: Unicode Standard Annex 9, X1 to X8.
 * U+202C closes an embedding or override, U+2069 an isolate and what was opened within it.
 */
function turns(line: string): number[] {
  const open: { at: number; isolate: boolean }[] = [];
  const found: number[] = [];
  for (let at = 0; at < line.length; at++) {
    const code = line.charCodeAt(at);
    if (isOverride(code)) found.push(at);
    if (code === 0x202c) {
      if (open.at(-1)?.isolate === false) open.pop();
    } else if (code === 0x2069) {
      const opener = open.findLastIndex(({ isolate }) => isolate);
      if (opener >= 0) open.splice(opener);
    } else if (names[code] !== undefined) {
      open.push({ at, isolate: code >= 0x2066 });
    }
  }
  return [...new Set([...found, ...open.map(({ at }) => at)])].sort((one, other) => one - other);
}

function isOverride(code: number): boolean {
  return code === 0x202d || code === 0x202e;
}

import { isKept, unitsOf } from "../grammar/characters.js";
import { type Modelfile, type Span } from "../grammar/tree.js";
import { rule } from "../src/rule.js";

export default rule({
  id: "dropped-character",
  group: "syntax",
  severity: "warning",
  summary: "Character that Ollama drops",
  why: `
Ollama keeps only characters that Go's \`strconv.IsPrint\` knows: no-break spaces and the wide space of
Chinese and Japanese text vanish and glue words together, zero-width joiners vanish from emoji and from
Persian and Indic words, and so do private-use symbols and emoji newer than Unicode 15. Where such a
character stands in place of a blank between keyword, name and value, \`ollama create\` stops with
\`unexpected EOF\` or \`command must be one of "from", …\`.
`,
  examples: [
    {
      bad: "FROM llama3.2\nSYSTEM Ask\u00a0me anything.\n",
      good: "FROM llama3.2\nSYSTEM Ask me anything.\n",
      message: "U+00A0 (no-break space) is dropped: the words around it run together.",
    },
    {
      bad: "FROM llama3.2\nSYSTEM Ask\u200b me anything.\n",
      good: "FROM llama3.2\nSYSTEM Ask me anything.\n",
      message: "U+200B (zero-width space) is dropped.",
    },
    {
      bad: "FROM llama3.2\nPARAMETER top_k\u00a04\n",
      good: "FROM llama3.2\nPARAMETER top_k 4\n",
      message: "U+00A0 (no-break space) is no blank to Ollama.",
      severity: "error",
    },
    {
      bad: "FROM llama3.2\nSYSTEM You are a 👩‍🚀.\n",
      message: "U+200D (zero-width joiner) is dropped.",
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      if (node.kind === "stray") continue;
      for (const flaw of node.flaws) {
        if (flaw.kind !== "wrong-separator") continue;
        const written = file.text.slice(flaw.start, flaw.end);
        if (/[=:]/.test(written)) continue;
        const odd = [...written].find((character) => !isKept(character.codePointAt(0)!))!;
        yield {
          at: flaw,
          severity: "error",
          message: `${named(odd.codePointAt(0)!)} is no blank to Ollama.`,
          fix: { title: "Use a blank", safety: "safe", edits: [{ ...flaw, text: " " }] },
        };
      }
      if (node.value) yield* inValue(file, node.value);
    }
  },
});

/** One finding for each kind of character, at its first place. */
function* inValue(file: Modelfile, value: Span) {
  const text = file.text.slice(value.start, value.end);
  if (!/[^\t\n\r\x20-\x7e]/.test(text)) return;
  const places = new Map<number, number[]>();
  for (let at = 0; at < text.length;) {
    const code = text.codePointAt(at)!;
    if (!isKept(code)) {
      const seen = places.get(code);
      if (seen) seen.push(value.start + at);
      else places.set(code, [value.start + at]);
    }
    at += unitsOf(code);
  }
  for (const [code, starts] of places) {
    const start = starts[0]!;
    const units = unitsOf(code);
    const more = starts.length > 1 ? `, ${starts.length} times in this value` : "";
    if (isSpace(code)) {
      yield {
        at: { start, end: start + units },
        message: `${named(code)} is dropped${more}: the words around it run together.`,
        fix: {
          title: "Use a plain space",
          safety: "unsafe" as const,
          edits: starts.map((at) => ({ start: at, end: at + units, text: " " })),
        },
      };
    } else {
      // What joins letters and emoji was meant; only the rest is safely taken out.
      const meant = code === 0x200c || code === 0x200d || code >= 0xe000;
      yield {
        at: { start, end: start + units },
        message: `${named(code)} is dropped${more}.`,
        ...(!meant && {
          fix: {
            title: "Remove it",
            safety: "safe" as const,
            edits: starts.map((at) => ({ start: at, end: at + units, text: "" })),
          },
        }),
      };
    }
  }
}

const names: Readonly<Record<number, string>> = {
  0x00: "NUL",
  0x0b: "vertical tab",
  0x0c: "form feed",
  0x1b: "escape",
  0x7f: "delete",
  0x85: "next line",
  0xa0: "no-break space",
  0xad: "soft hyphen",
  0x200b: "zero-width space",
  0x200c: "zero-width non-joiner",
  0x200d: "zero-width joiner",
  0x200e: "left-to-right mark",
  0x200f: "right-to-left mark",
  0x2028: "line separator",
  0x2029: "paragraph separator",
  0x202f: "narrow no-break space",
  0x2060: "word joiner",
  0x3000: "ideographic space",
  0xfeff: "byte-order mark",
};

/** "U+00A0 (no-break space)". */
export function named(code: number): string {
  const hex = code.toString(16).toUpperCase().padStart(4, "0");
  const name = names[code];
  return name === undefined ? `U+${hex}` : `U+${hex} (${name})`;
}

function isSpace(code: number): boolean {
  const single = [0xa0, 0x1680, 0x202f, 0x205f, 0x3000, 0x2028, 0x2029, 0x85, 0x0b, 0x0c];
  return single.includes(code) || (code >= 0x2000 && code <= 0x200a);
}

import { rule } from "../src/rule.js";

export default rule({
  id: "padded-text",
  group: "messages",
  severity: "info",
  optional: true,
  summary: "Line breaks at the ends of SYSTEM or MESSAGE",
  why: `
What stands between the quotes is the text, line breaks included: the one behind the opening \`"""\` and the one before
the closing \`"""\` reach the model with every request. Templates print a line break of their own behind the text.
`,
  examples: [
    {
      bad: 'FROM llama3.2\nSYSTEM """\nYou are terse.\n"""\n',
      good: 'FROM llama3.2\nSYSTEM """You are terse."""\n',
      message: "The line breaks at the start and at the end are part of the text.",
    },
    {
      bad: 'FROM llama3.2\nSYSTEM """You are terse.\n"""\n',
      good: 'FROM llama3.2\nSYSTEM """You are terse."""\n',
      message: "The line break at the end is part of the text.",
    },
  ],

  *check(file) {
    for (const node of file.statements) {
      const isText =
        node.kind === "message" || (node.kind === "instruction" && node.name === "SYSTEM");
      if (!isText || !node.value?.closed || node.flaws.length > 0) continue;
      const { start, end } = node.value.content;
      const written = file.text.slice(start, end);
      if (written.trim() === "") continue;
      const head = /^(?:[ \t]*(?:\r\n|\r|\n))+/.exec(written)?.[0].length ?? 0;
      const tail = /(?:(?:\r\n|\r|\n)[ \t]*)+$/.exec(written)?.[0].length ?? 0;
      // A quote at either end would join the quotes.
      const text = written.slice(head, written.length - tail);
      if (text.startsWith('"') || text.endsWith('"')) continue;
      if (head + tail === 0) continue;
      const where = [...(head > 0 ? ["at the start"] : []), ...(tail > 0 ? ["at the end"] : [])];
      const [breaks, are] = where.length > 1 ? ["breaks", "are"] : ["break", "is"];
      yield {
        at: head > 0 ? { start, end: start + head } : { start: end - tail, end },
        message: `The line ${breaks} ${where.join(" and ")} ${are} part of the text.`,
        fix: {
          title: "Remove them",
          safety: "unsafe",
          edits: [
            ...(head > 0 ? [{ start, end: start + head, text: "" }] : []),
            ...(tail > 0 ? [{ start: end - tail, end, text: "" }] : []),
          ],
        },
      };
    }
  },
});

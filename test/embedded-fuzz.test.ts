import fc from "fast-check";
import { micromarkFences } from "./cases/embedded/micromark.js";
import { describe, expect, test } from "vitest";
import { islandsIn } from "../src/embedded/find.js";
import { outerEdit, outerSpan } from "../src/embedded/island.js";
import { fencesIn } from "../src/embedded/markdown.js";
import { writtens } from "./cases/embedded/surroundings.js";

const head = "FROM llama3.2\nPARAMETER num_ctx 4096\n";

/** What is special in one surrounding or another. */
const atoms = [
  "PARAMETER top_k 40\n",
  'SYSTEM """',
  '"""',
  '"',
  "'",
  "''",
  "`",
  "```",
  "````",
  "$",
  "$HOME ",
  "${x}",
  "\\",
  "\\n",
  "{{ .System }}",
  "{",
  "}",
  "%",
  "%s",
  "# ",
  "EOF",
  '"@',
  "'@",
  '"#',
  "\t",
  " ",
  "   ",
  "x",
  "ü🙂",
  ":",
  "- ",
  "> ",
  "\n",
  "\n",
  "\n\n",
] as const;

/**
 * No line of it looks like a command, below which a block of a document is no Modelfile alone, and nothing
 * like an expression of GitHub's, which may put in whole lines.
 */
function isPlain(text: string): boolean {
  return !/^[ \t]*[$%](?:\s|$)/m.test(text) && !text.includes("${{");
}

const text = fc.array(fc.constantFrom(...atoms), { maxLength: 24 }).map((parts) => parts.join(""));
const body = text.map((rest) => `${head}${rest}`.replace(/\n*$/, "\n")).filter(isPlain);
const edit = fc.record({
  from: fc.nat(),
  length: fc.oneof(fc.constant(0), fc.nat({ max: 12 })),
  text: fc.array(fc.constantFrom(...atoms), { maxLength: 4 }).map((parts) => parts.join("")),
});

describe.each(writtens)("$name", ({ path, around }) => {
  test("gives back what was written, place by place", async () => {
    let written = 0;
    await fc.assert(
      fc.asyncProperty(body, async (inner) => {
        const outer = around(inner);
        if (outer === undefined) return;
        written++;
        const islands = await islandsIn(path, outer);
        expect(islands.map((one) => one.text)).toEqual([inner]);
        const [island] = islands;
        for (const { inner: at, outer: there, length } of island!.parts) {
          expect(outer.slice(there, there + length)).toBe(inner.slice(at, at + length));
        }
        const { start, end } = outerSpan(island!, { start: 0, end: inner.length });
        expect(start).toBeGreaterThanOrEqual(island!.at.start);
        expect(end).toBeLessThanOrEqual(island!.at.end);
      }),
      { numRuns: 100 },
    );
    expect(written).toBeGreaterThan(25);
  });

  test("makes an edit inside such that it reads so, or not at all", async () => {
    let made = 0;
    await fc.assert(
      fc.asyncProperty(body, edit, async (inner, { from, length, text }) => {
        const outer = around(inner);
        if (outer === undefined) return;
        // The first lines show what it is.
        const start = head.length + (from % (inner.length - head.length + 1));
        const end = Math.min(start + length, inner.length);
        const [island] = await islandsIn(path, outer);
        const expected = inner.slice(0, start) + text + inner.slice(end);
        if (!isPlain(expected)) return;
        const there = outerEdit(island!, { start, end, text });
        if (!there) return;
        made++;
        expect(there.start).toBeGreaterThanOrEqual(island!.at.start);
        expect(there.end).toBeLessThanOrEqual(island!.at.end);
        const after = outer.slice(0, there.start) + there.text + outer.slice(there.end);
        const found = await islandsIn(path, after);
        expect(found.map((one) => one.text)).toEqual([expected]);
      }),
      { numRuns: 200 },
    );
    expect(made).toBeGreaterThan(40);
  });
});

test("fences are where CommonMark's reference finds them", () => {
  const pieces = [
    "> ",
    ">",
    "- ",
    "-",
    "1. ",
    "2) ",
    "10. ",
    "   ",
    "  ",
    " ",
    "\t",
    "    ",
    "```",
    "~~~",
    "````",
    "`",
    "modelfile",
    "FROM x",
    "a",
    "# h",
    "***",
    "---",
    "===",
    "<div>",
    "<!--",
    "-->",
    "<b>",
    "\n",
    "\n",
    "\n",
    "\n\n",
    "\r\n",
  ];
  const page = fc.array(fc.constantFrom(...pieces), { minLength: 3, maxLength: 18 });
  let fences = 0;
  fc.assert(
    fc.property(page, fc.boolean(), (parts, more) => {
      const page = parts.join("") + (more ? "\n```\nFROM y\n```\n" : "");
      const found = fencesIn(page)
        .map(({ passage }) => passage.text.split("\n").map((line) => line.trim()))
        .map((lines) => lines.filter((line) => line !== ""))
        .filter((lines) => lines.length > 0);
      fences += found.length;
      expect(found).toEqual(micromarkFences(page));
    }),
    { numRuns: 1500 },
  );
  expect(fences).toBeGreaterThan(200);
});

test("whatever is broken around it, what is said is true and nothing is thrown", async () => {
  const pieces = [
    "FROM a\n",
    "SYSTEM b\n",
    "PARAMETER top_k $x\n",
    "Modelfile",
    "modelfile = ",
    "modelfile:",
    "cat > Modelfile <<EOF\n",
    "<<-'EOF'\n",
    "EOF\n",
    "echo ",
    "printf ",
    " >> Modelfile\n",

    "```",
    "```modelfile\n",
    "```sh\n",
    "> ",
    "- ",
    "  ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    " | ",
    "|-\n",

    '"',
    "'",
    "`",
    '"""',
    "'''",
    '@"\n',
    '\n"@',
    "@'\n",
    "\n'@",
    'r#"',
    '"#',
    'f"""',
    "\\",
    "$",

    "${",
    "}",
    "$(",
    ")",
    "{{",
    "}}",
    "%",
    "#",
    "/*",
    "*/",
    "//",
    "[",
    "]",
    "{",
    "RUN ",
    "COPY ",
    "\0",
    "\uFEFF",
    "\uD800",
    "\u2028",
    "🙂",
    "<",
    ">",
    "&",
    ";",
    "if\n",
    "<!--",
    "-->",
  ];
  const damage = fc.record({
    from: fc.nat(),
    length: fc.nat({ max: 8 }),
    text: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }).map((parts) => parts.join("")),
  });
  let made = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...writtens),
      body,
      fc.array(damage, { maxLength: 4 }),
      edit,
      async ({ path, around }, inner, damages, { from, length, text }) => {
        const whole = around(inner);
        if (whole === undefined) return;
        let outer: string = whole;
        for (const one of damages) {
          const at: number = one.from % (outer.length + 1);
          outer = outer.slice(0, at) + one.text + outer.slice(at + one.length);
        }
        const islands = await islandsIn(path, outer);
        for (const [index, island] of islands.entries()) {
          for (const { inner: at, outer: there, length: run } of island.parts) {
            expect(outer.slice(there, there + run)).toBe(island.text.slice(at, at + run));
          }
          const start = from % (island.text.length + 1);
          const end = Math.min(start + length, island.text.length);
          const there = outerEdit(island, { start, end, text });
          if (!there) continue;
          made++;
          expect(there.start).toBeGreaterThanOrEqual(island.at.start);
          expect(there.end).toBeLessThanOrEqual(island.at.end);
          const after = outer.slice(0, there.start) + there.text + outer.slice(there.end);
          const found = await islandsIn(path, after);
          // An edit may leave nothing that shows a Modelfile.
          if (found.length < islands.length) continue;
          expect(found[index]!.text).toBe(
            island.text.slice(0, start) + text + island.text.slice(end),
          );
        }
      },
    ),
    { numRuns: 1500 },
  );
  expect(made).toBeGreaterThan(200);
});

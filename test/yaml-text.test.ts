import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { said, yamlText } from "../src/compile/yaml-text.js";

/** Texts that one reader of YAML or another takes for something else. */
const hostile = [
  "yes",
  "NO",
  "on",
  "~",
  "null",
  "",
  " ",
  "1",
  "0x1f",
  "1_000",
  "12:30:00",
  "1e3",
  ".inf",
  "2026-01-01",
  "=",
  "<<",
  "- x",
  "? x",
  "a: b",
  "a:",
  "a #b",
  "#",
  "%TAG",
  "---",
  "...",
  "@x",
  "`x`",
  "!!str x",
  "&a",
  "*a",
  "[a, b]",
  "{a: b}",
  "|",
  ">-",
  "it's",
  'say "x"',
  String.raw`a\nb`,
  "trailing ",
  " leading",
  "two  blanks",
  "\ttab",
  "FROM x\n",
  "FROM x",
  "FROM x\r\nSYSTEM y\r\n",
  "a\n\n\n",
  "\n\na\n",
  "a\n  \nb\n",
  "a\n\t\nb\n",
  "a \nb\t\n",
  " a\nb\n",
  "a\n---\nb\n...\n",
  "a\n# no comment\n: b\n",
  `${"long ".repeat(900)}\nand on\n`,
  "x".repeat(5000),
  "nel\u0085here\n",
  "line\u2028and\u2029paragraph\n",
  "\ufeffmark",
  "zero\0width\u200b\n",
  "bell\u0007 escape\u001b[31m delete\u007f\n",
  "noncharacters \ufffe\uffff\n",
  "emoji 😀 family 👨‍👩‍👧\nß é 漢字\n",
  "$HOME ${HOME} $$ $(HOME) %n\n",
];

const piece = fc.oneof(
  fc.constantFrom(...hostile, "\n", "\r", "\t", " ", ":", "-", "'", '"', "\\", "\u0085", "\u2028"),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const anyText = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));

describe("a text comes back as it was", () => {
  test.each(hostile)("%j", (text) => {
    const written = yamlText({ first: text, list: [text, text], last: said("why", text) });
    const expected = { first: text, list: [text, text], last: text };
    expect(parse(written)).toEqual(expected);
    expect(parse(written, { version: "1.1" })).toEqual(expected);
  });

  test("any", () => {
    fc.assert(
      fc.property(anyText, anyText, (text, other) => {
        const value = { deep: { list: [{ text }, text], other }, text };
        const written = yamlText(value, "head");
        expect(parse(written)).toEqual(value);
        expect(parse(written, { version: "1.1" })).toEqual(value);
      }),
      { numRuns: 60 },
    );
  });
});

const script = `
import json, sys, yaml
loaders = [yaml.SafeLoader] + ([yaml.CSafeLoader] if hasattr(yaml, "CSafeLoader") else [])
texts = json.load(sys.stdin)
json.dump([[yaml.load(text, Loader=loader) for loader in loaders] for text in texts], sys.stdout)
`;
const python = spawnSync("python3", ["-c", "import yaml"]);

// A reader of YAML 1.1; libyaml, which kubectl's and Compose's readers were made after, is the second where it is there.
test.skipIf(python.status !== 0)("PyYAML reads the same", () => {
  const texts = [...hostile, ...fc.sample(anyText, 80)];
  const values = texts.map((text) => ({ text, list: [{ text }, "yes"], last: "no" }));
  const input = JSON.stringify(
    values.map((value) => yamlText({ ...value, text: said(`why ${value.text}`, value.text) })),
  );
  const { stdout, stderr } = spawnSync("python3", ["-c", script], { input, encoding: "utf8" });
  expect(stderr).toBe("");
  const read = JSON.parse(stdout) as unknown[][];
  expect(read).toHaveLength(values.length);
  read.forEach((loaded, at) => {
    for (const one of loaded) expect(one).toEqual(values[at]);
  });
});

test("lines are written as lines, and words without quotes", () => {
  expect(
    yamlText({ text: "FROM x\nSYSTEM y\n", words: ["a", "b:c"], number: 3, gone: undefined }),
  ).toBe('text: |\n  FROM x\n  SYSTEM y\nwords: [a, "b:c"]\nnumber: 3\n');
});

test("comments stand above their keys, and nothing in them ends the line", () => {
  const head = "made\nby\u2028somebody\r";
  expect(yamlText({ a: said("one\u0085key: x", 1), b: { c: said("two", "x") } }, head)).toBe(
    "# made\n# by somebody\n# one key: x\na: 1\nb:\n  # two\n  c: x\n",
  );
});

test("half a character becomes U+FFFD", () => {
  expect(parse(yamlText({ text: "a\ud800b" }))).toEqual({ text: "a\ufffdb" });
});

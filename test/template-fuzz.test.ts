import { readFileSync } from "node:fs";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readTemplate } from "../grammar/template/ollama-template.js";
import { parseTemplate } from "../grammar/template/parser.js";
import { printNode } from "../grammar/template/print.js";
import type { Command, List, Node, Operand, Pipe } from "../grammar/template/tree.js";
import type { Span } from "../grammar/tree.js";
import { runs } from "./runs.js";

/*
 * Templates of the recorded cases, cut and pasted by chance. The seed is another on every run; when a test
 * fails, fast-check prints seed and path, which replay the failure.
 */

const cases = readFileSync(new URL("cases/template.jsonl", import.meta.url), "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => JSON.parse(line) as { input_base64: string })
  .map(({ input_base64 }) => Buffer.from(input_base64, "base64").toString());

const pieces = [
  ..."{{ }} {{- -}} ( ) | , . $ := = : \" ' ` /* */ \\ [ ] { } + - _".split(" "),
  ..."if else end range with define block template break continue nil true and json foo".split(" "),
  ...'$x .A .Messages 1 0x1p4 1+2i 08 "a" `b` \'c\' "\\q"'.split(" "),
  ..." ;\n;\t;\r\n; -}};{{- ;{{ end }};{{ else }};{{ if .A }};{{ range $i, $m := .B }}".split(";"),
  ...'{{ else if .C }};{{ else with .D }};{{ define "x" }};{{ block "y" . }};{{/* c */}}'.split(
    ";",
  ),
  "\0",
  "\u00a0",
  "é",
  "漢",
  "🙂",
  "\ud83d",
  "\udc00",
];

const piece = fc.oneof(fc.constantFrom(...pieces), fc.constant(""));
const edit = fc.tuple(fc.nat(), fc.nat(4), piece);

const mutated = fc
  .tuple(fc.constantFrom(...cases), fc.array(edit, { minLength: 1, maxLength: 5 }))
  .map(([text, edits]) =>
    edits.reduce((result, [at, removed, added]) => {
      const start = at % (result.length + 1);
      return result.slice(0, start) + added + result.slice(start + removed);
    }, text),
  );

const jumbled = fc
  .array(fc.constantFrom(...pieces), { maxLength: 30 })
  .map((parts) => parts.join(""));

const anyTemplate = fc.oneof({ weight: 3, arbitrary: mutated }, { weight: 1, arbitrary: jumbled });

type Any = List | Node | Pipe | Command | Operand;

function childrenOf(node: Any): Any[] {
  switch (node.kind) {
    case "list":
      return [...node.nodes];
    case "if":
    case "range":
    case "with":
      return [node.pipe, node.list, ...(node.elseList ? [node.elseList] : [])];
    case "action":
      return [node.pipe];
    case "template":
      return node.pipe ? [node.pipe] : [];
    case "pipe":
      return [...node.declared, ...node.commands];
    case "command":
      return [...node.operands];
    case "chain":
      return [node.operand];
    default:
      return [];
  }
}

function expectInside(inner: Span, outer: Span): void {
  expect(inner.start).toBeGreaterThanOrEqual(outer.start);
  expect(inner.end).toBeGreaterThanOrEqual(inner.start);
  expect(inner.end).toBeLessThanOrEqual(outer.end);
}

function expectNested(node: Any): void {
  for (const child of childrenOf(node)) {
    expectInside(child, node);
    expectNested(child);
  }
}

test("any text is read to its end, into a tree whose parts lie in each other", () => {
  fc.assert(
    fc.property(anyTemplate, (text) => {
      const { leaves, main, defined, error, flaws } = parseTemplate(text);
      expect(leaves.map(({ start, end }) => text.slice(start, end)).join("")).toBe(text);
      for (const { list } of defined.values()) expectNested(list);
      for (const node of main.nodes) expectNested(node);
      for (const flaw of flaws) expectInside(flaw, { start: 0, end: text.length });
      expect(error === undefined).toBe(flaws.length === 0);
      expect(flaws.map(({ start }) => start)).toEqual(
        flaws.map(({ start }) => start).sort((a, b) => a - b),
      );
      if (error) expect(flaws.some(({ message }) => error.message.startsWith(message))).toBe(true);
    }),
    { numRuns: runs(150) },
  );
});

function textsOf(node: Any): string[] {
  return node.kind === "text" ? [node.text] : childrenOf(node).flatMap(textsOf);
}

test("what is read without an error is printed to a text that reads and prints the same", () => {
  let compared = 0;
  fc.assert(
    fc.property(anyTemplate, (text) => {
      const template = parseTemplate(text);
      if (template.error) return;
      expect(readTemplate(template).vars.length).toBeGreaterThan(0);
      // A brace at the end of a text would join the next action's.
      if (textsOf(template.main).some((part) => part.includes("{"))) return;
      compared++;
      const once = printNode(template.main);
      const again = parseTemplate(once);
      expect(again.error).toBeUndefined();
      expect(printNode(again.main)).toBe(once);
    }),
    { numRuns: runs(150) },
  );
  expect(compared).toBeGreaterThan(20);
});

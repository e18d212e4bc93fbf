import { decode, type TextEdit } from "../../grammar/bytes.js";
import { lineOf } from "../../grammar/places.js";
import {
  isStatement,
  type Modelfile,
  type Node,
  type Span,
  type Statement,
} from "../../grammar/tree.js";
import { ruleNamed } from "../../rules/index.js";
import { directivesIn, type Directive } from "../directives.js";
import type { Change, Finding } from "../finding.js";
import { ruleUrl } from "../facts/pages.js";
import { byStart, compatible, fix } from "../fix/fix.js";
import { insertLineAfter, lineEnding } from "../fix/lines.js";
import { lineAt } from "./place-at.js";
import type { View } from "./view.js";

/** Something that can be done about what was found. */
export interface Action {
  title: string;
  kind: typeof quickFix | typeof fixAllKind;
  /** What it is about: the findings that it answers, where these are few. */
  findings: readonly Finding[];
  /** The answer to take without asking. */
  preferred?: true;
  does:
    | { kind: "edits"; edits: readonly TextEdit[] }
    /** What `fixAll` gives: one fix may open the way for another. */
    | { kind: "fix-all" }
    /** Shows the page of a rule. */
    | { kind: "page"; url: string };
}

export const quickFix = "quickfix";

/** What editors ask for when a file is saved. */
export const fixAllKind = "source.fixAll.modelfile-lint";

/**
 * What can be done about the findings that a span touches, the likeliest first: their own fixes and
 * suggestions, all of a rule's in the file, everything that is safe, silence, and the rule's page. `only` are
 * the kinds that are asked for, each with those below it, an empty one with all; without it everything is.
 */
export function actions(view: View, span: Span, only?: readonly string[]): Action[] {
  const touched = view.findings.filter(({ at }) => at.start <= span.end && span.start <= at.end);
  const rules = [...new Set(touched.map(({ rule }) => rule))];
  const all: Action[] = [];
  if (isWanted(quickFix, only)) {
    all.push(...touched.flatMap(changes), ...rules.flatMap((rule) => fixesOfRule(view, rule)));
  }
  if (isWanted(fixAllKind, only) && view.findings.some(isSafe)) {
    const title = "Fix all safe problems";
    all.push({ title, kind: fixAllKind, findings: [], does: { kind: "fix-all" } });
  }
  if (isWanted(quickFix, only)) {
    const directives = directivesIn(view.file);
    all.push(
      ...touched.flatMap((finding) => silencedHere(view.file, directives, finding)),
      ...rules.flatMap((rule) => silencedInFile(view, directives, touched, rule)),
      ...rules.map((rule) => pageOf(rule, touched)),
    );
  }
  return withoutRepeats(all);
}

function isWanted(kind: string, only: readonly string[] | undefined): boolean {
  if (!only) return true;
  return only.some((one) => one === "" || kind === one || kind.startsWith(`${one}.`));
}

function isSafe({ fix }: Finding): boolean {
  return fix?.safety === "safe";
}

function edited(
  title: string,
  findings: readonly Finding[],
  edits: readonly TextEdit[],
  preferred?: true,
): Action {
  const does = { kind: "edits", edits } as const;
  return { title, kind: quickFix, findings, ...(preferred && { preferred }), does };
}

function changes(finding: Finding): Action[] {
  const { fix, suggestions = [] } = finding;
  const action = ({ title, edits }: Change, preferred?: true) =>
    edited(title, [finding], edits, preferred);
  return [...(fix ? [action(fix, true)] : []), ...suggestions.map((one) => action(one))];
}

/** Every fix of a rule in the file, where there are several; of two that touch each other the first. */
function fixesOfRule({ findings }: View, rule: string): Action[] {
  const fixed = compatible(findings.filter((one) => one.rule === rule && one.fix));
  if (fixed.length < 2) return [];
  const edits = fixed.flatMap(({ fix }) => fix?.edits ?? []).sort(byStart);
  return [edited(`Fix all ${fixed.length} problems of ${rule} in this file`, fixed, edits)];
}

/** Whether comments can silence a rule: nothing silences those that look at directives. */
function canBeSilenced(rule: string): boolean {
  const found = ruleNamed(rule);
  return found !== undefined && found.needs !== "directives";
}

/** A directive for the statement that a finding is in. */
function silencedHere(
  file: Modelfile,
  directives: readonly Directive[],
  finding: Finding,
): Action[] {
  const { rule, at } = finding;
  const index = file.nodes.findLastIndex(({ start }) => start <= at.start);
  const node = file.nodes[index];
  if (!canBeSilenced(rule) || !node || node.kind === "gap" || node.kind === "comment") return [];
  if (swallowsLines(file.nodes.slice(0, index)) || isAboutFile(file, at)) return [];
  if (lineOf(file, at.start) === lineOf(file, node.start)) {
    const title = `Disable ${rule} for this line`;
    return [edited(title, [finding], [nextLineEdit(file, directives, index, rule)])];
  }
  // "next-line" means the first line of a statement, and this one has more.
  if (swallowsLines([node])) return [];
  const title = `Disable ${rule} for this ${"name" in node ? node.name : "text"}`;
  return [
    edited(
      title,
      [finding],
      [
        lineAbove(file, node, `# modelfile-lint-disable ${rule}`),
        insertLineAfter(file, node, `# modelfile-lint-enable ${rule}`),
      ],
    ),
  ];
}

/** What is missing from the whole file is told at its beginning, wherever that is by then. */
function isAboutFile({ nodes }: Modelfile, { start, end }: Span): boolean {
  return start === end && start === (nodes.find(({ kind }) => kind !== "gap")?.start ?? start);
}

/** Whether a comment behind these nodes would become part of a value: the quote of the last one is open. */
function swallowsLines(nodes: readonly Node[]): boolean {
  // Lines of nothing but characters that cannot be seen would go with it.
  const last = nodes.findLast(
    (node): node is Statement => isStatement(node) && node.kind !== "stray",
  );
  return last?.flaws.some(({ kind }) => kind === "unclosed-quote") ?? false;
}

/** In the directive that stands above a node already, or in a line of its own. */
function nextLineEdit(
  file: Modelfile,
  directives: readonly Directive[],
  index: number,
  rule: string,
): TextEdit {
  for (let at = index - 1; at >= 0 && !isStatement(file.nodes[at]!); at--) {
    const { start } = file.nodes[at]!;
    const there = directives.find((one) => one.start === start);
    if (there?.kind === "disable-next-line" && there.rules.length > 0) return withRule(there, rule);
  }
  return lineAbove(file, file.nodes[index]!, `# modelfile-lint-disable-next-line ${rule}`);
}

function withRule({ rules }: Directive, rule: string): TextEdit {
  const { end } = rules.at(-1)!;
  return { start: end, end, text: `, ${rule}` };
}

function lineAbove(file: Modelfile, { start }: Span, added: string): TextEdit {
  const at = lineAt(file.text, start).start;
  return { start: at, end: at, text: added + lineEnding(file) };
}

function silencedInFile(
  { file }: View,
  directives: readonly Directive[],
  touched: readonly Finding[],
  rule: string,
): Action[] {
  if (!canBeSilenced(rule)) return [];
  const there = directives.find(({ kind, rules }) => kind === "disable-file" && rules.length > 0);
  const added = `# modelfile-lint-disable-file ${rule}`;
  const edit = there ? withRule(there, rule) : lineAbove(file, { start: 0, end: 0 }, added);
  const findings = touched.filter((finding) => finding.rule === rule);
  return [edited(`Disable ${rule} in this file`, findings, [edit])];
}

function pageOf(rule: string, touched: readonly Finding[]): Action {
  const findings = touched.filter((finding) => finding.rule === rule);
  return {
    title: `Show the page of ${rule}`,
    kind: quickFix,
    findings,
    does: { kind: "page", url: ruleUrl(rule) },
  };
}

/** Several findings of a line lead to the same comment, and some to the same fix. */
function withoutRepeats(all: readonly Action[]): Action[] {
  const found = new Map<string, Action>();
  for (const action of all) {
    const key = JSON.stringify([action.title, action.does]);
    const same = found.get(key);
    const findings = [...(same?.findings ?? []), ...action.findings];
    found.set(key, same ? { ...same, findings: [...new Set(findings)] } : action);
  }
  return [...found.values()];
}

/**
 * The edits that make every safe fix of a file, those included that others open the way for. `findingsOf`
 * judges what has been changed so far as the view's findings were judged.
 */
export async function fixAll(
  { file }: Pick<View, "file">,
  findingsOf: (text: string) => Promise<Finding[]>,
): Promise<TextEdit[]> {
  const bytes = new TextEncoder().encode(file.text);
  // Decoding takes a byte-order mark away; whatever else it changes keeps its length.
  const before = decode(bytes).text;
  const shift = file.text.length - before.length;
  const { text } = await fix(bytes, findingsOf, false);
  const edit = difference(before, text);
  return edit ? [{ ...edit, start: edit.start + shift, end: edit.end + shift }] : [];
}

/** One edit from the first to the last character that differs; line ends and pairs of surrogates stay whole. */
function difference(before: string, after: string): TextEdit | undefined {
  if (before === after) return undefined;
  const shorter = Math.min(before.length, after.length);
  let start = 0;
  while (start < shorter && before[start] === after[start]) start++;
  if (splits(before, start) || splits(after, start)) start--;
  let same = 0;
  while (same < shorter - start && before.at(-1 - same) === after.at(-1 - same)) same++;
  if (splits(before, before.length - same) || splits(after, after.length - same)) same--;
  const end = before.length - same;
  return { start, end, text: after.slice(start, after.length - same) };
}

/** Whether an offset lies between two units that belong together. */
function splits(text: string, at: number): boolean {
  const pair = text.slice(at - 1, at + 1);
  return pair === "\r\n" || /^[\ud800-\udbff][\udc00-\udfff]$/.test(pair);
}

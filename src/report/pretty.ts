import { createColors } from "picocolors";
import { ruleNamed } from "../../rules/index.js";
import type { Finding, Severity } from "../finding.js";
import { lineIndex, type LineIndex } from "../../grammar/places.js";
import { joined } from "./located.js";
import { summarise, type FileResult } from "./result.js";
import type { Ends } from "./spans.js";
import { oneLine, visible, width } from "./terminal.js";
import { whenHeld } from "./when.js";

/** Characters of a line shown around a finding; longer lines are cut. */
const frameWidth = 100;

type Colors = ReturnType<typeof createColors>;

/**
 * The report for people: for each finding a line to click on, the code, and what, why and what to do.
 * `quiet` leaves out everything but errors and the last line.
 */
export function prettyReport(
  results: readonly FileResult[],
  { color, quiet }: { color: boolean; quiet: boolean },
): string {
  const colors = createColors(color);
  const parts: string[] = [];
  for (const { path, machine, ollama, releases, text, findings } of results) {
    const shown = quiet ? findings.filter(({ severity }) => severity === "error") : findings;
    if (shown.length === 0) continue;
    const lines = lineIndex(text);
    const range = releases ?? { from: ollama, to: ollama };
    const where = machine === null ? "" : colors.dim(` on ${joined(machine)}`);
    for (const finding of shown) {
      parts.push(printed(finding, { path, where, range, lines, colors }));
    }
  }
  const total = summary(results, colors);
  return parts.length > 0 ? `${parts.join("\n")}\n${total}\n` : `${total}\n`;
}

interface Place {
  path: string;
  where: string;
  range: Ends;
  lines: LineIndex;
  colors: Colors;
}

function printed(finding: Finding, { path, where, range, lines, colors }: Place): string {
  const { rule, severity, message, help, at, fix, suggestions, related } = finding;
  const start = lines.at(at.start);
  const paint = painter(severity, colors);
  const note = (label: string, text: string) => {
    const [first, ...rest] = wrapped(text);
    return [
      `${colors.dim(label.padStart(8))}  ${first}`,
      ...rest.map((line) => " ".repeat(10) + line),
    ];
  };
  const out = [
    `${colors.bold(`${oneLine(path)}:${start.line}:${start.column}`)} ${paint(severity)} ${joined(message)} ${colors.dim(rule)}${where}`,
    ...frame(at.start, at.end, lines, paint, colors),
  ];
  const definition = ruleNamed(rule);
  if (definition) out.push(...note("why", firstSentence(definition.why)));
  for (const when of whenHeld(finding, range)) out.push(...note("when", joined(when)));
  if (help !== undefined) out.push(...note("help", joined(help)));
  if (fix) {
    const how = fix.safety === "safe" ? "--fix" : "--fix --unsafe-fixes";
    out.push(...note("fix", `${joined(fix.title)} ${colors.dim(`(${how})`)}`));
  }
  for (const { title } of suggestions ?? []) out.push(...note("or", joined(title)));
  for (const other of related ?? []) {
    out.push(...note("see", `line ${lines.at(other.at.start).line}: ${joined(other.message)}`));
  }
  return `${out.join("\n")}\n`;
}

/** Text in lines that fit beside their label. */
function wrapped(text: string): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1)!;
    if (line === "") lines[lines.length - 1] = word;
    else if (width(line) + 1 + width(word) <= frameWidth)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function frame(
  start: number,
  end: number,
  lines: LineIndex,
  paint: (text: string) => string,
  colors: Colors,
): string[] {
  const from = lines.at(start);
  const to = lines.at(end);
  const text = lines.line(from.line);
  // A long line is cut around the finding; its offsets move with the cut.
  const cut = Math.max(0, Math.min(from.column - 30, text.length - frameWidth));
  const shown = text.slice(cut, cut + frameWidth);
  const last = to.line > from.line ? text.length : to.column - 1;
  const before = visible(shown.slice(0, from.column - 1 - cut));
  const marked = visible(shown.slice(from.column - 1 - cut, Math.max(last - cut, 0)));
  const number = `${from.line}`;
  const gutter = " ".repeat(Math.max(0, 6 - number.length));
  const head = cut > 0 ? "…" : "";
  const tail = cut + frameWidth < text.length ? "…" : "";
  const more = to.line > from.line && to.column > 1 ? colors.dim(` to line ${to.line}`) : "";
  const carets = "^".repeat(Math.max(1, width(marked)));
  return [
    `${gutter}${colors.dim(`${number} │`)} ${head}${visible(shown)}${tail}`,
    `${" ".repeat(6)} ${colors.dim("│")} ${" ".repeat(width(head + before))}${paint(carets)}${more}`,
  ];
}

function painter(severity: Severity, colors: Colors): (text: string) => string {
  const paints = { error: colors.red, warning: colors.yellow, info: colors.cyan };
  return (text) => colors.bold(paints[severity](text));
}

/** The first sentence of a rule's `why`, on one line. A full stop inside code ends nothing. */
export function firstSentence(why: string): string {
  const text = why.trim().replaceAll(/\s+/g, " ");
  const end = /^(?:`[^`]*`|[^`])*?[.:](?= |$)/.exec(text)?.[0] ?? text;
  return end.endsWith(":") ? (/^(?:`[^`]*`|[^`])*?\.(?= |$)/.exec(text)?.[0] ?? text) : end;
}

function summary(results: readonly FileResult[], colors: Colors): string {
  const { files, errors, warnings, infos, fixed } = summarise(results);
  const findings = results.flatMap((result) => result.findings);
  const safe = findings.filter(({ fix }) => fix?.safety === "safe").length;
  const counts = [
    errors > 0 && colors.red(plural(errors, "error")),
    warnings > 0 && colors.yellow(plural(warnings, "warning")),
    infos > 0 && colors.cyan(plural(infos, "info")),
  ].filter((part) => part !== false);
  const what = counts.length > 0 ? counts.join(", ") : colors.green("no findings");
  return [
    `${what} in ${plural(files, "file")}`,
    ...(fixed > 0 ? [`${plural(fixed, "file")} fixed`] : []),
    ...(safe > 0 ? [`${safe} can be fixed with --fix`] : []),
  ].join("; ");
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 || noun === "info" ? "" : "s"}`;
}

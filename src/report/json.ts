import type { Span } from "../../grammar/tree.js";
import type { Finding } from "../finding.js";
import { ruleUrl } from "../facts/pages.js";
import { lineIndex, type LineIndex } from "../../grammar/places.js";
import { summarise, type FileResult, type Problem } from "./result.js";

/** The JSON of `--format json`, version 1; lint-report.schema.json says what it holds. */
export function jsonReport(results: readonly FileResult[], problems: readonly Problem[]): string {
  const files = results.map(({ path, machine, ollama, text, findings, fixed }) => {
    const lines = lineIndex(text);
    return { path, machine, ollama, findings: findings.map((f) => printed(f, lines)), fixed };
  });
  return jsonText({ version: 1, files, problems, summary: summarise(results) });
}

/** JSON that any parser takes. */
export function jsonText(value: unknown): string {
  return `${JSON.stringify(value, wellFormed, 2)}\n`;
}

/** Half of a surrogate pair, which UTF-8 has no room for, becomes U+FFFD. */
function wellFormed(_: string, value: unknown): unknown {
  return typeof value === "string" ? value.replaceAll(/\p{Surrogate}/gu, "\ufffd") : value;
}

function printed(
  { rule, severity, message, help, at, fix, suggestions, related, releases }: Finding,
  lines: LineIndex,
) {
  const places = (span: Span) => ({ start: lines.at(span.start), end: lines.at(span.end) });
  return {
    rule,
    severity,
    message,
    ...(help !== undefined && { help }),
    ...(releases && { releases }),
    ...places(at),
    ...(fix && { fix: { title: fix.title, safety: fix.safety, edits: fix.edits } }),
    ...(suggestions && { suggestions }),
    ...(related && {
      related: related.map((one) => ({ message: one.message, ...places(one.at) })),
    }),
    url: ruleUrl(rule),
  };
}

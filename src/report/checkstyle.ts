import { located, onMachine, ownName } from "./located.js";
import type { FileResult, Problem } from "./result.js";
import { attributes } from "./xml.js";

/** Checkstyle's own format (its config/checkstyle-report-1.0.0.xsd), which many tools read. */
export function checkstyleReport(
  results: readonly FileResult[],
  problems: readonly Problem[],
): string {
  const errors = new Map<string, string[]>(results.map(({ path }) => [path, []]));
  const add = (path: string, line: string) => {
    const lines = errors.get(path) ?? [];
    errors.set(path, lines);
    lines.push(line);
  };
  for (const one of located(results)) {
    add(
      one.path,
      `<error${attributes({
        line: one.from.line,
        column: one.from.column,
        severity: one.severity,
        message: `${one.sentence}${onMachine(one)}`,
        source: `${ownName}.${one.rule}`,
      })}/>`,
    );
  }
  for (const { path, line = 1, column, message } of problems) {
    // Jenkins takes what follows the last dot for the type, and shows none without one.
    const source = `${ownName}.problem`;
    add(
      path || ownName,
      `<error${attributes({ line, column, severity: "error", message, source })}/>`,
    );
  }
  const files = [...errors].map(([path, lines]) =>
    [
      `  <file${attributes({ name: path })}>`,
      ...lines.map((line) => `    ${line}`),
      "  </file>",
    ].join("\n"),
  );
  return `${['<?xml version="1.0" encoding="UTF-8"?>', '<checkstyle version="4.3">', ...files, "</checkstyle>"].join("\n")}\n`;
}

import type { Severity } from "../finding.js";
import { located, onMachine, ownName } from "./located.js";
import type { FileResult, Problem } from "./result.js";

/*
 * Workflow commands that GitHub Actions turns into annotations
 * (docs.github.com, "Workflow commands for GitHub Actions").
 */

const commands: Readonly<Record<Severity, string>> = {
  error: "error",
  warning: "warning",
  info: "notice",
};

export function githubReport(results: readonly FileResult[], problems: readonly Problem[]): string {
  const lines = located(results).map((one) => {
    const { from, to, lastLine } = one;
    return command(
      commands[one.severity],
      {
        file: one.path,
        line: from.line,
        // The runner drops columns where there are several lines (ActionCommandManager.cs, ValidateLinesAndColumns).
        ...(lastLine > from.line
          ? { endLine: lastLine }
          : { col: from.column, ...(to.line === from.line && { endColumn: to.column }) }),
        title: one.rule,
      },
      `${one.sentence}${onMachine(one)}`,
    );
  });
  const failed = problems.map(({ path, line, column, message }) =>
    command(
      "error",
      {
        ...(path !== "" && { file: path }),
        // A column without a line is dropped as well.
        ...(line !== undefined && { line, ...(column !== undefined && { col: column }) }),
        title: ownName,
      },
      message,
    ),
  );
  return [...lines, ...failed].join("");
}

function command(
  name: string,
  properties: Readonly<Record<string, string | number>>,
  message: string,
): string {
  const given = Object.entries(properties).map(
    ([key, value]) => `${key}=${property(String(value))}`,
  );
  return `::${name} ${given.join(",")}::${data(message)}\n`;
}

/** actions/toolkit packages/core/src/command.ts says which characters stand for something. */
function data(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function property(text: string): string {
  return data(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}

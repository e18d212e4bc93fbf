import { counted, located, ownName, type Located } from "./located.js";
import type { FileResult, Problem } from "./result.js";
import { attributes, escaped } from "./xml.js";

/**
 * JUnit's XML, as CI servers read it: a suite for each file and machine. Errors and warnings are failures;
 * a file without any is one case that passes. Cases are named by their rule, not by their place: servers
 * follow a case from run to run by its name, and keep one of those that share it.
 */
export function junitReport(results: readonly FileResult[], problems: readonly Problem[]): string {
  const distinct = counted();
  const suites = results.map((result) => {
    const name = result.machine === null ? result.path : `${result.path} on ${result.machine}`;
    return suite(distinct(name), result.path, located([result]));
  });
  const broken = problems.map(({ path, line, column, message }) => {
    const subject = path || ownName;
    const at = [path, line, column].filter((part) => part !== undefined && part !== "").join(":");
    const text = at === "" ? message : `${at}: ${message}`;
    return [
      `  <testsuite${attributes({ name: distinct(subject), tests: 1, failures: 0, errors: 1 })}>`,
      `    <testcase${attributes({ classname: subject, name: ownName })}>`,
      `      <error${attributes({ type: "problem", message })}>${escaped(text)}</error>`,
      "    </testcase>",
      "  </testsuite>",
    ].join("\n");
  });
  return `${['<?xml version="1.0" encoding="UTF-8"?>', "<testsuites>", ...suites, ...broken, "</testsuites>"].join("\n")}\n`;
}

function suite(name: string, path: string, findings: readonly Located[]): string {
  const failing = findings.filter(({ severity }) => severity !== "info");
  const distinct = counted();
  const cases = findings.map((one) => testcase(path, distinct(one.rule), one));
  if (cases.length === 0) {
    cases.push(`    <testcase${attributes({ classname: path, name: ownName })}/>`);
  }
  const counts = { tests: cases.length, failures: failing.length, errors: 0 };
  return [`  <testsuite${attributes({ name, ...counts })}>`, ...cases, "  </testsuite>"].join("\n");
}

function testcase(path: string, name: string, one: Located): string {
  const { severity, message, sentence, from } = one;
  const text = escaped(`${path}:${from.line}:${from.column}: ${sentence}`);
  const inner =
    severity === "info"
      ? `      <system-out>${text}</system-out>`
      : `      <failure${attributes({ type: severity, message })}>${text}</failure>`;
  return [`    <testcase${attributes({ classname: path, name })}>`, inner, "    </testcase>"].join(
    "\n",
  );
}

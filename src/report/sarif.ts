import { ruleUrl } from "../facts/pages.js";
import { lineIndex, type LineIndex } from "../../grammar/places.js";
import type { Span } from "../../grammar/tree.js";
import type { Change, Severity } from "../finding.js";
import type { Rule } from "../rule.js";
import { jsonText } from "./json.js";
import { fingerprints, located, onMachine, ownName, type Located } from "./located.js";
import { type FileResult, type Problem } from "./result.js";

/*
 * SARIF 2.1.0 (docs.oasis-open.org/sarif/sarif/v2.1.0), as GitHub's code scanning takes it. There is no
 * automationDetails: github/codeql-action fills in the workflow's `category` only where a run has none.
 */

const levels: Readonly<Record<Severity, "error" | "warning" | "note">> = {
  error: "error",
  warning: "warning",
  info: "note",
};

export async function sarifReport(
  results: readonly FileResult[],
  problems: readonly Problem[],
  rules: readonly Rule[],
  version: string,
): Promise<string> {
  const indexes = new Map(results.map(({ path, text }) => [path, lineIndex(text)]));
  const findings = located(results);
  const prints = await fingerprints(findings);
  return jsonText({
    $schema:
      "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: {
            name: ownName,
            fullName: `${ownName} ${version}`,
            version,
            semanticVersion: version,
            informationUri: "https://github.com/modelfile-lint/modelfile-lint",
            rules: rules.map(descriptor),
          },
        },
        columnKind: "utf16CodeUnits",
        newlineSequences: ["\r\n", "\n", "\r"],
        results: findings.map((one, index) => ({
          ...result(one, rules, indexes.get(one.path)!),
          partialFingerprints: { "modelfileLint/v1": prints[index] },
        })),
        invocations: [
          {
            executionSuccessful: problems.length === 0,
            toolExecutionNotifications: problems.map(notification),
          },
        ],
      },
    ],
  });
}

function descriptor({ id, summary, why, severity, group, optional }: Rule) {
  return {
    id,
    // For people; one that is the id but for its case is none (SARIF1001 of Microsoft's validator).
    name: `modelfile-${id}`.replaceAll(/(?:^|-)(\w)/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: `${summary}.` },
    fullDescription: { text: why.trim() },
    help: { text: why.trim(), markdown: why.trim() },
    helpUri: ruleUrl(id),
    defaultConfiguration: { level: levels[severity], ...(optional && { enabled: false }) },
    properties: { tags: [group] },
  };
}

function result(one: Located, rules: readonly Rule[], lines: LineIndex) {
  const { path, fix, suggestions = [], related = [] } = one;
  const changes = [...(fix ? [fix] : []), ...suggestions].filter(({ edits }) => edits.length > 0);
  const ruleIndex = rules.findIndex(({ id }) => id === one.rule);
  return {
    ruleId: one.rule,
    ...(ruleIndex >= 0 && { ruleIndex }),
    level: levels[one.severity],
    message: { text: plain(`${one.sentence}${onMachine(one)}`) },
    locations: [{ physicalLocation: place(path, one.at, lines) }],
    ...(related.length > 0 && {
      relatedLocations: related.map(({ at, message }) => ({
        physicalLocation: place(path, at, lines),
        message: { text: plain(message) },
      })),
    }),
    ...(changes.length > 0 && { fixes: changes.map((change) => fixOf(path, change, lines)) }),
  };
}

/**
 * A text that holds no link: "[a](b)" would be one (§3.11.6), and what a Modelfile says must not become one.
 * Braces stand as they are: §3.11.5 would have them doubled, but VS Code's viewer shows a text without
 * arguments as it is written (sarif-vscode-extension src/shared/index.ts), and Go templates are full of them.
 */
function plain(text: string): string {
  return text.replaceAll("](", "\\](");
}

function place(path: string, span: Span, lines: LineIndex) {
  return { artifactLocation: { uri: uriOf(path) }, region: region(span, lines) };
}

function region({ start, end }: Span, lines: LineIndex) {
  const [from, to] = [lines.at(start), lines.at(end)];
  return {
    startLine: from.line,
    startColumn: from.column,
    endLine: to.line,
    endColumn: to.column,
  };
}

function fixOf(path: string, { title, edits }: Change, lines: LineIndex) {
  return {
    description: { text: plain(title) },
    artifactChanges: [
      {
        artifactLocation: { uri: uriOf(path) },
        replacements: edits.map((edit) => ({
          deletedRegion: region(edit, lines),
          ...(edit.text !== "" && { insertedContent: { text: edit.text } }),
        })),
      },
    ],
  };
}

function notification({ path, line, column, message }: Problem) {
  const region = { startLine: line, ...(column !== undefined && { startColumn: column }) };
  const physicalLocation = {
    artifactLocation: { uri: uriOf(path) },
    ...(line !== undefined && { region }),
  };
  return {
    level: "error",
    message: { text: plain(message) },
    ...(path !== "" && { locations: [{ physicalLocation }] }),
  };
}

/**
 * A path as a URI reference: relative to the working folder, or `file:` for a full one. Backslashes are
 * separators: on Windows, where paths come with them, they are nothing else.
 */
function uriOf(path: string): string {
  const parts = path.replaceAll("\\", "/").split("/").map(segment);
  const encoded = parts.join("/");
  if (path.startsWith("\\\\")) return `file:${encoded}`;
  if (encoded.startsWith("/")) return `file://${encoded}`;
  if (/^[A-Za-z]:[\\/]/.test(path)) return `file:///${encoded.replace("%3A", ":")}`;
  return encoded.replace(/^(?:\.\/+)+(?=.)/, "");
}

function segment(text: string): string {
  return encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, "\ufffd"));
}

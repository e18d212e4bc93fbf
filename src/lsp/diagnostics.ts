import {
  DiagnosticSeverity,
  DiagnosticTag,
  type Diagnostic,
  type DiagnosticRelatedInformation,
} from "vscode-languageserver";
import { decidingFrom } from "../../grammar/tree.js";
import type { View } from "../editor/view.js";
import type { Finding, Severity } from "../finding.js";
import type { InputError } from "../host.js";
import { ruleUrl } from "../facts/pages.js";
import { oneLine } from "../report/terminal.js";
import type { Client } from "./client.js";
import type { Snapshot } from "./documents.js";
import type { Places } from "./positions.js";

const severities: Readonly<Record<Severity, DiagnosticSeverity>> = {
  error: DiagnosticSeverity.Error,
  warning: DiagnosticSeverity.Warning,
  info: DiagnosticSeverity.Information,
};

/** Rules about what Ollama does nothing with, which editors fade out. */
const unnecessary = new Set([
  "cloud-model-parameters",
  "default-value",
  "draft-parameter-alone",
  "duplicate-instruction",
  "duplicate-parameter",
  "mmap-without-effect",
  "repeat-window-off",
  "sampling-off",
  "second-from-ignored",
  "template-ignored",
  "too-many-stops",
  "unused-directive",
]);

/** Rules about what Ollama has given up, which editors strike through. */
const deprecated = new Set(["deprecated-parameter", "instruction-removed", "removed-parameter"]);

export function diagnosticOf(
  finding: Finding,
  uri: string,
  places: Places,
  client: Client,
): Diagnostic {
  const { rule, severity, at, message, help, related = [] } = finding;
  const tags = tagsOf(rule).filter((tag) => client.tags.includes(tag));
  const information = related.map((other): DiagnosticRelatedInformation => ({
    location: { uri, range: places.range(other.at) },
    message: oneLine(other.message),
  }));
  return {
    range: places.range(at),
    severity: severities[severity],
    code: rule,
    source: "modelfile-lint",
    message: [message, help]
      .filter((text) => text !== undefined)
      .map(oneLine)
      .join(" "),
    ...(client.codeDescription && { codeDescription: { href: ruleUrl(rule) } }),
    ...(tags.length > 0 && { tags }),
    ...(client.relatedInformation && information.length > 0 && { relatedInformation: information }),
  };
}

function tagsOf(rule: string): DiagnosticTag[] {
  if (unnecessary.has(rule)) return [DiagnosticTag.Unnecessary];
  return deprecated.has(rule) ? [DiagnosticTag.Deprecated] : [];
}

/** A model that cannot be read, where the file names one. */
export function brokenDiagnostic(broken: InputError, { file }: View, places: Places): Diagnostic {
  const from = decidingFrom(file);
  return {
    range: places.range(from?.value ?? from ?? { start: 0, end: 0 }),
    severity: DiagnosticSeverity.Warning,
    code: "unreadable-model",
    source: "modelfile-lint",
    message: oneLine(broken.message),
  };
}

/** A configuration that cannot be used, in the file that says so. */
export function problemDiagnostic({ message, place }: InputError, { text }: Snapshot): Diagnostic {
  const line = Math.max(0, (place?.line ?? 1) - 1);
  const start = { line, character: Math.max(0, (place?.column ?? 1) - 1) };
  const end = text.positionAt(text.offsetAt({ line: line + 1, character: 0 }) - 1);
  return {
    range: { start, end: end.line === line ? end : start },
    severity: DiagnosticSeverity.Error,
    code: "configuration",
    source: "modelfile-lint",
    message: oneLine(message),
  };
}

import { DocumentDiagnosticReportKind, MessageType, type Diagnostic } from "vscode-languageserver";
import type { InputError } from "../host.js";
import type { Result } from "./analysis.js";
import { brokenDiagnostic, diagnosticOf, problemDiagnostic } from "./diagnostics.js";
import type { Document } from "./documents.js";
import type { Reports, Session } from "./session.js";
import { ask, log, notify, show } from "./telling.js";
import { isSame, uriOf } from "./uri.js";

/** Milliseconds that requests to ask again are gathered for. */
const gathered = 50;

/** Tells the client what was found: by notification, or in answer to its requests, never both. */
export function reporter(sessionNow: () => Session): Reports {
  /** What was said last of a document, as JSON, and how often it has changed. */
  const said = new WeakMap<Document, { json: string; count: number; contexts: string }>();
  const problems = new Map<string, InputError>();
  const told = new Set<string>();
  let again: ReturnType<typeof setTimeout> | undefined;
  /** Diagnostics are among what is to be asked for again: of one document, whatever another one needs. */
  let findingsAgain = false;

  const keep = (document: Document, items: readonly Diagnostic[], contexts = "") => {
    const before = said.get(document);
    const json = JSON.stringify(items);
    const changed = before?.json !== json;
    const now = { json, count: (before?.count ?? 0) + (changed ? 1 : 0), contexts };
    said.set(document, now);
    return { ...now, changed, differs: before !== undefined && before.contexts !== contexts };
  };

  /** Of a Modelfile its findings, of a configuration what is wrong with it. */
  const diagnosticsOf = (document: Document, result: Result | undefined): Diagnostic[] => {
    const { client } = sessionNow();
    if (document.kind === "configuration") {
      const own = [...problems.values()].filter(({ place }) => isIn(document, place?.path));
      return own.map((problem) => problemDiagnostic(problem, document.snapshot));
    }
    if (!result?.view) return [];
    const { view, broken, snapshot } = result;
    return [
      ...view.findings.map((one) => diagnosticOf(one, document.uri, snapshot.places, client)),
      ...broken.map((one) => brokenDiagnostic(one, view, snapshot.places)),
    ];
  };

  const send = (document: Document, items: Diagnostic[]): void => {
    const { connection } = sessionNow();
    const { uri, snapshot } = document;
    const diagnostics = { uri, version: snapshot.text.version, diagnostics: items };
    notify(connection, "textDocument/publishDiagnostics", diagnostics);
  };

  const askAgain = (diagnostics: boolean): void => {
    clearTimeout(again);
    findingsAgain ||= diagnostics;
    again = setTimeout(() => {
      const { client, connection } = sessionNow();
      const { refresh, pulls } = client;
      const requests = [
        ...(pulls && findingsAgain && refresh.diagnostics ? ["workspace/diagnostic/refresh"] : []),
        ...(refresh.inlayHints ? ["workspace/inlayHint/refresh"] : []),
        ...(refresh.lenses ? ["workspace/codeLens/refresh"] : []),
      ];
      findingsAgain = false;
      for (const method of requests) void ask(connection, method);
    }, gathered);
  };

  const showConfigurations = (): void => {
    const { client, documents } = sessionNow();
    for (const document of documents.values()) {
      if (document.kind !== "configuration" || client.pulls) continue;
      const items = diagnosticsOf(document, undefined);
      if (keep(document, items).changed && (items.length > 0 || said.has(document))) {
        send(document, items);
      }
    }
  };

  return {
    publish(document, result, late) {
      const { client } = sessionNow();
      const items = diagnosticsOf(document, result);
      const { changed, differs } = keep(document, items, contextsOf(result));
      if (!client.pulls && (!late || changed)) send(document, items);
      if (late && (differs || (client.pulls && changed))) askAgain(changed);
    },
    async report(document, before) {
      const { analysis, client } = sessionNow();
      const most = client.refresh.diagnostics ? 0 : patience.report;
      const ours = document.kind === "modelfile";
      let result = ours ? await analysis.now(document) : undefined;
      if (result && !result.complete && (most > 0 || result.promising)) {
        result = await analysis.within(document, Math.max(most, patience.hold));
      }
      const items = diagnosticsOf(document, result);
      const { count } = keep(document, items, result && contextsOf(result));
      const resultId = String(count);
      if (before === resultId) return { kind: DocumentDiagnosticReportKind.Unchanged, resultId };
      return { kind: DocumentDiagnosticReportKind.Full, resultId, items };
    },
    problem(problem) {
      const { connection, documents } = sessionNow();
      const { message, place } = problem;
      const where = [place?.path, place?.line, place?.column].filter((part) => part !== undefined);
      const text = where.length > 0 ? `${where.join(":")}: ${message}` : message;
      problems.set(text, problem);
      const open = [...documents.values()].some(
        (one) => one.kind === "configuration" && isIn(one, place?.path),
      );
      if (open) showConfigurations();
      else if (!told.has(text)) {
        show(connection, MessageType.Warning, `modelfile-lint: ${text}`);
      }
      if (!open) told.add(text);
      log(connection, MessageType.Warning, text);
    },
    forgetProblems() {
      problems.clear();
      showConfigurations();
    },
    opened(document) {
      if (document.kind === "configuration") showConfigurations();
    },
    closed(document) {
      const { client } = sessionNow();
      if (!client.pulls && document.kind !== "stranger") send(document, []);
    },
  };
}

/** Milliseconds: for what has to be looked up, before a client that cannot ask again is answered. */
const patience = { report: 1000, hold: 250 };

function isIn({ path }: Document, other: string | undefined): boolean {
  return path !== undefined && other !== undefined && isSame(uriOf(path), uriOf(other));
}

/** Tells whether figures beside the text may read otherwise. */
function contextsOf({ view }: Result): string {
  const contexts = view?.contexts.map(({ model, plan }) => [
    model && [model.name, model.fileBytes, model.source],
    plan && [plan.verdict, plan.decidedBy, plan.context, plan.layers],
  ]);
  return JSON.stringify(contexts) ?? "";
}

import { MessageType } from "vscode-languageserver";
import { TextDocument } from "vscode-languageserver-textdocument";
import { documentOf, snapshotOf, type Document } from "./documents.js";
import { change, isChange } from "./positions.js";
import { guarded, invalidParams } from "./requests.js";
import type { Session } from "./session.js";
import { isRecord, section } from "./settings.js";
import { log, logError } from "./telling.js";
import { nameIn } from "./uri.js";

/** Follows what the client opens, changes, saves and closes, and what it says has changed elsewhere. */
export function registerSync(session: Session): void {
  const { connection } = session;
  const heard =
    <P>(name: string, handler: (params: P) => void) =>
    (params: P): void => {
      if (session.phase !== "running") return;
      try {
        handler(params);
      } catch (error) {
        logError(connection, name, error);
      }
    };
  connection.onDidOpenTextDocument(
    heard("textDocument/didOpen", ({ textDocument }) => open(session, textDocument)),
  );
  connection.onDidChangeTextDocument(
    heard("textDocument/didChange", ({ textDocument, contentChanges }) => {
      const document = session.documents.get(textDocument.uri);
      if (document) edit(session, document, contentChanges, textDocument.version);
    }),
  );
  connection.onDidCloseTextDocument(
    heard("textDocument/didClose", ({ textDocument: { uri } }) => close(session, uri)),
  );
  connection.onDidSaveTextDocument(
    heard("textDocument/didSave", ({ textDocument: { uri } }) => {
      const saved = session.documents.get(uri);
      // Others hear of it from the client.
      if (saved?.kind === "configuration" && !session.client.watchesFiles) session.reconfigure();
    }),
  );
  connection.onDidChangeWatchedFiles(
    heard("workspace/didChangeWatchedFiles", ({ changes }) => {
      if (changes.some((one) => !isModel(one))) session.reconfigure();
      else session.analysis.expire();
    }),
  );
  connection.onDidChangeConfiguration(
    heard("workspace/didChangeConfiguration", ({ settings }: { settings: unknown }) => {
      if (isRecord(settings) && isRecord(settings[section])) {
        session.options = { ...session.options, settings: settings[section] };
      }
      session.reconfigure();
    }),
  );
  registerPull(session);
}

/** Answers a client that asks for diagnostics. */
function registerPull(session: Session): void {
  session.connection.languages.diagnostics.on((params, token) =>
    guarded(session, "textDocument/diagnostic", async () => {
      if (!isRecord(params.textDocument)) throw invalidParams("textDocument is missing.");
      const document = session.documents.get(params.textDocument.uri);
      if (!document) return { kind: "full" as const, items: [] };
      return session.reports.report(document, params.previousResultId);
    })(params, token),
  );
}

interface Opened {
  uri: string;
  languageId: string;
  version: number;
  text: string;
}

function open(session: Session, { uri, languageId, version, text }: Opened): void {
  if ([uri, languageId, text].some((one) => typeof one !== "string")) {
    throw new TypeError("A document has an address, a language and a text.");
  }
  const before = session.documents.get(uri);
  if (before) session.analysis.forget(before);
  const content = TextDocument.create(uri, languageId, version, text);
  const snapshot = snapshotOf(content, session.client.encoding);
  const document = documentOf(uri, languageId, snapshot, session.addresses);
  session.documents.set(uri, document);
  session.reports.opened(document);
  if (document.kind === "modelfile") session.analysis.touch(document);
}

function edit(
  session: Session,
  document: Document,
  changes: readonly unknown[],
  version: number,
): void {
  const { encoding } = session.client;
  const { text: before } = document.snapshot;
  // Answers that are still being made speak of the text as it was: it is left alone.
  const copy = TextDocument.create(before.uri, before.languageId, before.version, before.getText());
  const known = changes.filter(isChange);
  document.snapshot = snapshotOf(change(copy, known, version, encoding), encoding);
  if (known.length < changes.length) {
    const lost = changes.length - known.length;
    const message = `${document.uri}: ${lost} changes could not be understood.`;
    log(session.connection, MessageType.Error, message);
  }
  if (document.kind === "modelfile") session.analysis.touch(document);
}

function isModel({ uri }: { uri: string }): boolean {
  return /\.(?:gguf|safetensors)$/i.test(nameIn(uri));
}

function close(session: Session, uri: string): void {
  const document = session.documents.get(uri);
  if (!document) return;
  session.documents.delete(uri);
  session.analysis.forget(document);
  session.reports.closed(document);
}

import type { InitializeParams } from "vscode-languageserver";
import { negotiated, type Encoding } from "./positions.js";

/** What the client can do, and how it wants to be answered. */
export interface Client {
  encoding: Encoding;
  /** It asks for diagnostics; without, they are sent. */
  pulls: boolean;
  relatedInformation: boolean;
  codeDescription: boolean;
  /** Values of DiagnosticTag that it shows. */
  tags: readonly number[];
  versionedEdits: boolean;
  snippets: boolean;
  /** What hovers and completions are written in. */
  hover: "markdown" | "plaintext";
  completion: "markdown" | "plaintext";
  insertReplace: boolean;
  symbolTree: boolean;
  linesOnly: boolean;
  /** Definitions with the span that was asked about. */
  definitionLinks: boolean;
  linkTooltips: boolean;
  /** Edits of an action may be asked for later. */
  lazyEdits: boolean;
  /** It can be told to ask again. */
  refresh: { diagnostics: boolean; inlayHints: boolean; lenses: boolean };
  /** Settings can be asked for, and changes of files and settings subscribed to. */
  configuration: boolean;
  watchesFiles: boolean;
  watchesSettings: boolean;
  folders: boolean;
  applyEdit: boolean;
  showsDocuments: boolean;
}

export function clientOf({ capabilities }: InitializeParams): Client {
  const { workspace = {}, textDocument = {}, general = {} } = capabilities;
  const published = textDocument.publishDiagnostics ?? {};
  const pulled = textDocument.diagnostic;
  const told = { ...published, ...pulled };
  const item = textDocument.completion?.completionItem ?? {};
  const action = textDocument.codeAction ?? {};
  return {
    encoding: negotiated(general.positionEncodings),
    pulls: pulled !== undefined,
    relatedInformation: told.relatedInformation ?? false,
    codeDescription: told.codeDescriptionSupport ?? false,
    tags: told.tagSupport?.valueSet ?? [],
    versionedEdits: workspace.workspaceEdit?.documentChanges ?? false,
    snippets: item.snippetSupport ?? false,
    hover: format(textDocument.hover?.contentFormat),
    completion: format(item.documentationFormat),
    insertReplace: item.insertReplaceSupport ?? false,
    symbolTree: textDocument.documentSymbol?.hierarchicalDocumentSymbolSupport ?? false,
    linesOnly: textDocument.foldingRange?.lineFoldingOnly ?? false,
    definitionLinks: textDocument.definition?.linkSupport ?? false,
    linkTooltips: textDocument.documentLink?.tooltipSupport ?? false,
    lazyEdits:
      (action.dataSupport ?? false) &&
      (action.resolveSupport?.properties.includes("edit") ?? false),
    refresh: {
      diagnostics: workspace.diagnostics?.refreshSupport ?? false,
      inlayHints: workspace.inlayHint?.refreshSupport ?? false,
      lenses: workspace.codeLens?.refreshSupport ?? false,
    },
    configuration: workspace.configuration ?? false,
    watchesFiles: workspace.didChangeWatchedFiles?.dynamicRegistration ?? false,
    watchesSettings: workspace.didChangeConfiguration?.dynamicRegistration ?? false,
    folders: workspace.workspaceFolders ?? false,
    applyEdit: workspace.applyEdit ?? false,
    showsDocuments: capabilities.window?.showDocument?.support ?? false,
  };
}

/** The first format that the client names; a client that names none shows plain text. */
function format(offered: readonly string[] = []): "markdown" | "plaintext" {
  return offered[0] === "markdown" ? "markdown" : "plaintext";
}

import {
  CodeActionKind,
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  ErrorCodes,
  MessageType,
  ResponseError,
  TextDocumentSyncKind,
  type Connection,
  type InitializeParams,
  type InitializeResult,
  type ServerCapabilities,
} from "vscode-languageserver";
import "../compat.js";
import { fixAllKind } from "../editor/actions.js";
import type { Host } from "../host.js";
import type { Machine } from "../machines/machine.js";
import { analysis } from "./analysis.js";
import { commands, registerChanges } from "./changes.js";
import { clientOf, type Client } from "./client.js";
import { legend, registerColours } from "./colours.js";
import { registerCompletion, triggers } from "./completion.js";
import { configurations } from "./configuration.js";
import { reporter } from "./reports.js";
import type { Document } from "./documents.js";
import { tooSoonOrLate } from "./requests.js";
import { folderOf, type Options, type Session } from "./session.js";
import { isRecord, readSettings, section, type Settings } from "./settings.js";
import { registerShown } from "./show.js";
import { registerSync } from "./sync.js";
import { log, logError, show } from "./telling.js";
import { fileAddresses, type Addresses } from "./uri.js";

/** What a server needs besides its client and its host; everything may be left out. */
export interface Around {
  /** Finds out what this computer is, for the machine "auto". */
  detect?: () => Promise<Machine>;
  /** Of this package. */
  version?: string;
  /** How the host's paths are addressed, by `initializationOptions`; without it as files of this computer. */
  addressesFor?: (options: unknown) => Addresses;
  /** Milliseconds to wait for a host that looks for configurations, before defaults are used; 150 without it. */
  patience?: number;
}

/**
 * Serves one client of the Language Server Protocol. It needs nothing of Node.js: with a connection of
 * vscode-languageserver/browser and a host of your own it runs in a worker. The caller makes the connection
 * listen. Where the host has a network, it is used for those who switch `online` on.
 */
export function createServer(connection: Connection, host: Host, around: Around = {}): void {
  const session = sessionOf(connection, host, around);
  connection.onInitialize((params) => {
    if (session.phase !== "new") {
      return new ResponseError(ErrorCodes.InvalidRequest, "initialize was sent before.");
    }
    return initialize(session, params, around);
  });
  connection.onInitialized(() => {
    subscribe(session).catch((error: unknown) => logError(connection, "initialized", error));
  });
  connection.onShutdown(() => {
    const wrong = tooSoonOrLate(session);
    if (wrong) return wrong;
    for (const document of session.documents.values()) session.analysis.forget(document);
    session.documents.clear();
    session.phase = "over";
    return undefined;
  });
  registerSync(session);
  registerShown(session);
  registerCompletion(session);
  registerColours(session);
  registerChanges(session);
  connection.onRequest((method) => {
    const unknown = new ResponseError(ErrorCodes.MethodNotFound, `There is no request ${method}.`);
    return tooSoonOrLate(session) ?? unknown;
  });
}

function sessionOf(
  connection: Connection,
  host: Host,
  { detect, patience = 150 }: Around,
): Session {
  const note = (text: string) => log(connection, MessageType.Info, text);
  const reports = reporter(() => session);
  const sources = { note, ...(detect && { detect }) };
  const known = configurations(host, sources, (problem) => reports.problem(problem));
  const settings = settingsReader(() => session);
  const session: Session = {
    connection,
    host,
    addresses: fileAddresses,
    phase: "new",
    client: clientOf({ capabilities: {}, processId: null, rootUri: null }),
    options: { showsPlans: false, oneAction: false, settings: undefined },
    folders: [],
    documents: new Map(),
    reports,
    settingsFor: settings.of,
    analysis: analysis({
      async setupsFor(document) {
        const own = await settings.of(document);
        if (!own.enable) return undefined;
        return known.of(document.path, own, folderOf(session, document.path));
      },
      publish: reports.publish,
      note: (document, why) => log(connection, MessageType.Warning, `${document.uri}: ${why}`),
      log: (error) => logError(connection, "analysis", error),
      patience,
    }),
    reconfigure() {
      settings.forget();
      known.forget();
      reports.forgetProblems();
      session.analysis.reconfigure();
    },
  };
  return session;
}

/** Asks the client for the settings of each document once, where it can be asked. */
function settingsReader(sessionNow: () => Session): {
  of: (document: Document) => Promise<Settings>;
  forget: () => void;
} {
  /** Documents with the same settings share them, and with them all that is looked up. */
  const read = new Map<string, Settings>();
  let asked = new Map<Document, Promise<Settings>>();
  const told = new Set<string>();
  const settingsIn = (value: unknown): Settings => {
    const key = JSON.stringify(value) ?? "";
    const before = read.get(key);
    if (before) return before;
    const { settings, problems } = readSettings(value);
    const { connection } = sessionNow();
    for (const problem of problems) {
      if (!told.has(problem)) show(connection, MessageType.Warning, problem);
      told.add(problem);
    }
    read.set(key, settings);
    return settings;
  };
  const ask = async ({ uri }: Document): Promise<Settings> => {
    const { client, connection, options } = sessionNow();
    if (!client.configuration) return settingsIn(options.settings);
    try {
      const value: unknown = await connection.workspace.getConfiguration({
        scopeUri: uri,
        section,
      });
      return settingsIn(isRecord(value) ? value : options.settings);
    } catch (error) {
      logError(connection, "workspace/configuration", error);
      return settingsIn(options.settings);
    }
  };
  return {
    of(document) {
      let settings = asked.get(document);
      if (!settings) asked.set(document, (settings = ask(document)));
      return settings;
    },
    forget() {
      asked = new Map();
      read.clear();
    },
  };
}

function initialize(
  session: Session,
  params: InitializeParams,
  { version, addressesFor }: Around,
): InitializeResult {
  const { workspaceFolders, rootUri } = params;
  session.phase = "running";
  session.client = clientOf(params);
  session.options = optionsIn(params.initializationOptions);
  if (addressesFor) session.addresses = addressesFor(params.initializationOptions);
  session.folders = workspaceFolders ?? (rootUri ? [{ uri: rootUri, name: "" }] : []);
  return {
    capabilities: capabilitiesFor(session.client),
    serverInfo: { name: "modelfile-lint", ...(version !== undefined && { version }) },
  };
}

function optionsIn(given: unknown): Options {
  const options = isRecord(given) ? given : {};
  const { suggestCommand, openCommand, showsPlans, oneAction } = options;
  return {
    ...(typeof suggestCommand === "string" && { suggestCommand }),
    ...(typeof openCommand === "string" && { openCommand }),
    showsPlans: showsPlans === true,
    oneAction: oneAction === true,
    // As a client without workspace/configuration can say it: under the section's name, or as they are.
    settings: options[section] ?? options["settings"] ?? options,
  };
}

function capabilitiesFor({ encoding, pulls, lazyEdits, folders }: Client): ServerCapabilities {
  return {
    positionEncoding: encoding,
    textDocumentSync: {
      openClose: true,
      change: TextDocumentSyncKind.Incremental,
      save: { includeText: false },
    },
    ...(pulls && {
      diagnosticProvider: {
        identifier: "modelfile-lint",
        interFileDependencies: false,
        workspaceDiagnostics: false,
      },
    }),
    hoverProvider: true,
    completionProvider: { triggerCharacters: triggers, resolveProvider: true },
    documentSymbolProvider: true,
    foldingRangeProvider: true,
    selectionRangeProvider: true,
    documentLinkProvider: {},
    definitionProvider: true,
    inlayHintProvider: true,
    codeLensProvider: {},
    semanticTokensProvider: { legend, full: true, range: true },
    documentFormattingProvider: true,
    codeActionProvider: {
      codeActionKinds: [CodeActionKind.QuickFix, fixAllKind],
      resolveProvider: lazyEdits,
    },
    executeCommandProvider: { commands: Object.values(commands) },
    ...(folders && {
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    }),
  };
}

/** Files whose content decides what is found: configurations, and models that are named. */
const watched = [
  "**/.modelfile-lint.{yaml,yml,json}",
  "**/package.json",
  "**/*.{gguf,safetensors}",
];

/** Asks the client to tell of changes, where it can be asked. */
async function subscribe(session: Session): Promise<void> {
  const { connection, client } = session;
  if (client.folders) {
    connection.workspace.onDidChangeWorkspaceFolders(({ added, removed }) => {
      const gone = new Set(removed.map(({ uri }) => uri));
      session.folders = [...session.folders.filter(({ uri }) => !gone.has(uri)), ...added];
      session.reconfigure();
    });
  }
  if (client.watchesFiles) {
    const watchers = watched.map((globPattern) => ({ globPattern }));
    await connection.client.register(DidChangeWatchedFilesNotification.type, { watchers });
  }
  if (client.watchesSettings) {
    await connection.client.register(DidChangeConfigurationNotification.type, { section });
  }
}

import { posix } from "node:path";
import { PassThrough } from "node:stream";
import { createConnection, type Connection } from "vscode-languageserver";
import {
  createMessageConnection,
  createProtocolConnection,
  StreamMessageReader,
  StreamMessageWriter,
  type ClientCapabilities,
  type Diagnostic,
  type InitializeResult,
  type MessageConnection,
  type PublishDiagnosticsParams,
  type TextDocumentContentChangeEvent,
} from "vscode-languageserver-protocol/node";
import type { Host } from "../src/host.js";
import { createServer, type Around } from "../src/lsp/server.js";

/** A client in this process, for tests: everything that the server says is kept. */
export interface TestClient {
  connection: MessageConnection;
  initialized: InitializeResult;
  published: PublishDiagnosticsParams[];
  /** Requests of the server, by method. */
  asked: { method: string; params: unknown }[];
  shown: string[];
  logged: string[];
  exits: number[];
  /** What workspace/configuration gets for an address. */
  settings: (uri: string) => unknown;
  open(uri: string, text: string, languageId?: string): void;
  change(uri: string, version: number, changes: readonly TextDocumentContentChangeEvent[]): void;
  ask<T>(method: string, uri: string, more?: object): Promise<T>;
  /** The first published diagnostics of a document, from now or before, that a test is content with. */
  diagnostics(uri: string, wanted?: (items: Diagnostic[]) => boolean): Promise<Diagnostic[]>;
  /** Once something that the server does has happened. */
  until(happened: () => boolean): Promise<void>;
  end: () => Promise<void>;
}

export interface ClientOptions {
  host?: Host;
  /** Where the host asks the client. */
  hostFor?: (connection: Connection) => Host;
  /** To what the server asks beyond the protocol. */
  answer?: (method: string, params: unknown) => unknown;
  capabilities?: ClientCapabilities;
  options?: unknown;
  folders?: readonly string[];
  around?: Around;
  settings?: (uri: string) => unknown;
  /** Whether to send initialize. */
  introduces?: boolean;
}

export async function connect(given: ClientOptions = {}): Promise<TestClient> {
  const { client, listen } = wired(given);
  listen();
  if (given.introduces === false) return client;
  const folders = given.folders?.map((uri) => ({ uri, name: uri })) ?? null;
  client.initialized = await client.connection.sendRequest("initialize", {
    processId: null,
    rootUri: null,
    capabilities: given.capabilities ?? {},
    workspaceFolders: folders,
    initializationOptions: given.options,
  });
  await client.connection.sendNotification("initialized", {});
  return client;
}

function wired(given: ClientOptions): { client: TestClient; listen: () => void } {
  const [toServer, toClient] = [new PassThrough(), new PassThrough()];
  const exits: number[] = [];
  const watchDog = {
    shutdownReceived: false,
    initialize: () => {},
    exit: (code: number) => void exits.push(code),
  };
  const server = createConnection(
    (logger) =>
      createProtocolConnection(
        new StreamMessageReader(toServer),
        new StreamMessageWriter(toClient),
        logger,
      ),
    watchDog,
  );
  const host = given.hostFor?.(server) ?? given.host ?? memoryHost({});
  // Machines that run tests are slow at times, and only what is tested should make a difference.
  createServer(server, host, { patience: 20_000, ...given.around });
  const connection = createMessageConnection(
    new StreamMessageReader(toClient),
    new StreamMessageWriter(toServer),
  );
  const client = clientOf(connection, exits, given);
  const end = client.end;
  client.end = async () => {
    await end();
    server.dispose();
  };
  return {
    client,
    listen: () => {
      server.listen();
      connection.listen();
    },
  };
}

/** Milliseconds: far more than anything takes. */
const patience = 20_000;

function said({ published, asked, shown, logged }: TestClient): string {
  return JSON.stringify({ published: published.slice(-4), asked, shown, logged });
}

function clientOf(
  connection: MessageConnection,
  exits: number[],
  given: ClientOptions,
): TestClient {
  const waiting = new Set<() => void>();
  const client: TestClient = {
    connection,
    initialized: { capabilities: {} },
    published: [],
    asked: [],
    shown: [],
    logged: [],
    exits,
    settings: given.settings ?? (() => null),
    open: (uri, text, languageId = "modelfile") =>
      void connection.sendNotification("textDocument/didOpen", {
        textDocument: { uri, languageId, version: 1, text },
      }),
    change: (uri, version, contentChanges) =>
      void connection.sendNotification("textDocument/didChange", {
        textDocument: { uri, version },
        contentChanges,
      }),
    ask: (method, uri, more) => connection.sendRequest(method, { textDocument: { uri }, ...more }),
    async diagnostics(uri, wanted = () => true) {
      const found = () => {
        const last = client.published.findLast((one) => one.uri === uri);
        return last && wanted(last.diagnostics) ? last.diagnostics : undefined;
      };
      await client.until(() => found() !== undefined);
      return found()!;
    },
    async until(happened) {
      const end = performance.now() + patience;
      while (!happened()) {
        if (performance.now() > end) throw new Error(`Nothing of the kind; ${said(client)}`);
        await new Promise<void>((resolve) => {
          waiting.add(resolve);
          setTimeout(resolve, patience).unref();
        });
      }
    },
    async end() {
      connection.end();
      connection.dispose();
    },
  };
  const heard = () => {
    for (const resolve of waiting) resolve();
    waiting.clear();
  };
  connection.onNotification("textDocument/publishDiagnostics", (one: PublishDiagnosticsParams) => {
    client.published.push(one);
    heard();
  });
  connection.onNotification("window/showMessage", ({ message }: { message: string }) => {
    client.shown.push(message);
    heard();
  });
  connection.onNotification("window/logMessage", ({ message }: { message: string }) => {
    client.logged.push(message);
    heard();
  });
  connection.onRequest((method, params) => {
    client.asked.push({ method, params });
    heard();
    if (method === "workspace/configuration") {
      const { items } = params as { items: { scopeUri: string }[] };
      return items.map(({ scopeUri }) => client.settings(scopeUri));
    }
    if (given.answer && method.startsWith("modelfile-lint/")) return given.answer(method, params);
    return method === "workspace/applyEdit" ? { applied: true } : null;
  });
  return client;
}

/** Files by their paths; nothing else exists. */
export function memoryHost(files: Readonly<Record<string, string | Uint8Array>>): Host {
  const bytes = (path: string) => {
    const content = files[path];
    return typeof content === "string" ? new TextEncoder().encode(content) : content;
  };
  const isFolder = (path: string) => Object.keys(files).some((one) => one.startsWith(`${path}/`));
  return {
    resolve: (folder, path) => posix.resolve(folder, path),
    stat: async (path) => {
      const content = bytes(path);
      if (content) return { kind: "file", size: content.length };
      return isFolder(path) ? { kind: "folder", size: 0 } : undefined;
    },
    read: async (path, start = 0, end) => {
      const content = bytes(path);
      if (!content) throw new Error(`There is no ${path}.`);
      return content.slice(start, end);
    },
    list: async (folder) => {
      const below = Object.keys(files).filter((path) => path.startsWith(`${folder}/`));
      return [...new Set(below.map((path) => path.slice(folder.length + 1).split("/")[0] ?? ""))];
    },
    variable: () => undefined,
  };
}

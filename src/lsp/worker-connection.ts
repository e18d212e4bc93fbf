import {
  BrowserMessageReader,
  BrowserMessageWriter,
  createConnection,
  type Connection,
} from "vscode-languageserver/browser";

/** The connection of a Web Worker to whoever started it: messages of the protocol come and go by postMessage. */
export function workerConnection(): Connection {
  const port = globalThis as unknown as ConstructorParameters<typeof BrowserMessageReader>[0];
  return createConnection(new BrowserMessageReader(port), new BrowserMessageWriter(port));
}

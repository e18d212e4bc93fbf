import {
  BrowserMessageReader,
  BrowserMessageWriter,
  createConnection,
} from "vscode-languageserver/browser";
import { addressesFor, clientHost } from "./client-host.js";
import { createServer } from "./server.js";

/* The language server as a Web Worker: messages of the protocol come and go by postMessage. */

const port = globalThis as unknown as ConstructorParameters<typeof BrowserMessageReader>[0];
const connection = createConnection(new BrowserMessageReader(port), new BrowserMessageWriter(port));
createServer(connection, clientHost(connection), { addressesFor });
connection.listen();

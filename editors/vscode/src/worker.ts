import {
  BrowserMessageReader,
  BrowserMessageWriter,
  createConnection,
} from "vscode-languageserver/browser";
import { addressesFor, clientHost } from "../../../src/lsp/client-host.js";
import { createServer } from "../../../src/lsp/server.js";
import { registerAnswers } from "./answers.js";

/* The language server in a browser: a Web Worker whose files are those of the editor. */

const port = globalThis as unknown as ConstructorParameters<typeof BrowserMessageReader>[0];
const connection = createConnection(new BrowserMessageReader(port), new BrowserMessageWriter(port));
const host = clientHost(connection);
createServer(connection, host, { version: MODELFILE_LINT_VERSION, addressesFor });
registerAnswers(connection, host, addressesFor({ files: true }));
connection.listen();

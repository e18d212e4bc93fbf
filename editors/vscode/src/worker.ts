import { addressesFor, clientHost } from "../../../src/lsp/client-host.js";
import { createServer } from "../../../src/lsp/server.js";
import { workerConnection } from "../../../src/lsp/worker-connection.js";
import { registerAnswers } from "./answers.js";

/* The language server in a browser: a Web Worker whose files are those of the editor. */

const connection = workerConnection();
const host = clientHost(connection);
createServer(connection, host, { version: MODELFILE_LINT_VERSION, addressesFor });
registerAnswers(connection, host, addressesFor({ files: true }));
connection.listen();

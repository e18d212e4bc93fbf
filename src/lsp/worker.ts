import { addressesFor, clientHost } from "./client-host.js";
import { createServer } from "./server.js";
import { workerConnection } from "./worker-connection.js";

/* The language server as a Web Worker: messages of the protocol come and go by postMessage. */

const connection = workerConnection();
createServer(connection, clientHost(connection), { addressesFor });
connection.listen();

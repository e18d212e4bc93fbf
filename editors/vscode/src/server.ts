import { isAbsolute } from "node:path";
import process from "node:process";
import { createConnection } from "vscode-languageserver/node";
import { createServer } from "../../../src/lsp/server.js";
import { fileAddresses } from "../../../src/lsp/uri.js";
import type { Machine } from "../../../src/machines/machine.js";
import { cacheFolder, keepingHost } from "../../../src/node-cache.js";
import { nodeHost, onlineHost } from "../../../src/node-host.js";
import { registerAnswers } from "./answers.js";
import { hostWithin } from "./host-within.js";

/*
 * The language server on a desktop: a process of the editor's own Node.js. With "--within" it reads nothing but
 * the folders that are named behind it, those of a workspace that nobody trusts yet.
 */

const trusted = !process.argv.includes("--within");
const host = trusted
  ? keepingHost(onlineHost, cacheFolder)
  : hostWithin(nodeHost, process.argv.slice(process.argv.indexOf("--within")).filter(isAbsolute));
const detect = trusted ? { detect: shared(thisMachine) } : {};

const connection = createConnection();
const log = (error: unknown) => {
  connection.console.error(error instanceof Error ? (error.stack ?? error.message) : String(error));
};
process.on("unhandledRejection", log);
process.on("uncaughtException", log);
createServer(connection, host, { version: MODELFILE_LINT_VERSION, ...detect });
registerAnswers(connection, host, fileAddresses, detect.detect);
connection.listen();

async function thisMachine(): Promise<Machine> {
  const { detectHere } = await import("../../../src/node-machine.js");
  return (await detectHere()).machine;
}

/** Programs that tell about GPUs are asked once for all who want to know within a minute. */
function shared(detectNow: () => Promise<Machine>): () => Promise<Machine> {
  let last: { at: number; machine: Promise<Machine> } | undefined;
  return () => {
    if (!last || performance.now() - last.at > 60_000) {
      last = { at: performance.now(), machine: detectNow() };
    }
    return last.machine;
  };
}

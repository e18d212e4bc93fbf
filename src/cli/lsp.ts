import { createRequire } from "node:module";
import process from "node:process";
import { createServer } from "../lsp/server.js";
import { logError } from "../lsp/telling.js";
import { cacheFolder, keepingHost } from "../node-cache.js";
import { onlineHost } from "../node-host.js";
import { UsageError, type Options } from "./options.js";
import { version } from "./version.js";

/** Serves one editor over standard input and output, until it says that it ends or goes away. */
export async function lsp(values: Options, operands: string[]): Promise<number> {
  if (!values.stdio || operands.length > 0)
    throw new UsageError("Run `modelfile-lint lsp --stdio`.");
  // The protocol library is CommonJS, and asks for modules of Node's own; a bundle of ES modules has no `require`.
  Object.defineProperty(globalThis, "require", { value: createRequire(import.meta.url) });
  const { stdioConnection } = await import("./stdio-connection.js");
  const connection = stdioConnection();
  const log = (error: unknown) => logError(connection, "process", error);
  process.on("unhandledRejection", log);
  process.on("uncaughtException", log);
  const host = values["no-cache"] ? onlineHost : keepingHost(onlineHost, cacheFolder);
  createServer(connection, host, { version, detect: thisMachine });
  connection.listen();
  // The connection ends the process.
  return new Promise(() => {});
}

async function thisMachine() {
  const { detectHere } = await import("../node-machine.js");
  return (await detectHere()).machine;
}

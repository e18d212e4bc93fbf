import type { Connection } from "vscode-languageserver";
import type { Entry, Host } from "../host.js";
import { isRecord } from "./settings.js";
import type { Addresses } from "./uri.js";

/* Files as the client has them, for a server in a worker: paths are addresses, whatever their scheme. */

/** Requests to the client. */
export const fileRequests = {
  /** { uri } → { kind: "file" | "folder" | "other", size, changed? } or null */
  stat: "modelfile-lint/stat",
  /** { uri, start, end? } → bytes, as a Uint8Array or a list of numbers */
  read: "modelfile-lint/read",
  /** { uri } → names */
  list: "modelfile-lint/list",
} as const;

/** Documents of these schemes lie nowhere. */
const unsaved = /^(?:untitled|output|git|vscode-scm|walkThrough|inmemory):/i;

const clientAddresses: Addresses = {
  pathOf: (uri) => (unsaved.test(uri) || !URL.canParse(uri) ? undefined : uri),
  uriOf: (path) => path,
};

const noAddresses: Addresses = { pathOf: () => undefined, uriOf: (path) => path };

/** Without `initializationOptions: { files: true }` the client has no files for us: documents lie nowhere. */
export function addressesFor(options: unknown): Addresses {
  return isRecord(options) && options["files"] === true ? clientAddresses : noAddresses;
}

/** A host whose files are the client's. There is neither a network nor an environment. */
export function clientHost(connection: Connection): Host {
  return {
    resolve: (folder, path) => resolved(folder, path),
    async stat(path) {
      const uri = path;
      const found: unknown = await connection
        .sendRequest<unknown>(fileRequests.stat, { uri })
        .catch(() => undefined);
      return isEntry(found) ? found : undefined;
    },
    async read(path, start = 0, end) {
      const asked = { uri: path, start, ...(end !== undefined && { end }) };
      const found: unknown = await connection.sendRequest(fileRequests.read, asked);
      if (found instanceof Uint8Array) return found;
      if (Array.isArray(found)) return Uint8Array.from(found as readonly number[]);
      throw new Error(`${path} cannot be read.`);
    },
    async list(folder) {
      const found: unknown = await connection.sendRequest(fileRequests.list, { uri: folder });
      return Array.isArray(found) ? found.filter((name) => typeof name === "string") : [];
    },
    variable: () => undefined,
  };
}

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value) || typeof value["size"] !== "number") return false;
  return ["file", "folder", "other"].includes(String(value["kind"]));
}

/** The address that a path means in a folder. There is no home folder, and no root but the folder's own. */
function resolved(folder: string, path: string): string {
  if (/^[a-z][a-z\d+.-]+:\/\//i.test(path)) return path;
  if (!URL.canParse(folder)) return folder;
  const segments = path.replaceAll("\\", "/").split("/").map(encodeURIComponent).join("/");
  return new URL(segments, `${folder.replace(/\/$/, "")}/`).href.replace(/(?<!\/)\/$/, "");
}

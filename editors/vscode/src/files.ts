import { FileType, Uri, workspace } from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import type { Entry } from "../../../src/host.js";
import { fileRequests } from "../../../src/lsp/client-host.js";
import { hidden } from "./elsewhere.js";

interface Asked {
  uri: string;
  start?: number;
  end?: number;
}

/** Bytes: file systems of editors give files as a whole. */
const largest = 64 * 2 ** 20;

/** Bytes: a header of weights is read in pieces, and each would have VS Code read the whole file. */
const worthKeeping = 2 ** 20;

/** Milliseconds. */
const keptFor = 2000;

/** Answers a server in a worker that asks for files, with those that lie in the workspace. */
export function registerFiles(client: BaseLanguageClient): void {
  let last: { key: string; bytes: Thenable<Uint8Array> } | undefined;
  const bytesOf = async (uri: Uri): Promise<Uint8Array> => {
    const { size, mtime } = await workspace.fs.stat(uri);
    if (size > largest) throw new Error(`${uri.toString()} is too large to be read as a whole.`);
    if (size < worthKeeping) return workspace.fs.readFile(uri);
    const key = `${uri.toString()} ${size} ${mtime}`;
    if (last?.key === key) return last.bytes;
    const kept = { key, bytes: workspace.fs.readFile(uri) };
    last = kept;
    setTimeout(() => {
      if (last === kept) last = undefined;
    }, keptFor);
    return kept.bytes;
  };
  client.onRequest(fileRequests.stat, async ({ uri }: Asked): Promise<Entry> => {
    const at = Uri.parse(uri, true);
    if (!isReadable(at)) return hidden(uri);
    const { type, size, mtime } = await workspace.fs.stat(at);
    if (type & FileType.Directory) return { kind: "folder", size: 0 };
    return type & FileType.File
      ? { kind: "file", size, changed: mtime }
      : { kind: "other", size: 0 };
  });
  client.onRequest(fileRequests.read, async ({ uri, start = 0, end }: Asked) => {
    const at = Uri.parse(uri, true);
    if (!isReadable(at)) throw new Error(`${uri} lies outside the workspace.`);
    return (await bytesOf(at)).slice(start, end);
  });
  client.onRequest(fileRequests.list, async ({ uri }: Asked) => {
    const at = Uri.parse(uri, true);
    if (!isReadable(at)) throw new Error(`${uri} lies outside the workspace.`);
    return (await workspace.fs.readDirectory(at)).map(([name]) => name);
  });
}

/** Below a folder of the workspace; "~" stands for a home that browsers do not have. */
function isReadable({ scheme, authority, path }: Uri): boolean {
  if (path.split("/").includes("~")) return false;
  return (workspace.workspaceFolders ?? []).some(
    ({ uri }) =>
      uri.scheme === scheme &&
      uri.authority === authority &&
      (path === uri.path || path.startsWith(`${uri.path.replace(/\/$/, "")}/`)),
  );
}

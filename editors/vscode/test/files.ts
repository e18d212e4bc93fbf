import {
  EventEmitter,
  FileChangeType,
  FileSystemError,
  FileType,
  Uri,
  workspace,
  type Disposable,
  type ExtensionContext,
  type FileChangeEvent,
  type FileStat,
} from "vscode";

/* An extension that gives VS Code in a browser files: those of files.json beside it, and a large one. */

interface FileSearch {
  registerFileSearchProvider(
    scheme: string,
    provider: { provideFileSearchResults(query: unknown, options: { folder: Uri }): Uri[] },
  ): Disposable;
}

interface Entry extends FileStat {
  bytes: Uint8Array;
}

export async function activate({ extensionUri, subscriptions }: ExtensionContext): Promise<void> {
  const answer = await fetch(new URL("/tests/files.json", extensionUri.toString(true)));
  const given = (await answer.json()) as Record<string, string>;
  const entries = new Map<string, Entry>();
  const put = (path: string, bytes: Uint8Array) => {
    const time = Date.now();
    entries.set(path, { type: FileType.File, ctime: time, mtime: time, size: bytes.length, bytes });
  };
  for (const [path, base64] of Object.entries(given)) {
    put(
      path,
      Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
    );
  }
  put("/examples/own/large.gguf", new Uint8Array(65 * 2 ** 20));
  const below = ({ path }: Uri) => {
    const start = path.endsWith("/") ? path : `${path}/`;
    return [...entries.keys()]
      .filter((one) => one.startsWith(start))
      .map((one) => one.slice(start.length));
  };
  const found = (uri: Uri): Entry => {
    const entry = entries.get(uri.path);
    if (!entry) throw FileSystemError.FileNotFound(uri);
    return entry;
  };
  const changes = new EventEmitter<FileChangeEvent[]>();
  const provider = workspace.registerFileSystemProvider("memfs", {
    onDidChangeFile: changes.event,
    watch: () => ({ dispose() {} }),
    stat(uri) {
      if (below(uri).length > 0) return { type: FileType.Directory, ctime: 0, mtime: 0, size: 0 };
      return found(uri);
    },
    readDirectory(uri) {
      const names = new Map<string, FileType>();
      for (const path of below(uri)) {
        const [name = "", ...more] = path.split("/");
        names.set(name, more.length > 0 ? FileType.Directory : FileType.File);
      }
      return [...names];
    },
    readFile: (uri) => found(uri).bytes,
    writeFile(uri, bytes) {
      const type = entries.has(uri.path) ? FileChangeType.Changed : FileChangeType.Created;
      put(uri.path, bytes);
      changes.fire([{ type, uri }]);
    },
    // Folders are there as soon as something lies in them.
    createDirectory: () => {},
    delete(uri) {
      entries.delete(uri.path);
      changes.fire([{ type: FileChangeType.Deleted, uri }]);
    },
    rename(from, to) {
      put(to.path, found(from).bytes);
      entries.delete(from.path);
      changes.fire([
        { type: FileChangeType.Deleted, uri: from },
        { type: FileChangeType.Created, uri: to },
      ]);
    },
  });
  // A proposal of VS Code's API. Without it VS Code waits seconds for somebody who can look for files.
  const search = (workspace as typeof workspace & FileSearch).registerFileSearchProvider("memfs", {
    provideFileSearchResults: (_query, { folder }) =>
      below(folder).map((path) => Uri.joinPath(folder, path)),
  });
  subscriptions.push(provider, search, changes);
}

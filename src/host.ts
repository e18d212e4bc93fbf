/**
 * The only door to the outside. The core never touches files, the network or the environment itself:
 * command, language server, browser and tests each bring a Host. Paths are the host's own; the core
 * only hands back what `resolve` and `list` gave it.
 */
export interface Host {
  /** The path that `path` means when written in a file inside `folder`; `~` is the home folder. */
  resolve(folder: string, path: string): string;
  /** What lies at `path`, or undefined when there is nothing or it cannot be looked at. */
  stat(path: string): Promise<Entry | undefined>;
  /** Bytes `start` (default 0) to `end` (exclusive, default the file's end); fewer at the end of the file. Throws when unreadable. */
  read(path: string, start?: number, end?: number): Promise<Uint8Array>;
  /** Names in a folder, unsorted. Throws when unreadable. */
  list(folder: string): Promise<string[]>;
  /** A variable of the environment. */
  variable(name: string): string | undefined;
}

export interface Entry {
  kind: "file" | "folder" | "other";
  /** Bytes; 0 for a folder. */
  size: number;
}

/** A place in a file: 1-based line and column, where known. */
export interface InputPlace {
  path: string;
  line?: number;
  column?: number;
}

/** Something the user gave us that cannot be used. */
export class InputError extends Error {
  override name = "InputError";
  readonly place: InputPlace | undefined;

  /** `message` is one or two sentences in the style of a finding: what, then what to do. */
  constructor(message: string, place?: InputPlace) {
    super(message);
    this.place = place;
  }
}

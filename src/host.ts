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
  /**
   * Asks a server. Absent where the user did not ask for the network. Throws InputError, without
   * credentials in its words, where the server does not answer in time or sends more than `most` bytes.
   */
  request?(url: string, options: RequestOptions): Promise<Answer>;
  /**
   * Runs a program that tells about this machine and returns what it printed; undefined where it does
   * not exist, fails or takes too long. Absent where programs cannot be run.
   */
  run?(program: string, args: readonly string[]): Promise<string | undefined>;
  /** Keeps what was read of large files from one run to the next; absent where nothing is kept. */
  kept?: Kept;
}

/** Texts under keys that say what they were made from. Neither function throws. */
export interface Kept {
  read(key: string): Promise<string | undefined>;
  write(key: string, text: string): Promise<void>;
}

export interface RequestOptions {
  method?: "GET" | "POST";
  /** Sent as JSON. */
  body?: unknown;
  /** Bytes `start` to `end` (exclusive) of what the address holds. */
  range?: { start: number; end: number };
  /** Bytes; a longer answer is an error. */
  most: number;
}

export interface Answer {
  status: number;
  body: Uint8Array;
  /** Bytes of the whole, where a range was asked for and the server says it. */
  total?: number;
}

export interface Entry {
  kind: "file" | "folder" | "other";
  /** Bytes; 0 for a folder. */
  size: number;
  /** When it was last written, in milliseconds, where the host knows. */
  changed?: number;
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

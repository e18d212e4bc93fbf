import type { Connection, DocumentDiagnosticReport, WorkspaceFolder } from "vscode-languageserver";
import type { Host, InputError } from "../host.js";
import type { Analysis, Result } from "./analysis.js";
import type { Client } from "./client.js";
import type { Document } from "./documents.js";
import type { Settings } from "./settings.js";
import type { Addresses } from "./uri.js";

/** One client, from its first message to its last. */
export interface Session {
  connection: Connection;
  host: Host;
  addresses: Addresses;
  /** "new": it has not introduced itself; "over": it has said that it ends. */
  phase: "new" | "running" | "over";
  client: Client;
  options: Options;
  folders: readonly WorkspaceFolder[];
  /** By address, as the client writes it. */
  documents: Map<string, Document>;
  analysis: Analysis;
  reports: Reports;
  settingsFor: (document: Document) => Promise<Settings>;
  /** Settings, configurations or folders are no longer what they were. */
  reconfigure: () => void;
}

/** What is told of documents. */
export interface Reports {
  /** Sends a result to a client that does not ask, and has others ask again where that is worth it. */
  publish: (document: Document, result: Result, late: boolean) => void;
  /** What a client that asks gets. */
  report: (document: Document, before: string | undefined) => Promise<DocumentDiagnosticReport>;
  /** A configuration or a machine that cannot be used. */
  problem: (problem: InputError) => void;
  forgetProblems: () => void;
  /** A document of whatever kind was opened, or closed. */
  opened: (document: Document) => void;
  closed: (document: Document) => void;
}

/** What a client says of itself at the start that the protocol has no word for: `initializationOptions`. */
export interface Options {
  /** The command that opens the list of completions again, in clients that have one. */
  suggestCommand?: string;
  /** The command that opens an address, in clients without window/showDocument. */
  openCommand?: string;
  /** It shows the plan that modelfile-lint.showPlan returns by itself. */
  showsPlans: boolean;
  /** It makes every action that it is offered (Kate 22.12), and so gets the preferred fix alone. */
  oneAction: boolean;
  /** Settings, for clients that cannot be asked for them. */
  settings: unknown;
}

/** The folder of the workspace that a document lies in, or for what lies nowhere the first one. */
export function folderOf(
  { folders, addresses }: Pick<Session, "folders" | "addresses">,
  path: string | undefined,
): string | undefined {
  const paths = folders.flatMap(({ uri }) => addresses.pathOf(uri) ?? []);
  if (path === undefined) return paths[0];
  const around = paths.filter((folder) => isInside(path, folder));
  return around.sort((one, other) => other.length - one.length)[0];
}

function isInside(path: string, folder: string): boolean {
  const whole = folder.replace(/[\\/]$/, "");
  return path.startsWith(whole) && /^[\\/]/.test(path.slice(whole.length));
}

import { TextDocument } from "vscode-languageserver-textdocument";
import { parseModelfile } from "../../grammar/parser.js";
import type { Modelfile } from "../../grammar/tree.js";
import { placesIn, type Encoding, type Places } from "./positions.js";
import { nameIn, type Addresses } from "./uri.js";

/** A text that a client has open, as it stands between two changes. */
export interface Snapshot {
  text: TextDocument;
  places: Places;
  /** Parsed when it is first asked for. */
  file(): Modelfile;
}

/** What a document is to us; of a stranger nothing is known but its text. */
export type Kind = "modelfile" | "configuration" | "stranger";

export interface Document {
  uri: string;
  kind: Kind;
  /** The host's; undefined for what was never saved. */
  path?: string;
  /** Replaced by each change. */
  snapshot: Snapshot;
}

export function documentOf(
  uri: string,
  languageId: string,
  snapshot: Snapshot,
  addresses: Addresses,
): Document {
  const path = addresses.pathOf(uri);
  return { uri, kind: kindOf(uri, languageId), snapshot, ...(path !== undefined && { path }) };
}

export function snapshotOf(text: TextDocument, encoding: Encoding): Snapshot {
  let file: Modelfile | undefined;
  return {
    text,
    places: placesIn(text, encoding),
    file: () => (file ??= parseModelfile(text.getText())),
  };
}

/** Names of languages that editors know Modelfiles by. */
const languages = new Set(["modelfile", "ollama", "ollama-modelfile"]);

/** As the command finds Modelfiles in folders. */
const ownNames = /^(?:.*\.)?model_?file(?:[._-].*|\d.*)?$/i;
const foreignNames =
  /\.(?:md|markdown|[cm]?[jt]sx?|py|go|rs|json|ya?ml|toml|html|css|bak|orig|tmp)$/i;
const configurationNames = /^(?:\.modelfile-lint\.(?:ya?ml|json)|package\.json)$/;

function kindOf(uri: string, languageId: string): Kind {
  const name = nameIn(uri);
  if (languages.has(languageId.toLowerCase())) return "modelfile";
  if (configurationNames.test(name)) return "configuration";
  return ownNames.test(name) && !foreignNames.test(name) ? "modelfile" : "stranger";
}

/** UTF-16 units; as many bytes at least. A Modelfile has some kilobytes. */
const largest = 16 * 2 ** 20;

/** Units at the start that tell a binary file. */
const looked = 8192;

/** Why nothing can be said about a text, as a sentence; undefined where something can. */
export function unreadable(text: string): string | undefined {
  if (text.length > largest) return "It is too large for a Modelfile: nothing is said about it.";
  const head = text.slice(0, looked);
  const control = head.match(/[\0-\x08\x0e-\x1f]/g)?.length ?? 0;
  if (control <= Math.max(8, head.length / 10)) return undefined;
  return "It is no text: nothing is said about it.";
}

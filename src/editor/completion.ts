import type { Span } from "../../grammar/tree.js";

export type CompletionKind =
  | "instruction"
  | "parameter"
  | "value"
  | "role"
  | "model"
  | "file"
  | "folder"
  | "field"
  | "function"
  | "token"
  | "rule"
  | "snippet";

/** What may be put in at a place. */
export interface Completion {
  label: string;
  kind: CompletionKind;
  /** Lies in one line, and has the place in it. */
  replaces: Span;
  text: string;
  /** `text` is in the syntax of snippets; `plain` is for editors that know none. */
  snippet?: true;
  plain?: string;
  detail?: string;
  /** What is said of it, at once or once somebody looks at it. */
  markdown?: string | (() => Promise<string | undefined>);
  /** Orders the list. */
  sort?: string;
  /** What is compared with what has been typed, where that is not the label. */
  filter?: string;
  /** What comes next can be completed as well: the list is to be opened again. */
  again?: true;
}

/** What is looked up elsewhere than in the file. */
export interface Sources {
  /** Models in the store and of the server. */
  models?(): Promise<readonly { name: string; detail?: string }[]>;
  /** What lies in a folder, by its path as written. Undefined where there is none. */
  list?(folder: string): Promise<readonly { name: string; kind: "file" | "folder" }[] | undefined>;
}

/** A place in a line where something is written, and what is there already. */
export interface Slot {
  replaces: Span;
  /** What is typed: the part in front of the caret. */
  typed: string;
  /** Nothing stands behind it in the line, not even a blank. */
  last: boolean;
}

/** No list is longer. */
export const longestList = 200;

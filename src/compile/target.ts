import type { Command } from "../../grammar/ollama.js";
import type { Modelfile, Span } from "../../grammar/tree.js";
import type { Release } from "../facts/release.js";
import type { Machine } from "../machines/machine.js";
import type { FileFacts } from "../models/local-files.js";
import type { Model } from "../models/model.js";
import type { Plan } from "../plan/plan.js";

/** A Modelfile and what is known of everything around it: all that a target is made from. */
export interface Source {
  file: Modelfile;
  /** What Ollama reads in the file; a file that it refuses is not compiled. */
  commands: readonly Command[];
  /** The release that would run it. */
  release: Release;
  /** What the model made from the file is to be called. */
  name: string;
  /** The file's own name, to be mounted or copied: "Modelfile". */
  path: string;
  /** Server variables in force, as Ollama spells them. */
  server: Readonly<Record<string, string>>;
  /** What FROM names, where that is known. */
  model?: Model;
  machine?: Machine;
  /** Where model and machine are known. */
  plan?: Plan;
  /** What lies where FROM, ADAPTER and DRAFT point to, by their text, where somebody looked. */
  files?: ReadonlyMap<string, FileFacts>;
  /**
   * SHA-256 of local files in hexadecimal, by their text in the file, where the user asked for them; of what
   * lies in a folder by the text, a slash and its path in there.
   */
  digests?: ReadonlyMap<string, string>;
}

/** What became of the Modelfile. Nothing is dropped without a note. */
export interface Compiled {
  /** At least one; the first is what goes to standard output. */
  texts: readonly Text[];
  notes: readonly Note[];
}

/** A file to write. */
export interface Text {
  /** Relative, with slashes: "compose.yaml", "k8s/deployment.yaml". */
  path: string;
  text: string;
}

/** Something that could not be carried over, or that the reader has to know. */
export interface Note {
  /** In the Modelfile, where it is about a place there. */
  at?: Span;
  /** One sentence or two, as in a finding. */
  message: string;
}

/** Why this Modelfile cannot become that at all, and what to do instead. */
export interface Refusal {
  refused: string;
}

export interface Target {
  /** As --to takes it. */
  id: string;
  /** One line; no full stop. */
  summary: string;
  /** What cannot be missing; the command says so in place of calling `compile`. */
  needs?: "model" | "plan";
  /** Pure. Never throws. */
  compile(source: Source): Compiled | Refusal;
}

import { isProjectorStart } from "../models/gguf-start.js";
import { filesOf, fromsOf, ignoredFroms, type From } from "../ollama/from.js";
import type { Source } from "./target.js";

/** What the FROM lines that count name. */
export interface NamedWeights {
  /** A file or a folder of weights, or a name; undefined where nothing is clear. */
  model?: From;
  /** The path of a projector in a file of its own. */
  projector?: string;
}

export function namedWeights(
  source: Pick<Source, "file" | "files" | "release" | "commands">,
): NamedWeights {
  const { file, files, release, commands } = source;
  const local = new Set(
    [...(files ?? [])].flatMap(([text, { kind }]) => (kind === "missing" ? [] : [text])),
  );
  const froms = fromsOf(file, local);
  const paths = filesOf(froms, release);
  const model =
    paths.find(({ text }) => !isProjector(text, source)) ??
    paths[0] ??
    ignoredFroms(froms, release)?.counts ??
    froms.findLast(({ kind }) => kind === "name");
  const texts = [
    ...paths.filter((one) => one !== model).map(({ text }) => text),
    // What a layer is follows from the file and not from its line.
    ...commands.flatMap(({ name, args }) => (name === "adapter" ? [args] : [])),
  ];
  const projector = texts.find((text) => isProjector(text, source));
  return { ...(model && { model }), ...(projector !== undefined && { projector }) };
}

export function isProjector(text: string, { files }: Pick<Source, "files">): boolean {
  const facts = files?.get(text);
  return facts?.kind === "file" && facts.says !== undefined && isProjectorStart(facts.says);
}

/** A path as another program finds it from the Modelfile's folder: "~" is no home folder for it. */
export function pathFor(text: string, { files }: Pick<Source, "files">): string {
  const facts = files?.get(text);
  const isOwnFolder = text === "" || text === "." || text === "..";
  if (!text.startsWith("~") && !isOwnFolder) return text;
  return facts && facts.kind !== "missing" ? facts.path : text;
}

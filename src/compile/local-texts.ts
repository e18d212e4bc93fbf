import type { Span } from "../../grammar/tree.js";
import { filesOf, fromsOf } from "../ollama/from.js";
import { noteOn } from "./notes.js";
import type { Note, Source } from "./target.js";

/** A path in FROM, ADAPTER or DRAFT, which the client of `ollama create` reads. */
export interface LocalText {
  text: string;
  at?: Span;
  /** Undefined where nobody has looked. */
  kind?: "file" | "folder" | "missing";
}

export function localTexts(source: Source): LocalText[] {
  const { file, files, release, commands } = source;
  const there = [...(files ?? [])].flatMap(([text, { kind }]) =>
    kind === "missing" ? [] : [text],
  );
  const found = (text: string) => {
    const kind = files?.get(text)?.kind;
    return { text, ...(kind && { kind }) };
  };
  const froms = filesOf(fromsOf(file, new Set(there)), release).map(({ text, node }) => ({
    ...found(text),
    at: { start: node.start, end: node.end },
  }));
  const others = commands.flatMap(({ name, args }, index) => {
    const { at } = noteOn(source, index, "");
    return name === "adapter" || name === "draft" ? [{ ...found(args), ...(at && { at }) }] : [];
  });
  return [...froms, ...others];
}

/** A path that no Linux container finds; one sentence. */
export function unreachable({ text }: LocalText): string | undefined {
  if (/^[A-Za-z]:[\\/]|\\/.test(text))
    return `"${text}" is a path of Windows, and the container runs Linux.`;
  if (/^~[^/]/.test(text)) return `"${text}" lies in another user's home folder.`;
  return undefined;
}

export function missingNotes(texts: readonly LocalText[]): Note[] {
  return texts.flatMap(({ text, kind, at }) => {
    if (kind !== "missing") return [];
    return [
      {
        ...(at && { at }),
        message: `"${text}" is not there yet, and has to be when the model is made.`,
      },
    ];
  });
}

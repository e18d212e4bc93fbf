import { isInstruction } from "../../grammar/create-request.js";
import { parameterFact, standing } from "../facts/parameters.js";
import type { Note, Source } from "./target.js";

/** A note on the statement that a command was read from: they go one by one. */
export function noteOn({ file }: Pick<Source, "file">, index: number, message: string): Note {
  const node = file.statements[index];
  return { ...(node && { at: { start: node.start, end: node.end } }), message };
}

/** A note on every command of that name. */
export function notesOn(source: Source, name: string, message: string): Note[] {
  return source.commands.flatMap((command, index) =>
    command.name === name ? [noteOn(source, index, message)] : [],
  );
}

/** Parameters that the release takes with a warning and leaves out. */
export function droppedNotes(source: Source): Note[] {
  const { commands, release } = source;
  return commands.flatMap(({ name }, index) => {
    if (isInstruction(name) || !parameterFact(name)) return [];
    if (standing(name, release) !== "deprecated") return [];
    const message = `Ollama ${release.version} drops ${name}: the parameter is deprecated.`;
    return [noteOn(source, index, message)];
  });
}

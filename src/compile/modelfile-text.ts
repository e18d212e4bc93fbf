import { isPrintable } from "../../grammar/characters.js";
import { readText, type Command } from "../../grammar/ollama.js";
import type { Release } from "../facts/release.js";
import type { Note } from "./target.js";

/** A Modelfile, and what it cannot hold. */
export interface Written {
  text: string;
  notes: Note[];
}

/** Instructions in the order in which they are written, parted by empty lines. */
const groups: readonly (readonly string[])[] = [
  ["model", "adapter", "draft"],
  [],
  ["template"],
  ["system"],
  ["message"],
  ["renderer", "parser"],
  ["requires"],
  ["license"],
];

/** Where parameters go. */
const parametersGroup = 1;

/**
 * The Modelfile of commands. Values are quoted where the release would read them otherwise; one that no
 * quotes can hold is changed, which is noted.
 */
export function modelfileText(commands: readonly Command[], release: Release): Written {
  const notes: Note[] = [];
  const blocks: string[][] = groups.map(() => []);
  for (const command of commands) {
    const { line, changes } = lineFor(command, release);
    const group = groups.findIndex((names) => names.includes(command.name));
    if (line !== undefined) blocks[group < 0 ? parametersGroup : group]!.push(line);
    notes.push(...changes.map((message) => ({ message })));
  }
  const parts = blocks.filter((lines) => lines.length > 0).map((lines) => lines.join("\n"));
  return { text: `${parts.join("\n\n")}\n`, notes };
}

interface Line {
  /** Undefined where there is no way to write it. */
  line?: string;
  changes: string[];
}

function lineFor(command: Command, release: Release): Line {
  const changes: string[] = [];
  for (const { args, change } of versions(command.args)) {
    const line = candidates({ ...command, args }).find((one) =>
      isRead(one, command.name, args, release),
    );
    if (change !== undefined) changes.push(`${labelOf(command)}: ${change}`);
    if (line !== undefined) return { line, changes };
  }
  return { changes: [`${labelOf(command)} cannot be written into a Modelfile, and is left out.`] };
}

function labelOf({ name }: Command): string {
  if (name === "model") return "FROM";
  return groups.some((names) => names.includes(name)) ? name.toUpperCase() : `PARAMETER ${name}`;
}

/** A text, and what becomes of it where the ones before cannot be written. */
function* versions(text: string): Generator<{ args: string; change?: string }> {
  yield { args: text };
  const kept = withoutInvisible(text);
  if (kept.args !== text) yield kept;
  if (!kept.args.includes('"""')) return;
  // A line that ends in three quotes ends the value, and nothing escapes them.
  const args = kept.args.replaceAll('"""', "'''");
  yield {
    args,
    change: "a line ends in three quotes, which would end the value; they became '''.",
  };
}

/** Without what Ollama's parser drops: all but printable characters, blanks and line ends. */
function withoutInvisible(text: string): { args: string; change?: string } {
  const dropped = new Set<string>();
  const args = [...text].flatMap((character) => {
    const code = character.codePointAt(0)!;
    if (code >= 0xd800 && code <= 0xdfff) {
      dropped.add(nameOf(code));
      return ["\ufffd"];
    }
    if (isPrintable(code) || /[\t\n\r]/.test(character)) return [character];
    dropped.add(nameOf(code));
    return [];
  });
  if (dropped.size === 0) return { args: text };
  const names = [...dropped].slice(0, 5).join(", ");
  const more = dropped.size > 5 ? " and others" : "";
  return {
    args: args.join(""),
    change: `no Modelfile can hold ${names}${more}; Ollama drops them.`,
  };
}

function nameOf(code: number): string {
  return `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Ways to write a command, the plainest first. */
function candidates({ name, args }: Command): string[] {
  const colon = args.indexOf(": ");
  const role = colon < 0 ? args : args.slice(0, colon);
  const isMessage = name === "message" && /^(?:system|user|assistant)$/.test(role);
  const value = isMessage ? args.slice(colon < 0 ? args.length : colon + 2) : args;
  const keyword = isMessage ? `MESSAGE ${role}` : keywordOf(name);
  const several = /[\r\n]/.test(value);
  const forms = several
    ? [`"""${value}"""`, `"${value}"`]
    : [...(value === "" ? [] : [value]), `"${value}"`, `"""${value}"""`];
  return forms.map((form) => `${keyword} ${form}`);
}

/** Roles that MESSAGE refuses come in as a parameter: reserved names are instructions all the same. */
function keywordOf(name: string): string {
  if (name === "model") return "FROM";
  const isInstruction = name !== "message" && groups.some((names) => names.includes(name));
  return isInstruction ? name.toUpperCase() : `PARAMETER ${name}`;
}

/** Whether the release reads exactly this command in a line, whatever follows it. */
function isRead(line: string, name: string, args: string, release: Release): boolean {
  const reading = readText(`FROM x\n${line}\nFROM x\n`, release);
  if (!reading.ok || reading.commands.length !== 3) return false;
  const [, read] = reading.commands;
  return read?.name === name && read.args === args;
}

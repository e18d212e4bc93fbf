import {
  acceptedInstructions,
  acceptsInstruction,
  instructionFact,
  parserGeneration,
} from "../src/facts/instructions.js";
import { newestRelease, type Release } from "../src/facts/release.js";
import { decode } from "./bytes.js";
import { isNewline } from "./characters.js";
import { parseModelfile } from "./parser.js";
import type { Modelfile, Statement, Stop } from "./tree.js";

/** What Ollama's parser makes of a line: FROM is "model", PARAMETER lines carry the parameter's name. */
export interface Command {
  name: string;
  args: string;
}

export type Reading =
  | { ok: true; commands: Command[] }
  | {
      ok: false;
      kind: "parser" | "unexpected-eof" | "missing-from";
      /** The text that Ollama prints. */
      error: string;
      /** Ollama's line number: every CR and every LF counts, so CRLF counts twice. */
      line?: number;
      /** `error` without its line number. */
      message?: string;
    };

/** Ollama's reading of a file's bytes: ParseFile in parser/parser.go of that release. */
export function readBytes(bytes: Uint8Array, release: Release): Reading {
  return readText(decode(bytes).text, release);
}

export function readText(text: string, release: Release): Reading {
  const { trimsValues } = parserGeneration(release);
  return readTree(parseModelfile(text, { trimsValues }), release);
}

/**
 * Ollama's reading of a tree: the commands, or the error at which it stops. The tree must have been
 * parsed in the release's dialect; since 0.2.0 there is one.
 */
export function readTree(file: Modelfile, release: Release = newestRelease): Reading {
  const commands: Command[] = [];
  for (const node of file.statements) {
    const stop = stopOf(node, release);
    if (stop) return refusal(file.text, stop, release);
    commands.push(command(node));
  }
  if (!commands.some(({ name }) => name === "model")) {
    return { ok: false, kind: "missing-from", error: "no FROM line" };
  }
  return { ok: true, commands };
}

/** Where a release stops in a statement, if it does: at its first flaw, or at a keyword that the release lacks. */
export function stopOf(node: Statement, release: Release): Stop | undefined {
  const flaw = node.flaws[0];
  if (node.kind === "unknown" || node.kind === "stray") return flaw?.stop;
  const lacks = !acceptsInstruction(instructionFact(node.name)!, release);
  // A keyword is judged at the blank behind it, so only what is wrong before that blank comes first.
  const early =
    flaw &&
    (flaw.stop.error === "command" || flaw.kind === "invisible" || flaw.kind === "no-value");
  if (lacks && !early) return { error: "command", at: node.keyword.end + 1 };
  return flaw?.stop;
}

function command(node: Statement): Command {
  if (node.kind === "stray" || node.kind === "unknown") throw new Error("not a command");
  const args = node.value?.text ?? "";
  if (node.kind === "parameter") return { name: node.parameter, args };
  if (node.kind === "message") return { name: "message", args: `${node.role}: ${args}` };
  return { name: node.name === "FROM" ? "model" : node.name.toLowerCase(), args };
}

function refusal(text: string, stop: Stop, release: Release): Reading {
  if (stop.error === "end") return { ok: false, kind: "unexpected-eof", error: "unexpected EOF" };
  if (stop.error === "name") {
    return { ok: false, kind: "unexpected-eof", error: `unexpected EOF: ${stop.read}` };
  }
  const message =
    stop.error === "role"
      ? 'message role must be one of "system", "user", or "assistant"'
      : `command must be one of ${listed(acceptedInstructions(release))}`;
  if (!parserGeneration(release).numbersErrors)
    return { ok: false, kind: "parser", error: message };
  const line = ollamaLine(text, stop.at);
  return { ok: false, kind: "parser", error: `(line ${line}): ${message}`, line, message };
}

function listed(names: string[]): string {
  const quoted = names.map((name) => `"${name.toLowerCase()}"`);
  return `${quoted.slice(0, -1).join(", ")}, or ${quoted.at(-1)}`;
}

/** 1 + the CR and LF characters before an offset. */
export function ollamaLine(text: string, offset: number): number {
  let line = 1;
  for (let at = 0; at < offset && at < text.length; at++) {
    if (isNewline(text.charCodeAt(at))) line++;
  }
  return line;
}

/** Modelfile.String(): what `ollama show --modelfile` prints of a list of commands. */
export function printCommands(commands: readonly Command[]): string {
  return commands.map((command) => `${printCommand(command)}\n`).join("");
}

const plain = new Set([
  "license",
  "template",
  "system",
  "adapter",
  "renderer",
  "parser",
  "requires",
  "draft",
]);

function printCommand({ name, args }: Command): string {
  if (name === "model") return `FROM ${args}`;
  if (plain.has(name)) return `${name.toUpperCase()} ${quoted(args)}`;
  if (name === "message") {
    const colon = args.indexOf(": ");
    const role = colon < 0 ? args : args.slice(0, colon);
    return `MESSAGE ${role} ${quoted(colon < 0 ? "" : args.slice(colon + 2))}`;
  }
  return `PARAMETER ${name} ${quoted(args)}`;
}

function quoted(text: string): string {
  if (!text.includes("\n") && !text.startsWith(" ") && !text.endsWith(" ")) return text;
  return text.includes('"') ? `"""${text}"""` : `"${text}"`;
}

/*
 * The tree of a Modelfile. Its leaves, taken in order, are the text: nothing is left out, comments and
 * blanks included. Offsets count UTF-16 units from the start of the text; `end` is exclusive.
 */

export interface Span {
  start: number;
  end: number;
}

/** A piece of text with a role in the grammar: the name of its token type. */
export interface Leaf extends Span {
  type: string;
}

export interface Modelfile extends Span {
  text: string;
  /** Statements, comments and gaps in order, without holes. */
  nodes: readonly Node[];
  /** The nodes that are neither gaps nor comments. */
  statements: readonly Statement[];
}

export type Node = Gap | Comment | Statement;

/** Blanks and line ends between statements. */
export interface Gap extends Span {
  kind: "gap";
  leaves: readonly Leaf[];
}

export interface Comment extends Span {
  kind: "comment";
  leaves: readonly Leaf[];
}

export type Statement = Instruction | Parameter | Message | Unknown | Stray;

interface StatementBase extends Span {
  leaves: readonly Leaf[];
  /** What keeps Ollama from reading it; the first one is where Ollama stops. */
  flaws: readonly Flaw[];
}

/** FROM, SYSTEM and every other keyword that a value follows. */
export interface Instruction extends StatementBase {
  kind: "instruction";
  /** The keyword in upper case: "FROM". */
  name: string;
  keyword: Span;
  value: Value | undefined;
}

export interface Parameter extends StatementBase {
  kind: "parameter";
  name: "PARAMETER";
  keyword: Span;
  /** The parameter's name as written; empty where two blanks follow PARAMETER. */
  parameter: string;
  parameterSpan: Span;
  value: Value | undefined;
}

export interface Message extends StatementBase {
  kind: "message";
  name: "MESSAGE";
  keyword: Span;
  role: string;
  roleSpan: Span;
  value: Value | undefined;
}

/** A line that looks like an instruction which does not exist. */
export interface Unknown extends StatementBase {
  kind: "unknown";
  /** As written. */
  name: string;
  keyword: Span;
  value: Value | undefined;
}

/** A line outside any instruction. */
export interface Stray extends StatementBase {
  kind: "stray";
}

/** What follows a keyword, a parameter's name or a role: from its first to its last character, quotes included. */
export interface Value extends Span {
  /** The value as Ollama stores it: quotes and dropped characters removed. */
  text: string;
  quote: "" | '"' | '"""';
  /** What lies between the quotes; the whole value where there are none. */
  content: Span;
  /** False for a quote that Ollama never finds the end of. */
  closed: boolean;
  /** Text behind the closing quote of a value that is not closed for Ollama. */
  after: Span | undefined;
}

export type FlawKind =
  | "no-value"
  | "no-separator"
  | "wrong-separator"
  | "bad-name"
  | "bad-role"
  | "unknown-role"
  | "extra-blank"
  | "invisible"
  | "unknown-keyword"
  | "stray-text"
  | "unclosed-quote"
  | "text-after-quote";

export interface Flaw extends Span {
  kind: FlawKind;
  /** Ollama's own error here. */
  stop: Stop;
}

/** Where and how ParseFile gives up. */
export interface Stop {
  /** "command": no such instruction. "role": no such role. "name": a name broken off. "end": the end of the file. */
  error: "command" | "role" | "name" | "end";
  /** Just behind the character that Ollama stopped at: the lines before it give Ollama's line number. */
  at: number;
  /** For "name": what Ollama had read of it. */
  read?: string;
}

export function isStatement(node: Node): node is Statement {
  return node.kind !== "gap" && node.kind !== "comment";
}

export function parametersOf(file: Modelfile): Parameter[] {
  return file.statements.filter((node) => node.kind === "parameter");
}

/** Instructions of one keyword, in order. */
export function instructionsNamed(file: Modelfile, name: string): Instruction[] {
  return file.statements.filter(
    (node) => node.kind === "instruction" && node.name === name,
  ) as Instruction[];
}

/** The statement whose model Ollama takes: of several FROM the last, and `PARAMETER model` is one too. */
export function decidingFrom(file: Modelfile): Instruction | Parameter | undefined {
  return file.statements.findLast(
    (node) =>
      (node.kind === "instruction" && node.name === "FROM") ||
      (node.kind === "parameter" && node.parameter === "model"),
  ) as Instruction | Parameter | undefined;
}

/** The last PARAMETER of that name with a value: the one that counts. */
export function parameterNamed(file: Modelfile, name: string): Parameter | undefined {
  return file.statements.findLast(
    (node) => node.kind === "parameter" && node.parameter === name && node.value !== undefined,
  ) as Parameter | undefined;
}

/** The text again, from the leaves: always the input. */
export function printTree(file: Modelfile): string {
  const leaves = file.nodes.flatMap((node) => node.leaves);
  return leaves.map(({ start, end }) => file.text.slice(start, end)).join("");
}

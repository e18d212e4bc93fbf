import facts from "./instructions.json" with { type: "json" };
import { since, within, type Release, type Span } from "./release.js";

/** An instruction of some release. */
export interface InstructionFact {
  /** Upper case: "FROM". */
  name: string;
  summary: string;
  /** What stands after the keyword. */
  value: string;
  /** Which one counts when it is repeated. */
  repeated: string;
  first: string;
  last?: string;
}

interface ParserGeneration extends Span {
  /** White space around a value is trimmed before its quotes are looked at. */
  trimsValues?: boolean;
  /** Errors begin with "(line N): ". */
  numbersErrors?: boolean;
}

interface Table {
  parserGenerations: readonly ParserGeneration[];
  instructions: readonly InstructionFact[];
}

const table = facts as Table;

/** In the order of Ollama's own error message. */
export const instructions: readonly InstructionFact[] = table.instructions;

/** The instruction of that name, any case, in any release. */
export function instructionFact(keyword: string): InstructionFact | undefined {
  const name = keyword.toUpperCase();
  return instructions.find((instruction) => instruction.name === name);
}

/** Upper-case names that a release accepts, in the order of its error message. */
export function acceptedInstructions(release: Release): string[] {
  return instructions.filter((fact) => acceptsInstruction(fact, release)).map(({ name }) => name);
}

export function acceptsInstruction({ first, last }: InstructionFact, release: Release): boolean {
  return within(release, { from: first, ...(last !== undefined && { to: last }) });
}

/** How the parser of a release treats values and error texts. Releases before 0.1.44 count as 0.1.44. */
export function parserGeneration(release: Release): {
  trimsValues: boolean;
  numbersErrors: boolean;
} {
  const generation = table.parserGenerations.findLast(({ from }) => since(release, from));
  return {
    trimsValues: generation?.trimsValues ?? false,
    numbersErrors: generation?.numbersErrors ?? false,
  };
}

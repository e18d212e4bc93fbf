import { isInstruction } from "../../grammar/create-request.js";
import { parameterFact } from "../facts/parameters.js";
import { serverAddress } from "../models/server.js";
import { clampsToTraining } from "../ollama/context.js";
import { serverText } from "../ollama/server.js";
import { droppedNotes, noteOn } from "./notes.js";
import { numberOf, type InForce } from "./parameters-in-force.js";
import type { Note, Source } from "./target.js";

const usualAddress = "http://localhost:11434";

/** Where clients reach Ollama's server: what OLLAMA_HOST says, or the usual place. No slash behind it. */
export function ollamaAddress({ server }: Pick<Source, "server">): string {
  const variable = serverText(server, "OLLAMA_HOST");
  // A password would be printed.
  if (variable === "" || /[@?#\s]/.test(variable)) return usualAddress;
  const address = serverAddress(variable);
  return URL.canParse(address) ? address.replace(/\/+$/, "") : usualAddress;
}

/** Tokens of prompt and answer together, as far as that is known. */
export function contextOf(
  { plan, model, release }: Source,
  parameters: ReadonlyMap<string, InForce>,
): number | undefined {
  if (plan) return plan.context.effective;
  const asked = numberOf(parameters, "num_ctx");
  if (asked === undefined || asked <= 0) return undefined;
  const trained = model?.shape.trainedContext ?? 0;
  return trained > 0 && clampsToTraining(release) ? Math.min(asked, trained) : asked;
}

/** A note on the first parameter of each name that the client cannot send; `why` by name, or for all. */
export function unsentNotes(
  source: Source,
  sent: ReadonlySet<string>,
  why: (name: string) => string,
): Note[] {
  const dropped = droppedNotes(source);
  const seen = new Set<string>();
  const unsent = source.commands.flatMap(({ name }, index) => {
    if (isInstruction(name) || name === "model" || !parameterFact(name)) return [];
    if (sent.has(name) || seen.has(name)) return [];
    seen.add(name);
    const note = noteOn(source, index, why(name));
    return dropped.some(({ at }) => at?.start === note.at?.start) ? [] : [note];
  });
  return [...dropped, ...unsent];
}

/** That the name stands for a model that has to be made. */
export function madeNote({ name }: Pick<Source, "name">): Note {
  return {
    message: `"${name}" is the model that ollama create makes of the Modelfile; everything that is not sent comes from it.`,
  };
}

import { readParameters } from "../../grammar/create-request.js";
import {
  defaultOf,
  ignoredByOllamaEngine,
  ignoredIn,
  parameterFact,
  standing,
} from "../facts/parameters.js";
import type { Source } from "./target.js";

/** Values as Ollama reads them: numbers by their digits, booleans as true and false, stop strings one by one. */
export interface InForce {
  /** One; of `stop` all. */
  texts: readonly string[];
  /** Who says so. */
  from: "file" | "model" | "default";
}

/**
 * What Ollama of the release runs the model with: the file's values, else those that the model brings, else
 * the release's own. Parameters that it does nothing with are left out, and those whose default is no value.
 */
export function parametersInForce(source: Source): ReadonlyMap<string, InForce> {
  const { release, plan, model } = source;
  const known = new Map<string, InForce>();
  const add = (name: string, texts: readonly string[], from: InForce["from"]) => {
    const fact = parameterFact(name);
    if (!fact || standing(name, release) !== "accepted" || ignoredIn(fact, release)) return;
    const byEngine = plan?.engine === "ollama-engine" && ignoredByOllamaEngine(fact, release);
    if (!byEngine) known.set(name, { texts, from });
  };
  for (const name of defaulted) {
    const value = parameterFact(name) && defaultOf(parameterFact(name)!, release)?.value;
    if (value !== undefined) add(name, [value], "default");
  }
  for (const [name, value] of Object.entries(model?.parameters ?? {})) {
    add(name, (Array.isArray(value) ? value : [value]).map(String), "model");
  }
  if (model?.stop && !known.has("stop")) add("stop", model.stop, "model");
  for (const [name, texts] of ownTexts(source)) add(name, texts, "file");
  return known;
}

/** Parameters that are sent with every request, set or not (api/types.go DefaultOptions). */
const defaulted = [
  "temperature",
  "top_k",
  "top_p",
  "min_p",
  "typical_p",
  "repeat_last_n",
  "repeat_penalty",
  "presence_penalty",
  "frequency_penalty",
  "mirostat",
  "mirostat_tau",
  "mirostat_eta",
  "seed",
  "num_predict",
  "num_keep",
] as const;

function ownTexts({ commands, release }: Source): Map<string, string[]> {
  const own = new Map<string, string[]>();
  for (const read of readParameters(commands, release)) {
    if (!read.ok || "deprecated" in read) continue;
    const { name, value } = read;
    // The last one counts; stop strings add up.
    if (typeof value === "string") own.set(name, [value]);
    else own.set(name, [...(own.get(name) ?? []), ...value]);
  }
  return own;
}

/** The text of a parameter that is set, or has a default; undefined where the release decides by itself. */
export function valueOf(known: ReadonlyMap<string, InForce>, name: string): string | undefined {
  return known.get(name)?.texts.at(-1);
}

/** The same as a number. */
export function numberOf(known: ReadonlyMap<string, InForce>, name: string): number | undefined {
  const text = valueOf(known, name);
  const value = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(value) ? value : undefined;
}

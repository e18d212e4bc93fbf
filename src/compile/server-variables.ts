import type { Note, Source } from "./target.js";

/** A variable of the server's environment. */
export interface Variable {
  name: string;
  value: string;
  /** One sentence. */
  why?: string;
}

/** Those in force, then those that are added; what is `decided` elsewhere is left out. */
export function serverVariables(
  { server }: Pick<Source, "server">,
  added: readonly Variable[],
  decided: readonly string[] = [],
): Variable[] {
  const names = new Set([...added.map(({ name }) => name), ...decided]);
  const own = Object.entries(server).flatMap(([name, value]) =>
    names.has(name) ? [] : [{ name, value }],
  );
  return [...own, ...added];
}

/** Variables that say where on the computer the server lies; in a container that is another place. */
const places: Readonly<Record<string, string>> = {
  OLLAMA_HOST: "the container listens on port 11434 of all its addresses",
  OLLAMA_MODELS: "the container keeps its models on a volume",
};

export const containersOwn: readonly string[] = Object.keys(places);

export function placeNotes({ server }: Pick<Source, "server">): Note[] {
  return Object.entries(places).flatMap(([name, why]) =>
    server[name] === undefined ? [] : [{ message: `${name} is left out: ${why}.` }],
  );
}

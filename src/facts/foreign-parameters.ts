import facts from "./foreign-parameters.json" with { type: "json" };

/** A setting by the name that another engine, an API or the server gives it. */
export interface ForeignParameter {
  /** The engine whose name it is. */
  of: string;
  /** What it is called in a message. */
  is: string;
  /** The parameter of a Modelfile that means the same, or nearly so. */
  use?: string;
  /** The value of that parameter is another one; without this it carries over. */
  value?: "other";
  /** Values that do not carry over, in lower case. */
  except?: readonly string[];
  /** Parameter and value by the value there, in lower case: "use_mmap false"; empty where the line can go. */
  becomes?: Readonly<Record<string, string>>;
  /** The variable of the server's environment that it is. */
  server?: string;
  /** The field of a request that it is. */
  request?: string;
  /** The instruction that it is. */
  instruction?: string;
  /** The line can go: the setting belongs elsewhere, or Ollama decides by itself. */
  remove?: boolean;
  help?: string;
}

interface Engine {
  name: string;
  is: string;
  source: string;
}

type Written = Omit<ForeignParameter, "is"> & { is?: string };

const table = facts as {
  engines: Readonly<Record<string, Engine>>;
  names: Readonly<Record<string, Written>>;
};

/** Those whose names are known, by the key that a name has in `of`. */
export const engines = table.engines;

/** Every foreign name, words apart by underscores, with what it means. */
export function foreignNames(): [string, ForeignParameter][] {
  return Object.entries(table.names).map(([name, written]) => [name, whole(written)]);
}

/**
 * What a foreign name means; case, hyphens and underscores do not matter: `--ctx-size`, `ctxSize`. A
 * variable of the server's environment is found with and without OLLAMA_.
 */
export function foreignParameter(name: string): ForeignParameter | undefined {
  const known = named(name);
  if (known || !/^OLLAMA_[A-Z_]+$/i.test(name)) return known;
  const variable = named(name.slice("OLLAMA_".length));
  if (variable?.server !== undefined || variable?.use !== undefined) return variable;
  return whole({ of: "ollama-server", server: name.toUpperCase(), remove: true });
}

/** Where the setting belongs, where it is no parameter; undefined where `use` says it all. */
export function foreignHelp({ server, request, instruction, help }: ForeignParameter) {
  if (help !== undefined) return help;
  if (server !== undefined) return `Set ${server} in the environment of the server.`;
  if (request !== undefined) return `Send ${request} with the request.`;
  return instruction === undefined ? undefined : `Use ${instruction}.`;
}

function named(name: string): ForeignParameter | undefined {
  const wanted = plainName(name);
  const found = Object.entries(table.names).find(([one]) => plainName(one) === wanted);
  return found && whole(found[1]);
}

function whole(written: Written): ForeignParameter {
  return { ...written, is: written.is ?? engines[written.of]!.is };
}

/** A name without what engines spell differently: case, hyphens and underscores. */
export function plainName(name: string): string {
  return name.toLowerCase().replaceAll(/[-_]/g, "");
}

import facts from "./foreign-parameters.json" with { type: "json" };

/** A setting by the name that another engine, an API or the server gives it. */
export interface ForeignParameter {
  /** Whose name it is. */
  is: string;
  /** The parameter of a Modelfile that means the same. */
  use?: string;
  /** The line can go: the setting belongs elsewhere, or Ollama decides by itself. */
  remove?: boolean;
  help?: string;
}

const { names } = facts as { names: Readonly<Record<string, ForeignParameter>> };

/** What a foreign name means; case and hyphens do not matter. */
export function foreignParameter(name: string): ForeignParameter | undefined {
  const plain = name.toLowerCase().replaceAll("-", "_").replace(/^_+/, "");
  return Object.hasOwn(names, plain) ? names[plain] : undefined;
}

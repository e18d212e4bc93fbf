import { loadCatalogue } from "../models/catalogue.js";
import type { CatalogueEntry } from "../models/catalogue-entry.js";
import { shortCount } from "./model-page.js";

/** A model of Ollama's library as FROM may name it. */
export interface LibraryName {
  name: string;
  detail: string;
}

interface Names {
  /** Without a tag. */
  families: readonly LibraryName[];
  /** By family, the default sizes first. */
  tags: ReadonlyMap<string, readonly LibraryName[]>;
}

let names: Promise<Names> | undefined;

/** The names of the catalogue, made once. */
export function libraryNames(): Promise<Names> {
  names ??= loadCatalogue().then(({ families, entries }) => {
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    const tags = new Map<string, LibraryName[]>();
    for (const entry of entries) {
      const family = entry.id.slice(0, entry.id.indexOf(":"));
      const known = tags.get(family) ?? [];
      known.push(...tagsOf(entry, family));
      tags.set(family, known);
    }
    for (const all of tags.values()) all.sort((one, other) => rank(one) - rank(other));
    return {
      families: Object.entries(families).map(([name, id]) => {
        const entry = id === null ? undefined : byId.get(id);
        return { name, detail: entry ? entryText(entry) : "" };
      }),
      tags,
    };
  });
  return names;
}

/** "8b" and "latest" before "8b-instruct-q4_K_M": what nobody has to choose a quantisation of. */
function rank({ name }: LibraryName): number {
  return name.includes("-", name.indexOf(":")) ? 1 : 0;
}

function tagsOf(entry: CatalogueEntry, family: string): LibraryName[] {
  const elements = `${shortCount(entry.parameters.total)} parameters`;
  return entry.tags.flatMap(([tags, quantisation, size]) =>
    tags.map((tag) => ({
      name: `${family}:${tag}`,
      detail: [elements, quantisation, size].filter(Boolean).join(", "),
    })),
  );
}

function entryText({ parameters, tags, capabilities }: CatalogueEntry): string {
  const size = tags[0]?.[2];
  const more = capabilities.filter((capability) => capability !== "completion");
  return [`${shortCount(parameters.total)} parameters`, size, ...more].filter(Boolean).join(", ");
}

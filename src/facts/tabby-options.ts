import facts from "./tabby-options.json" with { type: "json" };

interface Table {
  sections: Readonly<Record<string, readonly string[]>>;
  removed: { sections: Readonly<Record<string, readonly string[]>> };
  cacheModes: readonly string[];
  samplers: { names: readonly string[] };
}

const table = facts as Table;

/** Names of a section of TabbyAPI's config.yml, those that newer versions ignore included. */
export function tabbyOptions(section: string): readonly string[] {
  return [...(table.sections[section] ?? []), ...(table.removed.sections[section] ?? [])];
}

/** Values of cache_mode that exllamav2 takes. */
export const tabbyCacheModes = table.cacheModes;

/** Names in a preset of sampler_overrides. */
export const tabbySamplers: ReadonlySet<string> = new Set(table.samplers.names);

import facts from "./llama-server-flags.json" with { type: "json" };
import { within, type Release, type Span } from "./release.js";

interface Table {
  commit: string;
  builds: readonly (Span & { build: string })[];
  flags: readonly (readonly string[])[];
  deprecated: { flags: readonly (readonly string[])[] };
}

const table = facts as Table;

/** Every name of an option, those that newer builds take with a warning included. */
export const llamaServerFlags: ReadonlySet<string> = new Set(
  [...table.flags, ...table.deprecated.flags].flat(),
);

/** The build of llama.cpp that a release comes with: "b10488"; undefined where it has none, or it is not known. */
export function bundledBuild(release: Release): string | undefined {
  return table.builds.find((span) => within(release, span))?.build;
}

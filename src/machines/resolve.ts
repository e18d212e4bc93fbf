import { InputError, type Host } from "../host.js";
import { nearest } from "../nearest.js";
import { quoted, readText } from "../yaml.js";
import type { Machine } from "./machine.js";
import { preset, presetNames } from "./presets.js";
import { readProfile } from "./profile.js";

/**
 * The machine that an option or a configuration names: a preset, or a profile file, relative to
 * `folder`. Throws InputError where there is no such machine, or its profile cannot be used.
 */
export async function resolveMachine(
  reference: string,
  host: Host,
  folder: string,
): Promise<Machine> {
  if (reference === "auto") {
    throw new InputError(
      'Machine "auto" cannot be detected yet. Write a profile: `modelfile-lint machine` lists presets.',
    );
  }
  const path = host.resolve(folder, reference);
  if (/[\\/]|\.(ya?ml|json)$/i.test(reference))
    return readProfile(await readText(path, host), path);
  const known = await preset(reference);
  if (known) return known;
  if ((await host.stat(path))?.kind === "file")
    return readProfile(await readText(path, host), path);
  const near = nearPresets(reference, await presetNames());
  const hint = near.length > 0 ? `Near: ${near.join(", ")}. ` : "";
  throw new InputError(
    `Unknown machine ${quoted(reference)}. ${hint}\`modelfile-lint machine\` lists all.`,
  );
}

/** Up to three presets that share most of a reference's parts, or are spelt much like it. */
function nearPresets(reference: string, names: readonly string[]): string[] {
  const guess = nearest(reference, names);
  if (guess) return [guess];
  const parts =
    reference
      .toLowerCase()
      .slice(0, 64)
      .match(/[a-z]*\d+[a-z]*|[a-z]{3,}/g) ?? [];
  const scored = names.map((name) => ({
    name,
    score: parts.filter((part) => part.length > 1 && name.toLowerCase().includes(part)).join("")
      .length,
  }));
  const best = scored.filter(({ score }) => score > 2).sort((a, b) => b.score - a.score);
  return best.slice(0, 3).map(({ name }) => name);
}

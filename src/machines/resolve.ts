import { InputError, type Host } from "../host.js";
import { decode } from "../../grammar/bytes.js";
import { nearest } from "../nearest.js";
import { quoted, readText } from "../yaml.js";
import type { Machine } from "./machine.js";
import { preset, presetNames } from "./presets.js";
import { readProfile } from "./profile.js";

/** What resolving needs beyond files. */
export interface Around {
  /** Finds out what this computer is; absent where it cannot be looked at. */
  detect?: () => Promise<Machine>;
  /** Takes what the user should know of machines that are left out, one sentence. */
  note?: (text: string) => void;
}

/**
 * The machine that an option or a configuration names: "auto" for this computer, a preset, or a file
 * relative to `folder` that holds a profile or one kind of Kubernetes node. Throws InputError where
 * there is no such machine, or its file cannot be used.
 */
export async function resolveMachine(
  reference: string,
  host: Host,
  folder: string,
  around: Around = {},
): Promise<Machine> {
  const [machine, ...more] = await resolveMachines(reference, host, folder, around);
  if (machine && more.length === 0) return machine;
  const path = host.resolve(folder, reference);
  throw new InputError(`${more.length + 1} kinds of nodes are listed where one machine is meant.`, {
    path,
  });
}

/**
 * The machines that a reference names: as `resolveMachine`, and for a file with the output of
 * `kubectl get nodes -o json` one for each kind of node.
 */
export async function resolveMachines(
  reference: string,
  host: Host,
  folder: string,
  { detect, note }: Around = {},
): Promise<readonly Machine[]> {
  if (reference === "auto") {
    if (detect) return [await detect()];
    throw new InputError(
      'This computer cannot be looked at from here, so machine "auto" is not known. Name a preset or a profile.',
    );
  }
  const path = host.resolve(folder, reference);
  if (/[\\/]|\.(ya?ml|json)$/i.test(reference)) return machinesInFile(path, host, note);
  const known = await preset(reference);
  if (known) return [known];
  if ((await host.stat(path))?.kind === "file") return machinesInFile(path, host, note);
  const near = nearPresets(reference, await presetNames());
  const hint = near.length > 0 ? `Near: ${near.join(", ")}. ` : "";
  throw new InputError(
    `Unknown machine ${quoted(reference)}. ${hint}\`modelfile-lint machine\` lists all.`,
  );
}

/**
 * The machines that a text describes: one profile (YAML or JSON), or the nodes of Kubernetes. `path` is
 * what errors call it.
 */
export async function machinesInText(
  text: string,
  path: string,
  note: Around["note"] = () => {},
): Promise<readonly Machine[]> {
  const { looksLikeNodes, readNodes } = await import("./kubernetes.js");
  if (looksLikeNodes(text)) {
    const { machines, notes } = await readNodes(text, path);
    for (const one of notes) note(one);
    return machines;
  }
  if (/^kind: (List|NodeList|Node)$/m.test(text)) {
    throw new InputError("Nodes are read from JSON. Write it with `kubectl get nodes -o json`.", {
      path,
    });
  }
  return [await readProfile(text, path)];
}

/** Bytes. A node takes some 20 KB, most of it the names of its images. */
export const largestFleet = 64 * 2 ** 20;

async function machinesInFile(
  path: string,
  host: Host,
  note: Around["note"],
): Promise<readonly Machine[]> {
  const entry = await host.stat(path);
  const large = entry?.kind === "file" && entry.size > 4 * 2 ** 20;
  if (large && /\.json$/i.test(path) && entry.size <= largestFleet) {
    const bytes = await host.read(path).catch(() => {
      throw new InputError(`${quoted(path)} cannot be read.`, { path });
    });
    return machinesInText(decode(bytes).text, path, note);
  }
  return machinesInText(await readText(path, host), path, note);
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

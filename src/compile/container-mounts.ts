import type { LocalText } from "./local-texts.js";
import { unreachable } from "./local-texts.js";
import type { Note } from "./target.js";

/** Where the Modelfile lies in a container, and what lies there beside it. */
export interface Layout {
  /** The folder of the Modelfile, without a slash at the end. */
  folder: string;
  /** The Modelfile's own folder is needed as a whole. */
  wholeFolder: boolean;
  mounts: readonly Mount[];
  notes: readonly Note[];
}

export interface Mount {
  /** From the Modelfile's own folder, or from the root; "~" is the user's home. */
  source: string;
  target: string;
}

/** A path that begins in the Modelfile's folder. */
interface Relative {
  /** How many folders it climbs first. */
  up: number;
  names: readonly string[];
}

/**
 * Puts every file at the place where the Modelfile's own text finds it. `root`: a folder of the container,
 * below which everything lies that has no path of its own.
 */
export function layoutOf(texts: readonly LocalText[], root = "/modelfile"): Layout {
  const notes: Note[] = [];
  const reachable = texts.filter((local) => {
    const why = unreachable(local);
    if (why !== undefined) notes.push({ ...(local.at && { at: local.at }), message: why });
    return why === undefined;
  });
  const climbs = reachable.map(({ text }) => (isRelative(text) ? relative(text).up : 0));
  const folders = [root, ...Array.from({ length: Math.max(0, ...climbs) }, () => "in")];
  const mounts = new Map<string, Mount>();
  let wholeFolder = false;
  for (const { text, at } of reachable) {
    if (!isRelative(text)) {
      const target = text.startsWith("~") ? `/root${text.slice(1)}` : text;
      mounts.set(target, { source: text, target });
      continue;
    }
    const { up, names } = relative(text);
    if (names.length === 0 && up > 0) {
      const message = `"${text}" holds the Modelfile's own folder, and cannot lie beside it in a container. Name a folder inside.`;
      notes.push({ ...(at && { at }), message });
      continue;
    }
    wholeFolder ||= names.length === 0;
    const target = [...folders.slice(0, folders.length - up), ...names].join("/");
    const source = [up === 0 ? "." : Array.from({ length: up }, () => "..").join("/"), ...names];
    mounts.set(target, { source: source.join("/"), target });
  }
  const folder = folders.join("/");
  const inFolder = ({ target }: Mount) => target.startsWith(`${folder}/`);
  return {
    folder,
    wholeFolder,
    mounts: [...mounts.values()].filter((mount) => !wholeFolder || !inFolder(mount)),
    notes,
  };
}

function isRelative(text: string): boolean {
  return !/^(?:\/|~(?:\/|$))/.test(text);
}

function relative(text: string): Relative {
  const names: string[] = [];
  let up = 0;
  for (const part of text.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") names.push(part);
    else if (names.pop() === undefined) up++;
  }
  return { up, names };
}

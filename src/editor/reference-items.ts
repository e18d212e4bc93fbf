import { catalogueModel } from "../models/catalogue.js";
import { longestList, type Completion, type Slot, type Sources } from "./completion.js";
import { plansOf } from "./fit.js";
import { libraryNames, type LibraryName } from "./model-names.js";
import { modelPage } from "./model-page.js";
import type { View } from "./view.js";

/** What FROM, ADAPTER or DRAFT may name: paths, and behind FROM models. */
export async function referenceItems(
  view: View,
  keyword: "FROM" | "ADAPTER" | "DRAFT",
  slot: Slot,
  sources: Sources,
): Promise<Completion[]> {
  if (/[\\/]/.test(slot.typed) && isPath(slot.typed)) return pathItems(keyword, slot, sources);
  if (slot.typed === "~" || /^\.{1,2}$/.test(slot.typed)) {
    return [folderItem(`${slot.typed}/`, slot)];
  }
  const beside = besideItems(keyword, slot, sources);
  if (keyword !== "FROM") return beside;
  const [own, files, library] = await Promise.all([
    ownNames(slot, sources),
    beside,
    libraryOf(slot),
  ]);
  const taken = new Set(own.map(({ name }) => name));
  const names = library.filter(({ name }) => !taken.has(name));
  const items = [...modelItems(own, view, slot), ...files, ...modelItems(names, view, slot)];
  return items.slice(0, longestList);
}

function isPath(typed: string): boolean {
  return /^(?:\.{0,2}[\\/]|~[\\/]|[A-Za-z]:[\\/])/.test(typed);
}

function folderItem(text: string, { replaces }: Slot): Completion {
  return { label: text, kind: "folder", replaces, text, again: true };
}

/** What the instruction can read; folders hold more. */
const readable: Readonly<Record<"FROM" | "ADAPTER" | "DRAFT", RegExp>> = {
  FROM: /\.(?:gguf|safetensors|bin)$/i,
  ADAPTER: /\.(?:gguf|safetensors|bin)$/i,
  DRAFT: /\.(?:gguf|safetensors)$/i,
};

/** What lies in the folder that a path has come to. The last part alone is replaced. */
async function pathItems(
  keyword: "FROM" | "ADAPTER" | "DRAFT",
  { typed, replaces }: Slot,
  sources: Sources,
): Promise<Completion[]> {
  const cut = Math.max(typed.lastIndexOf("/"), typed.lastIndexOf("\\")) + 1;
  const name = typed.slice(cut);
  const span = { start: replaces.start + cut, end: replaces.end };
  const entries = (await sources.list?.(typed.slice(0, cut))) ?? [];
  return entries
    .filter((entry) => isOffered(entry, readable[keyword], name))
    .toSorted(byKindAndName)
    .slice(0, longestList)
    .map((entry) => entryItem(entry, "", span));
}

interface Entry {
  name: string;
  kind: "file" | "folder";
}

/** Hidden files are shown to those alone who ask for them. */
function isOffered({ name, kind }: Entry, files: RegExp, typed: string): boolean {
  if (name.startsWith(".") && !typed.startsWith(".")) return false;
  if (/[\r\n"]/.test(name)) return false;
  return kind === "folder" || files.test(name);
}

function byKindAndName(one: Entry, other: Entry): number {
  if (one.kind !== other.kind) return one.kind === "file" ? -1 : 1;
  return one.name < other.name ? -1 : one.name > other.name ? 1 : 0;
}

function entryItem({ name, kind }: Entry, folder: string, replaces: Slot["replaces"]): Completion {
  const text = folder + name;
  return kind === "folder"
    ? { label: `${text}/`, kind, replaces, text: `${text}/`, again: true }
    : { label: text, kind, replaces, text };
}

/** Files beside the Modelfile, written as paths. */
async function besideItems(
  keyword: "FROM" | "ADAPTER" | "DRAFT",
  { typed, replaces }: Slot,
  sources: Sources,
): Promise<Completion[]> {
  if (/[\\/:]/.test(typed)) return [];
  const entries = (await sources.list?.("./")) ?? [];
  const items = entries
    .filter((entry) => isOffered(entry, readable[keyword], typed))
    .toSorted(byKindAndName)
    .map((entry) => ({ ...entryItem(entry, "./", replaces), filter: entry.name }));
  return items.slice(0, longestList);
}

/** Models on the disk and of the server. */
async function ownNames({ typed }: Slot, sources: Sources): Promise<LibraryName[]> {
  const models = (await sources.models?.()) ?? [];
  return models
    .filter(({ name }) => matches(name.toLowerCase(), typed.toLowerCase()))
    .map(({ name, detail }) => ({ name, detail: detail ?? "on this machine" }));
}

/** Names of the library: families, and the tags of the one that is named. */
async function libraryOf({ typed }: Slot): Promise<LibraryName[]> {
  const wanted = typed.toLowerCase();
  const { families, tags } = await libraryNames();
  const [family = ""] = wanted.split(":");
  const all = wanted.includes(":") ? [] : families;
  return [...all, ...(tags.get(family) ?? [])].filter(({ name }) =>
    matches(name.toLowerCase(), wanted),
  );
}

function modelItems(names: readonly LibraryName[], view: View, { replaces }: Slot): Completion[] {
  return names.map(({ name, detail }) => ({
    label: name,
    kind: "model",
    replaces,
    text: name,
    ...(detail !== "" && { detail }),
    markdown: () => pageOf(name, view),
  }));
}

/** A name, or one of its parts, begins with what is typed. */
function matches(name: string, typed: string): boolean {
  if (name.startsWith(typed)) return true;
  return new RegExp(`[/:_.-]${typed.replace(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`)}`).test(name);
}

/** What is known of a library model, and what would become of it here. */
async function pageOf(name: string, view: View): Promise<string | undefined> {
  const model = await catalogueModel(name);
  if (!model) return undefined;
  return modelPage(
    model,
    plansOf(view).map((plan) => plan.otherwise({ model })),
  );
}

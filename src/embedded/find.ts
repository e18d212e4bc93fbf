import type { Island, Surrounding } from "./island.js";
import { literalsIn } from "./literals.js";
import { fencesIn, type Fence } from "./markdown.js";
import { kindOfLanguage, kindOfName, type Kind } from "./names.js";
import { nested, type Passage } from "./passage.js";
import { hereStringsIn } from "./powershell.js";
import { islandOf } from "./recognise.js";
import { writtenIn, type Candidate } from "./shell.js";

/** A script in a fence of a quoted reply is deep enough. */
const deepest = 4;

/** Texts without any of these hold no Modelfile that anything here would find. */
const traces = /modelfile|ollama|\bFROM[ \t]/i;

/**
 * The Modelfiles inside a file that is none itself, in order. What kind of file it is its name says; one
 * without an extension may say it on its first line ("#!/bin/sh"). Never throws, and takes linear time.
 */
export async function islandsIn(path: string, text: string): Promise<Island[]> {
  const kind = kindOfName(path) ?? (/^#!.*\b(?:ba|da|k|z)?sh\b/.test(text) ? "shell" : undefined);
  if (!kind || !traces.test(text)) return [];
  const found = await search(kind, text, { of: (passage) => passage, depth: 0 });
  return found.sort((one, other) => one.at.start - other.at.start);
}

/** Where a text comes from: a passage of it, as one of the file around everything. */
interface Place {
  of: (passage: Passage) => Passage;
  depth: number;
}

async function search(kind: Kind, text: string, place: Place): Promise<Island[]> {
  switch (kind) {
    case "markdown":
      return all(fencesIn(text), (fence) => inFence(fence, place));
    case "yaml":
      return inYaml(text, place);
    case "shell":
    case "dockerfile":
      return all(writtenIn(text), (candidate) => inScript(candidate, kind, place));
    case "powershell":
      return all(hereStringsIn(text), (candidate) => inScript(candidate, kind, place));
    default:
      return all(literalsIn(text, kind), async (passage) =>
        present(islandOf(place.of(passage), "code", "nothing")),
      );
  }
}

/** What a text within a text holds. */
async function within(passage: Passage, kind: Kind, { of, depth }: Place): Promise<Island[]> {
  if (depth >= deepest || !traces.test(passage.text)) return [];
  const place = { of: (inner: Passage) => of(nested(passage, inner)), depth: depth + 1 };
  return search(kind, passage.text, place);
}

function present(island: Island | undefined): Island[] {
  return island ? [island] : [];
}

async function all<T>(
  list: readonly T[],
  islands: (one: T) => Promise<Island[]>,
): Promise<Island[]> {
  const found: Island[] = [];
  for (const one of list) for (const island of await islands(one)) found.push(island);
  return found;
}

/** Languages that people call a Modelfile's fence by for want of a better one. */
const substitutes = new Set([
  "",
  "bash",
  "conf",
  "config",
  "console",
  "docker",
  "dockerfile",
  "ini",
  "makefile",
  "ollama",
  "plain",
  "plaintext",
  "sh",
  "shell",
  "text",
  "toml",
  "txt",
  "yaml",
  "zsh",
]);

async function inFence({ language, info, passage }: Fence, place: Place): Promise<Island[]> {
  if (/\bmodelfile-lint-disable\b/.test(info)) return [];
  if (/^(?:ollama-?)?modelfile$/.test(language)) {
    return present(islandOf(place.of(passage), "markdown", "said"));
  }
  if (/\bmodelfile\b/i.test(info)) {
    const island = islandOf(place.of(passage), "markdown", "named");
    if (island) return [island];
  }
  if (!traces.test(passage.text)) return [];
  if (substitutes.has(language)) {
    const evidence = language === "ollama" ? "named" : "nothing";
    const island = islandOf(place.of(passage), "markdown", evidence);
    if (island) return [island];
  }
  const kind = kindOfLanguage(language);
  return kind ? within(passage, kind, place) : [];
}

/** Helm's own expressions; a TEMPLATE has none of these. */
const helm = /\{\{-?\s*(?:\.(?:Chart|Release|Values)\b|include\s|tpl\s)/;

async function inYaml(text: string, place: Place): Promise<Island[]> {
  const { scalarsIn } = await import("./scalars.js");
  const compose = /^services:/m.test(text);
  return all(await scalarsIn(text), async ({ key, passage }) => {
    // Docker Compose expands variables before anything else does, and Helm whatever it likes.
    if ((compose && passage.text.includes("$")) || helm.test(passage.text)) return [];
    const evidence = /modelfile/i.test(key) ? "named" : "nothing";
    const island = islandOf(place.of(passage), "yaml", evidence);
    return island ? [island] : within(passage, "shell", place);
  });
}

/** What a script writes: a Modelfile, or a script that does. */
async function inScript(
  { passage, evidence }: Candidate,
  surrounding: Surrounding & Kind,
  place: Place,
): Promise<Island[]> {
  const island = islandOf(place.of(passage), surrounding, evidence);
  return island ? [island] : within(passage, "shell", place);
}

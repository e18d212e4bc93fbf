import { parseName, parseReference } from "../../grammar/model-name.js";
import type { Modelfile, Span } from "../../grammar/tree.js";
import { directivesIn } from "../directives.js";
import { ruleNamed } from "../../rules/index.js";
import { ruleUrl } from "../facts/pages.js";
import { fromsOf } from "../ollama/from.js";
import type { View } from "./view.js";

/** Something in a file that points elsewhere. */
export interface Link {
  at: Span;
  to: Target;
  /** What following it shows; a few words. */
  tooltip: string;
}

export type Target =
  | { kind: "url"; url: string }
  /** As written, from the folder of the file. */
  | { kind: "path"; path: string };

/** What can be followed, in the order of the text. */
export function links(view: View): Link[] {
  const { file } = view;
  const all = [...pathLinks(view), ...modelLinks(view), ...ruleLinks(view), ...urlLinks(file)];
  return all.sort((one, other) => one.at.start - other.at.start);
}

/** Files that FROM, ADAPTER and DRAFT name. A folder cannot be opened, nor what is known not to be there. */
export function pathLinks({ file, contexts: [{ files, localFrom }] }: View): Link[] {
  const named = file.statements.flatMap((node) => {
    const names = node.kind === "instruction" && (node.name === "ADAPTER" || node.name === "DRAFT");
    return names && node.value && node.flaws.length === 0 ? [node.value] : [];
  });
  const froms = fromsOf(file, localFrom).filter(({ kind }) => kind === "file");
  return [...froms.map(({ value }) => value), ...named].flatMap(({ text, content }): Link[] => {
    if (text === "" || /^\.{1,2}[\\/]?$/.test(text)) return [];
    const found = files?.get(text)?.kind ?? "file";
    if (found !== "file") return [];
    return [{ at: content, to: { kind: "path", path: text }, tooltip: "Open the file" }];
  });
}

/** Models that FROM names, where their registry has pages. */
function modelLinks({ file, contexts: [{ localFrom }] }: View): Link[] {
  return fromsOf(file, localFrom).flatMap(({ kind, text, value }): Link[] => {
    const page = kind === "name" ? modelPage(text) : undefined;
    if (!page) return [];
    const { url, site } = page;
    return [{ at: value.content, to: { kind: "url", url }, tooltip: `Show the model on ${site}` }];
  });
}

function modelPage(text: string): { url: string; site: string } | undefined {
  const reference = parseReference(text);
  if (!reference.ok) return undefined;
  // ":cloud" is a tag of the library, ":local" is none.
  const name = parseName(reference.source === "local" ? reference.base : text.trim());
  const host = name.host.toLowerCase();
  const { namespace, model, tag } = name;
  if (host === "hf.co" || host === "huggingface.co") {
    return { url: `https://huggingface.co/${namespace}/${model}`, site: "Hugging Face" };
  }
  if (host !== "registry.ollama.ai") return undefined;
  const tagged = tag === "latest" ? model : `${model}:${tag}`;
  return { url: `https://ollama.com/${namespace}/${tagged}`, site: "ollama.com" };
}

function ruleLinks({ file }: View): Link[] {
  return directivesIn(file).flatMap(({ rules }) =>
    rules
      .filter(({ text }) => ruleNamed(text) !== undefined)
      .map(({ text, start, end }): Link => {
        const tooltip = "Show the rule's page";
        return { at: { start, end }, to: { kind: "url", url: ruleUrl(text) }, tooltip };
      }),
  );
}

/** Addresses in comments and licences. */
function urlLinks({ nodes, text }: Modelfile): Link[] {
  return nodes.flatMap((node) => {
    if (node.kind === "comment") return urlsIn(text, node);
    const licence = node.kind === "instruction" && node.name === "LICENSE" && node.value;
    return licence ? urlsIn(text, licence.content) : [];
  });
}

function urlsIn(text: string, { start, end }: Span): Link[] {
  const found = text.slice(start, end).matchAll(/\bhttps?:\/\/[^\s<>"'`|\\^{}[\]]+/g);
  return [...found].flatMap(({ index, 0: whole }): Link[] => {
    const url = withoutSentence(whole);
    if (!URL.canParse(url)) return [];
    const at = { start: start + index, end: start + index + url.length };
    return [{ at, to: { kind: "url", url }, tooltip: "Open the address" }];
  });
}

/** An address without what ends the sentence or closes the brackets that it stands in. */
function withoutSentence(url: string): string {
  const ends = url.includes("(") ? /[.,;:!?*]/ : /[.,;:!?*)]/;
  let end = url.length;
  while (end > 0 && ends.test(url[end - 1]!)) end--;
  return url.slice(0, end);
}

import { endOfGeneration, families, type Family } from "../facts/families.js";
import type { Model } from "../models/model.js";
import { foreignTo, titlesOf } from "../prompt/family.js";
import { specialTokens } from "../prompt/tokens.js";
import { familiesIn, tokensOf } from "./family-of.js";
import { code, paragraphs } from "./markdown.js";
import type { Span } from "../../grammar/tree.js";
import type { View } from "./view.js";

const known: ReadonlySet<string> = new Set([
  ...families.flatMap((family) => tokensOf(family)),
  ...endOfGeneration,
]);

/** The special token of a text that a place is in: of a known family, or of the look of one. */
export function tokenAt(text: string, offset: number): (Span & { token: string }) | undefined {
  // No token is longer, and a template may be.
  const from = Math.max(0, offset - longest);
  const near = text.slice(from, offset + longest);
  const spans = specialTokens(near, [...known]);
  const found = spans.find(({ start, end }) => from + start <= offset && offset <= from + end);
  if (!found) return undefined;
  const token = near.slice(found.start, found.end);
  return { token, start: from + found.start, end: from + found.end };
}

const longest = 100;

/** Whose token a text is, and what it does; undefined where nobody is known to have it. */
export function tokenPage(token: string, view: View): string | undefined {
  const { model } = view.contexts[0];
  const whose = families.filter((family) => tokensOf(family).includes(token));
  const id = model && idOf(model, token);
  if (whose.length === 0 && id === undefined && !endOfGeneration.has(token)) return undefined;
  return paragraphs([
    `**Special token** ${code(token)}${whose.length > 0 ? ` of ${titlesOf(whose)}` : ""}`,
    [...roles(token, whose), ...ofModel(token, view, id)].join(" "),
  ]);
}

/** What the families' models do with it. */
function roles(token: string, whose: readonly Family[]): string[] {
  const ends = whose.filter(({ end }) => end === token);
  const starts = whose.filter(({ bos }) => bos === token);
  return [
    ...(ends.length > 0 ? ["Ends an answer."] : []),
    ...(starts.length > 0 ? ["The tokenizer puts it in front of every prompt."] : []),
    ...(endOfGeneration.has(token) && ends.length === 0
      ? ["llama.cpp ends an answer at it wherever a vocabulary has it."]
      : []),
  ];
}

function ofModel(token: string, view: View, id: number | undefined): string[] {
  const { model } = view.contexts[0];
  if (!model) return [];
  const name = code(model.name);
  if (id !== undefined) return [`Token ${id} of ${name}'s vocabulary.`];
  const own = familiesIn(view);
  if (foreignTo(model, [token]).length > 0) {
    const instead = own.length > 0 ? `: it writes ${titlesOf(own)}` : "";
    return [`${name} was not trained with it${instead}.`];
  }
  return own.some((family) => tokensOf(family).includes(token)) ? [`${name} knows it.`] : [];
}

function idOf({ tokenizer }: Model, token: string): number | undefined {
  for (const [id, text] of tokenizer?.bracketed ?? []) if (text === token) return id;
  return undefined;
}

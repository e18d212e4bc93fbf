import { parametersOf } from "../../grammar/tree.js";
import { families, type Family } from "../facts/families.js";
import type { Model } from "../models/model.js";
import { familiesOf, likeliestFamilies, tokensWritten, vocabularyOf } from "../prompt/family.js";
import { templateOf } from "../prompt/file-template.js";
import type { View } from "./view.js";

/**
 * How the model's turns are written, as far as that is known: by its template in the library, by its
 * vocabulary, by architecture and name, or by what the file's own TEMPLATE writes. Several may fit.
 */
export function familiesIn({ file, contexts: [{ model, release }] }: View): readonly Family[] {
  const known = model ? familiesOfModel(model) : [];
  if (known.length > 0) return known;
  const template = templateOf(file, release);
  return template ? likeliestFamilies(tokensWritten(template).map(({ token }) => token)) : [];
}

/** Of a model alone. */
export function familiesOfModel(model: Model): readonly Family[] {
  const own = familiesOf(model);
  if (own.length > 0) return own;
  const vocabulary = vocabularyOf(model);
  const fits = vocabulary
    ? families.filter(
        (family) => family.vocabulary && family.tokens.every((token) => vocabulary.has(token)),
      )
    : [];
  const name = model.name.toLowerCase();
  const named = families.filter(
    ({ architectures, names }) =>
      architectures.includes(model.shape.architecture) && names.some((one) => name.includes(one)),
  );
  const both = named.filter((family) => fits.includes(family));
  return [both, fits, named].find((some) => some.length > 0) ?? [];
}

/** Everything special that a family's prompts and answers hold, what turns are made of first. */
export function tokensOf({ tokens, also = [], end, stops }: Family): string[] {
  return [...new Set([...tokens, end, ...stops, ...also])];
}

/** The stop strings that lines of the file set. */
export function stopsSet({ file }: View): Set<string> {
  const stops = parametersOf(file).filter(({ parameter }) => parameter === "stop");
  return new Set(stops.flatMap(({ value }) => (value?.text ? [value.text] : [])));
}

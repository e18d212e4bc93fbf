import type { ModelChoice } from "../config/config.js";
import { InputError, type Host, type InputPlace } from "../host.js";
import { parseSize, sizeProblem } from "../machines/sizes.js";
import { nearest } from "../nearest.js";
import { quoted, readText, readYaml } from "../yaml.js";
import { catalogueEntry, modelLike, nearestCatalogueNames } from "./catalogue.js";
import { readGguf } from "./gguf.js";
import type { Model } from "./model.js";

/** A library model of the same shape, and bytes of the file that is meant. */
type Likeness = Exclude<ModelChoice, string>;

/**
 * The model that a configuration or an option chooses for `name`: a GGUF file, a YAML or JSON file that
 * describes the model, both relative to `folder`, or the description itself. Throws InputError where
 * there is no such file or library model, or it cannot be used.
 */
export async function describedModel(
  choice: ModelChoice,
  name: string,
  folder: string,
  host: Host,
): Promise<Model> {
  if (typeof choice !== "string") return likeModel(choice, name);
  const path = host.resolve(folder, choice);
  if (!/\.(ya?ml|json)$/i.test(choice)) return readGguf(path, host, name);
  const { likeness, place } = await readDescription(path, host);
  return likeModel(likeness, name, place);
}

/**
 * A model called `name` of the shape of a library model. Throws InputError at `place` where the library
 * has no such model.
 */
export async function likeModel(
  { like, weights }: Likeness,
  name: string,
  place?: InputPlace,
): Promise<Model> {
  const model = await modelLike(like, weights, name);
  if (model) return model;
  if (await catalogueEntry(like)) {
    const problem = `The tensors of ${quoted(like)} are not known.`;
    throw new InputError(`${problem} Name another tag of the same model.`, place);
  }
  const near = await nearestCatalogueNames(like, 3);
  const hint = near.length > 0 ? `Near: ${near.join(", ")}.` : `Name one like ${example}.`;
  throw new InputError(`Ollama's library has no model ${quoted(like)}. ${hint}`, place);
}

const example = "llama3.3:70b";
const keys = ["like", "weights"];

async function readDescription(
  path: string,
  host: Host,
): Promise<{ likeness: Likeness; place: InputPlace }> {
  const { value, locate } = await readYaml(await readText(path, host), path);
  const fail: (message: string, at: string[], part?: "key") => never = (message, at, part) => {
    throw new InputError(message, { path, ...locate(at, part) });
  };
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    fail(`A model's description is a mapping. Write it like like: ${example}.`, []);
  }
  const entries = new Map<string, unknown>(Object.entries(value));
  for (const key of entries.keys()) {
    if (keys.includes(key)) continue;
    const guess = nearest(key, keys);
    const hint = guess ? `Did you mean "${guess}"?` : `Known: ${keys.join(", ")}.`;
    fail(`Unknown key ${quoted(key)}. ${hint}`, [key], "key");
  }
  const like = entries.get("like");
  if (like === undefined) fail(`like is missing. Add like: ${example}.`, []);
  if (typeof like !== "string")
    fail(`like takes a model of Ollama's library: ${example}.`, ["like"]);
  const place = { path, ...locate(["like"]) };
  const weights = entries.get("weights");
  if (weights === undefined) return { likeness: { like }, place };
  if (typeof weights !== "string" && typeof weights !== "number") {
    fail("weights takes a size such as 16GiB.", ["weights"]);
  }
  const bytes = parseSize(weights);
  if (bytes) return { likeness: { like, weights: bytes }, place };
  const problem = bytes === 0 ? "0 is no size of a model." : sizeProblem(weights);
  return fail(`weights: ${problem}`, ["weights"]);
}

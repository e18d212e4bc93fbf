import { since } from "../facts/release.js";
import { formatBytes } from "../machines/sizes.js";
import type { Model } from "../models/model.js";
import type { LocalText } from "./local-texts.js";
import type { Source } from "./target.js";

/** Whole GiB for a volume, and how they come about. */
export interface VolumeSize {
  gib: number;
  why: string;
}

/** Where the model is not known, and at least. */
const usual = 50;
const least = 10;

/** What the server's volume holds once the model is made, and while it is. */
export function volumeSize({ model, release }: Source, texts: readonly LocalText[]): VolumeSize {
  if (!model) return { gib: usual, why: "The model is not known: make room for its weights." };
  const bytes = weightsOf(model);
  const [copies, what] = copiesOf(texts, since(release, "0.30.0"));
  const times = copies === 1 ? "" : `${copies} times `;
  return {
    gib: Math.max(least, Math.ceil((copies * bytes * 11) / 10 / 2 ** 30)),
    why: `${times}${formatBytes(bytes)} of weights, and a tenth: ${what}.`,
  };
}

/** Ollama keeps what it is sent beside what it makes of it, until it removes what nothing names. */
function copiesOf(texts: readonly LocalText[], rewrites: boolean): [copies: number, what: string] {
  if (texts.length === 0) return [1, "a model made from another by name shares its weights"];
  if (texts.some(({ kind }) => kind === "folder")) {
    return [3, "the folder, what is uploaded of it, and the GGUF file that becomes of it"];
  }
  // 0.30.0:server/create.go copyLayerWithLlamaQuantize
  if (rewrites) return [3, "the file, its upload, and the copy that Ollama writes of that"];
  return [2, "the file, and its upload"];
}

function weightsOf({ fileBytes, projectorBytes = 0, adapters = [], draft }: Model): number {
  const added = adapters.reduce((sum, { bytes }) => sum + bytes, 0);
  return fileBytes + projectorBytes + added + (draft ? weightsOf(draft) : 0);
}

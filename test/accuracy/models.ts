import type { Host } from "../../src/host.js";
import { readGguf } from "../../src/models/gguf.js";
import type { Header, KeyValue } from "../../src/models/header.js";
import { blockOf } from "../../src/models/tensor-types.js";
import { ggufHeader, type GgufTensor, type GgufValue } from "../gguf-file.js";
import facts from "./models.json" with { type: "json" };
import { tensorsOf, type Description } from "./tensors.js";

/** By name: the models that were measured. */
const models: ReadonlyMap<string, Description> = new Map(
  Object.entries(facts as Readonly<Record<string, Description>>),
);

export const modelNames: readonly string[] = [...models.keys()];

function described(name: string): Description {
  const description = models.get(name);
  if (!description) throw new Error(`No model is called ${name}.`);
  return description;
}

type Value = Description["keys"][string];

/** All keys of a model but its words. */
function keysOf(name: string): [key: string, value: Value][] {
  const { architecture, vocabulary, keys } = described(name);
  return [
    ["general.architecture", architecture],
    ["general.name", name],
    ...Object.entries(keys).map(([key, value]): [string, Value] => [
      key.startsWith("tokenizer.") ? key : `${architecture}.${key}`,
      value,
    ]),
    [`${architecture}.vocab_size`, vocabulary],
    ["tokenizer.ggml.model", "none"],
  ];
}

/**
 * The header of a model that was measured.
 * @throws Error where none is called so.
 */
export function headerOf(name: string): Header {
  const words: [string, KeyValue] = [
    "tokenizer.ggml.tokens",
    { length: described(name).vocabulary },
  ];
  return {
    keys: new Map<string, KeyValue>([...keysOf(name), words]),
    tensors: tensorsOf(described(name)).map((tensor) => ({ ...tensor, bytes: dataBytes(tensor) })),
  };
}

function dataBytes({ type, dims }: GgufTensor): number {
  const { elements, bytes } = blockOf(type);
  return (dims.reduce((product, length) => product * length, 1) / elements) * bytes;
}

/** The same header, written to a file in memory and read back as any other: up to a second. */
export async function readBack(name: string): Promise<Header> {
  const words = Array.from({ length: described(name).vocabulary }, () => "");
  const metadata: Record<string, GgufValue> = {
    ...Object.fromEntries(keysOf(name).map(([key, value]) => [key, stored(value)])),
    "tokenizer.ggml.tokens": words,
  };
  const bytes = ggufHeader(metadata, tensorsOf(described(name)));
  const { header } = await readGguf("model.gguf", holding(bytes), name);
  if (!header) throw new Error(`The file of ${name} gives no header.`);
  return header;
}

/** Whole numbers and fractions in one array are stored as fractions. */
function stored(value: Value): GgufValue {
  return Array.isArray(value) && value.some((one) => !Number.isInteger(Number(one)))
    ? { type: "float32", value }
    : value;
}

/** A host with one file, whatever it is called. */
function holding(bytes: Uint8Array): Host {
  return {
    resolve: (_, name) => name,
    stat: () => Promise.resolve({ kind: "file", size: bytes.length }),
    read: (_, start, end) => Promise.resolve(bytes.slice(start, end)),
    list: () => Promise.resolve([]),
    variable: () => undefined,
  };
}

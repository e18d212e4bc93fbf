import type { Host } from "../host.js";
import type { GgufHeader } from "./gguf-header.js";
import type { KeyValue, LongArray, TensorInfo } from "./header.js";

/** Says whether what was read under this name can still be told from what would be read now. */
const form = "gguf-header-1";

/** Headers that a run keeps in memory; a model in parts has a few hundred. */
const most = 512;

const known = new WeakMap<Host, Map<string, Promise<GgufHeader>>>();

/**
 * The header of a file, read once for each content: in a run, and between runs where the host keeps
 * things. `content` names it: the digest of a blob in Ollama's store, or a path with size and time. A
 * header that cannot be read is not kept.
 */
export function headerOnce(
  host: Host,
  content: string,
  read: () => Promise<GgufHeader>,
): Promise<GgufHeader> {
  const headers = known.get(host) ?? new Map<string, Promise<GgufHeader>>();
  known.set(host, headers);
  const before = headers.get(content);
  if (before) return before;
  const header = keptOrRead(host, content, read);
  if (headers.size >= most) headers.clear();
  headers.set(content, header);
  header.catch(() => headers.delete(content));
  return header;
}

async function keptOrRead(
  { kept }: Host,
  content: string,
  read: () => Promise<GgufHeader>,
): Promise<GgufHeader> {
  if (!kept) return read();
  const key = `${form} ${content}`;
  const text = await kept.read(key);
  const before = text === undefined ? undefined : readWritten(text);
  if (before) return before;
  const header = await read();
  if (isPlain(header)) await kept.write(key, written(header));
  return header;
}

interface Written extends Omit<GgufHeader, "header"> {
  keys: [string, KeyValue | WrittenArray][];
  tensors: readonly TensorInfo[];
}

/** A long array; its tokens as pairs, since JSON has no maps. */
interface WrittenArray {
  length: number;
  tokens?: [number, string][];
}

function written({ header, ...rest }: GgufHeader): string {
  const keys = [...header.keys].map(([key, value]): Written["keys"][number] => [
    key,
    isLong(value) ? writtenArray(value) : value,
  ]);
  return JSON.stringify({ ...rest, keys, tensors: header.tensors } satisfies Written);
}

/** Whether JSON can say it: infinite numbers it cannot. */
function isPlain({ header }: GgufHeader): boolean {
  return [...header.keys.values()].every((value) =>
    Array.isArray(value) ? value.every(isFiniteOrNone) : isFiniteOrNone(value),
  );
}

function isFiniteOrNone(value: unknown): boolean {
  return typeof value !== "number" || Number.isFinite(value);
}

function writtenArray({ length, bracketed }: LongArray): WrittenArray {
  return { length, ...(bracketed && { tokens: [...bracketed] }) };
}

/** Undefined for what a broken disk, or somebody's hand, has left there. */
function readWritten(text: string): GgufHeader | undefined {
  try {
    const { keys, tensors, ...rest } = JSON.parse(text) as Written;
    return { ...rest, header: { keys: new Map(keys.map(readEntry)), tensors: [...tensors] } };
  } catch {
    return undefined;
  }
}

function readEntry([key, value]: Written["keys"][number]): [string, KeyValue] {
  if (!isLong(value)) return [key, value];
  const { length, tokens } = value as WrittenArray;
  return [key, { length, ...(tokens && { bracketed: new Map(tokens) }) }];
}

function isLong(value: KeyValue | WrittenArray): value is LongArray {
  return typeof value === "object" && !Array.isArray(value);
}

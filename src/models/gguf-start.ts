/** What a GGUF file says of itself in its first keys; converters write these first of all. */
export interface GgufStart {
  /** general.architecture */
  architecture?: string;
  /** general.type: "model", "adapter", "mmproj", "imatrix"; files made before mid-2024 have none. */
  type?: string;
  /** general.basename: what the model is called, without its size and its version. */
  basename?: string;
}

/** GGUF's types of values that have a size of their own (ggml/include/gguf.h), with their bytes. */
const sizes: ReadonlyMap<number, number> = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
]);
const textType = 8;

const wanted: ReadonlyMap<string, keyof GgufStart> = new Map([
  ["general.architecture", "architecture"],
  ["general.type", "type"],
  ["general.basename", "basename"],
]);

/**
 * The wanted keys among those that `bytes`, the beginning of a GGUF file, hold whole; arrays are walked
 * over. Reads no file to its end and complains of nothing: that is gguf-header.ts' matter.
 */
export function ggufStart(bytes: Uint8Array): GgufStart {
  const found: GgufStart = {};
  const reader = readerOf(bytes);
  const keys = reader.start();
  for (let count = 0; count < keys; count++) {
    const key = reader.text();
    const type = reader.word();
    if (key === undefined || type === undefined) break;
    if (type === textType) {
      const text = reader.text();
      const name = wanted.get(key);
      if (text === undefined) break;
      if (name) found[name] = text;
    } else if (!reader.skip(type)) break;
  }
  return found;
}

/** Whether Ollama takes a file for a projector (server/create.go isProjectorGGUF). */
export function isProjectorStart({ architecture, type }: GgufStart): boolean {
  return architecture === "clip" || type === "mmproj" || type === "projector";
}

interface StartReader {
  /** How many keys follow; 0 where this is no GGUF file of a known form. */
  start(): number;
  /** What comes next, or undefined where the bytes end before. */
  word(): number | undefined;
  text(): string | undefined;
  /** Over a value of that type; false where the bytes end before or the type is unknown. */
  skip(type: number): boolean;
}

function readerOf(bytes: Uint8Array): StartReader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 4;
  let wide = true;
  const has = (length: number) => length <= bytes.length - at;
  const word = () => {
    if (!has(4)) return undefined;
    at += 4;
    return view.getUint32(at - 4, true);
  };
  // Lengths beyond 2^53 are those of damaged files, and longer than what is here all the same.
  const length = () => {
    if (!wide) return word();
    if (!has(8)) return undefined;
    at += 8;
    return Number(view.getBigUint64(at - 8, true));
  };
  const over = (count: number | undefined): count is number => {
    if (count === undefined || !has(count)) return false;
    at += count;
    return true;
  };
  const skip = (type: number): boolean => {
    if (type === textType) return over(length());
    const size = sizes.get(type);
    if (size !== undefined) return over(size);
    if (type !== 9) return false;
    const [element, count] = [word(), length()];
    if (element === undefined || count === undefined) return false;
    const each = sizes.get(element);
    if (each !== undefined) return over(each * count);
    for (let index = 0; index < count; index++) if (!skip(element)) return false;
    return true;
  };
  return {
    start: () => {
      const version = word();
      // Files of big-endian machines, which nobody publishes, have another first byte.
      if (version === undefined || version < 1 || version > 3) return 0;
      wide = version > 1;
      return length() === undefined ? 0 : (length() ?? 0);
    },
    word,
    text: () => {
      const count = length();
      const start = at;
      if (!over(count)) return undefined;
      return new TextDecoder().decode(bytes.subarray(start, at));
    },
    skip,
  };
}

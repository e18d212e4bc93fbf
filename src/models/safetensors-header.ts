import { InputError, type Host } from "../host.js";
import { formatBytes } from "../machines/sizes.js";
import { quoted } from "../yaml.js";
import { array, count, parsed, record, text } from "./json.js";

/** A tensor of a checkpoint, under the name that its training code gave it. */
export interface StoredTensor {
  name: string;
  /** "BF16", "F8_E4M3" */
  type: string;
  /** Elements, the row length last. */
  shape: readonly number[];
  elements: number;
  bytes: number;
}

/** As a file's header may hold: the largest known have a tenth of it. */
const longestHeader = 16 * 2 ** 20;
const mostTensors = 200_000;

/** Bits of an element; the types of safetensors' own reader. */
const bits = new Map([
  ["BOOL", 8],
  ["BF16", 16],
  ["C64", 64],
  ["F4", 4],
  ["F6_E2M3", 6],
  ["F6_E3M2", 6],
  ["F8_E4M3", 8],
  ["F8_E5M2", 8],
  ["F8_E8M0", 8],
  ["F16", 16],
  ["F32", 32],
  ["F64", 64],
  ["I8", 8],
  ["I16", 16],
  ["I32", 32],
  ["I64", 64],
  ["U8", 8],
  ["U16", 16],
  ["U32", 32],
  ["U64", 64],
]);

/**
 * The tensors of one safetensors file: eight bytes of length, a header in JSON, the data. Only the header
 * is read. Throws InputError, which names the file, where it is missing, unreadable, cut off or damaged.
 */
export async function readSafetensors(path: string, host: Host): Promise<StoredTensor[]> {
  const name = path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
  const fail = (problem: string): never => {
    throw new InputError(`${quoted(name)} ${problem}`, { path });
  };
  const damaged = (how: string) => fail(`has a damaged header: ${how}. Download it again.`);
  const entry = await host.stat(path);
  if (entry?.kind !== "file") return fail("is no regular file.");
  const { size } = entry;
  const read = (start: number, end: number) =>
    host
      .read(path, start, Math.min(end, size))
      .catch(() => fail("cannot be read. Check its permissions."));

  const start = await read(0, 64);
  const opening = new TextDecoder("latin1").decode(start);
  if (opening.startsWith("version https://git-lfs")) {
    fail("is a Git LFS pointer and not the file itself. Run `git lfs pull`.");
  }
  if (size === 0) fail("is empty. Download it again.");
  if (start.length < 8) return fail("ends inside its header. Download it again.");
  const view = new DataView(start.buffer, start.byteOffset, start.byteLength);
  const length = Number(view.getBigUint64(0, true));
  // A header starts with a brace, and spaces may stand behind it.
  if (length < 2 || (start.length > 8 && opening[8] !== "{")) {
    const hint = opening.startsWith("<") ? " Download the file itself, not its web page." : "";
    fail(`is no safetensors file: it starts with ${quoted(opening.slice(0, 4))}.${hint}`);
  }
  if (length > longestHeader) {
    const most = formatBytes(longestHeader);
    fail(`has a header of more than ${most}, and no model needs as much. Download it again.`);
  }
  const dataStart = 8 + length;
  const bytes = await read(8, dataStart);
  if (dataStart > size || bytes.length < length) {
    return fail("ends inside its header. Download it again.");
  }
  const header = record(parsed(new TextDecoder().decode(bytes)));
  if (!header) return damaged("it is no JSON");

  const entries = Object.entries(header).filter(([tensor]) => tensor !== "__metadata__");
  if (entries.length > mostTensors) return damaged(`it counts ${entries.length} tensors`);
  const tensors: StoredTensor[] = [];
  for (const [tensor, value] of entries) {
    const { dtype, shape, data_offsets: offsets } = record(value) ?? {};
    const type = text(dtype) ?? damaged(`tensor ${quoted(tensor)} has no type`);
    const width = bits.get(type);
    if (width === undefined) {
      return fail(
        `has a tensor ${quoted(tensor)} of the unknown type ${quoted(type)}. Update modelfile-lint.`,
      );
    }
    const lengths = array(shape).map(count);
    const [from, to] = array(offsets).map(count);
    const elements = lengths.reduce<number>((product, one) => product * (one ?? Number.NaN), 1);
    const wanted = Math.ceil((elements * width) / 8);
    const isSound = from !== undefined && to !== undefined && to - from === wanted;
    if (!isSound || !Number.isSafeInteger(wanted)) {
      return damaged(`tensor ${quoted(tensor)} has an impossible shape or place`);
    }
    if (dataStart + to > size) {
      return fail(
        `ends inside its tensors: ${formatBytes(size)} of ${formatBytes(dataStart + to)} are there. Download it again.`,
      );
    }
    const whole = lengths.map((one) => one ?? 0);
    tensors.push({ name: tensor, type, shape: whole, elements, bytes: wanted });
  }
  return tensors;
}

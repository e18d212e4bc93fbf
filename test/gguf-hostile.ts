/** Headers that are made to take long or much memory, `size` bytes each, by what is in them. */
export const hostileHeaders: Readonly<Record<string, (size: number) => Uint8Array>> = {
  "a text": (size) => keys(1, text("a"), u32(8), u64(size), filled(size, "x")),
  "a text as long as may be": (size) =>
    keys(2, text("a"), u32(8), u64(8e6), filled(8e6, "é"), endless(size)),
  "texts as long as may be in all": (size) =>
    keys(
      100_000,
      repeated(79, (i) => [text(`a${i}`), u32(8), text("x".repeat(1e5))]),
      endless(size),
    ),
  "words without letters": (size) => keys(1, endless(size)),
  "words of one letter": (size) =>
    keys(1, text("a"), u32(9), u32(8), u64(size / 9), filled(size, text("x"))),
  "more words than there is room": (size) =>
    keys(1, text("a"), u32(9), u32(8), u64(2 ** 60), filled(size, text("x"))),
  "words, the last of which has no end": (size) =>
    keys(
      1,
      text("a"),
      u32(9),
      u32(8),
      u64(3),
      text("x"),
      text("y"),
      u64(2 ** 62),
      filled(size, "z"),
    ),
  numbers: (size) => keys(1, text("a"), u32(9), u32(0), u64(size), filled(size, "x")),
  "more numbers than there is room": (size) =>
    keys(1, text("a"), u32(9), u32(12), u64(2 ** 61 + 1), filled(size, "x")),
  "arrays that are just kept": (size) =>
    keys(
      100_000,
      repeated(Math.ceil(size / 4200), (i) => [
        text(`a${i}`),
        u32(9),
        u32(0),
        u64(4096),
        filled(4096, "x"),
      ]),
    ),
  "arrays in arrays": (size) => keys(1, text("a"), filled(size, join(u32(9), u32(9), u64(1)))),
  keys: (size) =>
    keys(
      100_000,
      repeated(99_999, (i) => [text(`${i}`.padEnd(60)), u32(7), u8(1)]),
      endless(size),
    ),
  "keys with long names": (size) =>
    keys(
      99_999,
      repeated(99_999, (i) => [text(`${i}`.padEnd(size / 99_999)), u32(7), u8(1)]),
    ),
  "keys of the same name": (size) => keys(99_999, filled(size, join(text("a"), u32(7), u8(1)))),
  "keys without names": (size) => keys(99_999, filled(size, "\0")),
  tensors: (size) =>
    tensors(
      99_999,
      repeated(99_999, (i) => tensor(`${i}`.padEnd(60))),
      filled(size, "\0"),
    ),
  "tensors with long names": (size) =>
    tensors(
      99_999,
      repeated(99_999, (i) => tensor(`${i}`.padEnd(size / 99_999))),
    ),
  "tensors of the same name": (size) => tensors(99_999, filled(size, join(...tensor("a")))),
  "tensors of all dimensions": (size) =>
    tensors(1, text("a"), u32(2 ** 32 - 1), filled(size, u64(1))),
  noise: (size) => {
    const bytes = new Uint8Array(size);
    let state = 1;
    for (let at = 0; at < size; at++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[at] = state >>> 24;
    }
    return keys(50_000, bytes);
  },
};

function keys(count: number, ...parts: Uint8Array[]): Uint8Array {
  return join(Buffer.from("GGUF"), u32(3), u64(0), u64(count), ...parts);
}

function tensors(count: number, ...parts: Uint8Array[]): Uint8Array {
  return join(Buffer.from("GGUF"), u32(3), u64(count), u64(0), ...parts);
}

/** One without data, so that all may lie in one place. */
function tensor(name: string): Uint8Array[] {
  return [text(name), u32(1), u64(0), u32(0), u64(0)];
}

/** A key whose array of empty words fills what is left. */
function endless(size: number): Uint8Array {
  return join(text("end"), u32(9), u32(8), u64(size / 8), new Uint8Array(size));
}

function repeated(count: number, parts: (i: number) => Uint8Array[]): Uint8Array {
  return Buffer.concat(Array.from({ length: count }, (_, i) => parts(i)).flat());
}

function filled(size: number, unit: string | Uint8Array): Uint8Array {
  return Buffer.alloc(size, unit);
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  return join(u64(bytes.length), bytes);
}

function u8(value: number): Uint8Array {
  return Uint8Array.of(value);
}

function u32(value: number): Uint8Array {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Uint8Array {
  const bytes = Buffer.alloc(8);
  bytes.writeUInt32LE(Math.floor(value % 2 ** 32));
  bytes.writeUInt32LE(Math.floor(value / 2 ** 32), 4);
  return bytes;
}

function join(...parts: Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

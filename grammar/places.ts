/** A place in a text, as people and editors count: lines and columns from 1, columns in UTF-16 units. */
export interface Place {
  line: number;
  column: number;
  offset: number;
}

/** Turns offsets into places. A line ends with CRLF, LF or CR. */
export interface LineIndex {
  at(offset: number): Place;
  /** The text of a line, without its end. */
  line(number: number): string;
}

export function lineIndex(text: string): LineIndex {
  const starts = [0];
  for (const { index, 0: end } of text.matchAll(/\r\n|\r|\n/g)) starts.push(index + end.length);
  return {
    at(offset) {
      let low = 0;
      let high = starts.length - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (starts[middle]! <= offset) low = middle;
        else high = middle - 1;
      }
      return { line: low + 1, column: offset - starts[low]! + 1, offset };
    },
    line(number) {
      return text.slice(starts[number - 1], starts[number]).replace(/(?:\r\n|\r|\n)$/, "");
    },
  };
}

const indexes = new WeakMap<object, LineIndex>();

/** The line that an offset of a file is in. The file's lines are counted once. */
export function lineOf(file: { text: string }, offset: number): number {
  let index = indexes.get(file);
  if (!index) indexes.set(file, (index = lineIndex(file.text)));
  return index.at(offset).line;
}

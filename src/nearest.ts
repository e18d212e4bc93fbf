/** Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`: optimal string alignment. */
export function distance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let edits = Math.min(
        last[column]! + 1,
        current[column - 1]! + 1,
        last[column - 1]! + (same ? 0 : 1),
      );
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped && row > 1 && column > 1) edits = Math.min(edits, beforeLast[column - 2]! + 1);
      current.push(edits);
    }
    beforeLast = last;
    last = current;
  }
  return last[b.length]!;
}

/**
 * The one candidate that `word` most likely means: within two edits (one for words of up to four
 * letters), case ignored, and no other candidate as near. Long words are not compared: nobody
 * mistypes a name into a paragraph.
 */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined;
  const wanted = word.toLowerCase();
  let best: string | undefined;
  let least = word.length > 4 ? 3 : 2;
  let tie = false;
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) > least) continue;
    const edits = distance(wanted, candidate.toLowerCase());
    if (edits < least) {
      best = candidate;
      least = edits;
      tie = false;
    } else if (edits === least && best !== undefined) {
      tie = true;
    }
  }
  return tie ? undefined : best;
}

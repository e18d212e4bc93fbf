/** Relative errors of many rows: -0.1 is a tenth too little. Undefined figures: there are none. */
export interface Spread {
  median: number;
  /** Nine of ten are no farther off. */
  most: number;
  worst: number;
  /** Shares of all that are off by more than a twentieth. */
  under: number;
  over: number;
}

export function spreadOf(errors: readonly number[]): Spread | undefined {
  if (errors.length === 0) return undefined;
  const sizes = errors.map(Math.abs).sort((a, b) => a - b);
  const at = (part: number) => sizes[Math.min(sizes.length - 1, Math.floor(part * sizes.length))]!;
  return {
    median: at(0.5),
    most: at(0.9),
    worst: sizes.at(-1)!,
    under: shareOf(errors, (error) => error < -0.05),
    over: shareOf(errors, (error) => error > 0.05),
  };
}

export function shareOf<Item>(items: readonly Item[], holds: (item: Item) => boolean): number {
  return items.filter(holds).length / items.length;
}

/** The error that is farthest off, 0 where there is none. */
export function worstOf(errors: readonly number[]): number {
  return errors.reduce((worst, error) => (Math.abs(error) > Math.abs(worst) ? error : worst), 0);
}

/** "0.3 %"; what is small but not nothing does not become nothing, nor what is nearly all become all. */
export function percent(share: number): string {
  const rounded = (100 * share).toFixed(1);
  if (share > 0 && rounded === "0.0") return "<0.1 %";
  if (share < 1 && rounded === "100.0") return ">99.9 %";
  return `${rounded.replace(/\.0$/, "")} %`;
}

/** Lines of equal columns, the first to the left, the others to the right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]!.length)),
  );
  const lines = [head, ...rows].map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
      )
      .join("  "),
  );
  return lines.map((line) => `  ${line}\n`).join("");
}

import { width } from "./terminal.js";

export interface Cell {
  text: string;
  paint?: (text: string) => string;
}

/** Spaces between columns. */
const gap = 2;

/**
 * Rows in columns as wide as their widest cell: the first `left` of them flush left, the others flush
 * right. Nothing is painted or printed behind the last cell with text.
 */
export function tableLines(rows: readonly (readonly Cell[])[], left: number): string[] {
  const widths = columnWidths(rows);
  return rows.map((row) => {
    const cells = row.map(({ text, paint = String }, column) => {
      const space = " ".repeat(widths[column]! - width(text));
      const painted = text === "" ? "" : paint(text);
      return column < left ? painted + space : space + painted;
    });
    return cells.join(" ".repeat(gap)).trimEnd();
  });
}

/** Columns of the terminal that the rows take. */
export function tableWidth(rows: readonly (readonly Cell[])[]): number {
  const widths = columnWidths(rows);
  return widths.reduce((sum, one) => sum + one + gap, -gap);
}

function columnWidths(rows: readonly (readonly Cell[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, { text }] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, width(text));
    }
  }
  return widths;
}

import { createColors } from "picocolors";
import type { Memory } from "./memories.js";
import { sizeText, type Scale } from "./scale.js";
import { tableLines, tableWidth, type Cell } from "./table.js";
import { cut, oneLine, width, wrapped, type Screen } from "./terminal.js";

interface Column {
  title: string;
  bytes: (memory: Memory) => number;
  /** Left out where no memory has any of it. */
  optional?: true;
}

const weights: Column = { title: "weights", bytes: (memory) => memory.weights };

const used: Column = { title: "used", bytes: (memory) => memory.used };
const left: Column = { title: "left", bytes: (memory) => memory.left };
const sums: readonly Column[] = [used, { title: "free", bytes: ({ free }) => free }, left];

const caches: Column = { title: "cache", bytes: ({ cache, recurrent }) => cache + recurrent };

/** From the widest to the narrowest. */
const layouts: readonly (readonly Column[])[] = [
  [
    weights,
    { title: "KV cache", bytes: ({ cache }) => cache },
    { title: "state", bytes: ({ recurrent }) => recurrent, optional: true },
    { title: "compute", bytes: ({ compute }) => compute },
    { title: "output", bytes: ({ output }) => output, optional: true },
    { title: "projector", bytes: ({ projector }) => projector, optional: true },
    { title: "overhead", bytes: ({ overhead }) => overhead, optional: true },
    ...sums,
  ],
  [
    weights,
    caches,
    { title: "compute", bytes: ({ compute, output }) => compute + output },
    {
      title: "overhead",
      bytes: ({ projector, overhead }) => projector + overhead,
      optional: true,
    },
    ...sums,
  ],
  [
    weights,
    caches,
    {
      title: "other",
      bytes: ({ compute, output, projector, overhead }) => compute + output + projector + overhead,
    },
    ...sums,
  ],
  sums,
  [used, left],
];

/** Longer names of cards are cut. */
const longestName = 32;

/**
 * A row for each memory: what lies there and what is left, in as many columns as the screen has room
 * for. Cards' names stand below where there is none beside.
 */
export function memoryTable(memories: readonly Memory[], scale: Scale, screen: Screen): string[] {
  const room = screen.columns - 2;
  const tables = layouts.map((layout) => rowsOf(memories, layout, scale, screen));
  const rows = tables.find((found) => tableWidth(cellsOf(found)) <= room) ?? tables.at(-1)!;
  const cells = cellsOf(rows);
  const longest = Math.min(longestName, Math.max(...rows.map(({ name }) => width(name))));
  if (longest > 0 && tableWidth(cells) + 2 + longest <= room) {
    const named = cells.map(([label, ...others], index) => [
      label!,
      { text: cut(rows[index]!.name, longest, screen) },
      ...others,
    ]);
    return tableLines(named, 2).map((line) => `  ${line}`);
  }
  const { dim } = createColors(screen.color);
  const below = nameLines(memories).flatMap((line) => wrapped(line, room).map((part) => dim(part)));
  return [...tableLines(cells, 1), ...below].map((line) => `  ${line}`);
}

interface Row {
  /** What may stand behind the label. */
  name: string;
  cells: readonly Cell[];
}

function cellsOf(rows: readonly Row[]): (readonly Cell[])[] {
  return rows.map(({ cells }) => cells);
}

function nameOf({ name, unused }: Memory): string {
  return unused ? `unused ${oneLine(name)}` : oneLine(name);
}

/** "CUDA0 to CUDA3: Tesla T4" */
function nameLines(memories: readonly Memory[]): string[] {
  const runs: { first: string; last: string; name: string }[] = [];
  for (const memory of memories) {
    const { label } = memory;
    const name = nameOf(memory);
    if (name === "") continue;
    const last = runs.at(-1);
    if (last?.name === name) last.last = label;
    else runs.push({ first: label, last: label, name });
  }
  return runs.map(
    ({ first, last, name }) => `${first === last ? first : `${first} to ${last}`}: ${name}`,
  );
}

function rowsOf(
  memories: readonly Memory[],
  layout: readonly Column[],
  scale: Scale,
  screen: Screen,
): Row[] {
  const colors = createColors(screen.color);
  const shown = layout.filter(
    ({ optional, bytes }) => !optional || memories.some((memory) => bytes(memory) !== 0),
  );
  const blank: Cell = { text: "" };
  const nothing: Cell = { text: screen.unicode ? "–" : "-", paint: colors.dim };
  const size = (bytes: number): Cell => {
    if (bytes === 0) return nothing;
    return { text: sizeText(bytes, scale), ...(bytes < 0 && { paint: colors.red }) };
  };
  const titles = [scale.unit, "layers", ...shown.map(({ title }) => title)];
  const rows: Row[] = [{ name: "", cells: titles.map((text) => ({ text, paint: colors.dim })) }];
  for (const memory of memories) {
    const layers = memory.layers > 0 ? { text: `${memory.layers}` } : nothing;
    const sizes = shown.map(({ bytes }) => size(bytes(memory)));
    rows.push({ name: nameOf(memory), cells: [{ text: memory.label }, layers, ...sizes] });
    // Part of a row that does not belong to its sum stands below it.
    const part = (label: string, name: string, of: Column, bytes: number) => {
      if (bytes === 0 || !shown.includes(of)) return;
      const cells = shown.map((column) => (column === of ? size(bytes) : blank));
      rows.push({ name, cells: [{ text: label }, blank, ...cells] });
    };
    part("mapped", "from the file", weights, memory.mapped);
    part("shared", "with the GPU", used, memory.shared);
  }
  return rows;
}

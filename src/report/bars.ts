import { createColors } from "picocolors";
import type { Memory } from "./memories.js";
import { sizeWithUnit, type Scale } from "./scale.js";
import { width, type Screen } from "./terminal.js";

type Colors = ReturnType<typeof createColors>;

interface Kind {
  name: string;
  mark: string;
  /** Where only ASCII is shown. */
  plain: string;
  paint: "dim" | "green" | "blue" | "magenta" | "yellow" | "cyan";
  bytes: (memory: Memory) => number;
}

/** What lies in a memory, in the order of its bar. */
const kinds: readonly Kind[] = [
  {
    name: "in use already",
    mark: "/",
    plain: "/",
    paint: "dim",
    bytes: ({ total, free }) => total - free,
  },
  { name: "the GPU's part", mark: "▚", plain: "%", paint: "green", bytes: ({ shared }) => shared },
  { name: "weights", mark: "█", plain: "#", paint: "blue", bytes: ({ weights }) => weights },
  {
    name: "KV cache",
    mark: "▓",
    plain: "=",
    paint: "magenta",
    bytes: ({ cache, recurrent }) => cache + recurrent,
  },
  {
    name: "compute",
    mark: "▒",
    plain: "+",
    paint: "yellow",
    bytes: ({ compute, output }) => compute + output,
  },
  {
    name: "overhead",
    mark: "░",
    plain: "~",
    paint: "cyan",
    bytes: ({ projector, overhead }) => projector + overhead,
  },
  {
    name: "mapped weights",
    mark: "▄",
    plain: "-",
    paint: "blue",
    // They take what is free, and no more.
    bytes: ({ mapped, left }) => Math.min(mapped, left),
  },
  {
    name: "free",
    mark: "·",
    plain: ".",
    paint: "dim",
    bytes: ({ mapped, left }) => left - Math.min(mapped, left),
  },
];

/** A bar for each memory, as wide as the screen has room for, and what the marks mean. */
export function picture(memories: readonly Memory[], scale: Scale, screen: Screen): string[] {
  const colors = createColors(screen.color);
  const notes = memories.map((memory) => note(memory, scale));
  const labels = Math.max(...memories.map(({ label }) => width(label)));
  // Two before the label, one behind it, the end mark, and one before the note.
  const columns = Math.max(8, screen.columns - 5 - labels - Math.max(...notes.map(width)));
  const lines = memories.map((memory, index) => {
    const short = memory.left < -memory.swap;
    const end = short ? colors.red(screen.unicode ? "▶" : ">") : " ";
    const paint = short ? colors.red : memory.left < 0 ? colors.yellow : String;
    const label = memory.label + " ".repeat(labels - width(memory.label));
    return `  ${label} ${bar(memory, columns, screen, colors)}${end} ${paint(notes[index] ?? "")}`;
  });
  return [...lines, "", ...legend(memories, screen, colors)];
}

function note({ left, swap, unused }: Memory, scale: Scale): string {
  if (!(left < 0)) return `${sizeWithUnit(left, scale)} ${unused ? "free" : "left"}`;
  return `${sizeWithUnit(-left, scale)} ${-left <= swap ? "in swap" : "short"}`;
}

function bar(memory: Memory, columns: number, { unicode }: Screen, colors: Colors): string {
  const sizes = kinds.map(({ bytes }) => bytes(memory));
  const marks = shares(sizes, columns);
  const parts = kinds.map(({ mark, plain, paint }, index) => {
    const count = marks[index]!;
    return count > 0 ? colors[paint]((unicode ? mark : plain).repeat(count)) : "";
  });
  // Of a memory without a size there is nothing to show.
  return marks.some((count) => count > 0) ? parts.join("") : " ".repeat(columns);
}

/** Marks for each part, in proportion, and one at least for what is there at all; their sum is `columns`. */
export function shares(bytes: readonly number[], columns: number): number[] {
  const parts = bytes.map((part) => (part > 0 && part < Number.POSITIVE_INFINITY ? part : 0));
  const total = parts.reduce((sum, part) => sum + part, 0);
  if (total === 0) return parts;
  const marks = parts.map((part) => (part > 0 ? Math.max(1, (part / total) * columns) : 0));
  const whole = marks.map(Math.round);
  let wrong = whole.reduce((sum, count) => sum + count, -columns);
  // What rounding gave or took goes back to where it shows least.
  while (wrong !== 0) {
    const most = whole.indexOf(Math.max(...whole));
    whole[most]! -= Math.sign(wrong);
    wrong -= Math.sign(wrong);
  }
  return whole;
}

function legend(memories: readonly Memory[], screen: Screen, colors: Colors): string[] {
  const shown = kinds.filter(({ bytes }) => memories.some((memory) => bytes(memory) > 0));
  const lines: { text: string; columns: number }[] = [];
  for (const { name, mark, plain, paint } of shown) {
    const last = lines.at(-1);
    const text = `${colors[paint](screen.unicode ? mark : plain)} ${name}`;
    const columns = width(name) + 2;
    if (last && last.columns + 2 + columns <= screen.columns - 2) {
      last.text += `  ${text}`;
      last.columns += 2 + columns;
    } else lines.push({ text, columns });
  }
  return lines.map(({ text }) => `  ${text}`);
}

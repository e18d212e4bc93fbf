import { createColors } from "picocolors";
import type { Plan } from "../plan/plan.js";
import { verdictText } from "../plan/in-words.js";
import {
  aspects,
  changesBetween,
  type AspectName,
  type Change,
  type PlanStretch,
} from "./plan-changes.js";
import { verdictPaint } from "./plan-text.js";
import { runs, spanText, type Ends } from "./spans.js";
import { tableLines, tableWidth, type Cell } from "./table.js";
import { oneLine, paragraph, wrapped, type Screen } from "./terminal.js";

type Colors = ReturnType<typeof createColors>;

/** Columns of the table, those first that go last where there is no room for all. */
const columns: readonly { name: AspectName; title: string }[] = [
  { name: "verdict", title: "verdict" },
  { name: "layers", title: "layers" },
  { name: "mmap", title: "mmap" },
  { name: "context", title: "context" },
  { name: "slots", title: "slots" },
  { name: "flash attention", title: "FA" },
  { name: "KV cache", title: "KV" },
  { name: "batch", title: "batch" },
  { name: "engine", title: "engine" },
];

/**
 * One model on one machine with a range of releases: in a sentence what comes of it, a line for all releases
 * that plan alike, and for each line why it is not as the one above it.
 */
export function releasesText(
  stretches: readonly PlanStretch[],
  reference: string,
  screen: Screen,
  detail: { changes: boolean; sources: boolean },
): string {
  const [oldest] = stretches;
  const newest = stretches.at(-1);
  if (!oldest || !newest) return "";
  const colors = createColors(screen.color);
  const whole = { from: oldest.from, to: newest.to };
  const title = `${oneLine(reference)} on ${oneLine(newest.plan.machine.name)}, Ollama ${whole.from} to ${whole.to}`;
  const lines = [
    ...wrapped(title, screen.columns).map((line) => colors.bold(line)),
    ...paragraph(summary(stretches, whole), screen, 2),
    "",
    ...table(stretches, screen),
    "",
  ];
  if (detail.changes && stretches.length > 1) {
    lines.push(colors.bold("What changes"), ...changes(stretches, screen, detail.sources), "");
  }
  return lines.join("\n");
}

/** "Until 0.24.0 it runs out of memory; from 0.30.0 on it fits on one GPU." */
function summary(stretches: readonly PlanStretch[], whole: Ends): string {
  const alike = runs(stretches, (one, next) => verdictText(one.plan) === verdictText(next.plan));
  const parts = alike.map(({ newest, ...ends }) => {
    const when = alike.length === 1 ? "with all of these releases" : spanText(ends, whole);
    return `${when} it ${verdictText(newest.plan)}`;
  });
  const text = parts.join("; ");
  return `${text[0]?.toUpperCase()}${text.slice(1)}.`;
}

/** Columns for the verdict, the layers, and what not all releases agree on, as far as there is room. */
function table(stretches: readonly PlanStretch[], screen: Screen): string[] {
  const colors = createColors(screen.color);
  const shown = columns.filter(
    ({ name }) => name === "verdict" || name === "layers" || differs(name, stretches),
  );
  const rows = () => [
    ["Ollama", ...shown.map(({ title }) => title)].map((text): Cell => ({
      text,
      paint: colors.dim,
    })),
    ...stretches.map((stretch, index) => [
      { text: releasesOf(stretch, screen), paint: colors.bold },
      ...shown.map(({ name }) => cell(name, stretch.plan, stretches[index - 1]?.plan, colors)),
    ]),
  ];
  while (shown.length > 2 && tableWidth(rows()) > screen.columns - 2) shown.pop();
  return [
    ...tableLines(rows(), 2).map((line) => `  ${line}`),
    ...paragraph(
      legend(
        shown.map(({ name }) => name),
        stretches,
      ),
      screen,
      2,
    ).map(colors.dim),
  ];
}

function releasesOf({ from, to }: Ends, { unicode }: Screen): string {
  return from === to ? from : `${from}${unicode ? "–" : "-"}${to}`;
}

/** A value, marked where it is not that of the line above. */
function cell(name: AspectName, plan: Plan, before: Plan | undefined, colors: Colors): Cell {
  const changed =
    before !== undefined &&
    (valueOf(name, before) !== valueOf(name, plan) ||
      (name === "layers" && valueOf("layers by GPU", before) !== valueOf("layers by GPU", plan)));
  const text = (changed ? "*" : name === "verdict" ? " " : "") + valueOf(name, plan);
  if (name === "verdict") return { text, paint: verdictPaint(plan.verdict, colors) };
  return { text, ...(changed && { paint: colors.yellow }) };
}

function valueOf(name: AspectName, plan: Plan): string {
  return aspects.find((aspect) => aspect.name === name)?.value(plan) ?? "";
}

function differs(name: AspectName, stretches: readonly PlanStretch[]): boolean {
  return new Set(stretches.map(({ plan }) => valueOf(name, plan))).size > 1;
}

/** What the table's titles and marks mean, and what needs no column. */
function legend(shown: readonly AspectName[], stretches: readonly PlanStretch[]): string {
  const { plan } = stretches[0]!;
  const same = columns
    .map(({ name }) => name)
    .filter((name) => !shown.includes(name) && !differs(name, stretches))
    .map((name) => `${name} ${valueOf(name, plan)}`);
  const marks = [
    "layers: those on GPUs",
    ...(shown.includes("flash attention") ? ["FA: flash attention"] : []),
    ...(stretches.length > 1 ? ["*: not as in the line above"] : []),
  ];
  return [
    `${marks.join("; ")}.`,
    ...(same.length > 0 ? [`Throughout: ${same.join(", ")}.`] : []),
  ].join(" ");
}

function changes(stretches: readonly PlanStretch[], screen: Screen, sources: boolean): string[] {
  const colors = createColors(screen.color);
  return stretches.slice(1).flatMap(({ from, to, plan }, index) => {
    const before = stretches[index]!.plan;
    const last = to === stretches.at(-1)!.to;
    const head = last ? `From ${from} on` : from === to ? `In ${from}` : `From ${from} to ${to}`;
    return [
      `  ${colors.bold(head)}`,
      ...changesBetween(before, plan).flatMap((change) => [
        ...paragraph(sentence(change), screen, 4),
        ...(sources && change.source !== undefined
          ? paragraph(oneLine(change.source), screen, 6).map(colors.dim)
          : []),
      ]),
    ];
  });
}

function sentence({ name, before, now, reasons }: Change): string {
  return oneLine([`${name}: ${now}, ${before} before.`, ...reasons].join(" "));
}

import { createColors } from "picocolors";
import type { Plan, Verdict } from "../plan/plan.js";
import { takesPart, verdictWords } from "../plan/in-words.js";

import { verdictPaint } from "./plan-text.js";
import { scaleOf, sizeText, type Scale } from "./scale.js";
import { tableLines, tableWidth, type Cell } from "./table.js";
import { cut, oneLine, paragraph, wrapped, type Screen } from "./terminal.js";

/** What a row needs beside a machine's name: the verdict and its layers. */
const leastBeside = 26;
/** Names of machines are cut to this. */
const longestName = 24;
/** More machines than these are counted, not named. */
const mostNamed = 6;

/** What machines are compared by. */
interface Aspect {
  title: string;
  /** What the title means. */
  note?: string;
  /** Its figures are in the table's unit. */
  isSize?: true;
  /** Where there is no room for all, those of the lowest are kept. */
  rank: number;
  cell: (plan: Plan) => Cell;
}

/**
 * One model on several machines: a sentence, and a table with a column for each machine, or a row where
 * the screen is too narrow for that; then as much of each row as there is room for.
 */
export function fleetText(plans: readonly Plan[], reference: string, screen: Screen): string {
  const colors = createColors(screen.color);
  const label = (text: string): Cell => ({ text, paint: colors.dim });
  const longest = Math.min(longestName, screen.columns - leastBeside);
  const names = plans.map(({ machine }) => cut(oneLine(machine.name), longest, screen));
  const heads = names.map((text): Cell => ({ text, paint: colors.bold }));
  const scale = scaleOf(plans);
  const aspects = aspectsOf(plans, scale, screen);

  let shown = aspects;
  let left = 1;
  let table = [
    [label(scale.unit), ...heads],
    ...aspects.map(({ title, cell }) => [label(title), ...plans.map((plan) => cell(plan))]),
  ];
  for (let rank = aspects.length; rank > 0 && tableWidth(table) > screen.columns - 2; rank--) {
    shown = aspects.filter((aspect) => aspect.rank <= rank);
    // The verdict stands beside the name.
    left = 2;
    table = [
      [
        label(shown.some(({ isSize }) => isSize) ? scale.unit : ""),
        ...shown.map(({ title }) => label(title)),
      ],
      ...plans.map((plan, index) => [heads[index]!, ...shown.map(({ cell }) => cell(plan))]),
    ];
  }

  const title = `${oneLine(reference)} on ${plans.length} machines, ${releases(plans)}`;
  const notes = shown.flatMap(({ title: name, note }) => (note ? [`${name}: ${note}`] : []));
  const lines = [
    ...wrapped(title, screen.columns).map((line) => colors.bold(line)),
    ...paragraph(summary(plans, names), screen, 2),
    "",
    ...tableLines(table, left).map((line) => `  ${line}`),
    ...paragraph(`${notes.join("; ")}.`, screen, 2).map((line) => colors.dim(line)),
    "",
  ];
  return lines.join("\n");
}

/** "Ollama 0.32.15", or the releases from the oldest to the newest. */
function releases(plans: readonly Plan[]): string {
  const sorted = plans.map(({ release }) => release).toSorted((a, b) => a.order - b.order);
  const [oldest, newest] = [sorted[0]!.version, sorted.at(-1)!.version];
  return `Ollama ${oldest === newest ? newest : `${oldest} to ${newest}`}`;
}

/** Which machines hold the model wholly on their GPUs, and on which it does not run. */
function summary(plans: readonly Plan[], names: readonly string[]): string {
  const those = (...verdicts: Verdict[]) => {
    const found = names.filter((_, index) => verdicts.includes(plans[index]!.verdict));
    if (found.length === 0 || found.length === plans.length) return found.length === 0 ? "" : "all";
    const more = found.length - mostNamed;
    return found.slice(0, mostNamed).join(", ") + (more > 0 ? ` and ${more} more` : "");
  };
  const holding = those("fits", "risky");
  const failing = those("refused", "out-of-memory");
  const fits = holding === "" ? "No machine holds it wholly on GPUs" : `Wholly on GPUs: ${holding}`;
  return `${fits}.${failing === "" ? "" : ` Does not run: ${failing}.`}`;
}

function aspectsOf(plans: readonly Plan[], scale: Scale, screen: Screen): Aspect[] {
  const colors = createColors(screen.color);
  const nothing: Cell = { text: screen.unicode ? "–" : "-", paint: colors.dim };
  const text = (value: string | number | undefined): Cell =>
    value === undefined ? nothing : { text: `${value}` };
  const differ = new Set(plans.map(({ release }) => release.version)).size > 1;
  return [
    {
      title: "verdict",
      rank: 1,
      cell: ({ verdict }) => ({
        text: verdictWords[verdict],
        paint: verdictPaint(verdict, colors),
      }),
    },
    {
      title: "layers",
      note: "those on GPUs",
      rank: 2,
      cell: ({ layers }) => text(`${layers.onGpu}/${layers.offloadable}`),
    },
    {
      title: "GPUs",
      rank: 7,
      cell: ({ devices }) =>
        text(
          devices.length > 0 ? `${devices.filter(takesPart).length}/${devices.length}` : undefined,
        ),
    },
    {
      title: "GPU used",
      isSize: true,
      rank: 6,
      cell: ({ devices }) => {
        const used = devices.filter(takesPart).map((device) => device.used);
        return text(range(used, scale, screen));
      },
    },
    {
      title: "GPU left",
      note: "on the fullest",
      isSize: true,
      rank: 4,
      cell: ({ devices }) => {
        const left = devices.filter(takesPart).map((device) => device.left);
        const least = Math.min(...left);
        if (left.length === 0) return nothing;
        return { text: sizeText(least, scale), ...(least < 0 && { paint: colors.red }) };
      },
    },
    {
      title: "RAM used",
      isSize: true,
      rank: 8,
      cell: ({ host }) => text(sizeText(host.used, scale)),
    },
    { title: "context", rank: 5, cell: ({ context }) => text(context.effective) },
    {
      title: "max ctx",
      note: "the largest num_ctx with every layer on GPUs",
      rank: 3,
      cell: ({ limits }) => text(limits.numCtxFullGpu),
    },
    ...(differ
      ? [{ title: "Ollama", rank: 5, cell: ({ release }: Plan) => text(release.version) }]
      : []),
  ];
}

/** "13.44–14.41" */
function range(sizes: readonly number[], scale: Scale, { unicode }: Screen): string | undefined {
  if (sizes.length === 0) return undefined;
  const least = sizeText(Math.min(...sizes), scale);
  const most = sizeText(Math.max(...sizes), scale);
  return least === most ? most : `${least}${unicode ? "–" : "-"}${most}`;
}

import { createColors } from "picocolors";
import { since } from "../facts/release.js";
import type { Model } from "../models/model.js";
import type { Advice } from "../plan/advice.js";
import { uncertainty } from "../plan/outcome.js";
import type { Plan, Verdict } from "../plan/plan.js";
import { takesPart, verdictText } from "../plan/in-words.js";
import { picture } from "./bars.js";
import { memoriesOf, type Memory } from "./memories.js";
import { memoryTable } from "./plan-table.js";
import { scaleOf, sizeWithUnit, type Scale } from "./scale.js";
import { oneLine, paragraph, width, wrapped, type Screen } from "./terminal.js";

type Colors = ReturnType<typeof createColors>;

/**
 * A plan for the terminal: the verdict, what lies where as a table and as a picture, how it came about,
 * and what to change.
 */
export function planText(
  plan: Plan,
  reference: string,
  advice: readonly Advice[],
  screen: Screen,
): string {
  const colors = createColors(screen.color);
  const scale = scaleOf([plan]);
  const memories = memoriesOf(plan);
  const lines = [
    ...headline(plan, reference, screen),
    "",
    ...memoryTable(memories, scale, screen),
    ...notes(plan).flatMap((note) => paragraph(note, screen, 2).map(colors.dim)),
    "",
    ...picture(memories, scale, screen),
    "",
    ...facts(plan, memories.at(-1), scale).flatMap((fact) => factLines(fact, screen, colors)),
    ...adviceLines(advice, screen, colors),
    "",
  ];
  return lines.join("\n");
}

/** The verdict in one sentence, and its reasons. */
export function headline(plan: Plan, reference: string, screen: Screen): string[] {
  const colors = createColors(screen.color);
  const name = oneLine(reference);
  const about = ` on ${oneLine(plan.machine.name)}, Ollama ${plan.release.version}:`;
  const verdict = verdictText(plan);
  const shown = colors.bold(verdictPaint(plan.verdict, colors)(verdict));
  const first =
    width(name + about) + 1 + width(verdict) <= screen.columns
      ? [`${colors.bold(name)}${about} ${shown}`]
      : [...wrapped(name + about, screen.columns), `  ${shown}`];
  return [...first, ...plan.reasons.flatMap((reason) => paragraph(oneLine(reason), screen, 2))];
}

export function verdictPaint(verdict: Verdict, colors: Colors): (text: string) => string {
  if (verdict === "fits") return colors.green;
  return verdict === "refused" || verdict === "out-of-memory" ? colors.red : colors.yellow;
}

/** What the table's figures are, where they are not what is allocated. */
function notes(plan: Plan): string[] {
  const { devices, machine, model } = plan;
  const found: string[] = [];
  if (isEstimated(plan)) {
    found.push("The GPUs' figures are Ollama's own estimate, by which this release decides.");
  }
  if (devices.some((device, index) => takesPart(device) && machine.gpus[index]?.integrated)) {
    found.push("The GPU's memory is part of the RAM.");
  }
  const bounds = accuracyNote(plan);
  if (bounds !== undefined) found.push(bounds);
  if (!model.exact) found.push(basisNote(model));
  return found;
}

/** Whether the cards' figures are Ollama's and not those of what is allocated. */
function isEstimated({ devices, host, decidedBy }: Plan): boolean {
  if (!devices.some(takesPart)) return false;
  const inRam = host.resident + host.cache + host.recurrent + host.compute + host.output;
  const listed = devices.reduce((sum, { used }) => sum + used, inRam);
  return Math.abs(listed - decidedBy.physical) > 1;
}

function accuracyNote({ accuracy, release }: Plan): string | undefined {
  // From 0.30 on it is among the reasons: what is allocated decides.
  if (accuracy === "exact" || since(release, "0.30.0")) return undefined;
  return uncertainty[accuracy];
}

function basisNote({ source, origins }: Model): string {
  const origin = origins?.find(({ exact, facts: told }) => !exact && told.includes("tensors"));
  const from = origin ? `: ${oneLine(origin.from)}` : "";
  if (source === "name") return `Sizes rest on the model's name alone${from}.`;
  return `Sizes are not read from the model itself${from}.`;
}

type Fact = readonly [name: string, text: string];

function facts(plan: Plan, ram: Memory | undefined, scale: Scale): Fact[] {
  const { mmap, host, decidedBy } = plan;
  const size = (bytes: number) => sizeWithUnit(bytes, scale);
  const found: Fact[] = [
    ["context", contextText(plan)],
    ["num_ctx", limitText(plan)],
    ["KV cache", `${plan.kvCacheType}, flash attention ${plan.flashAttention}`],
    ["batch", `${plan.numBatch} tokens`],
  ];
  const mapped = mmap.inForce ? `, ${size(host.mapped)} mapped from the file` : "";
  found.push(["mmap", `${mmap.inForce ? "on" : "off"}${mapped}. ${oneLine(mmap.reason)}`]);
  if (ram && ram.mapped > 0 && ram.mapped > ram.left) {
    const room = size(Math.max(0, ram.left));
    const text = `${size(ram.mapped)} of mapped weights have ${room} of RAM: what finds no place is read from the disk again and again.`;
    found.push(["paging", text]);
  }
  const own =
    decidedBy.ollamaEstimate === undefined
      ? ""
      : `; Ollama itself counts ${size(decidedBy.ollamaEstimate)}`;
  found.push(["memory", `${size(decidedBy.physical)} in all${own}`]);
  return found;
}

function contextText({ context, model }: Plan): string {
  const { numCtx, from, effective, parallel, cells } = context;
  const by = {
    modelfile: "the Modelfile sets",
    server: "OLLAMA_CONTEXT_LENGTH sets",
    default: "Ollama chooses",
  }[from];
  const asked = numCtx === effective ? `, which ${by}` : `; ${by} ${numCtx}`;
  const slots = parallel > 1 ? `; ${parallel} requests at once make ${cells} cells` : "";
  const { trainedContext } = model.shape;
  const beyond =
    trainedContext !== undefined && effective > trainedContext
      ? `; trained for ${trainedContext}`
      : "";
  return `${effective} tokens${asked}${beyond}${slots}`;
}

function limitText({ limits, machine, layers }: Plan): string {
  const { numCtxFullGpu, numCtxRuns } = limits;
  const runs = numCtxRuns === undefined ? "none runs" : `up to ${numCtxRuns} runs`;
  if (machine.gpus.length === 0) return runs;
  const all = `all ${layers.offloadable} layers on the GPU${machine.gpus.length === 1 ? "" : "s"}`;
  if (numCtxFullGpu === undefined) return `none puts ${all}; ${runs}`;
  if (numCtxFullGpu === numCtxRuns) return `${runs}, with ${all}`;
  return `up to ${numCtxFullGpu} with ${all}; ${runs}`;
}

/** The decisions in the order in which Ollama takes them, each with its reason and where its source says so. */
export function explanation({ decisions, release }: Plan, screen: Screen): string {
  const colors = createColors(screen.color);
  const lines = decisions.flatMap(({ what, value, reason, source }, index) => [
    ...paragraph(`${index + 1}. ${oneLine(what)}: ${oneLine(value)}`, screen, 2).map(colors.bold),
    ...paragraph(oneLine(reason), screen, 5),
    ...paragraph(oneLine(source), screen, 5).map(colors.dim),
  ]);
  return [`How Ollama ${release.version} comes to it`, ...lines, ""].join("\n");
}

function factLines([name, text]: Fact, screen: Screen, colors: Colors): string[] {
  const [first = "", ...rest] = paragraph(text, screen, 12);
  return [`  ${colors.dim(name.padEnd(10))}${first.slice(12)}`, ...rest];
}

function adviceLines(advice: readonly Advice[], screen: Screen, colors: Colors): string[] {
  if (advice.length === 0) return [];
  return [
    "",
    colors.bold("  What to change"),
    ...advice.flatMap(({ change, effect }) => [
      ...paragraph(oneLine(change), screen, 4).map(colors.cyan),
      ...paragraph(oneLine(effect), screen, 6),
    ]),
  ];
}

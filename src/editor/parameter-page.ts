import { printFloat, readParameter } from "../../grammar/values.js";
import type { Value } from "../../grammar/tree.js";
import { docsUrl, modelfileUrl } from "../facts/pages.js";
import {
  defaultOf,
  goneSince,
  ignoredByOllamaEngine,
  ignoredIn,
  parameterFact,
  standing,
  type ParameterFact,
} from "../facts/parameters.js";
import {
  oldestRelease,
  orderOf,
  since,
  within,
  type Release,
  type Span,
} from "../facts/release.js";
import { formatBytes } from "../machines/sizes.js";
import { engineOf } from "../ollama/engine.js";
import type { Plan } from "../plan/plan.js";
import { withSettings } from "../plan/solve.js";
import type { Context } from "../rule.js";
import { code, count, link, listed, paragraphs, plain } from "./markdown.js";
import { rangeOf } from "./parameter-range.js";
import { contextLine, limitsLine, planOn } from "./plan-page.js";
import type { View } from "./view.js";

/** What a PARAMETER is, how releases differ, and what it means to this model on this machine. */
export function parameterPage(name: string, view: View, value?: Value): string | undefined {
  const fact = parameterFact(name);
  if (!fact) return undefined;
  const { release } = view.contexts[0];
  return paragraphs([
    headline(fact),
    refusal(fact, release),
    value && readingLine(fact, value, release),
    fact.summary,
    [defaultLine(fact, view.contexts[0]), rangeLine(fact)].filter(Boolean).join(" "),
    ...view.contexts.flatMap((context) => hereLines(fact, context, view)),
    differences(fact, release),
    memoryParameters.has(name)
      ? link("How memory is used", docsUrl("memory"))
      : link("Parameters", modelfileUrl("PARAMETER")),
  ]);
}

/** What docs/memory.md is about. */
const memoryParameters = new Set(["num_ctx", "num_gpu", "num_batch", "main_gpu", "use_mmap"]);

function headline({ name, type, unit }: ParameterFact): string {
  const kind = { int: "whole number", float: "number", bool: "true or false", strings: "text" };
  return `**${name}**: ${kind[type]}${unit === undefined ? "" : `, ${unit}`}`;
}

/** Why the release does not take it; undefined where it does. */
function refusal(fact: ParameterFact, release: Release): string | undefined {
  const { name, first } = fact;
  switch (standing(name, release)) {
    case "too-new":
      return `Ollama ${release.version} refuses it: it came with ${first}.`;
    case "removed":
      return `Ollama ${release.version} refuses it: it is gone since ${goneSince(fact) ?? fact.last}.`;
    case "deprecated":
      return `Ollama ${release.version} warns of it and drops the line, since ${goneSince(fact)}.`;
    default: {
      const span = ignoredIn(fact, release);
      return (
        span && `Ollama ${release.version} takes it, and nothing comes of it ${spanText(span)}.`
      );
    }
  }
}

/** The value as Ollama reads it, or its error. */
function readingLine({ name, type }: ParameterFact, value: Value, release: Release): string {
  const read = readParameter(name, value.text, release);
  if (!read.ok) return `Ollama refuses this value: ${code(read.error)}`;
  if ("deprecated" in read) return "";
  const { value: result } = read;
  if (result.type === "float") return `Ollama reads ${code(printFloat(result.value))}.`;
  if (type === "strings") return `Ollama reads ${code(JSON.stringify(result.value))}.`;
  return `Ollama reads ${code(String(result.value))}.`;
}

function defaultLine(fact: ParameterFact, { release, model }: Context): string {
  const own = model?.parameters?.[fact.name];
  const brings =
    own === undefined || fact.type === "strings"
      ? ""
      : ` ${plain(model?.name ?? "")} brings ${code(JSON.stringify(own))}.`;
  const usual = defaultOf(fact, release);
  return usual ? `Default of ${release.version}: ${usual.value ?? usual.rule}.${brings}` : brings;
}

function rangeLine({ name }: ParameterFact): string {
  const range = rangeOf(name);
  return range === undefined ? "" : `Range: ${range}.`;
}

/** What is otherwise in other releases that are supported: defaults, and spans without an effect. */
function differences(fact: ParameterFact, release: Release): string | undefined {
  const { first, broken = [], ignored = [] } = fact;
  const gone = goneSince(fact);
  const lines = [
    ...(orderOf(first) > oldestRelease.order ? [`there since ${first}`] : []),
    ...(gone === undefined ? [] : [`gone since ${gone}`]),
    ...defaultsOf(fact)
      .filter((span) => !within(release, span))
      .map((span) => `default ${spanText(span)}: ${span.value ?? span.rule}`),
    ...supported(broken).map((span) =>
      span.effect === "create"
        ? `a value fails at \`ollama create\` ${spanText(span)}`
        : `a value keeps the model from loading ${spanText(span)}`,
    ),
    ...supported(ignored).map((span) =>
      span.engine === undefined
        ? `without effect ${spanText(span)}`
        : `without effect in Ollama's own engine ${spanText(span)}`,
    ),
  ];
  return lines.length === 0
    ? undefined
    : ["By release:", "", ...lines.map((line) => `- ${line}`)].join("\n");
}

function supported<S extends Span>(spans: readonly S[]): S[] {
  return spans.filter(({ to }) => to === undefined || orderOf(to) >= oldestRelease.order);
}

/** Defaults in supported releases; neighbours that say the same in one. */
function defaultsOf({ defaults }: ParameterFact): (Span & { value?: string; rule?: string })[] {
  const found: (Span & { value?: string; rule?: string })[] = [];
  for (const { from, to, value, rule } of supported(defaults)) {
    const last = found.at(-1);
    const same = last && last.value === value && last.rule === rule;
    found.splice(same ? -1 : found.length, same ? 1 : 0, {
      from: same ? last.from : from,
      ...(to !== undefined && { to }),
      ...(value !== undefined && { value }),
      ...(rule !== undefined && { rule }),
    });
  }
  return found;
}

function spanText({ from, to }: Span): string {
  const fromOldest = orderOf(from) <= oldestRelease.order;
  if (to === undefined) return `since ${from}`;
  if (from === to) return `in ${from}`;
  return fromOldest ? `until ${to}` : `from ${from} to ${to}`;
}

/** What it means here, under the machine's name where there are several. */
function hereLines(fact: ParameterFact, context: Context, view: View): string[] {
  const { plan } = context;
  const lines = [...engineLine(fact, context), ...(plan ? (here[fact.name]?.(plan) ?? []) : [])];
  if (lines.length === 0) return [];
  const several = plan && view.contexts.length > 1;
  return [[...(several ? [`_On ${planOn(plan)}:_`] : []), ...lines].join(" ")];
}

function engineLine(fact: ParameterFact, { model, plan, release }: Context): string[] {
  if (!model || engineOf(model, release, plan?.server ?? {}) !== "ollama-engine") return [];
  if (!ignoredByOllamaEngine(fact, release)) return [];
  const architecture = plain(model.shape.architecture);
  return [
    `Ollama's own engine runs ${architecture} in ${release.version}, and does nothing with it.`,
  ];
}

/** What a plan tells of a parameter. */
const here: Readonly<Record<string, (plan: Plan) => string[]>> = {
  num_ctx: (plan) => [contextLine(plan), limitsLine(plan)],
  num_gpu: (plan) => {
    const { layers, settings, machine } = plan;
    if (machine.gpus.length === 0) return ["There is no GPU."];
    const { numGpu } = settings;
    const isSet = numGpu !== undefined && numGpu >= 0;
    const otherwise = isSet ? [`Ollama itself would choose ${layersOfOllama(plan)}.`] : [];
    const by = isSet ? "" : ", as Ollama chooses";
    return [
      `**${layers.onGpu} of ${layers.offloadable}** layers lie on the GPUs${by}.`,
      ...otherwise,
    ];
  },
  use_mmap: ({ mmap, host }) => [
    mmap.inForce
      ? `**${formatBytes(host.mapped)}** of weights are mapped from the file.`
      : "The weights are **not mapped**.",
    plain(mmap.reason, 300),
    ...(mmap.settable ? [] : ["`use_mmap` does not decide it."]),
  ],
  num_batch: ({ numBatch, devices, host }) => {
    const buffers = devices.reduce((sum, { compute }) => sum + compute, host.compute);
    return [
      `**${numBatch} tokens** a step are in force; the compute buffers take ${formatBytes(buffers)}.`,
    ];
  },
  num_thread: ({ machine: { cores } }) =>
    cores === undefined ? [] : [`The machine has **${count(cores, "physical core")}**.`],
  main_gpu: ({ machine: { gpus }, release }) => {
    if (gpus.length === 0) return ["There is no GPU."];
    const names = gpus.map(({ name }, index) => `${index} is ${plain(name)}`);
    const only = since(release, "0.30.0") ? " The one that is named is the only one in use." : "";
    return [`${listed(names)}.${only}`];
  },
  num_predict: ({ context: { effective } }) => [
    `An answer ends at ${10 * effective} tokens, ten times num_ctx, at the latest.`,
  ],
  repeat_last_n: ({ context: { effective } }) => [`-1 means ${effective} tokens here.`],
  num_keep: ({ context: { effective } }) => [`The context holds ${effective} tokens.`],
};

const chosen = new WeakMap<Plan, number>();

/** Layers that Ollama puts on the GPUs where num_gpu does not say it. */
function layersOfOllama(plan: Plan): number {
  let layers = chosen.get(plan);
  if (layers === undefined) {
    layers = withSettings(plan, { numGpu: undefined }).layers.onGpu;
    chosen.set(plan, layers);
  }
  return layers;
}

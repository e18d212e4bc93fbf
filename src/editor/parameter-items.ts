import { parametersOf } from "../../grammar/tree.js";
import { defaultOf, parameterFact, parameters, standing } from "../facts/parameters.js";
import { offloadableLayers, type Model } from "../models/model.js";
import type { Plan } from "../plan/plan.js";
import { withSettings } from "../plan/solve.js";
import { tokensWritten } from "../prompt/family.js";
import { templateOf } from "../prompt/file-template.js";
import { verdictText } from "../plan/in-words.js";
import type { Completion, Slot } from "./completion.js";
import { familiesIn, stopsSet, tokensOf } from "./family-of.js";
import { plansOf } from "./fit.js";
import { paragraphs } from "./markdown.js";
import { parameterPage } from "./parameter-page.js";
import { rangeOf, specialValues } from "./parameter-range.js";
import { memoryTable, verdictLine } from "./plan-page.js";
import type { View } from "./view.js";

/** Names behind PARAMETER: those not yet set first, then the others, those of later releases last. */
export function parameterItems(view: View, { replaces, last }: Slot): Completion[] {
  const { file, contexts } = view;
  const { release } = contexts[0];
  const set = new Set(
    parametersOf(file)
      .filter(({ parameterSpan }) => parameterSpan.start !== replaces.start)
      .map(({ parameter }) => parameter),
  );
  const rank = (name: string) => {
    if (standing(name, release) === "too-new") return 2;
    return set.has(name) && name !== "stop" ? 1 : 0;
  };
  return parameters
    .filter(({ name }) => ["accepted", "too-new"].includes(standing(name, release)))
    .toSorted((one, other) => rank(one.name) - rank(other.name))
    .map(({ name, type, unit, first }) => {
      const fact = parameterFact(name);
      const usual = fact && defaultOf(fact, release);
      const range = rangeOf(name);
      const detail = [
        unit ?? type,
        ...(usual?.value === undefined ? [] : [`default ${usual.value}`]),
        ...(range === undefined ? [] : [range]),
        ...(rank(name) === 1 ? ["set already"] : []),
      ];
      return {
        label: name,
        kind: "parameter",
        replaces,
        text: last ? `${name} ` : name,
        ...(last && { again: true as const }),
        detail:
          rank(name) === 2 ? `since ${first}; ${release.version} refuses it` : detail.join(" · "),
        markdown: async () => parameterPage(name, view),
      };
    });
}

/** A value, and what it means here. */
interface Value {
  text: string;
  detail?: string;
  more?: () => Promise<string>;
}

/** Values of a parameter. `quoted`: the caret stands between quotes. */
export function valueItems(
  view: View,
  name: string,
  { replaces }: Slot,
  quoted: boolean,
): Completion[] {
  const fact = parameterFact(name);
  if (!fact) return [];
  if (name === "stop") return stopItems(view, replaces, quoted);
  const { model, release } = view.contexts[0];
  const own = model?.parameters?.[name];
  const usual = defaultOf(fact, release)?.value;
  const values: Value[] = [
    ...(typeof own === "number" || typeof own === "boolean"
      ? [{ text: String(own), detail: "the model's own" }]
      : []),
    ...(byName[name]?.(view) ?? []),
    ...(fact.type === "bool" ? [{ text: "true" }, { text: "false" }] : []),
    ...specialValues(name).map(([text, detail]) => ({ text, detail })),
    ...(usual === undefined
      ? []
      : [{ text: plainNumber(usual), detail: `default of ${release.version}` }]),
  ];
  return merged(values).map(({ text, detail, more }) => ({
    label: text,
    kind: "value",
    replaces,
    text,
    ...(detail && { detail }),
    ...(more && { markdown: more }),
  }));
}

/** Each value once, with all that is said of it. */
function merged(values: readonly Value[]): Value[] {
  const found = new Map<string, Value>();
  for (const value of values) {
    const before = found.get(value.text);
    const detail = [before?.detail, value.detail].filter(Boolean).join("; ");
    found.set(value.text, { ...before, ...value, detail });
  }
  return [...found.values()];
}

/** "1.0" as "1", which is how values are offered. */
function plainNumber(text: string): string {
  const number = Number(text);
  return text !== "" && Number.isFinite(number) ? String(number) : text;
}

const byName: Readonly<Record<string, (view: View) => Value[]>> = {
  num_ctx: contexts,
  num_gpu: layers,
  use_mmap: (view) =>
    planOf(view).map(({ mmap }) => ({
      text: String(mmap.inForce),
      detail: `in force here: ${mmap.reason}`,
    })),
  num_thread: (view) =>
    planOf(view).flatMap(({ machine: { cores } }) =>
      cores === undefined ? [] : [{ text: String(cores), detail: "all physical cores" }],
    ),
  main_gpu: (view) =>
    planOf(view).flatMap(({ machine }) =>
      machine.gpus.map(({ name }, index) => ({ text: String(index), detail: name })),
    ),
  num_batch: (view) =>
    planOf(view).map(({ numBatch }) => ({ text: String(numBatch), detail: "in force here" })),
};

/** The first machine's plan, where there is one. */
function planOf(view: View): Plan[] {
  return plansOf(view).slice(0, 1);
}

/** Contexts from small to large: powers of two, the limits of the machine and of the model. */
function contexts(view: View): Value[] {
  const [plan] = planOf(view);
  const trained = view.contexts[0].model?.shape.trainedContext;
  const { numCtxFullGpu, numCtxRuns } = plan?.limits ?? {};
  const tried = [...powers, numCtxFullGpu, numCtxRuns, trained].filter(
    (tokens) => tokens !== undefined && tokens <= (trained ?? tokens),
  );
  return [...new Set(tried)]
    .filter((tokens) => tokens !== undefined)
    .sort((one, other) => one - other)
    .map((tokens) => {
      const end = tokens === trained ? "what the model was trained for" : "";
      return {
        text: String(tokens),
        detail: [plan && fitText(tokens, plan), end].filter(Boolean).join(", "),
        ...(plan && { more: async () => changedPage(plan, { numCtx: tokens }) }),
      };
    });
}

const powers = [2048, 4096, 8192, 16384, 32768, 65536, 131072];

function fitText(tokens: number, { limits, machine }: Plan): string {
  const { numCtxFullGpu: full, numCtxRuns: runs } = limits;
  const gpus = machine.gpus.length === 1 ? "the GPU" : "the GPUs";
  if (runs === undefined || tokens > runs) return "does not run";
  if (full !== undefined && tokens <= full) {
    return tokens === full ? `largest that fits fully on ${gpus}` : `fits fully on ${gpus}`;
  }
  const where = machine.gpus.length === 0 ? "runs" : "runs partly on the CPU";
  return tokens === runs ? `${where}, largest that runs` : where;
}

/** What would become of the model with something else set. */
function changedPage(plan: Plan, changes: Parameters<typeof withSettings>[1]): string {
  const changed = withSettings(plan, changes);
  return paragraphs([verdictLine(changed), memoryTable(changed)]);
}

function layers(view: View): Value[] {
  const { model } = view.contexts[0];
  const [plan] = planOf(view);
  return [
    { text: "-1", detail: "Ollama chooses" },
    { text: "0", detail: "the CPU alone" },
    ...(model ? [allLayers(model, plan)] : []),
  ];
}

function allLayers(model: Model, plan: Plan | undefined): Value {
  const layers = offloadableLayers(model);
  const here = plan?.layers.onGpu === layers ? `: ${verdictText(plan)}` : "";
  return {
    text: String(layers),
    detail: `all ${layers} layers on the GPU${here}`,
    ...(plan && { more: async () => changedPage(plan, { numGpu: layers }) }),
  };
}

/** Tokens that end a turn, of the model's family and of the file's TEMPLATE; those set already are left out. */
function stopItems(view: View, replaces: Completion["replaces"], quoted: boolean): Completion[] {
  const { file, contexts } = view;
  const [{ model, release }] = contexts;
  const template = templateOf(file, release);
  const whose = new Map<string, string>();
  const add = (texts: readonly string[], detail: string) => {
    for (const text of texts) if (!whose.has(text)) whose.set(text, detail);
  };
  add(model?.stop ?? [], "the model's own");
  const families = familiesIn(view);
  for (const { end, title } of families) add([end], `ends a turn of ${title}`);
  if (template) {
    add(
      tokensWritten(template).map(({ token }) => token),
      "written by the TEMPLATE",
    );
  }
  for (const family of families) {
    add(family.stops, `stops ${family.title} in Ollama's library`);
    add(tokensOf(family), `special token of ${family.title}`);
  }
  const set = stopsSet(view);
  const current = file.text.slice(replaces.start, replaces.end).replace(/^"|"$/g, "");
  return [...whose]
    .filter(([text]) => text === current || !set.has(text))
    .map(([text, detail]) => ({
      label: text,
      kind: "token",
      replaces,
      text: quoted ? text : `"${text}"`,
      ...(!quoted && file.text[replaces.start] === '"' && { filter: `"${text}"` }),
      detail,
    }));
}

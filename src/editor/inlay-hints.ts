import type { Modelfile, Span, Value } from "../../grammar/tree.js";
import { numberSet } from "../fix/places.js";
import { offloadableLayers, type Model } from "../models/model.js";
import { clampsToTraining } from "../ollama/context.js";
import { fromsOf, ignoredFroms } from "../ollama/from.js";
import type { Plan } from "../plan/plan.js";
import { cacheBytes } from "../plan/solve.js";
import {
  familiesOf,
  foreignTo,
  isTurnToken,
  likeliestFamilies,
  stopsIn,
  titlesOf,
} from "../prompt/family.js";
import type { Context } from "../rule.js";
import { verdictWords } from "../plan/in-words.js";
import { layersText, plansOf, shortSize, worstOf } from "./fit.js";
import { paragraphs, plain } from "./markdown.js";
import { modelPage, parametersOf } from "./model-page.js";
import { contextLine } from "./plan-page.js";
import type { View } from "./view.js";

/** A remark behind a piece of the text. */
export interface InlayHint {
  /** Where it stands: behind this offset, a blank between. */
  at: number;
  label: string;
  /** Markdown. */
  tooltip: string;
}

/** What the text does not say but leads to, for what lies in `within`; in order. */
export function inlayHints(view: View, within: Span = view.file): InlayHint[] {
  const hints = [...modelHint(view), ...contextHint(view), ...layersHint(view), ...stopHints(view)];
  return hints
    .filter(({ at }) => within.start <= at && at <= within.end)
    .sort((one, other) => one.at - other.at);
}

/** Behind the FROM that counts: what the model takes, or without a machine what it is. */
function modelHint(view: View): InlayHint[] {
  const [context] = view.contexts;
  const at = modelValue(view.file, context)?.end;
  const plans = plansOf(view);
  const [plan] = plans;
  const model = context.model ?? plan?.model;
  if (at === undefined || !model) return [];
  const label = plan ? planLabel(plan, plans) : modelFacts(model);
  return label === "" ? [] : [{ at, label, tooltip: modelPage(model, plans) }];
}

/** The value that names the model that is known. */
function modelValue(file: Modelfile, { release, localFrom }: Context): Value | undefined {
  const froms = fromsOf(file, localFrom);
  return (ignoredFroms(froms, release)?.counts ?? froms.at(-1))?.value;
}

/** "≈ 6.1 GiB, 33/33 layers at 8192"; of several machines the first one's, and the worst that happens. */
function planLabel(plan: Plan, plans: readonly Plan[]): string {
  const layers = layersText(plan);
  const runs = plan.verdict !== "out-of-memory" && plan.verdict !== "refused";
  const how = runs && plan.verdict !== "cpu" && layers ? layers : verdictWords[plan.verdict];
  const own = `≈ ${shortSize(plan.decidedBy.physical)}, ${how} at ${plan.context.effective}`;
  const worst = worstOf(plans);
  if (!worst || plans.length === 1) return own;
  const others =
    worst.verdict === plan.verdict ? "" : `; ${worst.machine.name}: ${verdictWords[worst.verdict]}`;
  return `${plan.machine.name}: ${own}${others}`;
}

/** "8.03 B parameters, Q4_K_M, 4.6 GiB" */
function modelFacts(model: Model): string {
  const { quantisation, fileBytes, source } = model;
  const size = fileBytes > 0 ? shortSize(fileBytes) : undefined;
  const facts = [parametersOf(model), quantisation, size].filter(Boolean).join(", ");
  return source === "name" && facts !== "" ? `≈ ${facts}` : facts;
}

/** Behind the num_ctx that counts: what its cache takes, and what is in force where that is another number. */
function contextHint(view: View): InlayHint[] {
  const set = numberSet(view.file, "num_ctx");
  if (!set) return [];
  const at = set.value.end;
  const [{ plan, model, release }] = view.contexts;
  if (plan) {
    const { effective, parallel } = plan.context;
    const inForce = effective === set.number ? [] : [`${effective} in force`];
    const slots = parallel > 1 ? [`${parallel} requests`] : [];
    const label = [...inForce, `KV cache ${shortSize(cacheBytes(plan))}`, ...slots].join(", ");
    const limits = plan.decisions.filter(({ what }) => what === "context");
    const reasons = limits.map(({ reason }) => plain(reason));
    return [{ at, label, tooltip: paragraphs([contextLine(plan), ...reasons]) }];
  }
  const trained = model?.shape.trainedContext;
  if (trained === undefined || set.number <= trained || !clampsToTraining(release)) return [];
  const tooltip = `The model was trained for ${trained} tokens, and Ollama ${release.version} takes no more.`;
  return [{ at, label: `${trained} in force`, tooltip }];
}

/** Behind num_gpu: how many layers there are, and how many go to the GPUs where that is another number. */
function layersHint({ file, contexts: [{ plan, model }] }: View): InlayHint[] {
  const set = numberSet(file, "num_gpu");
  if (!set || !model) return [];
  const at = set.value.end;
  const all = offloadableLayers(model);
  const asked = Math.min(set.number, all);
  const tooltip = `The model has ${all} layers, the output layer included; num_gpu counts those on GPUs.`;
  if (plan && plan.layers.onGpu !== asked) {
    return [{ at, label: `${plan.layers.onGpu}/${all} layers`, tooltip }];
  }
  if (set.number < 0) return [];
  return [{ at, label: set.number >= all ? `all ${all} layers` : `of ${all} layers`, tooltip }];
}

/** Behind stop strings that the model does not know: whose they are. */
function stopHints({ file, contexts: [{ model }] }: View): InlayHint[] {
  if (!model) return [];
  const stops = stopsIn(file).filter(({ text }) => isTurnToken(text));
  const foreign = new Set(foreignTo(model, [...new Set(stops.map(({ text }) => text))]));
  return stops.flatMap(({ text, at }) => {
    if (!foreign.has(text)) return [];
    const whose = titlesOf(likeliestFamilies([text]));
    const own = titlesOf(familiesOf(model));
    const writes = own === "" ? "does not have it in its vocabulary" : `writes ${own}`;
    const tooltip = plain(`${whose} ends turns with it; ${model.name} ${writes}.`);
    return [{ at: at.end, label: `of ${whose}`, tooltip }];
  });
}

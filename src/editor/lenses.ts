import type { Span } from "../../grammar/tree.js";
import { decidingFrom } from "../../grammar/tree.js";
import type { Change } from "../finding.js";
import { contextChange } from "../fix/places.js";
import type { Plan } from "../plan/plan.js";
import { isWhollyOnGpu, largestContext, withSettings } from "../plan/solve.js";
import { takesPart, verdictWords } from "../plan/in-words.js";
import { inRam, layersText, plansOf, share, shortSize } from "./fit.js";
import type { View } from "./view.js";

/** A line of text above the file's own, with what it does when it is chosen. */
export interface Lens {
  at: Span;
  title: string;
  command:
    /** The machine's name: a file may be judged on several. */
    | { name: "modelfile-lint.showPlan"; arguments: [machine: string] }
    | { name: "modelfile-lint.fixAll"; arguments: [] }
    | { name: "modelfile-lint.applyChange"; arguments: [Change] };
}

/** Above the FROM that counts: how the model fits on each machine, and what can be had for one click. */
export function lenses(view: View): Lens[] {
  const from = decidingFrom(view.file);
  if (!from) return [];
  const at = { start: from.keyword.start, end: from.keyword.end };
  const plans = plansOf(view);
  const fits = plans.map((plan): Lens => {
    const { name } = plan.machine;
    return {
      at,
      title: `${name}: ${fitText(plan)}`,
      command: { name: "modelfile-lint.showPlan", arguments: [name] },
    };
  });
  return [...fits, ...fixLens(view, at), ...contextLens(view, at, plans)];
}

/** "fits, 12.3 of 24 GiB" */
function fitText(plan: Plan): string {
  const { verdict, devices, host, decidedBy, refusal } = plan;
  const words = verdictWords[verdict];
  if (verdict === "refused" || verdict === "out-of-memory") {
    return `${words}, needs ${shortSize(refusal?.required ?? decidedBy.physical)}`;
  }
  if (verdict === "cpu") return `${words}, ${share(inRam(plan), host.total)} of RAM`;
  const used = devices.filter(takesPart);
  const sum = (part: "used" | "total") => used.reduce((all, device) => all + device[part], 0);
  const layers = verdict === "partial" ? `, ${layersText(plan)}` : "";
  const cards = used.length > 1 ? ` on ${used.length} GPUs` : "";
  return `${words}${layers}, ${share(sum("used"), sum("total"))}${cards}`;
}

function fixLens({ findings }: View, at: Span): Lens[] {
  const count = findings.filter(({ fix }) => fix?.safety === "safe").length;
  if (count === 0) return [];
  const title = count === 1 ? "Fix 1 problem" : `Fix ${count} problems`;
  return [{ at, title, command: { name: "modelfile-lint.fixAll", arguments: [] } }];
}

/** A context that nobody chose is worth enlarging where so many times as much fits. */
const much = 2;

/** The largest context with which every layer lies on the GPUs of every machine, where that is a gain. */
function contextLens({ file }: View, at: Span, all: readonly Plan[]): Lens[] {
  const plans = all.filter(({ machine }) => machine.gpus.length > 0);
  const spilling = plans.filter((plan) => !isWhollyOnGpu(plan));
  // Finding the limits takes many plans.
  if (plans.length === 0 || (spilling.length === 0 && !plans.every(isLeftOpen))) return [];
  const limits = plans.map((plan) => largestContext(plan)?.value ?? 0);
  const tokens = Math.min(...limits);
  const gains =
    spilling.length > 0
      ? spilling.every(({ context }) => tokens < context.effective)
      : plans.every(({ context }) => tokens >= much * context.effective);
  if (tokens === 0 || !gains) return [];
  if (!plans.every((plan) => isWhollyOnGpu(withSettings(plan, { numCtx: tokens })))) return [];
  const change = contextChange(file, tokens);
  if (change.edits.length === 0) return [];
  const title = `Set num_ctx ${tokens}`;
  return [{ at, title, command: { name: "modelfile-lint.applyChange", arguments: [change] } }];
}

/** Nobody has chosen the context, neither in the file nor in the model. */
function isLeftOpen({ context, model }: Plan): boolean {
  const { shape, parameters } = model;
  return (
    context.from === "default" && !shape.embeddingOnly && parameters?.["num_ctx"] === undefined
  );
}

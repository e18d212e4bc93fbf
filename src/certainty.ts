import type { Severity } from "./finding.js";
import type { Model } from "./models/model.js";
import type { Plan } from "./plan/plan.js";

/* How sure a plan is, and so how loudly a rule may speak of it. */

/** A model known by its shape alone may be this much smaller than described. */
const shapeMargin = 1.1;

/**
 * The severity of a finding that stands on `needed` being more than `room`: nothing is an error that
 * an approximation decides.
 */
export function severityOf(plan: Plan, needed: number, room: number): Severity {
  if (!plan.reproduced || plan.model.source === "name") return "warning";
  return plan.model.exact || needed > room * shapeMargin ? "error" : "warning";
}

/**
 * What a finding about a model rests on, where that is not the model itself; a sentence to put behind
 * others.
 */
export function basis({ exact, source, origins }: Model): string | undefined {
  if (source === "name") {
    const [likeness] = origins ?? [];
    return `Judged by its name alone${likeness ? `: ${likeness.from}` : ""}.`;
  }
  // The catalogue's tensors are recomputed, and agree with the sizes that the library prints.
  if (exact || source === "catalogue") return undefined;
  return "Its sizes are estimated by a model of the same shape.";
}

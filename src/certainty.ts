import type { Severity } from "./finding.js";
import type { Plan } from "./plan/plan.js";

/* How sure a plan is, and so how loudly a rule may speak of it. */

/** A model known by its shape alone may be this much smaller than described. */
const shapeMargin = 1.1;

/**
 * The severity of a finding that stands on `needed` being more than `room`: nothing is an error that
 * an approximation decides.
 */
export function severityOf(plan: Plan, needed: number, room: number): Severity {
  if (!plan.reproduced) return "warning";
  return plan.model.exact || needed > room * shapeMargin ? "error" : "warning";
}

/** Said where sizes are scaled; a sentence to put behind others. */
export function basis({ model }: Plan): string {
  return model.exact ? "" : ` Its sizes are estimated by a model of the same shape.`;
}

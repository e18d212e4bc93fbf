import type { Severity } from "../finding.js";
import type { Plan } from "./plan.js";

/**
 * A part of the weights in RAM is taken for safe up to this share of what is free. Beyond it the whole
 * file counts: ollama #10104 logs one buffer for all of it, although 21 layers were for the GPU.
 */
const safeShare = 0.7;

/** Whether `resident` bytes of weights leave too little of `room` bytes of RAM. */
export function presses(resident: number, room: number): boolean {
  return resident > safeShare * room;
}

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

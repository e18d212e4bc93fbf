import { runs } from "../plan/room.js";
import type { Note, Source } from "./target.js";

/** That the model does not run so, or that it is not certain. */
export function planNotes({ plan, machine, model }: Source): Note[] {
  if (!plan) {
    if (!machine || model) return [];
    return [{ message: "The model is not known, so that all GPUs of the machine are asked for." }];
  }
  const notes: string[] = [];
  if (!runs(plan)) {
    notes.push(`It does not run so on ${plan.machine.name}. ${plan.reasons[0] ?? ""}`.trim());
  }
  if (!plan.reproduced) notes.push("The plan is an approximation.");
  return notes.map((message) => ({ message }));
}

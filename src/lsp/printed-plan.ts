import type { Modelfile } from "../../grammar/tree.js";
import { modelReference } from "../lint.js";
import { siblings } from "../models/catalogue.js";
import { advise } from "../plan/advice.js";
import type { Plan } from "../plan/plan.js";
import { isWhollyOnGpu } from "../plan/solve.js";
import { headline, planText } from "../report/plan-text.js";
import type { Screen } from "../report/terminal.js";

const screen: Screen = { columns: 100, color: false, unicode: true };

/** A plan as `modelfile-lint plan` prints it, and its verdict with the reasons. */
export async function printedPlan(
  plan: Plan,
  file: Modelfile,
): Promise<{ text: string; headline: string }> {
  const name = modelReference(file) ?? plan.model.name;
  // What the name means elsewhere says nothing of a file or a description that goes by it.
  const named = ["catalogue", "store", "api"].includes(plan.model.source);
  const others = named && !isWhollyOnGpu(plan) ? await siblings(name) : [];
  return {
    text: planText(plan, name, advise(plan, others), screen),
    headline: headline(plan, name, screen)
      .map((line) => line.trim())
      .join(" "),
  };
}

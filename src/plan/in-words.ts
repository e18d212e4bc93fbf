import type { DevicePlan, Plan, Verdict } from "./plan.js";

/* What reports and editors say of a plan in the same words. */

/** The verdict as a sentence's predicate. */
export function verdictText({ verdict, devices }: Plan): string {
  const used = devices.filter(takesPart).length;
  const where = used === 1 ? "on one GPU" : `on ${used} GPUs`;
  const texts: Readonly<Record<Verdict, string>> = {
    fits: `fits ${where}`,
    risky: `fits ${where}, with little to spare`,
    partial: "runs partly on the CPU",
    cpu: "runs on the CPU alone",
    "out-of-memory": "runs out of memory",
    refused: "is refused",
  };
  return texts[verdict];
}

/** The verdict in a cell of a table. */
export const verdictWords: Readonly<Record<Verdict, string>> = {
  fits: "fits",
  risky: "fits, tight",
  partial: "partly on CPU",
  cpu: "CPU alone",
  "out-of-memory": "out of memory",
  refused: "refused",
};

/** Whether anything of the model is on that GPU. */
export function takesPart({ used, layers }: DevicePlan): boolean {
  return layers > 0 || used !== 0;
}

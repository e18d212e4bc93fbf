import type { Plan, Verdict } from "../plan/plan.js";
import type { View } from "./view.js";

/* How a plan reads in the few words that an editor has room for. */

/** From what runs best to what does not run. */
const verdicts: readonly Verdict[] = [
  "fits",
  "risky",
  "partial",
  "cpu",
  "out-of-memory",
  "refused",
];

/** The plans of all machines that have one, in order. */
export function plansOf({ contexts }: View): Plan[] {
  return contexts.flatMap(({ plan }) => (plan ? [plan] : []));
}

/** The plan with the worst verdict; of several the first. */
export function worstOf(plans: readonly Plan[]): Plan | undefined {
  return plans.toSorted((one, other) => rank(other) - rank(one))[0];
}

function rank({ verdict }: Plan): number {
  return verdicts.indexOf(verdict);
}

/** Bytes in a word: "6.1 GiB", "24 GiB", "320 MiB". */
export function shortSize(bytes: number): string {
  const gib = bytes / 2 ** 30;
  if (gib < 0.95) return `${Math.round(bytes / 2 ** 20)} MiB`;
  return `${shortGiB(bytes)} GiB`;
}

function shortGiB(bytes: number): string {
  return (bytes / 2 ** 30).toFixed(1).replace(/\.0$/, "");
}

/** "12.3 of 24 GiB" */
export function share(used: number, total: number): string {
  return `${shortGiB(used)} of ${shortGiB(total)} GiB`;
}

/** "33/33 layers"; undefined where no GPU takes part in any case. */
export function layersText({ layers, machine, host }: Plan): string | undefined {
  if (machine.gpus.length === 0) return undefined;
  const { onGpu, offloadable } = layers;
  const experts = host.experts > 0 ? `, experts of ${host.experts} in RAM` : "";
  return `${onGpu}/${offloadable} layers${experts}`;
}

/** Bytes that a plan has in RAM, those of mapped weights included that no GPU takes. */
export function inRam({ host, mmap }: Plan): number {
  return host.used + (mmap.inForce ? host.resident : 0);
}

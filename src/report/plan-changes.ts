import { judgeEach, type Releases } from "../facts/release-range.js";
import type { Release } from "../facts/release.js";
import type { Plan } from "../plan/plan.js";
import { verdictWords } from "../plan/in-words.js";

import { runs, type Ends } from "./spans.js";

export type AspectName =
  | "verdict"
  | "layers"
  | "layers by GPU"
  | "context"
  | "slots"
  | "mmap"
  | "flash attention"
  | "KV cache"
  | "batch"
  | "engine";

/** What plans of several releases are compared by. */
interface Aspect {
  name: AspectName;
  value: (plan: Plan) => string;
  /** The decision that says why it is so. */
  decision?: string;
}

/** What comes of it first, then what that depends on. */
export const aspects: readonly Aspect[] = [
  { name: "verdict", value: ({ verdict }) => verdictWords[verdict] },
  {
    name: "layers",
    value: ({ layers }) => `${layers.onGpu}/${layers.offloadable}`,
    decision: "layers",
  },
  { name: "layers by GPU", value: ({ devices }) => (devices.length > 1 ? split(devices) : "") },
  { name: "context", value: ({ context }) => `${context.effective}`, decision: "context" },
  { name: "slots", value: ({ context }) => `${context.parallel}`, decision: "parallel" },
  { name: "mmap", value: ({ mmap }) => (mmap.inForce ? "on" : "off"), decision: "use_mmap" },
  {
    name: "flash attention",
    value: ({ flashAttention }) => flashAttention,
    decision: "flash attention",
  },
  { name: "KV cache", value: ({ kvCacheType }) => kvCacheType, decision: "KV cache" },
  { name: "batch", value: ({ numBatch }) => `${numBatch}`, decision: "num_batch" },
  { name: "engine", value: ({ engine }) => engine },
];

/** "22+20x3+0": layers of one card after the other, as many as are alike counted. */
function split(devices: Plan["devices"]): string {
  const parts: { layers: number; count: number }[] = [];
  for (const { layers } of devices) {
    const last = parts.at(-1);
    if (last?.layers === layers) last.count++;
    else parts.push({ layers, count: 1 });
  }
  return parts.map(({ layers, count }) => (count > 1 ? `${layers}x${count}` : layers)).join("+");
}

/** All that is compared, as one text. */
export function shownOf(plan: Plan): string {
  return JSON.stringify(aspects.map(({ value }) => value(plan)));
}

/** Releases that plan alike, and the plan of the newest of them. */
export interface PlanStretch extends Ends {
  plan: Plan;
}

/** The plans of a range of releases, the oldest first; one for all neighbours that show the same. */
export function plansOver(releases: Releases, planOf: (release: Release) => Plan): PlanStretch[] {
  const found = judgeEach(releases, planOf).map(({ first, last, value }) => ({
    from: first.version,
    to: last.version,
    plan: value,
  }));
  const alike = (one: PlanStretch, next: PlanStretch) => shownOf(one.plan) === shownOf(next.plan);
  return runs(found, alike).map(({ from, to, newest }) => ({ from, to, plan: newest.plan }));
}

/** What differs between one plan and the next, and why it is so in the later one. */
export interface Change {
  name: AspectName;
  before: string;
  now: string;
  reasons: readonly string[];
  source?: string;
}

export function changesBetween(before: Plan, now: Plan): Change[] {
  const told = new Set<string>();
  return aspects
    .filter(({ value }) => value(before) !== value(now))
    .map(({ name, value, decision }): Change => {
      const made = now.decisions.findLast(({ what }) => what === decision);
      const reasons = name === "verdict" ? now.reasons : made ? [made.reason] : [];
      const fresh = reasons.filter((reason) => !told.has(reason));
      for (const reason of fresh) told.add(reason);
      return {
        name,
        before: value(before),
        now: value(now),
        reasons: fresh,
        ...(made && { source: made.source }),
      };
    });
}

import process from "node:process";

const times = Number(process.env["MODELFILE_LINT_RUNS"] ?? 1);

/** How often a property is tried: MODELFILE_LINT_RUNS=10 in the environment tries ten times as often. */
export function runs(count: number): number {
  return Math.max(1, Math.round(count * times));
}

/** Every `step`th of some cases, beginning with the `first`; with MODELFILE_LINT_RUNS more of them, or all. */
export function some<T>(cases: readonly T[], step: number, first = 0): T[] {
  const less = Math.max(1, Math.round(step / times));
  return cases.filter((_, index) => index % less === first % less);
}

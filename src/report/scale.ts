import type { Plan } from "../plan/plan.js";

/** How the sizes of one table are written: all in one unit, with the digits that they are known to. */
export interface Scale {
  unit: "MiB" | "GiB";
  /** Behind the point; below 0, as many before it are rounded away. */
  digits: number;
}

const MiB = 2 ** 20;
const GiB = 2 ** 30;

/** MiB where every part is small; a digit less where a plan is no exact one. */
export function scaleOf(plans: readonly Plan[]): Scale {
  const used = plans.flatMap(({ devices, host }) => [...devices, host].map((one) => one.used));
  const exact = plans.every(isExact);
  return used.every((bytes) => bytes < 4 * GiB)
    ? { unit: "MiB", digits: exact ? 0 : -1 }
    : { unit: "GiB", digits: exact ? 2 : 1 };
}

/** "14.80"; "?" for what is no number. */
export function sizeText(bytes: number, { unit, digits }: Scale): string {
  if (!Number.isFinite(bytes)) return "?";
  const step = 10 ** -digits;
  const value = Math.round(bytes / (unit === "MiB" ? MiB : GiB) / step) * step;
  // Rounded to nothing, a negative number would keep its sign.
  return (value === 0 ? 0 : value).toFixed(Math.max(0, digits));
}

/** "14.80 GiB" */
export function sizeWithUnit(bytes: number, scale: Scale): string {
  return `${sizeText(bytes, scale)} ${scale.unit}`;
}

/** Whether the model's sizes were read, and memory is computed as llama.cpp and the release do. */
function isExact({ model, accuracy, reproduced }: Plan): boolean {
  return model.exact && accuracy === "exact" && reproduced;
}

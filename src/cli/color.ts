import process from "node:process";
import type { Options } from "./options.js";

/** Colour for a terminal, unless told otherwise: --color, NO_COLOR, FORCE_COLOR (no-color.org, force-color.org). */
export function useColor(
  { color, "no-color": plain }: Options,
  stream: { isTTY?: boolean },
): boolean {
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  if (plain) return false;
  if (color) return true;
  if (NO_COLOR) return false;
  if (FORCE_COLOR !== undefined && FORCE_COLOR !== "") return FORCE_COLOR !== "0";
  return stream.isTTY === true && TERM !== "dumb";
}

import { createColors } from "picocolors";
import { visible } from "./terminal.js";

/** A unified diff for people. What neither has colours nor goes to a terminal is left as it is, for `patch`. */
export function shownDiff(diff: string, color: boolean, terminal: boolean): string {
  if (!color && !terminal) return diff;
  const colors = createColors(color);
  return diff
    .split("\n")
    .map((line) => {
      const text = visible(line);
      if (/^(?:---|\+\+\+) /.test(line)) return colors.bold(text);
      if (line.startsWith("@@")) return colors.cyan(text);
      if (line.startsWith("+")) return colors.green(text);
      return line.startsWith("-") ? colors.red(text) : text;
    })
    .join("\n");
}

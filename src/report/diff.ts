import { createColors } from "picocolors";
import { visible } from "./terminal.js";

/** A unified diff for the terminal. Without colour it is left as it is, so that `patch` can read it. */
export function coloured(diff: string, color: boolean): string {
  if (!color) return diff;
  const colors = createColors(true);
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

import { powershellEscaped, readPowershell } from "./expand.js";
import { byLines } from "./lines.js";
import { reader } from "./passage.js";
import type { Candidate } from "./shell.js";

/** The here-strings of a PowerShell script. */
export function hereStringsIn(source: string): Candidate[] {
  const found: Candidate[] = [];
  const opening = /@(["'])[ \t]*\r?\n/g;
  for (let match = opening.exec(source); match; match = opening.exec(source)) {
    const mark = match[1]!;
    const start = opening.lastIndex;
    const end = source.indexOf(`\n${mark}@`, start - 1) + 1;
    // Without an end, nothing below is what it seems.
    if (end === 0) break;
    opening.lastIndex = end + 2;
    if (end <= start) continue;
    const read = reader(source, start);
    if (mark === "'") read.same(end - start);
    else if (!readPowershell(read, source, end)) continue;
    const line = source.lastIndexOf("\n", match.index) + 1;
    const behind = source.indexOf("\n", end);
    const around =
      source.slice(Math.max(line, match.index - 200), match.index) +
      source.slice(end, Math.min(behind < 0 ? source.length : behind, end + 200));
    const style = {
      source,
      prefix: "",
      eol: undefined,
      closed: true,
      accepts: (lines: readonly string[]) => !lines.some((text) => text.startsWith(`${mark}@`)),
    };
    found.push({
      // Out-File and Set-Content add the line end that stands in front of the closing mark.
      passage: read.done(byLines(mark === "'" ? style : { ...style, escaped: powershellEscaped })),
      evidence: /modelfile/i.test(around) ? "named" : "nothing",
    });
  }
  return found;
}

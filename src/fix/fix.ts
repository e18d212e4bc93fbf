import { decode, encodeEdited, type TextEdit } from "../../grammar/bytes.js";
import type { Finding } from "../finding.js";

export interface Fixed {
  /** In the file's own encoding; everything outside the edits has its old bytes. */
  bytes: Uint8Array;
  text: string;
  /** Findings whose fix was made, in the order of making. */
  made: Finding[];
  /** What is left to find in the result. */
  findings: Finding[];
}

/** A round can open the way for another fix; one that is not done after these is going in circles. */
const mostRounds = 10;

/**
 * Makes the fixes of a file's findings, again and again until there are none left. Of fixes that touch
 * the same text only the first is made in a round. Unsafe fixes only with `unsafe`.
 */
export async function fix(
  bytes: Uint8Array,
  findingsOf: (text: string) => Promise<Finding[]>,
  unsafe: boolean,
): Promise<Fixed> {
  const made: Finding[] = [];
  const seen = new Set<string>();
  let source = decode(bytes);
  let findings = await findingsOf(source.text);
  for (let round = 0; round < mostRounds; round++) {
    const chosen = compatible(findings.filter((finding) => wanted(finding, unsafe)));
    if (chosen.length === 0) break;
    const edits = chosen.flatMap((finding) => finding.fix!.edits).sort(byStart);
    seen.add(source.text);
    const next = decode(encodeEdited(source, edits));
    if (seen.has(next.text)) break;
    source = next;
    made.push(...chosen);
    findings = await findingsOf(source.text);
  }
  return { bytes: source.bytes, text: source.text, made, findings };
}

function wanted({ fix }: Finding, unsafe: boolean): boolean {
  return fix !== undefined && (unsafe || fix.safety === "safe");
}

export function byStart(a: TextEdit, b: TextEdit): number {
  return a.start - b.start || a.end - b.end;
}

/** Of findings with a fix those whose edits leave each other alone; the earlier in the text wins. */
export function compatible(findings: readonly Finding[]): Finding[] {
  const taken: TextEdit[] = [];
  const chosen: Finding[] = [];
  for (const finding of findings) {
    const { edits } = finding.fix!;
    if (edits.some((edit) => taken.some((other) => touches(edit, other)))) continue;
    taken.push(...edits);
    chosen.push(finding);
  }
  return chosen;
}

/** Edits that share a character, or insert at the same place, depend on each other's order. */
function touches(a: TextEdit, b: TextEdit): boolean {
  return a.start <= b.end && b.start <= a.end;
}

/** `text` after edits that do not overlap. */
export function applyEdits(text: string, edits: readonly TextEdit[]): string {
  let result = "";
  let from = 0;
  for (const edit of [...edits].sort(byStart)) {
    result += text.slice(from, edit.start) + edit.text;
    from = edit.end;
  }
  return result + text.slice(from);
}

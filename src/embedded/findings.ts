import type { TextEdit } from "../../grammar/bytes.js";
import type { Change, Finding } from "../finding.js";
import { outerEdit, outerSpan, touchesUnknown, type Island } from "./island.js";

/**
 * A Modelfile's findings as those of the file around it. What is about a part that only running the script
 * makes known is left out, and so is a missing FROM in an excerpt. A fix that cannot be written there is
 * no fix; the finding stays.
 */
export function outerFindings(island: Island, findings: readonly Finding[]): Finding[] {
  return findings.flatMap((finding) => {
    if (touchesUnknown(island, finding.at)) return [];
    if (island.fragment && finding.rule === "missing-from") return [];
    const { fix, suggestions, related, ...rest } = finding;
    const outerFix = fix && outerChange(island, fix);
    const outerSuggestions = suggestions?.flatMap((change) => outerChange(island, change) ?? []);
    return [
      {
        ...rest,
        at: outerSpan(island, finding.at),
        ...(outerFix && { fix: outerFix }),
        ...(outerSuggestions && outerSuggestions.length > 0 && { suggestions: outerSuggestions }),
        ...(related && {
          related: related
            .filter((one) => !touchesUnknown(island, one.at))
            .map((one) => ({ ...one, at: outerSpan(island, one.at) })),
        }),
      },
    ];
  });
}

function outerChange<C extends Change>(island: Island, change: C): C | undefined {
  const edits: TextEdit[] = [];
  for (const edit of change.edits) {
    const outer = outerEdit(island, edit);
    if (!outer) return undefined;
    edits.push(outer);
  }
  edits.sort((one, other) => one.start - other.start);
  // A deletion to the end of the text takes the indentation in front of it along, where another edit may end.
  const apart = edits.every((edit, index) => index === 0 || edits[index - 1]!.end <= edit.start);
  return apart ? { ...change, edits } : undefined;
}

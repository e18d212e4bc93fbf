import type { Modelfile } from "../grammar/tree.js";
import { findOut } from "./context.js";
import { isRange } from "./facts/release-range.js";
import type { Finding } from "./finding.js";
import type { InputError } from "./host.js";
import { check } from "./lint.js";
import type { Context } from "./rule.js";
import type { RangeSetup } from "./setups.js";

/** What came of a Modelfile on one machine. */
export interface Judged {
  /** In the order of the text. */
  findings: Finding[];
  /** What is known besides the file; of a range of releases, with the newest. */
  context: Context;
  /** Why there is no model where there could have been one. */
  unknownModel?: string;
  /** A model's file that cannot be read. */
  broken?: InputError;
}

/** Looks up what a Modelfile names and applies the rules, for one release or for each of a range. */
export async function judge(file: Modelfile, setup: RangeSetup): Promise<Judged> {
  const { releases, release, severityOf } = setup;
  const { contextOf, model: _, ...unknown } = await findOut(file, setup);
  const context = contextOf(release);
  if (!isRange(releases)) {
    return { findings: check(file, context, severityOf), context, ...unknown };
  }
  const { findingsOver } = await import("./report/over-releases.js");
  const findings = await findingsOver(file, releases, async (one) => {
    const known = one === file ? { contextOf } : await findOut(one, setup);
    return {
      contextOf: known.contextOf,
      findingsIn: (of) => check(one, of, severityOf),
    };
  });
  return { findings, context, ...unknown };
}

import type { Modelfile } from "../grammar/tree.js";
import { findOut, type Known } from "./context.js";
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
  const { contextOf, model: _, ...unknown } = await findOut(file, setup);
  const context = contextOf(setup.release);
  const contextsOf = async (one: Modelfile) =>
    one === file ? contextOf : (await findOut(one, setup)).contextOf;
  return { findings: await findingsWith(file, setup, context, contextsOf), context, ...unknown };
}

/**
 * What the rules find, with contexts from elsewhere: `context` is that of the newest release; of a range
 * `contextsOf` is asked for those of the file, and of what it would be with a fix.
 */
export async function findingsWith(
  file: Modelfile,
  { releases, severityOf }: RangeSetup,
  context: Context,
  contextsOf: (file: Modelfile) => Promise<Known["contextOf"]>,
): Promise<Finding[]> {
  if (!isRange(releases)) return check(file, context, severityOf);
  const { findingsOver } = await import("./report/over-releases.js");
  return findingsOver(file, releases, async (one) => ({
    contextOf: await contextsOf(one),
    findingsIn: (of) => check(one, of, severityOf),
  }));
}

import type { Modelfile } from "../../grammar/tree.js";
import type { View } from "../editor/view.js";
import { isRange } from "../facts/release-range.js";
import { newestRelease } from "../facts/release.js";
import { byPlace, type Finding } from "../finding.js";
import type { InputError } from "../host.js";
import { findingsWith } from "../judge.js";
import { whenHeld } from "../report/when.js";
import type { Context } from "../rule.js";
import type { RangeSetup } from "../setups.js";
import type { Found, Knowledge } from "./knowledge.js";

/** What there is to say about a file. */
export interface Judged {
  view: View;
  /** Files of models that cannot be read. */
  broken: readonly InputError[];
}

/** A file as far as it can be judged now. */
export interface Judgement extends Judged {
  /** Nothing is left to look up, and nothing that was looked up is old. */
  complete: boolean;
  /** What is missing was there for the text before, and is likely to be soon again. */
  promising: boolean;
}

/** Judges a file by its text and by what is known already: needs nobody's answer. */
export async function judgeNow(
  file: Modelfile,
  setups: readonly RangeSetup[],
  knowledge: Knowledge,
): Promise<Judgement> {
  let complete = true;
  let promising = false;
  const judged: OnSetup[] = [];
  for (const setup of setups) {
    const found = knowledge.of(file, setup);
    const similar = found ?? knowledge.like(file, setup);
    // With a machine each release of a range has its own plan: that takes too long for each key.
    const slow = isRange(setup.releases) && setup.machine !== undefined;
    const usable = found && !slow ? found : undefined;
    if (!usable || knowledge.isStale(usable)) complete = false;
    if (!usable && similar) promising = true;
    const context = usable?.context ?? withoutPlan(similar, setup);
    judged.push({
      setup,
      context,
      findings: await findingsNow(file, setup, context, usable),
      broken: usable?.known.broken,
    });
  }
  return { ...together(file, judged), complete, promising };
}

/** Judges a file with everything that there is to know, however long it takes. */
export async function judgeFully(
  file: Modelfile,
  setups: readonly RangeSetup[],
  knowledge: Knowledge,
): Promise<Judged> {
  const judged = await Promise.all(
    setups.map(async (setup): Promise<OnSetup> => {
      const before = knowledge.of(file, setup);
      const found =
        before && !knowledge.isStale(before) ? before : await knowledge.find(file, setup);
      const findings = await findingsWith(file, setup, found.context, async (one) => {
        const { known } = one === file ? found : await knowledge.find(one, setup);
        return known.contextOf;
      });
      return { setup, context: found.context, findings, broken: found.known.broken };
    }),
  );
  return together(file, judged);
}

interface OnSetup {
  setup: RangeSetup;
  context: Context;
  findings: readonly Finding[];
  broken: InputError | undefined;
}

function findingsNow(
  file: Modelfile,
  setup: RangeSetup,
  context: Context,
  found: Found | undefined,
): Promise<Finding[]> {
  const contextOf = found?.known.contextOf ?? ((release) => ({ ...context, release }));
  return findingsWith(file, setup, context, async () => contextOf);
}

/** What stays true of a text that names the same files, whatever it asks of them. */
function withoutPlan(found: Found | undefined, { release }: RangeSetup): Context {
  if (!found) return { release };
  const { plan: _, ...context } = found.context;
  return context;
}

function together(file: Modelfile, judged: readonly OnSetup[]): Judged {
  const [first = { release: newestRelease }, ...more] = judged.map(({ context }) => context);
  const broken = new Map(
    judged.flatMap((one) => (one.broken ? [[one.broken.message, one.broken]] : [])),
  );
  return {
    view: { file, contexts: [first, ...more], findings: merged(judged) },
    broken: [...broken.values()],
  };
}

/** What several machines have in common once; behind anything else, the machines that it holds for. */
function merged(judged: readonly OnSetup[]): Finding[] {
  const groups = new Map<string, { finding: Finding; machines: string[] }>();
  for (const { setup, findings } of judged) {
    const { first, last } = setup.releases;
    const whole = { from: first.version, to: last.version };
    // The same words twice on one machine stay two findings.
    const seen = new Map<string, number>();
    for (const finding of findings) {
      const when = whenHeld(finding, whole);
      const help = [...when, finding.help].filter(Boolean).join(" ");
      const { rule, severity, message, at } = finding;
      const words = JSON.stringify([rule, severity, message, help, at.start, at.end]);
      const count = (seen.get(words) ?? 0) + 1;
      seen.set(words, count);
      const key = `${words}${count}`;
      const group = groups.get(key) ?? {
        finding: help === "" ? finding : { ...finding, help },
        machines: [],
      };
      group.machines.push(setup.machine?.name ?? "");
      groups.set(key, group);
    }
  }
  const all = [...groups.values()].map(({ finding, machines }) => {
    if (machines.length === judged.length) return finding;
    return { ...finding, message: `${finding.message} (${machines.join(", ")})` };
  });
  return all.sort(byPlace);
}

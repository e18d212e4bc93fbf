import type { Modelfile } from "../../grammar/tree.js";
import { findOut, type Known } from "../context.js";
import { settingsOf, wantsModel } from "../lint.js";
import type { Context } from "../rule.js";
import type { RangeSetup } from "../setups.js";

/** What was found out about a file on a setup, and for which questions it is the answer. */
export interface Found {
  known: Known;
  /** For the setup's release, the newest of a range. */
  context: Context;
  /** When it was looked up last, in milliseconds since the start. */
  at: number;
}

/** What is known about a document, on each setup: looked up once for each text that could make a difference. */
export interface Knowledge {
  /** Undefined: nobody has looked yet. */
  of(file: Modelfile, setup: RangeSetup): Found | undefined;
  /** Of the same models and files, for a text that asks something else of them. */
  like(file: Modelfile, setup: RangeSetup): Found | undefined;
  /** Looks again, unless somebody does already. The same object where nothing has changed. */
  find(file: Modelfile, setup: RangeSetup): Promise<Found>;
  /** Whether what is known is old enough to look again. */
  isStale(found: Found): boolean;
  /** Makes everything stale: files have changed. */
  expire(): void;
}

/** Texts that a setup's answers are kept for; typing a name makes a text with each letter. */
const most = 16;

/** Milliseconds after which a file may have come, gone or changed. */
const freshFor = 5_000;

interface Answers {
  found: Map<string, Found>;
  pending: Map<string, Promise<Found>>;
}

export function knowledge(): Knowledge {
  const answers = new WeakMap<RangeSetup, Answers>();
  let expired = -1;
  const answersOf = (setup: RangeSetup): Answers => {
    let own = answers.get(setup);
    if (!own) answers.set(setup, (own = { found: new Map(), pending: new Map() }));
    return own;
  };
  return {
    of: (file, setup) => answers.get(setup)?.found.get(keyOf(file, setup)),
    like: (file, setup) => {
      const start = `${references(file)}\n`;
      const all = [...(answers.get(setup)?.found ?? [])];
      return all.findLast(([key]) => key.startsWith(start))?.[1];
    },
    find: (file, setup) => {
      const { found, pending } = answersOf(setup);
      const key = keyOf(file, setup);
      const going = pending.get(key);
      if (going) return going;
      const before = found.get(key);
      const looking = lookUp(file, setup, before)
        .then((answer) => {
          put(found, key, answer);
          return answer;
        })
        .finally(() => {
          if (pending.get(key) === looking) pending.delete(key);
        });
      put(pending, key, looking);
      return looking;
    },
    isStale: ({ at }) => at < expired || performance.now() - at > freshFor,
    expire: () => {
      expired = performance.now();
    },
  };
}

async function lookUp(
  file: Modelfile,
  setup: RangeSetup,
  before: Found | undefined,
): Promise<Found> {
  const at = performance.now();
  const known = await findOut(file, setup);
  const now = { known, context: known.contextOf(setup.release), at };
  if (!before || signature(before) !== signature(now)) return now;
  before.at = at;
  return before;
}

/** Tells one answer to a question from another. */
function signature({ known: { model, unknownModel, broken }, context }: Found): string {
  return JSON.stringify([
    model && [model.name, model.source, model.fileBytes, model.exact, model.origins],
    unknownModel,
    broken?.message,
    [...(context.files ?? [])],
    [...(context.localFrom ?? [])],
  ]);
}

/** Everything in a text that looking up depends on. */
function keyOf(file: Modelfile, { severityOf, machine }: RangeSetup): string {
  const asks = machine ? settingsOf(file) : wantsModel(file, severityOf);
  return `${references(file)}\n${JSON.stringify(asks)}`;
}

/** What FROM, ADAPTER and DRAFT name. */
function references({ statements }: Modelfile): string {
  const named = statements.flatMap((node) => {
    if (node.kind !== "instruction" || !/^(?:FROM|ADAPTER|DRAFT)$/.test(node.name)) return [];
    return [[node.name, node.value?.text ?? null, node.flaws.length === 0]];
  });
  return JSON.stringify(named);
}

/** At the end; the oldest goes where there are too many. */
function put<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  for (const [oldest] of map) {
    if (map.size <= most) return;
    map.delete(oldest);
  }
}

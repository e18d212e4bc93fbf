import type { View } from "../editor/view.js";
import { parseModelfile } from "../../grammar/parser.js";
import type { Finding } from "../finding.js";
import type { InputError } from "../host.js";
import type { FileSetups, RangeSetup } from "../setups.js";
import { defaultSetup, type Setups } from "./configuration.js";
import { unreadable, type Document, type Snapshot } from "./documents.js";
import { judgeFully, judgeNow, type Judgement } from "./judgement.js";
import { knowledge, type Knowledge } from "./knowledge.js";

/** What there is to say about a document's text. */
export interface Result extends Pick<Judgement, "complete" | "promising"> {
  snapshot: Snapshot;
  /** Undefined where nothing is to be said: it is ignored, switched off or no text. */
  view: View | undefined;
  /** Files of models that cannot be read. */
  broken: readonly InputError[];
}

export interface Analysis {
  /** Judges a document that was opened or changed, and tells of it. */
  touch(document: Document): void;
  /** What its text alone says, with what is known already; of the text as it is now. */
  now(document: Document): Promise<Result>;
  /** As `now`, once everything is looked up or `most` milliseconds are over. */
  within(document: Document, most: number): Promise<Result>;
  /** Judges another text as if it were the document's. */
  findingsOf(document: Document, text: string): Promise<Finding[]>;
  setupsOf(document: Document): Promise<readonly RangeSetup[]>;
  /** Configurations or settings are no longer what they were. */
  reconfigure(): void;
  /** Files that are named somewhere have changed. */
  expire(): void;
  forget(document: Document): void;
}

export interface Surroundings {
  /** Undefined: nothing is to be said about the document. Never rejects. */
  setupsFor(document: Document): Promise<Setups | undefined>;
  /** Gets every result of a document's present text; `late`: not the first one since the client changed it. */
  publish(document: Document, result: Result, late: boolean): void;
  /** What cannot be analysed, once for each document. */
  note(document: Document, why: string): void;
  log: (error: unknown) => void;
  /** Milliseconds for a host that says where configurations lie, before defaults are used. */
  patience: number;
}

/** Milliseconds. */
const patience = {
  /** The most that typing is gathered for before it is judged. */
  gather: 50,
  /** Without typing, until something is looked up. */
  quiet: 100,
  /** Results without a plan are held back for so long where there was one a moment ago. */
  hold: 250,
  /** For machines, before models are looked up without them. */
  machines: 50,
  /** For lookups when a fix is tried. */
  fix: 500,
};

interface State {
  setups: Promise<Setups | undefined> | undefined;
  /** Those of `setups` that are known by now. */
  quick: FileSetups | undefined;
  full: FileSetups | undefined;
  off: boolean;
  knowledge: Knowledge;
  judging: { snapshot: Snapshot; result: Promise<Result> } | undefined;
  result: Result | undefined;
  timers: Set<ReturnType<typeof setTimeout>>;
  /** What the last judgement of the text alone took, and of everything. */
  took: { now: number; fully: number };
  settled: Promise<void>;
  settle: () => void;
  seen: boolean;
  noted: boolean;
}

const nothing: Omit<Result, "snapshot"> = {
  view: undefined,
  broken: [],
  complete: true,
  promising: false,
};

/** Judges documents: at once by what is known, and again when the rest has been looked up. */
export function analysis(around: Surroundings): Analysis {
  const states = new Map<Document, State>();

  const stateOf = (document: Document): State => {
    let state = states.get(document);
    if (!state) states.set(document, (state = newState()));
    return state;
  };

  const isCurrent = (document: Document, state: State, snapshot: Snapshot): boolean =>
    states.get(document) === state && document.snapshot === snapshot;

  const setupsOf = (document: Document, state: State): Promise<Setups | undefined> => {
    if (state.setups) return state.setups;
    const setups = around.setupsFor(document);
    state.setups = setups;
    const keep = (key: "quick" | "full") => (found: FileSetups) => {
      if (state.setups === setups) state[key] = found;
    };
    setups
      .then((found) => {
        if (state.setups === setups) state.off = found === undefined;
        return Promise.all([found?.quick.then(keep("quick")), found?.full.then(keep("full"))]);
      })
      .catch(around.log);
    return setups;
  };

  /** What is known of a document's setups, once that is enough or patience is over. */
  const setupsSoon = async (document: Document, state: State): Promise<FileSetups | undefined> => {
    if (!state.full && !state.quick) {
      const known = setupsOf(document, state).then((found) => found?.quick);
      await soon(known, around.patience);
    }
    if (state.off) return undefined;
    const found = state.full ?? state.quick;
    if (found) return found;
    return { setups: [defaultSetup(document.path ?? ".")], ignored: false };
  };

  const judge = async (document: Document, snapshot: Snapshot): Promise<Result> => {
    const state = stateOf(document);
    const why = unreadable(snapshot.text.getText());
    if (why !== undefined) {
      if (!state.noted) around.note(document, why);
      state.noted = true;
      return { ...nothing, snapshot };
    }
    const found = await setupsSoon(document, state);
    if (!found || found.ignored) return { ...nothing, snapshot };
    const start = performance.now();
    const judged = await judgeNow(snapshot.file(), found.setups, state.knowledge);
    state.took.now = performance.now() - start;
    return { snapshot, ...judged, complete: judged.complete && state.full !== undefined };
  };

  const now = (document: Document): Promise<Result> => {
    const state = stateOf(document);
    const { snapshot } = document;
    if (state.result?.snapshot === snapshot) return Promise.resolve(state.result);
    if (state.judging?.snapshot === snapshot) return state.judging.result;
    const judging = {
      snapshot,
      result: judge(document, snapshot).then((result) => {
        if (state.judging === judging && isCurrent(document, state, snapshot)) {
          state.result = result;
        }
        return result;
      }),
    };
    state.judging = judging;
    return judging.result;
  };

  const later = (state: State, delay: number, job: () => Promise<void> | void): void => {
    const timer = setTimeout(() => {
      state.timers.delete(timer);
      Promise.resolve().then(job).catch(around.log);
    }, delay);
    state.timers.add(timer);
  };

  const stop = (state: State): void => {
    for (const timer of state.timers) clearTimeout(timer);
    state.timers.clear();
  };

  /** The first result of a text; what is missing follows. */
  const first = async (document: Document, state: State, late: boolean): Promise<void> => {
    const { snapshot } = document;
    const result = await now(document);
    if (!isCurrent(document, state, snapshot) || state.result !== result) return;
    if (result.complete) {
      around.publish(document, result, late);
      state.settle();
      return;
    }
    const hold = Math.max(patience.hold, Math.min(3000, 2 * state.took.fully + patience.quiet));
    if (result.promising) {
      later(state, hold, () => around.publish(document, result, late));
    } else around.publish(document, result, late);
    later(state, state.seen ? patience.quiet : 0, () => rest(document, state, snapshot));
    state.seen = true;
  };

  /** Everything that has to be looked up. */
  const rest = async (document: Document, state: State, snapshot: Snapshot): Promise<void> => {
    const { settled } = state;
    // Settings, configurations and files that change meanwhile bring a round of their own.
    const isStill = () => state.settled === settled && isCurrent(document, state, snapshot);
    const setups = await setupsOf(document, state);
    if (!isStill()) return;
    if (!setups) {
      // The client took its time to say so.
      finish(document, state, { ...nothing, snapshot });
      return;
    }
    if (!state.full) await soon(setups.full, patience.machines);
    if (!state.full) {
      const quick = setups.quick.then((found) => fully(document, state, isStill, found, false));
      quick.catch(around.log);
    }
    await fully(document, state, isStill, await setups.full, true);
  };

  const fully = async (
    document: Document,
    state: State,
    isStill: () => boolean,
    { setups, ignored }: FileSetups,
    last: boolean,
  ): Promise<void> => {
    if (!isStill()) return;
    const { snapshot } = document;
    const start = performance.now();
    const judged = ignored
      ? { view: undefined, broken: [] }
      : await judgeFully(snapshot.file(), setups, state.knowledge);
    if (!isStill() || state.result?.complete) return;
    state.took.fully = performance.now() - start;
    finish(document, state, { snapshot, ...judged, complete: last, promising: false });
  };

  const finish = (document: Document, state: State, result: Result): void => {
    if (!isCurrent(document, state, result.snapshot)) return;
    state.result = result;
    if (result.complete) stop(state);
    around.publish(document, result, true);
    if (result.complete) state.settle();
  };

  /** `late`: its text is as it was, so that a client asks only where it is told to. */
  const touch = (document: Document, late: boolean): void => {
    const state = stateOf(document);
    stop(state);
    state.settle();
    state.settled = new Promise((settle) => (state.settle = settle));
    state.result = undefined;
    state.judging = undefined;
    const delay = state.seen ? Math.min(patience.gather, state.took.now) : 0;
    later(state, delay, () => first(document, state, late));
  };

  return {
    touch: (document) => touch(document, false),
    now,
    async within(document, most) {
      const state = stateOf(document);
      const result = await now(document);
      if (result.complete) return result;
      await soon(state.settled, most);
      return now(document);
    },
    async findingsOf(document, text) {
      const state = stateOf(document);
      const found = await setupsSoon(document, state);
      if (!found || found.ignored) return [];
      const file = parseModelfile(text);
      const fullest = judgeFully(file, found.setups, state.knowledge);
      const view = await soon(fullest, patience.fix).then((judged) => judged?.view);
      if (view) return [...view.findings];
      return [...(await judgeNow(file, found.setups, state.knowledge)).view.findings];
    },
    async setupsOf(document) {
      const found = await setupsSoon(document, stateOf(document));
      return found && !found.ignored ? found.setups : [];
    },
    reconfigure() {
      for (const [document, state] of states) {
        state.setups = state.quick = state.full = undefined;
        state.off = false;
        touch(document, true);
      }
    },
    expire() {
      for (const [document, state] of states) {
        state.knowledge.expire();
        touch(document, true);
      }
    },
    forget(document) {
      const state = states.get(document);
      if (!state) return;
      stop(state);
      state.settle();
      states.delete(document);
    },
  };
}

function newState(): State {
  return {
    setups: undefined,
    quick: undefined,
    full: undefined,
    off: false,
    knowledge: knowledge(),
    judging: undefined,
    result: undefined,
    timers: new Set(),
    took: { now: 0, fully: 0 },
    settled: Promise.resolve(),
    settle: () => {},
    seen: false,
    noted: false,
  };
}

/** What a promise gives within so many milliseconds; it goes on all the same. */
export async function soon<T>(promise: Promise<T>, most: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<undefined>((done) => {
    timer = setTimeout(() => done(undefined), most);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

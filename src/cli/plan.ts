import process from "node:process";
import { decode } from "../../grammar/bytes.js";
import { parseModelfile } from "../../grammar/parser.js";
import { findOut } from "../context.js";
import { isRange } from "../facts/release-range.js";
import { InputError } from "../host.js";
import { modelReference, settingsOf } from "../lint.js";
import type { Machine } from "../machines/machine.js";
import type { Model } from "../models/model.js";
import type { Advice } from "../plan/advice.js";
import type { Plan } from "../plan/plan.js";
import { fleetText } from "../report/plan-fleet.js";
import { plansOver, type PlanStretch } from "../report/plan-changes.js";
import { planJson } from "../report/plan-json.js";
import { explanation, headline, planText } from "../report/plan-text.js";
import { releasesText } from "../report/plan-releases.js";
import type { Screen } from "../report/terminal.js";
import { useColor } from "./color.js";
import { readOperand } from "./files.js";
import { UsageError, type Options } from "./options.js";
import type { RangeSetup } from "../setups.js";
import { releaseNote, setupsFor } from "./setup.js";
import { tell } from "./tell.js";

/** More machines than these are compared, and none is shown by itself. */
const mostShown = 3;

/** Columns of the terminal: less is not laid out for, more helps nobody. */
const [narrowest, widest] = [40, 400];

/** What Ollama would do with a file on each machine. Exit code 1 where it does not run. */
export async function plan(values: Options, operands: string[]): Promise<number> {
  if (operands[0] === "-" && values.machine?.includes("-")) {
    throw new UsageError("Standard input is the Modelfile or the machine, not both.");
  }
  const { path, bytes } = await readOperand("plan", operands);
  const setups = await setupsWithMachine(path, values);
  const [setup] = setups;
  if (!setup) {
    throw new UsageError(
      "plan needs a machine: --machine NAME, FILE or auto. See modelfile-lint machine.",
    );
  }
  const file = parseModelfile(decode(bytes).text);
  const { model, unknownModel, broken } = await findOut(file, setup);
  if (broken) throw broken;
  if (!model) {
    const why = unknownModel ?? "The file has no FROM line.";
    throw new InputError(`No plan without a model: ${why}`, { path });
  }
  const name = modelReference(file)!;
  const settings = settingsOf(file);
  const { makePlan } = await import("../plan/make-plan.js");
  // All machines run the same model; it is looked up once.
  const found = setups.map(({ machine, releases, server }) =>
    plansOver(releases, (release) =>
      makePlan({ model, machine, release, server: { ...machine.server, ...server }, settings }),
    ),
  );
  const plans = found.flat().map((stretch) => stretch.plan);
  if (isRange(setup.releases)) {
    const all = found.flat();
    process.stdout.write(values.json ? await rangeJson(all, name) : rangeText(found, name, values));
  } else {
    process.stdout.write(
      values.json ? await asJson(plans, name) : await asText(plans, name, values),
    );
  }
  printNotes(setups, values);
  const failed = plans.some(({ verdict }) => verdict === "refused" || verdict === "out-of-memory");
  return failed ? 1 : 0;
}

async function setupsWithMachine(
  path: string,
  values: Options,
): Promise<(RangeSetup & { machine: Machine })[]> {
  const setups = await setupsFor(path, values);
  if (setups === "ignored") return [];
  return setups.flatMap((one) => (one.machine ? [{ ...one, machine: one.machine }] : []));
}

function printNotes(setups: readonly RangeSetup[], { quiet }: Options): void {
  const notes = new Set(setups.map(({ releases }) => releaseNote(releases)));
  for (const note of notes) {
    if (note !== undefined && !quiet) tell(note);
  }
}

async function rangeJson(found: readonly PlanStretch[], name: string): Promise<string> {
  const data = [];
  for (const { from, to, plan } of found) {
    const one = planJson(plan, name, await adviceOn(plan, name));
    data.push({ releases: { from, to }, ...one });
  }
  return `${JSON.stringify(data, undefined, 2)}\n`;
}

/** A table for each machine; of many machines, no more than that. */
function rangeText(found: readonly PlanStretch[][], name: string, values: Options): string {
  const screen = screenOf(values);
  const detail = {
    changes: !values.quiet && found.length <= mostShown,
    sources: values.explain ?? false,
  };
  return found.map((stretches) => releasesText(stretches, name, screen, detail)).join("\n");
}

async function asJson(plans: readonly Plan[], name: string): Promise<string> {
  const data = [];
  for (const one of plans) data.push(planJson(one, name, await adviceOn(one, name)));
  return `${JSON.stringify(data.length === 1 ? data[0] : data, undefined, 2)}\n`;
}

async function asText(plans: readonly Plan[], name: string, values: Options): Promise<string> {
  const screen = screenOf(values);
  const parts = plans.length > 1 ? [fleetText(plans, name, screen)] : [];
  if (values.quiet) {
    return parts.length > 0 ? parts[0]! : `${headline(plans[0]!, name, screen).join("\n")}\n`;
  }
  if (plans.length <= mostShown) {
    for (const one of plans) {
      parts.push(planText(one, name, await adviceOn(one, name), screen));
      if (values.explain) parts.push(explanation(one, screen));
    }
  }
  return parts.join("\n");
}

/** Loaded for the plan alone, like the model's other quantisations: rules give no advice. */
async function adviceOn(plan: Plan, name: string): Promise<readonly Advice[]> {
  const { advise } = await import("../plan/advice.js");
  const { isWhollyOnGpu } = await import("../plan/solve.js");
  return advise(plan, isWhollyOnGpu(plan) ? [] : await siblingsOf(plan.model, name));
}

/** What the name means elsewhere says nothing of a file or a description that goes by it. */
async function siblingsOf({ source }: Model, name: string): Promise<readonly Model[]> {
  if (source !== "catalogue" && source !== "store" && source !== "api") return [];
  const { siblings } = await import("../models/catalogue.js");
  return siblings(name);
}

function screenOf(values: Options): Screen {
  const { columns } = process.stdout;
  // A shell exports COLUMNS to what it pipes into a pager, if told to.
  const asked = Number(process.env["COLUMNS"]);
  const known = columns > 0 ? columns : asked > 0 ? asked : 80;
  return {
    columns: Math.floor(Math.min(Math.max(narrowest, known), widest)),
    color: useColor(values, process.stdout),
    unicode: showsUnicode(),
  };
}

/** By the locale, as POSIX reads it; Windows' console takes what Node writes. Told nothing, most show it. */
function showsUnicode(): boolean {
  const { LC_ALL, LC_CTYPE, LANG } = process.env;
  const locale = [LC_ALL, LC_CTYPE, LANG].find((value) => value !== undefined && value !== "");
  return process.platform === "win32" || locale === undefined || /utf-?8/i.test(locale);
}

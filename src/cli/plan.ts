import process from "node:process";
import { decode } from "../../grammar/bytes.js";
import { parseModelfile } from "../../grammar/parser.js";
import { lookUp } from "../context.js";
import { InputError } from "../host.js";
import { modelReference, settingsOf } from "../lint.js";
import type { Model } from "../models/model.js";
import type { Advice } from "../plan/advice.js";
import type { Plan } from "../plan/plan.js";
import { fleetText } from "../report/plan-fleet.js";
import { planJson } from "../report/plan-json.js";
import { explanation, headline, planText } from "../report/plan-text.js";
import type { Screen } from "../report/terminal.js";
import { useColor } from "./color.js";
import { readOperand } from "./files.js";
import { UsageError, type Options } from "./options.js";
import { setupsFor } from "./setup.js";

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
  const found = await setupsFor(path, values);
  const setups =
    found === "ignored"
      ? []
      : found.flatMap((one) => (one.machine ? [{ ...one, machine: one.machine }] : []));
  const [setup] = setups;
  if (!setup) {
    throw new UsageError(
      "plan needs a machine: --machine NAME, FILE or auto. See modelfile-lint machine.",
    );
  }
  const file = parseModelfile(decode(bytes).text);
  const { context, unknownModel, broken } = await lookUp(file, setup);
  if (broken) throw broken;
  if (!context.plan) {
    const why = unknownModel ?? "The file has no FROM line.";
    throw new InputError(`No plan without a model: ${why}`, { path });
  }
  const { model } = context.plan;
  const settings = settingsOf(file);
  const { makePlan } = await import("../plan/make-plan.js");
  // All machines run the same model; it is looked up once.
  const others = setups
    .slice(1)
    .map(({ machine, release, server }) =>
      makePlan({ model, machine, release, server: { ...machine.server, ...server }, settings }),
    );
  const plans = [context.plan, ...others];
  const name = modelReference(file)!;
  process.stdout.write(values.json ? await asJson(plans, name) : await asText(plans, name, values));
  const failed = plans.some(({ verdict }) => verdict === "refused" || verdict === "out-of-memory");
  return failed ? 1 : 0;
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

import { decode } from "../../grammar/bytes.js";
import { createFromCommands } from "../../grammar/create-request.js";
import { readTree } from "../../grammar/ollama.js";
import { parseModelfile } from "../../grammar/parser.js";
import type { Modelfile } from "../../grammar/tree.js";
import { lookUp, type Setup } from "../../src/context.js";
import type { Release } from "../../src/facts/release.js";
import type { Finding } from "../../src/finding.js";
import { fix } from "../../src/fix/fix.js";
import { check } from "../../src/lint.js";
import type { Machine } from "../../src/machines/machine.js";
import { hopeless } from "../../rules/num-gpu-disables-fit.js";
import type { Plan, Verdict } from "../../src/plan/plan.js";

/** From small to large, of every maker and every system. */
export const machineNames = [
  "desktop-cpu-32g",
  "gtx1060-16g",
  "rtx3060-12g-32g",
  "rtx4090-64g",
  "2x3090",
  "8xh100-2t",
  "t4-16g",
  "rx7900xtx-64g",
  "ryzen-ai-max-128g",
  "arc-b580-32g",
  "macbook-air-m2-16g",
  "macbook-pro-m4-max-128g",
] as const;

/** One for each way of deciding. */
export const releaseNames = ["0.1.44", "0.5.11", "0.9.6", "0.12.10", "0.24.0", "0.32.15"] as const;

export interface Defect {
  what: string;
}

/** What is known of a text. */
interface Judged {
  file: Modelfile;
  plan: Plan | undefined;
  findings: Finding[];
}

/** The better a verdict, the smaller its number. */
const rank: Readonly<Record<Verdict, number>> = {
  fits: 0,
  risky: 1,
  partial: 2,
  cpu: 3,
  "out-of-memory": 4,
  refused: 4,
};

/** What is wrong with a file after its fixes; undefined where there is no plan to hold it against. */
export async function defects(
  bytes: Uint8Array,
  machine: Machine,
  release: Release,
  unsafe: boolean,
): Promise<{ defects: Defect[]; fixed: boolean } | undefined> {
  const setup: Setup = {
    release,
    machine,
    folder: "/",
    modelsFolder: "/",
    server: {},
    models: new Map(),
  };
  // A text is looked at several times over: as it was, after its fixes, and by the second fix.
  const known = new Map<string, Judged>();
  const judged = async (text: string): Promise<Judged> => {
    const file = parseModelfile(text);
    const { context } = await lookUp(file, setup);
    return { file, plan: context.plan, findings: check(file, context) };
  };
  const judge = async (text: string): Promise<Judged> => {
    const found = known.get(text) ?? (await judged(text));
    known.set(text, found);
    return found;
  };
  const findingsOf = async (text: string) => (await judge(text)).findings;

  const { file: before, plan: planned } = await judge(decode(bytes).text);
  if (!planned) return undefined;
  const result = await fix(bytes, findingsOf, unsafe);
  if (result.made.length === 0) return { defects: [], fixed: false };

  const found: Defect[] = result.findings
    .filter(({ severity, fix: left }) => severity === "error" && left?.safety === "safe")
    .map(({ rule, message }) => ({ what: `${rule} is left: ${message}` }));
  const again = await fix(result.bytes, findingsOf, unsafe);
  if (again.text !== result.text) found.push({ what: "fixing twice changes more" });
  const { plan: then } = await judge(result.text);
  // A file that Ollama refuses does not run at all.
  const first = isRefused(before, release) ? "refused" : realVerdict(planned);
  if (!then || rank[then.verdict] > rank[first]) {
    const rules = [...new Set(result.made.map(({ rule }) => rule))].join(", ");
    found.push({ what: `${first} has become ${then?.verdict ?? "no plan"} by ${rules}` });
  }
  return { defects: found, fixed: true };
}

/** A card that is full to the last bytes does not run, whatever the plan hopes. */
function realVerdict({ verdict, devices }: Plan): Verdict {
  const full =
    verdict === "risky" && devices.some(({ layers, left }) => layers > 0 && left < hopeless);
  return full ? "out-of-memory" : verdict;
}

function isRefused(file: Modelfile, release: Release): boolean {
  const reading = readTree(file, release);
  if (!reading.ok) return true;
  const created = createFromCommands(reading.commands, release);
  return !created.ok || !created.server.ok;
}

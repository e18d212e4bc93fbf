import process from "node:process";
import { decode } from "../../grammar/bytes.js";
import { parseModelfile } from "../../grammar/parser.js";
import { lookUp } from "../context.js";
import { InputError } from "../host.js";
import { modelReference } from "../lint.js";
import { planJson } from "../report/plan-json.js";
import { planText } from "../report/plan-text.js";
import { useColor } from "./color.js";
import { readOperand } from "./files.js";
import { UsageError, type Options } from "./options.js";
import { setupsFor } from "./setup.js";

/** What Ollama would do with a file on each machine. Exit code 1 where it does not run. */
export async function plan(values: Options, operands: string[]): Promise<number> {
  const { path, bytes } = await readOperand("plan", operands);
  const setups = await setupsFor(path, values);
  if (setups === "ignored" || setups.some(({ machine }) => !machine)) {
    throw new UsageError(
      "plan needs a machine: --machine NAME or FILE. See modelfile-lint machine.",
    );
  }
  const file = parseModelfile(decode(bytes).text);
  const plans = [];
  for (const setup of setups) {
    const { context, unknownModel, broken } = await lookUp(file, setup);
    if (broken) throw broken;
    if (!context.plan) {
      const why = unknownModel ?? "The file has no FROM line.";
      throw new InputError(`No plan without a model: ${why}`, { path });
    }
    plans.push(context.plan);
  }
  const color = useColor(values, process.stdout);
  const name = modelReference(file)!;
  if (values.json) {
    const data = plans.map((one) => planJson(one, name));
    process.stdout.write(`${JSON.stringify(data.length === 1 ? data[0] : data, undefined, 2)}\n`);
  } else {
    process.stdout.write(plans.map((one) => planText(one, name, color)).join("\n"));
  }
  const failed = plans.some(({ verdict }) => verdict === "refused" || verdict === "out-of-memory");
  return failed ? 1 : 0;
}

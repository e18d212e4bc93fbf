import process from "node:process";
import { ruleNamed, rules } from "../../rules/index.js";
import { nearest } from "../nearest.js";
import { firstSentence } from "../report/pretty.js";
import { rulePage } from "../report/rule-page.js";
import type { Rule } from "../rule.js";
import { UsageError, type Options } from "./options.js";

/** A rule's page, in Markdown. */
export async function explain(values: Options, operands: string[]): Promise<number> {
  const [id, ...more] = operands;
  if (id === undefined || more.length > 0)
    throw new UsageError("explain takes the name of one rule. See rules.");
  const rule = ruleNamed(id);
  if (!rule) {
    const guess = nearest(
      id,
      rules.map((one) => one.id),
    );
    throw new UsageError(
      `Unknown rule "${id}".${guess ? ` Did you mean "${guess}"?` : " See modelfile-lint rules."}`,
    );
  }
  process.stdout.write(
    values.json ? `${JSON.stringify(data(rule), undefined, 2)}\n` : rulePage(rule),
  );
  return 0;
}

/** Every rule, a line each. */
export async function list(values: Options): Promise<number> {
  if (values.json) {
    process.stdout.write(`${JSON.stringify(rules.map(data), undefined, 2)}\n`);
    return 0;
  }
  const widest = Math.max(...rules.map(({ id }) => id.length));
  for (const { id, severity, summary } of rules) {
    process.stdout.write(`${id.padEnd(widest)}  ${severity.padEnd(7)}  ${summary}\n`);
  }
  return 0;
}

function data({ id, group, severity, summary, why, needs, examples }: Rule) {
  return {
    id,
    group,
    severity,
    summary,
    why: why.trim(),
    reason: firstSentence(why),
    needs: needs ?? "text",
    examples,
  };
}

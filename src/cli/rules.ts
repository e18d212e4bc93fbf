import process from "node:process";
import { ruleNamed, rules } from "../../rules/index.js";
import { nearest } from "../nearest.js";
import { errorTexts, rulesThatPrint, type ErrorText } from "../report/error-texts.js";
import { firstSentence } from "../report/pretty.js";
import { rulePage } from "../report/rule-page.js";
import type { Rule } from "../rule.js";
import { UsageError, type Options } from "./options.js";

/** A rule's page, in Markdown; or the rules that speak of an error text of Ollama's. */
export async function explain(values: Options, operands: string[]): Promise<number> {
  // An error may be given without quotes.
  const asked = operands.join(" ");
  if (asked === "")
    throw new UsageError("explain takes the name of a rule, or what Ollama prints.");
  const rule = ruleNamed(asked);
  if (rule) {
    process.stdout.write(values.json ? json(data(rule)) : rulePage(rule));
    return 0;
  }
  const found = rulesThatPrint(asked, rules);
  if (found.length === 0) {
    const guess = nearest(
      asked,
      rules.map(({ id }) => id),
    );
    throw new UsageError(
      `Unknown rule "${asked}".${guess ? ` Did you mean "${guess}"?` : " No rule's error text has it either. See modelfile-lint rules."}`,
    );
  }
  process.stdout.write(
    values.json ? json(found.map(([one]) => data(one))) : found.map(withTexts).join(""),
  );
  return 0;
}

/** Every rule, a line each. */
export async function list(values: Options): Promise<number> {
  if (values.json) {
    process.stdout.write(json(rules.map(data)));
    return 0;
  }
  process.stdout.write(rules.map(line).join(""));
  return 0;
}

const widest = Math.max(...rules.map(({ id }) => id.length));

function line({ id, severity, summary, optional }: Rule): string {
  return `${id.padEnd(widest)}  ${severity.padEnd(7)}  ${summary}${optional ? " (optional)" : ""}\n`;
}

/** A rule's line, and below it which of its error texts are meant. */
function withTexts([rule, texts]: [Rule, ErrorText[]]): string {
  return line(rule) + texts.map(({ at, text }) => `  ${at.padEnd(6)}  ${text}\n`).join("");
}

function json(content: unknown): string {
  return `${JSON.stringify(content, undefined, 2)}\n`;
}

function data(rule: Rule) {
  const { id, group, severity, optional, summary, why, needs, examples } = rule;
  return {
    id,
    group,
    severity,
    ...(optional && { optional }),
    summary,
    why: why.trim(),
    reason: firstSentence(why),
    needs: needs ?? "text",
    says: errorTexts(rule).map(({ at, text, releases }) => ({
      at,
      text,
      ...(releases.length > 0 && { releases }),
    })),
    examples,
  };
}

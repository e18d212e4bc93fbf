import type { Modelfile } from "../grammar/tree.js";
import { instructionsNamed, parameterNamed } from "../grammar/tree.js";
import { readInt, readValue } from "../grammar/values.js";
import { rules } from "../rules/index.js";
import { basis } from "./certainty.js";
import { directivesIn, silenced, type Directive } from "./directives.js";
import { byPlace, type Finding, type Severity } from "./finding.js";
import type { Settings } from "./ollama/load.js";
import type { Context, DirectiveUse, Rule } from "./rule.js";

/** A rule's severity as configured; "off" where it is not to run. */
export type SeverityOf = (rule: Rule) => Severity | "off";

const own: SeverityOf = ({ severity, optional }) => (optional ? "off" : severity);

/**
 * Findings in the order of the text, without those that the file's directives silence. Pure and
 * synchronous: everything it needs is in the context.
 */
export function check(file: Modelfile, context: Context, severityOf: SeverityOf = own): Finding[] {
  const findings = found(file, context, severityOf);
  const directives = directivesIn(file);
  if (directives.length === 0) return findings.sort(byPlace);
  const { left, used } = silenced(file, directives, findings);
  const about = directiveUse(directives, used, context, severityOf);
  left.push(...found(file, { ...context, directives: about }, severityOf));
  return left.sort(byPlace);
}

/** What rules say: those about directives where these are known, otherwise all others. */
function found(file: Modelfile, context: Context, severityOf: SeverityOf): Finding[] {
  const findings: Finding[] = [];
  for (const rule of rules) {
    const severity = severityOf(rule);
    if ((rule.needs === "directives") !== (context.directives !== undefined)) continue;
    if (severity === "off" || !applies(rule, file, context)) continue;
    const rests = rule.needs && context.model && basis(context.model);
    for (const report of rule.check(file, context)) {
      const help = [report.help, rests].filter(Boolean).join(" ");
      findings.push({
        ...report,
        ...(help !== "" && { help }),
        rule: rule.id,
        severity: lowered(severity, rule, report.severity),
      });
    }
  }
  return findings;
}

/** A directive for a rule that was not run, for want of a machine or of a model, counts as used. */
function directiveUse(
  directives: readonly Directive[],
  used: ReadonlySet<Directive>,
  { model, plan }: Context,
  severityOf: SeverityOf,
): DirectiveUse {
  const ids = rules.map(({ id }) => id);
  const wasRun = (name: string) =>
    rules.some(
      (rule) =>
        rule.id === name &&
        severityOf(rule) !== "off" &&
        // Whether these find something depends on the machine, and there may be others.
        rule.needs !== "plan" &&
        (rule.needs !== "model" || model !== undefined),
    );
  const unused = directives.filter(({ kind, rules: names }) => {
    if (kind === "enable" || names.length === 0) return kind !== "enable" && plan !== undefined;
    return names.every(({ text }) => wasRun(text));
  });
  return {
    unused: unused.filter((directive) => !used.has(directive)),
    unknown: directives.flatMap(({ rules: names }) =>
      names.filter(({ text }) => !ids.includes(text)),
    ),
    ids,
  };
}

/** A report may be milder than its rule; a rule that the user has set to a severity keeps that. */
function lowered(configured: Severity, rule: Rule, reported: Severity | undefined): Severity {
  return configured === rule.severity ? (reported ?? configured) : configured;
}

function applies({ needs, about }: Rule, file: Modelfile, { model, plan }: Context): boolean {
  if (needs === "model" && !model) return false;
  if (needs === "plan" && !plan) return false;
  return !about || about.some((name) => parameterNamed(file, name) !== undefined);
}

/** Whether any rule in force would look at the model, so that it is worth looking up. */
export function wantsModel(file: Modelfile, severityOf: SeverityOf = own): boolean {
  return rules.some(
    (rule) =>
      rule.needs === "model" &&
      severityOf(rule) !== "off" &&
      (!rule.about || rule.about.some((name) => parameterNamed(file, name) !== undefined)),
  );
}

/** The text of the FROM that counts: the last one with a value. */
export function modelReference(file: Modelfile): string | undefined {
  return modelReferences(file)[0];
}

/**
 * What may name the model, the likeliest first: the last FROM, then the others in order. Of names the
 * last one counts; files add up, and a projector may come before or behind its model.
 */
export function modelReferences(file: Modelfile): string[] {
  const texts = instructionsNamed(file, "FROM").map(({ value }) => value?.text ?? "");
  const named = texts.filter((text) => text !== "");
  const [last] = named.slice(-1);
  return last === undefined ? [] : [last, ...named.slice(0, -1)];
}

/** What the file sets of the things that a plan depends on; values that Ollama refuses are left out. */
export function settingsOf(file: Modelfile): Settings {
  const whole = (name: string): number | undefined => {
    const value = readInt(parameterNamed(file, name)?.value?.text ?? "");
    return value === undefined ? undefined : Number(value);
  };
  const mmap = readValue("bool", parameterNamed(file, "use_mmap")?.value?.text ?? "");
  const settings: Record<keyof Settings, number | boolean | string | undefined> = {
    numCtx: whole("num_ctx"),
    numGpu: whole("num_gpu"),
    numBatch: whole("num_batch"),
    mainGpu: whole("main_gpu"),
    useMmap: mmap?.type === "bool" ? mmap.value : undefined,
    template: lastText(file, "TEMPLATE"),
    renderer: lastText(file, "RENDERER"),
    parser: lastText(file, "PARSER"),
  };
  const set = Object.entries(settings).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set);
}

/** The value of the last instruction of a name; `PARAMETER template` is TEMPLATE (parser/parser.go). */
function lastText({ statements }: Modelfile, name: string): string | undefined {
  const texts = statements.flatMap((node) => {
    const names =
      (node.kind === "instruction" && node.name === name) ||
      (node.kind === "parameter" && node.parameter === name.toLowerCase());
    return names && node.value ? [node.value.text] : [];
  });
  return texts.at(-1);
}

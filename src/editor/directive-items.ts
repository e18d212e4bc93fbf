import { ruleNamed, rules } from "../../rules/index.js";
import { parameterNamed, type Comment } from "../../grammar/tree.js";
import type { Completion } from "./completion.js";
import { ruleText } from "./rule-text.js";
import type { View } from "./view.js";

const directives = {
  "modelfile-lint-disable-next-line": "silences rules in the next line",
  "modelfile-lint-disable": "silences rules from here on",
  "modelfile-lint-enable": "turns rules on again",
  "modelfile-lint-disable-file": "silences rules in the whole file",
};

/** Directives in a comment, and the rules that one names: those that find something first. */
export function directiveItems(
  view: View,
  { start, end }: Comment,
  offset: number,
  explicit: boolean,
): Completion[] {
  const { text } = view.file;
  const before = text.slice(start, offset);
  const begun = /^#([ \t]*)([\w-]*)$/.exec(before);
  if (begun) {
    const [, , typed = ""] = begun;
    const wanted = typed === "" ? explicit : "modelfile-lint-".startsWith(typed.slice(0, 15));
    const [rest = ""] = /^[\w-]*/.exec(text.slice(offset, end)) ?? [];
    const replaces = { start, end: offset + rest.length };
    if (!wanted) return [];
    return Object.entries(directives).map(([name, detail]) => ({
      label: `# ${name}`,
      kind: "rule",
      replaces,
      text: `# ${name} `,
      detail,
      again: true,
    }));
  }
  const named =
    /^#[ \t]*modelfile-lint-(?:disable-next-line|disable-file|disable|enable)[ \t](.*)$/.exec(
      before,
    );
  if (!named || /(?:^|[ \t])--(?:[ \t]|$)/.test(named[1] ?? "")) return [];
  return ruleItems(view, named[1] ?? "", offset, end);
}

function ruleItems(view: View, listed: string, offset: number, end: number): Completion[] {
  const { text } = view.file;
  const [typed = ""] = /[^\s,]*$/.exec(listed) ?? [];
  const [rest = ""] = /^[^\s,]*/.exec(text.slice(offset, end)) ?? [];
  const replaces = { start: offset - typed.length, end: offset + rest.length };
  const others = new Set(listed.slice(0, listed.length - typed.length).split(/[\s,]+/));
  // A directive that names no rule yet silences all of them.
  const silent = /^[\s,]*$/.test(listed) ? findingInText(view) : [];
  const found = new Set([...view.findings.map(({ rule }) => rule), ...silent]);
  const [first, then] = [
    rules.filter(({ id }) => found.has(id)),
    rules.filter(({ id }) => !found.has(id)),
  ];
  return [...first, ...then]
    .filter(({ id }) => !others.has(id))
    .map(({ id, summary, severity }) => ({
      label: id,
      kind: "rule",
      replaces,
      text: id,
      detail: `${summary} (${severity})`,
      markdown: async () => {
        const rule = ruleNamed(id);
        return rule && ruleText(rule);
      },
    }));
}

/** Rules that find something in the text alone, whatever directives silence. */
function* findingInText({ file, contexts: [context] }: View): Generator<string> {
  const { release, localFrom, files } = context;
  const alone = { release, ...(localFrom && { localFrom }), ...(files && { files }) };
  for (const rule of rules) {
    if (rule.needs || rule.optional) continue;
    if (rule.about && !rule.about.some((name) => parameterNamed(file, name))) continue;
    const [first] = rule.check(file, alone);
    if (first) yield rule.id;
  }
}

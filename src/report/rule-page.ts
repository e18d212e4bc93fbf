import { formatBytes } from "../machines/sizes.js";
import { groups, type Example, type Printed, type Rule } from "../rule.js";
import { errorIndex, errorTexts, releasesText, type ErrorText } from "./error-texts.js";

/** How a rule mends what it finds. */
export const repairs = ["safe", "unsafe", "suggestion"] as const;
export type Repair = (typeof repairs)[number];

/** What a page has besides the rule itself. */
export interface PageExtras {
  /** Where somebody has looked; else an example tells that there is one. */
  repairs?: readonly Repair[];
  /** A part of its own behind the examples. */
  appendix?: readonly string[];
}

/** A rule's page in Markdown. */
export function rulePage(rule: Rule, { repairs: own, appendix = [] }: PageExtras = {}): string {
  const { id, summary, why, examples } = rule;
  const texts = errorTexts(rule);
  return [
    `# ${id}`,
    "",
    `${summary}. ${standing(rule)}`,
    "",
    [repairText(rule, own), needsText(rule), groupText(rule)].filter(Boolean).join(" "),
    "",
    why.trim(),
    "",
    ...(texts.length > 0 ? ["## What Ollama prints", "", ...texts.map(printed), ""] : []),
    examples.length > 1 ? "## Examples" : "## Example",
    ...examples.flatMap((one, index) => [...(index > 0 ? ["", "---"] : []), ...example(one)]),
    ...(appendix.length > 0 ? ["", ...appendix] : []),
    "",
    ...settings(rule),
    "",
  ].join("\n");
}

/** Every rule by group, in Markdown, each with a link to its page. */
export function ruleList(
  rules: readonly Rule[],
  repairsOf: (id: string) => readonly Repair[],
): string {
  const parts = ["# Rules", "", ...overview(rules, repairsOf), ""];
  for (const group of groups) {
    const own = rules.filter((rule) => rule.group === group);
    if (own.length === 0) continue;
    parts.push(
      `## ${capital(group)}`,
      "",
      "| rule | severity | fix | |",
      "|---|---|---|---|",
      ...own.map(({ id, severity, summary, optional }) => {
        const usually = optional ? `${severity}, optional` : severity;
        return `| [${id}](${id}.md) | ${usually} | ${repairsOf(id).join(", ")} | ${cell(summary)} |`;
      }),
      "",
    );
  }
  return parts.join("\n");
}

/** What Ollama prints, in Markdown, each with the rules that speak of it. */
export function errorList(rules: readonly Rule[]): string {
  const lines = errorIndex(rules).map(({ at, text, releases, rules: found }) => {
    const links = found.map(({ id }) => `[${id}](rules/${id}.md)`).join(", ");
    return `| ${cell(code(text))} | ${at.join(", ")} | ${releases} | ${links} |`;
  });
  return [
    "# What Ollama prints",
    "",
    "Errors of Ollama and llama.cpp, and lines of the server's log, each with the rules that tell what is behind it.",
    "Names and values are those of examples; … stands for what varies, or for the rest of a long text. `ollama create`",
    "puts the line of the file in front where it knows it, as in `(line 3): `. To look one up from a terminal:",
    "",
    "```sh",
    'modelfile-lint explain "unexpected EOF"',
    "```",
    "",
    "When: _create_ is `ollama create`; _pull_ the download of what FROM names; _load_ the start of the model, by its first",
    "request; _chat_ any request.",
    "",
    "<!-- prettier-ignore -->",
    "| text | when | releases | rules |",
    "|---|---|---|---|",
    ...lines,
    "",
  ].join("\n");
}

function overview(rules: readonly Rule[], repairsOf: (id: string) => readonly Repair[]): string[] {
  const count = (has: (rule: Rule) => boolean) => rules.filter(has).length;
  const of = (severity: Rule["severity"]) => count((rule) => rule.severity === severity);
  const links = groups
    .map((group) => [group, count((rule) => rule.group === group)] as const)
    .filter(([, own]) => own > 0)
    .map(([group, own]) => `[${capital(group)}](#${group}) ${own}`);
  return [
    `${rules.length} rules: ${of("error")} find errors, ${of("warning")} warnings, ${of("info")} infos; ` +
      `${count(({ optional }) => optional === true)} are optional.`,
    "An _error_ means that Ollama refuses the file, or that the model cannot run as meant; a _warning_ that it runs, not",
    "as meant; an _info_ that it could be better. An optional rule is off unless a configuration names it or extends `strict`.",
    "",
    `Fixes: \`--fix\` makes the safe ones, of ${count(({ id }) => repairsOf(id).includes("safe"))} rules; unsafe ones, ` +
      `which change what the model does, wait for \`--unsafe-fixes\``,
    `(${count(({ id }) => repairsOf(id).includes("unsafe"))} rules); suggestions are for editors ` +
      `(${count(({ id }) => repairsOf(id).includes("suggestion"))} rules).`,
    "",
    links.join(" · "),
    "",
    "An error text of Ollama's leads to its rule in [What Ollama prints](../errors.md).",
  ];
}

/** The severity by set of rules. */
function standing({ severity, optional }: Rule): string {
  if (optional) {
    const named = severity === "info" ? "warning" : severity;
    return `**Optional**: off, unless a configuration names it; **${named}** in \`strict\`.`;
  }
  if (severity === "error") return "**Error**.";
  if (severity === "warning") return "**Warning**; off in `minimal`.";
  return "**Info**; a warning in `strict`, off in `minimal`.";
}

function repairText({ examples }: Rule, own: readonly Repair[] | undefined): string {
  if (!own) {
    return examples.some(({ good }) => good !== undefined) ? "It has a fix or suggestion." : "";
  }
  const [safe, unsafe, suggestion] = repairs.map((repair) => own.includes(repair));
  const words = [
    safe && unsafe && "`--fix` can mend it, in some cases only with `--unsafe-fixes`.",
    safe && !unsafe && "`--fix` can mend it.",
    unsafe && !safe && "`--fix --unsafe-fixes` can mend it.",
    suggestion && "Editors have suggestions.",
  ];
  return words.filter(Boolean).join(" ");
}

function needsText({ needs }: Rule): string {
  if (needs === "plan") return "It runs where a machine is named and the model is known.";
  return needs === "model" ? "It runs where the model that FROM names is known." : "";
}

function groupText({ group }: Rule): string {
  return `Group: [${group}](README.md#${group}).`;
}

/** How to switch a rule off, or an optional one on. */
function settings({ id, severity, optional, needs }: Rule): string[] {
  const word = severity === "info" ? "info" : "warning";
  const configuration = [`In \`.modelfile-lint.yaml\`:`, ""];
  if (optional) {
    return [
      "## To switch it on",
      "",
      ...configuration,
      ...fence("yaml", `rules:\n  ${id}: ${word}`),
    ];
  }
  const off = [...configuration, ...fence("yaml", `rules:\n  ${id}: off`)];
  // What looks at directives is not silenced by one.
  if (needs === "directives") return ["## To switch it off", "", ...off];
  return [
    "## To switch it off",
    "",
    "For one line, above it, with the reason:",
    "",
    ...fence("", `# modelfile-lint-disable-next-line ${id} -- reason`),
    "",
    ...off,
  ];
}

function printed({ at, text, releases }: ErrorText): string {
  const known = releasesText(releases);
  const when: Record<Printed["at"], string> = {
    create: "`ollama create`",
    pull: "when the model is pulled",
    load: "when the model is loaded",
    chat: "at a request",
  };
  return `- ${code(text)} (${when[at]}${known ? `, ${known}` : ""})`;
}

function example(one: Example): string[] {
  const { bad, good, message, severity, machine } = one;
  const surroundings = setting(one);
  return [
    "",
    ...(surroundings.length > 0 ? [surroundings.join(" "), ""] : []),
    ...(machine?.includes("\n") ? [...fence("yaml", machine), ""] : []),
    ...(bad === "" ? ["An empty file."] : fence("modelfile", bad)),
    "",
    `> ${prose(message)}${severity ? ` (${severity})` : ""}`,
    ...(good === undefined ? [] : ["", "Better:", "", ...fence("modelfile", good)]),
  ];
}

/** What an example stands on, in sentences. */
function setting({ bad, ollama, machine, models, files }: Example): string[] {
  const known = Object.entries(models ?? {}).map(([name, { like, weights }]) => {
    const size = weights === undefined ? "" : ` with ${formatBytes(weights)} of weights`;
    return `\`${name}\` is like \`${like}\`${size}.`;
  });
  const lying = Object.entries(files ?? {}).map(([name, content]) => fileInWords(name, content));
  const on = [
    ...(ollama === undefined ? [] : [`Ollama ${ollama}`]),
    ...(machine === undefined
      ? []
      : [machine.includes("\n") ? "on the machine below" : `on \`${machine}\``]),
  ].join(" ");
  return [
    ...(on ? [`${capital(on)}.`] : []),
    ...known,
    ...(lying.length > 0 ? [`Beside the Modelfile: ${listed(lying)}.`] : []),
    ...(/\r/.test(bad) ? ["Lines end in CRLF."] : []),
  ];
}

function fileInWords(name: string, content: NonNullable<Example["files"]>[string]): string {
  const path = code(name.replace(/^\.\//, ""));
  if (typeof content === "object") {
    const keys = Object.entries(content).map(([key, value]) => `\`${key}\` ${code(String(value))}`);
    return `${path} (GGUF${keys.length > 0 ? `, ${keys.join(", ")}` : ""})`;
  }
  if (content === "") return `${path} (empty)`;
  // Of what is no text the name tells enough.
  if (/[^\P{Cc}\n]/u.test(content)) return path;
  const [first = "", ...more] = content.trimEnd().split("\n");
  return `${path} (${code(more.length > 0 ? `${first} …` : first)})`;
}

function listed(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

function capital(word: string): string {
  return `${word[0]?.toUpperCase()}${word.slice(1)}`;
}

/** A code span that may hold backticks. */
function code(text: string): string {
  const longest = Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const marks = "`".repeat(longest + 1);
  const edge = /^`|`$/.test(text) ? " " : "";
  return `${marks}${edge}${text.trimEnd()}${edge}${marks}`;
}

/** Text that Markdown would take for HTML, emphasis or code. */
function prose(text: string): string {
  return text
    .replaceAll(/[\\`*]|<(?=[A-Za-z/!?])|(?<!\w)_|_(?!\w)/g, String.raw`\$&`)
    .replaceAll("\n", " ");
}

/** In a table a bar ends the cell, within code, too. */
function cell(text: string): string {
  return text.replaceAll("|", String.raw`\|`);
}

function fence(language: string, text: string): string[] {
  const marks = text.includes("```") ? "````" : "```";
  const lines = text
    .replace(/^\n+/, "")
    .replace(/\r?\n$/, "")
    .split(/\r\n|\r|\n/);
  return [marks + language, ...lines, marks];
}

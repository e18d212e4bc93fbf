import { groups, type Example, type Rule } from "../rule.js";

/** A rule's page in Markdown, from the rule alone; `appendix` is a part of its own behind the examples. */
export function rulePage(
  { id, severity, summary, why, examples }: Rule,
  appendix: readonly string[] = [],
): string {
  const fixable = examples.some(({ good }) => good !== undefined)
    ? ", with a fix or suggestion"
    : "";
  return [
    `# ${id}`,
    "",
    `${summary}. **${severity}**${fixable}.`,
    "",
    why.trim(),
    "",
    "## Examples",
    ...examples.flatMap(example),
    ...(appendix.length > 0 ? ["", ...appendix] : []),
    "",
  ].join("\n");
}

/** Every rule by group, in Markdown, each with a link to its page. */
export function ruleList(rules: readonly Rule[]): string {
  const parts = ["# Rules", ""];
  for (const group of groups) {
    const own = rules.filter((rule) => rule.group === group);
    if (own.length === 0) continue;
    parts.push(
      `## ${group[0]!.toUpperCase()}${group.slice(1)}`,
      "",
      "| rule | severity | |",
      "|---|---|---|",
    );
    parts.push(
      ...own.map(({ id, severity, summary }) => `| [${id}](${id}.md) | ${severity} | ${summary} |`),
      "",
    );
  }
  return parts.join("\n");
}

function example({ bad, good, message, severity, ollama, machine }: Example): string[] {
  const on = [
    ...(ollama === undefined ? [] : [`Ollama ${ollama}`]),
    ...(machine === undefined ? [] : [machine.includes("\n") ? "this machine" : machine]),
  ];
  return [
    "",
    ...(on.length > 0 ? [`With ${on.join(" on ")}:`, ""] : []),
    ...(machine?.includes("\n") ? [...fence("yaml", machine), ""] : []),
    ...fence("modelfile", bad),
    "",
    `> ${message}${severity ? ` (${severity})` : ""}`,
    ...(good === undefined ? [] : ["", "Better:", "", ...fence("modelfile", good)]),
  ];
}

function fence(language: string, text: string): string[] {
  const marks = text.includes("```") ? "````" : "```";
  return [marks + language, ...text.replace(/\r?\n$/, "").split(/\r\n|\r|\n/), marks];
}

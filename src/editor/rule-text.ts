import { ruleUrl } from "../facts/pages.js";
import type { Rule } from "../rule.js";
import { link, paragraphs } from "./markdown.js";

/** A rule in short. */
export function ruleText({ id, severity, summary, why }: Rule): string {
  const [first] = why.trim().split(/\n\s*\n/);
  return paragraphs([
    `**${id}**: ${summary} (${severity})`,
    first?.replaceAll("\n", " "),
    link("Rule", ruleUrl(id)),
  ]);
}

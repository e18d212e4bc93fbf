/* Markdown that editors show. What comes from files and models is made harmless: it may hold marks of its own. */

/** Some text in one line as code: as many backticks around it as it takes. */
export function code(text: string, longest = 80): string {
  const line = oneLine(text, longest);
  const runs = [...line.matchAll(/`+/g)].map(({ 0: { length } }) => length);
  const ticks = "`".repeat(Math.max(0, ...runs) + 1);
  const space = line.startsWith("`") || line.endsWith("`") ? " " : "";
  return line === "" ? "" : ticks + space + line + space + ticks;
}

/** Some text in one line as text, whatever marks are in it. */
export function plain(text: string, longest = 200): string {
  return oneLine(text, longest).replace(/[\\`*_{}[\]<>~&#!]/g, String.raw`\$&`);
}

function oneLine(text: string, longest: number): string {
  const line = text.replace(/[\s\0-\x1f\x7f-\x9f\u2028\u2029]+/g, " ").trim();
  return line.length > longest ? `${line.slice(0, longest - 1)}…` : line;
}

/** A table; cells are Markdown. `numbers`: how all columns but the first stand. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  numbers: "left" | "right" = "left",
): string {
  const rule = heading.map((_, index) => (index > 0 && numbers === "right" ? "--:" : "---"));
  return [rowOf(heading), `|${rule.join("|")}|`, ...rows.map(rowOf)].join("\n");
}

function rowOf(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", String.raw`\|`)).join(" | ")} |`;
}

/** A block of code in a language. */
export function block(language: string, text: string): string {
  const marks = text.includes("```") ? "````" : "```";
  return [marks + language, text, marks].join("\n");
}

export function link(title: string, url: string): string {
  return `[${title}](${url})`;
}

/** Paragraphs, those left out that say nothing. */
export function paragraphs(parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== "").join("\n\n");
}

/** Texts as a list of words: "a, b and c". */
export function listed(words: readonly string[], conjunction = "and"): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} ${conjunction} ${words.at(-1)}`;
}

/** "1 cell", "131072 cells": figures stay as one writes them in the file. */
export function count(number: number, one: string, many = `${one}s`): string {
  return `${number} ${number === 1 ? one : many}`;
}

/** Titles of licences that SPDX names (https://spdx.org/licenses), as their texts begin. */
const titles: readonly (readonly [RegExp, string])[] = [
  [/^apache license,? version 2\.0/i, "Apache-2.0"],
  [/^(?:the )?mit license/i, "MIT"],
  [/^(?:the )?bsd 3-clause/i, "BSD-3-Clause"],
  [/^gnu affero general public license version 3/i, "AGPL-3.0"],
  [/^gnu general public license version 3/i, "GPL-3.0"],
];

const longestTitle = 100;

/**
 * What a licence's text calls itself: its SPDX identifier, or its first line of at most 100 characters.
 * Undefined for a text without words.
 */
export function licenceName(text: string): string | undefined {
  // Titles are often centred, and broken over lines.
  const start = text.slice(0, 2000).replace(/\s+/g, " ").trim();
  const known = titles.find(([title]) => title.test(start))?.[1];
  if (known !== undefined) return known;
  const line = /\S.*/.exec(text.slice(0, 2000))?.[0].trim();
  return line === undefined || line.length <= longestTitle
    ? line
    : `${line.slice(0, longestTitle - 1)}…`;
}

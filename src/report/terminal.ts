import { eastAsianWidth } from "get-east-asian-width";

// Control characters, and those that reorder or hide text: a file must not be able to steer a terminal.
const unsafe =
  /[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]/gu;

/** Text that is safe to print: what cannot be seen is named, as in `<U+200B>`. Tabs become spaces. */
export function visible(text: string): string {
  return text.replaceAll("\t", "  ").replaceAll(unsafe, (character) => {
    const code = character.codePointAt(0)!;
    return `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/** Columns that printed text takes. */
export function width(text: string): number {
  if (/^[\x20-\x7e]*$/.test(text)) return text.length;
  let columns = 0;
  for (const character of text) {
    if (/\p{M}/u.test(character)) continue;
    columns += eastAsianWidth(character.codePointAt(0)!);
  }
  return columns;
}

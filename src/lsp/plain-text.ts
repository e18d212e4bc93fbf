/**
 * Markdown as plain text, for clients that show no other: without marks, with the addresses of links behind
 * their titles. Blocks of code and tables stay as they are.
 */
export function plainText(markdown: string): string {
  let inBlock = false;
  const lines = markdown.split("\n").flatMap((line) => {
    if (/^`{3,}/.test(line)) {
      inBlock = !inBlock;
      return [];
    }
    if (inBlock) return [line];
    // The rule below a table's head, and a head without words.
    return /^\|[-:| ]+\|$/.test(line) ? [] : [plainLine(line)];
  });
  return lines
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim();
}

function plainLine(line: string): string {
  const heading = line.replace(/^#{1,6} /, "").replace(/^---$/, "");
  // Code first: what looks like a mark in it is none.
  return heading
    .split(/(`+[^`]+`+)/)
    .map((part) => (part.startsWith("`") ? part.replaceAll(/^`+ ?| ?`+$/g, "") : plainPart(part)))
    .join("");
}

function plainPart(text: string): string {
  return text
    .replaceAll(/\[([^\]]*)\]\(([^)\s]*)\)/g, "$1 ($2)")
    .replaceAll(/(?<!\\)\*\*/g, "")
    .replaceAll(/\\([\\`*_{}[\]<>~&#!|])/g, "$1");
}

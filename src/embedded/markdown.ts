import { fencedCodeIn, type FencedCode } from "./blocks.js";
import { byLines, lineEndIn } from "./lines.js";
import { reader, type Passage } from "./passage.js";

/** A fenced code block: what it says of itself, and its text. */
export interface Fence {
  /** The first word behind the opening fence, in lower case. */
  language: string;
  /** All that stands behind the opening fence. */
  info: string;
  passage: Passage;
}

/** The closed fenced code blocks of a Markdown text that are not empty, in order. */
export function fencesIn(text: string): Fence[] {
  return fencedCodeIn(text)
    .filter(({ lines }) => lines.length > 0)
    .map((code) => fenceOf(text, code));
}

function fenceOf(source: string, code: FencedCode): Fence {
  const { end, info, length, lines, marker } = code;
  const from = lines[0]!.start;
  const read = reader(source, from);
  for (const line of lines) {
    read.otherwise("", line.text - read.outer);
    if (line.spare > 0) read.otherwise(" ".repeat(line.spare), 1);
    read.same(line.end - read.outer);
    // A reader of the page gets line ends of their own system.
    if (source.slice(line.end, line.next) === "\n") read.same(1);
    else read.otherwise("\n", line.next - line.end);
  }
  // How far a tab reaches depends on where it stands, so that any indentation counts.
  const closing = new RegExp(`^[ \\t]*${marker}{${length},}[ \\t]*$`);
  const accepts = (after: readonly string[]) => !after.some((line) => closing.test(line));
  const eol = lineEndIn(source, from, end);
  return {
    language: /^\{?\.?([\w+#-]*)/.exec(info)![1]!.toLowerCase(),
    info,
    passage: read.done(
      byLines({ source, prefix: prefixOf(source, code), eol, closed: true, accepts }),
    ),
  };
}

/** What a line of the fence is to begin with: as its lines are written, where one shows all of it. */
function prefixOf(source: string, { containers, indent, lines }: FencedCode): string {
  const shown = lines.find(({ full, text, end }) => full && text < end);
  if (shown) return source.slice(shown.start, shown.text);
  const each = containers.map((one) => (one.kind === "quote" ? "> " : " ".repeat(one.indent)));
  return each.join("") + " ".repeat(indent);
}

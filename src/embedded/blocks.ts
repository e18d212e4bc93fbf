/** A block quote, or a list item with the columns that its own lines are indented by. */
export type Container = { kind: "quote" } | { kind: "item"; indent: number; empty: boolean };

/** A fenced code block with all its lines. */
export interface FencedCode {
  /** A backtick or a tilde. */
  marker: string;
  length: number;
  /** Columns in front of the fence, which its lines lose too. */
  indent: number;
  info: string;
  containers: readonly Container[];
  lines: FencedLine[];
  /** Where the line of the closing fence begins. */
  end: number;
}

export interface FencedLine {
  start: number;
  /** Where its own text begins, behind the prefix. */
  text: number;
  /** Columns of a tab that reaches from the prefix into the text. */
  spare: number;
  end: number;
  /** Behind its line end. */
  next: number;
  /** The prefix is all that the containers and the fence take. */
  full: boolean;
}

/** HTML up to a pattern, or to the next blank line. */
interface Html {
  ends: RegExp | undefined;
}

/** Nobody nests deeper; without a limit, blank lines below a thousand nested lists would take for ever. */
const deepest = 100;

/** What begins HTML, and what ends it (CommonMark 0.31, section 4.6, start conditions 1 to 6). */
const htmlStarts: readonly (readonly [RegExp, RegExp | undefined])[] = [
  [/^<(?:script|pre|style|textarea)(?:\s|>|$)/i, /<\/(?:script|pre|style|textarea)>/i],
  [/^<!--/, /-->/],
  [/^<\?/, /\?>/],
  [/^<![A-Za-z]/, />/],
  [/^<!\[CDATA\[/, /\]\]>/],
  [
    /^<\/?(?:address|article|aside|base|basefont|blockquote|body|caption|center|col|colgroup|dd|details|dialog|dir|div|dl|dt|fieldset|figcaption|figure|footer|form|frame|frameset|h[1-6]|head|header|hr|html|iframe|legend|li|link|main|menu|menuitem|nav|noframes|ol|optgroup|option|p|param|search|section|summary|table|tbody|td|tfoot|th|thead|title|tr|track|ul)(?:\s|\/?>|$)/i,
    undefined,
  ],
];

/** Start condition 7: a whole tag alone on its line; it cannot interrupt a paragraph. */
const loneTag =
  /^<(?:[A-Za-z][A-Za-z0-9-]*(?:\s+[A-Za-z_:][\w.:-]*(?:\s*=\s*(?:[^\s"'=<>`]+|'[^']*'|"[^"]*"))?)*\s*\/?|\/[A-Za-z][A-Za-z0-9-]*\s*)>[ \t]*$/;

const heading = /^#{1,6}(?:[ \t]|$)/;
const thematicBreak = /^(?:(?:\*[ \t]*){3,}|(?:_[ \t]*){3,}|(?:-[ \t]*){3,})$/;
const underline = /^(?:=+|-+)[ \t]*$/;
const opening = /^(?:(`{3,})([^`]*)|(~{3,})(.*))$/s;
const listMarker = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/;

/**
 * The closed fenced code blocks of a Markdown text, in order, where CommonMark 0.31 has them: in quotes and
 * lists too, in HTML and comments not. One that is never closed is left out, for nobody knows where it was
 * meant to end. Linear in the length of the text, which libraries are not: quotes that end in the middle of
 * a fence keep micromark busy for a minute per 100 KB.
 */
export function fencedCodeIn(text: string): FencedCode[] {
  const blocks = new Blocks(text);
  const breaks = /\r\n|[\r\n]|$/g;
  for (let start = text.startsWith("\uFEFF") ? 1 : 0; start < text.length;) {
    breaks.lastIndex = start;
    const match = breaks.exec(text)!;
    const next = match.index + match[0].length;
    blocks.read(start, match.index, next);
    start = next;
  }
  return blocks.found;
}

/** The block structure as far as fences depend on it (appendix "A parsing strategy", phase 1). */
class Blocks {
  readonly found: FencedCode[] = [];
  private readonly text: string;
  private containers: Container[] = [];
  private leaf: "none" | "paragraph" | Html | FencedCode = "none";
  // The place in the line. A tab may be used in part: then `at` is the tab, and `column` lies within it.
  private at = 0;
  private column = 0;
  private partial = false;
  private end = 0;
  /** The prefix of this line takes less than it might. */
  private lacking = false;

  constructor(text: string) {
    this.text = text;
  }

  read(start: number, end: number, next: number): void {
    this.at = start;
    this.end = end;
    this.column = 0;
    this.partial = false;
    this.lacking = false;
    const matched = this.matchContainers();
    const all = matched === this.containers.length;
    if (typeof this.leaf === "object") {
      if (all && this.continueLeaf(this.leaf, start, next)) return;
      this.leaf = "none";
      if (all && this.rest().columns < 0) return;
    }
    this.openBlocks(matched, all);
  }

  /** How many of the open containers this line goes on with. */
  private matchContainers(): number {
    let matched = 0;
    for (const container of this.containers) {
      const { columns, at } = this.rest();
      if (container.kind === "quote") {
        if (columns < 0 || columns > 3 || this.text[at] !== ">") break;
        this.passQuote(at, columns);
      } else if (columns < 0) {
        if (container.empty) break;
        this.advance(container.indent);
      } else {
        if (columns < container.indent) break;
        this.advance(container.indent);
        container.empty = false;
      }
      matched++;
    }
    return matched;
  }

  /** Whether the line belongs to the open fence or HTML. */
  private continueLeaf(leaf: Html | FencedCode, start: number, next: number): boolean {
    const { columns, at } = this.rest();
    if (!("marker" in leaf)) {
      if (leaf.ends ? leaf.ends.test(this.text.slice(at, this.end)) : columns < 0) {
        this.leaf = "none";
      }
      return true;
    }
    if (columns >= 0 && columns <= 3 && this.closes(leaf, at)) {
      leaf.end = start;
      this.found.push(leaf);
      this.leaf = "none";
      return true;
    }
    const taken = this.advance(leaf.indent);
    leaf.lines.push({
      start,
      text: this.at,
      spare: this.partial ? 4 - (this.column % 4) : 0,
      end: this.end,
      next,
      full: !this.lacking && !this.partial && taken === leaf.indent,
    });
    return true;
  }

  private closes({ marker, length }: FencedCode, from: number): boolean {
    let at = from;
    while (at < this.end && this.text[at] === marker) at++;
    return at - from >= length && this.blankFrom(at);
  }

  private openBlocks(matched: number, all: boolean): void {
    const containers = this.containers.slice(0, matched);
    /** A paragraph that the line may belong to, though its containers do not go on. */
    let paragraph = this.leaf === "paragraph";
    let opened = false;
    for (;;) {
      const { columns, at } = this.rest();
      if (columns < 0) break;
      if (columns >= 4) {
        if (paragraph) break;
        this.settle(containers, "none");
        return;
      }
      const interrupts = paragraph && all && !opened;
      const first = this.text[at]!;
      if (first === ">" && containers.length < deepest) {
        this.passQuote(at, columns);
        containers.push({ kind: "quote" });
      } else if (
        /[-+*\d]/.test(first) &&
        !thematicBreak.test(this.text.slice(at, this.end)) &&
        !(interrupts && underline.test(this.text.slice(at, this.end))) &&
        containers.length < deepest
      ) {
        const item = this.item(at, columns, interrupts);
        if (!item) break;
        containers.push(item);
      } else {
        const leaf = this.leafAt(at, columns, paragraph, containers);
        if (!leaf) break;
        this.settle(containers, leaf);
        return;
      }
      opened = true;
      paragraph = false;
    }
    if (this.rest().columns < 0) this.settle(containers, "none");
    else if (!paragraph) this.settle(containers, "paragraph");
    // Else the paragraph goes on, together with containers that the line left out ("lazy").
  }

  private settle(containers: Container[], leaf: Html | FencedCode | "none" | "paragraph"): void {
    this.containers = containers;
    this.leaf = leaf;
  }

  /** What begins here that holds no other blocks; undefined: it is a paragraph's text. */
  private leafAt(
    at: number,
    columns: number,
    paragraph: boolean,
    containers: readonly Container[],
  ): Html | FencedCode | "none" | undefined {
    const line = this.text.slice(at, this.end);
    if (heading.test(line) || thematicBreak.test(line)) return "none";
    if (paragraph && underline.test(line)) return "none";
    const fence = opening.exec(line);
    if (fence) {
      const [, ticks, behindTicks, tildes, behindTildes] = fence;
      return {
        marker: ticks ? "`" : "~",
        length: (ticks ?? tildes)!.length,
        indent: columns,
        info: (behindTicks ?? behindTildes ?? "").trim(),
        containers: [...containers],
        lines: [],
        end: this.end,
      };
    }
    if (!line.startsWith("<")) return undefined;
    for (const [starts, ends] of htmlStarts) {
      if (starts.test(line)) return ends?.test(line) ? "none" : { ends };
    }
    return !paragraph && loneTag.test(line) ? { ends: undefined } : undefined;
  }

  /** A list item that begins here, with the cursor behind its marker; undefined where none does. */
  private item(at: number, columns: number, interrupts: boolean): Container | undefined {
    const match = listMarker.exec(this.text.slice(at, Math.min(this.end, at + 11)));
    if (!match) return undefined;
    const [marker, number] = match;
    const empty = this.blankFrom(at + marker.length);
    if (interrupts && (empty || (number !== undefined && Number(number) !== 1))) return undefined;
    this.at = at + marker.length;
    this.column += columns + marker.length;
    this.partial = false;
    const { columns: blanks } = this.rest();
    // A text indented by five or more is indented code, one blank behind the marker.
    const own = empty || blanks > 4 ? 1 : blanks;
    this.advance(own);
    return { kind: "item", indent: columns + marker.length + own, empty };
  }

  private passQuote(at: number, columns: number): void {
    this.at = at + 1;
    this.column += columns + 1;
    this.partial = false;
    if (this.advance(1) === 0) this.lacking = true;
  }

  /** The columns of the blanks in front of what comes next, and where that is; -1 where nothing does. */
  private rest(): { columns: number; at: number } {
    let { at, column } = this;
    while (at < this.end) {
      if (this.text[at] === " ") column++;
      else if (this.text[at] === "\t") column += 4 - (column % 4);
      else return { columns: column - this.column, at };
      at++;
    }
    return { columns: -1, at };
  }

  /** Passes up to so many columns of blanks; how many there were. */
  private advance(columns: number): number {
    let left = columns;
    while (left > 0 && this.at < this.end) {
      const character = this.text[this.at];
      const width = character === " " ? 1 : character === "\t" ? 4 - (this.column % 4) : 0;
      if (width === 0) break;
      this.column += Math.min(width, left);
      this.partial = width > left;
      if (!this.partial) this.at++;
      left -= Math.min(width, left);
    }
    return columns - left;
  }

  private blankFrom(from: number): boolean {
    let at = from;
    while (at < this.end && (this.text[at] === " " || this.text[at] === "\t")) at++;
    return at === this.end;
  }
}

import type { Instruction, Message, Parameter, Span, Unknown } from "../../grammar/tree.js";
import type { FileTemplate } from "../prompt/file-template.js";
import { blocksOf, isChained, templatesIn, type Block } from "./templates.js";
import type { View } from "./view.js";

/** An entry of a file's outline. */
export interface OutlineEntry extends Span {
  /** Never empty. */
  name: string;
  /** Shown behind the name; may be empty. */
  detail: string;
  kind: OutlineKind;
  /** What is shown when somebody chooses the entry; within the entry. */
  selection: Span;
  /** Within the entry, in the order of the text. */
  children: readonly OutlineEntry[];
}

/** Names of symbol kinds that editors have icons for. */
export type OutlineKind =
  | "module"
  | "property"
  | "object"
  | "function"
  | "operator"
  | "string"
  | "event"
  | "file"
  | "constant"
  | "null";

const kinds: Readonly<Record<string, OutlineKind>> = {
  FROM: "module",
  TEMPLATE: "object",
  SYSTEM: "string",
  LICENSE: "string",
  ADAPTER: "file",
  DRAFT: "file",
};

/** Characters of a text that stand for it. */
const excerptLength = 60;

/** The outline of a file: an entry for each instruction, in order; below a TEMPLATE its blocks. */
export function symbols(view: View): OutlineEntry[] {
  const { file } = view;
  const templates = new Map(templatesIn(view).map((found) => [found.value.start, found]));
  return file.statements.flatMap((node): OutlineEntry[] => {
    switch (node.kind) {
      case "instruction": {
        const template = node.value && templates.get(node.value.start);
        const inside = node.name === "TEMPLATE" && template ? blockEntries(template) : [];
        return [instructionEntry(node, inside)];
      }
      case "parameter":
        return [parameterEntry(node)];
      case "message":
        return [messageEntry(node)];
      case "unknown":
        return [unknownEntry(node)];
      default:
        return [];
    }
  });
}

function instructionEntry(node: Instruction, inside: readonly OutlineEntry[]): OutlineEntry {
  const { name, keyword, value, start, end } = node;
  const [firstLine = ""] = value?.text.trimStart().split(/[\r\n]/, 1) ?? [];
  const pointed = name === "FROM" || name === "ADAPTER" || name === "DRAFT";
  return {
    name,
    // A licence begins with its title.
    detail: excerpt(name === "LICENSE" ? firstLine : (value?.text ?? "")),
    kind: kinds[name] ?? "constant",
    start,
    end,
    selection: pointed ? filled(value, keyword) : keyword,
    children: inside,
  };
}

function parameterEntry({
  parameter,
  parameterSpan,
  keyword,
  value,
  start,
  end,
}: Parameter): OutlineEntry {
  return {
    name: named(parameter, "PARAMETER"),
    detail: excerpt(value?.text ?? ""),
    kind: "property",
    start,
    end,
    selection: filled(parameterSpan, keyword),
    children: [],
  };
}

function messageEntry({ role, roleSpan, keyword, value, start, end }: Message): OutlineEntry {
  return {
    name: `MESSAGE ${excerpt(role)}`.trim(),
    detail: excerpt(value?.text ?? ""),
    kind: "event",
    start,
    end,
    selection: filled(roleSpan, keyword),
    children: [],
  };
}

function unknownEntry({ name, keyword, value, start, end }: Unknown): OutlineEntry {
  const detail = excerpt(value?.text ?? "");
  return { name, detail, kind: "null", start, end, selection: keyword, children: [] };
}

/** Branches and definitions of a template, one below the other as they stand in each other. */
function blockEntries(found: FileTemplate): OutlineEntry[] {
  interface Open {
    end: number;
    children: OutlineEntry[];
  }
  const top: Open = { end: found.template.text.length, children: [] };
  const open: Open[] = [top];
  for (const block of blocksOf(found.template)) {
    while (open.length > 1 && open.at(-1)!.end <= block.start) open.pop();
    const children: OutlineEntry[] = [];
    open.at(-1)!.children.push({ ...blockEntry(block, found), children });
    open.push({ end: block.end, children });
  }
  return top.children;
}

function blockEntry(
  block: Block,
  { template, inFile }: FileTemplate,
): Omit<OutlineEntry, "children"> {
  const place = inFile(block);
  if (!("kind" in block)) {
    // The action that opens it.
    const opened = inFile({ start: block.start, end: block.list.start });
    return {
      name: named(block.name, '""'),
      detail: "",
      kind: "function",
      ...place,
      selection: opened,
    };
  }
  const { kind, keyword, pipe } = block;
  // Where the action does not parse, the pipe has no commands and is what is left of it.
  const parses = pipe.commands.length > 0;
  const asked = parses ? excerpt(template.text.slice(pipe.start, pipe.end)) : "";
  const word = isChained(block, template.text) ? `else ${kind}` : kind;
  return {
    name: `${word} ${asked}`.trim(),
    detail: "",
    kind: "operator",
    ...place,
    selection: inFile(keyword),
  };
}

/** The span if there is something in it. */
function filled(span: Span | undefined, otherwise: Span): Span {
  return span && span.end > span.start ? { start: span.start, end: span.end } : otherwise;
}

function named(text: string, otherwise: string): string {
  return excerpt(text) || otherwise;
}

/** The beginning of a text in one line. */
export function excerpt(text: string): string {
  // More than enough, and a text may be a megabyte.
  const line = text
    .slice(0, 10 * excerptLength)
    .replaceAll(/\s+/g, " ")
    .trim();
  const characters = [...line];
  if (characters.length <= excerptLength) return line;
  return `${characters
    .slice(0, excerptLength - 1)
    .join("")
    .trimEnd()}…`;
}

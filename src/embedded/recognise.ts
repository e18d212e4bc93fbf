import { parseModelfile } from "../../grammar/parser.js";
import type {
  Instruction,
  Message,
  Modelfile,
  Node,
  Parameter,
  Span,
  Statement,
} from "../../grammar/tree.js";
import type { Island, Surrounding } from "./island.js";
import type { Passage } from "./passage.js";

/**
 * How much speaks for a Modelfile besides its text. "said": it is called one. "named": it is written to a
 * file of that name, which its first word has to bear out. "nothing": the text alone has to show it.
 */
export type Evidence = "said" | "named" | "nothing";

/** Instructions that a Dockerfile has not. */
const ownInstructions = new Set([
  "ADAPTER",
  "DRAFT",
  "LICENSE",
  "MESSAGE",
  "PARAMETER",
  "PARSER",
  "RENDERER",
  "REQUIRES",
  "SYSTEM",
  "TEMPLATE",
]);

/** Instructions that a Dockerfile alone has. */
const dockerfile =
  /^(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER|VOLUME|WORKDIR)(?=\s|$)/;

/** What else stands below a Modelfile in one block of a document: commands, and answers of `ollama run`. */
const console = /^(?:ollama|cat|curl|docker|echo|cd|import|[$%]|>>>)(?=\s|$)/;

/**
 * A model as FROM has it: one word, or one in quotes, or a placeholder; behind it at most a remark. "FROM my
 * point of view" goes on with another word.
 */
const oneModel = /^(?:["'<[{]|\S+(?:\s*$|[ \t]{2}|[ \t]+[^\s\w]))/;

const weightsAlone = /^["']?[^\s"']+\.gguf["']?\s*$/i;

/** The passage as an island, if it is a Modelfile. */
export function islandOf(
  passage: Passage,
  surrounding: Surrounding,
  evidence: Evidence,
): Island | undefined {
  const { text } = passage;
  const line = firstLine(text);
  const [keyword] = /^[A-Za-z]*/.exec(line)!;
  if (line === "") return undefined;
  if (evidence === "named" && !isInstruction(keyword.toUpperCase())) return undefined;
  if (evidence === "nothing" && !/^FROM[ \t]/.test(line)) return undefined;
  // In Python, a line may begin with "from" too.
  const model = /^FROM[ \t](.*)/is.exec(line)?.[1];
  if (evidence !== "said" && model !== undefined && !oneModel.test(model.trim())) return undefined;
  const file = parseModelfile(text);
  if (evidence === "nothing" && !speaksForItself(file)) return undefined;
  if (evidence === "named" && isDockerfile(file)) return undefined;
  const unknown = unknownIn(file, passage.unknown);
  if (!unknown) return undefined;
  const fragment = !file.statements.some((node) => isFrom(node));
  return { ...passage, unknown, surrounding, fragment };
}

/** The first line with something besides a comment on it, without its indentation. */
function firstLine(text: string): string {
  let start = text.startsWith("\uFEFF") ? 1 : 0;
  while (start < text.length) {
    const end = text.indexOf("\n", start);
    const line = text.slice(start, end < 0 ? text.length : end).trim();
    if (line !== "" && !line.startsWith("#")) return line;
    if (end < 0) break;
    start = end + 1;
  }
  return "";
}

function isInstruction(word: string): boolean {
  return word === "FROM" || ownInstructions.has(word);
}

function isFrom(node: Statement): boolean {
  return node.kind === "instruction" && node.name === "FROM";
}

/** One FROM in capitals, something that only Modelfiles have, and nothing that belongs elsewhere. */
function speaksForItself(file: Modelfile): boolean {
  const { text, statements } = file;
  const models = statements.filter(isFrom);
  // Several are alternatives that a document shows, or the stages of a Dockerfile.
  if (models.length !== 1) return false;
  if (beginsLine(file, dockerfile) || beginsLine(file, console)) return false;
  const own = statements.some(
    (node) => isOwn(node) && text.startsWith(node.name, node.keyword.start),
  );
  const [model] = models;
  const weights =
    statements.length === 1 &&
    model?.kind === "instruction" &&
    weightsAlone.test(model.value?.text ?? "");
  return own || weights;
}

/** Whether a line that is no instruction begins with one of these words. */
function beginsLine({ text, statements }: Modelfile, words: RegExp): boolean {
  return statements.some(
    ({ kind, start, end }) =>
      (kind === "unknown" || kind === "stray") && words.test(text.slice(start, end)),
  );
}

function isOwn(node: Statement): node is Instruction | Parameter | Message {
  return node.kind !== "stray" && node.kind !== "unknown" && ownInstructions.has(node.name);
}

/** Whatever a file is called: only a Dockerfile has these instructions, and nothing of a Modelfile. */
function isDockerfile(file: Modelfile): boolean {
  return beginsLine(file, dockerfile) && !file.statements.some(isOwn);
}

/** What documents and generators write in place of a value that is to be filled in. */
const placeholder =
  /<[^<>\s][^<>\n]*>|\{\{[^{}\n]*\}\}|\$\{[^{}\n]*\}|\$\([^()\n]*\)|\$[A-Za-z_]\w*|\{[\w.]*\}|\[[A-Z][A-Z _-]*\]|__\w+?__|%\w+%|\.{3}|…/g;

/** A line that stands for others: "...", "[…]". */
const omission = /^[[(<]?(?:\.{3}|…)[^\n]{0,40}$/;

/** Instructions whose value may be unknown without anything being said about the rest that is wrong. */
const independent = new Set(["ADAPTER", "DRAFT", "FROM", "LICENSE", "MESSAGE", "SYSTEM"]);

/**
 * The unknown parts, with the placeholders among the values. Undefined where they leave open what the file
 * says elsewhere: whole lines that are put in, or any part of TEMPLATE, on which everything depends.
 */
function unknownIn(file: Modelfile, expansions: readonly Span[]): Span[] | undefined {
  const places = file.nodes.map(placeOf);
  let next = 0;
  for (const { start, end } of expansions) {
    while (next < places.length && file.nodes[next]!.end < end) next++;
    const place = places[next];
    if (!place || start < place.start || end > place.end) return undefined;
  }
  const placeholders = file.statements.flatMap((node) => placeholdersIn(file, node));
  const unknown: Span[] = [];
  for (const span of [...expansions, ...placeholders].sort(
    (one, other) => one.start - other.start,
  )) {
    // "${x}" is expanded, and looks like a placeholder as well.
    if (span.end > (unknown.at(-1)?.end ?? -1)) unknown.push(span);
  }
  return unknown;
}

/** Where a node may hold something unknown. */
function placeOf(node: Node): Span | undefined {
  if (node.kind === "comment") return node;
  if (node.kind === "parameter" || node.kind === "message") return node.value?.content;
  if (node.kind !== "instruction" || !independent.has(node.name)) return undefined;
  return node.value?.content;
}

function placeholdersIn({ text }: Modelfile, node: Statement): Span[] {
  if (node.kind === "stray" || node.kind === "unknown") {
    return omission.test(text.slice(node.start, node.end).trim()) ? [node] : [];
  }
  // In a prompt or a stop sequence, "<start>" and "{{ .Prompt }}" are what is meant.
  const filled =
    node.kind === "parameter"
      ? node.parameter !== "stop"
      : ["ADAPTER", "DRAFT", "FROM"].includes(node.name);
  if (!filled || !node.value) return [];
  const from = node.value.start;
  return [...text.slice(from, node.value.end).matchAll(placeholder)].map(({ 0: found, index }) => ({
    start: from + index,
    end: from + index + found.length,
  }));
}

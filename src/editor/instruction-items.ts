import type { Modelfile, Span } from "../../grammar/tree.js";
import { acceptsInstruction, instructions, type InstructionFact } from "../facts/instructions.js";
import { since } from "../facts/release.js";
import { lineEnding } from "../fix/lines.js";
import type { Completion, Slot } from "./completion.js";
import { familiesIn } from "./family-of.js";
import { instructionPage } from "./instruction-page.js";
import type { View } from "./view.js";

/** Instructions at the start of a line: what the file still lacks first, those of later releases last. */
export function instructionItems(view: View, slot: Slot): Completion[] {
  const { file, contexts } = view;
  const { release } = contexts[0];
  const written = lowerCase(file, slot) ? (text: string) => text.toLowerCase() : String;
  const used = new Set(
    file.statements.flatMap((node) => ("name" in node ? [node.name.toUpperCase()] : [])),
  );
  const rank = (fact: InstructionFact) => {
    if (!acceptsInstruction(fact, release)) return 3;
    if (fact.name === "FROM") return used.has("FROM") ? 2 : 0;
    return used.has(fact.name) && fact.repeated === "last" ? 2 : 1;
  };
  return instructions
    .filter((fact) => acceptsInstruction(fact, release) || !since(release, fact.first))
    .toSorted((one, other) => rank(one) - rank(other) || place(one) - place(other))
    .flatMap((fact) => itemsOf(fact, view, slot, written));
}

/** The others are rarer. */
const usual = ["FROM", "PARAMETER", "SYSTEM", "TEMPLATE", "MESSAGE"];

function place({ name }: InstructionFact): number {
  const found = usual.indexOf(name);
  return found < 0 ? usual.length : found;
}

function itemsOf(
  fact: InstructionFact,
  view: View,
  slot: Slot,
  written: (text: string) => string,
): Completion[] {
  const { release } = view.contexts[0];
  const keyword = written(fact.name);
  const { replaces, last } = slot;
  const known = acceptsInstruction(fact, release);
  const shared = {
    replaces,
    detail: known ? fact.summary : `since ${fact.first}; ${release.version} refuses it`,
    markdown: async () => instructionPage(fact, view),
  };
  const word = { label: keyword, kind: "instruction", ...shared } as const;
  // Where something follows already, the word alone is wanted.
  if (!last) return [{ ...word, text: keyword }];
  const quotes = known ? quoted(fact, keyword, view) : undefined;
  if (quotes) {
    const whole = fact.value === "template" ? wholeTemplates(view, replaces, `${keyword} `) : [];
    return [{ ...word, ...quotes }, ...whole];
  }
  const form = forms[fact.name];
  return [
    { ...word, text: `${keyword} `, again: true },
    ...(form !== undefined && known
      ? [
          {
            label: `${keyword} …`,
            kind: "snippet" as const,
            ...shared,
            text: `${keyword} ${form}`,
            snippet: true as const,
            plain: `${keyword} `,
            filter: keyword,
          },
        ]
      : []),
  ];
}

/** Lines that are written as a whole. */
const forms: Readonly<Record<string, string>> = {
  PARAMETER: "${1:name} ${2:value}",
  MESSAGE: "${1|user,assistant,system|} ${2:text}",
};

/** Texts over several lines. */
function quoted({ value }: InstructionFact, keyword: string, { file }: View) {
  if (value !== "text" && value !== "template") return undefined;
  const end = lineEnding(file);
  const text = value === "text" ? `${end}$0${end}` : "$0";
  return { text: `${keyword} """${text}"""`, snippet: true as const, plain: `${keyword} ` };
}

/** A whole TEMPLATE of the model's family, where that is known. `keyword`: with the blank behind it, if it is missing. */
export function wholeTemplates(view: View, replaces: Span, keyword = ""): Completion[] {
  return familiesIn(view).map(({ title, template }) => {
    const text = `${keyword}"""${template.replaceAll("\n", lineEnding(view.file))}"""`;
    return {
      label: `${keyword || "TEMPLATE "}for ${title}`,
      kind: "snippet",
      replaces,
      text,
      detail: `How ${title} writes a chat, without tools`,
      ...(keyword !== "" && { filter: keyword.trim() }),
    };
  });
}

/** Whether the file writes its other instructions in lower case. */
function lowerCase({ statements, text }: Modelfile, { replaces }: Slot): boolean {
  let lower = 0;
  let upper = 0;
  for (const node of statements) {
    if (!("keyword" in node) || node.kind === "unknown") continue;
    const { start, end } = node.keyword;
    if (start === replaces.start) continue;
    if (text.slice(start, end) === node.name.toLowerCase()) lower++;
    else upper++;
  }
  return lower > upper;
}

import { keptText } from "../../grammar/characters.js";
import type { Span, Value } from "../../grammar/tree.js";
import { hasTemplateFact, templateFunctions, type TemplateField } from "../facts/template.js";
import { fieldsOf, root } from "../prompt/template-fields.js";
import { families } from "../facts/families.js";
import { tokensIn } from "../prompt/family.js";
import type { Completion, CompletionKind } from "./completion.js";
import { familiesIn, tokensOf } from "./family-of.js";
import { fieldText, functionPage, keywords } from "./template-page.js";
import { templateCaret, type Caret } from "./template-caret.js";
import { tokenPage } from "./token-page.js";
import type { View } from "./view.js";

/** What may stand at a place of a TEMPLATE's value. */
export function templateItems(
  view: View,
  { content }: Value,
  offset: number,
  explicit: boolean,
): Completion[] {
  const { text } = view.file;
  const caret = templateCaret(keptText(text.slice(content.start, offset)));
  const rest = text.slice(offset, Math.max(offset, content.end));
  switch (caret.in) {
    case "text":
      return textItems(view, content, offset, explicit);
    case "field":
    case "action":
      return actionItems(view, caret, offset, rest);
    case "string":
      return roleItems(caret, offset, rest);
    default:
      return [];
  }
}

/** The part of a word in front of the caret and behind it. */
function around(offset: number, typed: string, rest: string, more: RegExp): Span {
  const [behind = ""] = more.exec(rest) ?? [];
  return { start: offset - typed.length, end: offset + behind.length };
}

function actionItems(view: View, caret: Caret, offset: number, rest: string): Completion[] {
  const { release } = view.contexts[0];
  const replaces = around(offset, caret.typed, rest, /^\w*/);
  const close = rest.indexOf("}}");
  const open = rest.indexOf("{{");
  const isClosed = close >= 0 && (open < 0 || close < open);
  const item = (
    label: string,
    kind: CompletionKind,
    detail: string,
    markdown: () => Promise<string | undefined>,
  ): Completion => ({ label, kind, replaces, text: label, detail, markdown });
  // A definition is called with whatever its caller hands over.
  const holder = caret.holder ?? root;
  const known = fieldsOf(holder) ?? [];
  const field = (one: TemplateField) =>
    item(`.${one.name}`, "field", `${one.type}: ${one.summary}`, async () =>
      fieldText(one, holder, release),
    );
  const fields = known.filter((one) => hasTemplateFact(one, release)).map(field);
  if (caret.in === "field") return fields;
  const variables = caret.variables.map((name) =>
    item(name, "field", "variable", async () => undefined),
  );
  const functions = templateFunctions
    .filter((fact) => hasTemplateFact(fact, release))
    .map(({ name, arguments: takes, summary }) =>
      item(name, "function", [takes, summary].filter(Boolean).join(": "), async () =>
        functionPage(name, release),
      ),
    );
  if (caret.typed.startsWith("$")) return variables;
  return [
    ...(caret.first ? keywordItems(caret, replaces, isClosed) : []),
    ...fields,
    ...variables,
    ...functions,
  ];
}

/** Words that an action may begin with, and what they put in. The topmost dot has what they may ask for. */
const begun = (isTop: boolean): readonly (readonly [word: string, snippet: string])[] => [
  ["if", `if ${isTop ? "${1:.System}" : "$1"} \\}\\}$0{{ end`],
  ["range", `range ${isTop ? "${1:.Messages}" : "$1"} \\}\\}$0{{ end`],
  ["with", "with $1 \\}\\}$0{{ end"],
  ["define", 'define "${1:name}" \\}\\}$0{{ end'],
  ["block", 'block "${1:name}" . \\}\\}$0{{ end'],
  ["template", 'template "${1:name}" .$0'],
];

function keywordItems(caret: Caret, replaces: Span, isClosed: boolean): Completion[] {
  const shared = { kind: "function", replaces } as const;
  // An action that is closed already keeps its braces.
  const [snippetEnd, plainEnd] = isClosed ? ["", ""] : [" \\}\\}", " }}"];
  const simple = [
    ...(caret.open.length > 0 ? ["end", "else"] : []),
    ...(caret.open.includes("range") ? ["break", "continue"] : []),
  ];
  return [
    ...simple.map((word) => ({
      label: word,
      ...shared,
      text: word + plainEnd,
      detail: keywords.get(word) ?? "",
    })),
    ...begun(caret.holder === root).map(([word, snippet]) => ({
      label: word,
      ...shared,
      text: snippet + snippetEnd,
      snippet: true as const,
      plain: `${word} `,
      detail: keywords.get(word) ?? "",
    })),
  ];
}

/** Roles, in a string that a message's role is compared with. */
function roleItems(caret: Caret, offset: number, rest: string): Completion[] {
  if (!caret.comparesRole) return [];
  const replaces = around(offset, caret.typed, rest, /^\w*/);
  return ["system", "user", "assistant", "tool"].map((role) => ({
    label: role,
    kind: "role",
    replaces,
    text: role,
  }));
}

/** Special tokens outside of actions, once one is begun or asked for. */
function textItems(view: View, content: Span, offset: number, explicit: boolean): Completion[] {
  const { text } = view.file;
  const before = text.slice(Math.max(content.start, offset - 100), offset);
  const [typed = ""] = /(?:<[/|｜<]?[\w▁｜|/<]*|\[[/|\w]*)$/u.exec(before) ?? [];
  if (typed === "" && !explicit) return [];
  const rest = text.slice(offset, Math.min(content.end, offset + 100));
  const replaces = around(offset, typed, rest, typed === "" ? /^/ : /^[\w▁｜|/]*[>\]]/u);
  const own = familiesIn(view);
  const written = new Set(
    tokensIn(text.slice(content.start, content.end)).map(({ token }) => token),
  );
  const others = families.filter((family) => tokensOf(family).some((token) => written.has(token)));
  const seen = new Set<string>();
  return [...own, ...others]
    .flatMap((family) => tokensOf(family).map((token) => ({ token, family })))
    .filter(({ token }) => !seen.has(token) && seen.add(token))
    .filter(({ token }) => typed === "" || token.startsWith(typed[0] ?? ""))
    .map(({ token, family }) => ({
      label: token,
      kind: "token",
      replaces,
      text: token,
      detail: token === family.end ? `ends a turn of ${family.title}` : family.title,
      markdown: async () => tokenPage(token, view),
    }));
}

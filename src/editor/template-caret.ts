import { lex, type TemplateToken } from "../../grammar/template/lexer.js";
import { parseTemplate } from "../../grammar/template/parser.js";
import * as t from "../../grammar/template/tokens.js";
import { fieldUses } from "../prompt/template-fields.js";

/** What a template that is still being written has come to. */
export interface Caret {
  /** Outside of actions; behind a dot; elsewhere in an action; in a string; where nothing can be added. */
  in: "text" | "field" | "action" | "string" | "nothing";
  /** The word in front of the caret, its dot or dollar sign included. */
  typed: string;
  /** The word is the first of its action. */
  first: boolean;
  /** Keywords of what is open, the outermost first. */
  open: readonly string[];
  /** Variables in scope. */
  variables: readonly string[];
  /** What the word is a field of, as src/prompt/template-fields.ts names it; undefined where that is not known. */
  holder: string | undefined;
  /** The action is about a role: what a string in it is compared with. */
  comparesRole: boolean;
}

const outside: Caret = {
  in: "text",
  typed: "",
  first: false,
  open: [],
  variables: [],
  holder: undefined,
  comparesRole: false,
};

/** A branch or definition that is open, and what was declared in it. */
interface Frame {
  keyword: string;
  /** Actions that the type of the dot and of variables follows from. */
  text: string;
  variables: string[];
}

/** Reads what stands in front of the caret. It need not parse, and mostly does not. */
export function templateCaret(before: string): Caret {
  // What the lexer is not made for, and half a character in front of the caret.
  const text = before.replace(/\p{Surrogate}/gu, "\ufffd");
  const tokens = lex(text);
  const start = tokens.findLastIndex(({ tokenType }) => tokenType === t.LeftDelim);
  const ended = tokens.findLastIndex(({ tokenType }) => tokenType === t.RightDelim);
  if (start < 0 || start < ended) return outside;
  const frames = framesIn(tokens.slice(0, start), text);
  const action = tokens.slice(start + 1).filter(({ tokenType, startOffset, endOffset }) => {
    return tokenType !== t.Space && endOffset >= startOffset;
  });
  const last = action.at(-1);
  const open = frames.slice(1).map(({ keyword }) => keyword);
  const variables = [...new Set([...frames.flatMap((frame) => frame.variables), "$"])];
  const shared = { ...outside, open, variables };
  const written = last ? text.slice(last.startOffset) : "";
  if (last?.tokenType === t.Comment || written.startsWith("/*")) {
    return { ...shared, in: "nothing" };
  }
  if (last?.tokenType === t.Refused && /^["`]/.test(written)) {
    const comparesRole = action.some((token) => textOf(token, text) === ".Role");
    return { ...shared, in: "string", typed: written.slice(1), comparesRole };
  }
  return atWord({ ...shared, in: "action" }, frames, text, tokens[start], action);
}

function atWord(
  shared: Caret,
  frames: readonly Frame[],
  text: string,
  delimiter: TemplateToken | undefined,
  action: readonly TemplateToken[],
): Caret {
  const [typed = ""] = /[.$]?[\p{L}\p{N}_]*$/u.exec(text) ?? [];
  const at = text.length - typed.length;
  // A digit begins a number, and behind a string or a number stands no word.
  if (/^\p{N}/u.test(typed) || /["'`\d]$/.test(text.slice(0, at)))
    return { ...shared, in: "nothing" };
  const first = action.every(({ startOffset }) => startOffset >= at);
  const isField = typed.startsWith(".");
  const begun = text.slice(delimiter?.startOffset ?? at, at);
  const keyword = action.find(({ tokenType }) => opens(tokenType));
  const whole = keyword && action[0] === keyword ? "{{ end }}" : "";
  const depth = depthOf(action);
  const partial = `${begun}.${probe}${")".repeat(depth)} }}${whole}`;
  const ends = "{{ end }}".repeat(frames.length - 1);
  const reduced = frames.map((frame) => frame.text).join("") + partial + ends;
  const use = fieldUses(parseTemplate(reduced)).findLast(({ name }) => name === probe);
  return { ...shared, in: isField ? "field" : "action", typed, first, holder: use?.holder };
}

/** A name that no type has: what is found out about it holds for any name at its place. */
const probe = "Probe__";

const openers = new Set([t.If, t.Range, t.With, t.Define, t.Block]);
const opens = (type: TemplateToken["tokenType"]) => openers.has(type);

function textOf({ startOffset, endOffset }: TemplateToken, text: string): string {
  return text.slice(startOffset, endOffset + 1);
}

/** Parentheses that are open. */
function depthOf(action: readonly TemplateToken[]): number {
  const count = (type: TemplateToken["tokenType"]) =>
    action.filter(({ tokenType }) => tokenType === type).length;
  return Math.max(0, count(t.LeftParen) - count(t.RightParen));
}

/** What is open in front of a place, the whole template first. */
function framesIn(tokens: readonly TemplateToken[], text: string): Frame[] {
  const frames: Frame[] = [{ keyword: "", text: "", variables: [] }];
  for (const action of actionsIn(tokens)) {
    const [first, ...others] = action.filter(({ tokenType }) => tokenType !== t.Space).slice(1);
    const [opening, closing] = [action[0], action.at(-1)];
    if (!first || !opening || !closing) continue;
    const written = text.slice(opening.startOffset, closing.endOffset + 1);
    const frame = frames.at(-1);
    const declares = others.findIndex(({ tokenType }) => tokenType === t.Declare);
    const variables = [first, ...others]
      .slice(0, declares + 1)
      .filter(({ tokenType }) => tokenType === t.Variable)
      .map((token) => textOf(token, text));
    if (opens(first.tokenType)) {
      frames.push({ keyword: textOf(first, text), text: written, variables });
    } else if (first.tokenType === t.End) {
      if (frames.length > 1) frames.pop();
    } else if (frame && (first.tokenType === t.Else || variables.length > 0)) {
      frame.text += written;
      frame.variables.push(...variables);
    }
  }
  return frames;
}

/** The actions that are closed, each from its {{ to its }}. */
function* actionsIn(tokens: readonly TemplateToken[]): Generator<TemplateToken[]> {
  let action: TemplateToken[] = [];
  for (const token of tokens) {
    if (token.tokenType === t.LeftDelim) action = [];
    action.push(token);
    if (token.tokenType === t.RightDelim) {
      if (action[0]?.tokenType === t.LeftDelim) yield action;
      action = [];
    }
  }
}

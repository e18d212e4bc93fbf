import type { Comment, Instruction, Span, Value } from "../../grammar/tree.js";
import { ruleNamed } from "../../rules/index.js";
import { directivesIn } from "../directives.js";
import { instructionFact } from "../facts/instructions.js";
import { parameterFact } from "../facts/parameters.js";
import { instructionPage } from "./instruction-page.js";
import { paragraphs } from "./markdown.js";
import { parameterPage } from "./parameter-page.js";
import { holds, nodeAt, within } from "./place-at.js";
import { referencePage } from "./reference-page.js";
import { ruleText } from "./rule-text.js";
import { templatePage } from "./template-page.js";
import { tokenPage } from "./token-page.js";
import { builtInPage, licencePage, requiresPage, rolePage } from "./value-page.js";
import type { View } from "./view.js";

export interface Hover {
  /** What it is about. */
  at: Span;
  markdown: string;
}

/** What is to say about the place in a file that somebody points at. */
export function hover(view: View, offset: number): Hover | undefined {
  const at = within(view.file.text, offset);
  const node = nodeAt(view.file, at);
  if (!node || node.kind === "gap" || node.kind === "stray") return undefined;
  if (node.kind === "comment") return overDirective(view, node, at);
  if (holds(node.keyword, at)) {
    const fact = instructionFact(node.name);
    return fact && { at: node.keyword, markdown: instructionPage(fact, view) };
  }
  if (node.kind === "unknown") return undefined;
  if (node.kind === "parameter" && holds(node.parameterSpan, at)) {
    return shown(node.parameterSpan, parameterPage(node.parameter, view));
  }
  if (node.kind === "message" && holds(node.roleSpan, at)) {
    return shown(node.roleSpan, rolePage(node));
  }
  const { value } = node;
  if (!value || !holds(value, at)) return undefined;
  if (node.kind === "instruction") return overValue(view, node, value, at);
  if (node.kind === "message") return undefined;
  const token = node.parameter === "stop" ? tokenPage(value.text, view) : undefined;
  return shown(
    value,
    token === undefined
      ? parameterPage(node.parameter, view, value)
      : paragraphs([token, parameterFact("stop")?.summary]),
  );
}

function shown({ start, end }: Span, markdown: string | undefined): Hover | undefined {
  return markdown === undefined ? undefined : { at: { start, end }, markdown };
}

function overValue(view: View, node: Instruction, value: Value, at: number): Hover | undefined {
  switch (node.name) {
    case "TEMPLATE":
      return holds(value.content, at) ? templatePage(view, value, at) : undefined;
    case "FROM":
    case "ADAPTER":
    case "DRAFT":
      return shown(value, referencePage(view, node.name, value.text));
    case "RENDERER":
    case "PARSER":
      return shown(value, builtInPage(view, node.name, value.text));
    case "REQUIRES":
      return shown(value, requiresPage(view, node));
    case "LICENSE":
      return shown(value, licencePage(value.text));
    default:
      return undefined;
  }
}

/** A rule that a directive names. */
function overDirective({ file }: View, comment: Comment, at: number): Hover | undefined {
  const directive = directivesIn(file).find(({ start }) => holds(comment, start));
  const name = directive?.rules.find((one) => holds(one, at));
  const rule = name && ruleNamed(name.text);
  return rule && { at: { start: name.start, end: name.end }, markdown: ruleText(rule) };
}

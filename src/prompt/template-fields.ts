import type {
  Call,
  List,
  Node,
  Operand,
  Pipe,
  Template,
  Name,
} from "../../grammar/template/tree.js";
import type { Span } from "../../grammar/tree.js";
import { templateType, templateValues, type TemplateField } from "../facts/template.js";

/*
 * Which names a template reads of what: dot and variables followed through range, with and {{template}}, as far
 * as the types that Ollama hands over are known (src/facts/template.json).
 */

/** A name that is read: `Content` of a message in {{ range .Messages }}{{ .Content }}{{ end }}. */
export interface FieldUse extends Span {
  name: string;
  /** What is asked for it: `root`, or a type of src/facts/template.json, such as "Message" or "[]Message". */
  holder: string;
  /** Printed by itself, tested by if, with or range, or handed to a function. */
  as: "printed" | "tested" | "argument";
}

/** The topmost dot. */
export const root = "root";

type Scope = ReadonlyMap<string, string | undefined>;

/** Methods of what Ollama hands over; to Go they look like fields. */
const methods = new Set(["All", "Len", "MarshalJSON", "String", "ToMap", "ToTypeScriptType"]);

/** The fields of what is known to have some; undefined where nothing is known. */
export function fieldsOf(holder: string): readonly TemplateField[] | undefined {
  if (holder === root) return templateValues;
  if (/^(?:string|int|bool|\[\].*)$/.test(holder)) return [];
  return holder.startsWith("map of ") ? undefined : templateType(holder)?.fields;
}

/** What range makes of a list or map, and index of either. */
function elementOf(type: string | undefined): string | undefined {
  const element = type && /^(?:\[\]|map of )(.*)$/.exec(type)?.[1];
  return element === "value" ? undefined : element;
}

/** Every name that is read of something known, in the order of the text. */
export function fieldUses(template: Template): FieldUse[] {
  const uses: FieldUse[] = [];
  /** For each definition what it is called with. */
  const calls = new Map<string, Set<string | undefined>>();
  const assigned = new Set(
    nodesOf(template).flatMap((node) =>
      "pipe" in node && node.pipe?.assigns
        ? node.pipe.declared.map(({ names }) => names[0].text)
        : [],
    ),
  );

  function follow(
    from: string | undefined,
    names: readonly Name[],
    as: FieldUse["as"],
  ): string | undefined {
    let type = from;
    for (const [index, { text, start, end }] of names.entries()) {
      if (type?.startsWith("map of ")) {
        type = elementOf(type);
        continue;
      }
      const fields = type === undefined ? undefined : fieldsOf(type);
      if (type === undefined || !fields || methods.has(text)) return undefined;
      // Of a chain only the last name is printed.
      const last = index === names.length - 1;
      uses.push({ name: text, holder: type, as: last ? as : "argument", start, end });
      type = fields.find(({ name }) => name === text)?.type;
    }
    return type;
  }

  function operand(
    node: Operand,
    dot: string | undefined,
    scope: Scope,
    as: FieldUse["as"],
  ): string | undefined {
    switch (node.kind) {
      case "dot":
        return dot;
      case "field":
        return follow(dot, node.names, as);
      case "variable":
        return follow(scope.get(node.names[0].text), node.names.slice(1), as);
      case "chain":
        return follow(operand(node.operand, dot, scope, "argument"), node.names, as);
      case "pipe":
        return pipeline(node, dot, scope, "argument");
      case "string":
        return "string";
      default:
        return undefined;
    }
  }

  function pipeline(
    { commands }: Pipe,
    dot: string | undefined,
    scope: Scope,
    as: FieldUse["as"],
  ): string | undefined {
    let type: string | undefined;
    for (const { operands } of commands) {
      const alone = operands.length === 1 && commands.length === 1;
      const types = operands.map((one) => operand(one, dot, scope, alone ? as : "argument"));
      const [head] = operands;
      const called = head.kind === "identifier" ? head.text : undefined;
      type = undefined;
      if (commands.length > 1) continue;
      if (alone) type = types[0];
      else if (called === "slice") type = types[1];
      else if (called === "index" && operands.length === 3) type = elementOf(types[1]);
    }
    return type;
  }

  function declared({ declared: variables }: Pipe, types: readonly (string | undefined)[]) {
    return variables.map(({ names: [{ text }] }, index) => {
      // A variable that is assigned to may hold anything by then.
      return [text, assigned.has(text) ? undefined : types[index]] as const;
    });
  }

  function list({ nodes }: List, dot: string | undefined, outer: Scope): void {
    const scope = new Map(outer);
    for (const node of nodes) visit(node, dot, scope);
  }

  function visit(node: Node, dot: string | undefined, scope: Map<string, string | undefined>) {
    switch (node.kind) {
      case "action": {
        const { pipe } = node;
        const type = pipeline(pipe, dot, scope, pipe.declared.length > 0 ? "argument" : "printed");
        for (const [name, of] of declared(pipe, [type])) scope.set(name, of);
        break;
      }
      case "if":
      case "with":
      case "range": {
        const type = pipeline(node.pipe, dot, scope, "tested");
        const inner = new Map(scope);
        const ranged = node.kind === "range";
        const element = ranged ? elementOf(type) : type;
        const both = ranged && node.pipe.declared.length === 2;
        const key = type?.startsWith("map of ") ? "string" : "int";
        for (const [name, of] of declared(node.pipe, both ? [key, element] : [element])) {
          inner.set(name, of);
        }
        list(node.list, node.kind === "if" ? dot : element, inner);
        // To Go a struct is always true: nothing gets to what is written for its absence.
        const never = !ranged && type !== undefined && templateType(type)?.name === type;
        if (node.elseList && !never) list(node.elseList, dot, inner);
        break;
      }
      case "template":
        call(node, node.pipe && pipeline(node.pipe, dot, scope, "argument"));
        break;
      default:
    }
  }

  function call({ name }: Call, type: string | undefined): void {
    const types = calls.get(name) ?? new Set();
    calls.set(name, types.add(type));
  }

  const start = (of: List, type: string | undefined) => list(of, type, new Map([["$", type]]));
  start(template.main, root);
  // Definitions call each other; each is read once, when everything before has been.
  const read = new Set<string>();
  for (const [name, types] of calls) {
    const definition = template.defined.get(name);
    if (!definition || types.size !== 1 || read.has(name)) continue;
    read.add(name);
    start(definition.list, [...types][0]);
  }
  return uses.sort((a, b) => a.start - b.start);
}

/** Every operand of a template, those in parentheses and definitions included, in the order of the text. */
export function operandsOf({ main, defined }: Pick<Template, "main" | "defined">): Operand[] {
  const found: Operand[] = [];
  const fromPipe = ({ commands }: Pipe): void => commands.forEach(({ operands }) => add(operands));
  const add = (operands: readonly Operand[]): void => {
    for (const one of operands) {
      found.push(one);
      if (one.kind === "pipe") fromPipe(one);
      if (one.kind === "chain") add([one.operand]);
    }
  };
  for (const node of nodesOf({ main, defined }))
    if ("pipe" in node && node.pipe) fromPipe(node.pipe);
  return found.sort((a, b) => a.start - b.start);
}

/** Every node, those within branches and definitions included. */
export function nodesOf({ main, defined }: Pick<Template, "main" | "defined">): Node[] {
  const found: Node[] = [];
  const visit = ({ nodes }: List) => {
    for (const node of nodes) {
      found.push(node);
      if (!("list" in node)) continue;
      visit(node.list);
      if (node.elseList) visit(node.elseList);
    }
  };
  for (const list of [main, ...[...defined.values()].map(({ list: own }) => own)]) visit(list);
  return found;
}

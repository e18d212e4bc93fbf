import type { Branch, Definition, Template } from "../../grammar/template/tree.js";
import { instructionsNamed, type Instruction, type Modelfile } from "../../grammar/tree.js";
import type { Release } from "../facts/release.js";
import { templateOf, type FileTemplate } from "../prompt/file-template.js";
import { nodesOf } from "../prompt/template-fields.js";
import type { View } from "./view.js";

const known = new WeakMap<Modelfile, { release: Release; found: readonly FileTemplate[] }>();

/**
 * Every TEMPLATE of a file that has a text, in order: those that a later one overrides as well, and one
 * whose quote is still open because somebody is writing it.
 */
export function templatesIn({ file, contexts: [{ release }] }: View): readonly FileTemplate[] {
  const before = known.get(file);
  if (before?.release === release) return before.found;
  const counts = templateOf(file, release);
  const found = instructionsNamed(file, "TEMPLATE").flatMap((node) => {
    if (node === counts?.node) return [counts];
    const alone = templateOf({ ...file, statements: [closed(node)] }, release);
    return alone ? [alone] : [];
  });
  known.set(file, { release, found });
  return found;
}

function closed(node: Instruction): Instruction {
  return node.value ? { ...node, value: { ...node.value, closed: true } } : node;
}

/** What an {{end}} closes. */
export type Block = Branch | Definition;

/** Branches and definitions in the order of the text, the outer ones first. */
export function blocksOf(template: Template): Block[] {
  const branches = nodesOf(template).filter((node) => "list" in node);
  const blocks: Block[] = [...branches, ...template.defined.values()];
  return blocks.sort((one, other) => one.start - other.start || other.end - one.end);
}

/** Whether a branch is the "if" of an {{else if}}: it stands in the list of its {{else}}, without braces of its own. */
export function isChained(branch: Branch, text: string): boolean {
  return !text.startsWith("{{", branch.start);
}

import { keptText } from "../../grammar/characters.js";
import type { Template } from "../../grammar/template/tree.js";
import type { Value } from "../../grammar/tree.js";
import type { FileTemplate } from "../prompt/file-template.js";
import { fieldUses, type FieldUse } from "../prompt/template-fields.js";
import { templatesIn } from "./templates.js";
import type { View } from "./view.js";

/** The template that a TEMPLATE's value holds; undefined for an empty one. */
export function templateIn(view: View, value: Value): FileTemplate | undefined {
  return templatesIn(view).find((found) => found.value.start === value.start);
}

/** A place of the file as one of the template in a value. */
export function innerPlace({ file }: View, { content, text }: Value, offset: number): number {
  const { start, end } = content;
  // Characters that Ollama drops are rare: mostly the two texts differ by their start alone.
  if (text.length === end - start) return Math.max(0, offset - start);
  return keptText(file.text.slice(start, Math.max(start, offset))).length;
}

const uses = new WeakMap<Template, readonly FieldUse[]>();

/** Every name that a template reads of something known. */
export function usesIn(template: Template): readonly FieldUse[] {
  const known = uses.get(template);
  if (known) return known;
  const found = fieldUses(template);
  uses.set(template, found);
  return found;
}

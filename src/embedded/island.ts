import type { TextEdit } from "../../grammar/bytes.js";
import type { Span } from "../../grammar/tree.js";
import { partAtEnd, partAtStart, type Passage } from "./passage.js";

/** What a Modelfile inside another file stands in. */
export type Surrounding = "markdown" | "shell" | "powershell" | "dockerfile" | "yaml" | "code";

/** A Modelfile inside another file: the text that would reach Ollama. */
export interface Island extends Passage {
  surrounding: Surrounding;
  /** There is no FROM: an excerpt in a document, or lines that are added to a file written elsewhere. */
  fragment: boolean;
}

/** A place of the Modelfile as a place of the outer file; the nearest one where it is written otherwise there. */
export function outerSpan({ parts, at }: Passage, span: Span): Span {
  const first = partAtStart(parts, span.start) ?? parts[0];
  if (!first) return { start: at.start, end: at.start };
  const start = first.outer + within(span.start - first.inner, first.length);
  if (span.end <= span.start) return { start, end: start };
  // To the end of what is written otherwise: half an escape is no character.
  const last = partAtEnd(parts, span.end);
  const end = last ? last.outer + within(span.end - last.inner, last.length) : at.end;
  return { start, end: Math.max(start, end) };
}

/**
 * An edit of the Modelfile as an edit of the outer file. Undefined where it cannot be made there: it would
 * end what the Modelfile stands in, cut through what is written otherwise, or touch an unknown part.
 */
export function outerEdit(island: Passage, edit: TextEdit): TextEdit | undefined {
  const inside = edit.start >= 0 && edit.start <= edit.end && edit.end <= island.text.length;
  return inside && !touchesUnknown(island, edit) ? island.carry(edit) : undefined;
}

/** Whether a span reaches or adjoins a part that is not known: what is said about it may be wrong. */
export function touchesUnknown({ unknown }: Passage, span: Span): boolean {
  return unknown.some(({ start, end }) => span.start <= end && start <= span.end);
}

function within(offset: number, length: number): number {
  return Math.min(Math.max(offset, 0), length);
}

import { parse, postprocess, preprocess } from "micromark";

/** The lines of each closed fenced code block with text in it, trimmed, as micromark finds them. */
export function micromarkFences(text: string): string[][] {
  const events = postprocess(parse().document().write(preprocess()(text, undefined, true)));
  const fences: string[][] = [];
  let lines: string[] | undefined;
  let marks = 0;
  for (const [kind, { type, start, end }] of events) {
    if (kind === "enter") {
      if (type === "codeFenced") {
        lines = [];
        marks = 0;
      } else if (type === "codeFencedFence") marks++;
      else if (type === "codeFlowValue") lines?.push(text.slice(start.offset, end.offset).trim());
    } else if (type === "codeFenced" && lines) {
      const shown = lines.filter((line) => line !== "");
      if (marks === 2 && shown.length > 0) fences.push(shown);
      lines = undefined;
    }
  }
  return fences;
}

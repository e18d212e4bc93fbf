import type { Modelfile, Span } from "../../grammar/tree.js";

/** Statements of one kind in lines below each other. Comments may stand between them, blank lines may not. */
export interface Run extends Span {
  kind: "parameter" | "message" | "comment";
  count: number;
}

/** Every run of two lines and more, in order. */
export function runsIn({ nodes, text }: Modelfile): Run[] {
  const runs: Run[] = [];
  const open: Partial<Record<Run["kind"], Run>> = {};
  const close = (...names: Run["kind"][]) => {
    for (const name of names) {
      const run = open[name];
      if (run && run.count > 1) runs.push(run);
      delete open[name];
    }
  };
  for (const { kind, start, end } of nodes) {
    if (kind === "gap") {
      const breaks = text.slice(start, end).match(/\r\n|\r|\n/g)?.length ?? 0;
      if (breaks > 1) close("parameter", "message", "comment");
      continue;
    }
    if (kind !== "comment") close("comment");
    if (kind !== "comment" && kind !== "parameter") close("parameter");
    if (kind !== "comment" && kind !== "message") close("message");
    if (kind !== "comment" && kind !== "parameter" && kind !== "message") continue;
    const run = (open[kind] ??= { kind, start, end, count: 0 });
    run.end = end;
    run.count++;
  }
  close("parameter", "message", "comment");
  return runs.sort((one, other) => one.start - other.start || other.end - one.end);
}

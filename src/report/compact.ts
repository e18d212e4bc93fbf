import { joined, located, onMachine, ownName } from "./located.js";
import type { FileResult, Problem } from "./result.js";
import { oneLine } from "./terminal.js";

/**
 * One line a finding, as GCC writes it: "Modelfile:2:11: error: … [parameter-type]". Vim reads it with
 * `errorformat=%f:%l:%c:\ %t%*[^:]:\ %m`, Emacs with the entry `gnu` of compilation-error-regexp-alist.
 */
export function compactReport(
  results: readonly FileResult[],
  problems: readonly Problem[],
): string {
  const lines = located(results).map(
    (one) =>
      `${oneLine(one.path)}:${one.from.line}:${one.from.column}: ${one.severity}: ${joined(`${one.message}${onMachine(one)}`)} [${one.rule}]`,
  );
  return [...lines, ...problems.map(problemLine)].map((line) => `${line}\n`).join("");
}

/** "gone:1:1: error: …"; of the run as a whole "modelfile-lint: error: …". */
function problemLine({ path, line = 1, column = 1, message }: Problem): string {
  const at = path === "" ? ownName : `${oneLine(path)}:${line}:${column}`;
  return `${at}: error: ${joined(message)}`;
}

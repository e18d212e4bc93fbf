import type { SemanticTokens } from "vscode-languageserver";
import type { Span } from "../../grammar/tree.js";
import { tokenModifiers, tokenTypes } from "../editor/tokens.js";
import { about, invalidParams, type Asked } from "./requests.js";
import type { Session } from "./session.js";
import { isRange } from "./positions.js";

/** What the numbers in an answer mean. */
export const legend = { tokenTypes: [...tokenTypes], tokenModifiers: [...tokenModifiers] };

export function registerColours(session: Session): void {
  const { semanticTokens } = session.connection.languages;
  const none: SemanticTokens = { data: [] };
  semanticTokens.on(
    about(session, "textDocument/semanticTokens/full", none, (asked) => coloured(asked)),
  );
  semanticTokens.onRange(
    about(session, "textDocument/semanticTokens/range", none, (asked, { range }) => {
      if (!isRange(range)) throw invalidParams("range is to have a start and an end.");
      return coloured(asked, asked.snapshot.places.span(range));
    }),
  );
}

/** Five numbers for each: line and character from the token before, length, type and modifiers. */
async function coloured(
  { view, snapshot: { places } }: Asked,
  within?: Span,
): Promise<SemanticTokens> {
  const { tokens } = await import("../editor/tokens.js");
  const data: number[] = [];
  let before = { line: 0, character: 0 };
  for (const token of tokens(view, within)) {
    const start = places.position(token.start);
    const end = places.position(token.end);
    const from = start.line === before.line ? before.character : 0;
    const modifiers = token.modifiers.reduce(
      (bits, modifier) => bits | (1 << tokenModifiers.indexOf(modifier)),
      0,
    );
    data.push(
      start.line - before.line,
      start.character - from,
      end.character - start.character,
      tokenTypes.indexOf(token.type),
      modifiers,
    );
    before = start;
  }
  return { data };
}

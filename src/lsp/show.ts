import {
  FoldingRangeKind,
  MarkupKind,
  SymbolKind,
  type DocumentLink,
  type DocumentSymbol,
  type DocumentSymbolParams,
  type FoldingRange,
  type Hover,
  type InlayHint,
  type InlayHintParams,
  type Location,
  type LocationLink,
  type MarkupContent,
  type SelectionRange,
  type SymbolInformation,
} from "vscode-languageserver";
import type { Span } from "../../grammar/tree.js";
import type { Client } from "./client.js";
import { isRange } from "./positions.js";
import { about, invalidParams, offsetOf, type Asked } from "./requests.js";
import type { Session } from "./session.js";
import { plainText } from "./plain-text.js";

/* What is shown of a document, as the protocol has it. Each part of src/editor/ is loaded when it is first asked for. */

/** Milliseconds that a client waits for figures when it cannot be told to ask again. */
export const patience = 1000;

/** Milliseconds that a hover waits for what is being looked up: nobody asks again what he has just read. */
const hoverPatience = 500;

/** Answers what clients ask about a text in order to show something. */
export function registerShown(session: Session): void {
  const { connection } = session;
  connection.onHover(
    about(
      session,
      "textDocument/hover",
      null,
      async (asked, { position }): Promise<Hover | null> => {
        const { hover } = await import("../editor/hover.js");
        const found = hover(asked.view, offsetOf(asked.snapshot, position));
        if (!found) return null;
        const contents = markup(found.markdown, session.client.hover);
        return { contents, range: asked.snapshot.places.range(found.at) };
      },
      hoverPatience,
    ),
  );
  connection.onDocumentSymbol(
    about<DocumentSymbolParams, DocumentSymbol[] | SymbolInformation[]>(
      session,
      "textDocument/documentSymbol",
      [],
      (asked) => (session.client.symbolTree ? symbolTree(asked) : symbolList(asked)),
    ),
  );
  connection.onFoldingRanges(
    about(session, "textDocument/foldingRange", null, async ({ view, snapshot: { places } }) => {
      const { folding } = await import("../editor/folding.js");
      return folding(view).map(({ start, end, kind }): FoldingRange => {
        const lines = places.range({ start, end });
        return {
          startLine: lines.start.line,
          endLine: lines.end.line,
          ...(kind && {
            kind: kind === "comment" ? FoldingRangeKind.Comment : FoldingRangeKind.Region,
          }),
        };
      });
    }),
  );
  connection.onSelectionRanges(
    about(session, "textDocument/selectionRange", null, async (asked, { positions }) => {
      if (!Array.isArray(positions)) throw invalidParams("positions is to be a list.");
      const { selection } = await import("../editor/selection.js");
      return positions.map((position) => {
        const spans = selection(asked.view, offsetOf(asked.snapshot, position));
        return nested(spans, asked) ?? { range: { start: position, end: position } };
      });
    }),
  );
  connection.onDocumentLinks(
    about(session, "textDocument/documentLink", null, async (asked) => {
      const { links } = await import("../editor/links.js");
      return links(asked.view).flatMap(({ at, to, tooltip }): DocumentLink[] => {
        const target = to.kind === "url" ? to.url : uriBeside(session, asked, to.path);
        if (target === undefined) return [];
        const range = asked.snapshot.places.range(at);
        return [{ range, target, ...(session.client.linkTooltips && { tooltip }) }];
      });
    }),
  );
  connection.onDefinition(
    about(session, "textDocument/definition", null, (asked, { position }) =>
      definitionOf(session, asked, position),
    ),
  );
  const hintPatience = () => (session.client.refresh.inlayHints ? 0 : patience);
  connection.languages.inlayHint.on((params, token) =>
    about(session, "textDocument/inlayHint", [], hintsIn(session), hintPatience())(params, token),
  );
}

function hintsIn({ client }: Session) {
  return async ({ view, snapshot: { places } }: Asked, { range }: InlayHintParams) => {
    const { inlayHints } = await import("../editor/inlay-hints.js");
    const within = isRange(range) ? places.span(range) : undefined;
    return inlayHints(view, within).map(({ at, label, tooltip }): InlayHint => ({
      position: places.position(at),
      label,
      paddingLeft: true,
      tooltip: markup(tooltip, client.hover),
    }));
  };
}

export function markup(markdown: string, format: Client["hover"]): MarkupContent {
  if (format === "markdown") return { kind: MarkupKind.Markdown, value: markdown };
  return { kind: MarkupKind.PlainText, value: plainText(markdown) };
}

const symbolKinds = {
  module: SymbolKind.Module,
  property: SymbolKind.Property,
  object: SymbolKind.Object,
  function: SymbolKind.Function,
  operator: SymbolKind.Operator,
  string: SymbolKind.String,
  event: SymbolKind.Event,
  file: SymbolKind.File,
  constant: SymbolKind.Constant,
  null: SymbolKind.Null,
} as const;

async function symbolTree({ view, snapshot: { places } }: Asked): Promise<DocumentSymbol[]> {
  const { symbols } = await import("../editor/symbols.js");
  type Entry = ReturnType<typeof symbols>[number];
  const shown = ({ name, detail, kind, selection, children, ...at }: Entry): DocumentSymbol => ({
    name,
    detail,
    kind: symbolKinds[kind],
    range: places.range(at),
    selectionRange: places.range(selection),
    ...(children.length > 0 && { children: children.map(shown) }),
  });
  return symbols(view).map(shown);
}

/** For clients that know no tree. */
async function symbolList({
  document: { uri },
  view,
  snapshot: { places },
}: Asked): Promise<SymbolInformation[]> {
  const { symbols } = await import("../editor/symbols.js");
  type Entry = ReturnType<typeof symbols>[number];
  const shown =
    (within: string | undefined) =>
    (entry: Entry): SymbolInformation[] => [
      {
        name: entry.name,
        kind: symbolKinds[entry.kind],
        location: { uri, range: places.range(entry) },
        ...(within !== undefined && { containerName: within }),
      },
      ...entry.children.flatMap(shown(entry.name)),
    ];
  return symbols(view).flatMap(shown(undefined));
}

/** From the longest to the shortest, each in the one before. */
function nested(spans: readonly Span[], { snapshot }: Asked): SelectionRange | undefined {
  let found: SelectionRange | undefined;
  for (const span of spans.toReversed()) {
    found = { range: snapshot.places.range(span), ...(found && { parent: found }) };
  }
  return found;
}

function uriBeside(
  { host, addresses }: Session,
  { document }: Asked,
  path: string,
): string | undefined {
  if (document.path === undefined) return undefined;
  return addresses.uriOf(host.resolve(host.resolve(document.path, ".."), path));
}

async function definitionOf(
  session: Session,
  asked: Asked,
  position: unknown,
): Promise<Location | LocationLink[] | null> {
  const { definition } = await import("../editor/definition.js");
  const { places } = asked.snapshot;
  const found = definition(asked.view, offsetOf(asked.snapshot, position));
  if (!found) return null;
  const { from, to } = found;
  const start = { line: 0, character: 0 };
  const target =
    to.kind === "place"
      ? { uri: asked.document.uri, at: places.range(to.at), selection: places.range(to.selection) }
      : {
          uri: uriBeside(session, asked, to.path),
          at: { start, end: start },
          selection: { start, end: start },
        };
  if (target.uri === undefined) return null;
  if (!session.client.definitionLinks) return { uri: target.uri, range: target.selection };
  return [
    {
      originSelectionRange: places.range(from),
      targetUri: target.uri,
      targetRange: target.at,
      targetSelectionRange: target.selection,
    },
  ];
}

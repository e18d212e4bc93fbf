import {
  CompletionItemKind,
  CompletionTriggerKind,
  InsertTextFormat,
  type CompletionItem,
  type CompletionList,
} from "vscode-languageserver";
import { longestList, type Completion, type CompletionKind } from "../editor/completion.js";
import { offlineHost } from "./offline-host.js";
import { about, contentModified, guarded, offsetOf, type Asked } from "./requests.js";
import type { Session } from "./session.js";
import { isRecord } from "./settings.js";
import { markup } from "./show.js";
import { sourcesOf } from "./sources.js";

/** Behind these something may come that letters do not begin: values, tags, folders, fields, tokens. */
export const triggers = [" ", "/", "\\", ":", ".", "{", "$", "|", "<", '"'];

const kinds: Readonly<Record<CompletionKind, CompletionItemKind>> = {
  instruction: CompletionItemKind.Keyword,
  parameter: CompletionItemKind.Property,
  value: CompletionItemKind.Value,
  role: CompletionItemKind.EnumMember,
  model: CompletionItemKind.Module,
  file: CompletionItemKind.File,
  folder: CompletionItemKind.Folder,
  field: CompletionItemKind.Field,
  function: CompletionItemKind.Function,
  token: CompletionItemKind.Constant,
  rule: CompletionItemKind.EnumMember,
  snippet: CompletionItemKind.Snippet,
};

/** Offers what may be written, and what is to say of it once somebody looks at it. */
export function registerCompletion(session: Session): void {
  const { connection, host } = session;
  const [offlineSources, onlineSources] = [sourcesOf(offlineHost(host)), sourcesOf(host)];
  // What is said of an item is found out when a client asks for it: of the last list alone.
  let last: { id: number; items: readonly Completion[] } = { id: 0, items: [] };

  connection.onCompletion(
    about(session, "textDocument/completion", null, async (asked, { position, context }) => {
      const { document, snapshot, view } = asked;
      const offset = offsetOf(snapshot, position);
      const { complete } = await import("../editor/complete.js");
      const { online } = await session.settingsFor(document);
      const folder = document.path === undefined ? undefined : host.resolve(document.path, "..");
      const sources = (online ? onlineSources : offlineSources)(folder);
      const explicit = context?.triggerKind === CompletionTriggerKind.Invoked;
      const items = await complete(view, offset, sources, explicit);
      if (document.snapshot !== snapshot) throw contentModified();
      last = { id: last.id + 1, items };
      const list: CompletionList = {
        isIncomplete: items.length >= longestList,
        items: items.map((item, index) => itemOf(item, asked, session, [last.id, index], offset)),
      };
      return list;
    }),
  );
  connection.onCompletionResolve(
    guarded(session, "completionItem/resolve", async (item: CompletionItem) => {
      const [id, index]: unknown[] = Array.isArray(item.data) ? item.data : [];
      const found = id === last.id && typeof index === "number" ? last.items[index] : undefined;
      const markdown =
        typeof found?.markdown === "function" ? await found.markdown() : found?.markdown;
      if (markdown === undefined || !isRecord(item)) return item;
      return { ...item, documentation: markup(markdown, session.client.completion) };
    }),
  );
}

function itemOf(
  item: Completion,
  { snapshot: { places } }: Asked,
  { client, options }: Session,
  data: [number, number],
  offset: number,
): CompletionItem {
  const { label, kind, replaces, detail, sort, filter, markdown, again } = item;
  const snippet = item.snippet === true && client.snippets;
  const newText = snippet ? item.text : (item.plain ?? item.text);
  const range = places.range(replaces);
  const insert = { start: range.start, end: places.position(offset) };
  return {
    label,
    kind: kinds[kind],
    textEdit: client.insertReplace ? { newText, insert, replace: range } : { newText, range },
    insertTextFormat: snippet ? InsertTextFormat.Snippet : InsertTextFormat.PlainText,
    ...(detail !== undefined && { detail }),
    ...(sort !== undefined && { sortText: sort }),
    ...(filter !== undefined && { filterText: filter }),
    ...(typeof markdown === "string" && { documentation: markup(markdown, client.completion) }),
    ...(typeof markdown === "function" && { data }),
    ...(again &&
      options.suggestCommand !== undefined && {
        command: { title: "Complete", command: options.suggestCommand },
      }),
  };
}

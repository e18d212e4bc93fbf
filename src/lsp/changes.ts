import {
  MessageType,
  type CodeAction,
  type CodeLens,
  type Command,
  type TextEdit,
  type WorkspaceEdit,
} from "vscode-languageserver";
import type { TextEdit as Edit } from "../../grammar/bytes.js";
import type { Action } from "../editor/actions.js";
import { diagnosticOf } from "./diagnostics.js";
import type { Document, Snapshot } from "./documents.js";
import {
  about,
  contentModified,
  documentAt,
  guarded,
  invalidParams,
  type Asked,
} from "./requests.js";
import type { Session } from "./session.js";
import { isRecord } from "./settings.js";
import { isRange } from "./positions.js";
import { patience } from "./show.js";
import { show } from "./telling.js";

/* What changes a document: actions, formatting, and the commands of lenses. */

/** Commands that clients may have executed, by their names. */
export const commands = {
  /** [uri, machine?]: what `modelfile-lint plan` prints. */
  showPlan: "modelfile-lint.showPlan",
  /** [uri]: makes every safe fix. */
  fixAll: "modelfile-lint.fixAll",
  /** [uri, version, { title, edits }]: makes a change, unless the text is no longer that of the version. */
  applyChange: "modelfile-lint.applyChange",
  /** [address]: opens the page of a rule. */
  showPage: "modelfile-lint.showPage",
} as const;

export function registerChanges(session: Session): void {
  const { connection } = session;
  connection.onCodeAction(
    about(session, "textDocument/codeAction", null, async (asked, { range, context }) => {
      if (!isRange(range)) throw invalidParams("range is to have a start and an end.");
      const { actions } = await import("../editor/actions.js");
      const { only } = context ?? {};
      const wanted = Array.isArray(only) && only.length > 0 ? only : undefined;
      const all = actions(asked.view, asked.snapshot.places.span(range), wanted);
      const found = session.options.oneAction
        ? all.filter(({ preferred }) => preferred).slice(0, 1)
        : all;
      const shown = await Promise.all(found.map((action) => actionOf(session, asked, action)));
      return shown.flat();
    }),
  );
  connection.onCodeActionResolve(
    guarded(session, "codeAction/resolve", async (action: CodeAction): Promise<CodeAction> => {
      const { uri, version }: Record<string, unknown> = isRecord(action.data) ? action.data : {};
      const asked = typeof uri === "string" ? await documentAt(session, uri) : undefined;
      if (!asked || asked.snapshot.text.version !== version) throw contentModified();
      const edit = editOf(session, asked, await fixAllEdits(session, asked));
      return { ...action, edit };
    }),
  );
  connection.onDocumentFormatting(
    about(session, "textDocument/formatting", null, async ({ view, snapshot }) => {
      const { format } = await import("../fix/format.js");
      const formatted = format(view.file, view.contexts[0].release);
      return formatted.ok ? textEdits(snapshot, formatted.edits) : [];
    }),
  );
  connection.onCodeLens((params, token) => {
    const most = session.client.refresh.lenses ? 0 : patience;
    return about(session, "textDocument/codeLens", null, lensesOf, most)(params, token);
  });
  connection.onExecuteCommand(
    guarded(session, "workspace/executeCommand", ({ command, arguments: given }) =>
      execute(session, command, Array.isArray(given) ? given : []),
    ),
  );
}

async function actionOf(session: Session, asked: Asked, action: Action): Promise<CodeAction[]> {
  const { client, options } = session;
  const { title, kind, findings, preferred, does } = action;
  const { uri } = asked.document;
  const base: CodeAction = {
    title,
    kind,
    ...(findings.length > 0 && {
      diagnostics: findings.map((one) => diagnosticOf(one, uri, asked.snapshot.places, client)),
    }),
    ...(preferred && { isPreferred: true }),
  };
  if (does.kind === "edits") return [{ ...base, edit: editOf(session, asked, does.edits) }];
  if (does.kind === "page") {
    if (!client.showsDocuments && options.openCommand === undefined) return [];
    return [{ ...base, command: pageCommand(session, title, does.url) }];
  }
  if (client.lazyEdits) {
    return [{ ...base, data: { uri, version: asked.snapshot.text.version } }];
  }
  const edits = await fixAllEdits(session, asked);
  return edits.length > 0 ? [{ ...base, edit: editOf(session, asked, edits) }] : [];
}

/** A client that opens addresses by a command of its own gets that. */
function pageCommand({ client, options }: Session, title: string, url: string): Command {
  if (!client.showsDocuments && options.openCommand !== undefined) {
    return { title, command: options.openCommand, arguments: [url] };
  }
  return { title, command: commands.showPage, arguments: [url] };
}

async function fixAllEdits(session: Session, { document, view }: Asked): Promise<Edit[]> {
  const { fixAll } = await import("../editor/actions.js");
  return fixAll(view, (text) => session.analysis.findingsOf(document, text));
}

function textEdits({ places }: Snapshot, edits: readonly Edit[]): TextEdit[] {
  return edits.map(({ text, ...span }) => ({ range: places.range(span), newText: text }));
}

/** With the version where the client checks it. */
function editOf(
  { client }: Session,
  { document: { uri }, snapshot }: Pick<Asked, "document" | "snapshot">,
  edits: readonly Edit[],
): WorkspaceEdit {
  const made = textEdits(snapshot, edits);
  if (!client.versionedEdits) return { changes: { [uri]: made } };
  const textDocument = { uri, version: snapshot.text.version };
  return { documentChanges: [{ textDocument, edits: made }] };
}

async function lensesOf({ document, snapshot, view }: Asked): Promise<CodeLens[]> {
  const { lenses } = await import("../editor/lenses.js");
  const { uri } = document;
  return lenses(view).map(({ at, title, command }) => {
    const { name } = command;
    const given =
      name === commands.applyChange
        ? [uri, snapshot.text.version, ...command.arguments]
        : [uri, ...command.arguments];
    return {
      range: snapshot.places.range(at),
      command: { title, command: name, arguments: given },
    };
  });
}

async function execute(
  session: Session,
  command: string,
  [first, second, third]: readonly unknown[],
): Promise<unknown> {
  if (command === commands.showPage) return showPage(session, first);
  const known: readonly string[] = Object.values(commands);
  if (!known.includes(command)) throw invalidParams(`There is no command "${command}".`);
  if (typeof first !== "string") throw invalidParams("The first argument is to be an address.");
  const asked = await documentAt(session, first, command === commands.showPlan ? 10_000 : 0);
  if (!asked) return null;
  if (command === commands.showPlan) return showPlan(session, asked, second);
  if (command === commands.fixAll) {
    return apply(session, asked, "Fix all safe problems", await fixAllEdits(session, asked));
  }
  if (asked.snapshot.text.version !== second) throw contentModified();
  if (!isChange(third)) throw invalidParams("The third argument is to be a change.");
  return apply(session, asked, third.title, third.edits);
}

function isChange(value: unknown): value is { title: string; edits: Edit[] } {
  if (!isRecord(value) || !Array.isArray(value["edits"])) return false;
  return typeof value["title"] === "string" && value["edits"].every(isEdit);
}

function isEdit(edit: unknown): edit is Edit {
  if (!isRecord(edit) || typeof edit["text"] !== "string") return false;
  return Number.isInteger(edit["start"]) && Number.isInteger(edit["end"]);
}

/** Whether the client has made the edits. */
async function apply(
  session: Session,
  { document, snapshot }: { document: Document; snapshot: Snapshot },
  label: string,
  edits: readonly Edit[],
): Promise<boolean> {
  if (edits.length === 0) return true;
  if (!session.client.applyEdit) return false;
  if (document.snapshot !== snapshot) throw contentModified();
  const edit = editOf(session, { document, snapshot }, edits);
  const { applied } = await session.connection.workspace.applyEdit({ label, edit });
  return applied;
}

async function showPage({ connection, client }: Session, uri: unknown): Promise<boolean> {
  if (typeof uri !== "string" || !uri.startsWith("https://")) {
    throw invalidParams("The first argument is to be an address.");
  }
  if (!client.showsDocuments) return false;
  return (await connection.window.showDocument({ uri, external: true })).success;
}

/** The plan as the command prints it; null where none is known. Clients that do nothing with it show its verdict. */
async function showPlan(
  { connection, options }: Session,
  { view }: Asked,
  machine: unknown,
): Promise<string | null> {
  const plans = view.contexts.flatMap(({ plan }) => (plan ? [plan] : []));
  const plan = plans.find((one) => one.machine.name === machine) ?? plans[0];
  if (!plan) return null;
  const { printedPlan } = await import("./printed-plan.js");
  const { text, headline } = await printedPlan(plan, view.file);
  if (!options.showsPlans) show(connection, MessageType.Info, headline);
  return text;
}

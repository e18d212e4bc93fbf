import { commands, languages, Uri, window, workspace, type Disposable } from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import { rulePageRequest, rulesRequest, type RuleChoice } from "./protocol.js";

const scheme = "modelfile-rule";

export interface Pages extends Disposable {
  /** Opens a rule's page; without a rule after asking for which. */
  show(rule?: string): Promise<void>;
}

/** The rules' pages, as the server has them: nothing is fetched. */
export function rulePages(client: () => BaseLanguageClient): Pages {
  const provider = workspace.registerTextDocumentContentProvider(scheme, {
    provideTextDocumentContent: async ({ path }) => {
      const rule = path.replace(/^\/|\.md$/g, "");
      const page = await client().sendRequest<string | null>(rulePageRequest, rule);
      return page ?? `There is no rule ${rule}.\n`;
    },
  });
  return {
    async show(rule) {
      const chosen = rule ?? (await chooseRule(client()));
      if (chosen === undefined) return;
      const uri = Uri.from({ scheme, path: `/${chosen}.md` });
      try {
        await commands.executeCommand("markdown.showPreviewToSide", uri);
      } catch {
        // An editor without its Markdown extension.
        await window.showTextDocument(uri, { preview: true });
      }
    },
    dispose: () => provider.dispose(),
  };
}

/** Rules of what was found where the cursor is come first. */
async function chooseRule(client: BaseLanguageClient): Promise<string | undefined> {
  const rules = await client.sendRequest<RuleChoice[]>(rulesRequest);
  const here = new Set(rulesAtCursor());
  const items = rules
    .map(({ id, severity, summary }) => ({ label: id, description: severity, detail: summary }))
    .sort((one, other) => Number(here.has(other.label)) - Number(here.has(one.label)));
  const options = { placeHolder: "A rule", matchOnDetail: true };
  return (await window.showQuickPick(items, options))?.label;
}

function rulesAtCursor(): string[] {
  const editor = window.activeTextEditor;
  if (!editor) return [];
  const found = languages.getDiagnostics(editor.document.uri);
  return found.flatMap(({ source, code, range }) => {
    const isHere = source === "modelfile-lint" && range.intersection(editor.selection);
    const id = typeof code === "object" ? code.value : code;
    return isHere && typeof id === "string" ? [id] : [];
  });
}

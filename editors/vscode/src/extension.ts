import { commands, Uri, window, workspace, type Disposable, type ExtensionContext } from "vscode";
import type {
  BaseLanguageClient,
  ExecuteCommandMiddleware,
  LanguageClientOptions,
} from "vscode-languageclient";
import { chooseMachine } from "./machine.js";
import { rulePages, type Pages } from "./pages.js";
import { planDocuments, type Plans } from "./plans.js";
import { statusItem } from "./status.js";

/** The name of the settings' section, too. */
export const clientId = "modelfile-lint";
export const clientName = "Modelfile Lint";

/** What other extensions get of this one, the tests among them. */
export interface Extension {
  client(): BaseLanguageClient;
}

/** Starts the client that `make` gives, and everything around it. */
export async function activateWith(
  context: ExtensionContext,
  make: (options: LanguageClientOptions) => BaseLanguageClient,
): Promise<Extension> {
  const current = () => client;
  const plans = planDocuments(current);
  const pages = rulePages(current);
  const status = statusItem(current);
  const executeCommand = commandsWith(plans, pages);
  let client = make(clientOptions({ executeCommand }));
  const restart = async (): Promise<void> => {
    // A server that has ended already cannot be asked to.
    await client.dispose().catch(() => {});
    client = make(clientOptions({ executeCommand }));
    await client.start();
    status.update();
  };
  const own: Disposable[] = [
    commands.registerCommand("modelfile-lint.chooseMachine", () => chooseMachine(current())),
    commands.registerCommand("modelfile-lint.explainRule", (rule?: string) => pages.show(rule)),
    commands.registerCommand("modelfile-lint.restart", restart),
    workspace.onDidGrantWorkspaceTrust(restart),
    { dispose: () => void client.dispose().catch(() => {}) },
  ];
  context.subscriptions.push(plans, pages, status, ...own);
  await client.start();
  status.update();
  return { client: current };
}

function clientOptions(middleware: ExecuteCommandMiddleware): LanguageClientOptions {
  // Not the past that a comparison shows.
  const schemes = new Set(["file", "untitled", "vscode-vfs"]);
  for (const { uri } of workspace.workspaceFolders ?? []) schemes.add(uri.scheme);
  return {
    documentSelector: [...schemes].map((scheme) => ({ language: "modelfile", scheme })),
    initializationOptions: {
      suggestCommand: "editor.action.triggerSuggest",
      showsPlans: true,
      files: true,
    },
    middleware,
  };
}

/**
 * The server's commands come from its lenses and actions with what they are about, and from the list of
 * commands without: then they are about the document in front.
 */
function commandsWith(
  plans: Plans,
  pages: Pages,
): NonNullable<ExecuteCommandMiddleware["executeCommand"]> {
  return (command, given: unknown[], next) => {
    // Lenses give an address as text, the button above an editor as what the editor makes of it.
    const texts = given.map((one) => (one instanceof Uri ? one.toString() : one));
    const [first, second] = texts.map((one) => (typeof one === "string" ? one : undefined));
    if (command === "modelfile-lint.showPage") {
      const rule = /\/rules\/([\w-]+)\.md$/.exec(first ?? "")?.[1];
      return rule === undefined ? next(command, given) : pages.show(rule);
    }
    const uri = first ?? window.activeTextEditor?.document.uri.toString();
    if (uri === undefined) return undefined;
    if (command === "modelfile-lint.showPlan") return plans.show(uri, second);
    return next(command, [uri, ...given.slice(1)]);
  };
}

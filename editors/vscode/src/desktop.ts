import { Uri, workspace, type ExtensionContext } from "vscode";
import { LanguageClient, TransportKind } from "vscode-languageclient/node";
import { activateWith, clientId, clientName, type Extension } from "./extension.js";

/* The extension on a desktop, or on the machine that a remote window works on. */

export function activate(context: ExtensionContext): Promise<Extension> {
  const module = Uri.joinPath(context.extensionUri, "server.js").fsPath;
  return activateWith(context, (options) => {
    const server = { module, transport: TransportKind.ipc, args: limits() };
    return new LanguageClient(clientId, clientName, { run: server, debug: server }, options);
  });
}

/** What the server is told of a workspace that nobody trusts yet. */
function limits(): string[] {
  if (workspace.isTrusted) return [];
  const local = (workspace.workspaceFolders ?? []).filter(({ uri }) => uri.scheme === "file");
  return ["--within", ...local.map(({ uri }) => uri.fsPath)];
}

import { workspace, type Uri } from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import { inForceRequest, type InForce, type InForceParams } from "./protocol.js";

/** What the server judges a document for. */
export function inForce(client: BaseLanguageClient, uri: Uri): Promise<InForce> {
  const folders = (workspace.workspaceFolders ?? []).map((folder) => folder.uri.toString());
  const settings: unknown = workspace.getConfiguration("modelfile-lint", uri);
  const params: InForceParams = {
    uri: uri.toString(),
    folders,
    // Only what is data: the editor's object has functions, too.
    settings: JSON.parse(JSON.stringify(settings)),
  };
  return client.sendRequest<InForce>(inForceRequest, params);
}

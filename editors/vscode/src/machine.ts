import {
  ConfigurationTarget,
  QuickPickItemKind,
  Uri,
  window,
  workspace,
  type QuickPickItem,
} from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import { machinesRequest, type MachineChoice } from "./protocol.js";

interface Item extends QuickPickItem {
  /** For the setting; undefined takes it away. */
  machine?: string;
  profile?: true;
}

/** Asks for the machine that will run the models, and writes it to the workspace's settings. */
export async function chooseMachine(client: BaseLanguageClient): Promise<void> {
  const uri = window.activeTextEditor?.document.uri;
  const settings = workspace.getConfiguration("modelfile-lint", uri);
  const now: unknown = settings.get("machine");
  const choices = await client.sendRequest<MachineChoice[]>(machinesRequest);
  const known = choices.map(({ name, description }): Item => {
    return { label: name, description, machine: name, ...(name === now && { detail: "in force" }) };
  });
  const items: Item[] = [
    { label: "As configured", description: "what .modelfile-lint.yaml says, or none" },
    { label: "A profile…", description: "a file that describes the machine", profile: true },
    { label: "Known machines", kind: QuickPickItemKind.Separator },
    ...known,
  ];
  const chosen = await window.showQuickPick(items, {
    placeHolder: "The machine that will run the models",
    matchOnDescription: true,
  });
  if (!chosen) return;
  const machine = chosen.profile ? await chooseProfile(uri) : chosen.machine;
  if (chosen.profile && machine === undefined) return;
  const { Global, Workspace } = ConfigurationTarget;
  await settings.update("machine", machine, workspace.workspaceFolders ? Workspace : Global);
}

/** The path of a profile, from the workspace's folder where it lies in it. */
async function chooseProfile(beside: Uri | undefined): Promise<string | undefined> {
  const folder = beside && workspace.getWorkspaceFolder(beside);
  const [uri] =
    (await window.showOpenDialog({
      ...(folder && { defaultUri: folder.uri }),
      filters: { "Machine profiles, Kubernetes nodes": ["yaml", "yml", "json"] },
    })) ?? [];
  if (!uri) return undefined;
  const inside = folder && uri.path.startsWith(`${folder.uri.path}/`);
  if (inside) return `./${uri.path.slice(folder.uri.path.length + 1)}`;
  return uri.scheme === "file" ? uri.fsPath : uri.toString();
}

import {
  languages,
  MarkdownString,
  StatusBarAlignment,
  ThemeColor,
  Uri,
  window,
  workspace,
  type Disposable,
  type StatusBarItem,
} from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import { inForce } from "./in-force.js";
import type { InForce } from "./protocol.js";

/** Milliseconds that changes are gathered for. */
const gathered = 150;

export interface Status extends Disposable {
  update(): void;
}

/** Shows what the Modelfile in front is judged for; a click chooses another machine. */
export function statusItem(client: () => BaseLanguageClient): Status {
  const item = window.createStatusBarItem("machine", StatusBarAlignment.Right, 100);
  item.name = "Modelfile: Machine";
  item.command = "modelfile-lint.chooseMachine";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const update = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void show(client(), item), gathered);
  };
  const listeners = [
    window.onDidChangeActiveTextEditor(update),
    workspace.onDidChangeConfiguration(update),
    workspace.onDidSaveTextDocument(update),
    // Findings change with configurations, wherever these are written.
    languages.onDidChangeDiagnostics(({ uris }) => {
      const front = window.activeTextEditor?.document.uri.toString();
      if (uris.some((uri) => uri.toString() === front)) update();
    }),
  ];
  return {
    update,
    dispose() {
      clearTimeout(timer);
      for (const one of [item, ...listeners]) one.dispose();
    },
  };
}

async function show(client: BaseLanguageClient, item: StatusBarItem): Promise<void> {
  const document = window.activeTextEditor?.document;
  if (document?.languageId !== "modelfile" || !client.isRunning()) return item.hide();
  try {
    const found = await inForce(client, document.uri);
    // Another document came to the front meanwhile, and asks for itself.
    if (window.activeTextEditor?.document !== document) return;
    item.text = textOf(found);
    item.tooltip = tooltipOf(found);
    item.backgroundColor = found.problem
      ? new ThemeColor("statusBarItem.warningBackground")
      : undefined;
    item.show();
  } catch {
    item.hide();
  }
}

function textOf({ machines, ollama, ignored, problem }: InForce): string {
  if (ignored) return "$(chip) Modelfile: ignored";
  const icon = problem === undefined ? "$(chip)" : "$(warning)";
  return `${icon} ${namesOf(machines)} · Ollama ${ollama}`;
}

function namesOf(machines: readonly string[]): string {
  const [first, ...more] = machines;
  if (first === undefined) return "No machine";
  return more.length > 0 ? `${first} + ${more.length}` : first;
}

function tooltipOf({ machines, ollama, config, ignored, problem }: InForce): MarkdownString {
  const text = new MarkdownString();
  const line = (words: string) => text.appendText(words).appendMarkdown("\n\n");
  if (problem !== undefined) line(problem);
  if (ignored) line("A configuration leaves this file out.");
  else {
    const names = machines.length > 0 ? machines.join(", ") : "none: sizes are not judged";
    line(`Machine: ${names}`);
    line(`Ollama: ${ollama}`);
  }
  if (config !== undefined) line(`Configuration: ${workspace.asRelativePath(Uri.parse(config))}`);
  return text.appendText("Click to choose a machine.");
}

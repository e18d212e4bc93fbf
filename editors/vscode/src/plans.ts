import { EventEmitter, Uri, window, workspace, type Disposable } from "vscode";
import type { BaseLanguageClient } from "vscode-languageclient";
import { inForce } from "./in-force.js";

const scheme = "modelfile-plan";

/** Milliseconds without typing, before a plan that is shown is made anew. */
const quiet = 300;

const none = [
  "There is no plan.",
  "",
  "It takes a machine (the command Modelfile: Choose Machine, or `machine:` in .modelfile-lint.yaml)",
  "and a model that is known.",
  "",
].join("\n");

export interface Plans extends Disposable {
  /** Opens the plan of a document, on a machine or on each that it is judged for. */
  show(uri: string, machine?: string): Promise<void>;
}

/** Plans as documents that follow the Modelfiles they are about. */
export function planDocuments(client: () => BaseLanguageClient): Plans {
  const changed = new EventEmitter<Uri>();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const provider = workspace.registerTextDocumentContentProvider(scheme, {
    onDidChange: changed.event,
    provideTextDocumentContent: ({ query }) => {
      const { uri, machine } = JSON.parse(query) as { uri: string; machine?: string };
      return planText(client(), uri, machine);
    },
  });
  const renew = () => {
    for (const { uri } of workspace.textDocuments) if (uri.scheme === scheme) changed.fire(uri);
  };
  const soon = (isAbout: boolean) => {
    if (!isAbout) return;
    clearTimeout(timer);
    timer = setTimeout(renew, quiet);
  };
  const listeners = [
    workspace.onDidChangeTextDocument(({ document }) => soon(document.languageId === "modelfile")),
    workspace.onDidSaveTextDocument(({ uri }) => soon(uri.path.includes(".modelfile-lint."))),
    workspace.onDidChangeConfiguration((event) =>
      soon(event.affectsConfiguration("modelfile-lint")),
    ),
  ];
  return {
    async show(uri, machine) {
      const name = Uri.parse(uri).path.replace(/^.*\//, "");
      const path = `/Plan of ${name}`;
      const query = JSON.stringify({ uri, machine });
      const plan = await workspace.openTextDocument(Uri.from({ scheme, path, query }));
      // Shown before, it may be of a text that has changed since.
      changed.fire(plan.uri);
      await window.showTextDocument(plan, { viewColumn: -2, preserveFocus: true, preview: true });
    },
    dispose() {
      clearTimeout(timer);
      for (const one of [provider, changed, ...listeners]) one.dispose();
    },
  };
}

async function planText(
  client: BaseLanguageClient,
  uri: string,
  machine: string | undefined,
): Promise<string> {
  const { machines } =
    machine === undefined ? await inForce(client, Uri.parse(uri)) : { machines: [machine] };
  const texts = await Promise.all(
    machines.map((name) =>
      client.sendRequest<string | null>("workspace/executeCommand", {
        command: "modelfile-lint.showPlan",
        arguments: [uri, name],
      }),
    ),
  );
  const plans = texts.filter((text) => text !== null);
  return plans.length > 0 ? plans.join("\n") : none;
}

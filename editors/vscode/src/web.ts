import { Uri, type ExtensionContext } from "vscode";
import {
  BrowserMessageReader,
  BrowserMessageWriter,
  LanguageClient,
} from "vscode-languageclient/browser";
import { activateWith, clientId, clientName, type Extension } from "./extension.js";
import { registerFiles } from "./files.js";

/* The extension in a browser. */

export function activate(context: ExtensionContext): Promise<Extension> {
  const script = Uri.joinPath(context.extensionUri, "server-web.js").toString(true);
  let worker: Worker | undefined;
  context.subscriptions.push({ dispose: () => worker?.terminate() });
  const start = () => {
    worker?.terminate();
    worker = new Worker(script);
    // VS Code replaces Worker by a function of its own, which the client would not know a worker by.
    const reader = new BrowserMessageReader(worker);
    const writer = new BrowserMessageWriter(worker);
    return Promise.resolve({ reader, writer });
  };
  return activateWith(context, (options) => {
    const client = new LanguageClient(clientId, clientName, start, options);
    registerFiles(client);
    return client;
  });
}

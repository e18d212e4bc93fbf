import {
  commands,
  ConfigurationTarget,
  DiagnosticSeverity,
  extensions,
  languages,
  Position,
  Range,
  Uri,
  version,
  window,
  workspace,
  WorkspaceEdit,
  type CodeAction,
  type CodeLens,
  type CompletionList,
  type Diagnostic,
  type Hover,
  type InlayHint,
  type MarkdownString,
  type TextDocument,
  type TextEdit,
} from "vscode";
import { inForce } from "../src/in-force.js";
import type { Extension } from "../src/extension.js";

/* What VS Code runs inside itself. */

/** Those of test/clients/editor.ts: the rules that each published case is to show, and the one to be mended. */
declare const CASES: Readonly<Record<string, { rules: readonly string[]; mend?: string }>>;

export async function run(): Promise<void> {
  const figures = await publishedCases();
  await quickFixes();
  await shown();
  await formatted();
  await planAndPages();
  await settingsAndConfigurations();
  await modelsInTheWorkspace();
  await unsaved();
  await restarted();
  console.log(`RESULT ${JSON.stringify({ version, ...figures })}`);
}

const folder = workspace.workspaceFolders![0]!.uri;
const at = (...names: string[]) => Uri.joinPath(folder, ...names);

/** Each case shows its rules, and nothing else. */
async function publishedCases(): Promise<{ activation: number; first: number }> {
  let activation = 0;
  let first = 0;
  for (const [name, { rules }] of Object.entries(CASES)) {
    const started = performance.now();
    const document = await opened(at(name, "Modelfile"));
    if (activation === 0) {
      await extensions.getExtension("modelfile-lint.modelfile-lint")!.activate();
      activation = Math.round(performance.now() - started);
    }
    await until(`rules of ${name}`, () => rulesOf(document), rules.toSorted());
    if (first === 0) first = Math.round(performance.now() - started);
  }
  return { activation, first };
}

/** The quick fix of a finding changes the document, and the finding goes; then everything safe is fixed. */
async function quickFixes(): Promise<void> {
  for (const [name, { mend: rule }] of Object.entries(CASES)) {
    if (rule === undefined) continue;
    const document = await opened(at(name, "Modelfile"));
    const before = document.getText();
    await until(`${rule} in ${name}`, () => rulesOf(document).includes(rule), true);
    const finding = diagnosticOf(document, rule);
    const actions = await ask<CodeAction[]>(
      "vscode.executeCodeActionProvider",
      document.uri,
      finding.range,
      "quickfix",
    );
    const preferred = actions.find(({ isPreferred }) => isPreferred);
    await workspace.applyEdit(preferred!.edit!);
    differ(`${name} after its quick fix`, document.getText(), before);
    await until(`${rule} in ${name} after its fix`, () => rulesOf(document).includes(rule), false);
    await commands.executeCommand("modelfile-lint.fixAll");
    const mended = await workspace.fs.readFile(at(name, "Modelfile.fixed"));
    await until(
      `${name} after all fixes`,
      () => document.getText(),
      new TextDecoder().decode(mended),
    );
    await restored(document, before);
  }
}

/** Hover, completion, inlay hints, lenses, outline, colours. */
async function shown(): Promise<void> {
  const document = await opened(at("context-forces-cpu", "Modelfile"));
  await until("rules", () => rulesOf(document).length, 2);
  const hovers = await ask<Hover[]>(
    "vscode.executeHoverProvider",
    document.uri,
    new Position(1, 14),
  );
  contains("hover", hovers.flatMap(({ contents }) => contents.map(textOf)).join("\n"), "num_ctx");

  const end = new Position(3, 0);
  await edited(document, end, "PARAMETER num_");
  const offered = await ask<CompletionList>(
    "vscode.executeCompletionItemProvider",
    document.uri,
    new Position(3, "PARAMETER num_".length),
  );
  const labels = offered.items.map(({ label }) =>
    typeof label === "string" ? label : label.label,
  );
  for (const name of ["num_batch", "num_thread"]) contains("completions", labels, name);
  await edited(document, new Range(end, new Position(3, 99)), "");
  await until("rules", () => rulesOf(document).length, 2);

  const whole = new Range(0, 0, document.lineCount, 0);
  const hints = await until("inlay hints", async () => {
    const found = await ask<InlayHint[]>("vscode.executeInlayHintProvider", document.uri, whole);
    return found.map(({ label }) => label as string);
  });
  contains("inlay hints", hints.join(), "CPU");
  contains("inlay hints", hints.join(), "KV cache");
  const lenses = await until("lenses", () =>
    ask<CodeLens[]>("vscode.executeCodeLensProvider", document.uri),
  );
  const titles = lenses.map(({ command }) => command!.title);
  contains("lenses", titles.join(), "8xT4: ");
  contains("lenses", titles, "Fix 1 problem");
  const symbols = await ask<{ name: string }[]>(
    "vscode.executeDocumentSymbolProvider",
    document.uri,
  );
  contains("outline", symbols.map(({ name }) => name).join(), "num_ctx");
  const legend = await ask<object>("vscode.provideDocumentSemanticTokensLegend", document.uri);
  contains("colours", Object.keys(legend), "tokenTypes");
  equal("comments", languages.match({ language: "modelfile" }, document) > 0, true);

  // A lens does what its title says.
  const { command } = lenses.find((one) => one.command?.title === "Fix 1 problem")!;
  const before = document.getText();
  await commands.executeCommand(command!.command, ...command!.arguments!);
  await until("text after the lens", () => document.getText().includes("81920"), true);
  await restored(document, before);
}

async function formatted(): Promise<void> {
  const document = await opened(at("tensor-split", "Modelfile"));
  const before = document.getText();
  await edited(document, new Position(0, 4), "    ");
  const options = { tabSize: 2, insertSpaces: true };
  const edits = await ask<TextEdit[]>(
    "vscode.executeFormatDocumentProvider",
    document.uri,
    options,
  );
  const edit = new WorkspaceEdit();
  edit.set(document.uri, edits);
  await workspace.applyEdit(edit);
  equal("formatted text", document.getText().split("\n")[0], "FROM deepseek-r1:32b");
  await restored(document, before);
}

/** Documents that the extension opens: the plan, which follows its Modelfile, and a rule's page. */
async function planAndPages(): Promise<void> {
  const document = await opened(at("many-cards", "Modelfile"));
  await until("rules", () => rulesOf(document).length, 1);
  const before = document.getText();
  await commands.executeCommand("modelfile-lint.showPlan");
  await until("plan", () => planShown().includes("81 of 81 layers"), true);
  await edited(document, new Range(1, 0, 1, 99), "PARAMETER num_gpu 2");
  await until("plan after a change", () => planShown().includes("2 of 81 layers"), true);
  await restored(document, before);

  const page = await workspace.openTextDocument(Uri.parse("modelfile-rule:/num-gpu-is-layers.md"));
  contains("page", page.getText(), "# num-gpu-is-layers");
  await commands.executeCommand("modelfile-lint.explainRule", "num-gpu-is-layers");
  await until("tab", () => tabs().some((label) => label.includes("num-gpu-is-layers")), true);
  await commands.executeCommand("workbench.action.closeAllEditors");
}

function planShown(): string {
  const plan = workspace.textDocuments.find(({ uri }) => uri.scheme === "modelfile-plan");
  return plan?.getText() ?? "";
}

function tabs(): string[] {
  return window.tabGroups.all.flatMap((group) => group.tabs.map(({ label }) => label));
}

/** The editor's machine wins; without it a changed configuration is followed. */
async function settingsAndConfigurations(): Promise<void> {
  const document = await opened(at("context-forces-cpu", "Modelfile"));
  const { exports } = extensions.getExtension<Extension>("modelfile-lint.modelfile-lint")!;
  const force = () => inForce(exports.client(), document.uri);
  await until("machine", async () => (await force()).machines, ["8xT4"]);
  equal("release", (await force()).ollama, "0.5.11");
  contains("configuration", (await force()).config, "context-forces-cpu/.modelfile-lint.yaml");

  const settings = workspace.getConfiguration("modelfile-lint", document.uri);
  await settings.update("machine", "rtx4090-64g", ConfigurationTarget.Workspace);
  await until("machine by setting", async () => (await force()).machines, ["rtx4090-64g"]);
  // The first choice of the list takes the setting away.
  const chosen = commands.executeCommand("modelfile-lint.chooseMachine").then(() => true);
  await until(
    "choice",
    async () => {
      await commands.executeCommand("workbench.action.acceptSelectedQuickOpenItem");
      return Promise.race([chosen, moment(100)]);
    },
    true,
  );
  await until("machine without setting", async () => (await force()).machines, ["8xT4"]);
  await until("rules", () => rulesOf(document), ["context-forces-cpu", "default-value"]);

  const configuration = at("context-forces-cpu", ".modelfile-lint.yaml");
  const written = await workspace.fs.readFile(configuration);
  const other = 'ollama: "0.5.11"\nmachine: ./machine.yaml\nrules: { default-value: off }\n';
  await workspace.fs.writeFile(configuration, new TextEncoder().encode(other));
  await until("rules by another configuration", () => rulesOf(document), ["context-forces-cpu"]);
  await workspace.fs.writeFile(configuration, new TextEncoder().encode("ollama: nonsense\n"));
  await until("problem", async () => (await force()).problem?.includes("nonsense") ?? false, true);
  await workspace.fs.writeFile(configuration, written);
  await until("rules as before", () => rulesOf(document), ["context-forces-cpu", "default-value"]);
}

/** A GGUF file beside the Modelfile is read; what the browser cannot look at is no error. */
async function modelsInTheWorkspace(): Promise<void> {
  const text = "FROM ./tiny.gguf\nPARAMETER num_ctx 4096\n";
  await workspace.fs.writeFile(at("own", "Modelfile"), new TextEncoder().encode(text));
  const document = await opened(at("own", "Modelfile"));
  await until("rules of a GGUF file's context", () => rulesOf(document), [
    "context-beyond-training",
  ]);
  const hidden = ["/models/a.gguf", "~/a.gguf", "../../a.gguf", "./large.gguf"];
  for (const elsewhere of folder.scheme === "file" ? [] : hidden) {
    await restored(document, `FROM ${elsewhere}\n`);
    await until(
      `rules of ${elsewhere}`,
      () => rulesOf(document).includes("unreadable-model"),
      true,
    );
    const { severity } = diagnosticOf(document, "unreadable-model");
    equal(`severity of ${elsewhere}`, severity, DiagnosticSeverity.Warning);
    equal(`${elsewhere} as missing`, rulesOf(document).includes("path-not-found"), false);
  }
  await restored(document, "FROM ./missing.gguf\n");
  await until("rules of a missing file", () => rulesOf(document).includes("path-not-found"), true);
}

/** A text that lies nowhere: settings alone say how it is judged. */
async function unsaved(): Promise<void> {
  const content = "FROM llama3.2\nPARAMETER temprature 1\n";
  const document = await workspace.openTextDocument({ language: "modelfile", content });
  await window.showTextDocument(document);
  const isTold = () => rulesOf(document).includes("unknown-parameter");
  await until("rules of an unsaved text", isTold, true);
  const settings = workspace.getConfiguration("modelfile-lint", document.uri);
  for (const setting of ["off", undefined] as const) {
    const rules = setting && { "unknown-parameter": setting };
    await settings.update("rules", rules, ConfigurationTarget.Workspace);
    await until(`rules where it is ${setting ?? "on"}`, isTold, setting === undefined);
  }
}

async function restarted(): Promise<void> {
  await commands.executeCommand("modelfile-lint.restart");
  const document = await opened(at("larger-than-ram", "Modelfile"));
  await until("rules after a restart", () => rulesOf(document), ["mmap-required"]);
}

async function opened(uri: Uri): Promise<TextDocument> {
  const document = await workspace.openTextDocument(uri);
  await window.showTextDocument(document);
  return document;
}

async function edited(
  document: TextDocument,
  where: Position | Range,
  text: string,
): Promise<void> {
  const edit = new WorkspaceEdit();
  edit.replace(document.uri, where instanceof Range ? where : new Range(where, where), text);
  await workspace.applyEdit(edit);
}

async function restored(document: TextDocument, text: string): Promise<void> {
  await edited(document, new Range(0, 0, document.lineCount, 0), text);
  equal(`text of ${document.uri.path}`, document.getText(), text);
}

function rulesOf({ uri }: TextDocument): string[] {
  return languages
    .getDiagnostics(uri)
    .map(({ code }) => codeOf(code))
    .sort();
}

function diagnosticOf({ uri }: TextDocument, rule: string): Diagnostic {
  const found = languages.getDiagnostics(uri).find(({ code }) => codeOf(code) === rule);
  if (!found) throw new Error(`No ${rule} in ${uri.path}.`);
  return found;
}

function codeOf(code: string | number | { value: string | number } | undefined): string {
  return String(typeof code === "object" ? code.value : code);
}

function textOf(content: MarkdownString | string | { value: string }): string {
  return typeof content === "string" ? content : content.value;
}

async function ask<T>(command: string, ...args: unknown[]): Promise<T> {
  const answer = await commands.executeCommand<T | undefined>(command, ...args);
  if (answer === undefined) throw new Error(`${command} gives nothing.`);
  return answer;
}

/** Waits for what is wanted, or without that for anything that is not empty. Milliseconds. */
async function until<T>(
  what: string,
  look: () => T | Promise<T>,
  wanted?: T,
  most = 15_000,
): Promise<T> {
  const started = performance.now();
  for (;;) {
    const found = await look();
    const isThere =
      wanted === undefined
        ? Array.isArray(found) && found.length > 0
        : JSON.stringify(found) === JSON.stringify(wanted);
    if (isThere) return found;
    if (performance.now() - started > most) {
      const instead = wanted === undefined ? "something" : JSON.stringify(wanted);
      throw new Error(`${what}: ${JSON.stringify(found)} instead of ${instead}`);
    }
    await moment(20);
  }
}

/** Milliseconds. */
function moment(length: number): Promise<false> {
  return new Promise((resolve) => setTimeout(() => resolve(false), length));
}

function equal(what: string, found: unknown, wanted: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(wanted)) return;
  throw new Error(`${what}: ${JSON.stringify(found)} instead of ${JSON.stringify(wanted)}`);
}

function differ(what: string, found: unknown, before: unknown): void {
  if (found === before) throw new Error(`${what} is as before: ${JSON.stringify(found)}`);
}

function contains(
  what: string,
  found: string | readonly string[] | undefined,
  wanted: string,
): void {
  if (found?.includes(wanted)) return;
  throw new Error(`${what}: no ${JSON.stringify(wanted)} in ${JSON.stringify(found)}`);
}

import fc from "fast-check";
import { afterEach, expect, test } from "vitest";
import {
  CancellationTokenSource,
  type ClientCapabilities,
  type CodeAction,
  type CodeLens,
  type CompletionItem,
  type CompletionList,
  type Diagnostic,
  type DocumentDiagnosticReport,
  type DocumentLink,
  type DocumentSymbol,
  type FoldingRange,
  type Hover,
  type InlayHint,
  type LocationLink,
  type Range,
  type SelectionRange,
  type SemanticTokens,
  type TextEdit,
} from "vscode-languageserver-protocol/node";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parseModelfile } from "../grammar/parser.js";
import { newestRelease } from "../src/facts/release.js";
import type { Host } from "../src/host.js";
import { check } from "../src/lint.js";
import { addressesFor, clientHost } from "../src/lsp/client-host.js";
import { plainText } from "../src/lsp/plain-text.js";
import { change, encodings, placesIn, type Encoding } from "../src/lsp/positions.js";
import { pathOf, uriOf } from "../src/lsp/uri.js";
import { connect, memoryHost, type ClientOptions, type TestClient } from "./lsp-client.js";

const clients: TestClient[] = [];

afterEach(async () => {
  await Promise.all(clients.splice(0).map((client) => client.end()));
});

async function started(options?: ClientOptions): Promise<TestClient> {
  const client = await connect(options);
  clients.push(client);
  return client;
}

const uri = "file:///work/Modelfile";
const byText = (one: string, other: string) => (one < other ? -1 : 1);
const codes = (items: readonly Diagnostic[]) => items.map(({ code }) => code);
const has = (code: string) => (items: readonly Diagnostic[]) => codes(items).includes(code);
const lacks = (code: string) => (items: readonly Diagnostic[]) => !codes(items).includes(code);

/** Where a piece of text stands, in UTF-16 units. */
function rangeOf(text: string, piece: string): Range {
  const document = TextDocument.create("", "", 0, text);
  const start = text.indexOf(piece);
  return { start: document.positionAt(start), end: document.positionAt(start + piece.length) };
}

function positionOf(text: string, piece: string) {
  return rangeOf(text, piece).start;
}

function applied(text: string, edits: readonly TextEdit[]): string {
  return TextDocument.applyEdits(TextDocument.create("", "", 0, text), [...edits]);
}

const asksSettings: ClientCapabilities = { workspace: { configuration: true } };

test("publishes what is found in a file that is opened, with rule, page and place", async () => {
  const client = await started({
    capabilities: { textDocument: { publishDiagnostics: { codeDescriptionSupport: true } } },
  });
  const text = "FROM llama3.2\nPARAMETER temprature 0.7\n";
  client.open(uri, text);
  const [found, ...more] = await client.diagnostics(uri);
  expect(found).toMatchObject({
    range: rangeOf(text, "temprature"),
    severity: 1,
    code: "unknown-parameter",
    codeDescription: { href: expect.stringContaining("/docs/rules/unknown-parameter.md") },
    source: "modelfile-lint",
    message: expect.stringContaining('Did you mean "temperature"?'),
  });
  expect(more).toEqual([]);
  expect(client.published[0]?.version).toBe(1);
});

test("tags and related places are left out for clients that do not declare them", async () => {
  const text = "FROM llama3.2\nPARAMETER seed 1\nPARAMETER seed 2\n";
  const plain = await started();
  plain.open(uri, text);
  const [bare] = await plain.diagnostics(uri, has("duplicate-parameter"));
  expect(bare).not.toHaveProperty("tags");
  expect(bare).not.toHaveProperty("relatedInformation");
  expect(bare).not.toHaveProperty("codeDescription");
  const rich = await started({
    capabilities: {
      textDocument: {
        publishDiagnostics: { relatedInformation: true, tagSupport: { valueSet: [1] } },
      },
    },
  });
  rich.open(uri, text);
  const [full] = await rich.diagnostics(uri, has("duplicate-parameter"));
  expect(full).toMatchObject({
    tags: [1],
    relatedInformation: [{ location: { uri, range: { start: { line: 2 } } } }],
  });
});

const odd = 'FROM llama3.2\r\nSYSTEM "🙂\u3000ä" behind 🙂\nPARAMETER stop "\u{1f600}\\n" \u3000\n';

/** Characters in front of an offset in its line, as an encoding counts them. */
function counted(text: string, offset: number, encoding: Encoding): number {
  const start =
    Math.max(text.lastIndexOf("\n", offset - 1), text.lastIndexOf("\r", offset - 1)) + 1;
  const before = text.slice(start, offset);
  if (encoding === "utf-8") return Buffer.byteLength(before);
  return encoding === "utf-16" ? before.length : [...before].length;
}

test.each(encodings)("counts in %s where that is negotiated", async (encoding) => {
  const client = await started({
    capabilities: { general: { positionEncodings: ["x-unknown", encoding, "utf-16"] } },
  });
  expect(client.initialized.capabilities.positionEncoding).toBe(encoding);
  client.open(uri, odd);
  const found = await client.diagnostics(uri);
  const expected = check(parseModelfile(odd), { release: newestRelease });
  expect(expected.length).toBeGreaterThan(1);
  expect(
    found.map(({ code, range }) => [code, range.start.character, range.end.character]),
  ).toEqual(
    expected.map(({ rule, at }) => [
      rule,
      counted(odd, at.start, encoding),
      counted(odd, at.end, encoding),
    ]),
  );
});

test("counts UTF-16 units where nothing is negotiated", async () => {
  const client = await started();
  expect(client.initialized.capabilities.positionEncoding).toBe("utf-16");
});

const pieces = ["a", "🙂", "\u3000", "é", "\n", "\r\n", "\r", "FROM x", 'SYSTEM """', "\ud83d", ""];

test.each(encodings)("keeps the client's text over any edits, counted in %s", (encoding) => {
  const step = fc.record({
    start: fc.nat(60),
    length: fc.nat(8),
    text: fc.array(fc.constantFrom(...pieces), { maxLength: 3 }).map((all) => all.join("")),
    whole: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      let document = TextDocument.create(uri, "modelfile", 0, "FROM llama3.2\nSYSTEM 🙂 hi\n");
      let text = document.getText();
      for (const [index, { start, length, text: added, whole }] of steps.entries()) {
        const places = placesIn(document, encoding);
        // A client sends places between characters, never within one or within a line's end.
        const range = places.range({ start, end: start + length });
        const span = places.span(range);
        const made = whole ? { text: added } : { range, text: added };
        text = whole ? added : text.slice(0, span.start) + added + text.slice(span.end);
        document = change(document, [made], index + 1, encoding);
        expect(document.getText()).toBe(text);
        const offsets = Array.from({ length: text.length + 1 }, (_, offset) => offset);
        const again = placesIn(document, encoding);
        for (const offset of offsets) {
          const position = again.position(offset);
          if (again.offset(position) !== offset) {
            // Within a pair of surrogates, or between CR and LF.
            expect(text.slice(offset - 1, offset + 1)).toMatch(
              /^(?:[\ud800-\udbff][\udc00-\udfff]|\r\n)$/,
            );
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("finds the same after edits as in the same text opened anew, whatever the versions", async () => {
  const client = await started();
  const texts = [
    "FROM llama3.2\n",
    "PARAMETER temprature 1\n",
    'SYSTEM "',
    "🙂\u3000\n",
    "MESSAGE usr x\n",
  ];
  let run = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.record({ at: fc.nat(80), length: fc.nat(20), text: fc.constantFrom(...texts, "") }),
        { minLength: 1, maxLength: 6 },
      ),
      fc.nat(1000),
      async (steps, version) => {
        const [edited, fresh] = [`file:///a/${run}/Modelfile`, `file:///b/${run++}/Modelfile`];
        client.published.length = 0;
        client.open(edited, texts.join(""));
        let document = TextDocument.create(edited, "", 0, texts.join(""));
        let last = 1;
        for (const { at, length, text } of steps) {
          const range = placesIn(document, "utf-16").range({ start: at, end: at + length });
          client.change(edited, (last += 1 + (version % 5)), [{ range, text }]);
          TextDocument.update(document, [{ range, text }], last);
        }
        client.open(fresh, document.getText());
        await client.until(() => client.published.some((one) => one.version === last));
        const expected = await client.diagnostics(fresh);
        expect(await client.diagnostics(edited)).toEqual(expected);
        for (const one of [edited, fresh]) {
          await client.connection.sendNotification("textDocument/didClose", {
            textDocument: { uri: one },
          });
        }
      },
    ),
    { numRuns: 12 },
  );
});

test("tells nothing of a text that has been replaced meanwhile", async () => {
  const client = await started();
  client.open(uri, "FROM llama3.2\nPARAMETER temprature 1\n");
  for (let version = 2; version < 30; version++) {
    client.change(uri, version, [
      { text: `FROM llama3.2\n${"#\n".repeat(version)}PARAMETER tempratur 1\n` },
    ]);
  }
  client.change(uri, 40, [{ text: "FROM llama3.2\n" }]);
  await client.diagnostics(uri, (items) => items.length === 0);
  const versions = client.published.map(({ version }) => version ?? 0);
  expect(versions.at(-1)).toBe(40);
  expect(versions).toEqual(versions.toSorted((one, other) => one - other));
});

test("takes back what was found when a file is closed", async () => {
  const client = await started();
  client.open(uri, "FORM x\n");
  await client.diagnostics(uri, has("unknown-instruction"));
  await client.connection.sendNotification("textDocument/didClose", { textDocument: { uri } });
  expect(await client.diagnostics(uri, (items) => items.length === 0)).toEqual([]);
});

test("answers a client that asks for diagnostics, and publishes none", async () => {
  const client = await started({ capabilities: { textDocument: { diagnostic: {} } } });
  expect(client.initialized.capabilities.diagnosticProvider).toMatchObject({
    workspaceDiagnostics: false,
  });
  client.open(uri, "FROM llama3.2\nPARAMETER temprature 1\n");
  const ask = (previousResultId?: string) =>
    client.ask<DocumentDiagnosticReport>("textDocument/diagnostic", uri, { previousResultId });
  const first = await ask();
  expect(first).toMatchObject({ kind: "full", items: [{ code: "unknown-parameter" }] });
  expect(await ask(first.resultId)).toMatchObject({ kind: "unchanged", resultId: first.resultId });
  client.change(uri, 2, [{ text: "FROM llama3.2\n" }]);
  expect(await ask(first.resultId)).toMatchObject({ kind: "full", items: [] });
  expect(client.published).toEqual([]);
});

test("leaves diagnostics to be asked for by clients that declare it alone", async () => {
  const client = await started();
  expect(client.initialized.capabilities).not.toHaveProperty("diagnosticProvider");
});

const never = () => new Promise<never>(() => {});
/** Every file lies on a disk that does not answer. */
const stuckHost: Host = { ...memoryHost({}), stat: never, read: never, list: never };

test("finds what the text says on a host that never answers", async () => {
  const client = await started({ host: stuckHost, around: { patience: 10 } });
  client.open(uri, "FROM ./model.gguf\nPARAMETER temprature 1\n");
  expect(codes(await client.diagnostics(uri))).toEqual(["unknown-parameter"]);
  client.change(uri, 2, [{ text: "FROM ./model.gguf\nPARAMETER tempratur 1\nFORM x\n" }]);
  await client.diagnostics(uri, has("unknown-instruction"));
  const hover = await client.ask<Hover>("textDocument/hover", uri, {
    position: { line: 0, character: 1 },
  });
  expect(JSON.stringify(hover.contents)).toContain("FROM");
});

test("finds what the text says while this computer is looked at", async () => {
  const client = await started({
    around: { detect: never },
    options: { machine: "auto" },
    host: memoryHost({}),
  });
  client.open(uri, "FROM ./model.gguf\nPARAMETER temprature 1\n");
  // What lies beside the file is known without the machine.
  expect(codes(await client.diagnostics(uri, has("path-not-found")))).toContain(
    "unknown-parameter",
  );
});

const fits = "FROM llama3.1:8b\nPARAMETER num_ctx 8192\n";
const tooLarge = "FROM llama3.3:70b\nPARAMETER num_ctx 131072\n";

test("adds what a machine leads to once it is known, and has the client ask again", async () => {
  const client = await started({
    capabilities: {
      workspace: { inlayHint: { refreshSupport: true }, codeLens: { refreshSupport: true } },
    },
    options: { machine: "rtx4090-64g" },
  });
  client.open(uri, tooLarge);
  await client.diagnostics(uri, has("spills-to-cpu"));
  // What needs the plan was not waited for.
  expect(codes(client.published[0]?.diagnostics ?? [])).not.toContain("spills-to-cpu");
  await client.until(() =>
    client.asked.some(({ method }) => method === "workspace/inlayHint/refresh"),
  );
  await client.until(() =>
    client.asked.some(({ method }) => method === "workspace/codeLens/refresh"),
  );
  const range = rangeOf(tooLarge, tooLarge);
  const hints = await client.ask<InlayHint[]>("textDocument/inlayHint", uri, { range });
  expect(JSON.stringify(hints)).toMatch(/GiB/);
});

test("holds back what it finds without a plan where there was one a moment ago", async () => {
  const client = await started({ options: { machine: "rtx4090-64g" } });
  client.open(uri, tooLarge);
  await client.diagnostics(uri, has("spills-to-cpu"));
  client.change(uri, 2, [{ text: tooLarge.replace("131072", "131071") }]);
  await client.until(() => client.published.some(({ version }) => version === 2));
  const [first] = client.published.filter(({ version }) => version === 2);
  expect(codes(first?.diagnostics ?? [])).toContain("spills-to-cpu");
});

test("has a client that asks for diagnostics ask again once a machine is known", async () => {
  const client = await started({
    capabilities: {
      textDocument: { diagnostic: {} },
      workspace: { diagnostics: { refreshSupport: true } },
    },
    options: { machine: "rtx4090-64g" },
  });
  client.open(uri, tooLarge);
  const ask = () => client.ask<DocumentDiagnosticReport>("textDocument/diagnostic", uri);
  expect(JSON.stringify(await ask())).not.toContain("spills-to-cpu");
  await client.until(() =>
    client.asked.some(({ method }) => method === "workspace/diagnostic/refresh"),
  );
  expect(JSON.stringify(await ask())).toContain("spills-to-cpu");
});

test("waits for figures where the client cannot be told to ask again", async () => {
  const client = await started({ options: { machine: "rtx4090-64g" } });
  client.open(uri, fits);
  const lenses = await client.ask<CodeLens[]>("textDocument/codeLens", uri);
  expect(lenses[0]?.command?.title).toMatch(/^rtx4090-64g: fits/);
});

test("says of several machines what each of them leads to", async () => {
  const client = await started({ options: { machine: ["rtx4090-64g", "2x3090"] } });
  client.open(uri, `${tooLarge}PARAMETER temprature 1\n`);
  const found = await client.diagnostics(uri, (items) => items.length > 1);
  const own = found.filter(({ message }) =>
    /\((?:rtx4090-64g|2x3090)\)"$/.test(JSON.stringify(message)),
  );
  expect(own.length).toBeGreaterThan(0);
  expect(found.filter(({ code }) => code === "unknown-parameter")).toHaveLength(1);
});

test("judges by the nearest configuration, and again when it changes", async () => {
  const files: Record<string, string> = {
    "/work/.modelfile-lint.yaml": "rules: { instruction-case: off }\n",
  };
  const client = await started({
    host: memoryHost(files),
    capabilities: { workspace: { didChangeWatchedFiles: { dynamicRegistration: true } } },
  });
  await client.until(() =>
    client.asked.some(({ method }) => method === "client/registerCapability"),
  );
  const registered = JSON.stringify(client.asked);
  expect(registered).toContain(".modelfile-lint.{yaml,yml,json}");
  client.open("file:///work/deep/Modelfile", "from llama3.2\nFORM x\n");
  const found = await client.diagnostics("file:///work/deep/Modelfile", has("unknown-instruction"));
  expect(codes(found)).not.toContain("instruction-case");
  files["/work/.modelfile-lint.yaml"] = "rules: { instruction-case: error }\n";
  await client.connection.sendNotification("workspace/didChangeWatchedFiles", {
    changes: [{ uri: "file:///work/.modelfile-lint.yaml", type: 2 }],
  });
  const again = await client.diagnostics("file:///work/deep/Modelfile", has("instruction-case"));
  expect(again.find(({ code }) => code === "instruction-case")?.severity).toBe(1);
});

test("reads a configuration again when it is saved in a client that watches nothing", async () => {
  const files: Record<string, string> = { "/work/.modelfile-lint.yaml": "extends: minimal\n" };
  const client = await started({ host: memoryHost(files) });
  client.open("file:///work/.modelfile-lint.yaml", files["/work/.modelfile-lint.yaml"]!, "yaml");
  client.open(uri, "from llama3.2\n");
  expect(await client.diagnostics(uri)).toEqual([]);
  files["/work/.modelfile-lint.yaml"] = "extends: recommended\n";
  await client.connection.sendNotification("textDocument/didSave", {
    textDocument: { uri: "file:///work/.modelfile-lint.yaml" },
  });
  await client.diagnostics(uri, has("instruction-case"));
});

test("leaves out what a configuration ignores", async () => {
  const host = memoryHost({ "/work/.modelfile-lint.yaml": 'ignore: ["vendor/**"]\n' });
  const client = await started({ host });
  client.open("file:///work/vendor/Modelfile", "FORM x\n");
  client.open(uri, "FORM x\n");
  await client.diagnostics(uri, has("unknown-instruction"));
  expect(await client.diagnostics("file:///work/vendor/Modelfile")).toEqual([]);
});

const brokenConfig = "rules:\n  no-such-rule: error\n";

test("says once that a configuration cannot be used, and judges without it", async () => {
  const client = await started({
    host: memoryHost({ "/work/.modelfile-lint.yaml": brokenConfig }),
  });
  client.open(uri, "FORM x\n");
  client.open("file:///work/b.Modelfile", "FORM x\n");
  await client.diagnostics(uri, has("unknown-instruction"));
  await client.diagnostics("file:///work/b.Modelfile", has("unknown-instruction"));
  client.change(uri, 2, [{ text: "FORM y\n" }]);
  await client.until(() => client.published.some(({ version }) => version === 2));
  expect(client.shown).toEqual([
    expect.stringMatching(/\.modelfile-lint\.yaml:2:3: Unknown rule "no-such-rule"/),
  ]);
});

test("shows what is wrong with a configuration in it where it is open", async () => {
  const files: Record<string, string> = { "/work/.modelfile-lint.yaml": brokenConfig };
  const client = await started({ host: memoryHost(files) });
  const config = "file:///work/.modelfile-lint.yaml";
  client.open(config, brokenConfig, "yaml");
  client.open(uri, "FORM x\n");
  const [problem] = await client.diagnostics(config, (items) => items.length > 0);
  expect(problem).toMatchObject({
    range: { start: { line: 1, character: 2 }, end: { line: 1 } },
    message: expect.stringContaining("no-such-rule"),
  });
  expect(client.shown).toEqual([]);
  files["/work/.modelfile-lint.yaml"] = "rules: {}\n";
  await client.connection.sendNotification("textDocument/didSave", {
    textDocument: { uri: config },
  });
  await client.diagnostics(config, (items) => items.length === 0);
});

test("takes settings from the client for each folder, and again when they change", async () => {
  const client = await started({
    capabilities: { workspace: { configuration: true, workspaceFolders: true } },
    folders: ["file:///one", "file:///two"],
    settings: (of) =>
      of.startsWith("file:///one") ? { rules: { "instruction-case": "off" } } : null,
  });
  client.open("file:///one/Modelfile", "from llama3.2\nFORM x\n");
  client.open("file:///two/Modelfile", "from llama3.2\nFORM x\n");
  expect(codes(await client.diagnostics("file:///one/Modelfile"))).not.toContain(
    "instruction-case",
  );
  expect(codes(await client.diagnostics("file:///two/Modelfile"))).toContain("instruction-case");
  client.settings = () => ({ rules: { "instruction-case": "off" } });
  await client.connection.sendNotification("workspace/didChangeConfiguration", { settings: null });
  await client.diagnostics("file:///two/Modelfile", lacks("instruction-case"));
});

test("starts what settings name from the folder that a file belongs to", async () => {
  const client = await started({
    capabilities: asksSettings,
    folders: ["file:///one", "file:///one/two"],
    host: memoryHost({
      "/one/lint.yaml": "extends: minimal\n",
      "/one/two/lint.yaml": "rules: { instruction-case: error }\n",
    }),
    settings: () => ({ config: "lint.yaml" }),
  });
  client.open("file:///one/two/deep/Modelfile", "from llama3.2\n");
  client.open("file:///one/Modelfile", "from llama3.2\n");
  const inner = await client.diagnostics("file:///one/two/deep/Modelfile");
  expect(inner).toMatchObject([{ code: "instruction-case", severity: 1 }]);
  expect(await client.diagnostics("file:///one/Modelfile")).toEqual([]);
});

test("takes settings from the start or from notifications where it cannot ask", async () => {
  const client = await started({ options: { rules: { "instruction-case": "off" } } });
  client.open(uri, "from llama3.2\nFORM x\n");
  expect(codes(await client.diagnostics(uri))).toEqual(["unknown-instruction"]);
  const settings = { "modelfile-lint": { rules: { "instruction-case": "warning" } } };
  await client.connection.sendNotification("workspace/didChangeConfiguration", { settings });
  const found = await client.diagnostics(uri, has("instruction-case"));
  expect(found.find(({ code }) => code === "instruction-case")?.severity).toBe(2);
});

test("says which settings it cannot use, and uses the others", async () => {
  const client = await started({
    capabilities: asksSettings,
    settings: () => ({
      online: "yes",
      ollama: "six",
      rules: { "instruction-cas": "off" },
      enabel: false,
    }),
  });
  client.open(uri, "FORM x\n");
  await client.diagnostics(uri, has("unknown-instruction"));
  expect(client.shown).toEqual([
    "modelfile-lint.online is to be true or false.",
    expect.stringContaining("modelfile-lint.ollama"),
    expect.stringContaining('Did you mean "instruction-case"?'),
    expect.stringContaining('Did you mean "enable"?'),
  ]);
});

test("says nothing where it is switched off, until it is switched on", async () => {
  const client = await started({ capabilities: asksSettings, settings: () => ({ enable: false }) });
  client.open(uri, "FORM x\n");
  expect(await client.diagnostics(uri)).toEqual([]);
  expect(
    await client.ask("textDocument/hover", uri, { position: { line: 0, character: 0 } }),
  ).toBeNull();
  client.settings = () => ({ enable: true });
  await client.connection.sendNotification("workspace/didChangeConfiguration", { settings: null });
  await client.diagnostics(uri, has("unknown-instruction"));
});

test("asks no server unless online is switched on", async () => {
  const asked: string[] = [];
  const request: NonNullable<Host["request"]> = async (url) => {
    asked.push(url);
    return { status: 404, body: new TextEncoder().encode("{}") };
  };
  const client = await started({
    capabilities: asksSettings,
    host: { ...memoryHost({}), request },
  });
  const text = "FROM somebody/unheard-of:1b\nPARAMETER num_ctx 8192\n";
  client.open(uri, text);
  await client.ask("textDocument/completion", uri, { position: { line: 0, character: 5 } });
  await client.ask("textDocument/inlayHint", uri, { range: rangeOf(text, text) });
  expect(asked).toEqual([]);
  client.settings = () => ({ online: true });
  await client.connection.sendNotification("workspace/didChangeConfiguration", { settings: null });
  await client.ask("textDocument/completion", uri, { position: { line: 0, character: 5 } });
  expect(asked).toContain("http://127.0.0.1:11434/api/tags");
});

test("looks for paths beside a file, and for none where a file was never saved", async () => {
  const client = await started();
  const text = "FROM ./model.gguf\nFORM x\n";
  client.open("untitled:Untitled-1", text);
  client.open(uri, text);
  await client.diagnostics(uri, has("path-not-found"));
  const nowhere = await client.diagnostics("untitled:Untitled-1", has("unknown-instruction"));
  expect(codes(nowhere)).not.toContain("path-not-found");
  expect(
    await client.ask<DocumentLink[]>("textDocument/documentLink", "untitled:Untitled-1"),
  ).toEqual([]);
});

test("looks again when the client tells of a model's file", async () => {
  const files: Record<string, string> = {};
  const client = await started({ host: memoryHost(files) });
  client.open(uri, "FROM ./model.gguf\n");
  await client.diagnostics(uri, has("path-not-found"));
  files["/work/model.gguf"] = "GGUF";
  await client.connection.sendNotification("workspace/didChangeWatchedFiles", {
    changes: [{ uri: "file:///work/model.gguf", type: 1 }],
  });
  await client.diagnostics(uri, lacks("path-not-found"));
});

test("tells of a model's file that cannot be read", async () => {
  const client = await started({
    host: memoryHost({ "/work/model.gguf": "GGUF\u0003\0\0\0" }),
    options: { machine: "rtx4090-64g" },
  });
  const text = "FROM ./model.gguf\n";
  client.open(uri, text);
  const found = await client.diagnostics(uri, has("unreadable-model"));
  expect(found).toMatchObject([{ severity: 2, range: rangeOf(text, "./model.gguf") }]);
});

test("takes for a Modelfile what goes by its language or its name, and leaves the rest alone", async () => {
  const client = await started();
  const broken = "FORM x\n";
  const ours: [string, string][] = [
    ["file:///a/whatever.txt", "modelfile"],
    ["file:///a/Modelfile", "plaintext"],
    ["file:///a/chat.Modelfile", ""],
    ["file:///a/Modelfile.gpu", "dockerfile"],
    ["untitled:Modelfile", "plaintext"],
  ];
  const others: [string, string][] = [
    ["file:///a/notes.md", "markdown"],
    ["file:///a/Modelfile.md", "markdown"],
    ["file:///a/modelfile.py", "python"],
  ];
  for (const [address, language] of [...others, ...ours]) client.open(address, broken, language);
  for (const [address] of ours) await client.diagnostics(address, has("unknown-instruction"));
  const told = new Set(client.published.map((one) => one.uri));
  expect(others.filter(([address]) => told.has(address))).toEqual([]);
  expect(await client.ask("textDocument/documentSymbol", "file:///a/notes.md")).toEqual([]);
});

test.each([
  ["too large", `FROM x\nSYSTEM """${"x".repeat(17 * 2 ** 20)}"""\n`],
  ["no text", `FORM x\n${"\0\u0001".repeat(1000)}`],
])("says nothing about a document that is %s, and says so once", async (_, text) => {
  const client = await started();
  client.open(uri, text);
  expect(await client.diagnostics(uri)).toEqual([]);
  expect(
    await client.ask("textDocument/hover", uri, { position: { line: 0, character: 0 } }),
  ).toBeNull();
  expect(client.logged.filter((line) => line.includes("nothing is said about it"))).toHaveLength(1);
  client.change(uri, 2, [{ text: "FORM x\n" }]);
  await client.diagnostics(uri, has("unknown-instruction"));
});

test("refuses requests before initialize and after shutdown, and ends with the code that tells", async () => {
  const client = await started({ introduces: false });
  const hover = () =>
    client.ask("textDocument/hover", uri, { position: { line: 0, character: 0 } });
  await expect(hover()).rejects.toMatchObject({ code: -32002 });
  await expect(client.connection.sendRequest("x/unknown", {})).rejects.toMatchObject({
    code: -32002,
  });
  await client.connection.sendRequest("initialize", {
    processId: null,
    rootUri: null,
    capabilities: {},
  });
  await expect(
    client.connection.sendRequest("initialize", {
      processId: null,
      rootUri: null,
      capabilities: {},
    }),
  ).rejects.toMatchObject({ code: -32600 });
  await expect(client.connection.sendRequest("x/unknown", {})).rejects.toMatchObject({
    code: -32601,
  });
  expect(await hover()).toBeNull();
  await client.connection.sendRequest("shutdown");
  await expect(hover()).rejects.toMatchObject({ code: -32600 });
  await client.connection.sendNotification("exit");
  await expect.poll(() => client.exits).toEqual([0]);
  const rude = await started();
  await rude.connection.sendNotification("exit");
  await expect.poll(() => rude.exits).toEqual([1]);
});

test("answers what it cannot understand with an error, and goes on", async () => {
  const client = await started();
  client.open(uri, "FORM x\n");
  const bad = { code: -32602 };
  await expect(client.connection.sendRequest("textDocument/hover", {})).rejects.toMatchObject(bad);
  await expect(
    client.ask("textDocument/hover", uri, { position: { line: -1 } }),
  ).rejects.toMatchObject(bad);
  await expect(client.ask("textDocument/codeAction", uri, { range: "all" })).rejects.toMatchObject(
    bad,
  );
  await client.connection.sendNotification("textDocument/didChange", {
    textDocument: { uri, version: 2 },
    contentChanges: [{ range: { start: { line: 0, character: "x" } }, text: 1 }],
  });
  await client.connection.sendNotification("textDocument/didOpen", { textDocument: null });
  await client.diagnostics(uri, has("unknown-instruction"));
});

test("answers with an error where we fail, without a stack, and logs where", async () => {
  const broken: Host = {
    ...memoryHost({}),
    resolve: (folder, path) => {
      if (path === "./model.gguf") throw new Error("the host is broken");
      return memoryHost({}).resolve(folder, path);
    },
  };
  const client = await started({ host: broken });
  client.open(uri, "FROM ./model.gguf\nFORM x\n");
  await client.diagnostics(uri, has("unknown-instruction"));
  const failed = client.ask("textDocument/documentLink", uri);
  await expect(failed).rejects.toMatchObject({
    code: -32603,
    message: expect.not.stringContaining("the host is broken"),
  });
  expect(client.logged.join("\n")).toContain("the host is broken");
});

test("answers a request that was cancelled with the code that says so", async () => {
  const client = await started();
  client.open(uri, fits);
  const source = new CancellationTokenSource();
  const params = { textDocument: { uri } };
  const { connection } = client;
  const cancelled = connection.sendRequest(
    "textDocument/semanticTokens/full",
    params,
    source.token,
  );
  source.cancel();
  await expect(cancelled).rejects.toMatchObject({ code: -32800 });
  expect(await client.ask("textDocument/semanticTokens/full", uri)).toMatchObject({
    data: { 0: 0 },
  });
});

test("explains what is pointed at, in the form that the client shows", async () => {
  const text = "FROM llama3.2\nPARAMETER num_ctx 8192\n";
  const position = positionOf(text, "num_ctx");
  const rich = await started({
    capabilities: { textDocument: { hover: { contentFormat: ["markdown", "plaintext"] } } },
  });
  rich.open(uri, text);
  const hover = await rich.ask<Hover>("textDocument/hover", uri, { position });
  expect(hover).toMatchObject({
    range: rangeOf(text, "num_ctx"),
    contents: { kind: "markdown", value: expect.stringContaining("**num_ctx**") },
  });
  const plain = await started();
  plain.open(uri, text);
  const bare = await plain.ask<Hover>("textDocument/hover", uri, { position });
  expect(bare.contents).toMatchObject({
    kind: "plaintext",
    value: expect.not.stringContaining("**"),
  });
});

test("turns Markdown into plain text", () => {
  const markdown =
    "**a** `b*c*` [page](https://x.y)\n\n| x | y |\n|---|---|\n| 1 | 2 |\n\n```\n**as is**\n```\n\\*z\\*";
  expect(plainText(markdown)).toBe(
    "a b*c* page (https://x.y)\n\n| x | y |\n| 1 | 2 |\n\n**as is**\n*z*",
  );
});

test("completes with snippets for clients that know them, and explains an item that is looked at", async () => {
  const text = "FROM llama3.2\nPARAMETER temp\n\n";
  const client = await started({
    capabilities: {
      textDocument: {
        completion: { completionItem: { snippetSupport: true, documentationFormat: ["markdown"] } },
      },
    },
  });
  client.open(uri, text);
  const at = (position: object) =>
    client.ask<CompletionList>("textDocument/completion", uri, {
      position,
      context: { triggerKind: 1 },
    });
  const { items } = await at({ line: 1, character: 14 });
  const item = items.find(({ label }) => label === "temperature");
  expect(item?.textEdit).toMatchObject({ range: rangeOf(text, "temp") });
  const resolved = await client.connection.sendRequest<CompletionItem>(
    "completionItem/resolve",
    item,
  );
  expect(resolved.documentation).toMatchObject({
    kind: "markdown",
    value: expect.stringContaining("temperature"),
  });
  const snippets = (await at({ line: 2, character: 0 })).items.filter(
    (one) => one.insertTextFormat === 2,
  );
  expect(snippets.length).toBeGreaterThan(0);
  const plain = await started();
  plain.open(uri, text);
  const list = await plain.ask<CompletionList>("textDocument/completion", uri, {
    position: { line: 2, character: 0 },
  });
  expect(list.items.length).toBeGreaterThan(0);
  expect(
    list.items.filter((one) => one.insertTextFormat === 2 || one.textEdit?.newText.includes("${")),
  ).toEqual([]);
});

test("has findings asked for again when settings change, by a client that asks for them", async () => {
  const settings: { rules: Record<string, string> } = { rules: {} };
  const client = await started({
    settings: () => settings,
    capabilities: {
      textDocument: { diagnostic: {} },
      workspace: { configuration: true, diagnostics: { refreshSupport: true } },
    },
  });
  client.open(uri, "from llama3.2\n");
  const ask = async () => {
    const report = await client.ask<{ items: Diagnostic[] }>("textDocument/diagnostic", uri);
    return codes(report.items);
  };
  expect(await ask()).toContain("instruction-case");
  for (const setting of ["off", "error", "off"]) {
    const before = refreshes(client);
    settings.rules = { "instruction-case": setting };
    await client.connection.sendNotification("workspace/didChangeConfiguration", {
      settings: null,
    });
    await client.until(() => refreshes(client) > before);
    expect((await ask()).includes("instruction-case")).toBe(setting !== "off");
  }
});

function refreshes({ asked }: TestClient): number {
  return asked.filter(({ method }) => method === "workspace/diagnostic/refresh").length;
}

async function offered(options: object): Promise<string[]> {
  const client = await started({ options });
  client.open(uri, "FROM llama3.2\nPARAMETER temprature 1\nFORM x\n");
  await client.diagnostics(uri, has("unknown-parameter"));
  const range = { start: { line: 1, character: 0 }, end: { line: 1, character: 22 } };
  const found = await client.ask<CodeAction[]>("textDocument/codeAction", uri, {
    range,
    context: { diagnostics: [] },
  });
  return found.map(({ title, isPreferred }) => `${title}${isPreferred ? " (preferred)" : ""}`);
}

test("offers the preferred fix alone to a client that makes all actions at once", async () => {
  expect((await offered({})).length).toBeGreaterThan(1);
  expect(await offered({ oneAction: true })).toEqual(["Replace with temperature (preferred)"]);
});

test("offers files beside the Modelfile and models of Ollama's store behind FROM", async () => {
  const host = memoryHost({
    "/work/tuned.gguf": "GGUF",
    "/work/notes.txt": "",
    "/store/manifests/registry.ollama.ai/library/llama3.2/3b": "{}",
    "/store/manifests/registry.ollama.ai/acme/chat/q4": "{}",
    "/store/manifests/hf.co/acme/big/q8": "{}",
  });
  const stored: Host = {
    ...host,
    variable: (name) => (name === "OLLAMA_MODELS" ? "/store" : undefined),
  };
  const client = await started({ host: stored });
  client.open(uri, "FROM \n");
  const { items } = await client.ask<CompletionList>("textDocument/completion", uri, {
    position: { line: 0, character: 5 },
  });
  const labels = items.map(({ label }) => label);
  expect(labels).toEqual(
    expect.arrayContaining(["llama3.2:3b", "acme/chat:q4", "hf.co/acme/big:q8"]),
  );
  expect(labels.some((label) => label.endsWith("tuned.gguf"))).toBe(true);
  expect(labels.some((label) => label.endsWith("notes.txt"))).toBe(false);
});

const wrong = "from llama3.2\nPARAMETER temprature 0.7\nPARAMETER Seed 1\n";

test("fixes by actions that are edits, with a version for clients that check it", async () => {
  const range = rangeOf(wrong, "temprature");
  const plain = await started();
  plain.open(uri, wrong);
  const context = { diagnostics: [] };
  const actions = await plain.ask<CodeAction[]>("textDocument/codeAction", uri, { range, context });
  const fix = actions.find(({ isPreferred }) => isPreferred);
  expect(fix).toMatchObject({ kind: "quickfix", diagnostics: [{ code: "unknown-parameter" }] });
  expect(fix).not.toHaveProperty("data");
  expect(applied(wrong, fix?.edit?.changes?.[uri] ?? [])).toContain("PARAMETER temperature 0.7");
  const versioned = await started({
    capabilities: { workspace: { workspaceEdit: { documentChanges: true } } },
  });
  versioned.open(uri, wrong);
  const [first] = await versioned.ask<CodeAction[]>("textDocument/codeAction", uri, {
    range,
    context,
  });
  expect(first?.edit).not.toHaveProperty("changes");
  expect(first?.edit?.documentChanges).toMatchObject([{ textDocument: { uri, version: 1 } }]);
});

test.each([
  [undefined, ["quickfix", "source.fixAll.modelfile-lint"]],
  [[], ["quickfix", "source.fixAll.modelfile-lint"]],
  [
    ["", "quickfix", "refactor", "source"],
    ["quickfix", "source.fixAll.modelfile-lint"],
  ],
  [["quickfix"], ["quickfix"]],
  [["source"], ["source.fixAll.modelfile-lint"]],
  [["source.fixAll"], ["source.fixAll.modelfile-lint"]],
  [["refactor"], []],
])("answers a request for actions of the kinds %j with %j", async (only, kinds) => {
  const client = await started();
  client.open(uri, wrong);
  const actions = await client.ask<CodeAction[]>("textDocument/codeAction", uri, {
    range: rangeOf(wrong, wrong),
    context: { diagnostics: [], ...(only && { only }) },
  });
  expect([...new Set(actions.map(({ kind }) => String(kind)))].toSorted(byText)).toEqual(kinds);
});

test("makes every safe fix at once, with the edit later for clients that ask for it", async () => {
  const context = { diagnostics: [], only: ["source.fixAll"] };
  const range = rangeOf(wrong, "from");
  const plain = await started();
  plain.open(uri, wrong);
  const [eager] = await plain.ask<CodeAction[]>("textDocument/codeAction", uri, { range, context });
  const fixed = applied(wrong, eager?.edit?.changes?.[uri] ?? []);
  expect(fixed).toMatch(/^FROM llama3\.2\nPARAMETER temperature 0\.7\nPARAMETER seed 1\n$/);
  const lazy = await started({
    capabilities: {
      textDocument: { codeAction: { dataSupport: true, resolveSupport: { properties: ["edit"] } } },
    },
  });
  lazy.open(uri, wrong);
  const [later] = await lazy.ask<CodeAction[]>("textDocument/codeAction", uri, { range, context });
  expect(later).not.toHaveProperty("edit");
  const resolve = () => lazy.connection.sendRequest<CodeAction>("codeAction/resolve", later);
  expect(applied(wrong, (await resolve()).edit?.changes?.[uri] ?? [])).toBe(fixed);
  lazy.change(uri, 2, [{ text: "FROM x\n" }]);
  await expect(resolve()).rejects.toMatchObject({ code: -32801 });
});

test("lays a file out, and leaves alone what Ollama refuses", async () => {
  const client = await started();
  const text = "from   llama3.2\n\n\n\nSYSTEM   hi  ";
  client.open(uri, text);
  const format = () =>
    client.ask<TextEdit[]>("textDocument/formatting", uri, {
      options: { tabSize: 2, insertSpaces: true },
    });
  expect(applied(text, await format())).toBe("FROM llama3.2\n\nSYSTEM hi\n");
  client.change(uri, 2, [{ text: 'from x\nSYSTEM """open' }]);
  expect(await format()).toEqual([]);
  expect(client.shown).toEqual([]);
});

const templated =
  'FROM llama3.2\nTEMPLATE """{{ if .System }}{{ .System }}{{ end }}\n{{ .Prompt }}"""\nPARAMETER seed 1\nPARAMETER seed 2\n';

test("outlines a file as a tree, or as a list for clients that know no tree", async () => {
  const tree = await started({
    capabilities: { textDocument: { documentSymbol: { hierarchicalDocumentSymbolSupport: true } } },
  });
  tree.open(uri, templated);
  const symbols = await tree.ask<DocumentSymbol[]>("textDocument/documentSymbol", uri);
  expect(symbols.map(({ name }) => name)).toEqual(["FROM", "TEMPLATE", "seed", "seed"]);
  expect(symbols[1]?.children?.map(({ name }) => name)).toEqual(["if .System"]);
  const list = await started();
  list.open(uri, templated);
  expect(await list.ask("textDocument/documentSymbol", uri)).toMatchObject([
    { name: "FROM", location: { uri } },
    { name: "TEMPLATE" },
    { name: "if .System", containerName: "TEMPLATE" },
    { name: "seed" },
    { name: "seed" },
  ]);
});

test("folds, selects, links and leads to what counts", async () => {
  const client = await started({
    capabilities: {
      textDocument: { definition: { linkSupport: true }, documentLink: { tooltipSupport: true } },
    },
  });
  client.open(uri, templated);
  const folds = await client.ask<FoldingRange[]>("textDocument/foldingRange", uri);
  expect(folds).toContainEqual({ startLine: 1, endLine: 2 });
  const position = positionOf(templated, "System }}{{ .");
  const [selection] = await client.ask<SelectionRange[]>("textDocument/selectionRange", uri, {
    positions: [position],
  });
  const ranges: Range[] = [];
  for (let one: SelectionRange | undefined = selection; one; one = one.parent)
    ranges.push(one.range);
  expect(ranges.length).toBeGreaterThan(3);
  expect(ranges.at(-1)).toEqual(rangeOf(templated, templated));
  const [link] = await client.ask<DocumentLink[]>("textDocument/documentLink", uri);
  expect(link).toMatchObject({
    range: rangeOf(templated, "llama3.2"),
    target: "https://ollama.com/library/llama3.2",
    tooltip: expect.stringContaining("ollama.com"),
  });
  const [definition] = await client.ask<LocationLink[]>("textDocument/definition", uri, {
    position: positionOf(templated, "seed 1"),
  });
  expect(definition).toMatchObject({
    targetUri: uri,
    targetSelectionRange: { start: { line: 4, character: 10 } },
  });
});

test("leads to the file that FROM names", async () => {
  const client = await started({ host: memoryHost({ "/work/a b/tuned.gguf": "GGUF" }) });
  client.open(uri, 'FROM "./a b/tuned.gguf"\n');
  const target = "file:///work/a%20b/tuned.gguf";
  const position = { line: 0, character: 10 };
  expect(await client.ask("textDocument/definition", uri, { position })).toMatchObject({
    uri: target,
  });
  expect(await client.ask("textDocument/documentLink", uri)).toMatchObject([{ target }]);
});

test.each(["utf-8", "utf-16"] as const)(
  "colours a file or a part of it, counted in %s",
  async (encoding) => {
    const client = await started({ capabilities: { general: { positionEncodings: [encoding] } } });
    const text = "FROM llama3.2\nSYSTEM 🙂🙂\n# end\n";
    client.open(uri, text);
    const legend = client.initialized.capabilities.semanticTokensProvider?.legend;
    const kinds = (data: readonly number[]) =>
      data.flatMap((type, index) => (index % 5 === 3 ? [legend?.tokenTypes[type]] : []));
    const { data } = await client.ask<SemanticTokens>("textDocument/semanticTokens/full", uri);
    expect(kinds(data)).toEqual(["keyword", "type", "keyword", "string", "comment"]);
    expect(data.slice(15, 18)).toEqual([0, 7, encoding === "utf-8" ? 8 : 4]);
    const part = await client.ask<SemanticTokens>("textDocument/semanticTokens/range", uri, {
      range: rangeOf(text, "# end"),
    });
    expect(kinds(part.data)).toEqual(["comment"]);
  },
);

test("executes the commands of its lenses", async () => {
  const text = "from llama3.1:8b\n";
  const client = await started({
    options: { machine: "rtx4090-64g" },
    capabilities: { workspace: { applyEdit: true } },
  });
  client.open(uri, text);
  const execute = (command?: { command: string; arguments?: unknown[] }) =>
    client.connection.sendRequest("workspace/executeCommand", command);
  const lenses = await client.ask<CodeLens[]>("textDocument/codeLens", uri);
  const command = (name: string) =>
    lenses.find((lens) => lens.command?.command === `modelfile-lint.${name}`)?.command;
  expect(await execute(command("showPlan"))).toMatch(/rtx4090-64g[^]*num_ctx/);
  await client.until(() => client.shown.length > 0);
  expect(client.shown[0]).toContain("fits");
  expect(await execute(command("fixAll"))).toBe(true);
  expect(await execute(command("applyChange"))).toBe(true);
  const edits = client.asked.filter(({ method }) => method === "workspace/applyEdit");
  expect(JSON.stringify(edits[0]?.params)).toContain('"newText":"FROM"');
  expect(JSON.stringify(edits[1]?.params)).toContain("num_ctx");
  client.change(uri, 2, [{ text: `${text}# more\n` }]);
  await expect(execute(command("applyChange"))).rejects.toMatchObject({ code: -32801 });
  await expect(execute({ command: "modelfile-lint.unknown" })).rejects.toMatchObject({
    code: -32602,
  });
});

const page = (actions: readonly CodeAction[]) =>
  actions.find(({ title }) => title.includes("page"));

test("opens a rule's page where the client can", async () => {
  const range = rangeOf(wrong, "temprature");
  const context = { diagnostics: [] };
  const without = await started();
  without.open(uri, wrong);
  expect(
    page(await without.ask("textDocument/codeAction", uri, { range, context })),
  ).toBeUndefined();
  const client = await started({ capabilities: { window: { showDocument: { support: true } } } });
  client.open(uri, wrong);
  const action = page(await client.ask("textDocument/codeAction", uri, { range, context }));
  await client.connection.sendRequest("workspace/executeCommand", action?.command).catch(() => {});
  expect(client.asked.find(({ method }) => method === "window/showDocument")?.params).toMatchObject(
    {
      external: true,
      uri: expect.stringContaining("unknown-parameter"),
    },
  );
});

test("reads addresses as paths, and writes paths as addresses", () => {
  const pairs: [string, string | undefined][] = [
    ["file:///work/a%20b/Modelfile", "/work/a b/Modelfile"],
    ["file:///c%3A/x/Modelfile", "c:/x/Modelfile"],
    ["file://server/share/Modelfile", "//server/share/Modelfile"],
    ["untitled:Untitled-1", undefined],
    ["vscode-vfs://github/a/Modelfile", undefined],
    ["file:///bad%zz", undefined],
  ];
  for (const [address, path] of pairs) expect(pathOf(address)).toBe(path);
  for (const path of ["/work/a b#c/?/ü", "c:/x y", "//server/share/x"]) {
    expect(pathOf(uriOf(path))).toBe(path);
  }
});

test("asks a client without a file system for its files, under their addresses", async () => {
  const folder = "vscode-vfs://github/acme/models";
  const files = new Map([
    [`${folder}/.modelfile-lint.yaml`, "rules: { instruction-case: error }\n"],
    [`${folder}/a%20b.gguf`, "GGUF"],
  ]);
  const client = await connectedWorker({ files: true }, (method, address) => {
    const content = files.get(address);
    if (method.endsWith("/stat")) return content ? { kind: "file", size: content.length } : null;
    return [...new TextEncoder().encode(content)];
  });
  const place = `${folder}/Modelfile`;
  client.open(place, "from ./a b.gguf\nADAPTER ./none.gguf\n");
  const found = await client.diagnostics(place, has("path-not-found"));
  expect(found.filter(({ code }) => code === "path-not-found")).toHaveLength(1);
  expect(found.find(({ code }) => code === "instruction-case")?.severity).toBe(1);
  const links = await client.ask<DocumentLink[]>("textDocument/documentLink", place);
  expect(links[0]?.target).toBe(`${folder}/a%20b.gguf`);
});

test("says nothing of paths to a client that has no files for us", async () => {
  const client = await connectedWorker({}, () => null);
  client.open("vscode-vfs://github/acme/Modelfile", "from ./a.gguf\n");
  const found = await client.diagnostics(
    "vscode-vfs://github/acme/Modelfile",
    has("instruction-case"),
  );
  expect(codes(found)).not.toContain("path-not-found");
  expect(client.asked).toEqual([]);
});

/** A server with the host that it has in a worker. */
async function connectedWorker(
  options: object,
  answer: (method: string, address: string) => unknown,
): Promise<TestClient> {
  return started({
    options,
    hostFor: clientHost,
    around: { addressesFor },
    answer: (method, params) => answer(method, (params as { uri: string }).uri),
  });
}

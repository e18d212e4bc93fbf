import { spawn, type ChildProcess } from "node:child_process";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CancellationTokenSource } from "vscode-languageserver-protocol/node";
import { program } from "./command.js";
import { connect, memoryHost } from "./lsp-client.js";
import { runs } from "./runs.js";

const uri = "file:///work/Modelfile";
const other = "file:///work/other.Modelfile";

/** What a request may be about, rightly or wrongly. */
const positions = fc.oneof(
  fc.record({ line: fc.nat(6), character: fc.nat(40) }),
  fc.constantFrom(
    { line: 2 ** 31, character: 2 ** 31 },
    { line: -1, character: 0 },
    { line: 0.5, character: NaN },
    null,
    "here",
  ),
);
const documents = fc.constantFrom({ uri }, { uri: other }, { uri: "untitled:x" }, { uri: 7 }, null);
const requests = fc.constantFrom(
  "textDocument/hover",
  "textDocument/completion",
  "textDocument/documentSymbol",
  "textDocument/foldingRange",
  "textDocument/selectionRange",
  "textDocument/documentLink",
  "textDocument/definition",
  "textDocument/inlayHint",
  "textDocument/codeLens",
  "textDocument/codeAction",
  "textDocument/formatting",
  "textDocument/semanticTokens/full",
  "textDocument/semanticTokens/range",
  "textDocument/diagnostic",
  "completionItem/resolve",
  "codeAction/resolve",
  "workspace/executeCommand",
  "x/unknown",
);
const params = fc.record(
  {
    textDocument: documents,
    position: positions,
    positions: fc.array(positions, { maxLength: 3 }),
    range: fc.record({ start: positions, end: positions }),
    context: fc.oneof(
      fc.constant({ diagnostics: [] }),
      fc.record({
        only: fc.array(fc.constantFrom("", "quickfix", "source", "x"), { maxLength: 2 }),
      }),
      fc.constant(null),
    ),
    command: fc.constantFrom(
      "modelfile-lint.fixAll",
      "modelfile-lint.applyChange",
      "modelfile-lint.showPlan",
      "x",
    ),
    arguments: fc.array(
      fc.constantFrom(uri, 1, null, { title: "", edits: [{ start: 9e9, end: -1, text: "" }] }),
      {
        maxLength: 3,
      },
    ),
    data: fc.constantFrom([1, 0], [99, 99], { uri, version: 1 }, null),
    label: fc.constant("x"),
  },
  { requiredKeys: ["textDocument", "label"] },
);
const texts = fc.array(
  fc.constantFrom(
    "FROM llama3.2\n",
    "PARAMETER ",
    "num_ctx 1\n",
    'TEMPLATE """',
    "{{ if .X",
    "}}",
    "🙂",
    "\0",
    "\r",
    "\ud800",
  ),
  { maxLength: 8 },
);

type Step =
  | { kind: "request"; method: string; params: object; cancel: boolean }
  | { kind: "open" | "replace"; at: string; text: string; version: number }
  | { kind: "edit"; at: string; change: object; version: number }
  | { kind: "close" | "save"; at: string };

const steps: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("request" as const),
      method: requests,
      params,
      cancel: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom("open" as const, "replace" as const),
      at: fc.constantFrom(uri, other),
      text: texts.map((all) => all.join("")),
      version: fc.integer({ min: -3, max: 99 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("edit" as const),
      at: fc.constantFrom(uri, other, "file:///nowhere"),
      change: fc.record({
        range: fc.record({ start: positions, end: positions }),
        text: texts.map((all) => all.join("")),
      }),
      version: fc.nat(99),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constantFrom("close" as const, "save" as const),
      at: fc.constantFrom(uri, other),
    }),
  },
);

test("answers every request, in whatever order things come", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { maxLength: 25 }), async (sequence) => {
      const client = await connect({
        host: memoryHost({ "/work/x.gguf": "GGUF" }),
        capabilities: {
          workspace: {
            applyEdit: true,
            inlayHint: { refreshSupport: true },
            codeLens: { refreshSupport: true },
          },
        },
      });
      const { connection } = client;
      const notify = (method: string, sent: object) =>
        void connection.sendNotification(method, sent);
      const answers: Promise<unknown>[] = [];
      for (const step of sequence) {
        switch (step.kind) {
          case "request": {
            const source = new CancellationTokenSource();
            const answer = connection.sendRequest(step.method, step.params, source.token);
            answers.push(answer.catch(({ code }: { code: number }) => ({ code })));
            if (step.cancel) source.cancel();
            break;
          }
          case "open":
            notify("textDocument/didOpen", {
              textDocument: {
                uri: step.at,
                languageId: "modelfile",
                version: step.version,
                text: step.text,
              },
            });
            break;
          case "replace":
            client.change(step.at, step.version, [{ text: step.text }]);
            break;
          case "edit":
            notify("textDocument/didChange", {
              textDocument: { uri: step.at, version: step.version },
              contentChanges: [step.change],
            });
            break;
          default:
            notify(`textDocument/did${step.kind === "close" ? "Close" : "Save"}`, {
              textDocument: { uri: step.at },
            });
        }
      }
      const codes = (await Promise.all(answers)).map(
        (answer) => (answer as { code?: number } | null)?.code,
      );
      // A failure of our own.
      expect(codes, client.logged.join("\n")).not.toContain(-32603);
      client.open("file:///last/Modelfile", "FORM x\n");
      expect(await client.diagnostics("file:///last/Modelfile")).toMatchObject([
        { code: "unknown-instruction" },
      ]);
      await client.end();
    }),
    { numRuns: runs(12) },
  );
});

function framed(body: string): string {
  return `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

function message(content: object): string {
  return framed(JSON.stringify({ jsonrpc: "2.0", ...content }));
}

/** Messages as a server writes them, once one of them is wanted. */
function reading(child: ChildProcess) {
  let buffer = Buffer.alloc(0);
  const heard: Record<string, unknown>[] = [];
  const waiting: (() => void)[] = [];
  child.stdout?.on("data", (chunk: Buffer) => {
    buffer = Buffer.concat([buffer, chunk]);
    for (;;) {
      const head = /^Content-Length: (\d+)\r\n\r\n/.exec(
        buffer.subarray(0, 200).toString("latin1"),
      );
      const end = head ? head[0].length + Number(head[1]) : Infinity;
      if (!head || buffer.length < end) break;
      heard.push(JSON.parse(buffer.subarray(head[0].length, end).toString()));
      buffer = buffer.subarray(end);
    }
    for (const resolve of waiting.splice(0)) resolve();
  });
  return async (wanted: (one: Record<string, unknown>) => boolean) => {
    for (;;) {
      const found = heard.find(wanted);
      if (found) return found;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
}

/** What no client should send, each in a frame or without one. */
const nonsense = [
  "X-Other: 1\r\n\r\n",
  "no header at all\r\n\r\n",
  "something in front of a ",
  "Content-Length: 0\r\n\r\n",
  "Content-Length: many\r\n\r\n",
  "Content-Type: application/json\r\n\r\n",
  framed("{"),
  framed("\u0000\u0001"),
  framed("null"),
  framed("5"),
  framed("[]"),
  framed('"text"'),
  framed("[".repeat(50_000)),
  framed('{"jsonrpc":"2.0"}'),
  framed('{"jsonrpc":"2.0","id":null,"method":"textDocument/hover"}'),
  framed('{"jsonrpc":"2.0","method":"$/cancelRequest"}'),
  framed('{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":4711}}'),
  framed('{"jsonrpc":"2.0","id":4711,"result":{}}'),
  framed('{"jsonrpc":"2.0","id":4712,"error":{}}'),
  message({ method: "textDocument/didOpen" }),
  message({ method: "textDocument/didOpen", params: [1, 2] }),
  message({
    method: "textDocument/didChange",
    params: { textDocument: { uri }, contentChanges: 5 },
  }),
  message({ method: "workspace/didChangeConfiguration", params: 5 }),
  message({ method: "workspace/didChangeWatchedFiles", params: { changes: [null] } }),
  message({ method: "initialized" }),
  message({ method: "$/unknown", params: {} }),
  message({ id: "a", method: "textDocument/hover" }),
  message({ id: "b", method: "textDocument/hover", params: [uri] }),
  message({ id: "c", method: "initialize", params: {} }),
];

test("goes on after bytes that are no messages, and ends when it is told to", async () => {
  const child = spawn(process.execPath, [program, "lsp", "--stdio"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const ended = new Promise((resolve) => child.on("exit", resolve));
  const next = reading(child);
  const write = (text: string) => void child.stdin.write(text);
  write(message({ id: 0, method: "textDocument/hover", params: {} }));
  expect(await next(({ id }) => id === 0)).toMatchObject({ error: { code: -32002 } });
  for (const one of nonsense.slice(0, -1)) write(one);
  write(
    message({
      id: 1,
      method: "initialize",
      params: { processId: process.pid, rootUri: null, capabilities: {} },
    }),
  );
  expect(await next(({ id }) => id === 1)).toMatchObject({
    result: { serverInfo: { name: "modelfile-lint", version: "0.0.0-test" } },
  });
  write(message({ method: "initialized", params: {} }));
  for (const one of nonsense) write(one);
  const text = `FORM 🙂\n${"#\n".repeat(100_000)}`;
  const whole = message({
    method: "textDocument/didOpen",
    params: { textDocument: { uri, languageId: "modelfile", version: 1, text } },
  });
  // In pieces that cut characters in two.
  const bytes = Buffer.from(whole);
  for (let at = 0; at < bytes.length; at += 50_001)
    child.stdin.write(bytes.subarray(at, at + 50_001));
  const published = await next(({ method }) => method === "textDocument/publishDiagnostics");
  expect(JSON.stringify(published)).toContain("unknown-instruction");
  write(message({ id: 2, method: "shutdown" }));
  await next(({ id }) => id === 2);
  write(message({ method: "exit" }));
  expect(await ended).toBe(0);
});

test("ends with 1 when its client goes without a word", async () => {
  const child = spawn(process.execPath, [program, "lsp", "--stdio"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  const next = reading(child);
  child.stdin.write(
    message({
      id: 1,
      method: "initialize",
      params: { processId: null, rootUri: null, capabilities: {} },
    }),
  );
  await next(({ id }) => id === 1);
  const ended = new Promise((resolve) => child.on("exit", resolve));
  child.stdin.end();
  expect(await ended).toBe(1);
});

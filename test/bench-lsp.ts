import { execFileSync, spawn } from "node:child_process";

/*
 * What an editor waits for: the language server's start, and its diagnostics behind each key, over its own
 * standard input and output; and what the server takes of memory in the long run.
 */

/** Prints the tables. `command` is the built command; files by what they are called. */
export async function languageServer(
  command: string,
  files: Readonly<Record<string, string>>,
): Promise<void> {
  const [first = ""] = Object.values(files);
  const { server, bare } = await started(command, first);
  console.log("The language server");
  print("start to first diagnostics", `${ms(server)}, ${(server / bare).toFixed(1)} × node -e 0`);
  for (const [name, text] of Object.entries(files)) {
    const { median, p99 } = await typed(command, text);
    print(`a key in ${name}`, `median ${ms(median)}, p99 ${ms(p99)}`);
  }
  const { before, after } = await remembered(command, first);
  print(`memory after ${edits} edits`, `${mib(after)}; ${mib(before)} after ${firstEdits}`);
  console.log();
}

function print(what: string, figures: string): void {
  console.log(`  ${what.padEnd(30)}${figures}`);
}

const ms = (time: number) => `${time.toFixed(time < 10 ? 1 : 0)} ms`;
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`;

/** Milliseconds from the start of the process until the file that is opened has diagnostics, and of an empty process. */
async function started(command: string, text: string): Promise<{ server: number; bare: number }> {
  const servers: number[] = [];
  const empty: number[] = [];
  for (let round = 0; round < 9; round++) {
    const start = performance.now();
    const client = speakTo(command);
    client.open(text);
    await client.published(1);
    servers.push(performance.now() - start);
    client.end();
    const next = performance.now();
    execFileSync(process.execPath, ["-e", "0"]);
    empty.push(performance.now() - next);
  }
  return { server: at(servers, 0.5), bare: at(empty, 0.5) };
}

/** Keys that are pressed, one after another has been answered; the first ones warm up. */
const pressed = 300;
const warming = 50;

/** Milliseconds from a key to the diagnostics that follow it. */
async function typed(command: string, text: string): Promise<{ median: number; p99: number }> {
  const client = speakTo(command);
  client.open(text);
  await client.published(1);
  const taken: number[] = [];
  for (let version = 2; version < pressed + warming; version++) {
    const start = performance.now();
    client.type(version, "x");
    await client.published(version);
    if (version >= warming) taken.push(performance.now() - start);
  }
  client.end();
  return { median: at(taken, 0.5), p99: at(taken, 0.99) };
}

const edits = 10_000;
const firstEdits = 500;

/** Bytes of the process, soon after its start and in the end. */
async function remembered(
  command: string,
  text: string,
): Promise<{ before: number; after: number }> {
  const client = speakTo(command);
  client.open(text);
  await client.published(1);
  let before = 0;
  for (let version = 2; version <= edits; version++) {
    // A letter, and back.
    client.type(version, version % 2 === 0 ? "x" : undefined);
    if (version % 100 === 0) await client.published(version);
    if (version === firstEdits) before = client.memory();
  }
  await client.published(edits);
  const after = client.memory();
  client.end();
  return { before, after };
}

function at(numbers: number[], share: number): number {
  const sorted = numbers.toSorted((one, other) => one - other);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

function ignore(): void {}

const uri = "file:///nowhere/Modelfile";

/** A client of the least kind: it writes at once, and reads versions of diagnostics alone. */
function speakTo(command: string) {
  const child = spawn(process.execPath, [command, "lsp", "--stdio", "--no-cache"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const send = (content: object) => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...content });
    child.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
  };
  const heard = { version: 0, rest: "", wake: ignore };
  child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    const text = heard.rest + chunk;
    const versions = [...text.matchAll(/"version":(\d+),"diagnostics"/g)];
    heard.version = Number(versions.at(-1)?.[1] ?? heard.version);
    heard.rest = text.slice(-100);
    heard.wake();
  });
  send({
    id: 1,
    method: "initialize",
    params: { processId: null, rootUri: null, capabilities: {} },
  });
  send({ method: "initialized", params: {} });
  return {
    open: (text: string) =>
      send({
        method: "textDocument/didOpen",
        params: { textDocument: { uri, languageId: "modelfile", version: 1, text } },
      }),
    /** Puts a letter into the comment of the first line, or takes one away there. */
    type: (version: number, letter: string | undefined) => {
      const start = { line: 0, character: 1 };
      const range = { start, end: letter === undefined ? { line: 0, character: 2 } : start };
      const contentChanges = [{ range, text: letter ?? "" }];
      send({
        method: "textDocument/didChange",
        params: { textDocument: { uri, version }, contentChanges },
      });
    },
    async published(version: number) {
      while (heard.version < version) {
        await new Promise<void>((resolve) => (heard.wake = resolve));
      }
    },
    /** Of the process, resident. */
    memory: () => 1024 * Number(execFileSync("ps", ["-o", "rss=", "-p", String(child.pid)])),
    end: () => {
      send({ method: "exit" });
    },
  };
}

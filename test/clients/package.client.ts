import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readFile, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { bundle, root } from "../../src/build/bundle.mjs";
import { formatBytes } from "../../src/machines/sizes.js";
import { inFolder, output, packageProgram, packInto, ran } from "./client.js";

export const name = "npm package";
export const needs = ["npm", "npx", "git", "tar"];
export const packages = ["@arethetypeswrong/cli", "typescript"];

/** What belongs in the package; anything else in it is a mistake. */
const belongs = [
  /^(?:package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^schema\/[\w.-]+\.json$/,
  /^dist\/[\w.-]+\.js$/,
  /^dist\/parts\/(?:[\w-]+\/)*[\w.-]+\.js$/,
  /^dist\/types\/.*\.d\.ts$/,
];

interface Manifest {
  version: string;
  bin: Record<string, string>;
}

/** Uses of what the entries of the package bring. */
const programs: Readonly<Record<string, string>> = {
  index: `import { lint, parse } from "modelfile-lint";
export const found: string[] = (await lint("FROM llama3.2\\nPARAMETER temprature 0.7\\n")).map(({ rule }) => rule);
export const tree = parse("FROM llama3.2\\n");
if (found.join() !== "unknown-parameter") throw new Error(found.join());
if (!("groupBy" in Object)) throw new Error("src/compat.ts is lost");
`,
  node: `import * as node from "modelfile-lint/node";
if (Object.keys(node).length === 0) throw new Error("nothing");
`,
  ollama: `import { readModelfile } from "modelfile-lint/ollama";
const reading = readModelfile(new Uint8Array([70, 82, 79, 77, 32, 120, 10]), "0.5.4");
if (!reading.ok) throw new Error(reading.error);
export const first: string | undefined = reading.commands[0]?.name;
`,
  lsp: `import { createServer } from "modelfile-lint/lsp";
if (typeof createServer !== "function") throw new Error(typeof createServer);
`,
};

async function contents(tarball: string): Promise<void> {
  const listed = (await output("tar", ["-tzf", tarball])).trim().split("\n");
  const paths = listed.map((path) => path.replace(/^package\//, ""));
  const others = paths.filter((path) => !belongs.some((pattern) => pattern.test(path)));
  assert.deepEqual(others, [], "These do not belong in the package.");
}

/** What two linters of packages say, and what npm would on publishing. */
async function linted(tarball: string): Promise<void> {
  const bytes = await readFile(tarball);
  const copy = new ArrayBuffer(bytes.byteLength);
  new Uint8Array(copy).set(bytes);
  const { messages, pkg } = await publint({ pack: { tarball: copy }, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg ?? {}, { color: false })),
    [],
  );
  // The worker is a script to start, not a module to import.
  const how = [
    "--profile=esm-only",
    "--exclude-entrypoints=./lsp/worker",
    "--no-emoji",
    "--no-color",
  ];
  await output(packageProgram("attw"), [tarball, ...how]);
  const { code, stderr } = await ran("npm", [
    "publish",
    tarball,
    "--dry-run",
    "--loglevel",
    "warn",
  ]);
  assert.equal(code, 0, stderr);
  assert.doesNotMatch(stderr, /corrected/);
}

/** The main job, by both names, with nothing but what was packed. */
async function commands(project: string, { bin, version }: Manifest): Promise<void> {
  await cp(join(root, "examples/larger-than-ram"), join(project, "larger-than-ram"), {
    recursive: true,
  });
  const expected = await readFile(join(root, "examples/larger-than-ram/Modelfile"), "utf8");
  for (const program of Object.keys(bin)) {
    const npx = (...args: string[]) =>
      ran("npx", ["--offline", "--no", "--", program, ...args], { cwd: project });
    assert.match((await npx("--version")).stdout, new RegExp(`^modelfile-lint ${version}\\b`));
    const { code, stdout } = await npx("larger-than-ram/Modelfile", "--format=compact");
    assert.equal(code, 1);
    assert.match(stdout, /^larger-than-ram\/Modelfile:\d+:\d+: error: .* \[mmap-required\]$/m);
    assert.equal((await npx("plan", "larger-than-ram/Modelfile")).code, 1);
  }
  assert.equal(await readFile(join(project, "larger-than-ram/Modelfile"), "utf8"), expected);
}

/**
 * Each entry is compiled by two releases of TypeScript in two ways, and run by Node: strictly, libraries
 * included, and without the types of Node.
 */
async function uses(project: string, entries: readonly string[]): Promise<void> {
  const files = entries.map((entry) => `${entry}.ts`);
  for (const entry of entries) await writeFile(join(project, `${entry}.ts`), programs[entry]!);
  const compilerOptions = { strict: true, target: "es2022", types: [] };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
  for (const compiler of [root, join(root, "test/clients")]) {
    const tsc = join(compiler, "node_modules/typescript/bin/tsc");
    for (const [module, resolution] of [
      ["node16", "node16"],
      ["preserve", "bundler"],
    ]) {
      const how = ["--module", module!, "--moduleResolution", resolution!, "--outDir", "out"];
      await output(process.execPath, [tsc, ...how], { cwd: project });
    }
  }
  for (const entry of entries) {
    await output(process.execPath, [`${entry}.js`], { cwd: join(project, "out") });
  }
}

/** A bundler must not lose what an entry does as a whole, such as making up for what Node 20 lacks. */
async function bundled(project: string): Promise<void> {
  const outfile = join(project, "bundled.mjs");
  await bundle({
    absWorkingDir: project,
    entryPoints: ["index.ts"],
    outfile,
    platform: "browser",
    plugins: [],
    alias: {},
  });
  await output(process.execPath, [outfile]);
}

/** Asks the language server to introduce itself, and to go. Input stays open until then, as with editors. */
async function languageServer(project: string): Promise<void> {
  const program = join(project, "node_modules/modelfile-lint/dist/cli.js");
  const server = spawn(process.execPath, [program, "lsp", "--stdio"], { cwd: project });
  const ended = once(server, "close");
  let said = "";
  server.stderr.resume();
  const answered = new Promise<void>((resolve) => {
    server.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      said += chunk;
      if (said.includes('"id":2')) resolve();
    });
  });
  const send = (body: object) => {
    const text = JSON.stringify({ jsonrpc: "2.0", ...body });
    server.stdin.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  };
  const timer = setTimeout(() => server.kill(), 20_000);
  try {
    const params = { processId: null, rootUri: null, capabilities: {} };
    send({ id: 1, method: "initialize", params });
    send({ method: "initialized", params: {} });
    send({ id: 2, method: "shutdown" });
    await Promise.race([answered, ended]);
    send({ method: "exit" });
    const [code] = (await ended) as [number | null];
    assert.match(said, /"capabilities":\{/);
    assert.equal(code, 0, said);
  } finally {
    clearTimeout(timer);
  }
}

export async function test(): Promise<string> {
  return inFolder(async (folder) => {
    const { tarball, printed } = await packInto(folder);
    // pre-commit 3 takes all that is printed for the file's name.
    assert.equal(printed, `${tarball.slice(folder.length + 1)}\n`);
    await contents(tarball);
    await linted(tarball);

    const project = join(folder, "project");
    await mkdir(project);
    await writeFile(join(project, "package.json"), '{ "private": true, "type": "module" }\n');
    await output("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], {
      cwd: project,
    });
    const installed = join(project, "node_modules/modelfile-lint");
    const manifest = JSON.parse(
      await readFile(join(installed, "package.json"), "utf8"),
    ) as Manifest;
    await commands(project, manifest);
    await uses(project, ["index", "node", "ollama"]);
    await bundled(project);
    // Its types speak of a connection, which whoever makes one has.
    const library = "node_modules/vscode-languageserver";
    await symlink(join(root, library), join(project, library));
    await uses(project, ["lsp"]);
    await languageServer(project);
    const unpacked = await output("du", ["-sk", installed]);
    const [packed, onDisk] = [(await stat(tarball)).size, Number.parseInt(unpacked, 10) * 1024];
    return `${formatBytes(packed)} packed, ${formatBytes(onDisk)} installed`;
  });
}

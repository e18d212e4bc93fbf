import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hostWithin } from "../editors/vscode/src/host-within.js";
import { root } from "../src/build/bundle.mjs";
import { lookUp } from "../src/context.js";
import { newestRelease } from "../src/facts/release.js";
import { parseModelfile } from "../grammar/parser.js";
import type { Host } from "../src/host.js";
import { readSettings } from "../src/lsp/settings.js";
import { commands } from "../src/lsp/changes.js";
import { nodeHost } from "../src/node-host.js";
import pathNotFound from "../rules/path-not-found.js";

interface Manifest {
  contributes: {
    commands: { command: string }[];
    languages: { id: string; filenames: string[]; filenamePatterns: string[] }[];
    configuration: { properties: Record<string, { default: unknown }> };
  };
}

const folder = join(root, "editors/vscode");
const manifest = JSON.parse(await readFile(join(folder, "package.json"), "utf8")) as Manifest;

describe("the manifest", () => {
  test("has the server's settings, each with a default that the server takes", () => {
    const { properties } = manifest.contributes.configuration;
    const defaults = Object.entries(properties).map(([name, { default: value }]) => [
      name.replace(/^modelfile-lint\./, ""),
      value,
    ]);
    const { settings, problems } = readSettings(Object.fromEntries(defaults));
    expect(problems).toEqual([]);
    expect(settings).toEqual(readSettings({}).settings);
    // A name that the server does not know is near to one that it does.
    for (const [name] of defaults) {
      const wrong = readSettings({ [name as string]: Symbol("wrong") }).problems;
      if (name !== "trace.server") expect(wrong, String(name)).toHaveLength(1);
    }
  });

  test("names only commands that the server or the client has", async () => {
    const client = await readFile(join(folder, "src/extension.ts"), "utf8");
    const known: string[] = Object.values(commands);
    for (const { command } of manifest.contributes.commands) {
      const registered = client.includes(`registerCommand("${command}"`);
      expect(known.includes(command) !== registered, command).toBe(true);
    }
  });
});

describe("in a workspace that is not trusted", () => {
  let base: string;
  let host: Host;

  beforeAll(async () => {
    base = await mkdtemp(join(tmpdir(), "modelfile-lint-"));
    await mkdir(join(base, "workspace/models"), { recursive: true });
    await mkdir(join(base, "elsewhere"));
    for (const path of ["workspace/models/a.gguf", "elsewhere/b.gguf", "elsewhere/text"]) {
      await writeFile(join(base, path), "GGUF");
    }
    await symlink(join(base, "elsewhere"), join(base, "workspace/link"), "junction");
    host = hostWithin(nodeHost, [join(base, "workspace")]);
  });
  afterAll(() => rm(base, { recursive: true, force: true }));

  test("files of the workspace are read", async () => {
    const path = host.resolve(join(base, "workspace"), "models/a.gguf");
    expect(await host.stat(path)).toMatchObject({ kind: "file", size: 4 });
    expect(new TextDecoder().decode(await host.read(path))).toBe("GGUF");
    expect(await host.list(join(base, "workspace/models"))).toEqual(["a.gguf"]);
    expect(await host.stat(join(base, "workspace/none"))).toBeUndefined();
  });

  test.each(["elsewhere/b.gguf", "workspace/link/b.gguf", "workspace/../elsewhere/text"])(
    "%s is not",
    async (name) => {
      const path = join(base, name);
      await expect(host.read(path)).rejects.toThrow("not trusted");
      await expect(host.list(join(path, ".."))).rejects.toThrow("not trusted");
      // It is neither there nor missing: of the file itself nothing is told.
      const entry = await host.stat(path);
      expect(entry).toBeDefined();
      expect(entry?.size).not.toBe(4);
    },
  );

  test("a folder whose name begins like the workspace's is outside", async () => {
    await mkdir(join(base, "workspace-2"));
    await expect(host.list(join(base, "workspace-2"))).rejects.toThrow("not trusted");
  });

  test("neither programs nor the network nor the environment are used", () => {
    expect(Object.keys(host).sort()).toEqual(["list", "read", "resolve", "stat", "variable"]);
    expect(host.variable("PATH")).toBeUndefined();
  });

  test("a model elsewhere is not called missing", async () => {
    const file = parseModelfile(`FROM ${join(base, "elsewhere/none.gguf")}\n`);
    const inside = { release: newestRelease, server: {}, models: new Map<string, never>() };
    const setup = { ...inside, folder: join(base, "workspace"), modelsFolder: base };
    const found = await lookUp(file, { ...setup, host });
    expect([...pathNotFound.check(file, found.context)]).toEqual([]);
    const trusted = await lookUp(file, { ...setup, host: nodeHost });
    expect([...pathNotFound.check(file, trusted.context)]).toHaveLength(1);
  });
});

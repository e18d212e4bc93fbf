import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import process from "node:process";
import { root } from "../../src/build/bundle.mjs";
import { inFolder, output } from "./client.js";

/*
 * What the tests of editors share: a user with the command on PATH, the published cases, and what they must show.
 * Debian has the editors: neovim, vim-nox, vim-ale, emacs-nox, elpa-eglot, elpa-lsp-mode; kate, xvfb, xdotool, dbus.
 */

interface Case {
  /** The rules whose findings are shown. */
  rules: readonly string[];
  /** In one of the messages. */
  figure: RegExp;
  /** The rule whose quick fix is taken. */
  mend?: string;
}

/** The five published cases: folders of examples/. */
export const cases: Readonly<Record<string, Case>> = {
  "larger-than-ram": {
    rules: ["mmap-required"],
    figure: /247588783616 bytes \(230\.6 GiB\)/,
    mend: "mmap-required",
  },
  "many-cards": { rules: ["fewer-gpus-cheaper"], figure: /60\.1 GB.*43\.9 GB/ },
  "context-forces-cpu": {
    rules: ["context-forces-cpu", "default-value"],
    figure: /needs 14\.80 GiB, has 14\.47 GiB/,
    mend: "context-forces-cpu",
  },
  "tensor-split": {
    rules: ["fewer-gpus-cheaper", "unknown-parameter"],
    figure: /62\.9 GB/,
    mend: "unknown-parameter",
  },
  "amd-mapped": {
    rules: ["rocm-mmap-slow-load"],
    figure: /39\.60 GiB/,
    mend: "rocm-mmap-slow-load",
  },
};

/** What a script in an editor writes down. */
export interface Seen {
  cases: Record<string, { codes: string[]; messages: string[] }>;
  /** Over the model of many-cards. */
  hover: string;
  /** Behind `PARAMETER num_`. */
  completion: string[];
}

export interface Desk {
  /** The user's home, empty but for what a recipe puts there. */
  home: string;
  /** Copies of the published cases. */
  work: string;
  /** Where `modelfile-lint` lies, and the PATH that leads there. */
  command: string;
  path: string;
  /** Runs a program as that user. Throws where it fails, and returns what it prints. */
  run(program: string, args: readonly string[], env?: Record<string, string>): Promise<string>;
  /** What the editor's script has written. */
  seen(): Promise<Seen>;
  /** The text of a case's Modelfile, as it is on disk. */
  text(name: string): Promise<string>;
}

/** The built command: dist/, or another build. */
const built = process.env["MODELFILE_LINT_DIST"] ?? join(root, "dist");

/** Gives `use` a desk, and holds that every server that an editor has started is gone afterwards. */
export function atDesk<T>(use: (desk: Desk) => Promise<T>): Promise<T> {
  return inFolder(async (folder) => {
    const log = join(folder, "log");
    const desk = await prepared(folder, log);
    const told = await use(desk);
    await ended(log);
    return told;
  });
}

async function prepared(folder: string, log: string): Promise<Desk> {
  // With a blank and a letter beyond ASCII: addresses have to be made of it.
  const home = join(folder, "home of René");
  const work = join(home, "models");
  const bin = join(folder, "bin");
  const seen = join(folder, "seen.json");
  for (const one of [work, bin, log]) await mkdir(one, { recursive: true });
  const program = `#!/bin/sh
: > "${log}/$$"
exec "${process.execPath}" "${join(built, "cli.js")}" "$@" 2>> "${log}/stderr"
`;
  await writeFile(join(bin, "modelfile-lint"), program, { mode: 0o755 });
  for (const name of Object.keys(cases)) {
    await cp(join(root, "examples", name), join(work, name), { recursive: true });
  }
  const own = {
    HOME: home,
    XDG_CONFIG_HOME: join(home, ".config"),
    XDG_DATA_HOME: join(home, ".local/share"),
    XDG_STATE_HOME: join(home, ".local/state"),
    XDG_CACHE_HOME: join(home, ".cache"),
    PATH: `${bin}:${process.env["PATH"]}`,
    OLLAMA_MODELS: join(folder, "no-models"),
    LANG: "C.UTF-8",
    // For the scripts.
    MODELFILE_LINT_CASES: JSON.stringify(cases),
    MODELFILE_LINT_SEEN: seen,
  };
  return {
    home,
    work,
    command: join(bin, "modelfile-lint"),
    path: own.PATH,
    run: (name, args, env = {}) =>
      output(name, args, { cwd: work, env: { ...process.env, ...own, ...env } }),
    seen: async () => JSON.parse(await readFile(seen, "utf8")) as Seen,
    text: (name) => readFile(join(work, name, "Modelfile"), "utf8"),
  };
}

/** Throws unless a server was started, and all have ended without a word on stderr. */
async function ended(log: string): Promise<void> {
  const started = (await readdir(log)).map(Number).filter((pid) => pid > 0);
  assert.notEqual(started.length, 0, "No server was started.");
  const deadline = performance.now() + 5000;
  while (started.some(isRunning)) {
    assert.ok(performance.now() < deadline, "A server is left running.");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(await readFile(join(log, "stderr"), "utf8"), "");
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Emacs with modelfile-mode.el and a client's lines for init.el where docs/editors.md says; gives the versions. */
export function inEmacs(client: "eglot" | "lsp-mode"): Promise<string> {
  return atDesk(async (desk) => {
    const emacs = join(root, "editors/emacs");
    const home = join(desk.home, ".emacs.d");
    await mkdir(join(home, "modelfile-lint"), { recursive: true });
    await cp(join(emacs, "modelfile-mode.el"), join(home, "modelfile-lint/modelfile-mode.el"));
    await cp(join(emacs, `${client}.el`), join(home, "init.el"));
    const scripts = join(root, "test/clients/scripts");
    await desk.run("emacs", ["--batch", "--load", join(scripts, `${client}.el`)]);
    await checkCases(desk);
    await checkHelp(desk);
    await checkLayout(desk);
    return desk.run("emacs", ["--batch", "--load", join(scripts, "versions.el"), client]);
  });
}

/** Throws unless the editor has shown what the cases are about, and made their fixes. */
export async function checkCases(desk: Desk): Promise<void> {
  const seen = await desk.seen();
  for (const [name, { rules, figure, mend }] of Object.entries(cases)) {
    const shown = seen.cases[name];
    assert.deepEqual(shown?.codes, rules, `diagnostics of ${name}`);
    assert.match(shown.messages.join("\n"), figure);
    if (mend === undefined) continue;
    const fixed = await readFile(join(desk.work, name, "Modelfile.fixed"), "utf8");
    assert.equal(await desk.text(name), fixed, `${name} after the fix`);
  }
}

/** Throws unless hover tells of the model, and completion offers parameters. */
export async function checkHelp(desk: Desk): Promise<void> {
  const { hover, completion } = await desk.seen();
  assert.match(hover, /llama3\.3:70b/);
  assert.match(hover, /\d GiB/);
  for (const name of ["num_ctx", "num_gpu", "num_predict"]) {
    assert.ok(completion.includes(name), `${name} is not among ${completion.join()}`);
  }
}

/** Throws unless many-cards was laid out; the scripts have put `parameter temperature    0.5` and blank lines behind it. */
export async function checkLayout(desk: Desk): Promise<void> {
  const original = await readFile(join(root, "examples/many-cards/Modelfile"), "utf8");
  assert.equal(await desk.text("many-cards"), `${original}PARAMETER temperature 0.5\n`);
}

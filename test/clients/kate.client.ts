import assert from "node:assert/strict";
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../src/build/bundle.mjs";
import { atDesk, cases, type Desk } from "./editor.js";

export const name = "Kate";
export const needs = ["kate", "xvfb-run", "dbus-run-session", "xdotool"];

/** With the files where docs/editors.md says, and the question already answered that Kate asks before it starts a server. */
export function test(): Promise<string> {
  return atDesk(async (desk) => {
    const place = async (file: string, to: string) => {
      await mkdir(join(desk.home, to), { recursive: true });
      await cp(join(root, "editors/kate", file), join(desk.home, to, file));
    };
    await place("settings.json", ".config/kate/lspclient");
    await place("modelfile.xml", ".local/share/org.kde.syntax-highlighting/syntax");
    const { bin, log } = await recorded(desk);
    const allowed = `[lspclient]\nAllowedServerCommandLines=${join(bin, "modelfile-lint")} lsp --stdio\n`;
    await writeFile(join(desk.home, ".config/katerc"), allowed);

    // The finding that comes last of each, since it takes the plan.
    const waited = Object.entries(cases).map(([one, { rules }]) => `${one}:${rules[0]!}`);
    const order = [...waited.filter((one) => !one.startsWith("many-cards")), waited[1]!];
    const script = join(root, "test/clients/scripts/kate.sh");
    const inside = ["dbus-run-session", "--", "sh", script, log, ...order];
    await desk.run("xvfb-run", ["--auto-servernum", ...inside], {
      PATH: `${bin}:${desk.path}`,
      XDG_RUNTIME_DIR: bin,
    });

    const published = publications(await readFile(log, "utf8"));
    for (const [one, { rules, figure }] of Object.entries(cases)) {
      const own = published.filter(({ uri }) => uri.endsWith(`/${one}/Modelfile`));
      const whole = own.find(({ codes }) => codes.join() === rules.join());
      assert.ok(whole, `${one}: ${JSON.stringify(own)}`);
      assert.match(whole.messages.join("\n"), figure);
    }
    const original = await readFile(join(root, "examples/many-cards/Modelfile"), "utf8");
    const added = "PARAMETER temperature 0.5\nPARAMETER num_ctx\n";
    assert.equal(await desk.text("many-cards"), original + added);
    return (await desk.run("xvfb-run", ["--auto-servernum", "kate", "--version"])).trim();
  });
}

/** The command once more, writing down what it says to Kate. */
async function recorded(desk: Desk): Promise<{ bin: string; log: string }> {
  const bin = join(desk.home, "bin");
  const log = join(bin, "said");
  await mkdir(bin, { mode: 0o700 });
  const program = `#!/bin/sh\n"${desk.command}" "$@" | tee -a "${log}"\n`;
  await writeFile(join(bin, "modelfile-lint"), program, { mode: 0o755 });
  return { bin, log };
}

interface Publication {
  uri: string;
  codes: string[];
  messages: string[];
}

/** All diagnostics that a server has sent. */
function publications(said: string): Publication[] {
  return said.split(/Content-Length: \d+\r\n\r\n/).flatMap((text) => {
    const { method, params } = text === "" ? {} : JSON.parse(text);
    if (method !== "textDocument/publishDiagnostics") return [];
    const diagnostics = params.diagnostics as { code: string; message: string }[];
    return {
      uri: params.uri as string,
      codes: diagnostics.map(({ code }) => code).sort(),
      messages: diagnostics.map(({ message }) => message),
    };
  });
}

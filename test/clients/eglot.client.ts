import { cp, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../src/build/bundle.mjs";
import { atDesk, checkCases, checkHelp, checkLayout } from "./editor.js";

export const name = "Emacs with Eglot";
export const needs = ["emacs"];

/** With modelfile-mode.el and the lines for init.el where docs/editors.md says. */
export function test(): Promise<string> {
  return atDesk(async (desk) => {
    const emacs = join(root, "editors/emacs");
    const home = join(desk.home, ".emacs.d");
    await mkdir(join(home, "modelfile-lint"), { recursive: true });
    await cp(join(emacs, "modelfile-mode.el"), join(home, "modelfile-lint/modelfile-mode.el"));
    await cp(join(emacs, "eglot.el"), join(home, "init.el"));
    const scripts = join(root, "test/clients/scripts");
    await desk.run("emacs", ["--batch", "--load", join(scripts, "eglot.el")]);
    await checkCases(desk);
    await checkHelp(desk);
    await checkLayout(desk);
    return desk.run("emacs", ["--batch", "--load", join(scripts, "versions.el"), "eglot"]);
  });
}

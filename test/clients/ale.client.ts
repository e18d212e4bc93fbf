import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../src/build/bundle.mjs";
import { atDesk, checkCases, checkHelp, checkLayout } from "./editor.js";

export const name = "Vim with ALE";
export const needs = ["vim.nox"];

/** With the folder where docs/editors.md says, and Debian's vim-ale. */
export function test(): Promise<string> {
  return atDesk(async (desk) => {
    const vim = join(desk.home, ".vim");
    await cp(join(root, "editors/vim/runtime"), vim, { recursive: true });
    // As ale.vim says: in front of ALE.
    const settings = await readFile(join(root, "editors/vim/ale.vim"), "utf8");
    const vimrc = join(vim, "vimrc");
    await writeFile(
      vimrc,
      `set nocompatible\n${settings}filetype plugin on\nsyntax on\npackadd! ale\n`,
    );
    const script = join(root, "test/clients/scripts/ale.vim");
    await desk.run("vim.nox", ["-es", "-i", "NONE", "-n", "-u", vimrc, "-S", script]);
    await checkCases(desk);
    await checkHelp(desk);
    await checkLayout(desk);
    const [version] = (await desk.run("vim.nox", ["--version"])).split("\n");
    return version!.replace(/ \(.*/, "");
  });
}

import assert from "node:assert/strict";
import { cp } from "node:fs/promises";
import { join } from "node:path";
import { root } from "../../src/build/bundle.mjs";
import { atDesk, checkCases, checkHelp, checkLayout } from "./editor.js";

export const name = "Neovim";
export const needs = ["nvim"];

/** Neovim 0.11 has vim.lsp.enable, which is to be told of the description in lsp/; older ones are given one. */
const spy = `lua vim.lsp.enable = function(name)
  local path = vim.api.nvim_get_runtime_file("lsp/" .. name .. ".lua", false)[1]
  io.stdout:write(name .. ": " .. table.concat(dofile(path).cmd, " "))
end`.replaceAll("\n", " ");

/** With the folders where docs/editors.md says. */
export function test(): Promise<string> {
  return atDesk(async (desk) => {
    for (const folder of ["vim/runtime", "neovim"]) {
      await cp(join(root, "editors", folder), join(desk.home, ".config/nvim"), { recursive: true });
    }
    const headless = ["--headless", "-i", "NONE", "-n"];
    const script = join(root, "test/clients/scripts/nvim.lua");
    assert.equal(await desk.run("nvim", [...headless, "-S", script]), "");
    await checkCases(desk);
    await checkHelp(desk);
    await checkLayout(desk);
    assert.equal(
      await desk.run("nvim", [...headless, "--cmd", spy, "-c", "qall!", "tensor-split/Modelfile"]),
      "modelfile_lint: modelfile-lint lsp --stdio",
    );
    const [version] = (await desk.run("nvim", ["--version"])).split("\n");
    return version!;
  });
}

// What npm runs after an installation in this folder and before it packs: builds dist/.
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

// For `npm install --global` of a git repository, which is what pre-commit does, npm up to 11 forgets to
// install what the build needs (npm/cli #8440, npm/pacote #494).
const npm = process.env.npm_execpath;
if (npm !== undefined && !existsSync(join(root, "node_modules/esbuild"))) {
  const options = ["--no-global", "--include=dev", "--ignore-scripts", "--no-audit", "--no-fund"];
  execFileSync(process.execPath, [npm, "ci", ...options], { cwd: root, stdio: "inherit" });
}
await import("./build.mjs");

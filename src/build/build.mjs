// Builds dist/: one bundle per front end, lazily loaded parts in chunks of their own, and the types.
import { execFileSync } from "node:child_process";
import { chmod, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { bundle, command, root } from "./bundle.mjs";

const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
await rm(join(root, "dist"), { recursive: true, force: true });
await bundle({
  entryPoints: {
    ...command,
    index: "src/index.ts",
    lsp: "src/lsp/server.ts",
    node: "src/node.ts",
    ollama: "src/ollama.ts",
  },
  outdir: "dist",
  splitting: true,
  chunkNames: "parts/[name]-[hash]",
  minify: true,
  define: { MODELFILE_LINT_VERSION: JSON.stringify(version) },
});
// Classic workers, as editors in browsers start them, are one script without imports.
await bundle({
  entryPoints: { "lsp-worker": "src/lsp/worker.ts" },
  outdir: "dist",
  platform: "browser",
  format: "iife",
  minify: true,
});
await chmod(join(root, "dist/cli.js"), 0o755);
if (!process.argv.includes("--no-types")) {
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [tsc, "-p", "tsconfig.types.json"], {
    cwd: root,
    stdio: "inherit",
  });
}

// Runs a TypeScript program of this repository: node src/build/run.mjs FILE [ARGUMENT…]
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundle, root } from "./bundle.mjs";

const [, , file, ...rest] = process.argv;
const folder = join(root, "node_modules/.cache/modelfile-lint");
await mkdir(folder, { recursive: true });
const outfile = join(folder, `${file.replaceAll(/[^A-Za-z0-9]/g, "-")}.mjs`);
await bundle({
  entryPoints: [file],
  outfile,
  packages: "external",
  alias: {},
  sourcemap: "inline",
});
process.argv = [process.argv[0], join(root, file), ...rest];
await import(pathToFileURL(outfile).href);

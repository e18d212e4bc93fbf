// How TypeScript becomes JavaScript here: the one place that knows the bundler.
import { build } from "esbuild";
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository, also when this file has been bundled into another program. */
export const root = repository(dirname(fileURLToPath(import.meta.url)));

function repository(folder) {
  return existsSync(join(folder, "package.json")) ? folder : repository(dirname(folder));
}

/** JSON as a string handed to JSON.parse: V8 reads that several times faster than an object literal. */
const json = {
  name: "json",
  setup(build) {
    build.onLoad({ filter: /\.json$/ }, async ({ path }) => {
      const compact = JSON.stringify(JSON.parse(await readFile(path, "utf8")));
      return { contents: `export default JSON.parse(${JSON.stringify(compact)});`, loader: "js" };
    });
  },
};

/** The command, and what its threads run; tinypool looks for its own part beside the file that it is in. */
export const command = {
  cli: "src/cli/main.ts",
  "parts/check-files": "src/cli/check-files.ts",
  "parts/entry/worker": "node_modules/tinypool/dist/entry/worker.js",
};

/**
 * The rules of secretlint that are used read text alone. One that is not used opens key files, and brings
 * node-forge (a third of a megabyte) and modules of Node that no browser has.
 */
const secretlint = {
  name: "secretlint",
  setup(build) {
    build.onResolve({ filter: /^(?:node:|\.\/)/ }, ({ path, importer, kind }) => {
      if (!/@secretlint[\\/]secretlint-rule-preset/.test(importer)) return undefined;
      const unused = path.startsWith("node:") || kind === "dynamic-import";
      return unused ? { path, namespace: "unused", sideEffects: false } : undefined;
    });
    build.onLoad({ filter: /./, namespace: "unused" }, () => ({ contents: "export default {};" }));
  },
};

/** @param {import("esbuild").BuildOptions} options */
export function bundle(options) {
  return build({
    absWorkingDir: root,
    bundle: true,
    format: "esm",
    platform: "node",
    target: "node20",
    logLevel: "warning",
    legalComments: "none",
    // yaml's build for Node is CommonJS, which an ES module bundle cannot load; its browser build is not.
    alias: {
      yaml: join(root, "node_modules/yaml/browser/index.js"),
    },
    plugins: [json, secretlint],
    ...options,
  });
}

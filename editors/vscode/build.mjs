// Builds dist/extension/, everything that the extension is made of, and packs it: dist/modelfile-lint-VERSION.vsix.
// `--no-package` leaves packing out, which takes most of the time.
import { execFileSync } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { bundle, root } from "../../src/build/bundle.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(here, "dist/extension");

/** What the extension consists of; a file more or less stops the build. */
const contents = [
  "CHANGELOG.md",
  "LICENSE",
  "README.md",
  "client-web.js",
  "client.js",
  "icon.png",
  "language-configuration.json",
  "package.json",
  "schema/config.schema.json",
  "server-web.js",
  "server.js",
  "syntaxes/modelfile.tmLanguage.json",
];

const { version } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
await rm(join(here, "dist"), { recursive: true, force: true });
await mkdir(out, { recursive: true });
await Promise.all([bundles(), copies(), manifest(), readme()]);
const made = await files(out);
if (made.join() !== contents.join()) {
  throw new Error(
    `The extension is to consist of\n${contents.join("\n")}\nand has\n${made.join("\n")}`,
  );
}
if (!process.argv.includes("--no-package")) await pack();

/** Client and server, for Node.js and for browsers. VS Code loads CommonJS; a worker is a plain script. */
async function bundles() {
  const common = {
    minify: true,
    external: ["vscode"],
    define: { MODELFILE_LINT_VERSION: JSON.stringify(version) },
  };
  const node = { ...common, format: "cjs", outdir: out };
  const browser = { ...common, platform: "browser", target: "es2022" };
  await Promise.all([
    bundle({ ...node, entryPoints: { client: join(here, "src/desktop.ts") } }),
    bundle({ ...node, entryPoints: { server: join(here, "src/server.ts") } }),
    bundle({
      ...browser,
      format: "cjs",
      entryPoints: [join(here, "src/web.ts")],
      outfile: join(out, "client-web.js"),
    }),
    bundle({
      ...browser,
      format: "iife",
      entryPoints: [join(here, "src/worker.ts")],
      outfile: join(out, "server-web.js"),
    }),
  ]);
}

async function copies() {
  await mkdir(join(out, "syntaxes"));
  await mkdir(join(out, "schema"));
  const from = {
    LICENSE: "LICENSE",
    "syntaxes/modelfile.tmLanguage.json": "grammar/modelfile.tmLanguage.json",
    "schema/config.schema.json": "schema/config.schema.json",
    "icon.png": "editors/vscode/icon.png",
    "CHANGELOG.md": "editors/vscode/CHANGELOG.md",
    "language-configuration.json": "editors/vscode/language-configuration.json",
  };
  for (const [to, path] of Object.entries(from)) await copyFile(join(root, path), join(out, to));
}

/** The manifest without what only building needs, and with every rule's name for the setting of rules. */
async function manifest() {
  const own = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
  for (const key of ["type", "private", "devDependencies", "allowScripts"]) delete own[key];
  const { definitions } = JSON.parse(
    await readFile(join(root, "schema/config.schema.json"), "utf8"),
  );
  const { properties } = own.contributes.configuration;
  const rules = Object.entries(definitions.rules.properties).map(([id, { description }]) => {
    return [id, { description, enum: definitions.severity.enum }];
  });
  Object.assign(properties["modelfile-lint.rules"], {
    properties: Object.fromEntries(rules),
    additionalProperties: false,
  });
  await writeFile(join(out, "package.json"), `${JSON.stringify({ ...own, version })}\n`);
}

/** Pictures of the repository by addresses that a page elsewhere can show. */
async function readme() {
  const text = await readFile(join(here, "README.md"), "utf8");
  const base = "https://raw.githubusercontent.com/modelfile-lint/modelfile-lint/main/";
  await writeFile(join(out, "README.md"), text.replaceAll("](../../", `](${base}`));
}

async function files(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(folder.length + 1))
    .map((path) => path.replaceAll("\\", "/"))
    .sort();
}

async function pack() {
  const vsce = createRequire(import.meta.url).resolve("@vscode/vsce/vsce");
  const vsix = join(here, `dist/modelfile-lint-${version}.vsix`);
  const given = ["package", "--no-dependencies", "--out", vsix];
  const options = { cwd: out, stdio: ["ignore", "pipe", "pipe"], encoding: "utf8" };
  execFileSync(process.execPath, [vsce, ...given], options);
  for (const file of contents) {
    console.log(`${kilobytes((await stat(join(out, file))).size)}  ${file}`);
  }
  console.log(`${kilobytes((await stat(vsix)).size)}  ${vsix}`);
}

function kilobytes(bytes) {
  return `${(bytes / 1000).toFixed(1).padStart(8)} kB`;
}

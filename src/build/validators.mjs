// Compiles the JSON Schemas of user files into plain functions, so that no schema compiler is needed
// at run time: node src/build/validators.mjs [--check]
import Ajv from "ajv";
import standalone from "ajv/dist/standalone/index.js";
import { build } from "esbuild";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./bundle.mjs";

/** Each schema, and the TypeScript type of the values that fit it. */
const schemas = [
  { schema: "src/machines/profile.schema.json", type: "Profile", from: "./profile.js" },
  { schema: "src/config/config.schema.json", type: "Written", from: "./config.js" },
];

/**
 * Writes the validators, or with `check` only looks. Returns the files that were stale, relative to
 * the repository.
 * @param {boolean} check
 * @returns {Promise<string[]>}
 */
export async function generateValidators(check) {
  const stale = [];
  for (const { schema, type, from } of schemas) {
    const code = await validator(JSON.parse(await readFile(join(root, schema), "utf8")));
    const file = schema.replace(/\.schema\.json$/, ".validate.js");
    const note = `// Generated from ${schema.split("/").at(-1)} by src/build/validators.mjs.\n`;
    const types = `import type { Schema } from "../schema.js";
import type { ${type} } from "${from}";

export declare const validate: Schema<${type}>["validate"];
export declare const names: Schema<${type}>["names"];
`;
    for (const [path, text] of [
      [file, note + code],
      [file.replace(/\.js$/, ".d.ts"), note + types],
    ]) {
      const old = await readFile(join(root, path), "utf8").catch(() => undefined);
      if (old === text) continue;
      stale.push(path);
      if (!check) await writeFile(join(root, path), text);
    }
  }
  return stale;
}

async function validator(schema) {
  const whole = resolved(schema, schema.definitions);
  delete whole.definitions;
  const ajv = new Ajv({
    allErrors: true,
    allowUnionTypes: true,
    messages: false,
    code: { source: true, esm: true },
  });
  ajv.addSchema(bare(whole), "schema");
  const names = `export const names = ${JSON.stringify(namesOf(whole))};`;
  // Bundling brings in the helpers of ajv that the code may ask for.
  const { outputFiles } = await build({
    stdin: {
      contents: `${standalone(ajv, { validate: "schema" })}\n${names}`,
      resolveDir: root,
      loader: "js",
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    charset: "utf8",
    legalComments: "none",
  });
  return outputFiles[0].text.replace(/^\/\/ <stdin>\n/m, "");
}

/**
 * The schema with definitions in the place of references, so that every violation has a pointer of
 * its own. What another schema describes is checked where it is read; here any mapping will do.
 */
function resolved(node, definitions) {
  if (typeof node !== "object" || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => resolved(item, definitions));
  if (typeof node.$ref === "string") {
    const local = /^#\/definitions\/(.*)$/.exec(node.$ref);
    return local ? resolved(definitions[local[1]], definitions) : { type: "object" };
  }
  return Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key, resolved(value, definitions)]),
  );
}

/** The schema without what only people read. */
function bare(node, named = false) {
  if (typeof node !== "object" || node === null) return node;
  if (Array.isArray(node)) return node.map((item) => bare(item));
  const kept = Object.entries(node).filter(
    ([key]) => named || !["$schema", "title", "description", "examples"].includes(key),
  );
  return Object.fromEntries(
    kept.map(([key, value]) => [key, bare(value, key === "properties" && !named)]),
  );
}

/** What messages say about a schema, by JSON pointer: keys of closed mappings, titles, examples. */
function namesOf(schema) {
  const names = { keys: {}, titles: {}, examples: {} };
  const visit = (node, pointer) => {
    if (typeof node !== "object" || node === null) return;
    if (node.additionalProperties === false && node.properties) {
      names.keys[pointer] = Object.keys(node.properties).filter((key) => !key.startsWith("$"));
    }
    if (typeof node.title === "string" && pointer !== "#") names.titles[pointer] = node.title;
    if (typeof node.examples?.[0] === "string") names.examples[pointer] = node.examples[0];
    for (const [key, child] of Object.entries(node)) {
      if (key !== "examples") visit(child, `${pointer}/${key}`);
    }
  };
  visit(schema, "#");
  return names;
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const check = process.argv.includes("--check");
  const stale = await generateValidators(check);
  for (const path of stale) console.log(`${path} ${check ? "is stale" : "written"}`);
  if (check && stale.length > 0) process.exitCode = 1;
}

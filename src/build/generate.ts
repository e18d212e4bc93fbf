// Writes the files that follow from others; with --check only looks, and exits 1 when one is stale.
import { existsSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { rules } from "../../rules/index.js";
import {
  engines,
  foreignHelp,
  foreignNames,
  type ForeignParameter,
} from "../facts/foreign-parameters.js";
import { errorList, repairs, ruleList, rulePage, type Repair } from "../report/rule-page.js";
import { root } from "./bundle.mjs";
import { renderDiagram } from "./diagram.js";
import { kateSyntax, vimSyntax, withWords } from "./editor-syntax.js";
import { generateValidators } from "./validators.mjs";

const check = process.argv.includes("--check");
const stale: string[] = [];

const ruleIds = (await readdir(join(root, "rules")))
  .filter((name) => name.endsWith(".ts") && name !== "index.ts")
  .map((name) => name.slice(0, -".ts".length))
  .sort();

await file("rules/index.ts", ruleIndex());
await file("schema/profile.schema.json", await text("src/machines/profile.schema.json"));
await file("schema/lint-report.schema.json", await text("src/report/lint-report.schema.json"));
await file("schema/config.schema.json", configSchema(await text("src/config/config.schema.json")));
await file("grammar/diagram.svg", renderDiagram());
await file("README.md", withExamples(await text("README.md")));
await file("editors/vim/runtime/syntax/modelfile.vim", vimSyntax());
await file("editors/kate/modelfile.xml", kateSyntax());
const modelfileMode = "editors/emacs/modelfile-mode.el";
await file(modelfileMode, withWords(await text(modelfileMode)));
await file("docs/editors.md", withFiles(await text("docs/editors.md")));
await pages();
stale.push(...(await generateValidators(check)));

for (const path of stale)
  console.log(check ? `${path} is stale. Run npm run generate.` : `wrote ${path}`);
if (check && stale.length > 0) process.exitCode = 1;

async function file(path: string, content: string): Promise<void> {
  const full = join(root, path);
  if (existsSync(full) && (await text(path)) === content) return;
  stale.push(path);
  if (check) return;
  await mkdir(dirname(full), { recursive: true });
  await writeFile(full, content);
}

/** A page for each rule, and their indexes; pages of rules that are gone go too. */
async function pages(): Promise<void> {
  const mended = new Map<string, Repair[]>();
  for (const rule of rules) {
    const own = repairsIn(await text(`rules/${rule.id}.ts`));
    mended.set(rule.id, own);
    const appendix = rule.id === "unknown-parameter" ? foreignTable() : [];
    await file(`docs/rules/${rule.id}.md`, rulePage(rule, { repairs: own, appendix }));
  }
  await file(
    "docs/rules/README.md",
    ruleList(rules, (id) => mended.get(id) ?? []),
  );
  await file("docs/errors.md", errorList(rules));
  for (const name of await readdir(join(root, "docs/rules"))) {
    if (name === "README.md" || ruleIds.includes(name.replace(/\.md$/, ""))) continue;
    stale.push(`docs/rules/${name}`);
    if (!check) await rm(join(root, "docs/rules", name));
  }
}

/** How a rule mends what it finds, from its source: every fix says there whether it is safe. */
function repairsIn(source: string): Repair[] {
  const said = [...source.matchAll(/\bsafety: ([^,\n]+)/g)].map(([, value]) => value!);
  return repairs.filter((repair) =>
    repair === "suggestion"
      ? /\bsuggestions\b/.test(source)
      : said.some((value) => value.includes(`"${repair}"`)),
  );
}

/** What every name of another engine is here, in Markdown. */
function foreignTable(): string[] {
  const parts = Object.entries(engines).map(([key, { name, source }]) => {
    const names = new Map<string, string[]>();
    for (const [foreign, meaning] of foreignNames().filter(([, { of }]) => of === key)) {
      const here = inOllama(meaning);
      names.set(here, [...(names.get(here) ?? []), `\`${foreign}\``]);
    }
    const rows = [...names].map(([here, there]) => `| ${there.join(", ")} | ${here} |`);
    return ["", `### ${name}`, "", `${source}.`, "", "| there | here |", "|---|---|", ...rows];
  });
  return [
    "## Names of other engines",
    "",
    "Case, hyphens and underscores do not matter. A parameter alone takes the value as it is.",
    ...parts.flat(),
  ];
}

function inOllama(meaning: ForeignParameter): string {
  const { use, value, except, becomes } = meaning;
  const became = Object.entries(becomes ?? {}).map(
    ([there, here]) => `\`${there}\`: ${here === "" ? "leave the line out" : `\`${here}\``}`,
  );
  const but = except ? `, but for ${except.map((one) => `\`${one}\``).join(", ")}` : "";
  const parameter = use === undefined ? [] : [`\`${use}\`${value ? ", with another value" : but}`];
  const help = foreignHelp(meaning);
  return [
    ...parameter,
    ...(became.length > 0 ? [became.join(", ")] : []),
    ...(help ? [help] : []),
  ].join(". ");
}

function text(path: string): Promise<string> {
  return readFile(join(root, path), "utf8");
}

function camelCase(id: string): string {
  return id.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function ruleIndex(): string {
  return `// Generated from the files of this folder by src/build/generate.ts.
import type { Rule } from "../src/rule.js";
${ruleIds.map((id) => `import ${camelCase(id)} from "./${id}.js";`).join("\n")}

export const rules: readonly Rule[] = [
${ruleIds.map((id) => `  ${camelCase(id)},`).join("\n")}
];

export function ruleNamed(id: string): Rule | undefined {
  return rules.find((rule) => rule.id === id);
}
`;
}

/** What the examples say, between the comments that name them. */
function withExamples(readme: string): string {
  return readme.replaceAll(
    /(<!-- example:([\w-]+) -->\n)[^]*?(<!-- \/example -->)/g,
    (_, open: string, name: string, close: string) => {
      const says = readFileSync(join(root, "examples", name, "says.txt"), "utf8").trimEnd();
      return `${open}\n\`\`\`\n$ modelfile-lint examples/${name}/Modelfile\n${says}\n\`\`\`\n\n${close}`;
    },
  );
}

/** Files as they are, between the comments that name them. */
function withFiles(page: string): string {
  return page.replaceAll(
    /(<!-- file:(\S+) -->\n+```\w+\n)[^]*?(```\n+<!-- \/file -->)/g,
    (_, open: string, path: string, close: string) =>
      open + readFileSync(join(root, path), "utf8") + close,
  );
}

/** The schema that editors use also knows the rules: they complete their names and say what each is about. */
function configSchema(source: string): string {
  const schema = JSON.parse(source) as {
    definitions: {
      rules: { properties?: unknown; additionalProperties: unknown };
      severity?: unknown;
    };
  };
  const { definitions } = schema;
  definitions.severity = definitions.rules.additionalProperties;
  definitions.rules.additionalProperties = false;
  definitions.rules.properties = Object.fromEntries(
    rules.map(({ id, summary, severity, optional }) => {
      const usual = optional
        ? `off; ${severity === "info" ? "warning" : severity} with extends: strict`
        : severity;
      const description = `${summary}. Default: ${usual}.`;
      // Editors show what stands beside a reference; validators pass over it.
      return [id, { description, $ref: "#/definitions/severity" }];
    }),
  );
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

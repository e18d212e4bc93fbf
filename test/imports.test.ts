import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";
import { expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * From the ground up: a file imports from its own layer and from those before it. A single file may
 * stand elsewhere than its folder.
 */
const layers: readonly (readonly string[])[] = [
  [
    "src/facts/",
    "src/compat.ts",
    "src/host.ts",
    "src/machines/sizes.ts",
    "src/nearest.ts",
    "src/once.ts",
    "src/schema.ts",
    "src/yaml.ts",
  ],
  ["grammar/"],
  // Text edits that rules offer as fixes.
  ["src/fix/lines.ts", "src/fix/places.ts"],
  ["src/machines/"],
  ["src/config/"],
  ["src/models/"],
  ["src/memory/"],
  ["src/prompt/"],
  // What Ollama decides; what is allocated follows in plan.
  ["src/ollama/"],
  ["src/plan/"],
  ["src/certainty.ts", "src/directives.ts", "src/finding.ts", "src/rule.ts", "src/secrets.ts"],
  ["rules/"],
  ["src/lint.ts"],
  ["src/context.ts"],
  ["src/setups.ts"],
  ["src/fix/"],
  ["src/embedded/"],
  ["src/editor/"],
  ["src/report/"],
  ["src/judge.ts"],
  ["src/compile/"],
  ["src/cli/", "src/lsp/", "src/index.ts", "src/node", "src/ollama.ts"],
  ["src/build/"],
];

/** Where the file system and the process may be touched. */
const outside = /^src\/(?:cli\/|node(?:-\w+)?\.ts$)/;

/** The layer of a file: of the longest entry that its path begins with. */
function layerOf(file: string): number {
  let layer = -1;
  let longest = 0;
  for (const [index, entries] of layers.entries()) {
    for (const entry of entries) {
      if (!file.startsWith(entry) || entry.length <= longest) continue;
      longest = entry.length;
      layer = index;
    }
  }
  return layer;
}

const files = globSync(["grammar/**/*.ts", "rules/**/*.ts", "src/**/*.ts"], {
  cwd: root,
  // Declarations of generated files name the types that those files check.
  ignore: ["**/*.d.ts"],
}).sort();

interface Import {
  file: string;
  /** A path in the repository, or a module of Node. */
  target: string;
}

// Programs that build the repository may import anything, and hold imports in the text that they write.
const product = files.filter((file) => !file.startsWith("src/build/"));

const imports: Import[] = product.flatMap((file) => {
  const text = readFileSync(join(root, file), "utf8");
  const found = text.matchAll(/\b(?:from|import)\s*\(?\s*"((?:\.|node:)[^"]+)"/g);
  return [...found].map(([, target]) => ({
    file,
    target: target!.startsWith("node:")
      ? target!
      : normalize(join(dirname(file), target!)).replace(/(?<!\.validate)\.js$/, ".ts"),
  }));
});

const printed = ({ file, target }: Import) => `${file} → ${target}`;

test("every file has its layer", () => {
  expect(files.length).toBeGreaterThan(40);
  expect(imports.length).toBeGreaterThan(100);
  expect(files.filter((file) => layerOf(file) < 0)).toEqual([]);
});

test("imports lead to what exists", () => {
  const own = imports.filter(({ target }) => target.endsWith(".ts"));
  expect(own.filter(({ target }) => !files.includes(target)).map(printed)).toEqual([]);
});

test("no file imports from a layer above its own", () => {
  const upwards = imports.filter(
    ({ file, target }) => !target.startsWith("node:") && layerOf(target) > layerOf(file),
  );
  expect(upwards.map(printed)).toEqual([]);
});

test("the core touches neither files nor the process", () => {
  const touching = imports.filter(
    ({ file, target }) => target.startsWith("node:") && !outside.test(file),
  );
  expect(touching.map(printed)).toEqual([]);
});

test("no imports form a circle", () => {
  const targets = new Map(
    product.map((file) => [file, imports.filter((one) => one.file === file)] as const),
  );
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start >= 0) circles.push([...path.slice(start), file].join(" → "));
    if (start >= 0 || done.has(file)) return;
    for (const { target } of targets.get(file) ?? []) visit(target, [...path, file]);
    done.add(file);
  };
  for (const file of product) visit(file, []);
  expect(circles).toEqual([]);
});

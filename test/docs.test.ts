import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { globSync } from "tinyglobby";
import { parse } from "yaml";
import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { ruleNamed, rules } from "../rules/index.js";
import { configuration } from "../src/cli/init.js";
import { readOptions } from "../src/cli/options.js";
import { verbNames } from "../src/cli/verbs.js";
import { readConfig, unknownRules } from "../src/config/config.js";
import { directivesIn } from "../src/directives.js";
import { nearest } from "../src/nearest.js";
import { readModelfile } from "../src/ollama.js";
import { readProfile } from "../src/machines/profile.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const pages = ["README.md", "CONTRIBUTING.md", ...globSync("docs/*.md", { cwd: root }).sort()];

interface Block {
  /** "docs/ci.md:12". */
  at: string;
  /** What stands behind the fence: "yaml", "modelfile refused". */
  info: string;
  text: string;
}

const blocks: Block[] = pages.flatMap((page) => {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```([^\n`]*)\n([^]*?)^```$/gm)].map(
    ([, info = "", inside = ""], i) => ({
      at: `${page}, block ${i + 1}`,
      info: info.trim(),
      text: inside,
    }),
  );
});

function blocksOf(language: string): [string, Block][] {
  return blocks
    .filter(({ info }) => info.split(" ")[0] === language)
    .map((block) => [block.at, block]);
}

/** A workflow of somebody else's program, by the keys that those have and ours do not. */
function isForeign(text: string): boolean {
  const keys = ["jobs", "repos", "steps", "stages", "script", "include", "services", "apiVersion"];
  const value = parse(text) as unknown;
  if (Array.isArray(value)) return true;
  const inside = typeof value === "object" && value ? Object.values(value) : [];
  return [value, ...inside].some(
    (one) => typeof one === "object" && one !== null && keys.some((key) => key in one),
  );
}

describe("YAML in the pages", () => {
  const own = blocksOf("yaml").filter(([, { text }]) => !isForeign(text));

  test("is there", () => {
    expect(own.length).toBeGreaterThan(10);
  });

  test.each(own)("%s is a configuration or a profile", async (_, { text }) => {
    const isProfile = Object.hasOwn(parse(text) as object, "ram");
    if (isProfile)
      expect((await readProfile(text, "profile.yaml")).memory.total).toBeGreaterThan(0);
    else {
      const config = await readConfig(text, "config.yaml");
      expect(
        unknownRules(
          config,
          rules.map(({ id }) => id),
        ),
      ).toEqual([]);
    }
  });
});

describe("Modelfiles in the pages", () => {
  test("are there", () => {
    expect(blocksOf("modelfile")).not.toEqual([]);
  });

  test.each(blocksOf("modelfile"))("%s is read by Ollama, or marked as refused", (_, block) => {
    const { ok } = readModelfile(new TextEncoder().encode(block.text));
    expect(ok).toBe(!block.info.endsWith(" refused"));
    const named = directivesIn(parseModelfile(block.text)).flatMap((one) => one.rules);
    expect(named.filter(({ text }) => !ruleNamed(text))).toEqual([]);
  });
});

/** Calls of our command in a shell's text, as lists of arguments. */
function callsIn(text: string): string[][] {
  const words = /"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'|;&<>()]+|[|;&<>()]+/g;
  return text.split("\n").flatMap((line) => {
    const all = [...line.replace(/(^|\s)#.*$/, "").matchAll(words)].map(([word]) => word);
    return all.flatMap((word, index) => {
      const before = all[index - 1] ?? ";";
      const isCall = /^(?:[|;&(]+|npx|--yes|then|do|\$)$/.test(before);
      if (!/^(?:modelfile-lint|mflint)$/.test(word) || !isCall) return [];
      const rest = all.slice(index + 1);
      const end = rest.findIndex((one) => /^[|;&<>()]+$/.test(one));
      return [
        (end < 0 ? rest : rest.slice(0, end)).map((one) => one.replaceAll(/^["']|["']$/g, "")),
      ];
    });
  });
}

describe("commands in the pages", () => {
  const calls = blocks
    .filter(({ info }) => ["sh", "yaml", "groovy", "", "console"].includes(info))
    .flatMap(({ at, text }) => callsIn(text).map((args) => [at, args.join(" "), args] as const));

  test("are found", () => {
    expect(calls.length).toBeGreaterThan(20);
    expect(
      callsIn("npx --yes modelfile-lint --diff - > x || a\nx modelfile-lint\n$ mflint 'a b' # c"),
    ).toEqual([["--diff", "-"], ["a b"]]);
  });

  test.each(calls)("%s: modelfile-lint %s", (_, __, args) => {
    const [first] = readOptions([...args]).positionals;
    const isVerb = verbNames.some((verb) => verb === first);
    // What is no verb is a path, and no verb with a letter wrong.
    if (first !== undefined && !isVerb && /^[a-z]+$/.test(first)) {
      expect(nearest(first, verbNames)).toBeUndefined();
    }
  });
});

test("the page on configurations has every key, and no other", () => {
  const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
  const keys = page.slice(page.indexOf("## Keys"), page.indexOf("## Patterns"));
  const told = [...keys.matchAll(/^### (.*)$/gm)].flatMap(([, names]) => names!.split(", "));
  const schema = JSON.parse(readFileSync(join(root, "src/config/config.schema.json"), "utf8")) as {
    properties: object;
  };
  const known = Object.keys(schema.properties).filter((key) => !key.startsWith("$"));
  expect(told.sort()).toEqual(known.sort());
});

describe("variables of the environment", () => {
  /** Read by a library, for the folder of what is kept. */
  const byLibraries = ["XDG_CACHE_HOME", "LOCALAPPDATA"];

  test("that are read are those that the page tells of", () => {
    const read = new Set(byLibraries);
    const sources = globSync(["src/**/*.ts", "grammar/**/*.ts", "rules/**/*.ts"], {
      cwd: root,
      ignore: ["src/build/**"],
    });
    for (const path of sources) {
      const text = readFileSync(join(root, path), "utf8");
      for (const [, name] of text.matchAll(
        /(?:\bvariable\(\s*|process\.env(?:\[|\.))"?([A-Z][A-Z0-9_]+)/g,
      )) {
        read.add(name!);
      }
      for (const [, names] of text.matchAll(/const \{([^}]*)\} = process\.env/g)) {
        for (const name of names!.split(",")) read.add(name.trim());
      }
      // Those that decide about devices are listed there, and looked up by their place in a list.
      if (!path.startsWith("src/machines/detect/")) continue;
      for (const [, name] of text.matchAll(/"((?:CUDA|GGML|HIP|HSA|LLAMA|OLLAMA|ROCR)_[A-Z_]+)"/g))
        read.add(name!);
    }
    const page = readFileSync(join(root, "docs/configuration.md"), "utf8");
    const section = page.slice(page.indexOf("## Environment"));
    const told = [...section.matchAll(/`([A-Z][A-Z0-9_]+)`/g)].map(([, name]) => name!);
    expect(told.sort()).toEqual([...read].sort());
  });
});

function schemaFile(name: string) {
  return JSON.parse(readFileSync(join(root, "schema", name), "utf8")) as {
    definitions: { rules: { properties: Record<string, { description: string }> } };
  };
}

describe("the schema for editors", () => {
  test("knows every rule with its summary, and what init writes", () => {
    const schema = schemaFile("config.schema.json");
    const { properties } = schema.definitions.rules;
    expect(Object.keys(properties)).toEqual(rules.map(({ id }) => id));
    for (const { id, summary } of rules) expect(properties[id]?.description).toContain(summary);

    const ajv = new Ajv({ allowUnionTypes: true, strictTypes: false });
    ajv.addSchema(schemaFile("profile.schema.json"), "profile.schema.json");
    const validate = ajv.compile(schema);
    const [, address] = /\$schema=(\S+)/.exec(configuration) ?? [];
    expect(address?.endsWith("/schema/config.schema.json")).toBe(true);
    // With everything that it only suggests.
    const whole = configuration.replaceAll(
      /^# (?=(?:machine|server|models|rules|overrides|ignore|baseline):|  )/gm,
      "",
    );
    const value = parse(whole) as object;
    expect(Object.keys(value)).toHaveLength(9);
    expect(validate(value), ajv.errorsText(validate.errors)).toBe(true);
    expect(validate({ rules: { "no-such-rule": "off" } })).toBe(false);
    expect(validate({ rules: { "default-value": "of" } })).toBe(false);
  });
});

import { Ajv } from "ajv";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findConfig, loadConfig, readConfig, unknownRules } from "../src/config/config.js";
import configSchema from "../src/config/config.schema.json" with { type: "json" };
import { readReleases } from "../src/facts/release-range.js";
import { InputError, type Host } from "../src/host.js";
import profileSchema from "../src/machines/profile.schema.json" with { type: "json" };
import { readProfile } from "../src/machines/profile.js";
import { runs } from "./runs.js";

const GiB = 2 ** 30;

/** Message and place of the InputError that `reading` ends in: "2:6 Message." */
async function complaint(reading: Promise<unknown>): Promise<string> {
  const error: unknown = await reading.then(
    () => expect.fail("no error"),
    (reason: unknown) => reason,
  );
  if (!(error instanceof InputError)) throw error;
  const { line, column } = error.place ?? {};
  return `${line ?? "-"}:${column ?? "-"} ${error.message}`;
}

const everything = `# settings
ollama: "0.32"
machines: [rtx4090-64g, { ram: 64GiB, gpus: [{ name: T4 }] }, auto]
server: { OLLAMA_NUM_PARALLEL: 2, OLLAMA_KV_CACHE_TYPE: q8_0 }
models:
  "acme/big:q2": { like: "deepseek-v3:671b", weights: 247588783616 }
  "acme/small": { like: llama3.2, weights: 1.5 GB }
  "acme/same": { like: llama3.2 }
  "acme/tuned": ./models/tuned.gguf
extends: recommended
rules: { unpinned-model: warning, context-unset: off }
overrides:
  - files: ["prod/**"]
    extends: strict
    rules: { unpinned-model: error }
    ollama: 0.30
    machine: { ram: 8GiB }
    ignore: ["prod/old/**"]
  - files: ["a", "b"]
    machine: 2x3090
ignore: ["vendor/**"]
`;

describe("a configuration", () => {
  test("says everything", async () => {
    const { locate, ...config } = await readConfig(everything, "/w/.modelfile-lint.yaml");
    expect(config).toEqual({
      path: "/w/.modelfile-lint.yaml",
      ollama: "0.32",
      machines: [
        "rtx4090-64g",
        await readProfile("ram: 64GiB\ngpus: [{ name: T4 }]", "m.yaml"),
        "auto",
      ],
      server: { OLLAMA_NUM_PARALLEL: "2", OLLAMA_KV_CACHE_TYPE: "q8_0" },
      models: new Map<string, unknown>([
        ["acme/big:q2", { like: "deepseek-v3:671b", weights: 247588783616 }],
        ["acme/small", { like: "llama3.2", weights: 1.5e9 }],
        ["acme/same", { like: "llama3.2" }],
        ["acme/tuned", "./models/tuned.gguf"],
      ]),
      extends: "recommended",
      rules: { "unpinned-model": "warning", "context-unset": "off" },
      overrides: [
        {
          files: ["prod/**"],
          extends: "strict",
          rules: { "unpinned-model": "error" },
          ollama: "0.30",
          machine: await readProfile("ram: 8GiB", "m.yaml"),
          ignore: ["prod/old/**"],
        },
        { files: ["a", "b"], rules: {}, machine: "2x3090", ignore: [] },
      ],
      ignore: ["vendor/**"],
    });
    expect(locate([])).toEqual({ line: 2, column: 1 });
    expect(locate(["rules", "context-unset"])).toEqual({ line: 11, column: 50 });
    expect(locate(["rules", "context-unset"], "key")).toEqual({ line: 11, column: 35 });
    expect(locate(["overrides", "1", "files", "1"])).toEqual({ line: 19, column: 18 });
    expect(locate(["overrides", "0"])).toEqual({ line: 13, column: 5 });
    expect(locate(["rules", "nothing"])).toBeUndefined();
    expect(locate(["rules", "nothing", "more"], "key")).toBeUndefined();
    expect(locate(["constructor"])).toBeUndefined();
  });

  test.each(["", "# nothing yet\n", "{}", "~"])("may be empty: %j", async (text) => {
    const { locate, ...config } = await readConfig(text, "c.yaml");
    expect(config).toEqual({
      path: "c.yaml",
      machines: [],
      server: {},
      models: new Map(),
      rules: {},
      overrides: [],
      ignore: [],
    });
    expect(locate(["rules"])).toBeUndefined();
  });

  test("has one machine or several", async () => {
    expect((await readConfig("machine: auto", "c.yaml")).machines).toEqual(["auto"]);
    const inline = await readConfig("machine:\n  ram: 8GiB\n", "c.yaml");
    expect(inline.machines).toMatchObject([{ memory: { total: 8 * GiB } }]);
  });

  test("may be JSON, with the place of its schema", async () => {
    const text = '{\n\t"$schema": "./schema.json",\n\t"rules": { "x": "off" }\n}\n';
    expect((await readConfig(text, "c.json")).rules).toEqual({ x: "off" });
  });

  test("says off, and means it, in any YAML", async () => {
    const text = "%YAML 1.1\n---\nrules: { x: off }\n";
    expect((await readConfig(text, "c.yaml")).rules).toEqual({ x: "off" });
  });

  test("fits the schema that editors use", async () => {
    const ajv = new Ajv({ allowUnionTypes: true, strictTypes: false });
    ajv.addSchema(profileSchema as object, "profile.schema.json");
    const validate = ajv.compile(configSchema as object);
    const { parse } = await import("yaml");
    expect(validate(parse(everything)), ajv.errorsText(validate.errors)).toBe(true);
    expect(validate({ machine: { ram: "256G" } })).toBe(false);
    expect(validate({ machine: { gpus: [] } })).toBe(false);
  });
});

test("a range of releases is kept as written, and the examples of the schema are some", async () => {
  const text = 'ollama: ">=0.6 <0.9"\noverrides:\n  - { files: [a], ollama: 0.12.x - 0.32 }\n';
  const config = await readConfig(text, "c.yaml");
  expect([config.ollama, config.overrides[0]?.ollama]).toEqual([">=0.6 <0.9", "0.12.x - 0.32"]);
  const { definitions } = configSchema as { definitions: { ollama: { examples: string[] } } };
  for (const example of [...definitions.ollama.examples, ">=0.6 <0.9", "0.12.x - 0.32"]) {
    expect(readReleases(example)).toMatchObject({ ok: true });
  }
});

test("every key is described for editors", () => {
  const undescribed: string[] = [];
  const visit = (schema: unknown, path: string): void => {
    if (typeof schema !== "object" || !schema) return;
    for (const [key, child] of Object.entries(schema)) {
      const here = `${path}/${key}`;
      const named = path.endsWith("/properties");
      const own = named && !JSON.stringify(child).includes('"$ref":"#/definitions/');
      if (own && !("description" in child)) undescribed.push(here);
      visit(child, here);
    }
  };
  visit(configSchema, "config");
  visit(profileSchema, "profile");
  expect(undescribed).toEqual([]);
});

describe("a broken configuration", () => {
  test.each([
    ["- a", "1:1 A configuration is a mapping, not a list."],
    ["5", "1:1 A configuration is a mapping, not 5."],
    ["rule: {}", '1:1 Unknown key "rule". Did you mean "rules"?'],
    [
      "colour: red",
      '1:1 Unknown key "colour". Known: ollama, machine, machines, server, models, extends, rules, overrides, ignore, baseline.',
    ],
    ["ollama: [1]", "1:9 ollama takes a text or a number, not a list."],
    ["ollama:", "1:1 ollama has no value."],
    ["machine: 5", "1:10 machine takes a text or a mapping, not 5."],
    ["machine: [a]", "1:10 machine takes a text or a mapping, not a list."],
    ["machines: a", '1:11 machines takes a list, not "a".'],
    ["machines: []", "1:11 machines is an empty list."],
    ["machines: [a, 5]", "1:15 machines[1] takes a text or a mapping, not 5."],
    [`machines: [${"a, ".repeat(65)}]`, "1:11 machines has more than 64 items."],
    ["machine: a\nmachines: [b]", '2:1 Both "machine" and "machines" are set. Keep one.'],
    // Profiles inside are checked as files are, at their own places.
    [
      "machine:\n  ram: 256G",
      '2:8 ram: "256G" has no unit that can be trusted. Write 256GiB or 256GB.',
    ],
    ["machine: { ram: 64GiB, gpu: [] }", '1:24 Unknown key "gpu". Did you mean "gpus"?'],
    ["machine: {}", "1:10 ram is missing. Add ram: 16GiB."],
    [
      "machines:\n  - a\n  - ram: 8GiB\n    os: dos",
      '4:9 "dos" is no operating system. Valid: linux, windows, darwin.',
    ],
    [
      "overrides:\n  - files: [a]\n    machine: { ram: 5 }",
      "3:21 ram is 5 bytes. Did you mean 5GiB?",
    ],
    ["server: [a]", "1:9 server takes a mapping, not a list."],
    [
      "server: { a b: 1 }",
      '1:11 "a b" is no name of a variable. Write it like OLLAMA_NUM_PARALLEL.',
    ],
    ["models: { b: 5 }", "1:14 b takes a text or a mapping, not 5."],
    ["models: { a/b: [] }", '1:16 "a/b" takes a text or a mapping, not a list.'],
    ["models: { b: { lik: c } }", '1:16 Unknown key "lik". Did you mean "like"?'],
    ["models: { b: { weights: 1GB } }", "1:14 like is missing. Add like: deepseek-v3:671b."],
    [
      "models: { b: { like: c, weights: 256G } }",
      '1:34 weights: "256G" has no unit that can be trusted. Write 256GiB or 256GB.',
    ],
    ["models: { b: { like: c, weights: 0 } }", "1:34 weights: 0 is no size of a model."],
    [
      "models: { b: { like: c, weights: 99999999TB } }",
      '1:34 weights: "99999999TB" is more than any computer has.',
    ],
    ["extends: all", '1:10 "all" is no set of rules. Valid: minimal, recommended, strict.'],
    ["rules: [x]", "1:8 rules takes a mapping, not a list."],
    ["rules: { x: warn }", '1:13 "warn" is no severity. Valid: off, info, warning, error.'],
    ["rules: { x: false }", "1:13 false is no severity. Valid: off, info, warning, error."],
    ["rules: { x: }", "1:10 x has no value."],
    ["rules: { x: off, x: off }", '1:18 Key "x" stands here a second time.'],
    ["overrides: { files: [a] }", "1:12 overrides takes a list, not a mapping."],
    ["overrides: [{ extends: strict }]", "1:13 files is missing."],
    ["overrides: [{ files: [] }]", "1:22 files is an empty list."],
    ["overrides: [{ files: [5] }]", "1:23 files[0] takes a text, not 5."],
    [
      "overrides: [{ files: [a], server: {} }]",
      expect.stringMatching(/^1:27 Unknown key "server"\./),
    ],
    ["ignore: vendor", '1:9 ignore takes a list, not "vendor".'],
    ["rules: {\n  x: nope", expect.stringMatching(/^2:10 /)],
    ["rules: { __proto__: off }", '1:10 "__proto__" cannot be a key.'],
  ])("%j", async (text, expected) => {
    expect(await complaint(readConfig(text, "c.yaml"))).toEqual(expected);
  });

  test.each([
    [
      "alias bomb",
      `a: &a [${"x,".repeat(99)}]\nb: &b [${"*a,".repeat(99)}]\nc: [${"*b,".repeat(99)}]`,
    ],
    ["deep lists", "[".repeat(10_000)],
    ["deep mappings", "{a: ".repeat(10_000)],
    ["a megabyte", "# x\n".repeat(2 ** 18)],
    ["binary", "\u0001\u0002\ufffd\u0000"],
    ["many broken machines", `overrides: [${"{files: [a], machine: 5}, ".repeat(2400)}]`],
    [
      "many large machines",
      `machines: [${"{ram: 1GiB, gpus: [{name: T4, count: 1024}]}, ".repeat(65)}]`,
    ],
  ])(
    "that is hostile: %s",
    async (_, text) => {
      await expect(readConfig(text, "c.yaml")).rejects.toThrow(InputError);
    },
    5000,
  );

  test("of any kind gives a configuration or an InputError", async () => {
    const words = fc.constantFrom(
      ..."ollama machine machines server models like weights extends rules overrides files ignore strict off auto".split(
        " ",
      ),
    );
    const scraps = fc.constantFrom(
      ..."16GiB¦- ¦: ¦{¦}¦[¦]¦,¦\n¦\n  ¦&a ¦*a¦<<: *a¦!!map ¦'¦\"¦# ¦-1¦~¦? ¦---\n¦|".split("¦"),
    );
    const soup = fc.array(fc.oneof(words, scraps, fc.string()), { maxLength: 30 });
    const text = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.json({ maxDepth: 4 }),
      soup.map((all) => all.join("")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (input) => {
        const result = await readConfig(input, "c.yaml").catch((error: unknown) => error);
        if (result instanceof Error) expect(result).toBeInstanceOf(InputError);
        else expect(result).toHaveProperty("machines");
      }),
      { numRuns: runs(200) },
    );
  });
});

test("rules that do not exist are named with the places of their keys", async () => {
  const text = `rules: { known: off, unknwon: error }
overrides:
  - files: [a]
    rules:
      other: info
      known: info
`;
  const config = await readConfig(text, "c.yaml");
  expect(unknownRules(config, ["known", "toString"])).toEqual([
    { id: "unknwon", line: 1, column: 22 },
    { id: "other", line: 5, column: 7 },
  ]);
  expect(unknownRules(config, new Set(["known", "unknwon", "other"]))).toEqual([]);
});

/** A host with these files; folders are what lies above them, and "/" is the root. */
function hostWith(files: Readonly<Record<string, string>>): Host {
  return {
    resolve: (folder, path) => {
      if (path === "..") return folder.replace(/\/[^/]*$/, "") || "/";
      return path.startsWith("/") ? path : `${folder === "/" ? "" : folder}/${path}`;
    },
    stat: (path) => {
      const text = files[path];
      return Promise.resolve(
        text === undefined
          ? undefined
          : { kind: text === "folder" ? "folder" : "file", size: text.length },
      );
    },
    read: (path) => {
      const text = files[path];
      if (text === undefined || text === "locked") return Promise.reject(new Error("EACCES"));
      return Promise.resolve(new TextEncoder().encode(text));
    },
    list: () => Promise.resolve([]),
    variable: () => undefined,
  };
}

async function found(files: Readonly<Record<string, string>>, from = "/a/b/c") {
  return (await findConfig(from, hostWith(files)))?.path;
}

describe("the nearest configuration", () => {
  test("lies in the folder or above it", async () => {
    expect(await found({ "/a/b/c/.modelfile-lint.yaml": "" })).toBe("/a/b/c/.modelfile-lint.yaml");
    expect(await found({ "/a/.modelfile-lint.json": "{}", "/.modelfile-lint.yaml": "" })).toBe(
      "/a/.modelfile-lint.json",
    );
    expect(await found({ "/.modelfile-lint.yml": "" })).toBe("/.modelfile-lint.yml");
    expect(await found({ "/.modelfile-lint.yml": "" }, "/")).toBe("/.modelfile-lint.yml");
    expect(await found({ "/x/.modelfile-lint.yml": "" })).toBeUndefined();
  });

  test("is .yaml before .yml before .json before package.json", async () => {
    const files: Record<string, string> = {
      "/a/package.json": '{ "modelfile-lint": {} }',
      "/a/.modelfile-lint.json": "{}",
      "/a/.modelfile-lint.yml": "",
      "/a/.modelfile-lint.yaml": "",
    };
    const order: (string | undefined)[] = [];
    for (let path = await found(files); path; path = await found(files)) {
      order.push(path);
      delete files[path];
    }
    expect(order).toEqual([
      "/a/.modelfile-lint.yaml",
      "/a/.modelfile-lint.yml",
      "/a/.modelfile-lint.json",
      "/a/package.json",
    ]);
  });

  test("is no folder, and no package.json without the key", async () => {
    const files = {
      "/a/b/c/.modelfile-lint.yaml": "folder",
      "/a/b/c/package.json": '{ "name": "modelfile-lint" }',
      "/a/b/package.json": '["modelfile-lint"]',
      "/a/package.json": '{ "devDependencies": { "modelfile-lint": "1" } }',
      "/package.json": '{ "modelfile-lint": { "extends": "strict" } }',
    };
    expect(await found(files)).toBe("/package.json");
    expect(await found({ "/a/package.json": "{ broken" })).toBeUndefined();
    expect(await found({ "/a/package.json": "locked" })).toBeUndefined();
  });

  test("in a package.json has its places there", async () => {
    const text = '{\n  "name": "x",\n  "modelfile-lint": {\n    "rules": { "x": "off" }\n  }\n}\n';
    const config = await findConfig("/a", hostWith({ "/a/package.json": text }));
    expect(config?.rules).toEqual({ x: "off" });
    expect(config?.locate(["rules", "x"], "key")).toEqual({ line: 4, column: 16 });
    expect(unknownRules(config!, [])).toEqual([{ id: "x", line: 4, column: 16 }]);
  });

  test("that is broken ends the search", async () => {
    const files = {
      "/a/b/.modelfile-lint.yaml": "rules:\n  x: maybe\n",
      "/a/.modelfile-lint.yaml": "",
      "/p/package.json": '{\n  "modelfile-lint": { "rule": {} }\n}',
      "/q/package.json": '{\n  "modelfile-lint": {\n',
    };
    const error = await findConfig("/a/b", hostWith(files)).catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      message: '"maybe" is no severity. Valid: off, info, warning, error.',
      place: { path: "/a/b/.modelfile-lint.yaml", line: 2, column: 6 },
    });
    expect(await complaint(findConfig("/p", hostWith(files)))).toBe(
      '2:23 Unknown key "rule". Did you mean "rules"?',
    );
    expect(await complaint(findConfig("/q", hostWith(files)))).toMatch(/^3:1 /);
  });

  test("is not sought for ever", async () => {
    const host: Host = { ...hostWith({}), resolve: (folder, path) => `${folder}/${path}` };
    expect(await findConfig("/a", host)).toBeUndefined();
  });

  test("can be named", async () => {
    const host = hostWith({
      "/a/own.yaml": "extends: strict",
      "/a/package.json": '{ "modelfile-lint": { "extends": "minimal" } }',
      "/b/package.json": "{}",
    });
    expect((await loadConfig("/a/own.yaml", host)).extends).toBe("strict");
    expect((await loadConfig("/a/package.json", host)).extends).toBe("minimal");
    expect(await complaint(loadConfig("/b/package.json", host))).toBe(
      '-:- Key "modelfile-lint" is missing in this package.json.',
    );
    expect(await complaint(loadConfig("/a/none.yaml", host))).toBe(
      '-:- "/a/none.yaml" does not exist.',
    );
  });
});

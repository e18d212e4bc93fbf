import { execFileSync, spawnSync } from "node:child_process";
import { runInNewContext } from "node:vm";
import { transformSync } from "esbuild";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTree } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import type { Json } from "../src/compile/json-text.js";
import { pythonLiteral, typescriptLiteral } from "../src/compile/literals.js";
import { ollamaOptions } from "../src/compile/ollama-options.js";
import type { Source } from "../src/compile/target.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import { catalogueModel } from "../src/models/catalogue.js";
import { makePlan } from "../src/plan/make-plan.js";
import { settingsOf } from "../src/lint.js";
import { card, computer, modelOf } from "./loads.js";

const withPython = spawnSync("python3", ["--version"]).status === 0;

function compiled(text: string, more: Partial<Source> & { ollama?: string } = {}) {
  const { ollama = newestRelease.version, ...rest } = more;
  const release = parseRelease(ollama)!;
  const file = parseModelfile(text);
  const reading = readTree(file, release);
  if (!reading.ok) throw new Error(reading.error);
  const source: Source = {
    file,
    commands: reading.commands,
    release,
    name: "mine",
    path: "Modelfile",
    server: {},
    ...rest,
  };
  const result = ollamaOptions.compile(source);
  if ("refused" in result) throw new Error(result.refused);
  return {
    text: (path: string) => result.texts.find((one) => one.path === path)!.text,
    json: (path: string) =>
      JSON.parse(result.texts.find((one) => one.path === path)!.text) as Record<string, unknown>,
    paths: result.texts.map(({ path }) => path),
    notes: result.notes.map(({ message }) => message),
  };
}

const pirate = `FROM llama3.2
PARAMETER num_ctx 8192
PARAMETER temperature 0.7
PARAMETER use_mmap false
PARAMETER stop "###"
TEMPLATE """{{ .System }}
{{ .Prompt }}"""
SYSTEM """You are a "pirate".
Arr."""
MESSAGE user Hi
MESSAGE assistant Arr
`;

/** What Python makes of expressions. */
function python(expressions: readonly string[]): unknown[] {
  const program = `import json\nprint(json.dumps([${expressions.map((one) => `(${one}),`).join("\n")}]))`;
  return JSON.parse(
    execFileSync("python3", ["-"], { input: program, encoding: "utf8" }),
  ) as unknown[];
}

/** What TypeScript makes of an expression. */
function evaluated(expression: string): unknown {
  const { code } = transformSync(`globalThis.result = (${expression})`, { loader: "ts" });
  const context: { result?: unknown; globalThis?: object } = {};
  context.globalThis = context;
  runInNewContext(code, context);
  return structuredClone(context.result);
}

describe("the requests", () => {
  test("hold options, messages and what /api/generate takes besides", () => {
    const { json, paths, notes } = compiled(pirate);
    const options = { num_ctx: 8192, temperature: 0.7, use_mmap: false, stop: ["###"] };
    const system = 'You are a "pirate".\nArr.';
    expect(paths).toEqual(["options.json", "chat.json", "generate.json", "chat.py", "chat.ts"]);
    expect(json("options.json")).toEqual(options);
    expect(json("chat.json")).toEqual({
      model: "llama3.2",
      messages: [
        { role: "system", content: system },
        { role: "user", content: "Hi" },
        { role: "assistant", content: "Arr" },
        { role: "user", content: "Hello" },
      ],
      options,
      stream: false,
    });
    expect(json("generate.json")).toEqual({
      model: "llama3.2",
      prompt: "Hello",
      system,
      template: "{{ .System }}\n{{ .Prompt }}",
      options,
      stream: false,
    });
    expect(notes).toEqual([
      expect.stringMatching(/\/api\/chat takes no template/),
      expect.stringMatching(/\/api\/generate takes no messages/),
      expect.stringMatching(/\/api\/generate takes no messages/),
    ]);
  });

  test("name the model to be made where FROM is a file, and say what they cannot bring", () => {
    const files = new Map([
      ["./w.gguf", { kind: "file", path: "/w.gguf", content: "gguf" } as const],
    ]);
    const text =
      "FROM ./w.gguf\nADAPTER ./a\nRENDERER x\nPARSER x\nLICENSE MIT\nREQUIRES 0.14.0\nPARAMETER mirostat 1\n";
    const { json, notes } = compiled(text, { files });
    expect(json("chat.json")["model"]).toBe("mine");
    expect(json("options.json")).toEqual({});
    expect(notes).toHaveLength(7);
  });

  test("come with notes on values that Ollama takes otherwise", async () => {
    const model = modelOf({ trainedContext: 32768 });
    expect(compiled("FROM x\nPARAMETER num_ctx 65536\n", { model }).notes).toEqual([
      `num_ctx 65536 becomes 32768: Ollama ${newestRelease.version} limits the context.`,
    ]);
    expect(compiled("FROM x\nPARAMETER num_ctx 65536\n", { model, ollama: "0.6.4" }).notes).toEqual(
      [],
    );
    expect(compiled("FROM x\nPARAMETER seed 9007199254740993\n").notes[0]).toMatch(
      /more than 53 bits/,
    );
    expect(compiled("FROM x\nPARAMETER low_vram true\n", { ollama: "0.5.4" }).notes[0]).toMatch(
      /does nothing with low_vram/,
    );
    const gemma = (await catalogueModel("gemma3:4b"))!;
    expect(
      compiled("FROM gemma3:4b\nPARAMETER repeat_penalty 1.3\n", { model: gemma, ollama: "0.12.6" })
        .notes[0],
    ).toMatch(/does nothing with repeat_penalty/);
    expect(compiled("FROM x\nPARAMETER use_mmap true\n", { ollama: "0.1.47" }).notes[0]).toMatch(
      /must be of type boolean/,
    );
  });

  test("say where the model does not run at all", async () => {
    const text = "FROM llama3.1:405b\nPARAMETER use_mmap false\n";
    const model = (await catalogueModel("llama3.1:405b"))!;
    const machine = computer({ gpus: [card()] });
    const load = {
      model,
      machine,
      release: newestRelease,
      server: {},
      settings: settingsOf(parseModelfile(text)),
    };
    const plan = makePlan(load);
    expect(plan.verdict).toBe("out-of-memory");
    expect(compiled(text, { model, machine, plan }).notes.at(-1)).toMatch(
      /^On test it does not run\. /,
    );
  });
});

const values: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.string({
      unit: fc.oneof(
        fc.constantFrom(
          "'",
          '"',
          "\\",
          "$",
          "`",
          "\n",
          "\r",
          "\t",
          "\0",
          "#{",
          "{x}",
          "😀",
          "\u2028",
          "\u0007",
          "- ",
        ),
        fc.string({ unit: "binary", maxLength: 2 }),
      ),
      maxLength: 20,
    }),
    fc.boolean(),
    fc.constantFrom(
      { digits: "0" },
      { digits: "-1" },
      { digits: "0.1" },
      { digits: "1e-7" },
      { digits: "131072" },
    ),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(
      fc.string({ maxLength: 5 }).filter((key) => key !== "__proto__" && key !== "digits"),
      tie("value"),
      { maxKeys: 3, noNullPrototype: true },
    ),
  ),
})).value;

/** The value that a language should make of it. */
function plain(value: Json): unknown {
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map(plain);
  if ("digits" in value && typeof value.digits === "string") return Number(value.digits);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item as Json)]));
}

describe("literals", () => {
  test("TypeScript reads the same values", () => {
    fc.assert(
      fc.property(values, (value) => {
        expect(evaluated(typescriptLiteral(value))).toEqual(plain(value));
      }),
      { numRuns: 200 },
    );
  });

  test.skipIf(!withPython)("Python reads the same values", () => {
    const samples = fc.sample(values, 300);
    expect(python(samples.map((value) => pythonLiteral(value)))).toEqual(samples.map(plain));
  });

  test("texts of several lines are written line by line", () => {
    expect(pythonLiteral("a\n\nb")).toBe('(\n    "a\\n"\n    "\\n"\n    "b"\n)');
    expect(typescriptLiteral({ a: "x\ny", "b c": [] })).toBe(
      '{\n  a: "x\\n" +\n    "y",\n  "b c": [],\n}',
    );
  });
});

describe("the snippets", () => {
  const { text, json } = compiled(pirate);
  const names = ["model", "messages", "options"];
  const wanted = [json("chat.json")["model"], json("chat.json")["messages"], json("options.json")];

  test.skipIf(!withPython)("the Python one hands the request to ollama.chat", () => {
    const fake = `import json, sys, types
fake = types.ModuleType("ollama")
fake.chat = lambda **given: print(json.dumps(given)) or {"message": {"content": "ok"}}
sys.modules["ollama"] = fake
`;
    const output = execFileSync("python3", ["-"], {
      input: fake + text("chat.py"),
      encoding: "utf8",
    });
    const [given, answer] = output.trimEnd().split("\n");
    const { model, messages, options } = JSON.parse(given!) as Record<string, unknown>;
    expect([model, messages, options]).toEqual(wanted);
    expect(answer).toBe("ok");
  });

  test("the TypeScript one hands the request to ollama.chat", async () => {
    const { code } = transformSync(text("chat.ts").replace(/^import .*$/m, ""), {
      loader: "ts",
      target: "es2022",
      format: "esm",
    });
    let given: Record<string, unknown> = {};
    const ollama = {
      chat: (request: Record<string, unknown>) => {
        given = request;
        return Promise.resolve({ message: { content: "ok" } });
      },
    };
    const said: unknown[] = [];
    const AsyncFunction = (async () => {}).constructor as new (
      ...args: string[]
    ) => (...args: unknown[]) => Promise<void>;
    await new AsyncFunction("ollama", "console", code)(ollama, {
      log: (line: unknown) => said.push(line),
    });
    expect(names.map((name) => given[name])).toEqual(wanted);
    expect(said).toEqual(["ok"]);
  });
});

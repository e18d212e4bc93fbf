import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readTree } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import { decode } from "../grammar/bytes.js";
import { createScript } from "../src/compile/create-script.js";
import { ollamaCreate } from "../src/compile/ollama-create.js";
import { takenFiles, takenNames } from "../src/compile/model-folder.js";
import type { Source } from "../src/compile/target.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import type { Host } from "../src/host.js";
import type { FileFacts } from "../src/models/local-files.js";

const digest = "0123456789abcdef".repeat(4);

function sourceOf(
  text: string,
  { ollama = newestRelease.version, ...more }: Partial<Source> & { ollama?: string } = {},
): Source {
  const release = parseRelease(ollama)!;
  const file = parseModelfile(text);
  const reading = readTree(file, release);
  if (!reading.ok) throw new Error(reading.error);
  return {
    file,
    commands: reading.commands,
    release,
    name: "mine",
    path: "Modelfile",
    server: {},
    ...more,
  };
}

function made(text: string, more: Partial<Source> & { ollama?: string } = {}) {
  const result = ollamaCreate.compile(sourceOf(text, more));
  if ("refused" in result) throw new Error(result.refused);
  const [body, script] = result.texts;
  return {
    body: JSON.parse(body!.text) as Record<string, unknown>,
    json: body!.text,
    script: script?.text,
    notes: result.notes.map(({ message }) => message),
  };
}

function refusal(
  text: string,
  more: Partial<Source> & { ollama?: string } = {},
): string | undefined {
  const result = ollamaCreate.compile(sourceOf(text, more));
  return "refused" in result ? result.refused : undefined;
}

function file(path: string): FileFacts {
  return { kind: "file", path, content: "gguf" };
}

describe("the request since 0.5.5", () => {
  test("holds every field in Ollama's types", () => {
    const { body, json, notes } = made(
      `FROM llama3.2
TEMPLATE {{ .Prompt }}
SYSTEM """a "b"
c"""
PARAMETER num_ctx 0008192
PARAMETER seed 9223372036854775807
PARAMETER temperature 0.1
PARAMETER use_mmap T
PARAMETER stop a
PARAMETER stop a
PARAMETER mirostat x
MESSAGE user hi: there
LICENSE
LICENSE MIT
RENDERER qwen3-coder
PARSER qwen3-coder
REQUIRES v0.14.0
`.replace("LICENSE\n", 'LICENSE ""\n'),
    );
    expect(Object.keys(body)).toEqual(
      "model from template license system parameters messages renderer parser requires".split(" "),
    );
    expect(body).toMatchObject({
      model: "mine",
      system: 'a "b"\nc',
      license: ["", "MIT"],
      parameters: { num_ctx: 8192, temperature: 0.1, use_mmap: true, stop: ["a", "a"] },
      messages: [{ role: "user", content: "hi: there" }],
      requires: "0.14.0",
    });
    expect(json).toContain('"seed": 9223372036854775807');
    expect(notes).toEqual([
      `Ollama ${newestRelease.version} drops mirostat: the parameter is deprecated.`,
    ]);
  });

  test("holds the files that the client sends in place of names", () => {
    const files = new Map([
      ["./w.gguf", file("/m/w.gguf")],
      ["/x/a.gguf", file("/x/a.gguf")],
    ]);
    const text = "FROM ./w.gguf\nADAPTER /x/a.gguf\n";
    const without = made(text, { files });
    expect(without.body).toEqual({
      model: "mine",
      files: { "w.gguf": "./w.gguf" },
      adapters: { "a.gguf": "/x/a.gguf" },
    });
    expect(without.notes[0]).toMatch(/--digests computes it/);
    expect(without.script).toBeUndefined();
    const digests = new Map([...files.keys()].map((one) => [one, digest]));
    const complete = made(text, { files, digests });
    expect(complete.body["files"]).toEqual({ "w.gguf": `sha256:${digest}` });
    expect(complete.notes).toEqual([]);
    expect(complete.script).toContain(`sha256:${digest}`);
  });

  test("names files of several folders from the one that holds them all, since 0.30", () => {
    const files = new Map([
      ["./a/w.gguf", file("/m/a/w.gguf")],
      ["./b/w.gguf", file("/m/b/w.gguf")],
    ]);
    const text = "FROM ./a/w.gguf\nFROM ./b/w.gguf\n";
    expect(Object.keys(made(text, { files }).body["files"] as object)).toEqual([
      "a/w.gguf",
      "b/w.gguf",
    ]);
    const before = made(text, { files, ollama: "0.24.0" });
    expect(Object.keys(before.body["files"] as object)).toEqual(["w.gguf"]);
    expect(before.notes.join("\n")).toMatch(/Two files have the same name/);
    expect(made(text, { files, ollama: "0.5.5" }).body["files"]).toEqual({
      "w.gguf": "./b/w.gguf",
    });
  });

  test("takes of a folder what the client takes", () => {
    const names = ["config.json", "model.safetensors", "README.md", "tokenizer.model", "x.gguf"];
    const folder: FileFacts = { kind: "folder", path: "/m", names, pointers: [] };
    const files = new Map([[".", folder]]);
    expect(made("FROM .\n", { files }).body["files"]).toEqual({
      "model.safetensors": "./model.safetensors",
      "config.json": "./config.json",
      "tokenizer.model": "./tokenizer.model",
    });
    const digests = new Map([
      ["./model.safetensors", digest],
      ["./1_Pooling/config.json", digest],
    ]);
    expect(made("FROM .\n", { files, digests }).body["files"]).toEqual({
      "model.safetensors": `sha256:${digest}`,
      "1_Pooling/config.json": `sha256:${digest}`,
    });
    const empty: FileFacts = { ...folder, names: ["README.md"] };
    expect(refusal("FROM .\n", { files: new Map([[".", empty]]) })).toMatch(
      /no Modelfile or safetensors files found/,
    );
  });

  test("is refused with Ollama's own error", () => {
    expect(refusal("FROM x\nPARAMETER num_ctx 8k\n")).toBe(
      `Ollama ${newestRelease.version} refuses the file: invalid int value [8k]`,
    );
    expect(refusal("FROM x\nPARAMETER top_p nan\n")).toMatch(/unsupported value: NaN/);
    expect(refusal("FROM ./x y\n")).toMatch(/invalid model name/);
    const files = new Map<string, FileFacts>([
      ["./a", { kind: "missing" }],
      ["./w", file("/w")],
    ]);
    expect(refusal("FROM x\nADAPTER ./a\n", { files })).toMatch(/stat .\/a: no such file/);
    expect(refusal("FROM ./w\nDRAFT ./w\n", { files })).toMatch(/must not reference the same/);
    expect(refusal("FROM x\nDRAFT ./w\n", { files, ollama: "0.24.0" })).toMatch(/--experimental/);
  });
});

describe("the request before 0.5.5", () => {
  test("holds the Modelfile as Ollama prints it, with digests where files were", () => {
    const files = new Map([["./w.gguf", file("/m/w.gguf")]]);
    const digests = new Map([["./w.gguf", digest]]);
    const text = 'from ./w.gguf\nSYSTEM """a\nb"""\n';
    const { body, script } = made(text, { files, digests, ollama: "0.5.4" });
    expect(body).toEqual({ name: "mine", modelfile: `FROM @sha256:${digest}\nSYSTEM "a\nb"\n` });
    expect(script).toContain("upload ./w.gguf");
  });

  test("says where the server reads something else, and that a folder is sent as an archive", () => {
    const differs = made('FROM x\nSYSTEM """"a""""\n', { ollama: "0.5.4" });
    expect(differs.notes[0]).toMatch(/reads that text differently/);
    expect(refusal('FROM x\nSYSTEM ""a" b"\n', { ollama: "0.5.4" })).toMatch(/unexpected EOF/);
    const folder: FileFacts = {
      kind: "folder",
      path: "/m",
      names: ["model.safetensors"],
      pointers: [],
    };
    const zipped = made("FROM .\n", { files: new Map([[".", folder]]), ollama: "0.5.4" });
    expect(zipped.notes).toEqual([expect.stringMatching(/ZIP archive/)]);
    expect(zipped.script).toBeUndefined();
  });
});

const conformance = new URL("../../shared/conformance/params.jsonl", import.meta.url);

test.skipIf(!existsSync(conformance))("agrees with what Ollama was recorded to send", () => {
  interface Case {
    id: string;
    input_base64: string;
    expect: { parse: { ok: boolean }; create?: Recorded };
  }
  type Recorded = {
    ok: boolean;
    error?: string;
    parameters?: Record<string, { json?: string; json_error?: string }>;
    request_json_error?: string;
    server?: { ok: boolean; error?: string };
  } & Record<string, unknown>;
  let compared = 0;
  for (const line of readFileSync(conformance, "utf8").trimEnd().split("\n")) {
    const { id, input_base64, expect: recorded } = JSON.parse(line) as Case;
    const { create } = recorded;
    if (!create) continue;
    const { text } = decode(Buffer.from(input_base64, "base64"));
    const error = create.error ?? create.request_json_error ?? create.server?.error;
    if (error !== undefined) expect(refusal(text), id).toContain(error);
    else {
      const { body, json } = made(text);
      for (const field of [
        "from",
        "template",
        "system",
        "license",
        "messages",
        "renderer",
        "parser",
        "requires",
      ]) {
        expect(body[field], `${id} ${field}`).toEqual(create[field]);
      }
      const values = Object.entries(create.parameters ?? {});
      expect(Object.keys((body["parameters"] as object | undefined) ?? {}).toSorted(), id).toEqual(
        values.map(([name]) => name).toSorted(),
      );
      for (const [name, value] of values) {
        if (name === "stop")
          expect((body["parameters"] as { stop: string[] }).stop, id).toEqual(
            JSON.parse(value.json!),
          );
        else expect(json, id).toContain(`"${name}": ${value.json}`);
      }
    }
    compared++;
  }
  expect(compared).toBeGreaterThan(700);
});

describe("what the client takes of a folder", () => {
  test("the first kind of weights, JSON and the vocabulary", () => {
    const all = ["a.gguf", "consolidated.00.pth", "model-1.safetensors", "x.json", "notes.txt"];
    expect(takenNames(all, newestRelease)).toEqual(["model-1.safetensors", "x.json"]);
    expect(takenNames(["b.bin", "a.gguf"], newestRelease)).toEqual(["a.gguf"]);
    expect(takenNames(["x.json"], newestRelease)).toEqual([]);
    const adapter = ["adapter_model.safetensors", "adapter_config.json"];
    expect(takenNames(adapter, newestRelease)).toEqual([]);
    expect(takenNames(adapter, parseRelease("0.12.10")!)).toHaveLength(2);
  });

  test("JSON one folder below", async () => {
    const tree: Record<string, string[]> = {
      "/m": ["model.safetensors", "config.json", "1_Pooling", "b"],
      "/m/1_Pooling": ["config.json"],
      "/m/b": ["tokenizer.model", "model.safetensors"],
    };
    const host: Host = {
      resolve: (folder, path) => `${folder}/${path}`,
      stat: (path) => Promise.resolve({ kind: path in tree ? "folder" : "file", size: 1 }),
      read: () => Promise.resolve(new Uint8Array()),
      list: (folder) => Promise.resolve(tree[folder]!),
      variable: () => undefined,
    };
    expect(await takenFiles("/m", host, newestRelease)).toEqual([
      "model.safetensors",
      "config.json",
      "1_Pooling/config.json",
      "b/tokenizer.model",
    ]);
  });
});

/** What the script would post and upload, by a curl that prints. */
function ran(script: string): string[][] {
  const curl = `curl() { for one; do case $one in @-) cat;; *) printf '%s\\0' "$one";; esac; done; case $* in *"--head "*) return 1;; esac; }\n`;
  return [
    execFileSync("/bin/sh", ["-c", curl + script], { encoding: "utf8", env: {} }).split("\0"),
  ];
}

describe.skipIf(!existsSync("/bin/sh"))("the script", () => {
  test("hands every text over as it is", () => {
    const hostile = fc.string({
      unit: fc.oneof(
        fc.constantFrom(
          "'",
          '"',
          "$",
          "`",
          "\\",
          "\n",
          " ",
          "END\n",
          "-",
          "*",
          "😀",
          "${HOME}",
          "$(id)",
        ),
        fc.string({ maxLength: 3 }),
      ),
      maxLength: 8,
    });
    fc.assert(
      fc.property(hostile, hostile, (system, name) => {
        const path = `./${name.replaceAll("\0", "")}`;
        const body = `${JSON.stringify({ system }, undefined, 2)}\n`;
        const [words] = ran(createScript(body, [{ path, digest }], newestRelease));
        expect(words).toContain(path);
        const posted = words!.find((word) => word.startsWith("{"))!;
        expect(JSON.parse(posted.slice(0, posted.lastIndexOf("}") + 1))).toEqual({ system });
      }),
      { numRuns: 25 },
    );
  });

  test("asks the host that OLLAMA_HOST names, and uploads nothing twice", () => {
    const script = createScript(
      "{}",
      [
        { path: "a", digest },
        { path: "b", digest },
      ],
      newestRelease,
    );
    expect(script.match(/^upload .*sha256/gm)).toHaveLength(1);
    const [words] = ran(`OLLAMA_HOST=example:1\n${script}`);
    expect(words).toContain(`http://example:1/api/blobs/sha256:${digest}`);
  });
});

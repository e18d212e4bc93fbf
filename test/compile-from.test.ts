import { existsSync, readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createFromCommands } from "../grammar/create-request.js";
import { parseReference } from "../grammar/model-name.js";
import { readBytes, readText, type Command } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import { kindOf, modelfileFrom, sources, type SourceKind } from "../src/compile/from.js";
import { llamaFlags } from "../src/compile/llama-flags.js";
import { modelfileText } from "../src/compile/modelfile-text.js";
import { ollamaCreate } from "../src/compile/ollama-create.js";
import { newestRelease, parseRelease, type Release } from "../src/facts/release.js";
import { llamaServerFlags } from "../src/facts/llama-server-flags.js";

const old = parseRelease("0.5.4")!;

interface Back {
  text: string;
  notes: string[];
}

async function back(
  text: string,
  kind: SourceKind,
  release: Release = newestRelease,
): Promise<Back> {
  const result = await modelfileFrom(text, kind, release);
  if ("refused" in result) throw new Error(result.refused);
  expect(result.texts.map(({ path }) => path)).toEqual(["Modelfile"]);
  return { text: result.texts[0]!.text, notes: result.notes.map(({ message }) => message) };
}

async function refusal(text: string, kind: SourceKind): Promise<string | undefined> {
  const result = await modelfileFrom(text, kind, newestRelease);
  return "refused" in result ? result.refused : undefined;
}

/** The request of commands for a release; undefined where it is refused. */
function requestFor(commands: readonly Command[], release: Release): string | undefined {
  const made = ollamaCreate.compile({
    file: parseModelfile(""),
    commands,
    release,
    name: "model",
    path: "Modelfile",
    server: {},
  });
  return "refused" in made ? undefined : made.texts[0]!.text;
}

/** What Ollama would make of commands, whatever their order. */
function meaning(commands: readonly Command[], release: Release): unknown {
  const { warnings: _, ...request } = createFromCommands(commands, release) as {
    warnings?: unknown;
  };
  const paths = (name: string) =>
    commands.filter((one) => one.name === name).map(({ args }) => args.split(/[\\/]/).at(-1));
  return { request, adapters: paths("adapter").slice(-1), drafts: paths("draft") };
}

/** Whether Ollama takes the commands at all; those that it takes must come back. */
async function roundTrip(read: readonly Command[], release: Release): Promise<boolean> {
  // A file that is not there counts as a name, and mostly as a bad one.
  const commands = read.map((one) =>
    one.name === "model" && !parseReference(one.args).ok ? { ...one, args: "base" } : one,
  );
  const request = requestFor(commands, release);
  if (request === undefined) return false;
  const { text, notes } = await back(request, "create", release);
  const again = readText(text, release);
  expect(again.ok, text).toBe(true);
  if (!again.ok) return false;
  let wanted = commands;
  if (release === old) {
    // The server reads the text that the client printed; that is what the request says.
    const printed = readText((JSON.parse(request) as { modelfile: string }).modelfile, release);
    if (!printed.ok) return false;
    wanted = printed.commands;
  }
  // What was read from a Modelfile can be written into one.
  expect(notes.filter((note) => /became|cannot be written|can hold/.test(note))).toEqual([]);
  expect(meaning(again.commands, release)).toEqual(meaning(wanted, release));
  return true;
}

describe("from a request to /api/create", () => {
  test("becomes the Modelfile that it was made from", async () => {
    const { text, notes } = await back(
      JSON.stringify({
        model: "mine",
        from: "llama3.2",
        template: "{{ .Prompt }} x",
        system: 'Say "hi".\nNow.',
        license: ["MIT", "two\nlines"],
        parameters: { num_ctx: 8192, temperature: 0.7, use_mmap: false, stop: ["###", "\n"] },
        messages: [
          { role: "user", content: "Hi" },
          { role: "assistant", content: "" },
        ],
        renderer: "qwen3-coder",
        requires: "0.14.0",
        quantize: "q4_K_M",
        stream: false,
      }),
      "create",
    );
    expect(text).toBe(`FROM llama3.2

PARAMETER num_ctx 8192
PARAMETER temperature 0.7
PARAMETER use_mmap false
PARAMETER stop ###
PARAMETER stop """
"""

TEMPLATE {{ .Prompt }} x

SYSTEM """Say "hi".
Now."""

MESSAGE user Hi
MESSAGE assistant ""

RENDERER qwen3-coder

REQUIRES 0.14.0

LICENSE MIT
LICENSE """two
lines"""
`);
    expect(notes).toEqual([
      "ollama create mine makes the model under its name.",
      "ollama create --quantize q4_K_M quantises it.",
    ]);
  });

  test("names files by their names, and says which they are", async () => {
    const digest = "a".repeat(64);
    const request = {
      files: { "w.gguf": `sha256:${digest}` },
      adapters: { "../a.gguf": "sha256:1" },
    };
    const { text, notes } = await back(JSON.stringify(request), "create");
    expect(text).toBe("FROM ./w.gguf\nADAPTER ./a.gguf\n");
    expect(notes[0]).toContain(": w.gguf (sha256:aaaaaaaaaaaa…).");
    const folder = { files: { "model.safetensors": "sha256:1", "config.json": "sha256:2" } };
    expect((await back(JSON.stringify(folder), "create")).text).toBe("FROM .\n");
  });

  test("takes the form of 0.5.4, where digests stand in the text", async () => {
    const digest = `sha256:${"b".repeat(64)}`;
    const modelfile = `FROM @${digest}\nPARAMETER top_k 3\n`;
    const { text, notes } = await back(JSON.stringify({ name: "x", modelfile }), "create", old);
    expect(text).toBe("FROM ./model.gguf\n\nPARAMETER top_k 3\n");
    expect(notes[0]).toBe(
      `The request tells a file by its digest alone. Put ${digest} beside the Modelfile as ./model.gguf.`,
    );
  });

  test("keeps whole numbers beyond 2^53, and writes 1e6 as Ollama reads it", async () => {
    const request =
      '{"from":"x","parameters":{"seed":9007199254740993,"num_ctx":1.5e3,"top_k":2.5,"stop":"a"}}';
    const { text, notes } = await back(request, "create");
    expect(text).toContain(
      "PARAMETER seed 9007199254740993\nPARAMETER num_ctx 1500\nPARAMETER top_k 2\n",
    );
    expect(text).toContain("PARAMETER stop a\n");
    expect(notes).toEqual(["top_k 2.5 is no whole number; Ollama cuts it to 2."]);
  });

  test("says of everything that it leaves out", async () => {
    const { notes } = await back(
      JSON.stringify({
        from: "x",
        parameters: { tfs_z: 1, wibble: 2, system: "x", temperature: null, num_ctx: "many" },
        messages: [{ role: "user", content: "a", images: ["…"] }],
        info: { a: 1 },
        license: [1],
        system: 3,
      }),
      "create",
    );
    expect(notes).toHaveLength(9);
    expect(notes.join("\n")).toMatch(
      /tfs_z[^]*"wibble"[^]*"system"[^]*"temperature"[^]*"many"[^]*images[^]*"info"/,
    );
  });

  test("refuses what is no request", async () => {
    expect(await refusal("{", "create")).toMatch(/^This is no JSON: /);
    expect(await refusal("[]", "create")).toBe("A request to /api/create is a JSON object.");
    expect(await refusal("{}", "create")).toMatch(/neither from nor files/);
    expect(await refusal('{"modelfile": "FRM x"}', "create")).toMatch(
      /^Ollama refuses the request's Modelfile: /,
    );
  });
});

describe("there and back", () => {
  const shared = new URL("../../shared/", import.meta.url);
  const modelfiles = new URL("evidence/modelfiles/", shared);

  test.skipIf(!existsSync(modelfiles)).each([newestRelease, old])(
    "people's Modelfiles say the same with $version",
    async (release) => {
      let same = 0;
      for (const name of readdirSync(modelfiles)) {
        const reading = readBytes(readFileSync(new URL(name, modelfiles)), release);
        if (reading.ok && (await roundTrip(reading.commands, release))) same++;
      }
      expect(same).toBeGreaterThan(400);
    },
  );

  test.skipIf(!existsSync(shared)).each([newestRelease, old])(
    "recorded cases say the same with $version",
    async (release) => {
      let same = 0;
      for (const file of ["parser-handwritten", "params"]) {
        const lines = readFileSync(new URL(`conformance/${file}.jsonl`, shared), "utf8")
          .trimEnd()
          .split("\n");
        for (const line of lines) {
          const { input_base64 } = JSON.parse(line) as { input_base64: string };
          const reading = readBytes(Buffer.from(input_base64, "base64"), release);
          if (reading.ok && (await roundTrip(reading.commands, release))) same++;
        }
      }
      expect(same).toBeGreaterThan(600);
    },
  );

  const hostile = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        '"',
        '"""',
        "'",
        "$",
        "`",
        "\\",
        "\n",
        "\r",
        "\t",
        " ",
        "#",
        ": ",
        "{{",
        "😀",
        "---",
      ),
      fc.constantFrom("\0", "\u001b", "\u200b", "\ud800", "é", "- a", "END\n", "%s", "FROM x\n"),
      fc.string({ maxLength: 4 }),
    ),
    maxLength: 12,
  });

  test("any text comes back as Ollama would read it, or a note says what became of it", async () => {
    await fc.assert(
      fc.asyncProperty(hostile, hostile, hostile, async (system, stop, content) => {
        const request = {
          from: "x",
          system,
          parameters: { stop: [stop], temperature: 0.5 },
          messages: [{ role: "user", content }],
        };
        const { text, notes } = await back(JSON.stringify(request), "create");
        const reading = readText(text, newestRelease);
        expect(reading.ok, text).toBe(true);
        const found = (name: string) =>
          reading.ok && reading.commands.find((one) => one.name === name)?.args;
        if (notes.length > 0) return;
        expect(found("system") || "").toBe(system);
        expect(found("stop")).toBe(stop);
        expect(found("message")).toBe(`user: ${content}`);
        expect(reading.ok && reading.commands.length).toBe(system === "" ? 4 : 5);
      }),
      { numRuns: 500 },
    );
  });
});

const write = (args: string, name = "system") => modelfileText([{ name, args }], newestRelease);

describe("the Modelfile's text", () => {
  test("quotes what would be read otherwise, and nothing else", () => {
    expect(write("plain # text").text).toBe("SYSTEM plain # text\n");
    expect(write(" padded").text).toBe('SYSTEM " padded"\n');
    expect(write('"quoted"').text).toBe('SYSTEM ""quoted""\n');
    expect(write("").text).toBe('SYSTEM ""\n');
    expect(write('a"""\nb').notes).toEqual([
      {
        message: "SYSTEM: a line ends in three quotes, which would end the value; they became '''.",
      },
    ]);
  });

  test("names characters that no Modelfile holds", () => {
    expect(write("a\u200bb\u0007")).toEqual({
      text: "SYSTEM ab\n",
      notes: [{ message: "SYSTEM: no Modelfile can hold U+200B, U+0007; Ollama drops them." }],
    });
  });

  test("writes a role that MESSAGE refuses as the parameter that Ollama takes for it", () => {
    expect(write("tool: hi", "message").text).toBe("PARAMETER message tool: hi\n");
  });
});

describe("from what ollama show --modelfile prints", () => {
  const blob = `/usr/share/ollama/.ollama/models/blobs/sha256-${"0".repeat(64)}`;
  const head = `# Modelfile generated by "ollama show"
# To build a new Modelfile based on this, replace FROM with:
# FROM llama3.2:3b

`;

  test("names the model, and drops what it brings along", async () => {
    const { text, notes } = await back(
      `${head}FROM ${blob}\nFROM ${blob}\nADAPTER ${blob}\nTEMPLATE {{ .Prompt }}\nPARAMETER num_ctx 1.048576e+06\nPARAMETER top_p 0.9\nPARAMETER stop <|im_end|>\nLICENSE """MIT\n"""\n`,
      "show",
    );
    expect(text).toBe(
      "FROM llama3.2:3b\n\nPARAMETER num_ctx 1048576\nPARAMETER top_p 0.9\nPARAMETER stop <|im_end|>\n",
    );
    expect(notes).toHaveLength(3);
  });

  test("keeps the path, its licence and its TEMPLATE where no comment names the model", async () => {
    const { text, notes } = await back(
      `FROM ${blob}\nTEMPLATE {{ .Prompt }}\nLICENSE MIT\n`,
      "show",
    );
    expect(text).toBe(`FROM ${blob}\n\nTEMPLATE {{ .Prompt }}\n\nLICENSE MIT\n`);
    expect(notes).toEqual([expect.stringMatching(/no comment says which model/)]);
  });

  test("keeps a TEMPLATE that is the model's own, and a FROM that is no blob", async () => {
    const { text } = await back(`${head}FROM ./w.gguf\nTEMPLATE """a\nb"""\n`, "show");
    expect(text).toBe('FROM ./w.gguf\n\nTEMPLATE """a\nb"""\n');
  });

  test("takes the answer of /api/show as well", async () => {
    const answer = { modelfile: `${head}FROM ${blob}\nPARAMETER seed 1e+06\n`, details: {} };
    expect((await back(JSON.stringify(answer), "create")).text).toBe(
      "FROM llama3.2:3b\n\nPARAMETER seed 1000000\n",
    );
  });

  test("refuses what Ollama itself cannot read again", async () => {
    expect(await refusal('FROM x\nSYSTEM "a" b\n', "show")).toMatch(/unexpected EOF/);
  });
});

const flags = (line: string) => back(line, "llama-server");

describe("from a command line of llama-server", () => {
  test("sets what a Modelfile can set, and says where the rest belongs", async () => {
    const { text, notes } =
      await flags(String.raw`CUDA_VISIBLE_DEVICES=0 ./llama-server -m 'my model.gguf' \
  --mmproj mm.gguf -c 32768 -np 4 -ngl 99 -b 2048 -ub 512 -fa on -ctk q8_0 --temp=0.7 --no-mmap -s -1 \
  --lora-scaled /l.gguf 0.5 -md d.gguf --draft-max 8 -sys "You are \"x\"." -ts 1,1 --metrics --frobnicate 3 > log`);
    expect(text).toBe(`FROM ./my model.gguf
FROM ./mm.gguf
DRAFT ./d.gguf
ADAPTER /l.gguf

PARAMETER temperature 0.7
PARAMETER use_mmap false
PARAMETER seed -1
PARAMETER draft_num_predict 8
PARAMETER num_ctx 8192
PARAMETER num_batch 512
PARAMETER num_gpu 99

SYSTEM You are "x".
`);
    const said = notes.join("\n");
    for (const pattern of [
      /OLLAMA_FLASH_ATTENTION/,
      /OLLAMA_KV_CACHE_TYPE=q8_0/,
      /OLLAMA_NUM_PARALLEL=4/,
      /-c 32768 is shared by 4 slots/,
      /num_batch is 512/,
      /the scale 0\.5/,
      /CUDA_VISIBLE_DEVICES belongs/,
      /-ts: .*CUDA_VISIBLE_DEVICES/,
      /stands for --metrics, --frobnicate\./,
    ]) {
      expect(said).toMatch(pattern);
    }
  });

  test("takes a repository, and leaves to Ollama what it chooses itself", async () => {
    const { text, notes } = await flags(
      "llama-server -hf ggml-org/gemma-3-4b-it-GGUF:Q4_K_M -ngl all -c 0",
    );
    expect(text).toBe("FROM hf.co/ggml-org/gemma-3-4b-it-GGUF:Q4_K_M\n");
    expect(notes).toHaveLength(2);
    expect((await flags("llama-server -m /m.gguf -ngl auto --keep 5")).text).toBe(
      "FROM /m.gguf\n\nPARAMETER num_keep 5\n",
    );
  });

  test("reads the line that Ollama logs", async () => {
    const { text, notes } = await flags(
      `time=x level=INFO msg="starting llama-server" cmd="/usr/lib/ollama/llama-server --model /b/blobs/sha256-${"0".repeat(64)} --port 1 -c 16384 -np 2 --no-webui"`,
    );
    expect(text).toContain("PARAMETER num_ctx 8192\n");
    expect(notes.join("\n")).toMatch(/model store/);
  });

  test("reads Windows' paths and line ends, and a script with other commands", async () => {
    const windows =
      'C:\\llama\\llama-server.exe ^\r\n -m "C:\\my models\\x.gguf" `\r\n -c 4096\r\n';
    expect((await flags(windows)).text).toBe(
      "FROM C:\\my models\\x.gguf\n\nPARAMETER num_ctx 4096\n",
    );
    const script = "#!/bin/sh\ncd /srv # -m no\nexport A=1\nexec llama-server -m a.gguf # -c 9\n";
    expect((await flags(script)).text).toBe("FROM ./a.gguf\n");
    const docker =
      "docker run -p 8080:8080 ghcr.io/ggml-org/llama.cpp:server -m /models/a.gguf -n 512";
    expect((await flags(docker)).text).toBe("FROM /models/a.gguf\n\nPARAMETER num_predict 512\n");
  });

  test("refuses a line without a model, or without flags", async () => {
    expect(await refusal("llama-server -c 4096", "llama-server")).toMatch(/names no model/);
    expect(await refusal("llama-server", "llama-server")).toMatch(/no flags/);
  });

  test("never throws, whatever it is given", async () => {
    const words = fc.constantFrom(
      "-m",
      "-c",
      "a",
      "'",
      '"',
      "\\",
      "\n",
      " ",
      "-np",
      "0",
      "$(x",
      "--lora-scaled",
      "=",
    );
    await fc.assert(
      fc.asyncProperty(fc.array(words, { maxLength: 12 }), async (parts) => {
        for (const kind of sources) await modelfileFrom(parts.join(" "), kind, newestRelease);
      }),
      { numRuns: 300 },
    );
  });

  test("knows no flag that llama.cpp does not have or had", () => {
    // Names of earlier builds, and of llama-cli.
    const gone = [
      "--draft-n",
      "-hfr",
      "--draft",
      "--draft-max",
      "--typical",
      "--temperature",
      "-sys",
      "--system-prompt",
      "-sysf",
      "--system-prompt-file",
    ];
    const names = llamaFlags.flatMap(([all]) => all);
    expect(names.filter((name) => !llamaServerFlags.has(name) && !gone.includes(name))).toEqual([]);
  });
});

describe("--from auto", () => {
  test.each([
    ['{"from": "x"}', "create"],
    ['# Modelfile generated by "ollama show"\n# FROM x\n\nFROM /y\n', "show"],
    ["FROM x\nSYSTEM a", "show"],
    ["llama-server -m x.gguf", "llama-server"],
    ["#!/bin/sh\nllama-server -hf a/b", "llama-server"],
    ["./build/bin/server --model x", "llama-server"],
    ["Dear all", undefined],
  ])("takes %j for %s", (text, kind) => {
    expect(kindOf(text)).toBe(kind);
  });
});

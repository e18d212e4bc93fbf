import { describe, expect, test } from "vitest";
import { createFromCommands } from "../grammar/create-request.js";
import { readTree } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import { ruleNamed } from "../rules/index.js";
import { foreignNames, foreignParameter, plainName } from "../src/facts/foreign-parameters.js";
import { acceptedParameters, parameterFact } from "../src/facts/parameters.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import type { Report } from "../src/finding.js";
import { applyEdits } from "../src/fix/fix.js";
import { readParameter } from "../grammar/values.js";

/** What one rule says about a text. */
function reports(id: string, text: string, ollama?: string): Report[] {
  const rule = ruleNamed(id) ?? expect.fail(`There is no rule ${id}.`);
  const release = ollama === undefined ? newestRelease : parseRelease(ollama)!;
  return [...rule.check(parseModelfile(text), { release })];
}

/** The text after the fix of a rule's only finding. */
function fixed(id: string, text: string): string {
  const found = reports(id, text);
  expect(found).toHaveLength(1);
  return applyEdits(text, found[0]!.fix!.edits);
}

const parameter = (line: string) => `FROM acme/tuned\nPARAMETER ${line}\n`;

/** PARAMETER lines of stop strings. */
const stopLines = (...stops: string[]) =>
  `FROM acme/tuned\n${stops.map((stop) => `PARAMETER stop "${stop}"\n`).join("")}`;

const commented = (comment: string, line: string) =>
  `FROM acme/tuned\n${comment}\nPARAMETER ${line}\n`;

/** What Ollama makes of a file that it takes. */
const modelOf = (one: string) => {
  const read = readTree(parseModelfile(one), newestRelease);
  return read.ok ? createFromCommands(read.commands, newestRelease) : expect.fail("It is refused.");
};

describe("foreign names", () => {
  test.each([
    ["--ctx-size 4096", "num_ctx 4096"],
    ["ctxSize 4096", "num_ctx 4096"],
    ["N_CTX 4096", "num_ctx 4096"],
    ["contextLength 4096", "num_ctx 4096"],
    ["contextsize 4096", "num_ctx 4096"],
    ["OLLAMA_CONTEXT_LENGTH 4096", "num_ctx 4096"],
    ["gpuLayers 20", "num_gpu 20"],
    ["--n-gpu-layers 20", "num_gpu 20"],
    ["maxTokens 256", "num_predict 256"],
    ["max_completion_tokens 256", "num_predict 256"],
    ["repetition_penalty 1.1", "repeat_penalty 1.1"],
    ["last-n-tokens-size 32", "repeat_last_n 32"],
    ["stopSequences END", "stop END"],
    ["no-mmap true", "use_mmap false"],
    ["no_mmap false", "use_mmap true"],
    ["do_sample false", "temperature 0"],
    ["load-mode none", "use_mmap false"],
    ["numCtx 4096", "num_ctx 4096"],
    ["repeatPenalty 1.1", "repeat_penalty 1.1"],
    ["top-p 0.9", "top_p 0.9"],
  ])("%s becomes %s", (there, here) => {
    expect(fixed("unknown-parameter", parameter(there))).toBe(parameter(here));
  });

  test.each([
    "OLLAMA_NUM_PARALLEL 4",
    "OLLAMA_WHATEVER 1",
    "flash_attn true",
    "cache-type-k q8_0",
    "tensor_parallel_size 2",
    "rope_freq_base 10000",
    "do_sample true",
    "num_gpus 2",
  ])("%s can go", (line) => {
    expect(fixed("unknown-parameter", parameter(line))).toBe("FROM acme/tuned\n");
  });

  test.each([
    ["n_ctx 0", "0 means something else there."],
    ["n_gpu_layers -1", "-1 means something else there."],
    ["gpu_layers all", "all means something else there."],
    ["max_length 200", "There it counts the prompt as well; num_predict counts the answer alone."],
    ["gpuOffload 0.5", "There it is a share from 0 to 1; num_gpu counts layers."],
  ])("%s is left to the user", (line, help) => {
    const [report] = reports("unknown-parameter", parameter(line));
    expect(report).toMatchObject({ help, suggestions: [expect.anything()] });
    expect(report!.fix).toBeUndefined();
  });

  test.each([
    ["format json", "Send format with the request."],
    ["think false", "Send think with the request."],
    ["logit_bias x", "Ollama has no setting for single tokens."],
    ["num_beams 4", "Ollama has no beam search."],
    ["system_message hi", "Use SYSTEM."],
    ["mmproj ./p.gguf", "Name the projector's file in a FROM line of its own."],
  ])("%s stands elsewhere", (line, help) => {
    const [report] = reports("unknown-parameter", parameter(line));
    expect(report!.help).toBe(help);
    expect(report!.fix).toBeUndefined();
  });

  test("offer no parameter that the release does not have", () => {
    const [old] = reports("unknown-parameter", parameter("draft_max 4"), "0.6.4");
    expect(old!.message).toBe('Unknown parameter "draft_max", llama.cpp\'s name.');
    expect(old!.fix).toBeUndefined();
  });

  test("are none of Ollama's own, however they are spelled", () => {
    const own = new Set(acceptedParameters(newestRelease).map(plainName));
    expect(foreignNames().filter(([name]) => own.has(plainName(name)))).toEqual([]);
    const spelled = foreignNames().map(([name]) => plainName(name));
    expect(new Set(spelled).size).toBe(spelled.length);
  });

  test("become what Ollama reads", () => {
    for (const [name, { becomes }] of foreignNames()) {
      for (const setting of Object.values(becomes ?? {}).filter((text) => text !== "")) {
        const [own, value] = setting.split(" ") as [string, string];
        expect(readParameter(own, value, newestRelease).ok, `${name}: ${setting}`).toBe(true);
      }
    }
  });

  test("say whose they are and what to do", () => {
    for (const [name, { use, becomes, server, request, instruction, help }] of foreignNames()) {
      expect(foreignParameter(name)!.is, name).not.toBe("");
      expect([use, becomes, server, request, instruction, help].some(Boolean), name).toBe(true);
      expect(parameterFact(name), name).toBeUndefined();
    }
  });
});

describe("bidi-text", () => {
  const [embedding, pop, override, isolate, close] = [
    "\u202b",
    "\u202c",
    "\u202e",
    "\u2067",
    "\u2069",
  ];

  test.each([
    ["an override, closed or not", `${override}abc${pop}`, ["U+202E"]],
    ["an embedding that is not closed", `a ${embedding}b`, ["U+202B"]],
    ["an isolate that is not closed", `a ${isolate}b`, ["U+2067"]],
    ["what another kind of character closes", `${isolate}b${pop}`, ["U+2067"]],
    ["two of them", `${isolate}${embedding}a`, ["U+2067", "U+202B"]],
  ])("tells %s", (_, text, codes) => {
    const found = reports("bidi-text", `FROM llama3.2\nSYSTEM ${text}\n`);
    expect(found.map(({ message }) => message.slice(0, 6))).toEqual(codes);
  });

  test("ends what is open with its line", () => {
    expect(reports("bidi-text", `# ${isolate}a\n# b${close}\nFROM llama3.2\n`)).toHaveLength(1);
  });

  test.each([
    ["Hebrew and Arabic", "שלום, مرحبا"],
    ["marks of direction", "a\u200fb\u200ec\u061cd"],
    ["closed isolates", `a ${isolate}b${close} c`],
    ["closed embeddings", `a ${embedding}b${pop} c`],
    ["an isolate that closes what was opened within", `${isolate}${embedding}b${close}`],
    ["a stray end", `a${pop}b${close}`],
  ])("is silent about %s", (_, text) => {
    expect(reports("bidi-text", `FROM llama3.2\nSYSTEM """${text}"""\n`)).toEqual([]);
  });
});

describe("stop-list", () => {
  test.each([
    ['["User:"]', stopLines("User:")],
    ["['User:', 'Human:']", stopLines("User:", "Human:")],
    ['[ "a" , "b" ]', stopLines("a", "b")],
    ['"a","b","c"', stopLines("a", "b", "c")],
  ])("takes %s apart", (list, after) => {
    expect(fixed("stop-list", parameter(`stop ${list}`))).toBe(after);
  });

  test.each([
    "stop [INST]",
    'stop "[INST]"',
    "stop []",
    "stop [1, 2]",
    "stop </s>,</p>",
    'stop "a"',
    'stop """["a"]"""',
    'stop "User, Human"',
    "top_k [1]",
  ])("is silent about %s", (line) => {
    expect(reports("stop-list", parameter(line))).toEqual([]);
  });

  test("keeps the line ends of the file", () => {
    const text = 'FROM acme/tuned\r\nPARAMETER stop "a", "b"\r\n';
    expect(fixed("stop-list", text)).toBe(
      'FROM acme/tuned\r\nPARAMETER stop "a"\r\nPARAMETER stop "b"\r\n',
    );
  });
});

describe("comment-contradicts-value", () => {
  test.each([
    ["# set the temperature to 1", "temperature 0.2"],
    ["# Sets the context window size to 4096, this controls how much", "num_ctx 32768"],
    ["#set top p to 0.9", "top_p 0.5"],
    ["# set num_ctx to 4096.", 'num_ctx "8192"'],
  ])("tells %s above %s", (comment, line) => {
    expect(reports("comment-contradicts-value", commented(comment, line))).toHaveLength(1);
  });

  test.each([
    ["# set the temperature to 1", "temperature 1.0"],
    ["# set the temperature to 0.7 or so", "temperature 0.7"],
    ["# set the temperature to 1", "top_p 0.2"],
    ["# set the temperature to 1\n", "temperature 0.2"],
    ["# do not set the temperature to 1", "temperature 0.2"],
    ["# set the tone to 1", "temperature 0.2"],
    ["# set the temperature to 20%", "temperature 0.2"],
    ["# set the context window to 8k", "num_ctx 8192"],
    ["# set the context window to 8,192", "num_ctx 8192"],
    ["# 1 is creative", "temperature 0.2"],
    ["# set stop to 1", "stop one"],
  ])("is silent about %s above %s", (comment, line) => {
    expect(reports("comment-contradicts-value", commented(comment, line))).toEqual([]);
  });

  test("changes either of the two", () => {
    const text = commented("# set num_ctx to 4096", 'num_ctx "8192"');
    const [report] = reports("comment-contradicts-value", text);
    expect(report!.suggestions!.map(({ edits }) => applyEdits(text, edits))).toEqual([
      commented("# set num_ctx to 8192", 'num_ctx "8192"'),
      commented("# set num_ctx to 4096", 'num_ctx "4096"'),
    ]);
  });
});

describe("quotes", () => {
  test.each([
    'SYSTEM "one line"',
    'SYSTEM """two\nlines"""',
    "SYSTEM two words",
    'SYSTEM "two\nlines',
    'PARAMETER stop "</s>"',
  ])("prefer-triple-quotes is silent about %j", (line) => {
    expect(reports("prefer-triple-quotes", `FROM llama3.2\n${line}\n`)).toEqual([]);
  });

  test("prefer-triple-quotes leaves text alone that would run into the quotes", () => {
    const [report] = reports("prefer-triple-quotes", 'FROM llama3.2\nSYSTEM """two\nlines""\n');
    expect(report?.fix).toBeUndefined();
    const [quoted] = reports("prefer-triple-quotes", 'FROM llama3.2\nSYSTEM "two\n"""lines"\n');
    expect(quoted).toBeDefined();
    expect(quoted!.fix).toBeUndefined();
  });

  test.each([
    'SYSTEM "terse"',
    'PARAMETER stop " User:"',
    'PARAMETER stop "User: "',
    'PARAMETER stop "two words"',
    'PARAMETER stop "#"',
    'PARAMETER stop "\'"',
    'PARAMETER stop """"a""""',
    'PARAMETER stop ""',
    "PARAMETER stop </s>",
    'MESSAGE user "hi"',
    'PARAMETER stop "\u200b</s>"',
  ])("unneeded-quotes is silent about %s", (line) => {
    expect(reports("unneeded-quotes", `FROM llama3.2\n${line}\n`)).toEqual([]);
  });

  test.each([
    ["unneeded-quotes", 'FROM """llama3.2"""\n'],
    ["unneeded-quotes", 'FROM llama3.2\nPARAMETER num_ctx "4096"\n'],
    ["prefer-triple-quotes", 'FROM llama3.2\nSYSTEM "a\r\n\r\nb "c" d"\r\n'],
    ["prefer-triple-quotes", 'FROM llama3.2\nMESSAGE user "a\nb"\n'],
    ["from-not-first", "SYSTEM a\nPARAMETER top_k 4\nFROM llama3.2"],
  ])("%s leaves the model as it is: %j", (id, text) => {
    expect(modelOf(fixed(id, text))).toEqual(modelOf(text));
  });
});

describe("padded-text", () => {
  test.each([
    'SYSTEM """a"""',
    'SYSTEM "a"',
    "SYSTEM a",
    'SYSTEM """\n"""',
    'SYSTEM """a\n\nb"""',
    'SYSTEM """\n"quoted"\n"""',
    'TEMPLATE """\n{{ .Prompt }}\n"""',
  ])("is silent about %j", (line) => {
    expect(reports("padded-text", `FROM llama3.2\n${line}\n`)).toEqual([]);
  });

  test("takes out blank lines as well", () => {
    const text = 'FROM llama3.2\nMESSAGE user """\r\n \r\na\n\n"""\n';
    expect(fixed("padded-text", text)).toBe('FROM llama3.2\nMESSAGE user """a"""\n');
  });
});

describe("order", () => {
  test.each([
    "FROM llama3.2\nSYSTEM a\n",
    "# about\n\nFROM llama3.2\nSYSTEM a\n",
    "SYSTEM a\n",
    "FROM llama3.2\nFROM ./projector.gguf\n",
  ])("from-not-first is silent about %j", (text) => {
    expect(reports("from-not-first", text)).toEqual([]);
  });

  test.each([
    "# terse\nSYSTEM a\nFROM llama3.2\n",
    "SYSTEM a\n# the base\nFROM llama3.2\n",
    "SYSTEM a\nFROM ./m.gguf\nFROM ./projector.gguf\n",
  ])("from-not-first moves nothing in %j", (text) => {
    const [report] = reports("from-not-first", text);
    expect(report).toBeDefined();
    expect(report!.fix).toBeUndefined();
  });

  test.each([
    "FROM llama3.2\nPARAMETER top_k 4\n# c\n\nPARAMETER top_p 0.5\nSYSTEM a\n",
    "PARAMETER top_k 4\nFROM llama3.2\nSYSTEM a\n",
    "FROM llama3.2\nSYSTEM a\n",
  ])("grouped-parameters is silent about %j", (text) => {
    expect(reports("grouped-parameters", text)).toEqual([]);
  });

  test("grouped-parameters tells the first of many alone", () => {
    const text = "PARAMETER top_k 4\nFROM a\nPARAMETER top_p 0.5\nSYSTEM b\nPARAMETER seed 3\n";
    expect(reports("grouped-parameters", text)).toHaveLength(1);
  });
});

describe("generated-header", () => {
  const blob = `/m/blobs/sha256-${"0123456789abcdef".repeat(4)}`;
  const header = '# Modelfile generated by "ollama show"\n';

  test.each([
    `${header}# To build a new Modelfile based on this, replace FROM with:\n# FROM a\n\nFROM ${blob}\n`,
    `${header}FROM C:\\m\\blobs\\sha256-${"0".repeat(64)}\n`,
    `${header}FROM ${blob}\nFROM ./projector.gguf\n`,
    `FROM llama3.2\n${header}`,
    `# Modelfile generated by hand\nFROM llama3.2\n`,
    header,
  ])("is silent about %j", (text) => {
    expect(reports("generated-header", text)).toEqual([]);
  });

  test("leaves other comments in place", () => {
    const text = `${header}# To build a new Modelfile based on this one, replace the FROM line with:\n# FROM a:latest\n# Mine.\nFROM b\n`;
    expect(fixed("generated-header", text)).toBe("# Mine.\nFROM b\n");
  });
});

describe("private-data", () => {
  test.each([
    "Mail user@example.com",
    "See /home/user and /Users/username",
    "A machine: 127.0.0.1, 8.8.8.8, version 10.2.3",
    "The network 10.0.0.0/8",
    "@ada and ada@home",
    "git@github.com:acme/tuned.git",
    "https://ada@lovelace",
  ])("is silent about %s", (text) => {
    const found = reports("private-data", `FROM llama3.2\nSYSTEM """${text}"""\n`);
    expect(found.map(({ message }) => message)).toEqual([]);
  });

  test("looks at what becomes part of the model alone", () => {
    expect(reports("private-data", "# ada@lovelace.dev\nFROM /home/ada/m.gguf\n")).toEqual([]);
    expect(reports("private-data", "FROM a\nMESSAGE user C:\\Users\\ada\\notes\n")).toHaveLength(1);
  });
});

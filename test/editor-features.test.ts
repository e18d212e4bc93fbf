import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { lineIndex } from "../grammar/places.js";
import type { Span } from "../grammar/tree.js";
import { families } from "../src/facts/families.js";
import { lookUp } from "../src/context.js";
import { definition } from "../src/editor/definition.js";
import { folding } from "../src/editor/folding.js";
import { inlayHints } from "../src/editor/inlay-hints.js";
import { lenses } from "../src/editor/lenses.js";
import { links } from "../src/editor/links.js";
import { selection } from "../src/editor/selection.js";
import { symbols, type OutlineEntry } from "../src/editor/symbols.js";
import { tokens, tokenModifiers, tokenTypes } from "../src/editor/tokens.js";
import type { View } from "../src/editor/view.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import { applyEdits } from "../src/fix/fix.js";
import { check } from "../src/lint.js";
import { preset } from "../src/machines/presets.js";
import type { FileFacts } from "../src/models/local-files.js";
import type { Context } from "../src/rule.js";
import { runs } from "./runs.js";

/** A file of which nothing is known but its text. */
function bare(text: string, context: Partial<Context> = {}): View {
  const known = { release: newestRelease, ...context };
  return { file: parseModelfile(text), contexts: [known], findings: [] };
}

/** A file of a library model on preset machines. */
async function judged(text: string, ...machines: string[]): Promise<View> {
  const file = parseModelfile(text);
  const on = async (name: string | undefined): Promise<Context> => {
    const machine = name === undefined ? undefined : await preset(name);
    const { context } = await lookUp(file, {
      release: parseRelease("0.32.15")!,
      folder: "/",
      modelsFolder: "/",
      server: {},
      models: new Map(),
      ...(machine && { machine }),
    });
    return context;
  };
  const first = await on(machines[0]);
  const others = await Promise.all(machines.slice(1).map(on));
  return { file, contexts: [first, ...others], findings: check(file, first) };
}

const textOf = ({ file }: View, { start, end }: Span) => file.text.slice(start, end);

/** A text with the place that is asked about marked by "¦". */
function marked(text: string): { view: View; at: number } {
  const at = text.indexOf("¦");
  return { view: bare(text.slice(0, at) + text.slice(at + 1)), at };
}

const chat = `FROM llama3.1:8b
TEMPLATE """{{- define "turn" }}<|{{ . }}|>{{ end }}
{{- if .System }}
{{ template "turn" "system" }}
{{ else if .Tools }}
tools
{{ else }}
none
{{ end }}{{ range $i, $m := .Messages }}
{{ $m.Content }}
{{ end }}"""
`;

const outlined = (view: View) => {
  const line = (entry: OutlineEntry, depth: number): string[] => [
    `${"  ".repeat(depth)}${entry.kind} ${entry.name}: ${entry.detail} [${textOf(view, entry.selection)}]`,
    ...entry.children.flatMap((child) => line(child, depth + 1)),
  ];
  return symbols(view).flatMap((entry) => line(entry, 0));
};

describe("symbols", () => {
  test("lists the instructions in order", () => {
    const text = `# comment
FROM ./model.gguf
ADAPTER ./lora.gguf
PARAMETER num_ctx 4096
parameter stop "<|im_end|>"
SYSTEM """
You are
  a llama."""
MESSAGE user Why is the sky blue?
LICENSE """MIT

Copyright"""
RENDERER qwen3-coder
SYTEM oops
stray text
`;
    expect(outlined(bare(text))).toEqual([
      "module FROM: ./model.gguf [./model.gguf]",
      "file ADAPTER: ./lora.gguf [./lora.gguf]",
      "property num_ctx: 4096 [num_ctx]",
      "property stop: <|im_end|> [stop]",
      "string SYSTEM: You are a llama. [SYSTEM]",
      "event MESSAGE user: Why is the sky blue? [user]",
      "string LICENSE: MIT [LICENSE]",
      "constant RENDERER: qwen3-coder [RENDERER]",
      "null SYTEM: oops [SYTEM]",
    ]);
  });

  test("shows what a template is made of", () => {
    expect(outlined(bare(chat)).slice(1)).toEqual([
      'object TEMPLATE: {{- define "turn" }}<|{{ . }}|>{{ end }} {{- if .System }}… [TEMPLATE]',
      '  function turn:  [{{- define "turn" }}]',
      "  operator if .System:  [if]",
      "    operator else if .Tools:  [if]",
      "  operator range $i, $m := .Messages:  [range]",
    ]);
  });

  test.each([
    ["PARAMETER", "property PARAMETER:  [PARAMETER]"],
    ["PARAMETER  x", "property PARAMETER: x [PARAMETER]"],
    ["MESSAGE", "event MESSAGE:  [MESSAGE]"],
    ['MESSAGE "hi"', "event MESSAGE: hi [MESSAGE]"],
    ["FROM", "module FROM:  [FROM]"],
    ["FROM ", "module FROM:  [FROM]"],
  ])("has a name for the unfinished %s", (text, line) => {
    expect(outlined(bare(text))).toEqual([line]);
  });

  test("has a name for a template without one", () => {
    const text = 'TEMPLATE """{{ define " " }}a{{ end }}{{ if }}b{{ end }}"""';
    const [template] = symbols(bare(text));
    expect(template!.children.map(({ name }) => name)).toEqual(['""', "if"]);
  });
});

/** "2-5 region": lines from 1. */
const folded = (view: View) => {
  const lines = lineIndex(view.file.text);
  return folding(view).map(({ start, end, kind }) => {
    return `${lines.at(start).line}-${lines.at(end).line}${kind ? ` ${kind}` : ""}`;
  });
};

describe("folding", () => {
  test.each([
    ["a value, but for quotes in a line of their own", 'SYSTEM """\none\ntwo\n"""\n', ["1-3"]],
    ["a value to its last line", 'SYSTEM """one\ntwo"""\nFROM x\n', ["1-2"]],
    ["a value that somebody is writing", 'SYSTEM """one\ntwo\n\nFROM x\n', ["1-2"]],
    ["nothing where there is one line", 'SYSTEM """one\n"""\nFROM x\n', []],
    ["comments", "# a\n# b\n\n# c\nFROM x\n", ["1-2 comment"]],
    [
      "parameters",
      "PARAMETER seed 1\n# c\nPARAMETER top_k 1\n\nPARAMETER top_p 1\n",
      ["1-3 region"],
    ],
    ["messages", "MESSAGE user a\r\nMESSAGE user b\r\nFROM x\r\n", ["1-2 region"]],
    [
      "the longer of two that begin together",
      'MESSAGE user """a\nb"""\nMESSAGE user c\n',
      ["1-3 region"],
    ],
    ["what lies within", 'PARAMETER seed 1\nPARAMETER stop """a\nb"""\n', ["1-3 region", "2-3"]],
  ])("folds %s", (_, text, expected) => {
    expect(folded(bare(text))).toEqual(expected);
  });

  test("folds the blocks of a template up to the lines that end them", () => {
    // The definition is in one line; if, else if, else and range are not.
    expect(folded(bare(chat))).toEqual(["2-11", "3-4", "5-6", "7-8", "9-10"]);
  });
});

const coloured = (view: View, within?: Span) =>
  tokens(view, within).map((token) =>
    [token.type, ...token.modifiers, JSON.stringify(textOf(view, token))].join(" "),
  );

describe("tokens", () => {
  test.each([
    ["a library model", "FROM llama3.1:8b", ['type "llama3.1"', 'operator ":"', 'enumMember "8b"']],
    [
      "a model elsewhere",
      "FROM hf.co/acme/tuned:Q8_0",
      [
        'namespace "hf.co"',
        'namespace "acme"',
        'type "tuned"',
        'operator ":"',
        'enumMember "Q8_0"',
      ],
    ],
    ["a path", "FROM ./model.gguf", ['string "./model.gguf"']],
    ["a name with a character that is dropped", "FROM lla\u00adma", ['type "lla\u00adma"']],
    ["a name in quotes", 'FROM "llama3"', ['string "\\""', 'type "llama3"', 'string "\\""']],
    ["a number", "PARAMETER num_ctx 4096", ['property "num_ctx"', 'number "4096"']],
    ["what should be a number", "PARAMETER num_ctx 4k", ['property "num_ctx"', 'string "4k"']],
    [
      "true and false",
      "PARAMETER use_mmap true",
      ['property "use_mmap"', 'enumMember readonly "true"'],
    ],
    ["what is gone", "PARAMETER mirostat 1", ['property deprecated "mirostat"', 'number "1"']],
    [
      "a special token",
      'PARAMETER stop "a<|im_end|>"',
      ['property "stop"', 'string "\\"a"', 'macro "<|im_end|>"', 'string "\\""'],
    ],
    ["a role", "MESSAGE user hi", ['enumMember readonly "user"', 'string "hi"']],
    [
      "a text of two lines",
      'SYSTEM """a\r\n\r\nb"""',
      ['string "\\"\\"\\"a"', 'string "b\\"\\"\\""'],
    ],
    ["built-in code", "PARSER qwen3", ['enumMember "qwen3"']],
    ["a release", "REQUIRES 0.14.0", ['number "0.14.0"']],
  ])("tells %s", (_, text, expected) => {
    const [keyword, ...rest] = coloured(bare(text));
    expect(keyword).toBe(`keyword "${text.split(" ")[0]}"`);
    expect(rest).toEqual(expected);
  });

  test("tells the words of a directive", () => {
    expect(coloured(bare("# modelfile-lint-disable-file secret, encoding -- so"))).toEqual([
      'comment "# "',
      'keyword documentation "modelfile-lint-disable-file"',
      'comment " "',
      'enumMember "secret"',
      'comment ", "',
      'enumMember "encoding"',
      'comment " -- so"',
    ]);
    expect(coloured(bare("# plain"))).toEqual(['comment "# plain"']);
  });

  test("tells the parts of a template, also while it is being written", () => {
    const text =
      'TEMPLATE """<|user|>{{- if and .System true }}{{/* x */}}{{ $x := len "a" 1 }}{{ .Sy';
    expect(coloured(bare(text)).slice(1)).toEqual([
      'string "\\"\\"\\""',
      'macro "<|user|>"',
      'operator "{{- "',
      'keyword "if"',
      'function "and"',
      'property ".System"',
      'enumMember readonly "true"',
      'operator "}}{{"',
      'comment "/* x */"',
      'operator "}}{{"',
      'variable "$x"',
      'operator ":="',
      'function "len"',
      'string "\\"a\\""',
      'number "1"',
      'operator "}}{{"',
      'property ".Sy"',
    ]);
  });

  test("answers for a part of the file alone", () => {
    const view = bare("FROM a\nPARAMETER seed 1\nSYSTEM hi\n");
    expect(coloured(view, { start: 7, end: 10 })).toEqual(['keyword "PARAMETER"']);
    expect(coloured(view, { start: 24, end: 34 })).toEqual(['keyword "SYSTEM"', 'string "hi"']);
  });
});

const linked = (view: View) =>
  links(view).map(({ at, to }) => `${textOf(view, at)} → ${to.kind === "url" ? to.url : to.path}`);

describe("links", () => {
  test.each([
    ["FROM llama3.1", "llama3.1 → https://ollama.com/library/llama3.1"],
    ["FROM llama3.1:8b", "llama3.1:8b → https://ollama.com/library/llama3.1:8b"],
    [
      "FROM gpt-oss:120b-cloud",
      "gpt-oss:120b-cloud → https://ollama.com/library/gpt-oss:120b-cloud",
    ],
    ["FROM acme/tuned", "acme/tuned → https://ollama.com/acme/tuned"],
    [
      "FROM hf.co/acme/tuned-GGUF:Q4_K_M",
      "hf.co/acme/tuned-GGUF:Q4_K_M → https://huggingface.co/acme/tuned-GGUF",
    ],
    ["FROM ./model.gguf", "./model.gguf → ./model.gguf"],
    ['ADAPTER "lora.gguf"', "lora.gguf → lora.gguf"],
    ["DRAFT small.gguf", "small.gguf → small.gguf"],
    ["# see https://example.com/a(b). ", "https://example.com/a(b) → https://example.com/a(b)"],
    ['LICENSE """(http://a.org/)"""', "http://a.org/ → http://a.org/"],
    [
      "# modelfile-lint-disable secret, no-such-rule",
      "secret → https://github.com/modelfile-lint/modelfile-lint/blob/main/docs/rules/secret.md",
    ],
  ])("leads from %s", (text, expected) => {
    expect(linked(bare(text))).toEqual([expected]);
  });

  test.each([
    "FROM registry.acme.com/library/tuned",
    "FROM .",
    "FROM",
    "FROM a b",
    "SYSTEM https://example.com",
    "# http://[",
  ])("leads nowhere from %s", (text) => {
    expect(linked(bare(text))).toEqual([]);
  });

  test("does not lead to folders, nor to what is not there", () => {
    const text = "FROM ./folder\nADAPTER missing.gguf\nFROM a.gguf\n";
    const files = new Map<string, FileFacts>([
      ["./folder", { kind: "folder", path: "/folder", names: [], pointers: [] }],
      ["missing.gguf", { kind: "missing" }],
      ["a.gguf", { kind: "file", path: "/a.gguf", content: "gguf" }],
    ]);
    expect(linked(bare(text, { files }))).toEqual(["a.gguf → a.gguf"]);
  });
});

const definedBy = (text: string) => {
  const { view, at } = marked(text);
  const to = definition(view, at)?.to;
  if (!to || to.kind === "path") return to?.path;
  return `${textOf(view, to.selection)} in ${textOf(view, to.at)}`;
};

describe("definition", () => {
  test.each([
    ["a path", "FROM ./mo¦del.gguf", "./model.gguf"],
    ["no path", "FROM lla¦ma3", undefined],
    [
      "a template",
      'TEMPLATE """{{ define "x" }}a{{ end }}{{ template "x¦" . }}"""',
      '"x" in {{ define "x" }}a{{ end }}',
    ],
    ["no template", 'TEMPLATE """{{ template "x¦" . }}"""', undefined],
    ["a block, which is its own", 'TEMPLATE """{{ block "x¦" . }}a{{ end }}"""', undefined],
    ["a variable", 'TEMPLATE """{{ $a := 1 }}{{ $¦a }}"""', "$a in $a"],
    ["a variable that is set", 'TEMPLATE """{{ $a := 1 }}{{ $¦a = 2 }}"""', "$a in $a"],
    ["the topmost dot", 'TEMPLATE """{{ $¦ }}"""', undefined],
    [
      "a parameter that a later one overrides",
      "PARAMETER se¦ed 1\nPARAMETER seed 2\n",
      "seed in PARAMETER seed 2",
    ],
    ["the parameter that counts", "PARAMETER seed 1\nPARAMETER se¦ed 2\n", undefined],
    ["a parameter that adds up", "PARAMETER sto¦p a\nPARAMETER stop b\n", undefined],
    ["an instruction", "SYS¦TEM a\nFROM x\nSYSTEM b\n", "SYSTEM in SYSTEM b"],
    ["one that adds up", "LICEN¦SE a\nLICENSE b\n", undefined],
    ["a FROM that does not count", "FR¦OM one\nFROM two\n", "two in FROM two"],
    ["nothing in an empty file", "¦", undefined],
  ])("leads to what stands behind %s", (_, text, expected) => {
    expect(definedBy(text)).toBe(expected);
  });

  test.each([
    ["the inner of two", "{{ $a := 1 }}{{ if . }}{{ $a := 2 }}{{ $¦a }}{{ end }}", 2],
    ["the outer one behind the block", "{{ $a := 1 }}{{ if . }}{{ $a := 2 }}{{ end }}{{ $¦a }}", 1],
    ["the outer one in its own declaration", "{{ $a := 1 }}{{ $a := $¦a }}", 1],
    ["that of a range", "{{ $a := 1 }}{{ range $i, $a := .B }}{{ $¦a }}{{ end }}", 2],
    ["none of another definition", '{{ $a := 1 }}{{ define "x" }}{{ $¦a }}{{ end }}', 0],
  ])("takes of variables of one name %s", (_, template, which) => {
    const { view, at } = marked(`TEMPLATE """${template}"""`);
    const places = [...view.file.text.matchAll(/\$a :?= ?|\$i, \$a/g)].map(({ index, 0: text }) => {
      const start = index + text.indexOf("$a");
      return { start, end: start + 2 };
    });
    const to = definition(view, at)?.to;
    expect(to && to.kind === "place" ? to.at : undefined).toEqual(places[which - 1]);
  });
});

/** Each with the line in front of it. */
const hinted = (view: View) =>
  inlayHints(view).map(({ at, label }) => {
    const line = textOf(view, { start: 0, end: at }).split("\n").at(-1)!;
    return `${line} → ${label}`;
  });

describe("inlay hints", () => {
  test("tell what a model takes on a machine", async () => {
    const text =
      'FROM llama3.1:8b\nPARAMETER num_ctx 8192\nPARAMETER num_gpu 20\nPARAMETER stop "<|im_end|>"\n';
    const view = await judged(text, "rtx3060-12g-32g");
    expect(hinted(view)).toEqual([
      "FROM llama3.1:8b → ≈ 6.3 GiB, 20/33 layers at 8192",
      "PARAMETER num_ctx 8192 → KV cache 1 GiB",
      "PARAMETER num_gpu 20 → of 33 layers",
      'PARAMETER stop "<|im_end|>" → of ChatML',
    ]);
    const [model, cache] = inlayHints(view);
    expect(model!.tooltip).toContain("rtx3060-12g-32g");
    expect(model!.tooltip).toContain("8.03 B parameters");
    expect(cache!.tooltip).toContain("8192 cells");
    expect(inlayHints(view, { start: 0, end: 16 })).toHaveLength(1);
  });

  test("tell the worst of several machines", async () => {
    const view = await judged(
      "FROM llama3.1:8b\nPARAMETER num_ctx 65536\n",
      "rtx4090-64g",
      "ci-no-gpu-7g",
    );
    expect(hinted(view)[0]).toBe(
      "FROM llama3.1:8b → rtx4090-64g: ≈ 14 GiB, 33/33 layers at 65536; ci-no-gpu-7g: out of memory",
    );
  });

  test("tell what a model is where no machine is named", async () => {
    const text =
      "FROM mistral:7b\nPARAMETER num_ctx 65536\nPARAMETER num_gpu 99\nPARAMETER stop [INST]\n";
    expect(hinted(await judged(text))).toEqual([
      "FROM mistral:7b → 7.25 B parameters, Q4_K_M, 4.1 GiB",
      "PARAMETER num_ctx 65536 → 32768 in force",
      "PARAMETER num_gpu 99 → all 33 layers",
    ]);
  });

  test("tell what is in force where Ollama lowers it", async () => {
    const view = await judged("FROM mistral:7b\nPARAMETER num_ctx 65536\n", "rtx4090-64g");
    expect(hinted(view)[1]).toBe("PARAMETER num_ctx 65536 → 32768 in force, KV cache 4 GiB");
  });

  test("say nothing where nothing is known", () => {
    expect(hinted(bare("FROM ./x.gguf\nPARAMETER num_ctx 4096\nPARAMETER num_gpu 3\n"))).toEqual(
      [],
    );
  });
});

const titlesOf = (view: View) => lenses(view).map(({ title }) => title);

describe("lenses", () => {
  test("tell the fit on each machine, and what can be had for a click", async () => {
    const text = "FROM llama3.1:8b\nPARAMETER num_ctx 65536\nPARAMETER seed 1\nPARAMETER seed 1\n";
    const view = await judged(text, "rtx3060-12g-32g", "rtx4090-64g", "ci-no-gpu-7g");
    expect(titlesOf(view)).toEqual([
      "rtx3060-12g-32g: partly on CPU, 26/33 layers, 10.6 of 12 GiB",
      "rtx4090-64g: fits, 13.4 of 24 GiB",
      "ci-no-gpu-7g: out of memory, needs 13.3 GiB",
      "Fix 1 problem",
      "Set num_ctx 45056",
    ]);
    const [plan, , , , context] = lenses(view);
    expect(textOf(view, plan!.at)).toBe("FROM");
    expect(plan!.command).toEqual({
      name: "modelfile-lint.showPlan",
      arguments: ["rtx3060-12g-32g"],
    });
    if (context?.command.name !== "modelfile-lint.applyChange") throw new Error("No change.");
    const [{ edits }] = context.command.arguments;
    expect(applyEdits(text, edits)).toBe(text.replace("65536", "45056"));
  });

  test("offer a larger context only where nobody chose one", async () => {
    const open = await judged("FROM llama3.2:3b\n", "rtx3060-12g-32g");
    expect(titlesOf(open)).toEqual(["rtx3060-12g-32g: fits, 2.8 of 12 GiB", "Set num_ctx 73728"]);
    const chosen = await judged("FROM llama3.2:3b\nPARAMETER num_ctx 4096\n", "rtx3060-12g-32g");
    expect(titlesOf(chosen)).toEqual(["rtx3060-12g-32g: fits, 2.8 of 12 GiB"]);
  });

  test("tell of RAM where there is no GPU", async () => {
    const [lens] = titlesOf(await judged("FROM llama3.2:3b\n", "desktop-cpu-32g"));
    expect(lens).toBe("desktop-cpu-32g: CPU alone, 2.4 of 32 GiB of RAM");
  });

  test("are silent without a machine and without problems", async () => {
    expect(titlesOf(await judged("FROM llama3.2:3b\n"))).toEqual([]);
    expect(titlesOf(bare(""))).toEqual([]);
  });
});

describe("selection", () => {
  test.each([
    [
      "PARAMETER stop ab¦c def\nPARAMETER seed 1\nFROM x\n",
      ["abc", "abc def", "PARAMETER stop abc def", "PARAMETER stop abc def\nPARAMETER seed 1"],
    ],
    ["FROM x\nMESSAGE us¦er hi\n", ["user", "MESSAGE user hi"]],
    [
      'SYSTEM """one\ntwo th¦ree\n"""\n',
      [
        "three",
        "two three",
        "one\ntwo three\n",
        '"""one\ntwo three\n"""',
        'SYSTEM """one\ntwo three\n"""',
      ],
    ],
    ["# a ¦word\n# more\nFROM x\n", ["word", "# a word", "# a word\n# more"]],
    [
      'TEMPLATE "{{ if .A }}{{ len ($x¦.B | json) 1 }}{{ end }}z"\n',
      [
        "x",
        "$x",
        "$x.B",
        "($x.B | json)",
        "len ($x.B | json) 1",
        "{{ len ($x.B | json) 1 }}",
        "{{ if .A }}{{ len ($x.B | json) 1 }}{{ end }}",
        "{{ if .A }}{{ len ($x.B | json) 1 }}{{ end }}z",
      ],
    ],
  ])("grows in %j", (text, expected) => {
    const { view, at } = marked(text);
    const texts = selection(view, at).map((span) => textOf(view, span));
    expect(texts.slice(0, expected.length)).toEqual(expected);
    expect(texts.at(-1)).toBe(view.file.text);
  });

  test("is empty in an empty file", () => {
    expect(selection(bare(""), 5)).toEqual([{ start: 0, end: 0 }]);
  });
});

/** Recorded inputs, most of which Ollama refuses. */
const recorded = readFileSync(new URL("cases/parser-mutated.jsonl", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .filter((_, index) => index % 3 === 0)
  .map((line) => {
    const { input_base64 } = JSON.parse(line) as { input_base64: string };
    return Buffer.from(input_base64, "base64").toString();
  });

/** What chance would not find by itself. */
const pieces = [
  ..."FROM SYSTEM TEMPLATE PARAMETER MESSAGE LICENSE user stop num_ctx x 1 # hf.co/a/b:c".split(
    " ",
  ),
  ...'\n,\n,\r\n, ,",""",\u00ad,\u200b,😀,\ud83d,\ufeff,{{,}},{{ if .A }},{{- else }}'.split(","),
  ..."{{ else if }},{{ end -}},{{ $a := 1 }},{{/*,*/}},<|a|>".split(","),
  ..."{{ define `a` }},{{ block `b` $a }},{{ template `a` . }}".split(","),
  "# modelfile-lint-disable-next-line secret, x\n",
];

const inside = ({ start, end }: Span, around: Span) =>
  around.start <= start && start <= end && end <= around.end;

function nests(entries: readonly OutlineEntry[], around: Span): boolean {
  return entries.every(
    (entry, index) =>
      entry.name.trim() !== "" &&
      inside(entry, around) &&
      inside(entry.selection, entry) &&
      (index === 0 || entries[index - 1]!.end <= entry.start) &&
      nests(entry.children, entry),
  );
}

/** What holds for every text, at every offset. */
function holdsUp(text: string): void {
  const view = bare(text, { localFrom: new Set(["x"]) });
  const all = { start: 0, end: text.length };
  expect(nests(symbols(view), all)).toBe(true);
  const colours = tokens(view);
  for (const [index, token] of colours.entries()) {
    expect(inside(token, { start: colours[index - 1]?.end ?? 0, end: text.length })).toBe(true);
    expect(textOf(view, token)).toMatch(/^[^\r\n]+$/);
  }
  const folds = folding(view);
  for (const [index, fold] of folds.entries()) {
    expect(inside(fold, all)).toBe(true);
    expect(textOf(view, fold)).toMatch(/[\r\n]/);
    const others = folds.slice(0, index);
    expect(others.every((other) => other.end < fold.start || inside(fold, other))).toBe(true);
  }
  expect(links(view).every(({ at }) => inside(at, all))).toBe(true);
  for (let offset = 0; offset <= text.length; offset++) {
    const here = { start: offset, end: offset };
    const spans = [here, ...selection(view, offset)];
    expect(spans.slice(1).every((span, index) => inside(spans[index]!, span))).toBe(true);
    expect(spans.at(-1)).toEqual(all);
    const found = definition(view, offset);
    if (found) expect(inside(here, found.from)).toBe(true);
    if (found?.to.kind === "place") expect(inside(found.to.selection, found.to.at)).toBe(true);
  }
  expect([inlayHints(view), lenses(view)]).toEqual([[], []]);
}

describe("every feature", () => {
  test("holds up with recorded files", () => {
    expect(recorded.length).toBeGreaterThan(80);
    for (const text of recorded) holdsUp(text);
  });

  test("holds up with the templates of all families, broken off anywhere", () => {
    for (const { template } of families) {
      const cut = Math.floor(template.length / 2);
      holdsUp(`FROM x\nTEMPLATE """${template}"""\n`);
      holdsUp(`FROM x\nTEMPLATE """${template.slice(0, cut)}`);
    }
  });

  test("holds up with anything", () => {
    const texts = fc.array(fc.constantFrom(...pieces), { maxLength: 25 });
    fc.assert(
      fc.property(texts, (parts) => holdsUp(parts.join(""))),
      { numRuns: runs(100) },
    );
  });

  test("names only types and modifiers of the legend", () => {
    for (const { type, modifiers } of tokens(bare(chat + recorded.join("\n")))) {
      expect(tokenTypes).toContain(type);
      for (const modifier of modifiers) expect(tokenModifiers).toContain(modifier);
    }
  });
});

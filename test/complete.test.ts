import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { lookUp } from "../src/context.js";
import { complete } from "../src/editor/complete.js";
import { longestList, type Completion, type Sources } from "../src/editor/completion.js";
import { holds } from "../src/editor/place-at.js";
import { hover } from "../src/editor/hover.js";
import type { View } from "../src/editor/view.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import { check } from "../src/lint.js";
import { preset } from "../src/machines/presets.js";
import { runs } from "./runs.js";

/** A place is marked by a ¦, which no Modelfile here has otherwise. */
const caret = "¦";

interface On {
  ollama?: string;
  machine?: string | null;
  sources?: Sources;
  explicit?: boolean;
}

async function viewOf(text: string, { ollama, machine = "rtx4090-64g" }: On = {}): Promise<View> {
  const file = parseModelfile(text);
  const found = machine === null ? undefined : await preset(machine);
  const { context } = await lookUp(file, {
    release: ollama === undefined ? newestRelease : parseRelease(ollama)!,
    folder: "/",
    modelsFolder: "/",
    server: {},
    models: new Map(),
    ...(found && { machine: found }),
  });
  return { file, contexts: [context], findings: check(file, context) };
}

const folders: Sources = {
  models: async () => [{ name: "llama3.2:latest", detail: "2.0 GB" }, { name: "acme/tuned:q4" }],
  list: async (folder) =>
    folder === "./" || folder === "~/" || folder === "../x/"
      ? [
          { name: "weights", kind: "folder" },
          { name: "notes.txt", kind: "file" },
          { name: "model.gguf", kind: "file" },
          { name: ".cache", kind: "folder" },
        ]
      : undefined,
};

async function at(marked: string, on: On = {}) {
  const offset = marked.indexOf(caret);
  const text = marked.replace(caret, "");
  const items = await complete(
    await viewOf(text, on),
    offset,
    on.sources ?? folders,
    on.explicit ?? false,
  );
  return items.map((item) => ({
    ...item,
    replaced: text.slice(item.replaces.start, item.replaces.end),
    result: `${text.slice(0, item.replaces.start)}${item.text}${text.slice(item.replaces.end)}`,
  }));
}

/** What an item of the list puts in. */
async function textOf(marked: string, name: string): Promise<string | undefined> {
  return (await at(marked)).find(({ label }) => label === name)?.text;
}

const labels = (items: readonly Completion[]) => items.map(({ label }) => label);

describe("at the start of a line", () => {
  test("offers FROM first in an empty file", async () => {
    const items = await at("¦");
    expect(labels(items).slice(0, 3)).toEqual(["FROM", "PARAMETER", "PARAMETER …"]);
    expect(items[0]).toMatchObject({ text: "FROM ", again: true, sort: "0000" });
  });

  test("offers what the file has already behind what it lacks", async () => {
    const items = labels(await at("FROM llama3.2\nSYSTEM hi\n¦\n"));
    expect(items.indexOf("FROM")).toBeGreaterThan(items.indexOf("REQUIRES"));
    expect(items.indexOf("SYSTEM")).toBeGreaterThan(items.indexOf("TEMPLATE"));
    expect(items.indexOf("PARAMETER")).toBe(0);
  });

  test.each([
    ["from llama3.2\n¦", "parameter "],
    ["from llama3.2\nP¦", "parameter "],
    ["FROM llama3.2\np¦", "PARAMETER "],
    ["from llama3.2\nSYSTEM a\nMESSAGE user b\n¦", "PARAMETER "],
    ["¦", "PARAMETER "],
  ])("writes instructions as the file does: %j", async (marked, text) => {
    const found = (await at(marked)).find(({ label }) => label.toUpperCase() === "PARAMETER");
    expect(found?.text).toBe(text);
  });

  test.each([
    ["FROM llama3.2\nPAR¦AM", "PARAM", "PARAMETER "],
    ["FROM llama3.2\nPAR¦AM num_ctx 4096", "PARAM", "PARAMETER"],
    ["FROM llama3.2\nPARAMETER¦ ", "PARAMETER", "PARAMETER"],
    ["FROM llama3.2\n  ¦PARA x", "PARA", "PARAMETER"],
    ["FROM llama3.2\r\nPARA¦\r\nSYSTEM x", "PARA", "PARAMETER "],
  ])("replaces the whole word in %j", async (marked, replaced, text) => {
    const found = (await at(marked)).find(({ label }) => label === "PARAMETER");
    expect(found).toMatchObject({ replaced, text });
  });

  test("offers the family's template, with the file's line ends", async () => {
    const items = await at("FROM qwen3\r\nTEMP¦");
    const whole = items.find(({ label }) => label === "TEMPLATE for ChatML");
    expect(whole?.text).toMatch(/^TEMPLATE """\{\{- range \.Messages }}<\|im_start\|>/);
    expect(whole?.text).toContain("\r\n");
    expect(whole?.text.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
    const [value] = await at("FROM qwen3\nTEMPLATE ¦");
    expect(value?.text).toMatch(/^"""\{\{- range/);
  });

  test("marks what the release does not have yet, and leaves out what is gone", async () => {
    const items = await at("FROM llama3.2\n¦", { ollama: "0.11.0" });
    expect(items.find(({ label }) => label === "RENDERER")).toMatchObject({
      detail: "since 0.12.0; 0.11.0 refuses it",
    });
    expect(labels(items).indexOf("RENDERER")).toBeGreaterThan(labels(items).indexOf("LICENSE"));
    expect(labels(items)).not.toContain("EMBED");
  });

  test("brings a plain text for editors without snippets", async () => {
    const items = await at("FROM llama3.2\n¦");
    const snippets = items.filter(({ snippet }) => snippet);
    expect(labels(snippets)).toEqual(["PARAMETER …", "SYSTEM", "TEMPLATE", "MESSAGE …", "LICENSE"]);
    for (const { plain } of snippets) expect(plain).toMatch(/^[A-Z]+ $/);
  });
});

describe("behind PARAMETER", () => {
  test("offers names with what they take, those not yet set first", async () => {
    const items = await at("FROM llama3.2\nPARAMETER num_ctx 4096\nPARAMETER stop a\nPARAMETER ¦");
    expect(items.find(({ label }) => label === "top_k")).toMatchObject({
      text: "top_k ",
      again: true,
      detail: "tokens · default 40 · any whole number",
    });
    expect(labels(items).at(-1)).toBe("num_ctx");
    expect(labels(items).indexOf("stop")).toBeLessThan(labels(items).indexOf("num_ctx"));
    expect(labels(items)).not.toContain("mirostat");
    expect(labels(items)).not.toContain("tfs_z");
  });

  test("marks names that the release does not have yet", async () => {
    const items = await at("FROM llama3.2\nPARAMETER ¦", { ollama: "0.6.4" });
    expect(items.at(-1)).toMatchObject({
      label: "draft_num_predict",
      detail: "since 0.30.0; 0.6.4 refuses it",
    });
    expect(labels(items)).toContain("mirostat");
  });

  test("replaces the whole name, and keeps the blank behind it", async () => {
    const items = await at("FROM llama3.2\nPARAMETER num¦_gpu 4");
    const found = items.find(({ label }) => label === "num_ctx");
    expect(found?.result).toBe("FROM llama3.2\nPARAMETER num_ctx 4");
    expect(found?.again).toBeUndefined();
  });

  test("says of contexts what fits on this machine", async () => {
    const items = await at("FROM qwen3:32b\nPARAMETER num_ctx ¦");
    const details = items.map(({ label, detail }) => `${label}: ${detail}`);
    expect(details).toContain("8192: fits fully on the GPU");
    expect(details).toContain("13312: largest that fits fully on the GPU");
    expect(details).toContain("16384: runs partly on the CPU");
    expect(details.at(-1)).toBe(
      "40960: runs partly on the CPU, largest that runs, what the model was trained for",
    );
    const numbers = labels(items).map(Number);
    expect(numbers).toEqual(numbers.toSorted((one, other) => one - other));
    const more = items.find(({ label }) => label === "16384")?.markdown;
    expect(typeof more === "function" && (await more())).toContain("it **runs partly on the CPU**");
  });

  test("offers contexts without a machine as well", async () => {
    const items = await at("FROM qwen3\nPARAMETER num_ctx ¦", { machine: null });
    expect(labels(items)).toEqual(["2048", "4096", "8192", "16384", "32768", "40960"]);
  });

  test.each<[string, string[], On]>([
    [
      "PARAMETER num_gpu ¦",
      [
        "-1: Ollama chooses; default of 0.32.15",
        "0: the CPU alone",
        "29: all 29 layers on the GPU: fits on one GPU",
      ],
      {},
    ],
    [
      "PARAMETER use_mmap ¦",
      ["true: in force here: No flag is passed, so llama-server maps.", "false: undefined"],
      {},
    ],
    [
      "PARAMETER num_thread ¦",
      ["8: all physical cores", "0: Ollama counts the cores"],
      { machine: "desktop-cpu-32g" },
    ],
    ["PARAMETER main_gpu ¦", ["0: GeForce RTX 4090"], {}],
    [
      "PARAMETER mirostat ¦",
      ["0: off; default of 0.6.4", "1: Mirostat", "2: Mirostat 2.0"],
      { ollama: "0.6.4" },
    ],
    [
      "PARAMETER repeat_penalty ¦",
      ["1: off", "1.1: mild; default of 0.24.0", "1.3: strong"],
      { ollama: "0.24.0" },
    ],
    [
      "PARAMETER penalize_newline 1¦",
      ["true: default of 0.4.0", "false: undefined"],
      { ollama: "0.4.0" },
    ],
  ])("offers values and what they mean: %s", async (line, expected, on) => {
    const items = await at(`FROM llama3.2\n${line}`, on);
    expect(items.map(({ label, detail }) => `${label}: ${detail}`)).toEqual(expected);
  });

  test("offers the model's own value first", async () => {
    const [first] = await at("FROM qwen3\nPARAMETER temperature ¦0.9");
    expect(first).toMatchObject({ text: "0.6", detail: "the model's own", replaced: "0.9" });
  });

  test("offers stop strings that the file does not have yet", async () => {
    const items = await at('FROM llama3.2\nPARAMETER stop "<|eot_id|>"\nPARAMETER stop ¦');
    expect(labels(items).slice(0, 2)).toEqual(["<|start_header_id|>", "<|end_header_id|>"]);
    expect(labels(items)).not.toContain("<|eot_id|>");
    expect(items[0]?.text).toBe('"<|start_header_id|>"');
  });

  test.each([
    ['PARAMETER stop "<|¦"', 'PARAMETER stop "<|eot_id|>"'],
    ['PARAMETER stop "<|e¦', 'PARAMETER stop "<|eot_id|>'],
    ["PARAMETER stop <|¦im_end|>", 'PARAMETER stop "<|eot_id|>"'],
    ['PARAMETER stop """<¦"""', 'PARAMETER stop """<|eot_id|>"""'],
  ])("leaves the quotes of %j alone", async (line, result) => {
    const items = await at(`FROM llama3.2\n${line}`);
    const found = items.find(({ label }) => label === "<|eot_id|>");
    expect(found?.result).toBe(`FROM llama3.2\n${result}`);
  });

  test("offers the tokens that the TEMPLATE writes where the model is not known", async () => {
    const items = await at(
      'FROM acme/tuned\nTEMPLATE """<start_of_turn>{{ .Prompt }}<end_of_turn>"""\nPARAMETER stop ¦',
    );
    expect(items[0]).toMatchObject({ label: "<end_of_turn>", detail: "ends a turn of Gemma" });
  });
});

describe("behind FROM", () => {
  test("offers own models, then files, then the library", async () => {
    const items = await at("FROM ¦");
    expect(items.slice(0, 4)).toMatchObject([
      { label: "llama3.2:latest", detail: "2.0 GB", kind: "model" },
      { label: "acme/tuned:q4", detail: "on this machine" },
      { label: "./model.gguf", kind: "file" },
      { label: "./weights/", kind: "folder", again: true },
    ]);
    expect(items).toHaveLength(longestList);
  });

  test.each([
    ["FROM qwen3¦", ["qwen3", "qwen3-coder", "qwen3:8b", "qwen3:latest"]],
    ["FROM qwen3:¦", ["qwen3:8b", "qwen3:32b", "qwen3:8b-q8_0"]],
    ["FROM QWEN3:8¦", ["qwen3:8b", "qwen3:8b-q4_K_M"]],
    ["FROM tun¦", ["acme/tuned:q4"]],
  ])("filters by what is typed: %s", async (marked, some) => {
    const found = labels(await at(marked));
    expect(found).toEqual(expect.arrayContaining(some));
    expect(found).not.toContain("phi4");
  });

  test("replaces the whole name and says what would come of the model", async () => {
    const items = await at("FROM llama3.¦2:1b\n");
    const found = items.find(({ label }) => label === "llama3.3");
    expect(found).toMatchObject({
      result: "FROM llama3.3\n",
      detail: "70.6 B parameters, 43GB, tools",
    });
    const more = found?.markdown;
    const page = typeof more === "function" ? await more() : "";
    expect(page).toContain("**llama3.3:70b**");
    expect(page).toContain("it **runs partly on the CPU**");
  });

  test.each([
    ["FROM ./¦", ["model.gguf", "weights/"], "FROM ./model.gguf"],
    ["FROM ./mo¦del.ggu", ["model.gguf", "weights/"], "FROM ./model.gguf"],
    ["FROM ~/¦", ["model.gguf", "weights/"], "FROM ~/model.gguf"],
    ["ADAPTER ../x/¦", ["model.gguf", "weights/"], "ADAPTER ../x/model.gguf"],
    ["DRAFT ./.¦", [".cache/", "model.gguf", "weights/"], "DRAFT ./.cache/"],
    ["FROM ..¦", ["../"], "FROM ../"],
    ["FROM ~¦", ["~/"], "FROM ~/"],
    ["ADAPTER ¦", ["./model.gguf", "./weights/"], "ADAPTER ./model.gguf"],
    ["FROM /no/such/¦", [], ""],
  ])("lists what lies in a folder: %s", async (marked, expected, result) => {
    const items = await at(marked);
    expect(labels(items).sort()).toEqual([...expected].sort());
    if (expected.length > 0) expect(items.map((item) => item.result)).toContain(result);
  });

  test("offers no paths without anybody who lists folders", async () => {
    expect(await at("FROM ./¦", { sources: {} })).toEqual([]);
    expect(labels(await at("FROM qwen3:¦", { sources: {} }))).toContain("qwen3:8b");
  });
});

describe("in other lines", () => {
  test.each<[string, string[], On]>([
    ["MESSAGE ¦", ["user", "assistant", "system"], {}],
    ["MESSAGE us¦ hello", ["user", "assistant", "system"], {}],
    ["RENDERER ¦", ["qwen3-vl-instruct", "qwen3-coder"], { ollama: "0.12.6" }],
    ["PARSER ¦", ["passthrough", "qwen3-coder"], { ollama: "0.12.0" }],
    ["REQUIRES ¦", ["0.14.0", "0.14.2", "0.14.1"], { ollama: "0.14.2" }],
  ])("offers what there is: %s", async (line, expected, on) => {
    const items = await at(`FROM llama3.2\n${line}`, on);
    expect(labels(items)).toEqual(expected);
    expect(items[0]?.replaced).toBe(line.includes("us¦") ? "us" : "");
  });

  test("offers the release that the file needs first", async () => {
    const [first] = await at("FROM llama3.2\nRENDERER qwen3.5\nREQUIRES 0.1¦");
    expect(first).toMatchObject({ text: "0.17.1", detail: "RENDERER qwen3.5 needs it" });
  });

  test("offers the model's own licence first", async () => {
    const items = await at("FROM qwen3\nLICENSE ¦");
    expect(items[0]).toMatchObject({ text: "apache-2.0", detail: "the model's own" });
    expect(labels(items)).toContain("MIT");
    expect(labels(items)).not.toContain("Apache-2.0");
  });

  test("offers directives, and rules that find something first", async () => {
    const items = await at("FROM llama3.2\n# mode¦\n");
    expect(items[0]).toMatchObject({
      result: "FROM llama3.2\n# modelfile-lint-disable-next-line \n",
      again: true,
    });
    const rules = await at("FROM llama3.2\n# modelfile-lint-disable ¦\nPARAMETER tempratur 1\n");
    expect(labels(rules).slice(0, 2)).toEqual(["context-unset", "unknown-parameter"]);
    expect(rules.length).toBeGreaterThan(100);
  });

  test.each([
    "FROM llama3.2\n# A remark abo¦ut it\n",
    "FROM llama3.2\n# ¦\n",
    "FROM llama3.2\n# modelfile-lint-disable stop-too-common -- bec¦\n",
    "FROM llama3.2\nSYSTEM You ¦\n",
    'FROM llama3.2\nSYSTEM """\nFROM ¦\n"""\n',
    'FROM llama3.2\nSYSTEM """\n¦\n',
    'FROM llama3.2\nSYSTEM """\n\n¦',
    "FROM llama3.2\nMESSAGE user ¦\n",
    'FROM llama3.2\nLICENSE """M¦"""\n',
    'FROM llama3.2\nTEMPLATE """Hello ¦"""\n',
    'FROM llama3.2\nTEMPLATE """{{/* .¦ */}}"""\n',
    "FROM llama3.2\nPARAMETER nonsense ¦\n",
    "FROM llama3.2\nwhat is ¦\n",
  ])("offers nothing in %j", async (marked) => {
    expect(await at(marked)).toEqual([]);
  });

  test("offers nothing in a text for the model even if asked", async () => {
    expect(await at('FROM llama3.2\nSYSTEM """\nP¦\n"""\n', { explicit: true })).toEqual([]);
    expect(await at("FROM llama3.2\n# ¦\n", { explicit: true })).toHaveLength(4);
  });
});

describe("in a TEMPLATE", () => {
  const open = 'FROM llama3.2\nTEMPLATE """';

  test.each([
    ["{{ .¦ }}", [".System", ".Prompt", ".Messages"], [".Role"]],
    ["{{ range .Messages }}{{ .¦ }}{{ end }}", [".Role", ".Content", ".ToolCalls"], [".System"]],
    ["{{ range .Messages }}{{ .Ro¦", [".Role", ".Content"], [".System"]],
    ["{{ range .Messages }}{{ $.¦", [".System"], [".Role"]],
    ["{{ range .Messages }}{{ end }}{{ .¦ }}", [".System"], [".Role"]],
    ["{{ range $i, $m := .Messages }}{{ $m.¦ }}", [".Role"], [".System"]],
    ["{{ $last := index .Messages 0 }}{{ if (eq $last.¦", [".Role"], [".System"]],
    [
      "{{ range .Messages }}{{ range .ToolCalls }}{{ .Function.¦",
      [".Name", ".Arguments"],
      [".Role"],
    ],
    ["{{ with .Messages }}{{ range . }}{{ if .Content }}{{ else if .¦", [".Role"], [".System"]],
    ["{{ range .Tools }}{{ .Function.Parameters.¦", [".Required"], [".Name"]],
    ["{{ .System.¦ }}", [], [".System", ".Length"]],
    ['{{ define "x" }}{{ .¦', [".System", ".Messages"], [".Role"]],
  ])("offers the fields of what the dot is: %s", async (template, some, none) => {
    const found = labels(await at(open + template));
    expect(found).toEqual(expect.arrayContaining(some));
    expect(found.filter((label) => none.includes(label))).toEqual([]);
    expect(found.every((label) => label.startsWith("."))).toBe(true);
  });

  test("offers fields, variables, functions and words at the start of an action", async () => {
    const found = labels(await at(`${open}{{ range $i, $m := .Messages }}{{ ¦`));
    expect(found.slice(0, 4)).toEqual(["end", "else", "break", "continue"]);
    expect(found).toEqual(expect.arrayContaining(["if", ".Role", "$i", "$m", "$", "json", "eq"]));
    const later = labels(await at(`${open}{{ if ¦ }}`));
    expect(later).toEqual(expect.arrayContaining([".System", "eq", "and"]));
    expect(later).not.toContain("range");
    expect(labels(await at(`${open}{{ $x := 1 }}{{ $¦ }}`))).toEqual(["$x", "$"]);
  });

  test("offers what the release has", async () => {
    const found = labels(await at(`${open}{{ ¦`, { ollama: "0.8.0" }));
    expect(found).toContain(".Tools");
    expect(found).not.toContain(".Think");
    expect(found).not.toContain("currentDate");
  });

  test("closes an action only where that is missing", async () => {
    expect(await textOf(open + "{{ if .System }}{{ e¦", "end")).toBe("end }}");
    expect(await textOf(open + '{{ if .System }}{{ e¦ }}"""', "end")).toBe("end");
    expect(await textOf(open + "{{ i¦", "if")).toBe("if ${1:.System} \\}\\}$0{{ end \\}\\}");
    expect(await textOf(open + '{{ i¦ }}"""', "if")).toBe("if ${1:.System} \\}\\}$0{{ end");
    expect(await textOf(open + "{{ e¦ {{ .Prompt }}", "if")).toMatch(/end \\}\\}$/);
  });

  test("offers roles in what a role is compared with", async () => {
    const items = await at(`${open}{{ range .Messages }}{{ if eq .Role "u¦ser" }}`);
    expect(labels(items)).toEqual(["system", "user", "assistant", "tool"]);
    expect(items[0]).toMatchObject({ replaced: "user" });
    expect(await at(`${open}{{ printf "u¦" }}`)).toEqual([]);
  });

  test.each([
    ["<¦", "<|eot_id|>"],
    ["{{ .Prompt }}<|e¦", "{{ .Prompt }}<|eot_id|>"],
    ["<|¦start_header_id|>{{ .Role }}", "<|eot_id|>{{ .Role }}"],
    ["<|¦Hello", "<|eot_id|>Hello"],
  ])("offers the family's tokens once one is begun: %s", async (template, result) => {
    const items = await at(open + template);
    const found = items.find(({ label }) => label === "<|eot_id|>");
    expect(found?.result).toBe(open + result);
    expect(found?.detail).toBe("ends a turn of Llama 3");
  });

  test("offers tokens in plain text if asked", async () => {
    expect(labels(await at(`${open}Hello ¦`, { explicit: true }))).toContain("<|eot_id|>");
    expect(labels(await at('FROM acme/x\nTEMPLATE """<|im_end|>\n<¦', {}))).toContain(
      "<|im_start|>",
    );
  });
});

/** Pieces of Modelfiles, right and wrong, that come to stand beside each other. */
const pieces = [
  "FROM",
  " ",
  "\n",
  "\r\n",
  "\r",
  "\t",
  '"""',
  '"',
  "PARAMETER ",
  "stop ",
  "num_ctx 1e3",
  "TEMPLATE ",
  "{{",
  "}}",
  "{{-",
  " -}}",
  " range .Messages ",
  " .Role ",
  " $x := . ",
  " end ",
  "(",
  ")",
  ' if eq .Role "',
  "/*",
  "*/",
  "`",
  "'",
  "<|im_",
  "|>",
  "[INST",
  "# modelfile-lint-disable ",
  "#",
  "stop-too-common",
  ",",
  "--",
  "MESSAGE ",
  "user ",
  "SYSTEM ",
  "\u200b",
  "\ud800",
  "😀",
  "\u{e0001}",
  "../",
  "./a",
  "~",
  "C:\\x",
  "REQUIRES ",
  "0.14",
  "LICENSE ",
  "RENDERER ",
  "$",
  ".",
  "|",
  "=",
  ":",
  "é",
  "\u2028",
  "\0",
  "EMBED ",
  "constructor",
];

test("never throws, and replaces what lies in the line around the place", async () => {
  const { contexts } = await viewOf("FROM llama3.2\n");
  const listing: Sources = {
    models: async () => [{ name: "acme/tuned" }],
    list: async () => [
      { name: "x.gguf", kind: "file" },
      { name: "y", kind: "folder" },
    ],
  };
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom(...pieces), { maxLength: 14 }),
      fc.boolean(),
      async (parts, explicit) => {
        const text = parts.join("");
        const view: View = { file: parseModelfile(text), contexts, findings: [] };
        const wrong: unknown[] = [];
        for (let offset = 0; offset <= text.length; offset++) {
          const found = hover(view, offset);
          const broken = /undefined|NaN|\[object/.test(found?.markdown ?? "");
          if (found && (broken || !holds(found.at, offset))) wrong.push({ offset, found });
          for (const item of await complete(view, offset, listing, explicit)) {
            const replaced = text.slice(item.replaces.start, item.replaces.end);
            const fits = holds(item.replaces, offset) && !/[\r\n]/.test(replaced);
            if (!fits || item.text === "") wrong.push({ offset, item });
          }
        }
        expect(wrong).toEqual([]);
      },
    ),
    { numRuns: runs(60), seed: 7 },
  );
});

test.each([-1, 10_000, Number.NaN, 2.5])("takes %d for a place", async (offset) => {
  const view = await viewOf("FROM llama3.2\n");
  expect(hover(view, offset)?.markdown ?? "nothing").toMatch(/FROM|nothing/);
  await expect(complete(view, offset, {})).resolves.toBeInstanceOf(Array);
});

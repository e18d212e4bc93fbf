/*
 * npm run bench: how long it takes, as ratios of two things measured in turns in the same run, since
 * times alone say more about the machine. Fails when a hostile file takes more than `limit` times as
 * long as a plain one of the same size, or the header of a model more than `headerLimit` allows.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decode } from "../grammar/bytes.js";
import { readBytes } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import { readTemplate } from "../grammar/template/ollama-template.js";
import { parseTemplate } from "../grammar/template/parser.js";
import { render } from "../grammar/template/render.js";
import { bundle, root } from "../src/build/bundle.mjs";
import { judgeEach, readReleases } from "../src/facts/release-range.js";
import { newestRelease, oldestRelease } from "../src/facts/release.js";
import { check, settingsOf } from "../src/lint.js";
import { resolveMachine } from "../src/machines/resolve.js";
import { allocate, subjectOf } from "../src/memory/allocate.js";
import type { RunParameters } from "../src/memory/allocation.js";
import { fit } from "../src/memory/fit.js";
import { catalogueModel } from "../src/models/catalogue.js";
import { nodeHost } from "../src/node-host.js";
import { makePlan } from "../src/plan/make-plan.js";
import { languageServer } from "./bench-lsp.js";
import { manyFiles } from "./bench-scale.js";

const limit = 20;

/**
 * Median milliseconds of each job, over rounds in which every job runs once; a job that takes seconds
 * runs in the first round alone.
 */
function measured(
  jobs: Readonly<Record<string, () => void>>,
  rounds: number,
): Record<string, number> {
  const times = Object.entries(jobs).map(([name, job]) => {
    const first = timed(job);
    return { name, job, first, taken: [] as number[] };
  });
  for (let round = 0; round < rounds; round++) {
    for (const { job, first, taken } of times) taken.push(first > 10e3 ? first : timed(job));
  }
  return Object.fromEntries(times.map(({ name, taken }) => [name, median(taken)]));
}

function timed(job: () => void): number {
  const start = performance.now();
  job();
  return performance.now() - start;
}

function median(numbers: number[]): number {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1]!;
}

function table(head: string[], rows: string[][]): void {
  const widths = head.map((_, column) =>
    Math.max(...[head, ...rows].map((row) => row[column]!.length)),
  );
  for (const row of [head, ...rows]) {
    const cells = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!),
    );
    console.log(`  ${cells.join("  ")}`);
  }
  console.log();
}

const ms = (time: number) => `${time.toFixed(time < 10 ? 2 : 0)} ms`;
const times = (ratio: number) => `${ratio.toFixed(ratio < 10 ? 1 : 0)} ×`;
const rate = (bytes: number, time: number) => `${(bytes / 1e6 / (time / 1e3)).toFixed(1)} MB/s`;

/** About 1.8 kB, as people write them. */
function smallFile(index: number): string {
  return `# Assistant ${index}, for reviews of code.
FROM llama3.${index % 4}:${[1, 3, 8, 70][index % 4]}b

PARAMETER num_ctx ${4096 * (1 + (index % 8))}
PARAMETER temperature 0.${index % 10}
PARAMETER top_p 0.9
PARAMETER repeat_penalty 1.1
PARAMETER stop "<|start_header_id|>"
PARAMETER stop "<|end_header_id|>"
PARAMETER stop "<|eot_id|>"

TEMPLATE """{{ if .System }}<|start_header_id|>system<|end_header_id|>

{{ .System }}<|eot_id|>{{ end }}{{ if .Prompt }}<|start_header_id|>user<|end_header_id|>

{{ .Prompt }}<|eot_id|>{{ end }}<|start_header_id|>assistant<|end_header_id|>

{{ .Response }}<|eot_id|>"""

SYSTEM """You are assistant number ${index}. You review code for a team that writes services in Go.
${"Say what is wrong, why it is wrong, and how you would write it; quote the line that you mean.\n".repeat(6)}- Be brief, and never apologise.
- Answer in the language of the question: German, « français », 日本語.
- When you do not know, say "I do not know".
"""

MESSAGE user Is a nil map fine here?
MESSAGE assistant Reading from it is, writing to it panics. Use make(map[string]int) before the loop.
MESSAGE user """And this?
var m map[string]int
"""
MESSAGE assistant "The same: m is nil."
LICENSE MIT
`;
}

const encoder = new TextEncoder();

function filled(piece: string | Uint8Array, size: number, before = ""): Uint8Array {
  const bytes = new Uint8Array(size);
  const start = encoder.encode(before);
  const unit = typeof piece === "string" ? encoder.encode(piece) : piece;
  bytes.set(start);
  for (let at = start.length; at < size; at += unit.length) {
    bytes.set(unit.subarray(0, Math.min(unit.length, size - at)), at);
  }
  return bytes;
}

const from = "FROM llama3.2\n";
const context = { release: newestRelease };

/** A file whose length comes from its conversation, so that nothing in it is wrong. */
function plainFile(size: number): Uint8Array {
  return filled(smallFile(0).slice(smallFile(0).indexOf("MESSAGE")), size, smallFile(0));
}

function parse(bytes: Uint8Array) {
  return parseModelfile(decode(bytes).text);
}

/** What any program has to do with the text: decode it and split it into lines. */
function lines(bytes: Uint8Array): number {
  return new TextDecoder().decode(bytes).split(/\r\n|\r|\n/).length;
}

function startUp(): void {
  console.log("Start-up");
  try {
    execFileSync(process.execPath, ["src/build/build.mjs", "--no-types"], {
      cwd: root,
      stdio: "pipe",
    });
  } catch {
    console.log("  not measured: dist/ does not build\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "modelfile-lint-"));
  try {
    const file = join(folder, "Modelfile");
    writeFileSync(file, "FROM llama3.2:3b\nPARAMETER num_ctx 8192\nSYSTEM You are terse.\n");
    const run = (...args: string[]) =>
      execFileSync(process.execPath, args, { cwd: folder, stdio: "pipe" });
    const bare = "node -e 0";
    const lint = "node dist/cli.js FILE";
    const taken = measured(
      { [bare]: () => run("-e", "0"), [lint]: () => run(join(root, "dist/cli.js"), file) },
      15,
    );
    table(
      ["", "median", "÷ bare"],
      Object.entries(taken).map(([name, time]) => [name, ms(time), times(time / taken[bare]!)]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function throughput(): void {
  const small = Array.from({ length: 10_000 }, (_, index) => encoder.encode(smallFile(index)));
  const inputs = {
    [`10,000 files of ${(small[0]!.length / 1e3).toFixed(1)} kB`]: small,
    "one file of 10 MB": [plainFile(10e6)],
  };
  for (const [title, files] of Object.entries(inputs)) {
    console.log(title);
    const size = files.reduce((sum, { length }) => sum + length, 0);
    const taken = measured(
      {
        "decode, split into lines": () => files.forEach(lines),
        "decode, parse": () => files.forEach(parse),
        "decode, parse, check": () => files.forEach((bytes) => check(parse(bytes), context)),
      },
      5,
    );
    const base = Object.values(taken)[0]!;
    table(
      ["", "median", "throughput", "÷ lines"],
      Object.entries(taken).map(([name, time]) => [
        name,
        ms(time),
        rate(size, time),
        times(time / base),
      ]),
    );
  }
}

const ordinary = "a plain file";

/** Files of `size` bytes that are made to take long. */
function hostile(size: number): Record<string, Uint8Array> {
  const unquoted = smallFile(0).replaceAll('"', "'");
  return {
    [ordinary]: plainFile(size),
    "a quote in the first line that never closes": filled(unquoted, size, `${from}SYSTEM "`),
    'a """ that never closes': filled(unquoted, size, `${from}SYSTEM """`),
    quotes: filled('"', size, `${from}SYSTEM `),
    'lines of SYSTEM "x': filled('SYSTEM "x\n', size, from),
    'lines of PARAMETER stop "x" y': filled('PARAMETER stop "x" y\n', size, from),
    'lines of """': filled('"""\n', size, from),
    'lines of """ in a value': filled('"""x\n', size, `${from}SYSTEM """`),
    "100,000 lines": filled("SEED 1 2 \n", size, from),
    "lines of PARAMETER seed 1": filled("PARAMETER seed 1\n", size, from),
    "empty lines": filled("\n", size, from),
    "blanks in a value": filled(" ", size, `${from}FROM x`).fill(0x78, size - 1),
    NUL: filled("\0", size, from),
    "NUL in a value": filled("\0", size, `${from}SYSTEM "x`),
    "no-break spaces": filled("\u00a0", size, from),
    CR: filled("\r", size, from),
    "#": filled("#", size, from),
    "lone continuation bytes": filled(Uint8Array.of(0x80), size, from),
    "lone continuation bytes behind a mark": filled(Uint8Array.of(0x80), size, `\ufeff${from}`),
    "MESSAGE ": filled("MESSAGE ", size, from),
    "MESSAGE in every line": filled("MESSAGE \n", size, from),
    emoji: filled("🙂", size, from),
    "emoji that Ollama drops": filled("\u{1fae9}", size, `${from}SYSTEM "`),
    "one word": filled("A", size, from),
    "one name": filled("a", size, `${from}PARAMETER `),
  };
}

interface Work {
  files: Record<string, Uint8Array>;
  read: (name: string) => void;
  check: (name: string) => void;
}

function workOn(size: number): Work {
  const files = hostile(size);
  const trees = new Map(Object.entries(files).map(([name, bytes]) => [name, parse(bytes)]));
  return {
    files,
    read: (name) => {
      readBytes(files[name]!, newestRelease);
      parse(files[name]!);
    },
    check: (name) => void check(trees.get(name)!, context),
  };
}

/** Milliseconds for each name, and how they compare with the plain file. */
function compared(job: (name: string) => void, names: string[], rounds: number) {
  const taken = measured(Object.fromEntries(names.map((name) => [name, () => job(name)])), rounds);
  return new Map(
    names.map((name) => [name, { time: taken[name]!, ratio: taken[name]! / taken[ordinary]! }]),
  );
}

/** A small file read in less than this takes a minute at 1 MB even if it grows with the square. */
const fewMilliseconds = 24;

/** Returns whether every hostile file stayed below the limit. */
function worstCases(): boolean {
  console.log(`1 MB of …, ÷ a plain file of 1 MB; ${limit} × is the most allowed`);
  // What grows with the square of the length shows in a small file, and would take hours in the large one.
  const probe = workOn(20e3);
  const names = Object.keys(probe.files);
  const large = workOn(1e6);
  const results = (["read", "check"] as const).map((step) => {
    const small = compared(probe[step], names, 3);
    const bearable = names.filter((name) => {
      const { time, ratio } = small.get(name)!;
      return ratio <= limit || time < fewMilliseconds;
    });
    const full = compared(large[step], bearable, 3);
    return new Map(names.map((name) => [name, full.get(name) ?? small.get(name)!]));
  });
  table(
    ["", "read", "÷ plain", "check", "÷ plain"],
    names.map((name) => [
      name,
      ...results.flatMap((result) => {
        const { time, ratio } = result.get(name)!;
        return [ms(time), times(ratio)];
      }),
    ]),
  );
  const slow = names.filter((name) => results.some((result) => result.get(name)!.ratio > limit));
  if (slow.length > 0) console.log(`Too slow, some already at 20 kB: ${slow.join("; ")}`);
  return slow.length === 0;
}

/**
 * What a header may take: times what reading its bare bytes takes, and bytes of memory beyond that of
 * an empty process. A bare read of 10 MB takes few milliseconds, so the first is generous.
 */
const headerLimit = { ratio: 30, vocabulary: 64 * 2 ** 20, hostile: 200 * 2 ** 20 };

interface Reading {
  ms: number;
  /** At the most; beyond those of an empty process. */
  bytes: number;
}

function middle(readings: Reading[], of: keyof Reading): number {
  return median(readings.map((reading) => reading[of]));
}

function readingRow(name: string, { ms: time, bytes }: Reading, bare: Reading): string[] {
  return [name, ms(time), times(time / bare.ms), `${(bytes / 2 ** 20).toFixed(0)} MiB`];
}

/** Returns whether every header stayed below the limits. */
async function headers(): Promise<boolean> {
  const program = join(root, "node_modules/.cache/modelfile-lint/bench-gguf.mjs");
  await bundle({
    entryPoints: ["test/bench-gguf.ts"],
    outfile: program,
    packages: "external",
    alias: {},
  });
  const folder = mkdtempSync(join(tmpdir(), "modelfile-lint-"));
  const file = join(folder, "x.gguf");
  const run = (...args: string[]) =>
    execFileSync(process.execPath, [program, ...args], { encoding: "utf8" });
  const once = (way: string) => JSON.parse(run("read", way, file)) as Reading;
  const empty = middle(
    [0, 1, 2].map(() => once("nothing")),
    "bytes",
  );
  // One that takes seconds is no different the second time.
  const read = (way: string, times: number): Reading => {
    const readings = [once(way)];
    while (readings.length < times && readings[0]!.ms < 1000) readings.push(once(way));
    return { ms: middle(readings, "ms"), bytes: Math.max(0, middle(readings, "bytes") - empty) };
  };
  const slow: string[] = [];
  const judge = (name: string, ours: Reading, bare: Reading, most: number) => {
    if (ours.ms / bare.ms > headerLimit.ratio || ours.bytes > most) slow.push(name);
  };

  try {
    const [vocabularies, hostile] = JSON.parse(run("list")) as [string[], string[]];
    for (const name of vocabularies) {
      run("make", name, file);
      const [bare, ours, library] = [read("bare", 5), read("ours", 5), read("library", 3)];
      console.log(`A header of ${(statSync(file).size / 1e6).toFixed(1)} MB, ${name}`);
      table(
        ["", "median", "÷ bare", "memory"],
        [
          readingRow("its bytes alone", bare, bare),
          readingRow("readGguf", ours, bare),
          readingRow("@huggingface/gguf", library, bare),
        ],
      );
      judge(name, ours, bare, headerLimit.vocabulary);
    }
    let bare: Reading | undefined;
    const rows = hostile.map((name) => {
      run("make", name, file);
      bare ??= read("bare", 5);
      const ours = read("ours", 1);
      judge(name, ours, bare, headerLimit.hostile);
      return readingRow(name, ours, bare);
    });
    console.log("A header of 40 MB or a little more of …, ÷ the bytes of the first alone");
    table(["", "readGguf", "÷ bare", "memory"], rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
  if (slow.length > 0) console.log(`Too slow or too large: ${slow.join("; ")}`);
  return slow.length === 0;
}

/** The solver's twenty questions: the same model at twenty contexts. */
const questions = Array.from({ length: 20 }, (_, index) => 4096 * (index + 1));

const atContext = (context: number): RunParameters => ({
  context,
  batch: 512,
  microBatch: 512,
  sequences: 1,
  unifiedCache: false,
  typeK: "f16",
  typeV: "f16",
  flashAttention: "auto",
  outputs: 1,
});

/** How long it takes to say what llama.cpp allocates, and what Ollama does. */
async function memory(): Promise<void> {
  const machine = await resolveMachine("2x3090", nodeHost, root);
  const devices = machine.gpus.map(({ free }) => ({
    backend: "cuda" as const,
    free,
    compute: 860,
  }));
  const file = parseModelfile("FROM x\nPARAMETER num_ctx 8192\n");
  console.log(`Memory, on ${machine.name}; ÷ one allocation`);
  const rows: string[][] = [];
  for (const name of ["llama3.1:8b", "llama3.3:70b", "qwen3:30b-a3b", "deepseek-v3:671b"]) {
    const model = (await catalogueModel(name))!;
    const subject = subjectOf(model.header!);
    const ask = (folds: boolean) => {
      for (const context of questions) allocate(subject, devices, atContext(context), { folds });
    };
    const input = {
      model,
      machine,
      release: newestRelease,
      server: {},
      settings: settingsOf(file),
    };
    const found = measured(
      {
        one: () => allocate(subject, devices, atContext(8192)),
        twenty: () => ask(true),
        whole: () => ask(false),
        fit: () => fit(subject, devices, atContext(131072)),
        plan: () => void makePlan(input).limits,
      },
      9,
    );
    const cell = (job: string) => `${ms(found[job]!)} (${times(found[job]! / found["one"]!)})`;
    rows.push([name, ms(found["one"]!), cell("twenty"), cell("whole"), cell("fit"), cell("plan")]);
  }
  table(["", "one allocation", "20 folded", "20 whole", "fit at 131072", "plan with limits"], rows);
}

/** About `size` characters of what templates are made of. */
function templateOfSize(size: number): string {
  const turn =
    "{{- range $i, $_ := .Messages }}{{- $last := eq (len (slice $.Messages $i)) 1 }}\n" +
    '{{- if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n' +
    '{{ else if eq .Role "assistant" }}<|im_start|>assistant\n{{ if .Content }}{{ .Content }}\n' +
    '{{- else if .ToolCalls }}<tool_call>\n{{ range .ToolCalls }}{"name": "{{ .Function.Name }}"}\n' +
    "{{ end }}</tool_call>{{- end }}{{ if not $last }}<|im_end|>\n{{ end }}{{- end }}{{- end }}\n";
  return turn.repeat(Math.ceil(size / turn.length));
}

const chat = {
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Is a nil map fine here?" },
    { role: "assistant", content: "Reading from it is, writing to it panics." },
    { role: "user", content: "And this?" },
  ],
};

function templates(): void {
  const text = templateOfSize(4096);
  const template = parseTemplate(text);
  const read = readTemplate(template);
  console.log(`A template of ${(text.length / 1e3).toFixed(1)} kB; ÷ the start of a process`);
  const taken = measured(
    {
      "node -e 0": () => execFileSync(process.execPath, ["-e", "0"], { stdio: "pipe" }),
      parse: () => parseTemplate(text),
      "read off what it uses": () => readTemplate(template),
      "render a chat of 4 messages": () => render(template, read, chat),
    },
    51,
  );
  table(
    ["", "median", "÷ bare"],
    Object.entries(taken).map(([name, time]) => [
      name,
      ms(time),
      `${((100 * time) / taken["node -e 0"]!).toFixed(2)} %`,
    ]),
  );
}

/** All known releases, judged at each break, against one of them. */
async function ranges(): Promise<void> {
  const machine = await resolveMachine("2x3090", nodeHost, ".");
  const everything = readReleases(`${oldestRelease.version} - ${newestRelease.version}`);
  if (!everything.ok) throw new Error(everything.problem);
  console.log(`Plans for all releases, on ${machine.name}; ÷ one plan`);
  const rows: string[][] = [];
  for (const name of ["llama3.1:8b", "llama3.3:70b", "deepseek-v3:671b"]) {
    const model = (await catalogueModel(name))!;
    const load = { model, machine, server: {}, settings: { numCtx: 8192 } };
    let stretches = 0;
    const taken = measured(
      {
        one: () => void makePlan({ ...load, release: newestRelease }),
        all: () => {
          stretches = judgeEach(everything.releases, (release) =>
            makePlan({ ...load, release }),
          ).length;
        },
      },
      9,
    );
    const ratio = times(taken["all"]! / taken["one"]!);
    rows.push([name, ms(taken["one"]!), `${ms(taken["all"]!)} (${ratio})`, String(stretches)]);
  }
  table(["", "one release", "all releases", "judged"], rows);
}

startUp();
manyFiles(join(root, "dist/cli.js"), smallFile);
await languageServer(join(root, "dist/cli.js"), {
  "2 kB": smallFile(0),
  "100 kB": new TextDecoder().decode(plainFile(100e3)),
});
throughput();
templates();
await ranges();
await memory();
if (!worstCases()) process.exitCode = 1;
if (!(await headers())) process.exitCode = 1;

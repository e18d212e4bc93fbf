// Hands reports to programs that read them, and holds what they understood against what was meant:
//   node src/build/run.mjs test/clients/reports.ts
// Those of npm are taken from test/clients/node_modules; what is not installed is left out and named.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { rules } from "../../rules/index.js";
import { root } from "../../src/build/bundle.mjs";
import type { Severity } from "../../src/finding.js";
import { reportAs } from "../../src/report/formats.js";
import { located } from "../../src/report/located.js";
import type { FileResult, Format, Problem } from "../../src/report/result.js";

interface Client {
  /** The package or program, as messages call it. */
  name: string;
  /** What it made of the reports that it should not have: none if all is well. Undefined: it is not installed. */
  check: () => Promise<string[] | undefined>;
}

const folder = mkdtempSync(join(tmpdir(), "modelfile-lint-reports-"));

/** A file of a package of test/clients; undefined where it is not installed. */
function installed(file: string): string | undefined {
  const path = join(root, "test/clients/node_modules", file);
  return existsSync(path) ? path : undefined;
}

// Every message of every rule, at a statement of a file that it was made for.
const results: readonly FileResult[] = rules.map(({ id, severity, examples }, index) => {
  const text = examples.map(({ bad }) => bad).join("\n");
  let from = 0;
  const findings = examples.map(({ bad, message, severity: own }) => {
    const at = { start: from, end: from + bad.length };
    from += bad.length + 1;
    const edits = [{ ...at, text: bad.trimEnd() }];
    const fix = { title: "Write it again", safety: "safe" as const, edits };
    const help = `Not "${bad.split("\n")[0]!.trim()}", 50 %, a: b, {{ .System }}.`;
    return { rule: id, severity: own ?? severity, at, message, help, fix };
  });
  const machine = index % 3 === 0 ? null : `8xT4, no. ${index % 3}`;
  const path = `models/${index % 2 === 0 ? "with blanks, commas & <é>" : "plain"}/${id}/Modelfile`;
  return { path, machine, ollama: "0.32.15", text, findings, fixed: false };
});
const clean: FileResult = { ...results[0]!, path: "clean/Modelfile", findings: [] };
const problems: readonly Problem[] = [
  { path: "gone/Modelfile", message: '"gone/Modelfile" does not exist.' },
  { path: ".modelfile-lint.yaml", line: 3, column: 7, message: "machine is no mapping." },
  { path: "", message: "Ollama's server did not answer." },
];
const findings = located(results);
const graver = findings.filter(({ severity }) => severity !== "info").length;

function report(format: Exclude<Format, "pretty">): Promise<string> {
  return reportAs(format, { results: [...results, clean], problems, version: "1.2.3" });
}

/** The same, as a file. */
async function reportFile(format: Exclude<Format, "pretty">, name: string): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, await report(format));
  return path;
}

function differences(what: Readonly<Record<string, readonly [unknown, unknown]>>): string[] {
  return Object.entries(what)
    .filter(([, [read, meant]]) => JSON.stringify(read) !== JSON.stringify(meant))
    .map(
      ([name, [read, meant]]) => `${name}: ${JSON.stringify(read)}, not ${JSON.stringify(meant)}`,
    )
    .map((line) => line.slice(0, 500));
}

const clients: readonly Client[] = [
  { name: "@microsoft/sarif-multitool-linux", check: sarifMultitool },
  { name: "junit2json", check: junit2json },
  { name: "test-results-parser", check: testResultsParser },
  { name: "@actions/core", check: actionsCore },
  { name: "vim", check: vim },
];

/*
 * Left out of Microsoft's validation: messages by id, which GitHub does not read; the version of the sources
 * and snippets of them, which CI servers have; identifiers like ABC1234; and whether each link can be
 * fetched, which asks the network.
 */
const leftOut = [
  "SARIF2002.ProvideMessageArguments",
  "SARIF2003.ProvideVersionControlProvenance",
  "SARIF2006.UrisShouldBeReachable",
  "SARIF2009.ConsiderConventionalIdentifierValues",
  "SARIF2010.ProvideCodeSnippets",
  "SARIF2011.ProvideContextRegion",
];

/** Microsoft's validator, with the rules of GitHub's code scanning. */
async function sarifMultitool(): Promise<string[] | undefined> {
  const program = installed("@microsoft/sarif-multitool-linux/Sarif.Multitool");
  if (program === undefined || process.platform !== "linux") return undefined;
  const policy = join(folder, "policy.xml");
  const disabled = leftOut.map(
    (rule) =>
      `<Properties Key="${rule}.Options"><Property Key="RuleEnabled" Value="Disabled" Type="Driver.RuleEnabledState" /></Properties>`,
  );
  writeFileSync(policy, `<Properties>${disabled.join("")}</Properties>`);
  const validated = (path: string): string[] => {
    const output = `${path}.validated.sarif`;
    const { error, stdout } = spawnSync(
      program,
      ["validate", path, "--output", output, "--config", policy, "--log", "ForceOverwrite"].concat([
        "--level",
        "Error;Warning;Note",
        "--kind",
        "Fail",
        "--rule-kind",
        "Sarif;Ghas",
      ]),
      // It needs no ICU then.
      { encoding: "utf8", env: { ...process.env, DOTNET_SYSTEM_GLOBALIZATION_INVARIANT: "1" } },
    );
    if (error) throw error;
    // Its exit code is 0 whatever it finds.
    if (!stdout.includes("Analysis completed successfully.")) return [stdout.slice(-500)];
    const lines = stdout.split("\n");
    return lines.filter((line) => / (?:error|warning|note) [A-Za-z]+\d+: /.test(line));
  };
  const path = await reportFile("sarif", "report.sarif");
  const log = JSON.parse(readFileSync(path, "utf8"));
  delete log.runs[0].results[0].locations;
  const broken = join(folder, "broken.sarif");
  writeFileSync(broken, JSON.stringify(log));
  const seen = validated(broken).some((line) => line.includes(" GH1015: "));
  return [...validated(path), ...(seen ? [] : ["GitHub's rules did not run."])];
}

async function junit2json(): Promise<string[] | undefined> {
  const path = installed("junit2json/dist/esm/index.js");
  if (path === undefined) return undefined;
  const { parse } = await import(pathToFileURL(path).href);
  const { testsuite } = await parse(await report("junit"));
  interface Suite {
    name: string;
    failures: number;
    errors: number;
    testcase: { name: string; classname: string; failure?: { message: string }[] }[];
  }
  const suites = testsuite as Suite[];
  const cases = suites.flatMap(({ testcase }) => testcase);
  const sum = (count: (suite: Suite) => number) => suites.reduce((all, one) => all + count(one), 0);
  const messages = cases.flatMap(({ failure = [] }) => failure.map(({ message }) => message));
  return differences({
    suites: [suites.length, results.length + 1 + problems.length],
    cases: [cases.length, findings.length + 1 + problems.length],
    failures: [sum(({ failures }) => failures), graver],
    errors: [sum(({ errors }) => errors), problems.length],
    messages: [
      messages,
      findings.filter(({ severity }) => severity !== "info").map(({ message }) => message),
    ],
  });
}

async function testResultsParser(): Promise<string[] | undefined> {
  const path = installed("test-results-parser/src/index.js");
  if (path === undefined) return undefined;
  const { default: parser } = await import(pathToFileURL(path).href);
  const { total, failed, passed, errors } = parser.parse({
    type: "junit",
    files: [await reportFile("junit", "report.xml")],
  });
  return differences({
    total: [total, findings.length + 1 + problems.length],
    failed: [failed + errors, graver + problems.length],
    passed: [passed, findings.length - graver + 1],
  });
}

/** Each of our lines, read and written again by the toolkit that the runner belongs to. */
async function actionsCore(): Promise<string[] | undefined> {
  const path = installed("@actions/core/lib/core.js");
  if (path === undefined) return undefined;
  const lines = (await report("github")).trimEnd().split("\n");
  const calls = lines.map((line) => {
    const [, name, properties, message] = /^::(\w+) (.*?)::(.*)$/.exec(line)!;
    const given = properties!.split(",").map((one) => one.split("=") as [string, string]);
    const of = Object.fromEntries(given.map(([key, value]) => [key, decodeURIComponent(value)]));
    const { line: startLine, col: startColumn, ...rest } = of;
    return [name, decodeURIComponent(message!), { startLine, startColumn, ...rest }];
  });
  const program = `import * as core from ${JSON.stringify(pathToFileURL(path).href)};
for (const [name, message, properties] of ${JSON.stringify(calls)}) core[name](message, properties);`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-"], {
    encoding: "utf8",
    input: program,
  });
  const again = stdout.trimEnd().split("\n");
  const wrong = lines.filter((line, index) => sorted(line) !== sorted(again[index] ?? ""));
  return stderr === "" ? wrong : [stderr];
}

/** A workflow command with its properties in the order of the alphabet. */
function sorted(command: string): string {
  return command.replace(/ .*?::/, (part) => part.slice(1, -2).split(",").sort().join());
}

/** Vim's quickfix list, with the errorformat that the report is made for. */
async function vim(): Promise<string[] | undefined> {
  if (spawnSync("vim", ["--version"]).error) return undefined;
  const path = await reportFile("compact", "report.txt");
  const output = join(folder, "quickfix.json");
  const script = join(folder, "read.vim");
  writeFileSync(
    script,
    [
      "set nocompatible encoding=utf-8",
      String.raw`set errorformat=%f:%l:%c:\ %t%*[^:]:\ %m`,
      `execute "cgetfile " .. fnameescape("${path}")`,
      "let list = map(getqflist(), {_, e -> [e.valid, bufname(e.bufnr), e.lnum, e.col, e.type, e.text]})",
      `call writefile([json_encode(list)], "${output}")`,
      "qall!",
    ].join("\n"),
  );
  spawnSync("vim", ["-es", "-N", "-u", "NONE", "-i", "NONE", "-S", script], { cwd: folder });
  const types: Readonly<Record<Severity, string>> = { error: "e", warning: "w", info: "i" };
  const list = JSON.parse(readFileSync(output, "utf8")) as [number, ...unknown[]][];
  const read = list.slice(0, findings.length).map((entry) => entry.slice(0, 5));
  return differences({
    entries: [list.length, findings.length + problems.length],
    places: [
      read,
      findings.map(({ path: file, from, severity }) => [
        1,
        file,
        from.line,
        from.column,
        types[severity],
      ]),
    ],
    problems: [list.slice(findings.length).map(([valid]) => valid), [1, 1, 0]],
  });
}

let failed = false;
try {
  for (const { name, check } of clients) {
    const wrong = await check();
    if (wrong === undefined) console.log(`${name}: not installed`);
    else if (wrong.length === 0) console.log(`${name}: ok`);
    else {
      failed = true;
      console.log(`${name}:\n  ${wrong.slice(0, 10).join("\n  ")}`);
    }
  }
} finally {
  rmSync(folder, { recursive: true });
}
if (failed) process.exitCode = 1;

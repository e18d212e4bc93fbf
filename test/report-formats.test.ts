import { describe, expect, test } from "vitest";
import { rules } from "../rules/index.js";
import { checkstyleReport } from "../src/report/checkstyle.js";
import { compactReport } from "../src/report/compact.js";
import { githubReport } from "../src/report/github.js";
import { gitlabReport } from "../src/report/gitlab.js";
import { junitReport } from "../src/report/junit.js";
import type { FileResult, Problem } from "../src/report/result.js";
import { sarifReport } from "../src/report/sarif.js";

const text = 'FROM x\nPARAMETER top_k 4x\nSYSTEM """a\nb"""\n';

const releases = { from: "0.32.15", to: "0.32.15" };

const results: readonly FileResult[] = [
  {
    path: "models/a b,c/Modelfile",
    machine: null,
    ollama: "0.32.15",
    releases,
    text,
    fixed: false,
    findings: [
      {
        rule: "parameter-type",
        severity: "error",
        at: { start: 23, end: 25 },
        message: 'top_k takes a whole number, not "4x" <50%>.',
        help: "Write 4.",
        fix: { title: "Write 4", safety: "safe", edits: [{ start: 23, end: 25, text: "4" }] },
      },
      {
        rule: "empty-system",
        severity: "info",
        at: { start: 26, end: 42 },
        message: "Two\nlines\u0007.",
      },
    ],
  },
  {
    path: "clean",
    machine: "rtx4090-64g",
    ollama: "0.32.15",
    releases,
    text,
    fixed: false,
    findings: [],
  },
];
const problems: readonly Problem[] = [
  { path: "gone", message: "It is not there." },
  { path: "", message: "No server." },
];

describe("compact", () => {
  test("has one line a finding", () => {
    expect(compactReport(results, problems)).toBe(
      [
        'models/a b,c/Modelfile:2:17: error: top_k takes a whole number, not "4x" <50%>. [parameter-type]',
        "models/a b,c/Modelfile:3:1: info: Two lines<U+0007>. [empty-system]",
        "gone:1:1: error: It is not there.",
        "modelfile-lint: error: No server.",
        "",
      ].join("\n"),
    );
  });
});

describe("github", () => {
  test("escapes what would end a command or a property", () => {
    expect(githubReport(results, problems)).toBe(
      [
        '::error file=models/a b%2Cc/Modelfile,line=2,col=17,endColumn=19,title=parameter-type::top_k takes a whole number, not "4x" <50%25>. Write 4.',
        "::notice file=models/a b%2Cc/Modelfile,line=3,endLine=4,title=empty-system::Two%0Alines\u0007.",
        "::error file=gone,title=modelfile-lint::It is not there.",
        "::error title=modelfile-lint::No server.",
        "",
      ].join("\n"),
    );
  });
});

/** Findings of nothing but the places that they are at, in a file of this name. */
function at(path: string, spans: readonly (readonly [start: number, end: number])[]): FileResult {
  const findings = spans.map(([start, end]) => ({
    rule: "parameter-type",
    severity: "warning" as const,
    at: { start, end },
    message: "Here.",
  }));
  return { path, machine: null, ollama: "0.32.15", text, fixed: false, findings };
}

describe("lines", () => {
  test("a span that takes a line's end with it ends in that line", async () => {
    const results = [
      at("Modelfile", [
        [7, 26],
        [26, 43],
        [43, 43],
      ]),
    ];
    expect(githubReport(results, []).split("\n").slice(0, 3)).toEqual([
      "::warning file=Modelfile,line=2,col=1,title=parameter-type::Here.",
      "::warning file=Modelfile,line=3,endLine=4,title=parameter-type::Here.",
      "::warning file=Modelfile,line=5,col=1,endColumn=1,title=parameter-type::Here.",
    ]);
    const issues = JSON.parse(await gitlabReport(results, [])) as { location: unknown }[];
    expect(issues.map(({ location }) => location)).toEqual([
      { path: "Modelfile", lines: { begin: 2, end: 2 } },
      { path: "Modelfile", lines: { begin: 3, end: 4 } },
      { path: "Modelfile", lines: { begin: 5, end: 5 } },
    ]);
  });
});

describe("gitlab", () => {
  test("has what Code Quality asks for, and fingerprints that outlive moved lines", async () => {
    const issues = JSON.parse(await gitlabReport(results, problems)) as Record<string, unknown>[];
    expect(issues).toHaveLength(4);
    expect(issues[0]).toMatchObject({
      check_name: "parameter-type",
      severity: "critical",
      location: { path: "models/a b,c/Modelfile", lines: { begin: 2, end: 2 } },
    });
    const prints = issues.map(({ fingerprint }) => fingerprint);
    expect(new Set(prints).size).toBe(4);
    for (const print of prints) expect(print).toMatch(/^[0-9a-f]{64}$/);

    const moved = results.map((result) => ({
      ...result,
      text: `\n${result.text}`,
      findings: result.findings.map((finding) => ({
        ...finding,
        at: { start: finding.at.start + 1, end: finding.at.end + 1 },
      })),
    }));
    const later = JSON.parse(await gitlabReport(moved, problems)) as Record<string, unknown>[];
    expect(later.map(({ fingerprint }) => fingerprint)).toEqual(prints);
    expect(later[0]).toMatchObject({ location: { lines: { begin: 3 } } });
  });

  test.each([
    ["./Modelfile", "/repo", "Modelfile"],
    ["/repo/models/Modelfile", "/repo", "models/Modelfile"],
    ["/repo/Modelfile", "/repo/", "Modelfile"],
    ["/repository/Modelfile", "/repo", "/repository/Modelfile"],
    ["C:\\repo\\models\\Modelfile", "C:\\repo", "models/Modelfile"],
    ["models\\Modelfile", undefined, "models/Modelfile"],
    ["../Modelfile", "/repo", "../Modelfile"],
    [".", "/repo", "."],
  ])("%s, seen from %s, is %s", async (path, folder, relative) => {
    const issues = JSON.parse(await gitlabReport([at(path, [[0, 4]])], [], folder));
    expect(issues[0].location.path).toBe(relative);
  });
});

describe("checkstyle", () => {
  test("lists every file, and is XML whatever the text", () => {
    expect(checkstyleReport(results, problems)).toBe(
      [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<checkstyle version="4.3">',
        '  <file name="models/a b,c/Modelfile">',
        '    <error line="2" column="17" severity="error" message="top_k takes a whole number, not &quot;4x&quot; &lt;50%&gt;. Write 4." source="modelfile-lint.parameter-type"/>',
        '    <error line="3" column="1" severity="info" message="Two&#10;lines\ufffd." source="modelfile-lint.empty-system"/>',
        "  </file>",
        '  <file name="clean">',
        "  </file>",
        '  <file name="gone">',
        '    <error line="1" severity="error" message="It is not there." source="modelfile-lint.problem"/>',
        "  </file>",
        '  <file name="modelfile-lint">',
        '    <error line="1" severity="error" message="No server." source="modelfile-lint.problem"/>',
        "  </file>",
        "</checkstyle>",
        "",
      ].join("\n"),
    );
  });
});

/** The names of a JUnit report's cases. */
function caseNames(report: string): string[] {
  return [...report.matchAll(/<testcase classname="[^"]*" name="([^"]*)"/g)].map(
    ([, name]) => name!,
  );
}

describe("junit", () => {
  test("counts errors and warnings as failures, a clean file as one case that passes", () => {
    const report = junitReport(results, problems);
    expect(report).toContain(
      '<testsuite name="models/a b,c/Modelfile" tests="2" failures="1" errors="0">',
    );
    expect(report).toContain('<testsuite name="clean on rtx4090-64g" tests="1" failures="0"');
    expect(report).toContain('<testcase classname="clean" name="modelfile-lint"/>');
    expect(report).toContain('<failure type="error" message="top_k takes');
    expect(report.match(/<failure /g)).toHaveLength(1);
    expect(report).toContain(
      '<error type="problem" message="It is not there.">gone: It is not there.</error>',
    );
    expect(report).not.toContain("\u0007");
  });

  test("names a case alike wherever its line is, and no two of a file alike", () => {
    const spans = [
      [7, 16],
      [26, 32],
    ] as const;
    const moved = [
      [26, 32],
      [38, 39],
    ] as const;
    expect(caseNames(junitReport([at("Modelfile", spans)], []))).toEqual([
      "parameter-type",
      "parameter-type (2)",
    ]);
    expect(caseNames(junitReport([at("Modelfile", moved)], []))).toEqual([
      "parameter-type",
      "parameter-type (2)",
    ]);
  });
});

describe("sarif", async () => {
  const log = JSON.parse(await sarifReport(results, problems, rules, "1.2.3"));
  const [run] = log.runs;

  test("points from each result to its rule and its place", () => {
    expect(run.tool.driver.version).toBe("1.2.3");
    const [first] = run.results;
    expect(run.tool.driver.rules[first.ruleIndex]).toMatchObject({
      id: "parameter-type",
      name: "ModelfileParameterType",
    });
    expect(first).toMatchObject({ ruleId: "parameter-type", level: "error" });
    expect(first.locations[0].physicalLocation).toEqual({
      artifactLocation: { uri: "models/a%20b%2Cc/Modelfile" },
      region: { startLine: 2, startColumn: 17, endLine: 2, endColumn: 19 },
    });
    expect(run.results[1].level).toBe("note");
  });

  test("carries fixes, and what could not be checked", () => {
    expect(run.results[0].fixes[0].artifactChanges[0].replacements).toEqual([
      {
        deletedRegion: { startLine: 2, startColumn: 17, endLine: 2, endColumn: 19 },
        insertedContent: { text: "4" },
      },
    ]);
    const [{ executionSuccessful, toolExecutionNotifications }] = run.invocations;
    expect(executionSuccessful).toBe(false);
    expect(toolExecutionNotifications[0].message.text).toBe("It is not there.");
    expect(toolExecutionNotifications[1]).toEqual({
      level: "error",
      message: { text: "No server." },
    });
  });

  test("leaves the category to the workflow that uploads it", () => {
    expect(run).not.toHaveProperty("automationDetails");
  });

  test.each([
    ["./a/Modelfile", "a/Modelfile"],
    ["../Modelfile", "../Modelfile"],
    ["/srv/100%/Modelfile", "file:///srv/100%25/Modelfile"],
    ["C:\\models\\Modelfile", "file:///C:/models/Modelfile"],
    ["C:/models/Modelfile", "file:///C:/models/Modelfile"],
    ["\\\\server\\share\\Modelfile", "file://server/share/Modelfile"],
    ["\\models\\Modelfile", "file:///models/Modelfile"],
    ["models\\Modelfile", "models/Modelfile"],
    ["half \ud800", "half%20%EF%BF%BD"],
    ["http://x", "http%3A//x"],
  ])("writes %j as the URI %s", async (path, uri) => {
    const [{ results: found }] = JSON.parse(
      await sarifReport([at(path, [[0, 4]])], [], [], "1"),
    ).runs;
    expect(found[0].locations[0].physicalLocation.artifactLocation.uri).toBe(uri);
  });

  test("makes no link of what a Modelfile says, and leaves its braces", async () => {
    const { findings, ...file } = at("Modelfile", [[0, 4]]);
    const message = "{{ .Prompt }} [here](https://example.org)";
    const said = [{ ...file, findings: findings.map((one) => ({ ...one, message })) }];
    const [{ results: found }] = JSON.parse(await sarifReport(said, [], [], "1")).runs;
    expect(found[0].message.text).toBe("{{ .Prompt }} [here\\](https://example.org)");
  });
});

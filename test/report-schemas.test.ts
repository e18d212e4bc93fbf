import { Ajv, type AnySchemaObject } from "ajv";
import { default as addFormats } from "ajv-formats";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { validateXML } from "xmllint-wasm";
import { rules } from "../rules/index.js";
import { root } from "../src/build/bundle.mjs";
import type { Finding, Severity } from "../src/finding.js";
import { compactReport } from "../src/report/compact.js";
import { checkstyleReport } from "../src/report/checkstyle.js";
import { githubReport } from "../src/report/github.js";
import { gitlabReport } from "../src/report/gitlab.js";
import { jsonReport } from "../src/report/json.js";
import { junitReport } from "../src/report/junit.js";
import { prettyReport } from "../src/report/pretty.js";
import { summarise, type FileResult, type Problem } from "../src/report/result.js";
import { sarifReport } from "../src/report/sarif.js";
import { oneLine } from "../src/report/terminal.js";

/* Whatever a file is called and says, each report is valid and holds every finding. */

interface Run {
  results: readonly FileResult[];
  problems: readonly Problem[];
}

// What has a meaning in some format, or cannot be written in it.
const pieces = [
  ..."ab Z0é😀\u200b<>&\"'%:,=#;{}[]()|\\/`$",
  ..."\t\n\r\0\u0007\u001b\u007f\u0085\u009b\u2028\ufffe\uffff\ud800\udfff",
  ..."\u001b[31m,\u001b]0;title\u0007,\r\n,]]>,<!--,&#0;,%0A,%25,::,::error::,##[error],{0},{{ .System }}".split(
    ",",
  ),
  ..."[here](https://example.org)|C:\\|./|../|//|:1:2: error: |Modelfile".split("|"),
];
const text = fc.string({ unit: fc.constantFrom(...pieces), minLength: 1, maxLength: 12 });

// A path that reads like a place is one in the compact format.
const path = text.filter((one) => !/:\d+:\d+:/.test(one));

const severity = fc.constantFrom<Severity>("error", "warning", "info");
const ids = rules.slice(0, 4).map(({ id }) => id);
const versions = ["0.1.44", "0.6.4", "0.12.11", "0.32.15"];

function findingIn(file: string): fc.Arbitrary<Finding> {
  const span = fc
    .tuple(fc.nat(file.length), fc.nat(file.length))
    .map(([one, other]) => ({ start: Math.min(one, other), end: Math.max(one, other) }));
  const edits = fc.array(fc.tuple(span, fc.oneof(text, fc.constant(""))), { maxLength: 1 });
  const change = fc.record({
    title: text,
    edits: edits.map((all) => all.map(([at, replacement]) => ({ ...at, text: replacement }))),
  });
  return fc.record(
    {
      rule: fc.constantFrom(...ids),
      severity,
      at: span,
      message: text,
      help: text,
      fix: fc
        .tuple(change, fc.constantFrom("safe" as const, "unsafe" as const))
        .map(([one, safety]) => ({ ...one, safety })),
      suggestions: fc.array(change, { maxLength: 2 }),
      related: fc.array(fc.record({ at: span, message: text }), { maxLength: 2 }),
      releases: fc.array(
        fc.record(
          {
            from: fc.constantFrom(...versions),
            to: fc.constantFrom(...versions),
            message: text,
            severity,
          },
          { requiredKeys: ["from", "to"] },
        ),
        { minLength: 1, maxLength: 2 },
      ),
    },
    { requiredKeys: ["rule", "severity", "at", "message"] },
  );
}

/** A file on one machine, on several, or on none that has a name. */
const file: fc.Arbitrary<FileResult[]> = fc
  .record({
    path,
    text: fc.string({ unit: fc.constantFrom(...pieces, "FROM x\n"), maxLength: 20 }),
    machines: fc.uniqueArray(fc.option(text), { minLength: 1, maxLength: 3 }),
    range: fc.boolean(),
  })
  .chain(({ path: name, text: said, machines, range }) => {
    const found = fc.array(findingIn(said), { maxLength: 3 });
    return fc.tuple(...machines.map(() => found)).map((all) =>
      all.map((findings, index) => ({
        path: name,
        machine: machines[index]!,
        ollama: range ? "*" : "0.32.15",
        ...(range && { releases: { from: "0.1.44", to: "0.32.15" } }),
        text: said,
        findings,
        fixed: false,
      })),
    );
  });

const problem: fc.Arbitrary<Problem> = fc.record(
  {
    path: fc.oneof(path, fc.constant("")),
    line: fc.integer({ min: 1, max: 9 }),
    column: fc.integer({ min: 1, max: 9 }),
    message: text,
  },
  { requiredKeys: ["path", "message"] },
);

const runs: fc.Arbitrary<Run> = fc.record({
  results: fc
    .uniqueArray(file, { selector: (all) => all[0]!.path, maxLength: 3 })
    .map((all) => all.flat()),
  problems: fc.array(problem, { maxLength: 2 }),
});

const found = ({ results }: Run) =>
  results.flatMap(({ findings, ...of }) => findings.map((finding) => ({ ...of, ...finding })));

/** Text as UTF-8 can hold it. */
const wellFormed = (said: string) => said.replaceAll(/\p{Surrogate}/gu, "\ufffd");

// Patterns of the SARIF schema are none with the flag u.
const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
addFormats.default(ajv);

function schema(path: string): AnySchemaObject {
  return JSON.parse(readFileSync(path, "utf8")) as AnySchemaObject;
}

/** Compiled, and the errors of a value as text: "" for none. */
function checkerOf(of: AnySchemaObject): (value: unknown) => string {
  const validate = ajv.compile(of);
  return (value) => (validate(value) ? "" : ajv.errorsText(validate.errors));
}

/** The same schema, with no keys but those that it names. */
function closed(part: unknown): unknown {
  if (Array.isArray(part)) return part.map(closed);
  if (typeof part !== "object" || part === null) return part;
  const inner = Object.fromEntries(
    Object.entries(part).map(([key, value]) => [key, closed(value)]),
  );
  return "properties" in inner ? { ...inner, additionalProperties: false } : inner;
}

describe("json", () => {
  const shipped = schema(join(root, "schema/lint-report.schema.json"));
  const errorsOf = checkerOf(closed(shipped) as AnySchemaObject);

  test("is what its schema says, and nothing else", () => {
    fc.assert(
      fc.property(runs, ({ results, problems }) => {
        expect(errorsOf(JSON.parse(jsonReport(results, problems)))).toBe("");
      }),
    );
    expect(errorsOf({ ...JSON.parse(jsonReport([], [])), later: 1 })).not.toBe("");
  });

  test("is open to more, and refuses less", () => {
    const open = checkerOf(shipped);
    fc.assert(
      fc.property(runs, (run) => {
        const report = JSON.parse(jsonReport(run.results, run.problems));
        expect(open(report)).toBe("");
        expect(open({ ...report, later: 1 })).toBe("");
        expect(open({ ...report, version: 2 })).not.toBe("");
        expect(open({ ...report, files: undefined })).not.toBe("");
        expect(report.summary).toEqual(summarise(run.results));
        const messages = report.files.flatMap((one: { findings: { message: string }[] }) =>
          one.findings.map(({ message }) => message),
        );
        expect(messages).toEqual(found(run).map(({ message }) => wellFormed(message)));
        expect(report.problems).toHaveLength(run.problems.length);
      }),
    );
  });
});

function lastPart(path: string): string {
  return path.split(/[\\/]/).at(-1)!;
}

describe("sarif", () => {
  let errorsOf: (value: unknown) => string;
  beforeAll(() => {
    const path = createRequire(import.meta.url).resolve(
      "@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json",
    );
    // Draft 4 but for its name: nothing in it reads otherwise as draft 7.
    const { $schema: _, id: __, ...standard } = schema(path);
    errorsOf = checkerOf(standard);
  });

  test("the schema sees what is wrong", async () => {
    const log = JSON.parse(await sarifReport([], [], rules, "1.2.3"));
    expect(errorsOf(log)).toBe("");
    log.runs[0].tool.driver.rules[0].defaultConfiguration.level = "info";
    expect(errorsOf(log)).toContain("must be equal to one of the allowed values");
  });

  test("is valid, and holds every finding at its place", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const log = JSON.parse(
          await sarifReport(run.results, run.problems, rules.slice(0, 4), "1.2.3"),
        );
        expect(errorsOf(log)).toBe("");
        const [{ results, invocations }] = log.runs;
        expect(results.map(({ ruleId }: { ruleId: string }) => ruleId)).toEqual(
          found(run).map(({ rule }) => rule),
        );
        for (const [index, { path, message }] of found(run).entries()) {
          const { uri } = results[index].locations[0].physicalLocation.artifactLocation;
          expect(decodeURIComponent(uri)).toContain(wellFormed(lastPart(path)));
          expect(() => new URL(uri, "file:///repository/")).not.toThrow();
          // A relative one beginning with a slash would replace the base that it is resolved against.
          expect(uri).not.toMatch(/^\//);
          const said = results[index].message.text.replaceAll("\\](", "](");
          expect(said).toContain(wellFormed(message));
          expect(results[index].message.text).not.toMatch(/[^\\]\]\(/);
        }
        const prints = results.map(
          (one: { partialFingerprints: object }) => Object.values(one.partialFingerprints)[0],
        );
        expect(new Set(prints).size).toBe(prints.length);
        expect(invocations[0].toolExecutionNotifications).toHaveLength(run.problems.length);
      }),
    );
  });
});

async function printsOf(results: readonly FileResult[]): Promise<string[]> {
  const issues = JSON.parse(await gitlabReport(results, [])) as { fingerprint: string }[];
  return issues.map(({ fingerprint }) => fingerprint);
}

describe("gitlab", () => {
  const errorsOf = checkerOf(schema(join(root, "test/schemas/code-quality.schema.json")));

  test("is valid, and no two issues have one fingerprint", async () => {
    await fc.assert(
      fc.asyncProperty(runs, async (run) => {
        const issues = JSON.parse(await gitlabReport(run.results, run.problems, "/repository"));
        expect(errorsOf(issues)).toBe("");
        expect(issues).toHaveLength(found(run).length + run.problems.length);
        const prints = issues.map(({ fingerprint }: { fingerprint: string }) => fingerprint);
        expect(new Set(prints).size).toBe(prints.length);
        for (const [index, { message }] of found(run).entries()) {
          expect(issues[index].description).toContain(wellFormed(message));
        }
      }),
    );
  });

  test("texts that differ in halves of surrogate pairs alone are two issues", async () => {
    const halves = ["\ud800", "\ud801"].map((message) => ({ path: "Modelfile", message }));
    const issues = JSON.parse(await gitlabReport([], halves)) as { fingerprint: string }[];
    expect(new Set(issues.map(({ fingerprint }) => fingerprint)).size).toBe(2);
  });

  test("fingerprints stay when lines are put in above", async () => {
    await fc.assert(
      fc.asyncProperty(runs, fc.integer({ min: 1, max: 3 }), async ({ results }, lines) => {
        const moved = results.map((result) => ({
          ...result,
          text: "#\n".repeat(lines) + result.text,
          findings: result.findings.map((finding) => ({
            ...finding,
            at: { start: finding.at.start + 2 * lines, end: finding.at.end + 2 * lines },
          })),
        }));
        expect(await printsOf(moved)).toEqual(await printsOf(results));
      }),
    );
  });
});

/** A line as the runner reads it (actions/runner src/Runner.Common/ActionCommand.cs, TryParseV2). */
function parsed(line: string): Record<string, string> {
  const [, name, properties, data] = /^::(\w+) (.*?)::(.*)$/su.exec(line)!;
  const entries = properties!.split(",").map((one) => {
    const [key, ...value] = one.split("=");
    return [key, decoded(value.join("="), ["%0D", "%0A", "%3A", "%2C", "%25"])] as const;
  });
  const message = decoded(data!, ["%0D", "%0A", "%25"]);
  return { name: name!, ...(Object.fromEntries(entries) as Record<string, string>), message };
}

/** Each of these codes back as its character, one after the other as the runner does it. */
function decoded(said: string, codes: readonly string[]): string {
  return codes.reduce((all, code) => all.replaceAll(code, decodeURIComponent(code)), said);
}

describe("github", () => {
  test("the runner reads what was meant", () => {
    const names = { error: "error", warning: "warning", info: "notice" };
    fc.assert(
      fc.property(runs, (run) => {
        const lines = githubReport(run.results, run.problems).split(/\r\n|\r|\n/);
        expect(lines.pop()).toBe("");
        const commands = lines.map(parsed);
        const findings = found(run);
        expect(commands).toHaveLength(findings.length + run.problems.length);
        for (const [index, one] of findings.entries()) {
          const command = commands[index]!;
          const { name, file: path, title, line, endLine, col, endColumn, message } = command;
          expect([name, path, title]).toEqual([names[one.severity], one.path, one.rule]);
          expect(message).toContain(one.message);
          expect(Number(line)).toBeGreaterThan(0);
          // The runner drops what does not go together.
          if (endLine !== undefined) {
            expect(Number(endLine)).toBeGreaterThan(Number(line));
            expect([col, endColumn]).toEqual([undefined, undefined]);
          } else if (endColumn !== undefined) {
            expect(Number(endColumn)).toBeGreaterThanOrEqual(Number(col));
          }
        }
        for (const [index, { path, line, message }] of run.problems.entries()) {
          const command = commands[findings.length + index]!;
          expect(command["file"] ?? "").toBe(path);
          expect(command["message"]).toBe(message);
          if (line === undefined) expect(command["col"]).toBeUndefined();
        }
      }),
    );
  });
});

/** What moves the cursor, sets colours or hides text, but for the line's end. */
// oxlint-disable-next-line no-control-regex
const steering = /[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;

describe("compact", () => {
  test("is one line a finding, without what steers a terminal", () => {
    fc.assert(
      fc.property(runs, (run) => {
        const report = compactReport(run.results, run.problems);
        expect(report).not.toMatch(steering);
        const lines = report.split("\n");
        expect(lines.pop()).toBe("");
        expect(lines).toHaveLength(found(run).length + run.problems.length);
        for (const [index, one] of found(run).entries()) {
          const [, file = "", level, id] =
            /^(.+?):\d+:\d+: (error|warning|info): .*\[([a-z-]+)\]$/u.exec(lines[index]!) ?? [];
          expect([file, level, id]).toEqual([oneLine(one.path), one.severity, one.rule]);
        }
      }),
    );
  });
});

describe("pretty", () => {
  test("lets nothing through that steers a terminal", () => {
    fc.assert(
      fc.property(runs, fc.boolean(), ({ results }, color) => {
        const report = prettyReport(results, { color, quiet: false });
        // Its own colours are of this form.
        // oxlint-disable-next-line no-control-regex
        const bare = color ? report.replaceAll(/\x1b\[\d+m/g, "") : report;
        expect(bare).not.toMatch(steering);
      }),
    );
  });

  test("shows what a hostile file would have done", () => {
    const said = 'FROM "\u001b]0;owned\u0007\u001b[2J\u009b1A"\n';
    const [at, message] = [{ start: 5, end: said.length - 1 }, "Not \u001b[2J\nthis."];
    const finding: Finding = { rule: ids[0]!, severity: "error", at, message };
    const result = { machine: null, ollama: "0.32.15", text: said, fixed: false };
    const report = prettyReport([{ ...result, path: "\u001b[31mx", findings: [finding] }], {
      color: false,
      quiet: false,
    });
    expect(report).toContain("<U+001B>[31mx:1:6 error Not <U+001B>[2J this.");
    expect(report).toContain('FROM "<U+001B>]0;owned<U+0007><U+001B>[2J<U+009B>1A"');
  });
});

async function xmlErrors(name: string, reports: readonly string[]): Promise<readonly string[]> {
  const { errors } = await validateXML({
    xml: reports.map((contents, index) => ({ fileName: `${index}.xml`, contents })),
    schema: readFileSync(join(root, `test/schemas/${name}.xsd`), "utf8"),
  });
  return errors.map(({ rawMessage }) => rawMessage);
}

/** Text as XML 1.0 can hold it: its Char, and U+FFFD for everything else. */
const held = (said: string) =>
  Array.from(said, (one) =>
    /^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]$/u.test(one) ? one : "\ufffd",
  ).join("");

/** Attributes of each element with a name, in their order. */
function elements(xml: string, name: string): Record<string, string>[] {
  return [...xml.matchAll(new RegExp(`<${name}((?: \\w+="[^"<]*")*)/?>`, "g"))].map(([, all]) =>
    Object.fromEntries(
      [...all!.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, unescaped(value!)]),
    ),
  );
}

function unescaped(said: string): string {
  const named: Readonly<Record<string, string>> = { lt: "<", gt: ">", amp: "&", quot: '"' };
  return said.replaceAll(/&(?:#(\d+)|(\w+));/g, (_, code: string | undefined, name: string) =>
    code === undefined ? named[name]! : String.fromCodePoint(Number(code)),
  );
}

describe("xml", () => {
  // Starting xmllint costs more than what it does: all samples go into it at once.
  const samples = fc.sample(runs, { numRuns: 150, seed: 20 });

  test("checkstyle is valid, and holds every finding", async () => {
    const reports = samples.map(({ results, problems }) => checkstyleReport(results, problems));
    expect(await xmlErrors("checkstyle", reports)).toEqual([]);
    for (const [index, run] of samples.entries()) {
      const errors = elements(reports[index]!, "error");
      expect(errors).toHaveLength(found(run).length + run.problems.length);
      const messages = errors.map(({ message }) => message);
      for (const { message } of [...found(run), ...run.problems]) {
        expect(messages.some((one) => one!.includes(held(message)))).toBe(true);
      }
      const names = elements(reports[index]!, "file").map(({ name }) => name);
      expect(names).toEqual(expect.arrayContaining(run.results.map(({ path }) => held(path))));
    }
  });

  test("junit is valid, and counts every finding", async () => {
    const reports = samples.map(({ results, problems }) => junitReport(results, problems));
    expect(await xmlErrors("junit", reports)).toEqual([]);
    for (const [index, run] of samples.entries()) {
      const report = reports[index]!;
      const failures = elements(report, "failure");
      const grave = found(run).filter((one) => one.severity !== "info");
      expect(failures.map(({ message }) => message)).toEqual(
        grave.map(({ message }) => held(message)),
      );
      expect(report.match(/<system-out>/g) ?? []).toHaveLength(found(run).length - grave.length);
      expect(elements(report, "error")).toHaveLength(run.problems.length);
      const suites = elements(report, "testsuite");
      expect(suites).toHaveLength(run.results.length + run.problems.length);
      const sum = suites.reduce((all, { failures: one }) => all + Number(one), 0);
      expect(sum).toBe(failures.length);
    }
  });

  test("what is no XML is seen", async () => {
    const [first] = await xmlErrors("junit", ["<testsuites><testsuite></testsuites>"]);
    expect(first).toContain("mismatch");
  });
});

import { describe, expect, test } from "vitest";
import { parseModelfile } from "../grammar/parser.js";
import { findOut } from "../src/context.js";
import { isRange, judgeEach, readReleases, type Releases } from "../src/facts/release-range.js";
import {
  knownReleases,
  newestRelease,
  oldestRelease,
  since,
  within,
  type Release,
} from "../src/facts/release.js";
import type { Finding, Held } from "../src/finding.js";
import { fix } from "../src/fix/fix.js";
import { check } from "../src/lint.js";
import type { Machine } from "../src/machines/machine.js";
import { preset } from "../src/machines/presets.js";
import { readProfile } from "../src/machines/profile.js";
import { findingsOver } from "../src/report/over-releases.js";
import { plansOver, shownOf } from "../src/report/plan-changes.js";
import { releasesText } from "../src/report/plan-releases.js";
import { width } from "../src/report/terminal.js";
import { whenHeld } from "../src/report/when.js";

function releasesIn(text: string): Releases {
  const read = readReleases(text);
  if (!read.ok) expect.fail(read.problem);
  return read.releases;
}

const everything = releasesIn("*");

const models = new Map([["acme/deepseek:q2", { like: "deepseek-v3:671b", weights: 247588783616 }]]);

/** 200 GB of RAM and one card of 80 GiB: enough for a large model only where its file is mapped. */
const smallRam = () =>
  readProfile("ram: 200GB\ngpus: [{ backend: cuda, memory: 80GiB, free: 79GiB }]\n", "m.yaml");

async function subjectOf(text: string, machine?: Machine) {
  const file = parseModelfile(text);
  const known = await findOut(file, {
    folder: "/",
    modelsFolder: "/",
    server: {},
    models,
    ...(machine && { machine }),
  });
  return {
    file,
    contextOf: known.contextOf,
    findingsIn: (context: ReturnType<typeof known.contextOf>) => check(file, context),
  };
}

async function found(text: string, range: string, machine?: Machine): Promise<Finding[]> {
  return findingsOver(parseModelfile(text), releasesIn(range), (file) =>
    subjectOf(file.text, machine),
  );
}

describe("what a user means by a range", () => {
  test.each([
    ["0.6.4", "0.6.4"],
    [" v0.6.4 ", "0.6.4"],
    ["0.32", "0.32.15"],
    ["0.33.0-rc2", "0.33.0"],
    ["0.6.x", "0.6.0 - 0.6.8"],
    ["0.6.*", "0.6.0 - 0.6.8"],
    ["0.1.x", "0.1.44 - 0.1.48"],
    ["*", "0.1.44 - 0.32.15"],
    ["0.6.4 - 0.32.15", "0.6.4 - 0.32.15"],
    ["0.6.4-v0.32.15", "0.6.4 - 0.32.15"],
    ["0.6..0.32", "0.6.0 - 0.32.15"],
    ["0.6.4 - 0.6.4", "0.6.4"],
    [">=0.12", "0.12.0 - 0.32.15"],
    [">=0.12 <0.30", "0.12.0 - 0.24.0"],
    [">= 0.12.1, <= 0.24", "0.12.1 - 0.24.0"],
    [">0.7 >=0.6 <=0.9", "0.8.0 - 0.9.6"],
    ["<=0.24", "0.1.44 - 0.24.0"],
    [">0.24", "0.30.0 - 0.32.15"],
    ["0.25 - 0.31.0", "0.30.0 - 0.31.0"],
    ["<0.33", "0.1.44 - 0.32.15"],
  ])("%j is %s", (text, expected) => {
    const releases = releasesIn(text);
    expect(releases.text).toBe(expected);
    expect(isRange(releases)).toBe(expected.includes(" - "));
    expect(releases.beyond).toBeUndefined();
  });

  test.each([
    ["latest", /^"latest" is no Ollama release\. Write a version such as 0\.32\.15, or a range/],
    ["", /is no Ollama release/],
    ["^0.6", /is no Ollama release/],
    [">=0.12 or so", /is no Ollama release/],
    ["0.12 <0.30", /is no Ollama release/],
    ["0.1.43", /^Ollama 0\.1\.43 is too old: releases from 0\.1\.44 on are known\.$/],
    ["0.1.0 - 0.6", /^Ollama 0\.1\.0 is too old/],
    ["<0.1.44", /is too old/],
    ["0.32 - 0.6", /^"0\.32 - 0\.6" ends before it begins\.$/],
    [">=0.30 <0.12", /ends before it begins/],
    [">=0.40", /^">=0\.40" begins after 0\.32\.15, the newest Ollama release known\.$/],
    ["0.25 - 0.29", /^There is no Ollama release in "0\.25 - 0\.29"\.$/],
  ])("%j is none", (text, problem) => {
    expect(readReleases(text)).toEqual({ ok: false, problem: expect.stringMatching(problem) });
  });

  test("an end that is too new to be known is named", () => {
    expect(releasesIn(">=0.30 <=0.40")).toMatchObject({ text: "0.30.0 - 0.32.15", beyond: "0.40" });
    expect(releasesIn("0.6 - 0.33.1").beyond).toBe("0.33.1");
  });
});

/** "first last value" of each stretch. */
function spans(judge: (release: Release) => unknown, releases: Releases = everything): string[] {
  return judgeEach(releases, judge).map(
    ({ first, last, value }) => `${first.version} ${last.version} ${String(value)}`,
  );
}

const isNewer = (release: Release) => since(release, "0.6.4");

/** Asks about the one only where the other is so. */
const branching = (release: Release) =>
  since(release, "0.30.0") ? "new" : since(release, "0.6.0") && since(release, "0.12.11");

describe("the breaks of a range", () => {
  test("are where what is asked is answered otherwise", () => {
    expect(spans(() => "same")).toEqual(["0.1.44 0.32.15 same"]);
    expect(spans(isNewer)).toEqual(["0.1.44 0.6.3 false", "0.6.4 0.32.15 true"]);
    expect(spans((release) => within(release, { from: "0.5.0", to: "0.24.0" }))).toEqual([
      "0.1.44 0.4.7 false",
      "0.5.0 0.24.0 true",
      "0.30.0 0.32.15 false",
    ]);
  });

  test("include those that only some releases ask about", () => {
    expect(spans(branching)).toEqual([
      "0.1.44 0.5.13 false",
      "0.6.0 0.12.10 false",
      "0.12.11 0.24.0 true",
      "0.30.0 0.32.15 new",
    ]);
  });

  test("outside the range do not matter", () => {
    expect(spans(isNewer, releasesIn("0.7 - 0.9"))).toEqual(["0.7.0 0.9.6 true"]);
    expect(spans(isNewer, releasesIn("0.33.0"))).toEqual(["0.33.0 0.33.0 true"]);
  });
});

function own({ version }: Release): RegExp {
  return new RegExp(`(?<![\\d.])${version.replaceAll(".", "\\.")}(?!\\.?\\d)`, "g");
}

/** Whether two releases come to the same, but for their own versions in what they say. */
function agree(one: unknown, here: Release, other: unknown, there: Release): boolean {
  const [left, right] = [one, other].map((value) => JSON.stringify(value).split('"'));
  return left!.every((text, index) => {
    const beside = right![index] ?? "";
    return text === beside || text.replaceAll(own(here), "") === beside.replaceAll(own(there), "");
  });
}

describe("a stretch of releases", () => {
  const names = "RENDERER qwen3-coder\nREQUIRES 0.14.0\nDRAFT ./draft.gguf\n";
  const parameters = [
    "mirostat 2",
    "tfs_z 1",
    "min_p 0.05",
    "num_gqa 8",
    "repeat_penalty 1.1",
    "num_ctx 2048",
    "use_mmap true",
    "temprature 1",
    "draft_num_predict 4",
  ];
  test.each([
    ["a plain file", "FROM llama3.2\nPARAMETER num_ctx 8192\nSYSTEM Be brief.\n"],
    ["parameters", `FROM llama3.2\n${parameters.map((one) => `PARAMETER ${one}\n`).join("")}`],
    ["instructions", `FROM llama3.2\n${names}PROMPT x\nTEMPLATE "{{ .Prompt }}"\n`],
    ["a broken file", 'FROM llama3.2\nSYTEM hi\nPARAMETER stop "\nMESSAGE bot hi\n'],
    ["a long context", "FROM mistral:7b\nPARAMETER num_ctx 65536\n"],
  ])("finds what each of its releases finds: %s", async (_, text) => {
    const { contextOf, findingsIn } = await subjectOf(text);
    const judge = (release: Release) => findingsIn(contextOf(release));
    let releases = 0;
    for (const { first, last, value } of judgeEach(everything, judge)) {
      for (const release of knownReleases(first.order, last.order)) {
        const alone = judge(release);
        expect(
          agree(alone, release, value, last),
          `${release.version}: ${JSON.stringify(alone)}`,
        ).toBe(true);
        releases++;
      }
    }
    expect(releases).toBe(knownReleases(oldestRelease.order, newestRelease.order).length);
  });

  test.each([
    "FROM qwen3:4b\n",
    "FROM gpt-oss:20b\nPARAMETER num_ctx 65536\nPARAMETER num_gpu 30\n",
  ])(
    "plans and finds what some of its releases do on a machine: %j",
    async (text) => {
      const { contextOf, findingsIn } = await subjectOf(text, await preset("2x3090"));
      const judge = (release: Release) => {
        const context = contextOf(release);
        const { plan } = context;
        if (!plan) expect.fail("no plan");
        return [shownOf(plan), plan.devices, plan.host, plan.reasons, findingsIn(context)];
      };
      const stretches = judgeEach(everything, judge);
      expect(stretches.length).toBeGreaterThan(10);
      // The last of each was judged; the first, or one in the middle, is to come to the same.
      const others = stretches.map(({ first, last, value }, index) => {
        const inside = knownReleases(first.order, last.order);
        const release = index % 2 === 0 ? first : inside[Math.floor(inside.length / 2)]!;
        return { release, last, value };
      });
      for (const { release, last, value } of others.filter((one) => one.release !== one.last)) {
        expect(agree(judge(release), release, value, last), release.version).toBe(true);
      }
    },
    60_000,
  );
});

/** A file whose findings are told by the release alone. */
async function told(
  findingsIn: (release: Release) => Partial<Finding>[],
  range = "*",
): Promise<Finding[]> {
  const text = "FROM llama3.2\nPARAMETER num_ctx 4096\n";
  return findingsOver(parseModelfile(text), releasesIn(range), () =>
    Promise.resolve({
      contextOf: (release) => ({ release }),
      findingsIn: ({ release }) =>
        findingsIn(release).map((one) => ({
          rule: "a-rule",
          severity: "warning",
          at: { start: 5, end: 13 },
          message: "It is so.",
          ...one,
        })),
    }),
  );
}

describe("findings of a range", () => {
  test("are told as for one release where all agree", async () => {
    const same = await told((release) => [
      { message: `Ollama ${release.version} says ${since(release, "0.6.0") ? "so" : "so"}.` },
    ]);
    expect(same).toMatchObject([{ message: "Ollama 0.32.15 says so." }]);
    expect(same[0]).not.toHaveProperty("releases");
  });

  test("say for which releases they hold", async () => {
    const some = await told((release) =>
      within(release, { from: "0.1.46", to: "0.24.0" }) ? [{}] : [],
    );
    expect(some).toMatchObject([{ releases: [{ from: "0.1.46", to: "0.24.0" }] }]);
    const ends = await told((release) =>
      within(release, { from: "0.6.0", to: "0.24.0" }) ? [] : [{}],
    );
    expect(ends.map(({ releases }) => releases)).toEqual([
      [
        { from: "0.1.44", to: "0.5.13" },
        { from: "0.30.0", to: "0.32.15" },
      ],
    ]);
  });

  test("of one rule at one place are one, with the newest of their messages", async () => {
    const all = await told((release) => [
      {
        message: since(release, "0.30.0")
          ? "7 GiB are short."
          : since(release, "0.7.0")
            ? "9 GiB are short."
            : "It is refused.",
      },
    ]);
    expect(all).toMatchObject([
      {
        message: "7 GiB are short.",
        releases: [
          { from: "0.1.44", to: "0.6.8", message: "It is refused." },
          { from: "0.7.0", to: "0.24.0", message: "9 GiB are short." },
          { from: "0.30.0", to: "0.32.15" },
        ],
      },
    ]);
  });

  test("have the worst of their severities, and its message", async () => {
    const all = await told((release) => [
      since(release, "0.30.0")
        ? { severity: "info", message: "It is slow." }
        : { severity: "error", message: "It is refused." },
    ]);
    expect(all).toMatchObject([
      {
        severity: "error",
        message: "It is refused.",
        releases: [
          { from: "0.1.44", to: "0.24.0" },
          { from: "0.30.0", to: "0.32.15", severity: "info", message: "It is slow." },
        ],
      },
    ]);
  });

  test("stay apart where one release has several at a place", async () => {
    const all = await told((release) => [
      { message: "One thing." },
      ...(since(release, "0.30.0") ? [{ message: "Another." }] : []),
    ]);
    expect(all.map(({ message, releases }) => [message, releases?.length])).toEqual([
      ["One thing.", undefined],
      ["Another.", 1],
    ]);
  });

  test("are not split by a version that a release's own message names", async () => {
    const all = await told(
      (release) => (since(release, "0.5.2") ? [{ message: "Refused since Ollama 0.5.2." }] : []),
      "0.4 - 0.5.4",
    );
    expect(all).toMatchObject([{ releases: [{ from: "0.5.2", to: "0.5.4" }] }]);
    expect(all[0]?.releases).toHaveLength(1);
  });
});

function directed(rule: string): string {
  return `FROM llama3.2\n# modelfile-lint-disable-next-line ${rule}\nPARAMETER mirostat 2\n`;
}

test("a directive that silences a finding of some releases is of use", async () => {
  expect(await found(directed("deprecated-parameter"), "0.6 - 0.8")).toEqual([]);
  expect(await found(directed("removed-parameter"), "0.6 - 0.8")).toMatchObject([
    { rule: "unused-directive" },
    { rule: "deprecated-parameter", releases: [{ from: "0.7.0", to: "0.8.0" }] },
  ]);
});

describe("when a finding holds", () => {
  const finding: Finding = {
    rule: "a-rule",
    severity: "error",
    at: { start: 0, end: 1 },
    message: "7 GiB are short.",
  };
  const whole = { from: "0.1.44", to: "0.32.15" };
  const said = (...releases: Held[]) => whenHeld({ ...finding, releases }, whole);

  test("is left out where it holds for all alike", () => {
    expect(whenHeld(finding, whole)).toEqual([]);
  });

  test("is told by the range", () => {
    expect(said({ from: "0.1.44", to: "0.24.0" })).toEqual(["Until 0.24.0."]);
    expect(said({ from: "0.30.0", to: "0.32.15" })).toEqual(["From 0.30.0 on."]);
    expect(
      said({ from: "0.1.45", to: "0.1.45" }, { from: "0.6.0", to: "0.24.0", severity: "warning" }),
    ).toEqual(["In 0.1.45 alone; from 0.6.0 to 0.24.0 (warning)."]);
  });

  test("is one stretch where figures alone differ, with a note whose they are", () => {
    expect(
      said(
        { from: "0.1.44", to: "0.6.8", message: "9.5 GiB are short." },
        { from: "0.7.0", to: "0.24.0", message: "8 GiB are short." },
        { from: "0.30.0", to: "0.32.15" },
      ),
    ).toEqual(["Throughout; the figures are those of 0.32.15."]);
  });

  test("has a sentence more where it reads otherwise", () => {
    expect(
      said(
        { from: "0.1.44", to: "0.24.0", message: "It is refused." },
        { from: "0.30.0", to: "0.32.15" },
      ),
    ).toEqual(["From 0.30.0 on.", "Until 0.24.0: It is refused."]);
  });
});

function slowLoad(all: readonly Finding[]): Finding | undefined {
  return all.find(({ rule }) => rule === "rocm-mmap-slow-load");
}

describe("a fix for a range", () => {
  const change = {
    title: "Lower it",
    safety: "safe",
    edits: [{ start: 32, end: 36, text: "2048" }],
  } as const;

  test("is one where the finding holds throughout", async () => {
    const [finding] = await told(() => [{ fix: change }]);
    expect(finding?.fix).toEqual(change);
    expect(finding?.suggestions).toBeUndefined();
  });

  test("is unsafe where one release calls it so", async () => {
    const [finding] = await told((release) => [
      { fix: since(release, "0.30.0") ? change : { ...change, safety: "unsafe" } },
    ]);
    expect(finding?.fix?.safety).toBe("unsafe");
  });

  test("is a suggestion where releases want different ones", async () => {
    const [finding] = await told((release) => [
      {
        fix: since(release, "0.30.0")
          ? change
          : { ...change, edits: [{ start: 32, end: 36, text: "1024" }] },
      },
    ]);
    expect(finding?.fix).toBeUndefined();
    expect(finding?.suggestions?.map(({ title }) => title)).toEqual([
      "Lower it (Ollama 0.24.0)",
      "Lower it (Ollama 0.32.15)",
    ]);
  });

  test("is a suggestion where another release reads the line", async () => {
    const text = "FROM llama3.2\nPARAMETER mirostat 2\n";
    const [finding] = await found(text, "0.6 - 0.8");
    expect(finding).toMatchObject({
      rule: "deprecated-parameter",
      releases: [{ from: "0.7.0", to: "0.8.0" }],
      help: expect.stringContaining("With Ollama 0.6.8 the change makes another model.") as string,
      suggestions: [{ title: "Remove the line" }],
    });
    expect(finding?.fix).toBeUndefined();
    expect((await found(text, "0.7 - 0.8"))[0]?.fix).toMatchObject({ safety: "safe" });
  });

  test("counts a line as read even where the file is refused for another one", async () => {
    const all = await found("FROM llama3.2\nPARAMETER mirostat 2\nRENDERER x\n", "0.6 - 0.12");
    const finding = all.find(({ rule }) => rule === "deprecated-parameter");
    expect(finding?.releases).toEqual([{ from: "0.7.0", to: "0.12.11" }]);
    expect(finding?.fix).toBeUndefined();
  });

  test("is made where the other releases refuse the line themselves", async () => {
    const all = await found("FROM llama3.2\nPARAMETER tfs_z 1\n", "0.5.x");
    const finding = all.find(({ rule }) => rule === "default-value");
    expect(finding).toMatchObject({
      releases: [{ from: "0.5.0", to: "0.5.1" }],
      fix: { safety: "unsafe" },
    });
  });

  test("is made where the model then runs as before with the others", async () => {
    const text = "FROM acme/deepseek:q2\nPARAMETER num_ctx 2048\n";
    const machine = await smallRam();
    const all = await found(text, "0.12.10 - 0.30.0", machine);
    const finding = all.find(({ rule }) => rule === "mmap-required");
    expect(finding).toMatchObject({
      severity: "error",
      fix: { title: "Map the weights from the file", safety: "safe" },
    });
    expect(finding?.releases?.at(-1)?.to).toBe("0.12.11");
    const result = await fix(
      new TextEncoder().encode(text),
      async (one) => (one === text ? all : found(one, "0.12.10 - 0.30.0", machine)),
      false,
    );
    expect(result.text).toBe(`${text}PARAMETER use_mmap true\n`);
    expect(result.findings.filter(({ rule }) => rule === "mmap-required")).toEqual([]);
  }, 60_000);

  test("is a suggestion where it brings up something worse than info", async () => {
    const machine = await readProfile(
      "ram: 32GiB\nram_free: 30GiB\ngpus: [{ name: RX 7900 XTX, count: 2 }]\n",
      "m.yaml",
    );
    const text = "FROM llama3.3:70b\nPARAMETER num_ctx 8192\n";
    const only = slowLoad(await found(text, "0.32.x", machine));
    expect(only?.fix).toBeDefined();
    const both = slowLoad(await found(text, "0.1.x", machine));
    expect(both).toMatchObject({
      help: expect.stringMatching(/With Ollama 0\.1\.4[58] the change/) as string,
    });
    expect(both?.fix).toBeUndefined();
  }, 60_000);
});

async function plans(text: string, machine: Machine | undefined, range: string) {
  const { contextOf } = await subjectOf(text, machine);
  return plansOver(releasesIn(range), (release) => {
    const { plan } = contextOf(release);
    if (!plan) expect.fail("no plan");
    return plan;
  });
}

describe("plans of a range", () => {
  const screen = { columns: 100, color: false, unicode: true };
  const all = { changes: true, sources: false };
  const deepseek = "FROM acme/deepseek:q2\nPARAMETER num_ctx 2048\n";

  test("are one for neighbours that do the same, and differ from the next", async () => {
    const found = await plans(deepseek, await smallRam(), "*");
    expect(found[0]?.from).toBe("0.1.44");
    expect(found.at(-1)?.to).toBe("0.32.15");
    for (const [index, { from, to, plan }] of found.entries()) {
      expect(plan.release.version).toBe(to);
      if (index === 0) continue;
      const before = found[index - 1]!;
      expect(shownOf(plan)).not.toBe(shownOf(before.plan));
      const [next] = knownReleases(before.plan.release.order + 1, newestRelease.order);
      expect(next?.version).toBe(from);
    }
    expect(found.map(({ plan }) => plan.verdict)).toContain("out-of-memory");
    expect(found.at(-1)?.plan.verdict).toBe("partial");
  }, 60_000);

  test("are a table and what changes, with the reason", async () => {
    const found = await plans(deepseek, await smallRam(), "0.6.4 - 0.32.15");
    const text = releasesText(found, "acme/deepseek:q2", screen, all);
    expect(text).toMatch(
      /Until 0\.[\d.]+ it runs out of memory; from 0\.[\d.]+ on it runs partly on the CPU\./,
    );
    expect(text).toMatch(/^ {2}0\.6\.4–[\d.]+ +out of memory +\d+\/62 +off/m);
    expect(text).toMatch(/^ {2}0\.[\d.]+–[\d.]+ +\*partly on CPU +\*\d+\/62/m);
    expect(text).toMatch(/^ {2}0\.30\.0–[\d.]+ +\*?partly on CPU +\*62\/62 +\*on/m);
    expect(text).toMatch(/ 0\.[\d.]+ \S+.*\n +verdict: partly on CPU, out of memory before\. \d/);
    expect(text).toMatch(/From 0\.30\.0 on\n[^]*mmap: on, off before\. [A-Z]/);
    expect(text).toMatch(/Throughout: context\s+2048,\s+slots\s+1/);
    expect(text).not.toMatch(/0\.3\d\.\d+:\w+\//);
    const explained = releasesText(found, "x", screen, { changes: true, sources: true });
    expect(explained).toMatch(/^ {6}0\.3\d\.\d+:\w+\//m);
    const short = releasesText(found, "x", screen, { changes: false, sources: false });
    expect(short).not.toContain("What changes");
  }, 60_000);

  test("say so where nothing changes", async () => {
    const found = await plans("FROM qwen3:4b\n", await preset("rtx4090-64g"), "0.30 - 0.31");
    const text = releasesText(found, "qwen3:4b", screen, all);
    expect(found).toHaveLength(1);
    expect(text).toContain("With all of these releases it fits on one GPU.");
    expect(text).not.toContain("*");
    expect(text).not.toContain("What changes");
  });

  test("name a change of the cards' layers that the table only marks", async () => {
    const cards = "gpus: [{ backend: cuda, memory: 12GiB, free: 11.7GiB, count: 8 }]\n";
    const machine = await readProfile(`ram: 512GiB\n${cards}`, "m.yaml");
    const text = "FROM llama3.3:70b\nPARAMETER num_ctx 2048\n";
    const shown = releasesText(await plans(text, machine, "0.11.4 - 0.11.5"), "x", screen, all);
    expect(shown).toMatch(/^ {2}0\.11\.5 +fits +\*81\/81/m);
    expect(shown).toMatch(/In 0\.11\.5|From 0\.11\.5 on/);
    expect(shown).toMatch(/layers by GPU: [\dx+]+\+0x3, 11\+10x7 before\./);
  });

  test.each([40, 60, 80, 120])("fit into %d columns", async (columns) => {
    const found = await plans("FROM qwen3:4b\n", await preset("rtx4090-64g"), "*");
    const text = releasesText(found, "qwen3:4b", { columns, color: false, unicode: false }, all);
    const lines = text.split("\n");
    expect(lines.filter((line) => width(line) > columns)).toEqual([]);
    expect(lines.filter((line) => /^ {2}0\.\d+\.\d+-?/.test(line))).toHaveLength(found.length);
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  });
});

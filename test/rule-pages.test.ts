import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path/posix";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { globSync } from "tinyglobby";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createFromCommands } from "../grammar/create-request.js";
import { readTree } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import { ruleNamed, rules } from "../rules/index.js";
import { explain } from "../src/cli/rules.js";
import {
  isKnownRelease,
  newestRelease,
  oldestRelease,
  orderOf,
  parseRelease,
} from "../src/facts/release.js";
import { fromsOf } from "../src/ollama/from.js";
import { errorIndex, errorTexts, rulesThatPrint } from "../src/report/error-texts.js";
import { errorList, ruleList, rulePage } from "../src/report/rule-page.js";
import type { Example, Rule } from "../src/rule.js";

const root = fileURLToPath(new URL("..", import.meta.url));
const index = errorIndex(rules);

/** The rules of the line that a text stands in. */
function rulesOf(text: string): string[] | undefined {
  return index.find((one) => one.text === text)?.rules.map(({ id }) => id);
}

function releasesOf(text: string): string | undefined {
  return index.find((one) => one.text === text)?.releases;
}

/** What the command writes where it succeeds. */
async function printedBy(values: { json?: boolean }, ...operands: string[]): Promise<string> {
  const written: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  expect(await explain(values, operands)).toBe(0);
  return written.join("");
}

/** The ids of the rules that `modelfile-lint explain` would name. */
function explained(query: string): string[] {
  return rulesThatPrint(query, rules).map(([{ id }]) => id);
}

/** What `ollama create` says of an example that a rule calls an error, read here on its own. */
function createError(rule: Rule, { bad, ollama, severity, fails }: Example): string | undefined {
  if ((severity ?? rule.severity) !== "error" || fails !== undefined) return undefined;
  const release = ollama === undefined ? newestRelease : parseRelease(ollama)!;
  const file = parseModelfile(bad);
  const reading = readTree(file, release);
  if (!reading.ok) return reading.message ?? reading.error;
  const create = createFromCommands(reading.commands, release);
  if (!create.ok) return create.error;
  if (create.request_json_error !== undefined) return create.request_json_error;
  const isPath = fromsOf(file).at(-1)?.kind === "file";
  return create.server.ok || isPath ? undefined : create.server.error;
}

describe("the index of what Ollama prints", () => {
  test("has every error that ollama create gives for an example", () => {
    const errors = rules.flatMap((rule) =>
      rule.examples.flatMap((example) => {
        const error = createError(rule, example);
        return error === undefined ? [] : [{ rule: rule.id, error }];
      }),
    );
    expect(errors.length).toBeGreaterThan(60);
    const missing = errors.filter(
      ({ rule, error }) =>
        !index.some(
          ({ text, rules: found }) =>
            found.some(({ id }) => id === rule) &&
            (text === error || (text.endsWith(" …") && error.startsWith(text.slice(0, -2)))),
        ),
    );
    expect(missing).toEqual([]);
  });

  test("has every text that a rule tells, with the rule", () => {
    const told = rules.flatMap((rule) => (rule.says ?? []).map((said) => ({ rule, said })));
    expect(told.length).toBeGreaterThan(60);
    for (const { rule, said } of told) {
      const line = index.find(
        ({ text }) =>
          text === said.text || (text.endsWith(" …") && said.text.startsWith(text.slice(0, -2))),
      )!;
      expect(line.rules, said.text).toContain(rule);
      expect(line.at, said.text).toContain(said.at);
    }
  });

  test("has a text once, however many rules and releases print it", () => {
    expect(new Set(index.map(({ text }) => text)).size).toBe(index.length);
    const command = index.filter(({ text }) => text.startsWith("command must be one of"));
    expect(command).toHaveLength(1);
    expect(command[0]!.releases).toBe("");
    expect(rulesOf(command[0]!.text)).toEqual(
      expect.arrayContaining(["unknown-instruction", "stray-text", "instruction-too-new"]),
    );
    expect(rulesOf("unexpected EOF: top_k")).toEqual([
      "dropped-character",
      "equals-or-colon",
      "missing-value",
    ]);
  });

  test("tells the releases that print a text", () => {
    expect(releasesOf("unknown parameter 'tfs_z'")).toBe("from 0.5.2 on");
    expect(releasesOf("unknown parameter 'draft_num_predict'")).toBe("until 0.24.0");
    expect(releasesOf("template error: undefined template specified")).toBe("from 0.12.4 on");
    expect(releasesOf("loras are not yet implemented")).toBe("from 0.5.12 to 0.24.0");
    expect(releasesOf("no FROM line")).toBe("");
  });

  test("holds what ollama create warns of, too", () => {
    expect(rulesOf("warning: parameter mirostat is deprecated")).toEqual(["deprecated-parameter"]);
  });

  test("fits on lines, in the order of the alphabet", () => {
    for (const { text } of index) {
      expect(text.length).toBeLessThanOrEqual(82);
      expect(text).not.toMatch(/\n/);
    }
    const letters = index.map(({ text }) =>
      text
        .toLowerCase()
        .replaceAll(/[^a-z0-9 ]/g, "")
        .trim(),
    );
    expect(letters).toEqual([...letters].sort());
  });
});

describe("what rules say that Ollama prints", () => {
  const said = rules.flatMap((rule) => (rule.says ?? []).map((one) => ({ rule, ...one })));

  test("names releases that there are, the earlier one first", () => {
    for (const { text, from, to } of said) {
      for (const version of [from, to]) {
        if (version === undefined) continue;
        expect(isKnownRelease(parseRelease(version)!), `${version}: ${text}`).toBe(true);
      }
      const first = orderOf(from ?? oldestRelease.version);
      expect(first, text).toBeLessThan(orderOf(to ?? newestRelease.version));
    }
  });

  // One text, several causes: what is meant to stand in groups that have nothing else in common.
  const related: readonly (readonly string[])[] = [
    ["memory", "performance"],
    ["references", "safety"],
    ["references", "syntax"],
    ["memory", "messages"],
  ];

  test("stands in one group, or in groups that are related", () => {
    const groups = new Map<string, Set<string>>();
    for (const { rule, text } of said) {
      groups.set(text, (groups.get(text) ?? new Set()).add(rule.group));
    }
    const unrelated = [...groups].filter(
      ([, own]) =>
        own.size > 1 && !related.some((some) => [...own].every((group) => some.includes(group))),
    );
    expect(unrelated.map(([text, own]) => `${text}: ${[...own].join(", ")}`)).toEqual([]);
  });

  test("is not what the examples give anyway", () => {
    const doubled = said.filter(({ rule, at, text }) =>
      rule.examples.some((example) => at === "create" && createError(rule, example) === text),
    );
    expect(doubled.map(({ rule, text }) => `${rule.id}: ${text}`)).toEqual([]);
  });
});

describe("explain by an error text", () => {
  test("finds a part of a text, in any case", () => {
    expect(explained("MORE SYSTEM MEMORY")).toEqual(["does-not-fit"]);
    expect(explained("unexpected EOF")).toEqual(
      expect.arrayContaining(["unclosed-quote", "text-after-quote", "unknown-parameter"]),
    );
  });

  test("finds a text with names and figures of its own, within a line of a log", () => {
    expect(explained("Error: unknown parameter 'frobnicate'")).toContain("unknown-parameter");
    expect(
      explained("Error: model requires more system memory (17.7 GiB) than is available (13.6 GiB)"),
    ).toEqual(["does-not-fit"]);
    expect(
      explained('Error: 500: template error: template: :7: function "bos_token" not defined'),
    ).toEqual(["jinja-template", "template-unknown-function"]);
    expect(
      explained(
        '(line 3): command must be one of "from", "license", "template", "system", "adapter", "parser"',
      ),
    ).toContain("unknown-instruction");
  });

  test("finds a part with a name of its own, and takes … for anything", () => {
    expect(explained('function "trim" not defined')).toContain("template-unknown-function");
    expect(explained("split GGUF … expected 3")).toEqual(["missing-shard", "split-model"]);
    expect(explained("unable to allocate CUDA1 buffer")).toEqual(["num-gpu-disables-fit"]);
  });

  test("takes neither a misspelt rule nor a letter for an error", () => {
    expect(explained("unknown-paramter")).toEqual([]);
    expect(explained("a")).toEqual([]);
    expect(explained("…")).toEqual([]);
    expect(explained("")).toEqual([]);
  });
});

describe("the command explain", () => {
  afterEach(() => vi.restoreAllMocks());

  test("lists the rules that speak of an error, with the texts that were meant", async () => {
    const text = await printedBy({}, "invalid", "file", "magic");
    expect(text).toMatch(/^git-lfs-pointer +error +Git LFS pointer/m);
    expect(text).toMatch(/^ {2}create {2}invalid file magic$/m);
  });

  test("gives them as JSON, each with all of its texts", async () => {
    const found = JSON.parse(await printedBy({ json: true }, "tfs_z")) as {
      id: string;
      says: unknown[];
    }[];
    expect(found.map(({ id }) => id)).toEqual(["removed-parameter"]);
    expect(found[0]!.says).toContainEqual({
      at: "create",
      text: "unknown parameter 'tfs_z'",
      releases: [{ from: "0.5.2", to: newestRelease.version }],
    });
  });

  test("prints a page for a rule's name, and refuses what is neither", async () => {
    expect(await printedBy({}, "not-gguf")).toMatch(/^# not-gguf\n/);
    await expect(explain({}, ["mmap-requird"])).rejects.toThrow('Did you mean "mmap-required"?');
    await expect(explain({}, ["frobnicate"])).rejects.toThrow(
      "No rule's error text has it either.",
    );
  });
});

describe("a rule's page", () => {
  test.each(rules)("$id tells what Ollama prints and how to switch it", (rule) => {
    const page = rulePage(rule);
    for (const { text } of errorTexts(rule)) expect(page).toContain(text.trimEnd());
    expect(page).toContain(`\nrules:\n  ${rule.id}: ${rule.optional ? "" : "off"}`);
    const silenced = `# modelfile-lint-disable-next-line ${rule.id} -- `;
    expect(page.includes(silenced)).toBe(!rule.optional && rule.needs !== "directives");
    // Every fence that opens closes, so that no heading is lost in one.
    expect(page.replaceAll(/^(`{3,})\w*$[^]*?^\1$/gm, "")).not.toContain("```");
    for (const { files = {} } of rule.examples) {
      for (const name of Object.keys(files)) expect(page).toContain(name.replace(/^\.\//, ""));
    }
  });

  test("says what an example stands on", () => {
    const mismatch = rulePage(ruleNamed("adapter-base-mismatch")!);
    expect(mismatch).toContain(
      "Beside the Modelfile: `base.gguf` (GGUF) and `style.gguf` (GGUF, `general.architecture` `qwen2`, `general.type` `adapter`).",
    );
    expect(rulePage(ruleNamed("does-not-fit")!)).toContain(
      "Ollama 0.6.4 on the machine below. `acme/deepseek:q2` is like `deepseek-v3:671b` with 230.6 GiB of weights.",
    );
    expect(rulePage(ruleNamed("carriage-return-in-value")!)).toContain(
      "Lines end in CRLF.\n\n```modelfile",
    );
  });

  test("says in which sets a rule is, and how it mends", () => {
    const optional = rulePage(ruleNamed("unpinned-model")!, { repairs: ["suggestion"] });
    expect(optional).toContain(
      "**Optional**: off, unless a configuration names it; **warning** in `strict`.",
    );
    expect(optional).toContain("Editors have suggestions.");
    const mended = rulePage(ruleNamed("equals-or-colon")!, { repairs: ["safe", "unsafe"] });
    expect(mended).toContain("`--fix` can mend it, in some cases only with `--unsafe-fixes`.");
  });

  test("shows a message as it is, whatever Markdown makes of its characters", () => {
    const [one, ...more] = ruleNamed("invalid-model-name")!.examples;
    const page = rulePage({
      ...ruleNamed("invalid-model-name")!,
      examples: [{ ...one!, message: '"<b>" and `x` *y* of num_ctx' }, ...more],
    });
    expect(page).toContain(String.raw`> "\<b>" and \`x\` \*y\* of num_ctx`);
  });
});

describe("the lists", () => {
  const list = ruleList(rules, (id) => (id === "missing-blank" ? ["safe"] : []));

  test("have every rule once, and count them", () => {
    for (const { id } of rules) expect(list.split(`[${id}](${id}.md)`)).toHaveLength(2);
    expect(list).toContain(`${rules.length} rules: `);
    expect(list).toMatch(/^\| \[missing-blank\].* \| error \| safe \| /m);
    expect(list).toMatch(/^\| \[unpinned-model\].* \| info, optional \| {2}\| /m);
    const perGroup = [...list.matchAll(/\(#\w+\) (\d+)/g)].map(([, count]) => Number(count));
    expect(perGroup.reduce((sum, count) => sum + count, 0)).toBe(rules.length);
  });

  test("have tables of as many cells in every line", () => {
    for (const line of [...list.split("\n"), ...errorList(rules).split("\n")]) {
      if (!line.startsWith("| ")) continue;
      expect(line.match(/(?<!\\)\|/g), line).toHaveLength(5);
    }
  });

  // Whoever mends what an example shows says in the source whether that is safe.
  test("name a fix for every rule whose examples are mended", () => {
    const generated = readFileSync(join(root, "docs/rules/README.md"), "utf8");
    const mended = rules.filter(({ examples }) => examples.some(({ good }) => good !== undefined));
    expect(mended.length).toBeGreaterThan(80);
    for (const { id } of mended) {
      expect(generated).toMatch(
        new RegExp(String.raw`\[${id}\]\(${id}\.md\) \| [^|]+ \| (?:safe|unsafe|suggestion)`),
      );
    }
  });
});

describe("links of the documentation", () => {
  const pages = ["README.md", ...globSync("docs/**/*.md", { cwd: root })].sort();

  /** Links of a page outside code; [text](target). */
  function linksIn(page: string): string[] {
    const text = prose(page).replaceAll(/(`+)(?:(?!\1)[^])*?\1/g, "");
    return [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target!);
  }

  function prose(page: string): string {
    return readFileSync(join(root, page), "utf8").replaceAll(/^(`{3,})\w*$[^]*?^\1$/gm, "");
  }

  /** The anchors that GitHub gives to headings. */
  function anchorsOf(page: string): string[] {
    const headings = [...prose(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!);
    return headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    );
  }

  function isBroken(page: string, link: string): boolean {
    if (/^[a-z]+:/.test(link)) return false;
    const [path = "", anchor] = link.split("#");
    const target = path === "" ? page : normalize(join(dirname(page), path));
    if (target.startsWith("..") || !existsSync(join(root, target))) return true;
    if (anchor === undefined) return false;
    return statSync(join(root, target)).isDirectory() || !anchorsOf(target).includes(anchor);
  }

  test("lead to files and headings that there are", () => {
    const links = pages.flatMap((page) => linksIn(page).map((link) => ({ page, link })));
    expect(links.length).toBeGreaterThan(400);
    const broken = links.filter(({ page, link }) => isBroken(page, link));
    expect(broken.map(({ page, link }) => `${page}: ${link}`)).toEqual([]);
  });

  test("reach every page of the folder from its own README", () => {
    const reached = new Set(linksIn("docs/README.md").map((link) => normalize(join("docs", link))));
    const own = pages.filter((page) => dirname(page) === "docs" && page !== "docs/README.md");
    expect(own.filter((page) => !reached.has(page))).toEqual([]);
  });
});

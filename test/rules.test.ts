import { describe, expect, test } from "vitest";
import { createFromCommands } from "../grammar/create-request.js";
import { readTree } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import { ruleNamed, rules } from "../rules/index.js";
import { lookUp } from "../src/context.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import { applyEdits } from "../src/fix/fix.js";
import { check } from "../src/lint.js";
import { preset } from "../src/machines/presets.js";
import { readProfile } from "../src/machines/profile.js";
import { fromsOf } from "../src/ollama/from.js";
import type { Host } from "../src/host.js";
import type { Example, Rule } from "../src/rule.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";

/** A host with an example's files; their folders are those that their names have. */
function hostWith(files: NonNullable<Example["files"]>): Host {
  const { metadata, tensors } = smallLlama();
  const bytes = new Map(
    Object.entries(files).map(([name, content]) => [
      name.replace(/^\.\//, ""),
      typeof content === "string"
        ? new TextEncoder().encode(content)
        : ggufHeader({ ...metadata, ...content }, tensors),
    ]),
  );
  const inside = (folder: string): string[] => {
    const start = folder === "." ? "" : `${folder}/`;
    const names = [...bytes.keys()].filter((name) => name.startsWith(start));
    return [...new Set(names.map((name) => name.slice(start.length).split("/")[0]!))];
  };
  return {
    resolve: (folder, path) =>
      `${folder === "/" ? "" : `${folder}/`}${path}`.replace(/^(?:\.\/)+(?=.)/, ""),
    stat: async (path) => {
      const file = bytes.get(path);
      if (file) return { kind: "file", size: file.length };
      return inside(path).length > 0 ? { kind: "folder", size: 0 } : undefined;
    },
    read: async (path, start, end) => bytes.get(path)!.slice(start, end),
    list: async (folder) => inside(folder),
    variable: () => undefined,
  };
}

/** As recommended, and `rule` besides. */
async function findingsIn(rule: Rule, text: string, example: Example) {
  const { ollama, machine, models, files } = example;
  const severityOf = ({ id, severity, optional }: Rule) =>
    optional && id !== rule.id ? "off" : severity;
  const file = parseModelfile(text);
  const on =
    machine === undefined
      ? undefined
      : ((await preset(machine)) ?? (await readProfile(machine, "machine.yaml")));
  const { context } = await lookUp(file, {
    release: ollama === undefined ? newestRelease : parseRelease(ollama)!,
    folder: "/",
    modelsFolder: "/",
    server: {},
    models: new Map(Object.entries(models ?? {})),
    ...(on && { machine: on }),
    ...(files && { host: hostWith(files) }),
    severityOf,
  });
  return check(file, context, severityOf);
}

// Every rule documents itself with examples; the examples are its tests.
describe.each(rules)("$id", (rule) => {
  test("is documented", () => {
    expect(rule.examples.length).toBeGreaterThan(0);
    expect(rule.summary).not.toMatch(/\.$/);
    expect(rule.why.trim()).toMatch(/^[A-Z`#].*\.$/s);
  });

  test.each(rule.examples.map((example) => [example.message, example] as const))(
    "%s",
    async (_, example) => {
      const findings = await findingsIn(rule, example.bad, example);
      const own = findings.filter((finding) => finding.rule === rule.id);
      expect(own.map(({ message }) => message)).toContain(example.message);
      const finding = own.find(({ message }) => message === example.message)!;
      expect(finding.severity).toBe(example.severity ?? rule.severity);
      expect(example.bad.length).toBeGreaterThanOrEqual(finding.at.end);
      // Nothing else speaks up, but for what the example names.
      const others = findings.filter((one) => one !== finding && one.severity !== "info");
      expect(others.map((one) => one.rule).sort()).toEqual([...(example.also ?? [])].sort());

      const change = finding.fix ?? finding.suggestions?.[0];
      if (example.good === undefined) {
        expect(finding.fix, "an example with a fix shows its result").toBeUndefined();
        return;
      }
      expect(applyEdits(example.bad, change!.edits)).toBe(example.good);
      const left = (await findingsIn(rule, example.good, example)).filter(
        (one) => one.rule === rule.id,
      );
      expect(left.map(({ message }) => message)).toEqual(
        example.also?.includes(rule.id) ? [expect.any(String)] : [],
      );
    },
  );

  // An error means that Ollama refuses the file; only a machine can make it fail otherwise.
  test.each(rule.examples.filter((example) => rule.needs !== "plan" && !example.machine))(
    "Ollama agrees on $message",
    ({ bad, ollama, severity, fails, also }) => {
      const release = ollama === undefined ? newestRelease : parseRelease(ollama)!;
      const reading = readTree(parseModelfile(bad), release);
      const create = reading.ok ? createFromCommands(reading.commands, release) : undefined;
      // A path in FROM is a bad name only where nothing lies there.
      const path = fromsOf(parseModelfile(bad)).at(-1)?.kind === "file";
      const refused =
        !create?.ok ||
        (!create.server.ok && !path) ||
        create.request_json_error !== undefined ||
        // Files on disk, a server's answer or a load are beyond what is reproduced.
        fails !== undefined;
      const error = (severity ?? rule.severity) === "error";
      // An empty FROM is refused only where the folder holds no weights.
      // What another rule finds may be the reason.
      const besides = also?.some((id) => ruleNamed(id)?.severity === "error");
      if (bad !== "FROM \n" && !besides) expect(refused).toBe(error);
    },
  );
});

test("rules are named after their files, and only once", () => {
  const ids = rules.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  expect([...ids].sort()).toEqual(ids);
});

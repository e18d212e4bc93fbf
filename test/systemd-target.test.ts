import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemd } from "../src/compile/systemd.js";
import type { Source } from "../src/compile/target.js";
import {
  commandWord,
  environmentWord,
  serviceName,
  unitComment,
} from "../src/compile/unit-words.js";
import { readEnvironment } from "../src/machines/detect/server.js";
import { card, computer, GiB, modelOf } from "./loads.js";
import { sourceOf } from "./source-of.js";

function compiled(source: Source) {
  const result = systemd.compile(source);
  if ("refused" in result) throw new Error(result.refused);
  const dropIn = result.texts.find(({ path }) => path.endsWith(".conf"));
  const unit = result.texts.find(({ path }) => path.endsWith(".service"));
  if (!unit) throw new Error("No unit.");
  return { dropIn, unit, texts: result.texts, notes: result.notes.map(({ message }) => message) };
}

/** Words as systemd.syntax has them: quotes and C escapes, then specifiers; in commands variables too. */
function words(line: string, inCommand = false): string[] {
  expect(line).not.toMatch(/[\n\r\0]|\\$/);
  const found: string[] = [];
  const pattern = /\s*("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|(?:\\.|[^\s"'\\])+)(?=\s|$)/gy;
  let end = 0;
  for (let match = pattern.exec(line); match; match = pattern.exec(line)) {
    end = pattern.lastIndex;
    const [, word = ""] = match;
    const plain = /^["']/.test(word) ? word.slice(1, -1) : word;
    const unescaped = plain.replaceAll(/\\(u[\da-f]{4}|[^u])/g, (_, code: string) => {
      if (code.length === 5) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
      const named = { n: "\n", t: "\t", "\\": "\\", '"': '"' }[code];
      if (named === undefined) throw new Error(`\\${code}`);
      return named;
    });
    const specified = unescaped.replaceAll(/%(.?)/g, (_, letter: string) => {
      if (letter !== "%") throw new Error(`%${letter}`);
      return "%";
    });
    found.push(
      !inCommand || word.startsWith("'")
        ? specified
        : specified.replaceAll(/\$(.?)/g, (_, letter: string) => {
            if (letter !== "$") throw new Error(`$${letter}`);
            return "$";
          }),
    );
  }
  expect(line.slice(end).trim()).toBe("");
  return found;
}

function settings(text: string, key: string): string[] {
  return text
    .split("\n")
    .flatMap((line) => (line.startsWith(`${key}=`) ? [line.slice(key.length + 1)] : []));
}

const environment = (text: string) => settings(text, "Environment").flatMap((line) => words(line));

const four = modelOf({}, { fileBytes: 4 * GiB });

test("the drop-in chooses the card that the plan uses", () => {
  const gpus = [card({ free: GiB }), card({ free: GiB }), card()];
  const source = sourceOf("FROM x\n", "0.6.5", { model: four, machine: computer({ gpus }) });
  const { dropIn } = compiled(source);
  expect(dropIn?.path).toBe("ollama.service.d/modelfile-lint.conf");
  expect(environment(dropIn!.text)).toEqual(["CUDA_VISIBLE_DEVICES=2"]);
});

test("cards of several kinds are counted as nvidia-smi counts them", () => {
  const gpus = [card({ name: "RTX 3060", free: GiB }), card({ name: "RTX 4090" })];
  const machine = computer({ gpus });
  const { dropIn } = compiled(sourceOf("FROM x\n", "0.6.5", { model: four, machine }));
  expect(environment(dropIn!.text)).toEqual([
    "CUDA_DEVICE_ORDER=PCI_BUS_ID",
    "CUDA_VISIBLE_DEVICES=1",
  ]);
  expect(dropIn!.text).toContain("# GPU 1: RTX 4090.");
});

test("the user's own choice of cards stays", () => {
  const machine = computer({ gpus: [card(), card()] });
  const server = { CUDA_VISIBLE_DEVICES: "1", OLLAMA_NUM_PARALLEL: "2" };
  const { dropIn } = compiled(sourceOf("FROM x\n", "0.6.5", { model: four, machine, server }));
  expect(environment(dropIn!.text)).toEqual(["CUDA_VISIBLE_DEVICES=1", "OLLAMA_NUM_PARALLEL=2"]);
});

test("where nothing is to be set there is no drop-in", () => {
  const source = sourceOf("FROM x\n", "0.6.5", {
    model: four,
    machine: computer({ gpus: [card()] }),
  });
  expect(compiled(source).texts.map(({ path }) => path)).toEqual(["ollama-create-test.service"]);
});

test("use_mlock lifts the limit while a release locks memory", () => {
  const text = "FROM x\nPARAMETER use_mlock true\n";
  expect(settings(compiled(sourceOf(text, "0.6.8")).dropIn!.text, "LimitMEMLOCK")).toEqual([
    "infinity",
  ]);
  expect(compiled(sourceOf(text, "0.7.0")).dropIn).toBeUndefined();
});

test("the unit makes the model once the server answers, as the server's user", () => {
  const server = { OLLAMA_HOST: "0.0.0.0:8080" };
  const { unit } = compiled(sourceOf("FROM x\n", "0.6.5", { name: "me/mario:1.5", server }));
  expect(unit.path).toBe("ollama-create-me-mario-1.5-b7fdf5f8.service");
  expect(words(settings(unit.text, "ExecStart")[0]!, true)).toEqual([
    "/usr/local/bin/ollama",
    "create",
    "me/mario:1.5",
    "-f",
    "/etc/ollama/me/mario:1.5/Modelfile",
  ]);
  expect(words(settings(unit.text, "ExecStartPre")[0]!, true).slice(0, 2)).toEqual([
    "/bin/sh",
    "-c",
  ]);
  expect(environment(unit.text)).toEqual(["OLLAMA_HOST=0.0.0.0:8080"]);
  expect(settings(unit.text, "User")).toEqual(["ollama"]);
});

test("files beside the Modelfile are told", () => {
  const { notes } = compiled(
    sourceOf("FROM ./a.gguf\nADAPTER /data/b.gguf\nADAPTER ~/c.gguf\n", "0.6.5"),
  );
  expect(notes).toEqual(
    expect.arrayContaining([
      'The unit looks for "./a.gguf" from /etc/ollama/test: copy or link it there.',
      'The unit looks for "~/c.gguf" in the home folder of the user ollama.',
    ]),
  );
  expect(notes.join("\n")).not.toContain("/data/b.gguf");
});

test("what is no variable of systemd's is left out and told", () => {
  const server = { "BAD-NAME": "1", NUL: "a\0b", OLLAMA_DEBUG: "1" };
  const { dropIn, notes } = compiled(sourceOf("FROM x\n", "0.6.5", { server }));
  expect(environment(dropIn!.text)).toEqual(["OLLAMA_DEBUG=1"]);
  expect(notes.filter((note) => /no variable that systemd sets/.test(note))).toHaveLength(2);
});

test("a machine without systemd is refused", () => {
  const machine = computer({ os: "darwin" });
  expect(systemd.compile(sourceOf("FROM x\n", "0.6.5", { machine }))).toEqual({
    refused: "systemd is Linux's, and test runs macOS. Name another machine.",
  });
});

describe("words", () => {
  const hostile = [
    "",
    " ",
    "%n %%",
    "$HOME $$",
    String.raw`a\nb\\`,
    '"',
    "'",
    "a\nb\tc\r",
    "#;",
    "é 😀\u0085\u2028",
  ];
  const any = fc
    .array(fc.oneof(fc.constantFrom(...hostile), fc.string({ unit: "binary" })))
    .map((pieces) => pieces.join("").replaceAll("\0", ""));

  test("of Environment= come back as they were", () => {
    fc.assert(
      fc.property(any, (value) => {
        const word = environmentWord(`NAME=${value}`);
        expect(words(word)).toEqual([`NAME=${value}`]);
        // What the machine's own detection reads, where no specifier and no escape changes letters.
        if (/^[^%\\]*$/.test(word)) {
          expect(readEnvironment(`Environment=${word}`).get("NAME")).toBe(value);
        }
      }),
    );
  });

  test("of ExecStart= come back as they were", () => {
    fc.assert(
      fc.property(any, any, (one, other) => {
        const line = [one, other].map(commandWord).join(" ");
        expect(words(line, true)).toEqual([one, other]);
      }),
    );
  });

  test("names of units hold what units may, and differ where texts do", () => {
    fc.assert(
      fc.property(any, any, (one, other) => {
        const names = [one, other].map((text) => serviceName("ollama-create-", text));
        for (const name of names) expect(name).toMatch(/^[\w.-]{1,255}$/);
        expect(names[0] === names[1]).toBe(one === other);
      }),
    );
    expect(serviceName("ollama-create-", "my-model.v2")).toBe("ollama-create-my-model.v2.service");
    expect(serviceName("ollama-create-", "x".repeat(300))).toHaveLength(255);
  });

  test("a comment stays one line", () => {
    expect(unitComment("a\nb\u2028c \\")).toBe("# a b c");
  });
});

const analyze = spawnSync("systemd-analyze", ["--version"]);

test.skipIf(analyze.status !== 0)("systemd finds nothing wrong", () => {
  const folder = mkdtempSync(join(tmpdir(), "modelfile-lint-systemd-"));
  try {
    const server = { OLLAMA_ORIGINS: 'http://a %n "b" \\ $c é\n', OLLAMA_HOST: "0.0.0.0" };
    const gpus = [card({ name: "RTX 3060", free: GiB }), card({ name: "RTX 4090" })];
    const name = "me/mario:1.5";
    const source = sourceOf("FROM x\n", "0.6.5", {
      model: four,
      machine: computer({ gpus }),
      server,
      name,
    });
    const { texts, unit } = compiled(source);
    const service = "[Service]\nExecStart=/bin/true serve\n";
    for (const { path, text } of [...texts, { path: "ollama.service", text: service }]) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      // The program, its user and the network's target need not be here.
      const here = text
        .replaceAll("/usr/local/bin/ollama", "/bin/true")
        .replaceAll("User=ollama", "User=root")
        .replaceAll("network-online.target", "");
      writeFileSync(join(folder, path), here);
    }
    const { stdout, stderr } = spawnSync(
      "systemd-analyze",
      ["verify", "--man=no", join(folder, unit.path), join(folder, "ollama.service")],
      { encoding: "utf8", env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` } },
    );
    const said = `${stdout}${stderr}`.split("\n").filter((line) => line.includes(folder));
    expect(said).toEqual([]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

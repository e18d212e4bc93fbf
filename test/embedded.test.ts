import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { describe, expect, test } from "vitest";
import { islandsIn } from "../src/embedded/find.js";
import { outerEdit, outerSpan, touchesUnknown } from "../src/embedded/island.js";
import { mayHoldModelfiles } from "../src/embedded/names.js";
import { writtens } from "./cases/embedded/surroundings.js";

async function textsIn(path: string, text: string): Promise<string[]> {
  return (await islandsIn(path, text)).map((island) => island.text);
}

const small = "FROM llama3.2\nPARAMETER num_ctx 8192\n";

function fenced(info: string, text: string): string {
  return `# A page\n\n\`\`\`${info}\n${text}\`\`\`\n`;
}

describe("in Markdown", () => {
  test.each(["", "dockerfile", "text", "bash", "ini", "modelfile", "Modelfile", "{.modelfile}"])(
    "a fence with the language %o holds one",
    async (info) => {
      expect(await textsIn("README.md", fenced(info, small))).toEqual([small]);
    },
  );

  test.each([
    ["a Dockerfile", "dockerfile", "FROM ollama/ollama\nRUN ollama serve\nPARAMETER x 1\n"],
    ["a Dockerfile of one line", "dockerfile", "FROM ollama/ollama:latest\n"],
    ["one with stages", "", "FROM golang AS build\nSYSTEM x\nFROM scratch\n"],
    ["prose", "", "FROM my point of view\nSYSTEM design is hard\nPARAMETER choice too\n"],
    ["a letter", "text", "From: Bob\nTo: Alice\n"],
    ["a query", "sql", "FROM users\nTEMPLATE x\n"],
    ["Python", "python", "from ollama import Client\nPARAMETER = 1\n"],
    ["alternatives", "", "FROM llama3.2\nSYSTEM a\n\nFROM gemma3\nSYSTEM b\n"],
    ["a session", "bash", `${small}\nollama create it -f Modelfile\n`],
    ["an excerpt", "", "PARAMETER num_ctx 8192\n"],
    ["a difference", "diff", `-FROM llama3\n+${small}`],
    ["Python in a file of that name", "python title=modelfile.py", "from a import b\n"],
  ])("%s is none", async (_, info, text) => {
    expect(await textsIn("README.md", fenced(info, text))).toEqual([]);
  });

  test("words of a Dockerfile in a prompt do no harm", async () => {
    const text = 'FROM llama3.2\nSYSTEM """\nRUN the tests.\nCOPY nothing.\n"""\n';
    expect(await textsIn("a.md", fenced("dockerfile", text))).toEqual([text]);
  });

  test("weights alone are enough, where they are all there is", async () => {
    expect(await textsIn("a.md", fenced("", "# ours\nFROM ./a-q4.gguf\n"))).toHaveLength(1);
    expect(await textsIn("a.md", fenced("", "FROM ./a-q4.gguf\nand so on\n"))).toEqual([]);
  });

  test("an excerpt is one only where the page calls it so", async () => {
    const [island] = await islandsIn("a.md", fenced("modelfile", "PARAMETER num_ctx 8192\n"));
    expect(island).toMatchObject({ fragment: true, text: "PARAMETER num_ctx 8192\n" });
    const [whole] = await islandsIn("a.md", fenced("modelfile", small));
    expect(whole!.fragment).toBe(false);
  });

  test("a fence can be left out by its own word", async () => {
    expect(await textsIn("a.md", fenced("modelfile modelfile-lint-disable", small))).toEqual([]);
  });

  test("a fence that never closes is left out, and so are HTML comments and indented code", async () => {
    expect(await textsIn("a.md", `\`\`\`modelfile\n${small}\nMore of the page.\n`)).toEqual([]);
    expect(await textsIn("a.md", `<!--\n${fenced("modelfile", small)}-->\n`)).toEqual([]);
    expect(await textsIn("a.md", `x\n\n    FROM a\n    SYSTEM b\n`)).toEqual([]);
  });

  test("fences within fences, lists and quotes lose what is around them", async () => {
    const page = [
      "````markdown",
      "1. Write this:",
      "",
      "   ~~~modelfile",
      "   FROM a",
      "",
      "     SYSTEM b",
      "   ~~~",
      "````",
      "> - ```modelfile",
      ">   FROM c",
      ">",
      ">   SYSTEM d",
      ">   ```",
      "",
    ].join("\n");
    expect(await textsIn("a.md", page)).toEqual(["FROM a\n\n  SYSTEM b\n", "FROM c\n\nSYSTEM d\n"]);
  });

  test("placeholders are unknown parts; what stands for itself in a prompt or a stop is not", async () => {
    const text = [
      "FROM <base model>",
      "PARAMETER num_ctx <context size>",
      "PARAMETER stop <end_of_turn>",
      "...",
      'SYSTEM """Talk like <someone>."""',
      "",
    ].join("\n");
    const [island] = await islandsIn("a.md", fenced("modelfile", text));
    const unknown = island!.unknown.map(({ start, end }) => text.slice(start, end));
    expect(unknown).toEqual(["<base model>", "<context size>", "..."]);
    expect(touchesUnknown(island!, { start: 5, end: 17 })).toBe(true);
    expect(touchesUnknown(island!, { start: 0, end: 4 })).toBe(false);
  });

  test("scripts in fences are searched", async () => {
    const script = `$ cat <<'EOF' > Modelfile\n${small}EOF\n$ ollama create it\n`;
    const [island] = await islandsIn("a.md", fenced("console", script));
    expect(island).toMatchObject({ surrounding: "shell", text: small });
  });
});

describe("in shell scripts", () => {
  const heredoc = (line: string, text = small) => `#!/bin/sh\n${line}\n${text}EOF\necho done\n`;

  test.each([
    "cat > Modelfile <<EOF",
    "cat <<'EOF' >./Modelfile.fast",
    'cat << "EOF" > "$DIR/Modelfile"',
    "cat <<\\EOF >| Modelfile",
    "cat <<EOF | sudo tee /srv/Modelfile > /dev/null",
    "tee Modelfile <<EOF",
    "ollama create it -f - <<EOF",
    "cat <<EOF | ollama create it -f /dev/stdin",
    "docker exec -i ollama sh -c 'cat > /Modelfile' <<EOF",
    "cat <<EOF > fast.txt",
  ])("%s", async (line) => {
    expect(await textsIn("a.sh", heredoc(line))).toEqual([small]);
  });

  test.each([
    ["what another program is given", "python3 - <<EOF", "from modelfile import x\n"],
    ["what a filter changes", "cat <<EOF | sed s/a/b/ > Modelfile", small],
    ["a Dockerfile", "docker build -f x.modelfile - <<EOF", "FROM ubuntu\nRUN ls\n"],
    ["whole lines put in", "cat > Modelfile <<EOF", "FROM a\n$PARAMETERS\n"],
    ["a template put in", "cat > Modelfile <<EOF", 'FROM a\nTEMPLATE """$T"""\n'],
    ["the output of a command", "cat > Modelfile <<EOF", "FROM a\nSYSTEM `date`\n"],
    ["a broken line", "cat > Modelfile <<EOF", "FROM a\nSYSTEM b \\\nc\n"],
  ])("%s is left out", async (_, line, text) => {
    expect(await textsIn("a.sh", heredoc(line, text))).toEqual([]);
  });

  test("what is expanded in a value is unknown, and an escaped dollar is one", async () => {
    const text = "FROM ${BASE:-a}\nPARAMETER num_ctx $CTX\nSYSTEM It costs \\$5.\n";
    const [island] = await islandsIn("a.sh", heredoc("cat > Modelfile <<EOF", text));
    expect(island!.text).toBe(text.replace("\\$", "$"));
    const unknown = island!.unknown.map(({ start, end }) => island!.text.slice(start, end));
    expect(unknown).toEqual(["${BASE:-a}", "$CTX"]);
    expect(outerEdit(island!, { start: 0, end: 15, text: "FROM b" })).toBeUndefined();
  });

  test("commands that write to one file make one Modelfile", async () => {
    const script = [
      "echo 'FROM llama3.2' > Modelfile",
      "date > log",
      'echo "PARAMETER stop \\"a\\"" >> Modelfile',
      "echo FROM other > Modelfile.b && printf 'SYSTEM x\\n' | tee -a Modelfile.b",
      "printf '%s\\n' 'PARAMETER top_k 1' 'SYSTEM y' >> Modelfile",
    ].join("\n");
    expect(await textsIn("a.sh", script)).toEqual([
      'FROM llama3.2\nPARAMETER stop "a"\nPARAMETER top_k 1\nSYSTEM y\n',
      "FROM other\nSYSTEM x\n",
    ]);
  });

  test("what only some runs add is not part of it", async () => {
    const script = [
      "cat > Modelfile <<EOF",
      "FROM llama3.2",
      "EOF",
      'if test -n "$SMALL"; then',
      "  echo PARAMETER num_ctx 2048 >> Modelfile",
      "else",
      "  echo PARAMETER num_ctx 8192 >> Modelfile",
      "fi",
      '[ -n "$K" ] && echo PARAMETER top_k 3 >> Modelfile',
      "echo SYSTEM x >> Modelfile",
    ].join("\n");
    const found = await islandsIn("a.sh", script);
    expect(found.map(({ text, fragment }) => [text, fragment])).toEqual([
      ["FROM llama3.2\n", false],
      ["PARAMETER num_ctx 2048\n", true],
      ["PARAMETER num_ctx 8192\n", true],
      ["PARAMETER top_k 3\n", true],
      ["SYSTEM x\n", true],
    ]);
  });

  test("comments, strings and shifts open no heredoc", async () => {
    expect(await textsIn("a.sh", `# cat > Modelfile <<EOF\n${small}EOF\n`)).toEqual([]);
    expect(await textsIn("a.sh", `echo 'cat > Modelfile <<EOF\n${small}EOF\n'\n`)).toEqual([]);
    const shift = `x=$((1 << 4))\ncat > Modelfile <<E\n${small}E\n`;
    expect(await textsIn("a.sh", shift)).toEqual([small]);
  });

  test("a variable that a command fills, and a script in a script", async () => {
    const variable = `M="$(cat <<'EOF'\n${small}EOF\n)"\n`;
    expect(await textsIn("a.sh", variable)).toEqual([small]);
    const script = `ssh host <<'OUTER'\ncat > Modelfile <<EOF\n${small}EOF\nOUTER\n`;
    expect(await textsIn("a.sh", script)).toEqual([small]);
  });

  test("a file without an extension says on its first line what it is", async () => {
    const script = heredoc("cat > Modelfile <<EOF");
    expect(await textsIn("bin/install", script)).toEqual([small]);
    expect(await textsIn("bin/install", script.replace("/bin/sh", "/usr/bin/env node"))).toEqual(
      [],
    );
  });
});

describe("in Dockerfiles", () => {
  test("heredocs of RUN and COPY, and echo over several lines", async () => {
    const text = [
      "FROM ollama/ollama",
      "COPY <<EOF /models/Modelfile",
      "FROM a",
      "EOF",
      "RUN <<EOF",
      "cat > /tmp/Modelfile <<'END'",
      "FROM b",
      "END",
      "EOF",
      'RUN echo "FROM c" > /Modelfile && \\',
      '    echo "SYSTEM d" >> /Modelfile',
    ].join("\n");
    expect(await textsIn("Dockerfile", text)).toEqual([
      "FROM a\n",
      "FROM b\n",
      "FROM c\nSYSTEM d\n",
    ]);
  });

  test("the Dockerfile itself is none, whatever its labels say", async () => {
    const text = "FROM ollama/ollama\nLABEL a=Modelfile\nPARAMETER x 1\n";
    expect(await textsIn("Dockerfile.gpu", text)).toEqual([]);
  });

  test("no line is added to a RUN of one line", async () => {
    const text = 'FROM a\nRUN echo "FROM b" > /Modelfile\n';
    const [island] = await islandsIn("Containerfile", text);
    expect(outerEdit(island!, { start: 0, end: 0, text: "# x\n" })).toBeUndefined();
    const edit = outerEdit(island!, { start: 5, end: 6, text: 'c"' })!;
    expect(text.slice(0, edit.start) + edit.text + text.slice(edit.end)).toBe(
      'FROM a\nRUN echo "FROM c\\"" > /Modelfile\n',
    );
  });
});

describe("in YAML", () => {
  test("keys that say Modelfile, contents that show it, and scripts", async () => {
    const text = [
      "data:",
      "  Modelfile: |",
      "    FROM a",
      '  quick.Modelfile: "FROM b\\nSYSTEM \\"c\\"\\n"',
      "configs:",
      "  - content: |-",
      "      FROM d",
      "      SYSTEM e",
      "steps:",
      "  - run: |",
      "      cat > Modelfile <<EOF",
      "      FROM f",
      "      EOF",
      "folded: >",
      "  FROM g",
      "  SYSTEM h",
      "image: |",
      "  FROM ubuntu",
    ].join("\n");
    expect(await textsIn("a.yaml", text)).toEqual([
      "FROM a\n",
      'FROM b\nSYSTEM "c"\n',
      "FROM d\nSYSTEM e",
      "FROM f\n",
    ]);
  });

  test("an expression of a workflow is unknown wherever it stands", async () => {
    const text =
      "run: |\n  cat > Modelfile <<'EOF'\n  FROM a\n  SYSTEM For ${{ github.actor }}.\n  EOF\n";
    const [island] = await islandsIn(".github/workflows/a.yml", text);
    expect(island!.unknown.map(({ start, end }) => island!.text.slice(start, end))).toEqual([
      "${{ github.actor }}",
    ]);
    const lines = text.replace("SYSTEM For ", "");
    expect(await textsIn(".github/workflows/a.yml", lines)).toEqual([]);
  });

  test("what Compose and Helm expand is left out", async () => {
    const compose =
      "services: {}\nconfigs:\n  m:\n    content: |\n      FROM $BASE\n      SYSTEM a\n";
    expect(await textsIn("compose.yaml", compose)).toEqual([]);
    expect(await textsIn("compose.yaml", compose.replace("$BASE", "a"))).toHaveLength(1);
    const helm = "data:\n  Modelfile: |\n    FROM {{ .Values.model }}\n    SYSTEM a\n";
    expect(await textsIn("a.yaml", helm)).toEqual([]);
  });
});

describe("in programs", () => {
  test.each([
    ["a.py", `modelfile = """${small}"""\n`],
    ["a.py", `Client().create("it", modelfile='''${small}''')\n`],
    ["a.py", `modelfile: str = textwrap.dedent("""\\\n${small}""")\n`],
    ["a.py", `with open("Modelfile", "w") as f:\n    f.write("""${small}""")\n`],
    ["a.js", `await ollama.create({ model, modelfile: \`${small}\` });\n`],
    ["a.ts", `const modelfile: string = \`${small}\`;\n`],
    ["a.mjs", `fs.writeFileSync("Modelfile", \`${small}\`);\n`],
    ["a.go", `var modelfile = \`${small}\`\n`],
    ["a.go", `os.WriteFile("Modelfile", []byte(\`${small}\`), 0o644)\n`],
    ["a.rs", `let modelfile = r#"${small}"#;\n`],
    ["a.rs", `fs::write("Modelfile", r"${small}")?;\n`],
    ["a.ps1", `@'\n${small}'@ | Out-File Modelfile\n`],
    ["a.ps1", `$modelfile = @"\n${small}"@\n`],
  ])("%s: a literal that is called one, %#", async (path, text) => {
    expect(await textsIn(path, text)).toEqual([small]);
  });

  test.each([
    ["a.py", `text = """${small}"""\n`],
    ["a.py", `result = lint_modelfile("""${small}""")\n`],
    ["a.py", `# modelfile = """${small}"""\n`.replaceAll("\n", "\n# ")],
    ["a.py", `modelfile = """FROM a to b, it goes."""\n`],
    ["a.py", `modelfile = """${small}""" + rest\n`],
    ["a.py", `modelfile = """${small}""".replace("a", b)\n`],
    ["a.py", `modelfile = """${small}""" % b\n`],
    ["a.js", `"modelfile = \`"; x = \`${small}\`\n`],
    ["a.js", `const modelfile = html\`${small}\`;\n`],
    ["a.go", `modelfile := \`${small}\` + more\n`],
  ])("%s: a literal that is none, %#", async (path, text) => {
    expect(await textsIn(path, text)).toEqual([]);
  });

  test.each([
    ["a.py", 'modelfile = f"""FROM {base}\nSYSTEM {{x}} \\"y\\"\n"""', "{base}", '{x} "y"'],
    ["a.ts", "const modelfile = `FROM ${base}\nSYSTEM \\`x\\``;", "${base}", "`x`"],
    ["a.go", "modelfile := fmt.Sprintf(`FROM %s\nSYSTEM 5%%\n`, base)", "%s", "5%"],
    ["a.rs", 'let modelfile = format!(r#"FROM {base}\nSYSTEM {{}}"#);', "{base}", "{}"],
    ["a.ps1", '$modelfile = @"\nFROM $base\nSYSTEM `$5\n"@', "$base", "$5"],
  ])("%s: what is put in is unknown", async (path, text, unknown, system) => {
    const [island] = await islandsIn(path, text);
    const [first] = island!.unknown;
    expect(island!.text.slice(first!.start, first!.end)).toBe(unknown);
    expect(island!.text.trimEnd()).toBe(`FROM ${unknown}\nSYSTEM ${system}`);
  });
});

describe("places and edits", () => {
  const page = "> 1. ~~~modelfile\r\n>    FROM a\r\n>\r\n>    SYSTEM b\r\n>    ~~~\r\n";

  async function edited(start: number, end: number, text: string): Promise<string | undefined> {
    const [island] = await islandsIn("a.md", page);
    const edit = outerEdit(island!, { start, end, text });
    return edit && page.slice(0, edit.start) + edit.text + page.slice(edit.end);
  }

  test("a place is that of the same character outside", async () => {
    const [island] = await islandsIn("a.md", page);
    expect(island!.text).toBe("FROM a\n\nSYSTEM b\n");
    const { start, end } = outerSpan(island!, { start: 8, end: 14 });
    expect(page.slice(start, end)).toBe("SYSTEM");
    const line = outerSpan(island!, { start: 0, end: 7 });
    expect(page.slice(line.start, line.end)).toBe("FROM a\r\n");
    const all = outerSpan(island!, { start: 0, end: island!.text.length });
    expect(page.slice(all.start, all.end)).toBe("FROM a\r\n>\r\n>    SYSTEM b\r\n");
  });

  test("new lines get the indentation and the line ends of the others", async () => {
    expect(await edited(7, 7, "# x\n\n# y\n")).toBe(
      page.replace(">\r\n", ">    # x\r\n>\r\n>    # y\r\n>\r\n"),
    );
    expect(await edited(17, 17, "PARAMETER top_k 1\n")).toBe(
      page.replace(">    ~~~\r\n", ">    PARAMETER top_k 1\r\n>    ~~~\r\n"),
    );
  });

  test("lines go with their indentation", async () => {
    expect(await edited(7, 17, "")).toBe(page.replace(">\r\n>    SYSTEM b\r\n", ""));
    expect(await edited(6, 8, " ")).toBe(page.replace("\r\n>\r\n>    SYSTEM", " SYSTEM"));
  });

  test("what would end the fence, or leave nothing, cannot be written", async () => {
    expect(await edited(7, 7, "~~~\n")).toBeUndefined();
    expect(await edited(17, 17, "SYSTEM c")).toBeUndefined();
    expect(await edited(16, 17, "")).toBeUndefined();
    expect(await edited(0, 17, "")).toBeUndefined();
    expect(await edited(0, 99, "")).toBeUndefined();
  });
});

describe("characters that mean something together", () => {
  test.each([
    ["a.sh", "cat > Modelfile <<EOF\nFROM a\nSYSTEM $ 5\nEOF\n", "$", "x"],
    ["a.sh", "cat > Modelfile <<EOF\nFROM a\nSYSTEM a\\b\nEOF\n", "\\", "$"],
    ["a.sh", 'echo "FROM a $" > Modelfile\n', "$", "x"],
    ["a.ts", "const modelfile = `FROM a\nSYSTEM $x`;\n", "$", "{"],
    ["a.py", 'modelfile = """FROM a\nSYSTEM \\d"""\n', "\\", "n"],
    ["a.ps1", '@"\nFROM a\nSYSTEM $ 5\n"@ > Modelfile\n', "$", "x"],
  ])("in %s, nothing is put behind one of them, %#", async (path, text, before, put) => {
    const [island] = await islandsIn(path, text);
    const at = island!.text.indexOf(before) + 1;
    expect(at).toBeGreaterThan(0);
    expect(outerEdit(island!, { start: at, end: at, text: put })).toBeUndefined();
    expect(outerEdit(island!, { start: at - 1, end: at - 1, text: put })).toBeDefined();
  });

  test("quotes are not brought together into the end of a literal", async () => {
    const text = 'modelfile = """FROM a\nSYSTEM "b" "c" d"""\n';
    const [island] = await islandsIn("a.py", text);
    const at = island!.text.indexOf('" "') + 1;
    expect(outerEdit(island!, { start: at, end: at + 1, text: "" })).toBeUndefined();
    const end = island!.text.length;
    expect(outerEdit(island!, { start: end - 2, end, text: "" })).toBeUndefined();
    expect(outerEdit(island!, { start: end - 2, end, text: '"' })?.text).toBe('\\"');
  });
});

describe("by name", () => {
  test("files are searched by their names alone", () => {
    const yes = [
      "README.md",
      "a/README",
      "x.MDX",
      "Dockerfile",
      "c/Dockerfile.gpu",
      "a.dockerfile",
    ];
    const more = ["compose.yaml", ".github/workflows/ci.yml", "a.sh", "b.ps1", "x.py", "y.tsx"];
    for (const path of [...yes, ...more, "C:\\a\\Containerfile"]) {
      expect(mayHoldModelfiles(path), path).toBe(true);
    }
    for (const path of ["Modelfile", "a.modelfile", "a.txt", "md", "a.constructor", "x.json", ""]) {
      expect(mayHoldModelfiles(path), path).toBe(false);
    }
  });

  test("other files are not looked at", async () => {
    expect(await textsIn("a.txt", fenced("modelfile", small))).toEqual([]);
    expect(await textsIn("Modelfile", small)).toEqual([]);
  });
});

function many(text: string, count = 20_000): string {
  return `FROM \n${text.repeat(count)}`;
}

describe("on hostile texts", () => {
  test.each([
    ["a.md", many("```modelfile\nFROM x\n```\n\n", 5000)],
    ["a.md", many("> ```\nx\n")],
    ["a.md", many("> ", 200_000)],
    ["a.md", `FROM \n${"- ".repeat(20_000)}x\n${"\n".repeat(20_000)}`],
    ["a.md", many("<!-- \n```\n")],
    ["a.sh", many("cat <<A > Modelfile\nFROM x\nA\n")],
    ["a.sh", many("cat <<A > Modelfile\nx\n")],
    ["a.sh", `${"cat <<A\n".repeat(20_000)}${"\tA\n".repeat(20_000)}FROM \n`],
    ["a.sh", many('"$(')],
    ["a.sh", `echo FROM x > Modelfile\n${'echo "SYSTEM $x" >> Modelfile\n'.repeat(20_000)}`],
    ["a.sh", `cat > Modelfile <<EOF\nFROM x\nSYSTEM ${"${".repeat(50_000)}\nEOF\n`],
    ["a.ps1", many("@'\nFROM x\n")],
    ["a.yaml", many("[", 50_000)],
    ["a.yaml", many("- ", 50_000)],
    ["a.yaml", many("Modelfile: |\n  FROM x\n", 5000)],
    ["a.py", many('modelfile="""FROM x\nSYSTEM y"""\n', 5000)],
    ["a.py", many('\\"')],
    ["a.js", many("`${")],
    ["a.js", many("/* ")],
    ["a.rs", many("r##########")],
  ])("%s #%# takes no time worth speaking of", async (path, text) => {
    // Of the process: on a busy machine the clock says nothing.
    const before = process.cpuUsage();
    await islandsIn(path, text);
    const { user } = process.cpuUsage(before);
    // Microseconds. Quadratic time would be ten times that for most of these, and more.
    expect(user).toBeLessThan(5e6);
  });
});

/*
 * Modelfiles that people wrote into documents and scripts. They are not ours to publish, so these run only
 * where they lie beside the repository.
 */
const folder = new URL("../../shared/evidence/embedded/", import.meta.url);

describe.skipIf(!existsSync(folder))("Modelfiles from documents", () => {
  interface Recorded {
    sha: string;
    from: "markdown-fence" | "shell-heredoc";
    fence_language: string | null;
  }

  /** Two that are none: what an extraction took for them. */
  const none = new Set(["45cdb1647d6e", "8681a8ff5da4"]);

  function records(): (Recorded & { text: string })[] {
    const lines = readFileSync(new URL("index.jsonl", folder), "utf8").trimEnd().split("\n");
    return lines
      .map((line) => JSON.parse(line) as Recorded)
      .map((one) => ({
        ...one,
        text: readFileSync(new URL(`${one.sha}.Modelfile`, folder), "utf8").replace(/\n*$/, "\n"),
      }));
  }

  test("are found where they stood, and nothing else is", async () => {
    const wrong: string[] = [];
    for (const { sha, from, fence_language, text } of records()) {
      const outer =
        from === "markdown-fence"
          ? ["a.md", `\`\`\`\`${fence_language ?? ""}\n${text}\`\`\`\`\n`]
          : ["a.sh", `cat > Modelfile <<'EOF_'\n${text}EOF_\n`];
      const found = await textsIn(outer[0]!, outer[1]!);
      const expected = none.has(sha) ? [] : [text];
      if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push(sha);
    }
    expect(wrong).toEqual([]);
  });

  test.each(writtens)("come back exactly out of $name", async ({ path, around }) => {
    let written = 0;
    for (const { sha, text } of records()) {
      if (none.has(sha)) continue;
      const outer = around(text);
      if (outer === undefined) continue;
      written++;
      expect(await textsIn(path, outer), sha).toEqual([text]);
    }
    expect(written).toBeGreaterThan(25);
  });
});

import { readFileSync } from "node:fs";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { root } from "../src/build/bundle.mjs";
import { run, runApart } from "./command.js";
import { ggufHeader, smallLlama } from "./gguf-file.js";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "modelfile-lint-render-"));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

let files = 0;

async function written(content: string | Uint8Array, ending = ""): Promise<string> {
  const name = `file-${files++}${ending}`;
  await writeFile(join(folder, name), content);
  return name;
}

const render = async (modelfile: string, ...args: string[]) =>
  run(["render", await written(modelfile), ...args], { cwd: folder });

/** A GGUF file with a chat template of its own. */
async function ggufWith(chatTemplate: string, more: Record<string, string | boolean> = {}) {
  const { metadata, tensors } = smallLlama();
  const keys = { ...metadata, "tokenizer.chat_template": chatTemplate, ...more };
  return written(ggufHeader(keys, tensors), ".gguf");
}

const turns = `TEMPLATE """{{ if .System }}[{{ .System }}] {{ end }}<u>{{ .Prompt }}<a>{{ .Response }}"""\n`;
const jinja =
  "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}" +
  "{% if tools %}tools {{ tools | length }} on {{ strftime_now('%d %b %Y') }}{% endif %}{% if add_generation_prompt %}<go>{% endif %}";

describe("the prompt of a chat", () => {
  test("has SYSTEM and MESSAGE in front, and goes to a pipe byte for byte", async () => {
    const file = `FROM llama3.2\nSYSTEM Be brief.\nMESSAGE user hi\nMESSAGE assistant ho\n${turns}`;
    const { stdout, stderr, code } = await render(file, "--quiet", "--sample", "once");
    expect(stdout).toBe("[Be brief.] <u>hi<a>ho<u>Why is the sky blue?<a>");
    expect(stderr).toBe("");
    expect(code).toBe(0);
  });

  test("has the request's system message in place of SYSTEM, behind MESSAGE", async () => {
    const file = `FROM llama3.2\nSYSTEM Be brief.\nMESSAGE user hi\nMESSAGE assistant ho\n${turns}`;
    const { stdout } = await render(file, "--quiet", "--sample", "system");
    expect(stdout).toBe("<u>hi<a>ho[You answer in one sentence.] <u>Why is the sky blue?<a>");
  });

  test("comes from a file of messages, or of a whole request on standard input", async () => {
    const modelfile = await written(`FROM llama3.2\n${turns}`);
    const messages = [{ role: "user", content: "one" }];
    const list = await written(JSON.stringify(messages), ".json");
    const byFile = await run(["render", modelfile, "-q", "--messages", list], { cwd: folder });
    expect(byFile.stdout).toBe("<u>one<a>");
    const byInput = await run(["render", modelfile, "-q", "--messages", "-"], {
      cwd: folder,
      input: JSON.stringify({ model: "x", prompt: "two", system: "S" }),
    });
    expect(byInput.stdout).toBe("[S] <u>two<a>");
  });

  test("has the tools and the level of thinking that the request asks for", async () => {
    const template =
      'TEMPLATE """{{ range .Messages }}{{ .Content }}{{ end }} {{ len .Tools }} {{ .ThinkLevel }} {{ currentDate }}"""';
    const file = `FROM llama3.2\n${template}\n`;
    const tools = await written('[{"type": "function", "function": {"name": "f"}}]', ".json");
    const args = ["-q", "--sample", "once", "--tools", tools, "--think", "--date", "2031-02-03"];
    expect((await render(file, ...args)).stdout).toBe("Why is the sky blue? 1 medium 2031-02-03");
  });

  test("of /api/generate, with text to insert where the template knows .Suffix", async () => {
    const template =
      'TEMPLATE """{{ if .Suffix }}<pre>{{ .Prompt }}<suf>{{ .Suffix }}<mid>{{ else }}{{ .Prompt }}{{ end }}"""';
    const args = ["-q", "--prompt", "a(", "--suffix", ")"];
    expect((await render(`FROM llama3.2\n${template}\n`, ...args)).stdout).toBe(
      "<pre>a(<suf>)<mid>",
    );
  });

  test("of a model with a known file that cannot insert is refused", async () => {
    const model = await ggufWith(jinja);
    const file = `FROM ./${model}\n${turns}`;
    const { stdout, code } = await render(file, "--suffix", ")", "--ollama", "0.12");
    expect(stdout).toContain("the model does not support insert");
    expect(code).toBe(1);
  });

  test("tells when SYSTEM gets lost", async () => {
    const file = 'FROM llama3.2\nSYSTEM Be brief.\nTEMPLATE "{{ .Prompt }}"\n';
    expect((await render(file)).stdout).toContain("SYSTEM does not reach the model.");
    expect((await render(file.replace("{{", "{{ .System }}{{"))).stdout).not.toContain("SYSTEM");
  });

  test("is the bare text where there is no template", async () => {
    const { metadata, tensors } = smallLlama();
    const model = await written(ggufHeader(metadata, tensors), ".gguf");
    const { stdout } = await render(`FROM ./${model}\n`, "--json", "--ollama", "0.24");
    expect(JSON.parse(stdout)).toMatchObject({
      path: { by: "bare" },
      prompt: "Why is the sky blue?Air scatters blue light most.And at sunset?",
    });
  });
});

describe("what makes the prompt", () => {
  test("is told with its reason and source", async () => {
    const { stdout } = await render(`FROM llama3.2\n${turns}PARAMETER stop <u>\n`, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      version: 1,
      ollama: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      path: { by: "template", whose: "file", source: expect.stringContaining(".go") },
      stop: ["<u>"],
    });
  });

  test("changes over a range of releases", async () => {
    const file = `FROM llama3.2\nRENDERER qwen3-coder\n${turns}`;
    const { stdout } = await render(file, "--json", "--ollama", "0.11 - 0.13", "--template");
    const list = JSON.parse(stdout) as {
      path: { by: string };
      releases: object;
      template?: string;
    }[];
    expect(list.map(({ path, releases }) => [path.by, releases])).toEqual([
      ["template", { from: "0.11.0", to: "0.11.11" }],
      ["renderer", { from: "0.12.0", to: "0.13.5" }],
    ]);
    expect(list[1]!.template).toContain("<u>And at sunset?<a>");
  });

  test("may be a renderer, of which there is no prompt to print", async () => {
    const file = `FROM llama3.2\nRENDERER qwen3-coder\n${turns}`;
    const shown = await render(file);
    expect(shown.stdout).toMatch(/RENDERER qwen3-coder makes it[^]*cannot be run here/);
    expect(shown.stdout).not.toContain("<u>");
    expect(shown.code).toBe(0);
    const quiet = await render(file, "--quiet");
    expect(quiet).toMatchObject({ stdout: "", code: 2 });
    expect((await render(file, "--quiet", "--template")).stdout).toContain("<u>And at sunset?<a>");
  });

  test("is an error where the renderer does not exist", async () => {
    const { stdout, code } = await render("FROM llama3.2\nRENDERER qwen9\n");
    expect(stdout).toContain('unknown renderer "qwen9"');
    expect(code).toBe(1);
  });

  test("is not known of a model that is not", async () => {
    const { stdout, stderr, code } = await render("FROM nobody/nothing\nSYSTEM x\n");
    expect(stdout).toContain("not known");
    expect(stderr).toContain("nobody/nothing");
    expect(code).toBe(0);
  });
});

describe("a chat template in Jinja", () => {
  test("makes the prompt since 0.30, with messages, tools and the turn of the answer", async () => {
    const model = await ggufWith(jinja, { "tokenizer.ggml.add_bos_token": true });
    const file = `FROM ./${model}\nSYSTEM Be brief.\n`;
    const tools = await written('[{"type": "function"}]', ".json");
    const args = [
      "-q",
      "--ollama",
      "0.32",
      "--sample",
      "once",
      "--tools",
      tools,
      "--date",
      "2031-02-03",
    ];
    // It ends when the thread that makes the prompt does.
    expect(await runApart(["render", await written(file), ...args], { cwd: folder })).toEqual({
      code: 0,
      stdout: "<system>Be brief.<user>Why is the sky blue?tools 1 on 03 Feb 2031<go>",
      stderr: "",
    });
  });

  test("names the token whose text is not known", async () => {
    const model = await ggufWith(`{% if tools %}{% endif %}${jinja}`);
    const { stdout } = await render(`FROM ./${model}\n`, "--ollama", "0.32");
    expect(stdout).toContain("<bos_token><user>");
    expect(stdout).toContain("<bos_token> stands for the model's token of that kind.");
  });

  test("has the texts of the model's own tokens", async () => {
    const { metadata, tensors } = smallLlama();
    const words = metadata["tokenizer.ggml.tokens"] as string[];
    const tokens = ["<s>", "</s>", ...words.slice(2)];
    const keys = { "tokenizer.ggml.bos_token_id": 0, "tokenizer.ggml.eos_token_id": 1 };
    const chatTemplate = "{{ tools }}{{ bos_token }}{{ messages[0].content }}{{ eos_token }}";
    const content = { ...metadata, ...keys, "tokenizer.ggml.tokens": tokens };
    const header = ggufHeader({ ...content, "tokenizer.chat_template": chatTemplate }, tensors);
    const args = ["-q", "--ollama", "0.32", "--sample", "once"];
    const { stdout } = await render(`FROM ./${await written(header, ".gguf")}\n`, ...args);
    expect(stdout).toMatch(/<s>Why is the sky blue\?<\/s>$/);
  });

  test("that goes before TEMPLATE is shown with the difference", async () => {
    const model = await ggufWith(jinja);
    const { stdout, code } = await render(`FROM ./${model}\n${turns}`, "--ollama", "0.32");
    expect(stdout).toContain("the model's chat template (Jinja)");
    expect(stdout).toMatch(/^-<bos_token><user>Why/m);
    expect(stdout).toMatch(/^\+<u>Why/m);
    expect(code).toBe(0);
  });

  test("that never ends is stopped", async () => {
    const hostile = `{{ tools }}${"{% for a in range(99999) %}".repeat(4)}${"{% endfor %}".repeat(4)}`;
    const modelfile = `FROM ./${await ggufWith(hostile)}\n`;
    const later = setTimeout;
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const rendering = render(modelfile, "--ollama", "0.32");
      // The clock starts with the thread, which gets under way before five seconds go by at once.
      while (vi.getTimerCount() === 0) await new Promise((resolve) => later(resolve, 10));
      await new Promise((resolve) => later(resolve, 300));
      vi.advanceTimersByTime(5000);
      const { stdout, code } = await rendering;
      expect(stdout).toContain("could not be rendered here: It was stopped after 5 seconds.");
      expect(code).toBe(2);
    } finally {
      vi.useRealTimers();
    }
  });

  test("that refuses the chat says so", async () => {
    const model = await ggufWith("{{ tools }}{{ raise_exception('no such role') }}");
    const { stdout, code } = await render(`FROM ./${model}\n`, "--ollama", "0.32");
    expect(stdout).toContain("no such role");
    expect(code).toBe(2);
  });
});

describe("a template that fails", () => {
  test("at create shows Ollama's error at its place in the file", async () => {
    const file = 'FROM llama3.2\nTEMPLATE """<u>\n{{ trim .Prompt }}"""\n';
    const { stdout, code } = await render(file);
    expect(stdout).toMatch(
      /^file-\d+:3:4: error ollama create fails: "template error: template: :2: function "trim" not defined"\.$/m,
    );
    expect(code).toBe(1);
  });

  test("at every request says so", async () => {
    const { stdout, code } = await render(
      'FROM llama3.2\nTEMPLATE "{{ json .Prompt }}"\n',
      "--json",
    );
    expect(JSON.parse(stdout)).toMatchObject({
      error: {
        at: "request",
        message: expect.stringContaining('"json" is not a defined function'),
      },
    });
    expect(code).toBe(1);
    const panics =
      'FROM llama3.2\nTEMPLATE "{{ if .Prompt }}{{ .Response }}{{ else }}x{{ end }}"\n';
    expect((await render(panics)).stdout).toContain("Ollama's server crashes");
  });

  test("is not looked at where Ollama cannot read the file", async () => {
    const { stdout, code } = await render("FROM llama3.2\nTEMPLAT x\n");
    expect(stdout).toContain("ollama create fails");
    expect(code).toBe(1);
  });
});

describe("input that cannot be used", () => {
  const file = `FROM llama3.2\n${turns}`;

  test.each([
    ['[{"role": "user", content: "x"}]', ":1:19: This is not valid JSON."],
    ["[1,\n 2,]", ":2:4: This is not valid JSON."],
    ["[", ":1:2: This is not valid JSON."],
    ["[]", "Without a message"],
    ["3", "A list of messages"],
    ['{"x": 1}', 'neither "messages" nor "prompt"'],
    ['[{"content": "x"}]', "messages[0] must be an object with a role."],
    ['[{"role": "user", "content": 3}]', "must be a string"],
    ['{"messages": [{"role": "user"}], "think": 3}', '"think" must be'],
  ])("messages %j", async (json, says) => {
    const { stderr, code } = await render(file, "--messages", await written(json, ".json"));
    expect(stderr).toContain(says);
    expect(code).toBe(2);
  });

  test.each([
    [["--messages", "none.json"], "cannot be read"],
    [["--sample", "tool"], 'Did you mean "tools"?'],
    [["--date", "2026-13-01"], "--date takes a day"],
    [["--quiet", "--ollama", "0.11 - 0.13"], "Name one release"],
    [["--prompt", "x", "--sample", "once"], "without messages"],
  ])("options %j", async (args, says) => {
    const { stderr, stdout, code } = await render(file, ...args);
    expect(stderr).toContain(says);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

test("colour shows special tokens, line ends and trailing blanks, and lets nothing steer the terminal", async () => {
  const file = 'FROM llama3.2\nTEMPLATE """<|user|> \n{{ .Prompt }}"""\n';
  const chat = await written('[{"role": "user", "content": "a\\u001b[2Jb"}]', ".json");
  const { stdout } = await render(file, "--color", "--messages", chat);
  expect(stdout).toContain("\x1b[36m<|user|>\x1b[39m\x1b[7m·\x1b[27m\x1b[2m⏎\x1b[22m\n");
  expect(stdout).toContain("a<U+001B>[2Jb");
});

test("--help of render is short", async () => {
  const { stdout } = await run(["render", "--help"]);
  expect(stdout).toContain("--messages FILE.json");
  expect(stdout.trim().split("\n").length).toBeLessThanOrEqual(7);
});

describe("docs/templates.md", () => {
  const page = readFileSync(join(root, "docs/templates.md"), "utf8");
  const example = join(root, "examples/template-drops-system");

  test("shows what the command prints", async () => {
    const [, shown] = /^\$ modelfile-lint render Modelfile\n([^]*?)\n```/m.exec(page) ?? [];
    const { stdout } = await run(["render", "Modelfile"], { cwd: example });
    expect(shown?.trimEnd()).toBe(stdout.trimEnd());
  });

  const commands = [...page.matchAll(/^modelfile-lint (render .*?)(?: +#.*)?$/gm)].map(
    ([, command]) => command ?? "",
  );

  test("has commands to run", () => {
    expect(commands.length).toBeGreaterThan(4);
  });

  test.each(commands)("modelfile-lint %s", async (command) => {
    const copy = join(folder, `copy-${files++}`);
    await cp(example, copy, { recursive: true });
    await writeFile(join(copy, "chat.json"), '[{"role": "user", "content": "A question"}]');
    const args = [...command.matchAll(/"([^"]*)"|\S+/g)].map(([word, text]) => text ?? word);
    const { code, stdout, stderr } = await run(args, { cwd: copy });
    expect(stderr).toBe("");
    expect(stdout).not.toBe("");
    // The template of the example cannot insert.
    expect(code).toBe(command.includes("--suffix") ? 1 : 0);
  });
});

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import fc from "fast-check";
import oniguruma from "vscode-oniguruma";
import textmate, { type IGrammar } from "vscode-textmate";
import { beforeAll, describe, expect, test } from "vitest";
import instructionFacts from "../src/facts/instructions.json" with { type: "json" };
import parameterFacts from "../src/facts/parameters.json" with { type: "json" };
import { readOracle } from "./reading.js";
import { runs } from "./runs.js";

interface Fact {
  name: string;
  last?: string;
}

const { instructions } = instructionFacts as { instructions: Fact[] };
const { parameters } = parameterFacts as { parameters: Fact[] };

let grammar: IGrammar;

beforeAll(async () => {
  const wasm = createRequire(import.meta.url).resolve("vscode-oniguruma/release/onig.wasm");
  await oniguruma.loadWASM(readFileSync(wasm));
  const file = new URL("../grammar/modelfile.tmLanguage.json", import.meta.url);
  const registry = new textmate.Registry({
    onigLib: Promise.resolve({
      createOnigScanner: (patterns) => new oniguruma.OnigScanner(patterns),
      createOnigString: (text) => new oniguruma.OnigString(text),
    }),
    loadGrammar: async () =>
      textmate.parseRawGrammar(readFileSync(file, "utf8"), "modelfile.tmLanguage.json"),
  });
  grammar = (await registry.loadGrammar("source.modelfile"))!;
});

interface Token {
  text: string;
  line: number;
  start: number;
  end: number;
  /** From the outside in, without the scope of the whole file. */
  scopes: string[];
}

function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  let stack = textmate.INITIAL;
  for (const [line, text] of source.split("\n").entries()) {
    const result = grammar.tokenizeLine(text, stack);
    for (const { startIndex: start, endIndex, scopes } of result.tokens) {
      // The newline that the tokenizer adds to each line counts as a character of it.
      const end = Math.min(endIndex, text.length);
      tokens.push({ text: text.slice(start, end), line, start, end, scopes: scopes.slice(1) });
    }
    stack = result.ruleStack;
  }
  return tokens;
}

/** The scopes, joined by blanks, of each stretch that the source marks with «…»; a stretch must be of one colour. */
function marked(source: string): string[] {
  const marks: { line: number; start: number; end: number }[] = [];
  const lines = source.split("\n").map((text, line) => {
    let plain = "";
    let start = 0;
    for (const character of text) {
      if (character === "«") start = plain.length;
      else if (character === "»") marks.push({ line, start, end: plain.length });
      else plain += character;
    }
    return plain;
  });

  const tokens = tokenize(lines.join("\n"));
  return marks.map(({ line, start, end }) => {
    const touched = tokens.filter((t) => t.line === line && t.start < end && t.end > start);
    const colours = new Set(touched.map(({ scopes }) => scopes.join(" ")));
    if (colours.size !== 1) return `several colours: ${[...colours].join(" / ")}`;
    return [...colours][0]!;
  });
}

const KEYWORD = "keyword.other.instruction.modelfile";
const TRIPLE = "string.quoted.triple.modelfile";
const PLAIN = "string.unquoted.modelfile";
const ACTION = "meta.embedded.action.template.modelfile";

describe("statements", () => {
  test("keywords stand at the start of a line, in any case, indented or not", () => {
    const scopes = marked(
      "«FROM» x\n  «system» hi\n\t«Template» FROM x\n«PARAMETER» stop a\n«MESSAGE» user b",
    );
    expect(scopes).toHaveLength(5);
    for (const scope of scopes) expect(scope).toContain(KEYWORD);
    expect(marked("SYSTEM «FROM x»")[0]).toContain(PLAIN);
  });

  test("a word that is no instruction is marked", () => {
    const [word, prefix] = marked("FROM x\n«SYTEM» hi\n«FROMX» y");
    expect(word).toBe("invalid.illegal.instruction.modelfile");
    expect(prefix).toBe("invalid.illegal.instruction.modelfile");
  });

  test("a comment is a line of its own between statements", () => {
    const [indented, behind, inside, plain] = marked(
      '  «# one»\nFROM x«# y»\nSYSTEM """\n«# not one»\n"""\nLICENSE MIT «# text»',
    );
    expect(indented).toContain("comment.line.number-sign.modelfile");
    for (const scope of [behind, inside, plain]) expect(scope).not.toContain("comment");
    expect(inside).toContain(TRIPLE);
  });
});

describe("values", () => {
  test("a quote before the end of a line does not close the value", () => {
    const [middle, next, after] = marked('SYSTEM "a «"» b\n«FROM y» c"\n«FROM» z');
    expect(middle).toMatch(/string\.quoted\.double\.modelfile$/);
    expect(next).toMatch(/string\.quoted\.double\.modelfile$/);
    expect(after).toContain(KEYWORD);
  });

  test("the quote that ends a line closes it, with blanks behind it or not", () => {
    const [close, after] = marked('SYSTEM """\nsay """hi""" now\nend«"""» \t\n«FROM» z');
    expect(close).toContain("punctuation.definition.string.end.modelfile");
    expect(after).toContain(KEYWORD);
  });

  test("quotes that are too few to be a pair stay open", () => {
    const [four, closed] = marked('SYSTEM """"\n«FROM» y\n"""\n«FROM» z');
    expect(four).toContain(TRIPLE);
    expect(closed).toContain(KEYWORD);
    expect(marked('SYSTEM ""\n«FROM» z')[0]).toContain(KEYWORD);
    expect(marked('SYSTEM """"""\n«FROM» z')[0]).toContain(KEYWORD);
  });

  test("characters that Ollama drops hide neither a keyword nor a closing quote", () => {
    const [keyword, next] = marked('\u00a0«SYSTEM» "hi"\u200b \u00a0\n«FROM» z');
    expect(keyword).toContain(KEYWORD);
    expect(next).toContain(KEYWORD);
  });

  test("an unterminated value reads on to the end, as Ollama does", () => {
    const [first, last] = marked('SYSTEM """\n«FROM y»\n«PARAMETER seed 1»');
    expect(first).toContain(TRIPLE);
    expect(last).toContain(TRIPLE);
  });

  test("FROM: a path, or the parts of a name", () => {
    const [namespace, model, colon, tag] = marked(
      "FROM «hf.co/some-one/»«model.v1-GGUF»«:»«Q4_K_M»",
    );
    expect(namespace).toContain("entity.name.namespace.modelfile");
    expect(model).toContain("entity.name.type.model.modelfile");
    expect(colon).toContain("punctuation.separator.tag.modelfile");
    expect(tag).toContain("constant.other.tag.modelfile");
    const paths = marked(
      "FROM «./my model.gguf»\nFROM «.»\nFROM «C:\\m»\nFROM «~/m»\nFROM «dir/m.GGUF»  \nADAPTER «./a b»",
    );
    for (const scope of paths) expect(scope).toMatch(/string\.unquoted\.path\.modelfile$/);
    expect(marked("FROM «a b»\nFROM «llama3 # latest»")).toEqual([
      `meta.instruction.from.modelfile ${PLAIN}`,
      `meta.instruction.from.modelfile ${PLAIN}`,
    ]);
  });

  test("RENDERER and REQUIRES", () => {
    const [renderer, release] = marked("RENDERER «qwen3-coder»\nREQUIRES «0.14.0-rc1»");
    expect(renderer).toContain("support.constant.builtin.modelfile");
    expect(release).toContain("constant.numeric.version.modelfile");
  });

  test("roles of MESSAGE", () => {
    const [user, word, upper, blank] = marked(
      "MESSAGE «user» «hi»\nMESSAGE «User» hi\nMESSAGE « »user hi",
    );
    expect(user).toContain("constant.language.role.modelfile");
    expect(word).toContain(PLAIN);
    expect(upper).toContain("invalid.illegal.role.modelfile");
    expect(blank).toContain("invalid.illegal.separator.modelfile");
  });
});

describe("PARAMETER", () => {
  const accepted = parameters.filter(({ last }) => last === undefined).map(({ name }) => name);
  const gone = parameters.filter(({ last }) => last !== undefined).map(({ name }) => name);

  test("numbers and booleans are coloured when they are the whole value", () => {
    const numbers = marked(
      ["4096", "-1", "0.8", ".5", "5.", "1e-3", "1_000.5", "0x1p-2", "+Inf", "nan"]
        .map((value) => `PARAMETER temperature «${value}» `)
        .join("\n"),
    );
    for (const scope of numbers) expect(scope).toContain("constant.numeric.modelfile");
    const [yes, comment, hex, quoted, stop] = marked(
      'PARAMETER use_mmap «true»\nPARAMETER num_ctx «4096 # big»\nPARAMETER seed «0x10»\nPARAMETER seed "«8»"\nPARAMETER stop «1»',
    );
    expect(yes).toContain("constant.language.boolean.modelfile");
    for (const scope of [comment, hex, stop]) expect(scope).toMatch(/string\.unquoted\.modelfile$/);
    expect(quoted).toMatch(/string\.quoted\.double\.modelfile$/);
  });

  test("names that no release knows, and what stands in place of a name", () => {
    const [unknown, upper, dash, blank, reserved] = marked(
      "PARAMETER «num_context» 1\nPARAMETER «NUM_CTX» 1\nPARAMETER «top-p» 1\nPARAMETER « »seed 1\nPARAMETER «template» x",
    );
    for (const scope of [unknown, upper, dash]) {
      expect(scope).toContain("invalid.illegal.parameter.modelfile");
    }
    expect(blank).toContain("invalid.illegal.separator.modelfile");
    expect(reserved).toContain("keyword.other.reserved-parameter.modelfile");
  });

  test.each(accepted)("%s is coloured as known", (name) => {
    expect(marked(`PARAMETER «${name}» 1`)[0]).toContain("support.type.property-name.modelfile");
  });

  test.each(gone)("%s is coloured as gone", (name) => {
    expect(marked(`PARAMETER «${name}» 1`)[0]).toContain("invalid.deprecated.parameter.modelfile");
  });

  test("no other name is coloured as known", () => {
    const source = readFileSync(
      new URL("../grammar/modelfile.tmLanguage.json", import.meta.url),
      "utf8",
    );
    const coloured = new Set<string>();
    // Every word of the grammar is tried as a name, and so is every name of the table.
    for (const word of source.match(/\w+/g)!) {
      const [scope] = marked(`PARAMETER «${word}» 1`);
      if (scope!.includes("support.type.property-name.modelfile")) coloured.add(word);
    }
    expect([...coloured].sort()).toEqual([...accepted].sort());
  });
});

describe("instructions", () => {
  test.each(instructions)("$name is coloured as known, or as gone", ({ name, last }) => {
    const scope = last === undefined ? KEYWORD : "invalid.deprecated.instruction.modelfile";
    for (const word of [name, name.toLowerCase()]) {
      const argument = name === "PARAMETER" ? "seed 1" : name === "MESSAGE" ? "user x" : "x";
      expect(marked(`«${word}» ${argument}`)[0]).toContain(scope);
    }
  });
});

describe("TEMPLATE", () => {
  test("actions in a block", () => {
    const [open, keyword, name, field, text, pipe, variable, string, number, close] = marked(
      'TEMPLATE """{{ if .System }}\n' +
        '«{{-» «range» «eq» «.Message.Role»[0] }}«Hello »{{ json . «|» printf «$x» «"a}}"» «12» «-}}»\n' +
        '{{ end }}"""\nFROM x',
    );
    expect(open).toContain(`${ACTION} punctuation.section.embedded.begin.modelfile`);
    expect(keyword).toContain(`${ACTION} keyword.control.template.modelfile`);
    expect(name).toContain(`${ACTION} support.function.template.modelfile`);
    expect(field).toContain(`${ACTION} variable.other.member.template.modelfile`);
    expect(text).toMatch(/string\.quoted\.triple\.modelfile$/);
    expect(pipe).toContain("keyword.operator.pipe.template.modelfile");
    expect(variable).toContain("variable.other.template.modelfile");
    expect(string).toContain("string.quoted.double.template.modelfile");
    expect(number).toContain("constant.numeric.template.modelfile");
    expect(close).toContain("punctuation.section.embedded.end.modelfile");
  });

  test("every keyword of the template language", () => {
    const words = "if else end range with define template block break continue".split(" ");
    const scopes = marked(words.map((word) => `TEMPLATE {{- «${word}» }}`).join("\n"));
    expect(scopes).toHaveLength(words.length);
    for (const scope of scopes) expect(scope).toContain("keyword.control.template.modelfile");
    expect(marked("TEMPLATE {{ «.end» }}")[0]).toContain("variable.other.member");
  });

  test("comments and special tokens", () => {
    const [comment, token, turn, wide] = marked(
      'TEMPLATE """«{{/* {{ .System */}}»«<|im_start|>»x«<start_of_turn>»«<｜User｜>»"""',
    );
    expect(comment).toMatch(/comment\.block\.template\.modelfile$/);
    for (const scope of [token, turn, wide]) {
      expect(scope).toMatch(/constant\.other\.special-token\.modelfile$/);
    }
    expect(marked('PARAMETER stop "«<|im_end|>»"')[0]).toContain("special-token");
  });

  test("no other value holds actions or special tokens", () => {
    const [system, message] = marked(
      'SYSTEM """«{{ .System }}»"""\nMESSAGE user «{{ x }} <|im_end|>»',
    );
    expect(system).toMatch(/string\.quoted\.triple\.modelfile$/);
    expect(message).toMatch(/string\.unquoted\.modelfile$/);
  });

  test("the end of the value ends whatever is open in it", () => {
    const cut = [
      '"""{{ if eq "x"""',
      '"{{ if eq .Role "user"',
      '"""{{ `a"""',
      '"{{/* a"',
      "{{ if `a",
    ];
    for (const value of cut) {
      const [after] = marked(`TEMPLATE ${value} \n«FROM» x`);
      expect(after, value).toBe(`meta.instruction.from.modelfile ${KEYWORD}`);
    }
  });
});

/** What decides where a value ends; lines begin with an instruction often enough for files to be accepted. */
const marks = [
  '"',
  '"""',
  "\n",
  " ",
  "\t",
  "x",
  "#",
  "\\",
  "'",
  "`",
  "{{",
  "{{-",
  "}}",
  " -}}",
  "{{/*",
  "*/}}",
];
const beginnings = [
  "SYSTEM ",
  "TEMPLATE ",
  'TEMPLATE "',
  'TEMPLATE """',
  "FROM ",
  "ADAPTER ",
  "Renderer ",
  "REQUIRES ",
  "# ",
  "PARAMETER stop ",
  "parameter num_ctx ",
  "PARAMETER  ",
  "MESSAGE user ",
].map((beginning) => `\n${beginning}`);

test("statements begin where the language says that they begin", () => {
  const source = fc
    .array(fc.constantFrom(...marks, ...beginnings), { maxLength: 40 })
    .map((parts) => `FROM x${parts.join("")}`);
  fc.assert(
    fc.property(source, (text) => {
      const result = readOracle(Buffer.from(text));
      fc.pre(result.ok);
      const begun = tokenize(text).filter(({ scopes }) => scopes.includes(KEYWORD));
      expect(begun.map((token) => token.text.toLowerCase())).toEqual(
        result.commands.map(({ name }) => keywordOf(name)),
      );
    }),
    { numRuns: runs(500) },
  );
});

function keywordOf(command: string): string {
  if (command === "model") return "from";
  return ["stop", "num_ctx", ""].includes(command) ? "parameter" : command;
}

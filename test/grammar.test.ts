import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, encodeEdited, type Source, type TextEdit } from "../grammar/bytes.js";
import { createFromCommands, readParameters } from "../grammar/create-request.js";
import { printCommands, readBytes, readTree } from "../grammar/ollama.js";
import { ModelfileParser, parseModelfile } from "../grammar/parser.js";
import { printTree, type Modelfile, type Span, type Statement } from "../grammar/tree.js";
import { newestRelease, parseRelease } from "../src/facts/release.js";
import { decodeOracle, printOracle, readOracle, type OracleOptions } from "./reading.js";
import { runs } from "./runs.js";

/*
 * The random tests take another seed on every run. When one fails, fast-check prints its seed and path;
 * given to fc.assert as { seed, path }, they replay the failure.
 */

test("Chevrotain finds no ambiguity in the grammar", () => {
  expect(() => new ModelfileParser({ skipValidations: false })).not.toThrow();
});

/** What a hundred bytes of chance would not find by themselves. */
const snippets = [
  ..."FROM LICENSE TEMPLATE SYSTEM ADAPTER DRAFT RENDERER PARSER PARAMETER MESSAGE REQUIRES".split(
    " ",
  ),
  ..."from System pArAmEtEr message EMBED PROMPT FORM SYTEM user system assistant".split(" "),
  ..."num_ctx stop temperature seed 4096 0.5 llama3.2 top-p template x".split(" "),
  ...'" """ \' ` \\ # = : - _ . , / {{ }}'.split(" "),
  "\n",
  "\n",
  "\r",
  "\r\n",
  " ",
  " ",
  "\t",
  "\0",
  "\v",
  "\x1b",
  "\u0085",
  "\u00a0",
  "\u00ad",
  "\u0130",
  "\u0301",
  "\u200b",
  "\u2028",
  "\u212a",
  "\u3000",
  "\ufeff",
  "\ufffd",
  "é",
  "漢",
  "🙂",
  "👩\u200d💻",
  // Assigned in Unicode 16, so unprintable for Ollama; private use; no character at all.
  "\u{1fae9}",
  "\ue000",
  "\uffff",
  "\u{10ffff}",
];

/** Lines that are whole, so that random files get far enough to be accepted now and then. */
const lines = [
  "FROM llama3.2\n",
  "PARAMETER num_ctx 8192\n",
  'PARAMETER stop "<|im_end|>"\n',
  "PARAMETER  seed 1\n",
  'SYSTEM """You are terse.\nAnd kind."""\n',
  'SYSTEM "a" b\n',
  "MESSAGE user Hi: there\n",
  'MESSAGE assistant "Hello"\r\n',
  "# FROM nothing\n",
  "TEMPLATE {{ .Prompt }}\r\n",
];

const nastyText = fc
  .array(
    fc.oneof(fc.constantFrom(...snippets), fc.constantFrom(...lines), fc.string({ maxLength: 3 })),
    {
      maxLength: 30,
    },
  )
  .map((parts) => parts.join(""));

const realistic = [
  `# A helper for code reviews.
FROM qwen2.5-coder:14b

PARAMETER num_ctx 16384
PARAMETER temperature 0.2
PARAMETER stop "<|im_start|>"
PARAMETER stop "<|im_end|>"

SYSTEM """You review code.
- Be brief.
- Quote the line that you mean, as in "x = 1".
"""

MESSAGE user "Is this fine?"
MESSAGE assistant Yes, but "naming" could be better.
`,
  `FROM ./models/llama.gguf\r
ADAPTER ./lora\r
TEMPLATE """{{ if .System }}<|system|>\r
{{ .System }}<|end|>\r
{{ end }}<|user|>\r
{{ .Prompt }}<|end|>\r
"""\r
LICENSE "MIT"\r
REQUIRES 0.14.0\r
`,
  `from hf.co/someone/model-GGUF:Q4_K_M
parameter num_gpu 999
system Réponds toujours en français 🙂, même à « hello ».
renderer qwen3-coder
parser qwen3-coder`,
];

/** Some cuts and pastes in the middle of a text that made sense. */
const editedFile = fc
  .tuple(
    fc.constantFrom(...realistic),
    fc.array(
      fc.tuple(fc.nat(), fc.nat(6), fc.oneof(fc.constantFrom(...snippets), fc.constant(""))),
      {
        minLength: 1,
        maxLength: 6,
      },
    ),
  )
  .map(([text, edits]) =>
    edits.reduce((result, [at, removed, added]) => {
      const start = at % (result.length + 1);
      return result.slice(0, start) + added + result.slice(start + removed);
    }, text),
  );

const anyText = fc.oneof({ weight: 3, arbitrary: nastyText }, { weight: 2, arbitrary: editedFile });

const encodings = ["utf-8", "utf-8 with a mark", "utf-16le", "utf-16be"] as const;
type Encoding = (typeof encodings)[number];

function encoded(text: string, encoding: Encoding): Uint8Array {
  if (encoding === "utf-8") return Buffer.from(text);
  if (encoding === "utf-8 with a mark") return Buffer.from(`\ufeff${text}`);
  const little = Buffer.from(`\ufeff${text}`, "utf16le");
  return encoding === "utf-16le" ? little : little.swap16();
}

/** Files as they lie on a disk: well encoded or with some bytes broken. */
const anyBytes = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 120 }) },
  { weight: 4, arbitrary: anyText.map((text) => encoded(text, "utf-8")) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(
        anyText,
        fc.constantFrom(...encodings),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      )
      .map(([text, encoding, broken]) => {
        const bytes = Uint8Array.from(encoded(text, encoding));
        for (const [at, byte] of broken) if (bytes.length > 0) bytes[at % bytes.length] = byte;
        return bytes;
      }),
  },
  {
    // Broken sequences between keywords, behind each kind of mark.
    weight: 2,
    arbitrary: fc
      .tuple(
        fc.constantFrom([], [0xef, 0xbb, 0xbf], [0xff, 0xfe], [0xfe, 0xff]),
        fc.array(
          fc.oneof(
            fc.constantFrom(...lines, ...snippets).map((text) => [...Buffer.from(text)]),
            fc.constantFrom(
              [0x80],
              [0xc2],
              [0xe6, 0xb0],
              [0xed, 0xa0, 0x80],
              [0xf0, 0x9f, 0x99],
              [0xf4, 0x90],
              [0xc0, 0xaf],
              [0xff],
              [0xd8, 0x3d],
              [0xdc, 0x00],
              [0x3d, 0xd8],
              [0x00, 0xdc],
            ),
          ),
          { maxLength: 12 },
        ),
      )
      .map(([mark, parts]) => Uint8Array.from([...mark, ...parts.flat()])),
  },
);

function expectWhole(file: Modelfile): void {
  expect(printTree(file)).toBe(file.text);
  let at = 0;
  for (const node of file.nodes) {
    expect(node.start).toBe(at);
    for (const leaf of node.leaves) {
      expect(leaf.start).toBe(at);
      expect(leaf.end).toBeGreaterThan(leaf.start);
      at = leaf.end;
    }
    expect(node.end).toBe(at);
    if (node.kind !== "gap" && node.kind !== "comment") expectNested(node);
  }
  expect(at).toBe(file.text.length);
}

function expectInside(inner: Span, outer: Span): void {
  expect(inner.start).toBeGreaterThanOrEqual(outer.start);
  expect(inner.end).toBeGreaterThanOrEqual(inner.start);
  expect(inner.end).toBeLessThanOrEqual(outer.end);
}

function expectNested(node: Statement): void {
  for (const flaw of node.flaws) expectInside(flaw, node);
  if (node.kind === "stray") return;
  expectInside(node.keyword, node);
  let before: Span = node.keyword;
  const word =
    node.kind === "parameter"
      ? node.parameterSpan
      : node.kind === "message"
        ? node.roleSpan
        : undefined;
  if (word) {
    expectInside(word, { start: before.end, end: node.end });
    before = word;
  }
  const { value } = node;
  if (!value) return;
  expectInside(value, { start: before.end, end: node.end });
  expectInside(value.content, value);
  if (value.after) expectInside(value.after, { start: value.end, end: node.end });
  const open = node.flaws.some(
    ({ kind }) => kind === "unclosed-quote" || kind === "text-after-quote",
  );
  // Of an instruction that does not exist only the keyword is held against the file.
  if (node.kind !== "unknown") expect(value.closed).toBe(!open);
}

function pointsText(points: number[]): string {
  return points.map((point) => String.fromCodePoint(point)).join("");
}

/** The releases at which the reading of values or the texts of errors changed. */
const sevenInstructions = [
  "from",
  "license",
  "template",
  "system",
  "adapter",
  "parameter",
  "message",
];
const generations: [string, OracleOptions][] = [
  ["0.1.48", { trim: false, linePrefix: false, commands: sevenInstructions }],
  ["0.2.0", { linePrefix: false, commands: sevenInstructions }],
  ["0.4.2", { commands: sevenInstructions }],
  [newestRelease.version, {}],
];

describe("any file", () => {
  test("is covered by its tree without holes, and every span lies in its node", () => {
    fc.assert(
      fc.property(anyText, fc.boolean(), (text, trimsValues) => {
        expectWhole(parseModelfile(text, { trimsValues }));
      }),
      { numRuns: runs(500) },
    );
  });

  test("is covered also where an editor hands over half a character", () => {
    const broken = fc
      .array(
        fc.oneof(fc.constantFrom(...snippets, "\ud83d", "\ude42"), fc.constantFrom(...lines)),
        { maxLength: 20 },
      )
      .map((parts) => parts.join(""));
    fc.assert(
      fc.property(broken, (text) => expectWhole(parseModelfile(text))),
      { numRuns: runs(200) },
    );
  });

  test("is decoded as Ollama decodes it", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(decode(bytes).text).toBe(pointsText(decodeOracle(bytes)));
      }),
      { numRuns: runs(600) },
    );
  });

  test.each(generations)("is read as Ollama %s reads it", (version, options) => {
    const release = parseRelease(version)!;
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        const {
          kind: _kind,
          line: _line,
          message: _message,
          ...reading
        } = {
          kind: undefined,
          line: undefined,
          message: undefined,
          ...readBytes(bytes, release),
        };
        expect(reading).toEqual(readOracle(bytes, options));
      }),
      { numRuns: runs(600) },
    );
  });

  test("is printed and asked for as Ollama does, if it is accepted", () => {
    const accepted = fc
      .array(fc.constantFrom(...lines.filter((line) => line !== 'SYSTEM "a" b\n')), {
        maxLength: 8,
      })
      .map((parts) => parts.join(""));
    const source = fc.oneof(anyText, accepted).map((text) => `FROM x\n${text}`);
    fc.assert(
      fc.property(source, (text) => {
        const reading = readTree(parseModelfile(text));
        fc.pre(reading.ok);
        expect(printCommands(reading.commands)).toBe(printOracle(reading.commands));
        const create = createFromCommands(reading.commands);
        const refused = readParameters(reading.commands).some(({ ok }) => !ok);
        if (refused) expect(create.ok).toBe(false);
      }),
      { numRuns: runs(200) },
    );
  });
});

/** Edits at character borders, ascending and apart from each other. */
function editsOf(text: string, marks: number[], added: string[]): TextEdit[] {
  const borders = [0];
  for (const character of text) borders.push(borders.at(-1)! + character.length);
  const places = [...new Set(marks.map((mark) => borders[mark % borders.length]!))].sort(
    (a, b) => a - b,
  );
  const edits: TextEdit[] = [];
  for (let index = 0; index + 1 < places.length; index += 2) {
    const [start, end] = [places[index]!, places[index + 1]!];
    edits.push({ start, end, text: added[index / 2] ?? "" });
  }
  return edits;
}

function applied(text: string, edits: readonly TextEdit[]): string {
  return edits.reduceRight(
    (result, { start, end, text }) => result.slice(0, start) + text + result.slice(end),
    text,
  );
}

const marks = fc.array(fc.nat(), { maxLength: 8 });
const added = fc.array(
  fc.oneof(fc.constantFrom(...snippets), fc.string({ unit: "binary", maxLength: 4 })),
  {
    maxLength: 4,
  },
);

describe("encodeEdited", () => {
  test("without edits gives the bytes back, broken ones too", () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => {
        expect(Buffer.compare(encodeEdited(decode(bytes), []), bytes)).toBe(0);
      }),
      { numRuns: runs(300) },
    );
  });

  test.each(encodings)("the edited text comes back from %s", (encoding) => {
    fc.assert(
      fc.property(anyText, marks, added, (text, marks, added) => {
        const before = decode(encoded(wellFormed(text), encoding));
        const edits = editsOf(before.text, marks, added);
        const wanted = applied(before.text, edits);
        // At the start of a file without a mark it would be one.
        fc.pre(before.mark > 0 || !wanted.startsWith("\ufeff"));
        const after = decode(encodeEdited(before, edits));
        expect(after.text).toBe(wanted);
        expect([after.encoding, after.mark]).toEqual([before.encoding, before.mark]);
      }),
      { numRuns: runs(150) },
    );
  });

  test("what lies outside the edits keeps its bytes", () => {
    fc.assert(
      fc.property(anyBytes, marks, added, (bytes, marks, added) => {
        const source = decode(bytes);
        const edits = editsOf(source.text, marks, added);
        const kept = keptBytes(source, edits);
        let after = Buffer.from(encodeEdited(source, edits));
        expect(after.subarray(0, source.mark)).toEqual(Buffer.from(bytes.subarray(0, source.mark)));
        for (const [index, part] of kept.entries()) {
          expect(Buffer.compare(after.subarray(0, part.length), part)).toBe(0);
          const inserted = edits[index] ? encodedAs(edits[index].text, source) : Buffer.alloc(0);
          after = after.subarray(part.length);
          expect(Buffer.compare(after.subarray(0, inserted.length), inserted)).toBe(0);
          after = after.subarray(inserted.length);
        }
        expect(after).toHaveLength(0);
      }),
      { numRuns: runs(300) },
    );
  });
});

function wellFormed(text: string): string {
  return Buffer.from(text).toString();
}

function encodedAs(text: string, { encoding }: Source): Buffer {
  if (encoding === "utf-8") return Buffer.from(text);
  const little = Buffer.from(text, "utf16le");
  return encoding === "utf-16le" ? little : little.swap16();
}

/** The bytes before, between and behind the edits, found by decoding ever longer beginnings of the file. */
function keptBytes(source: Source, edits: readonly TextEdit[]): Buffer[] {
  const { bytes, broken } = source;
  const lengthAt = new Map<number, number>();
  let byte = source.mark;
  let at = 0;
  for (const character of source.text) {
    lengthAt.set(at, byte);
    const lost = broken.find((place) => place.at === at);
    byte += lost ? lost.bytes : encodedAs(character, source).length;
    at += character.length;
  }
  lengthAt.set(at, byte);
  expect(byte).toBe(bytes.length);
  const borders = [
    0,
    ...edits.flatMap(({ start, end }) => [lengthAt.get(start)!, lengthAt.get(end)!]),
    bytes.length,
  ];
  const parts: Buffer[] = [];
  for (let index = 0; index < borders.length; index += 2) {
    parts.push(Buffer.from(bytes.subarray(borders[index], borders[index + 1])));
  }
  return parts;
}

/** Broken files: every statement with its value, and behind it what keeps Ollama from reading it. */
const broken: [string, string, string[]][] = [
  [
    "an unclosed quote, a typo, a keyword alone",
    `FROM llama3.2
SYSTEM "You are terse.

PARAMTER seed 1

TEMPLATE
PARAMETER num_ctx 8192
`,
    [
      "FROM = llama3.2",
      'SYSTEM = You are terse. ! unclosed-quote «"»',
      "PARAMTER = seed 1 ! unknown-keyword «PARAMTER»",
      "TEMPLATE ! no-value «TEMPLATE»",
      "PARAMETER num_ctx = 8192",
    ],
  ],
  [
    "an equals sign and two blanks",
    `FROM llama3.2
PARAMETER temperature=0.7
PARAMETER  seed 1
MESSAGE  user Hi
PARAMETER num_ctx 8192
`,
    [
      "FROM = llama3.2",
      "PARAMETER temperature = 0.7 ! wrong-separator «=»",
      "PARAMETER = seed 1",
      "MESSAGE user = Hi ! extra-blank « »",
      "PARAMETER num_ctx = 8192",
    ],
  ],
  [
    "typos",
    `FORM llama3.2
SYTEM You are terse.
PARAMETERS seed 1
PARAMETER num_ctx 8192
`,
    [
      "FORM = llama3.2 ! unknown-keyword «FORM»",
      "SYTEM = You are terse. ! unknown-keyword «SYTEM»",
      "PARAMETERS = seed 1 ! unknown-keyword «PARAMETERS»",
      "PARAMETER num_ctx = 8192",
    ],
  ],
  [
    "an unclosed block",
    `FROM llama3.2
SYSTEM """You are terse.
PARAMETER temperature 0.2
MESSAGE user Hi
`,
    [
      "FROM = llama3.2",
      'SYSTEM = You are terse. ! unclosed-quote «"""»',
      "PARAMETER temperature = 0.2",
      "MESSAGE user = Hi",
    ],
  ],
  [
    "remarks behind quotes",
    `FROM llama3.2
SYSTEM "You are terse." # be brief
PARAMETER stop "<|a|>" # first
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      "SYSTEM = You are terse. ! text-after-quote « # be brief»",
      "PARAMETER stop = <|a|> ! text-after-quote « # first»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "text behind a block",
    `FROM llama3.2
SYSTEM """You are terse.""" and kind
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      "SYSTEM = You are terse. ! text-after-quote « and kind»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "text that goes on in the next line",
    `FROM llama3.2
SYSTEM You are terse.
Be kind, too.
Answer in French.
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      "SYSTEM = You are terse.",
      "text ! stray-text «Be kind, too.»",
      "text ! stray-text «Answer in French.»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "colons",
    `FROM: llama3.2
SYSTEM: You are terse.
PARAMETER: seed 1
`,
    [
      "FROM = llama3.2 ! wrong-separator «: »",
      "SYSTEM = You are terse. ! wrong-separator «: »",
      "PARAMETER seed = 1 ! wrong-separator «: »",
    ],
  ],
  [
    "names that are none",
    `FROM=llama3.2
PARAMETER seed=1
PARAMETER top-p 0.9
PARAMETER num.ctx 10
PARAMETER top_k 40
`,
    [
      "FROM = llama3.2 ! wrong-separator «=»",
      "PARAMETER seed = 1 ! wrong-separator «=»",
      "PARAMETER top-p = 0.9 ! bad-name «top-p»",
      "PARAMETER num.ctx = 10 ! bad-name «num.ctx»",
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "roles that are none",
    `FROM llama3.2
MESSAGE bot Hi
MESSAGE User Hi
MESSAGE user: Hi
MESSAGE "Hi"
MESSAGE user
MESSAGE
MESSAGE assistant Ho
`,
    [
      "FROM = llama3.2",
      "MESSAGE bot = Hi ! unknown-role «bot»",
      "MESSAGE User = Hi ! unknown-role «User»",
      "MESSAGE user = Hi ! wrong-separator «: »",
      "MESSAGE = Hi ! no-separator «»",
      "MESSAGE user ! no-value «user»",
      "MESSAGE ! no-value «MESSAGE»",
      "MESSAGE assistant = Ho",
    ],
  ],
  [
    "nothing behind keywords and names",
    `FROM llama3.2
PARAMETER
PARAMETER seed
PARAMETER num_ctx 
ADAPTER
PARAMETER top_k 40
`,
    [
      "FROM = llama3.2",
      "PARAMETER ! no-value «PARAMETER»",
      "PARAMETER seed ! no-value «seed»",
      "PARAMETER num_ctx = ",
      "ADAPTER ! no-value «ADAPTER»",
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "no blank before the value",
    `FROM llama3.2
SYSTEM"You are terse."
TEMPLATE{{ .Prompt }}
PARAMETER seed"1"
MESSAGE user"Hi"
PARAMETER top_k 40
`,
    [
      "FROM = llama3.2",
      "SYSTEM = You are terse. ! no-separator «»",
      "TEMPLATE = {{ .Prompt }} ! no-separator «»",
      "PARAMETER seed = 1 ! no-separator «»",
      "MESSAGE user = Hi ! no-separator «»",
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "characters that cannot be seen",
    `\u200b\ufeffFROM llama3.2
PARAMETER\u00a0seed 1
PARAMETER seed\u00a01
SYSTEM\u200b Hi
PARAMETER top_k 40
`,
    [
      "FROM = llama3.2 ! invisible «\u200b\ufeff»",
      "PARAMETER seed = 1 ! wrong-separator «\u00a0»",
      "PARAMETER seed = 1 ! wrong-separator «\u00a0»",
      "SYSTEM = Hi ! wrong-separator «\u200b »",
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "instructions of a Dockerfile",
    `FROM\tllama3.2
ENV OLLAMA_DEBUG=1
RUN ollama pull llama3.2
LABEL version 1
PARAMETER top_k 40
`,
    [
      "FROM = llama3.2",
      "ENV = OLLAMA_DEBUG=1 ! unknown-keyword «ENV»",
      "RUN = ollama pull llama3.2 ! unknown-keyword «RUN»",
      "LABEL = version 1 ! unknown-keyword «LABEL»",
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "a fence of Markdown",
    `\`\`\`modelfile
FROM llama3.2
PARAMETER seed 1
\`\`\`
`,
    [
      "text ! stray-text «```modelfile»",
      "FROM = llama3.2",
      "PARAMETER seed = 1",
      "text ! stray-text «```»",
    ],
  ],
  [
    "a shell script",
    `ollama create me -f - <<EOF
FROM llama3.2
PARAMETER seed 1
EOF
`,
    [
      "text ! stray-text «ollama create me -f - <<EOF»",
      "FROM = llama3.2",
      "PARAMETER seed = 1",
      "EOF ! unknown-keyword «EOF»",
    ],
  ],
  [
    "JSON",
    `{
  "from": "llama3.2",
  "system": "Hi"
}
`,
    [
      "text ! stray-text «{»",
      'text ! stray-text «"from": "llama3.2",»',
      'text ! stray-text «"system": "Hi"»',
      "text ! stray-text «}»",
    ],
  ],
  [
    "an unclosed quote between CRLF",
    `FROM llama3.2\r
SYSTEM "You are terse.\r
PARAMETR seed 1\r
PARAMETER top_k 40\r
`,
    [
      "FROM = llama3.2",
      'SYSTEM = You are terse. ! unclosed-quote «"»',
      "PARAMETR = seed 1 ! unknown-keyword «PARAMETR»",
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "CR alone between lines",
    `FROM llama3.2\rSYTEM Hi\rPARAMETER top_k\rPARAMETER seed 1`,
    [
      "FROM = llama3.2",
      "SYTEM = Hi ! unknown-keyword «SYTEM»",
      "PARAMETER top_k ! no-value «top_k»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "quotes of Python",
    `FROM llama3.2
SYSTEM '''You are terse.
Be kind.
'''
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      "SYSTEM = '''You are terse.",
      "text ! stray-text «Be kind.»",
      "text ! stray-text «'''»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "a quote that closes a line later",
    `FROM llama3.2
PARAMETER stop "<|a|>
PARAMETER stop "<|b|>"
PARAMETER seed 1
`,
    ["FROM = llama3.2", 'PARAMETER stop = <|a|>\nPARAMETER stop "<|b|>', "PARAMETER seed = 1"],
  ],
  [
    "a lone quote",
    `FROM llama3.2
SYSTEM "
PARAMETER seed 1
SYSTEM """
`,
    ["FROM = llama3.2", 'SYSTEM = \nPARAMETER seed 1\nSYSTEM ""'],
  ],
  [
    "a line continuation and a typo",
    `FROM llama3.2
TEMPLATE """{{ .System }}
{{ .Prompt }}""" \\
PARAMETER seed 1
SYSTM Hi
`,
    [
      "FROM = llama3.2",
      "TEMPLATE = {{ .System }}\n{{ .Prompt }} ! text-after-quote « \\»",
      "PARAMETER seed = 1",
      "SYSTM = Hi ! unknown-keyword «SYSTM»",
    ],
  ],
  [
    "remarks of other languages",
    `FROM llama3.2
// a remark
-- another
PARAMETER seed 1 // three
`,
    [
      "FROM = llama3.2",
      "text ! stray-text «// a remark»",
      "text ! stray-text «-- another»",
      "PARAMETER seed = 1 // three",
    ],
  ],
  [
    "an unclosed quote around a name",
    `FROM "llama3.2
PARAMETER seed 1
LICENCE MIT
`,
    [
      'FROM = llama3.2 ! unclosed-quote «"»',
      "PARAMETER seed = 1",
      "LICENCE = MIT ! unknown-keyword «LICENCE»",
    ],
  ],
  [
    "a value that begins in the next line",
    `FROM llama3.2
PARAMETER num_ctx 8192 PARAMETER seed 1
SYSTEM
"""
Be kind.
"""
PARAMETER top_k 40
`,
    [
      "FROM = llama3.2",
      "PARAMETER num_ctx = 8192 PARAMETER seed 1",
      "SYSTEM ! no-value «SYSTEM»",
      'text ! stray-text «"""»',
      "text ! stray-text «Be kind.»",
      'text ! stray-text «"""»',
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "an unclosed block between messages",
    `FROM llama3.2
MESSAGE user """Hi
MESSAGE assistant Ho
MESSAGE sytem Hu
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      'MESSAGE user = Hi ! unclosed-quote «"""»',
      "MESSAGE assistant = Ho",
      "MESSAGE sytem = Hu ! unknown-role «sytem»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "two unclosed blocks",
    `FROM llama3.2
LICENSE """MIT License
Copyright 2024 "me"
SYSTEM """Hi""" there
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      'LICENSE = MIT License\nCopyright 2024 "me" ! unclosed-quote «"""»',
      "SYSTEM = Hi ! text-after-quote « there»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "no blank behind FROM at the end",
    `PARAMETER temperature 0.7
SYSTEM You help.
PARAMETR seed 1
FROM`,
    [
      "PARAMETER temperature = 0.7",
      "SYSTEM = You help.",
      "PARAMETR = seed 1 ! unknown-keyword «PARAMETR»",
      "FROM ! no-value «FROM»",
    ],
  ],
  [
    "instructions of the past",
    `FROM llama3.2
PROMPT Hi
EMBED *.txt
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      "PROMPT = Hi ! unknown-keyword «PROMPT»",
      "EMBED = *.txt ! unknown-keyword «EMBED»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "lower case",
    `from llama3.2
system: Hi
parametr seed 1
message user
parameter top_k 40
`,
    [
      "FROM = llama3.2",
      "SYSTEM = Hi ! wrong-separator «: »",
      "text ! stray-text «parametr seed 1»",
      "MESSAGE user ! no-value «user»",
      "PARAMETER top_k = 40",
    ],
  ],
  [
    "words of a text that are keywords",
    `FROM llama3.2
SYSTEM You are Bob.
From: Bob
Template for answers:
System
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      "SYSTEM = You are Bob.",
      "text ! stray-text «From: Bob»",
      "TEMPLATE = for answers:",
      "SYSTEM ! no-value «System»",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "indented lines",
    `  \tFROM llama3.2
  PARAMETER\tseed\t1
\tPARAMETER \ttop_k 40
  PARAMETER num_ctx
`,
    [
      "FROM = llama3.2",
      "PARAMETER seed = 1",
      "PARAMETER = top_k 40",
      "PARAMETER num_ctx ! no-value «num_ctx»",
    ],
  ],
  [
    "mistakes in most lines",
    `FROM llama3.2
SYSTEM "You are terse.

PARAMTER seed 1
MESSAGE
PARAMETER top-k
ADAPTER
PARAMETER num_ctx 8192
`,
    [
      "FROM = llama3.2",
      'SYSTEM = You are terse. ! unclosed-quote «"»',
      "PARAMTER = seed 1 ! unknown-keyword «PARAMTER»",
      "MESSAGE ! no-value «MESSAGE»",
      "PARAMETER top-k ! bad-name «top-k» ! no-value «top-k»",
      "ADAPTER ! no-value «ADAPTER»",
      "PARAMETER num_ctx = 8192",
    ],
  ],
  [
    "capitals in an unclosed text",
    `FROM llama3.2
SYSTEM """You are terse.
NEVER shout.
FROM now on be kind.
PARAMETER seed 1
`,
    [
      "FROM = llama3.2",
      'SYSTEM = You are terse.\nNEVER shout. ! unclosed-quote «"""»',
      "FROM = now on be kind.",
      "PARAMETER seed = 1",
    ],
  ],
  [
    "quotes and colons around names",
    `FROM llama3.2
PARAMETER "seed" 1
PARAMETER 'seed' 1
PARAMETER num_ctx: 8192
PARAMETER num_ctx := 8192
`,
    [
      "FROM = llama3.2",
      'PARAMETER "seed" = 1 ! bad-name «"seed"»',
      "PARAMETER 'seed' = 1 ! bad-name «'seed'»",
      "PARAMETER num_ctx = 8192 ! wrong-separator «: »",
      "PARAMETER num_ctx = := 8192",
    ],
  ],
];

function described(node: Statement, { text }: Modelfile): string {
  const flaws = node.flaws.map(({ kind, start, end }) => ` ! ${kind} «${text.slice(start, end)}»`);
  return unflawed(node) + flaws.join("");
}

function unflawed(node: Statement): string {
  if (node.kind === "stray") return "text";
  const word =
    node.kind === "parameter" ? node.parameter : node.kind === "message" ? node.role : "";
  const name = `${node.name} ${word}`.trimEnd();
  return node.value ? `${name} = ${node.value.text}` : name;
}

describe("every mistake of a broken file is found, and what follows is read", () => {
  test.each(broken)("%s", (_, text, expected) => {
    const file = parseModelfile(text);
    expect(file.statements.map((node) => described(node, file))).toEqual(expected);
    expectWhole(file);
    // The first flaw is where Ollama stops.
    const result = readOracle(Buffer.from(text));
    expect(result.ok).toBe(!file.statements.some(({ flaws }) => flaws.length > 0));
    expect(readTree(file)).toMatchObject(result);
  });
});

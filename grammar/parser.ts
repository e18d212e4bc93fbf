import "../src/compat.js";
import { EmbeddedActionsParser, type IToken } from "chevrotain";
import { isBlank, isLetter, isNameCharacter, keptText, unitsOf } from "./characters.js";
import { lex, type Dialect } from "./lexer.js";
import * as t from "./tokens.js";
import { isStatement } from "./tree.js";
import type {
  Flaw,
  FlawKind,
  Leaf,
  Modelfile,
  Node,
  Span,
  Statement,
  Stop,
  Value,
} from "./tree.js";

/** The dialect of every release since 0.2.0. */
const current: Dialect = { trimsValues: true };

const roles = new Set(["system", "user", "assistant"]);

/**
 * The grammar. What Ollama accepts and what it refuses both have their rules, so that each statement
 * of a broken file still becomes a node; `flaws` on the node tell the two apart. The lexer never hands
 * over a sequence that the grammar lacks (test/grammar.test.ts holds it to that), so Chevrotain's own
 * error recovery stays off.
 */
export class ModelfileParser extends EmbeddedActionsParser {
  private text = "";
  private taken = 0;

  constructor(options: { skipValidations: boolean }) {
    super(t.vocabulary, { maxLookahead: 2, recoveryEnabled: false, ...options });
    this.performSelfAnalysis();
  }

  read(text: string, tokens: IToken[]): Modelfile {
    this.text = text;
    this.taken = 0;
    this.input = tokens;
    const nodes = this.modelfile();
    if (this.errors.length > 0)
      throw new Error(`The grammar lacks a case: ${this.errors[0]!.message}`);
    const statements = nodes.filter(isStatement);
    return { start: 0, end: text.length, text, nodes, statements };
  }

  readonly modelfile = this.RULE("modelfile", (): Node[] => {
    const nodes: Node[] = [];
    this.MANY(() => {
      const node = this.OR([
        { ALT: () => this.SUBRULE(this.gap) },
        { ALT: () => this.SUBRULE(this.comment) },
        { ALT: () => this.SUBRULE(this.statement) },
        { ALT: () => this.SUBRULE(this.stray) },
      ]);
      this.ACTION(() => nodes.push(node));
    });
    return nodes;
  });

  private readonly gap = this.RULE("gap", (): Node => {
    this.CONSUME(t.Gap);
    return this.ACTION(() => {
      const leaves = this.take();
      return { kind: "gap", start: startOf(leaves), end: endOf(leaves), leaves };
    });
  });

  private readonly comment = this.RULE("comment", (): Node => {
    this.CONSUME(t.Comment);
    return this.ACTION(() => {
      const leaves = this.take();
      return { kind: "comment", start: startOf(leaves), end: endOf(leaves), leaves };
    });
  });

  private readonly statement = this.RULE("statement", (): Statement => {
    const flaws: Flaw[] = [];
    const invisible = this.OPTION(() => this.CONSUME(t.Invisible));
    this.ACTION(() => invisible && this.checkInvisible(invisible, flaws));
    return this.OR([
      { ALT: () => this.SUBRULE(this.instruction, { ARGS: [flaws] }) },
      { ALT: () => this.SUBRULE(this.parameter, { ARGS: [flaws] }) },
      { ALT: () => this.SUBRULE(this.message, { ARGS: [flaws] }) },
      { ALT: () => this.SUBRULE(this.unknown, { ARGS: [flaws] }) },
    ]);
  });

  private readonly instruction = this.RULE("instruction", (flaws: Flaw[]): Statement => {
    const keyword = this.CONSUME(t.ValueKeyword);
    const value = this.SUBRULE(this.rest, { ARGS: [flaws, keyword] });
    return this.ACTION(() => {
      const leaves = this.take();
      return {
        kind: "instruction",
        name: this.image(keyword).toUpperCase(),
        keyword: span(keyword),
        value,
        flaws,
        start: startOf(leaves),
        end: endOf(leaves),
        leaves,
      };
    });
  });

  private readonly parameter = this.RULE("parameter", (flaws: Flaw[]): Statement => {
    const keyword = this.CONSUME(t.Parameter);
    let name: IToken | undefined;
    let value: Value | undefined;
    const separated = this.OPTION(() => {
      this.SUBRULE(this.separator, { ARGS: [flaws, keyword] });
      name = this.OPTION1(() =>
        this.OR([{ ALT: () => this.CONSUME(t.Name) }, { ALT: () => this.CONSUME(t.BadName) }]),
      );
      this.ACTION(() => name && this.checkName(name, flaws));
      value = this.SUBRULE(this.rest, { ARGS: [flaws, name] });
      return true;
    });
    return this.ACTION(() => {
      if (!separated) flaws.push(this.noValue(keyword));
      const leaves = this.take();
      return {
        kind: "parameter",
        name: "PARAMETER",
        keyword: span(keyword),
        parameter: keptText(this.image(name)),
        parameterSpan: name ? span(name) : emptyAfter(keyword),
        value,
        flaws,
        start: startOf(leaves),
        end: endOf(leaves),
        leaves,
      };
    });
  });

  private readonly message = this.RULE("message", (flaws: Flaw[]): Statement => {
    const keyword = this.CONSUME(t.Message);
    let role: IToken | undefined;
    let value: Value | undefined;
    const separated = this.OPTION(() => {
      this.SUBRULE(this.separator, { ARGS: [flaws, keyword] });
      const blank = this.OPTION1(() => this.CONSUME(t.ExtraBlank));
      this.ACTION(
        () =>
          blank &&
          flaws.push(this.flaw("extra-blank", blank, { error: "role", at: blank.startOffset + 1 })),
      );
      role = this.OPTION2(() =>
        this.OR([{ ALT: () => this.CONSUME(t.Role) }, { ALT: () => this.CONSUME(t.BadRole) }]),
      );
      this.ACTION(() => role && this.checkRole(role, flaws));
      value = this.SUBRULE(this.rest, { ARGS: [flaws, role] });
      return true;
    });
    return this.ACTION(() => {
      if (!separated) flaws.push(this.noValue(keyword));
      const leaves = this.take();
      return {
        kind: "message",
        name: "MESSAGE",
        keyword: span(keyword),
        role: keptText(this.image(role)),
        roleSpan: role ? span(role) : emptyAfter(keyword),
        value,
        flaws,
        start: startOf(leaves),
        end: endOf(leaves),
        leaves,
      };
    });
  });

  private readonly unknown = this.RULE("unknown", (flaws: Flaw[]): Statement => {
    const keyword = this.CONSUME(t.UnknownKeyword);
    this.ACTION(() =>
      flaws.push(this.flaw("unknown-keyword", keyword, this.wordStop(keyword.startOffset))),
    );
    const value = this.SUBRULE(this.rest, { ARGS: [[], keyword] });
    return this.ACTION(() => {
      const leaves = this.take();
      return {
        kind: "unknown",
        name: this.image(keyword),
        keyword: span(keyword),
        value,
        flaws,
        start: startOf(leaves),
        end: endOf(leaves),
        leaves,
      };
    });
  });

  private readonly stray = this.RULE("stray", (): Statement => {
    const line = this.CONSUME(t.StrayText);
    return this.ACTION(() => {
      const leaves = this.take();
      return {
        kind: "stray",
        flaws: [this.flaw("stray-text", line, this.wordStop(line.startOffset))],
        start: startOf(leaves),
        end: endOf(leaves),
        leaves,
      };
    });
  });

  /** A separator and a value; where there is none, Ollama stops behind `before`. */
  private readonly rest = this.RULE("rest", (flaws: Flaw[], before?: IToken): Value | undefined => {
    const value = this.OPTION(() => {
      this.SUBRULE(this.separator, { ARGS: [flaws, before] });
      return this.SUBRULE(this.value, { ARGS: [flaws] });
    });
    this.ACTION(() => {
      if (!value) flaws.push(this.noValue(before));
    });
    return value;
  });

  private readonly separator = this.RULE("separator", (flaws: Flaw[], before?: IToken): void => {
    this.OR([
      { ALT: () => this.CONSUME(t.Separator) },
      {
        ALT: () => {
          const token = this.CONSUME(t.WrongSeparator);
          this.ACTION(() =>
            flaws.push(this.flaw("wrong-separator", token, this.brokenOff(before, token))),
          );
        },
      },
      {
        ALT: () => {
          const token = this.CONSUME(t.NoSeparator);
          this.ACTION(() =>
            flaws.push(this.flaw("no-separator", token, this.brokenOff(before, token))),
          );
        },
      },
    ]);
  });

  private readonly value = this.RULE("value", (flaws: Flaw[]): Value => {
    this.OPTION(() => this.CONSUME(t.Margin));
    const value = this.OPTION1(() =>
      this.OR([
        { ALT: () => this.SUBRULE(this.bare) },
        { ALT: () => this.SUBRULE(this.quoted, { ARGS: [flaws] }) },
      ]),
    );
    this.OPTION2(() => this.CONSUME1(t.Margin));
    return this.ACTION(() => {
      if (value) return value;
      const end = this.LA(0).endOffset! + 1;
      return {
        start: end,
        end,
        text: "",
        quote: "",
        content: { start: end, end },
        closed: true,
        after: undefined,
      };
    });
  });

  private readonly bare = this.RULE("bare", (): Value => {
    const text = this.CONSUME(t.BareText);
    return this.ACTION(() => ({
      start: text.startOffset,
      end: text.endOffset! + 1,
      text: keptText(this.image(text)),
      quote: "",
      content: span(text),
      closed: true,
      after: undefined,
    }));
  });

  private readonly quoted = this.RULE("quoted", (flaws: Flaw[]): Value => {
    let after: IToken | undefined;
    const open = this.CONSUME(t.OpenQuote);
    const text = this.OPTION(() => this.CONSUME(t.QuotedText));
    const close = this.OPTION1(() => {
      const quote = this.CONSUME(t.CloseQuote);
      after = this.OPTION2(() => this.CONSUME(t.AfterQuote));
      return quote;
    });
    return this.ACTION(() => {
      const stop: Stop = { error: "end", at: this.text.length };
      if (after) flaws.push(this.flaw("text-after-quote", after, stop));
      else if (!close) flaws.push(this.flaw("unclosed-quote", open, stop));
      const start = open.endOffset! + 1;
      return {
        start: open.startOffset,
        end: (close ?? text ?? open).endOffset! + 1,
        text: keptText(this.image(text)),
        quote: open.endOffset! > open.startOffset ? '"""' : '"',
        content: { start, end: text ? text.endOffset! + 1 : start },
        closed: close !== undefined && !after,
        after: after && span(after),
      };
    });
  });

  private image(token: IToken | undefined): string {
    return token ? this.text.slice(token.startOffset, token.endOffset! + 1) : "";
  }

  /** The leaves consumed since the last node. */
  private take(): Leaf[] {
    const leaves: Leaf[] = [];
    const last = this.LA(0);
    for (let token; token !== last;) {
      token = this.input[this.taken++]!;
      if (token.tokenType === t.NoSeparator) continue;
      const { startOffset: start, endOffset } = token;
      leaves.push({ type: token.tokenType.name, start, end: endOffset! + 1 });
    }
    return leaves;
  }

  private flaw(kind: FlawKind, token: IToken, stop: Stop): Flaw {
    return { kind, ...span(token), stop };
  }

  /** Ollama ignores one character that it cannot print before a keyword, and no more. */
  private checkInvisible(token: IToken, flaws: Flaw[]): void {
    const first = this.text.codePointAt(token.startOffset)!;
    if (token.endOffset! + 1 - token.startOffset > unitsOf(first)) {
      flaws.push(this.flaw("invisible", token, this.wordStop(token.startOffset)));
    }
  }

  private checkName(token: IToken, flaws: Flaw[]): void {
    if (token.tokenType !== t.BadName) return;
    flaws.push(this.flaw("bad-name", token, this.nameStop(token.startOffset, isNameCharacter)));
  }

  private checkRole(token: IToken, flaws: Flaw[]): void {
    if (token.tokenType === t.BadRole) {
      flaws.push(this.flaw("bad-role", token, this.nameStop(token.startOffset, isLetter)));
    } else if (!roles.has(this.image(token))) {
      const stop = this.nameStop(token.startOffset, isLetter);
      const end = token.endOffset! + 1;
      const blank = end < this.text.length && isBlank(this.text.charCodeAt(end));
      flaws.push(this.flaw("unknown-role", token, blank ? { error: "role", at: end + 1 } : stop));
    }
  }

  private noValue(before: IToken | undefined): Flaw {
    const end = this.LA(0).endOffset! + 1;
    const at = { startOffset: before?.startOffset ?? end, endOffset: end - 1 };
    return { kind: "no-value", start: at.startOffset, end, stop: this.brokenOff(before) };
  }

  /** The stop of a keyword, name or role that no blank follows. */
  private brokenOff(before: IToken | undefined, separator?: IToken): Stop {
    if (before?.tokenType === t.Name || before?.tokenType === t.BadName) {
      return this.nameStop(before.startOffset, isNameCharacter);
    }
    if (before?.tokenType === t.Role || before?.tokenType === t.BadRole) {
      return this.nameStop(before.startOffset, isLetter);
    }
    if (before) return this.wordStop(before.startOffset);
    const at = separator ? separator.startOffset : this.LA(0).endOffset! + 1;
    return this.nameStop(at, isLetter);
  }

  /** E1: a keyword is one character, whatever it is, then letters, then a blank. */
  private wordStop(start: number): Stop {
    const { text } = this;
    let at = start + unitsOf(text.codePointAt(start)!);
    while (at < text.length && isLetter(text.charCodeAt(at))) at++;
    if (at >= text.length) return { error: "end", at };
    return { error: "command", at: at + unitsOf(text.codePointAt(at)!) };
  }

  /** E3: a name or role that something other than a blank ends. */
  private nameStop(start: number, belongs: (code: number) => boolean): Stop {
    const { text } = this;
    let at = start;
    while (at < text.length && belongs(text.charCodeAt(at))) at++;
    if (at >= text.length) return { error: "end", at };
    return { error: "name", at: at + unitsOf(text.codePointAt(at)!), read: text.slice(start, at) };
  }
}

function startOf(leaves: readonly Leaf[]): number {
  return leaves[0]!.start;
}

function endOf(leaves: readonly Leaf[]): number {
  return leaves.at(-1)!.end;
}

function span(token: IToken): Span {
  return { start: token.startOffset, end: token.endOffset! + 1 };
}

function emptyAfter(token: IToken): Span {
  const at = token.endOffset! + 1;
  return { start: at, end: at };
}

let parser: ModelfileParser | undefined;

/**
 * Reads the text of a Modelfile into a tree. Never throws and never gives up: what Ollama refuses is a
 * node with `flaws`. `dialect` is that of a release before 0.2.0 where values are not trimmed.
 */
export function parseModelfile(text: string, dialect: Dialect = current): Modelfile {
  parser ??= new ModelfileParser({ skipValidations: true });
  return parser.read(text, lex(text, dialect));
}

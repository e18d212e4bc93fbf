/** A word of a command, quotes included. */
export interface Word {
  start: number;
  end: number;
  raw: string;
  /** How it is quoted, from its first to its last character. */
  quote: "none" | "single" | "double" | "mixed";
}

export interface Redirection {
  operator: string;
  target: Word | undefined;
}

/** The lines that `<<` takes, without the line of the delimiter. */
export interface Heredoc {
  start: number;
  end: number;
  delimiter: string;
  /** The delimiter is quoted: nothing is expanded. */
  quoted: boolean;
  /** `<<-`: tabs in front of each line are dropped. */
  dash: boolean;
}

export interface Command {
  start: number;
  words: Word[];
  redirections: Redirection[];
  heredocs: Heredoc[];
  /** The command whose output it reads. */
  from: Command | undefined;
  /** Another command reads what this one writes. */
  piped: boolean;
  /** Commands with the same number run once, one behind the other. */
  run: number;
}

/** Words after which it is no longer certain that a command runs, or runs once. */
const control =
  /^(?:if|then|else|elif|fi|for|while|until|do|done|case|esac|select|function|\{|\}|!)$/;

/** Commands that "&&" makes a condition of. */
const conditions = /^(?:\[\[?|test|grep|command|which|type)$/;

/** What a delimiter is written like. */
const delimiters = /[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|(\\?)([\w.!%+,:@^~/-]+))/y;

interface Frame {
  /** `$(` and `(`, or what is in double quotes. */
  kind: "commands" | "quotes";
  command: Command;
  word: Word | undefined;
  run: number;
}

/**
 * The commands of a shell script (POSIX, bash, zsh), as far as is needed to see what they write and where:
 * no arithmetic, no patterns. What it cannot make out it passes over; it never throws, and takes linear time.
 */
export function commandsIn(text: string): Command[] {
  const script = new Script(text);
  script.read();
  return script.commands;
}

class Script {
  readonly commands: Command[] = [];
  private readonly text: string;
  private at = 0;
  private runs = 0;
  private run = 0;
  private conditional = false;
  private command: Command;
  private word: Word | undefined;
  private readonly frames: Frame[] = [];
  private pending: { heredoc: Heredoc; command: Command }[] = [];
  private awaited: Redirection | undefined;
  private lines: DelimiterLines | undefined;
  private noSingleQuoteFrom = Infinity;

  constructor(text: string) {
    this.text = text;
    this.command = this.newCommand(0);
  }

  read(): void {
    const { text } = this;
    while (this.at < text.length) {
      const character = text[this.at]!;
      if (this.frames.at(-1)?.kind === "quotes") this.inQuotes(character);
      else this.inCommands(character);
    }
    this.endCommand(false);
  }

  private inQuotes(character: string): void {
    const { text, at } = this;
    if (character === "\\") this.at += 2;
    else if (character === '"') this.leave(1);
    else if (character === "$" && text[at + 1] === "(") this.enter("commands", 2);
    else this.at++;
  }

  private inCommands(character: string): void {
    const { text, at } = this;
    switch (character) {
      case " ":
      case "\t":
      case "\r":
        this.endWord();
        this.at++;
        return;
      case "\n":
        this.endCommand(false);
        if (this.conditional) this.newRun();
        this.conditional = false;
        this.at++;
        this.takeHeredocs();
        return;
      case "#":
        if (this.word) this.at++;
        else this.at = lineEnd(text, at);
        return;
      case "\\":
        this.escape();
        return;
      case "'":
        this.singleQuotes();
        return;
      case '"':
        this.inWord("double");
        this.enter("quotes", 1);
        return;
      case "<":
      case ">":
        this.redirection();
        return;
      case "|":
      case "&":
      case ";":
        this.separator(character);
        return;
      case "(":
      case ")":
        this.parenthesis(character);
        return;
      default:
        if (character === "$" && text[at + 1] === "(") {
          this.inWord("mixed");
          this.enter("commands", 2);
          return;
        }
        this.inWord("none");
        this.at++;
    }
  }

  private escape(): void {
    const end = /\\\r?\n/y;
    end.lastIndex = this.at;
    const broken = end.exec(this.text);
    if (broken) {
      this.endWord();
      this.at += broken[0].length;
      return;
    }
    this.inWord("mixed");
    this.at += 2;
  }

  private singleQuotes(): void {
    const closing = this.at >= this.noSingleQuoteFrom ? -1 : this.text.indexOf("'", this.at + 1);
    if (closing < 0) {
      this.noSingleQuoteFrom = Math.min(this.noSingleQuoteFrom, this.at);
      this.inWord("mixed");
      this.at++;
      return;
    }
    this.inWord("single");
    this.at = closing + 1;
  }

  private redirection(): void {
    const operators = /<<<|<<-?|<&|<>|<\(|>>|>\||>&|>\(|[<>]/y;
    operators.lastIndex = this.at;
    const [operator] = operators.exec(this.text)!;
    if (operator.endsWith("(")) {
      this.inWord("mixed");
      this.enter("commands", 2);
      return;
    }
    // Digits that adjoin say which file: 1 is what a command writes, 2 what it complains.
    const file = this.word && /^\d$/.test(this.text.slice(this.word.start, this.at));
    const number = file ? this.text[this.at - 1] : undefined;
    if (file) this.word = undefined;
    this.endWord();
    this.at += operator.length;
    if (operator === "<<" || operator === "<<-") {
      this.heredoc(operator === "<<-");
      return;
    }
    this.awaited = {
      operator: (number === "1" ? "" : (number ?? "")) + operator,
      target: undefined,
    };
    this.command.redirections.push(this.awaited);
  }

  private heredoc(dash: boolean): void {
    delimiters.lastIndex = this.at;
    const match = delimiters.exec(this.text);
    if (!match) return;
    const [all, single, double, backslash, plain] = match;
    this.at += all.length;
    const delimiter = single ?? double ?? plain ?? "";
    const quoted = single !== undefined || double !== undefined || backslash === "\\";
    const heredoc: Heredoc = { start: 0, end: 0, delimiter, quoted, dash };
    this.pending.push({ heredoc, command: this.command });
  }

  private separator(character: string): void {
    const double = this.text[this.at + 1] === character;
    this.at += double ? 2 : 1;
    if (character === "&" && this.text[this.at] === ">") {
      this.endWord();
      return;
    }
    const condition = conditions.test(this.command.words[0]?.raw ?? "");
    this.endCommand(character === "|" && !double);
    // What follows "||" runs only where the command before it fails.
    if (!double || character === ";" || (character === "&" && !condition)) return;
    this.conditional = true;
    this.newRun();
  }

  private parenthesis(character: string): void {
    if (character === "(") {
      this.endCommand(false);
      this.enter("commands", 1);
      return;
    }
    const inside = this.frames.at(-1)?.kind === "commands";
    this.endCommand(false);
    if (inside) this.leave(1);
    else {
      this.at++;
      this.newRun();
    }
  }

  /** Goes on in quotes or parentheses; the command around them waits. */
  private enter(kind: Frame["kind"], length: number): void {
    this.frames.push({ kind, command: this.command, word: this.word, run: this.run });
    this.at += length;
    if (kind !== "commands") return;
    this.run = ++this.runs;
    this.word = undefined;
    this.command = this.newCommand(this.at);
  }

  private leave(length: number): void {
    const frame = this.frames.pop()!;
    this.at += length;
    this.word = frame.word;
    this.command = frame.command;
    this.run = frame.run;
  }

  private newRun(): void {
    this.run = ++this.runs;
    this.command.run = this.run;
  }

  private inWord(quote: Word["quote"]): void {
    if (!this.word) this.word = { start: this.at, end: this.at, raw: "", quote };
    else if (this.word.quote !== quote || quote !== "none") this.word.quote = "mixed";
  }

  private endWord(): void {
    const { word } = this;
    if (!word) return;
    this.word = undefined;
    word.end = this.at;
    word.raw = this.text.slice(word.start, word.end);
    if (this.awaited) {
      this.awaited.target = word;
      this.awaited = undefined;
      return;
    }
    if (this.command.words.length === 0) {
      this.command.start = word.start;
      if (control.test(word.raw)) {
        this.newRun();
        return;
      }
    }
    this.command.words.push(word);
  }

  private endCommand(piped: boolean): void {
    this.endWord();
    this.awaited = undefined;
    const { command } = this;
    command.piped = piped;
    const waiting = this.pending.some((one) => one.command === command);
    if (command.words.length > 0 || command.redirections.length > 0 || waiting) {
      this.commands.push(command);
    }
    this.command = this.newCommand(this.at, piped ? command : undefined);
  }

  private newCommand(start: number, from?: Command): Command {
    const { run } = this;
    return { start, words: [], redirections: [], heredocs: [], from, piped: false, run };
  }

  /** The lines below a line with `<<`, for each of them up to its delimiter. */
  private takeHeredocs(): void {
    const { pending } = this;
    this.pending = [];
    for (const { heredoc, command } of pending) {
      const end = this.delimiterLine(heredoc);
      // None: it was a shift ("1 << 4"), or the file is cut off.
      if (end === undefined) continue;
      heredoc.start = this.at;
      heredoc.end = end;
      command.heredocs.push(heredoc);
      this.at = Math.min(lineEnd(this.text, end) + 1, this.text.length);
    }
  }

  private delimiterLine({ delimiter, dash }: Heredoc): number | undefined {
    this.lines ??= delimiterLines(this.text);
    const lines = this.lines[dash ? "indented" : "flush"].get(delimiter) ?? [];
    let low = 0;
    let high = lines.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (lines[middle]! < this.at) low = middle + 1;
      else high = middle;
    }
    return lines[low];
  }
}

/** Where the lines begin that may be delimiters, by their text: those with tabs in front as well, and those without. */
interface DelimiterLines {
  indented: ReadonlyMap<string, readonly number[]>;
  flush: ReadonlyMap<string, readonly number[]>;
}

function delimiterLines(text: string): DelimiterLines {
  const indented = new Map<string, number[]>();
  const flush = new Map<string, number[]>();
  for (const { 0: line, 1: word, index } of text.matchAll(/^\t*(\S.{0,80}?)\r?$/gm)) {
    for (const lines of line.startsWith("\t") ? [indented] : [indented, flush]) {
      const known = lines.get(word!);
      if (known) known.push(index);
      else lines.set(word!, [index]);
    }
  }
  return { indented, flush };
}

function lineEnd(text: string, from: number): number {
  const at = text.indexOf("\n", from);
  return at < 0 ? text.length : at;
}

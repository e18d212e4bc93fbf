/** A variable whose value is the word: "$MODEL". */
export interface Variable {
  variable: string;
}

/** A word of a POSIX shell that stands for exactly this text: bare where that is safe, in single quotes otherwise. */
export function shellWord(text: string): string {
  // No argument can hold a NUL, and a shell drops it.
  const whole = text.replaceAll("\0", "");
  if (/^[A-Za-z0-9_@%+:,./-]+$/.test(whole)) return whole;
  return `'${whole.replaceAll("'", String.raw`'\''`)}'`;
}

/** A word, or a variable in double quotes, so that nothing in its value counts. */
export function shellValue(value: string | Variable): string {
  return typeof value === "string" ? shellWord(value) : `"$${value.variable}"`;
}

/** A comment of one line: what breaks lines, or steers a terminal, becomes a blank. */
export function shellComment(text: string): string {
  return `# ${text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ").trim()}`;
}

/** A command with one argument, or an option and its value, a line. */
export function shellCommand(command: string, lines: readonly string[]): string {
  return [command, ...lines].join(" \\\n  ");
}

import { commandsIn } from "../embedded/shell-words.js";

/**
 * The words of the command that runs a program, quotes resolved, from what may be a script, a line of a log
 * or of a Windows prompt. Variables are left as they are written. Empty where there is no such command.
 */
export function commandWords(text: string, program: RegExp): string[] {
  const line = loggedCommand(text) ?? text;
  const isWindows = /\.exe\b|(?:^|[\s"'])[A-Za-z]:\\/m.test(line);
  const commands = isWindows
    ? windowsCommands(line)
    : commandsIn(line).map(({ words }) => words.map(({ raw }) => unquoted(raw)));
  return (
    commands.find((words) => words.some((word) => program.test(word))) ??
    commands.find((words) => words.some((word) => word.startsWith("-"))) ??
    []
  );
}

/** Ollama logs `msg="starting llama-server" cmd="/usr/lib/ollama/llama-server --model …"`. */
function loggedCommand(text: string): string | undefined {
  const quoted = /\bcmd="((?:\\.|[^"\\])*)"/.exec(text)?.[1];
  return quoted?.replaceAll(/\\(.)/g, "$1").replaceAll(/^\[|\]$/g, "");
}

/** cmd.exe and PowerShell: backslashes are part of paths, and a line goes on behind ^ or a backtick. */
function windowsCommands(text: string): string[][] {
  return text
    .replaceAll(/[\^`][ \t]*\r?\n/g, " ")
    .split(/\r?\n/)
    .map((line) =>
      [...line.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g)].map(([word]) =>
        word.replaceAll(/["']/g, ""),
      ),
    );
}

/** A word of a POSIX shell without its quotes. */
function unquoted(raw: string): string {
  return raw.replaceAll(
    /'([^']*)'|"((?:\\[^]|[^"\\])*)"|\\([^])/g,
    (_, single?: string, double?: string, bare?: string) =>
      single ??
      double?.replaceAll(/\\([$`"\\\n])/g, (_all, one: string) => (one === "\n" ? "" : one)) ??
      (bare === "\n" ? "" : bare!),
  );
}

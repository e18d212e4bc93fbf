import { shellCommand, shellComment, shellValue, shellWord, type Variable } from "./shell-words.js";

/** An option of llama-server, with the value behind it. */
export type Argument = readonly [flag: string, value?: string | Variable];

/** Something that the user has to fill in. */
export interface Blank {
  variable: string;
  /** What it is to hold; one sentence. */
  means: string;
}

export interface Command {
  /** Comments on top. */
  about: readonly string[];
  blanks: readonly Blank[];
  /** The port where PORT is not set; absent: the command says nothing of it. */
  port?: number;
  environment: Readonly<Record<string, string>>;
  arguments: readonly Argument[];
}

/** A script for a POSIX shell. LLAMA_SERVER names another program than the one in PATH. */
export function commandScript(command: Command): string {
  const { about, blanks, port, environment } = command;
  const lines = command.arguments.map(([flag, value]) =>
    value === undefined ? flag : `${flag} ${shellValue(value)}`,
  );
  return [
    "#!/bin/sh",
    ...about.map(shellComment),
    "set -eu",
    ...blanks.flatMap(({ variable, means }) => [
      shellComment(`${variable}: ${means}`),
      `: "\${${variable}:?}"`,
    ]),
    ...(port === undefined ? [] : [`: "\${PORT:=${port}}"`]),
    ...Object.entries(environment).map(([name, value]) => `export ${name}=${shellWord(value)}`),
    shellCommand('exec "${LLAMA_SERVER:-llama-server}"', lines),
    "",
  ].join("\n");
}

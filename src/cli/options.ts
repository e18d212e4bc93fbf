import { parseArgs, type ParseArgsConfig } from "node:util";
import { nearest } from "../nearest.js";

/** A command line that cannot be followed: one sentence, and exit code 2. */
export class UsageError extends Error {
  override name = "UsageError";
}

export const options = {
  machine: { type: "string", multiple: true },
  ollama: { type: "string" },
  server: { type: "string", multiple: true },
  model: { type: "string", multiple: true },
  online: { type: "boolean" },
  fix: { type: "boolean" },
  "unsafe-fixes": { type: "boolean" },
  diff: { type: "boolean" },
  explain: { type: "boolean" },
  "exit-non-zero-on-fix": { type: "boolean" },
  "stdin-file-name": { type: "string" },
  format: { type: "string" },
  json: { type: "boolean" },
  rule: { type: "string", multiple: true },
  "fail-on": { type: "string" },
  "max-warnings": { type: "string" },
  messages: { type: "string" },
  sample: { type: "string" },
  tools: { type: "string" },
  think: { type: "boolean" },
  generate: { type: "boolean" },
  prompt: { type: "string" },
  suffix: { type: "string" },
  template: { type: "boolean" },
  date: { type: "string" },
  check: { type: "boolean" },
  to: { type: "string" },
  from: { type: "string" },
  output: { type: "string", short: "o" },
  force: { type: "boolean" },
  name: { type: "string" },
  digests: { type: "boolean" },
  watch: { type: "boolean" },
  embedded: { type: "boolean" },
  threads: { type: "string" },
  "no-cache": { type: "boolean" },
  stdio: { type: "boolean" },
  // What vscode-languageclient adds; the protocol library reads it by itself.
  clientProcessId: { type: "string" },
  config: { type: "string" },
  "no-config": { type: "boolean" },
  "print-config": { type: "string" },
  "no-ignore": { type: "boolean" },
  baseline: { type: "string" },
  "no-baseline": { type: "boolean" },
  "update-baseline": { type: "boolean" },
  color: { type: "boolean" },
  "no-color": { type: "boolean" },
  quiet: { type: "boolean", short: "q" },
  help: { type: "boolean", short: "h" },
  version: { type: "boolean", short: "v" },
} as const satisfies NonNullable<ParseArgsConfig["options"]>;

export type Options = ReturnType<typeof parse>["values"];

function parse(args: string[]) {
  return parseArgs({ args, options, allowPositionals: true, strict: true });
}

/** Options and the rest of a command line. Throws UsageError for one that does not exist or lacks its value. */
export function readOptions(args: string[]): { values: Options; positionals: string[] } {
  try {
    return parse(args);
  } catch (error) {
    const unknown = args.find((arg) => {
      const name = /^--([^=]+)/.exec(arg)?.[1];
      return name !== undefined && !Object.hasOwn(options, name);
    });
    if (unknown !== undefined) {
      const name = /^--([^=]+)/.exec(unknown)![1]!;
      const guess = nearest(name, Object.keys(options));
      throw new UsageError(
        `Unknown option "--${name}".${guess ? ` Did you mean "--${guess}"?` : " See --help."}`,
      );
    }
    const lacking = /Option '(?:-\w, )?(--[\w-]+).*' argument (?:missing|is ambiguous)/.exec(
      (error as Error).message,
    );
    if (lacking) throw new UsageError(`${lacking[1]} needs a value. See --help.`);
    throw new UsageError(`${(error as Error).message.split(". ")[0]}. See --help.`);
  }
}

/** NAME=VALUE pairs of an option that may be given several times. */
export function pairs(
  given: readonly string[] | undefined,
  option: string,
  form: string,
): [string, string][] {
  return (given ?? []).map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new UsageError(`${option} takes ${form}, not "${text}".`);
    return [text.slice(0, at), text.slice(at + 1)];
  });
}

/** One of the words that an option takes. */
export function oneOf<T extends string>(text: string, words: readonly T[], option: string): T {
  const found = words.find((word) => word === text);
  if (found !== undefined) return found;
  const guess = nearest(text, words);
  throw new UsageError(
    `${option} takes ${words.join(", ")}, not "${text}".${guess ? ` Did you mean "${guess}"?` : ""}`,
  );
}

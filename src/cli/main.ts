#!/usr/bin/env node
import "../compat.js";
import process from "node:process";
import { InputError } from "../host.js";
import { helpFor } from "./help.js";
import { readOptions, UsageError, type Options } from "./options.js";
import type { VerbName } from "./verbs.js";
import { version } from "./version.js";

/** A verb gets the options and its operands, and answers with the exit code. */
type Verb = (values: Options, operands: string[]) => Promise<number>;

const verbs: Readonly<Record<VerbName, () => Promise<Verb>>> = {
  lint: async () => (await import("./lint.js")).lint,
  plan: async () => (await import("./plan.js")).plan,
  render: async () => (await import("./render.js")).renderFile,
  parse: async () => (await import("./parse.js")).parse,
  explain: async () => (await import("./rules.js")).explain,
  rules: async () => (await import("./rules.js")).list,
  format: async () => (await import("./format.js")).formatFiles,
  compile: async () => (await import("./compile.js")).compile,
  init: async () => (await import("./init.js")).init,
  model: async () => (await import("./model.js")).model,
  machine: async () => (await import("./machine.js")).machine,
  lsp: async () => (await import("./lsp.js")).lsp,
};

async function main(args: string[]): Promise<number> {
  const { values, positionals } = readOptions(args);
  const [first, ...rest] = positionals;
  const named = isVerb(first);
  if (values.version) {
    // Another package installs a command of the same name; this says which one answers.
    process.stdout.write(`modelfile-lint ${version} (npm)\n`);
    return 0;
  }
  if (values.help) {
    process.stdout.write(helpFor(named ? first : "lint"));
    return 0;
  }
  const run = await verbs[named ? first : "lint"]();
  return run(values, named ? rest : positionals);
}

function isVerb(word: string | undefined): word is VerbName {
  return word !== undefined && Object.hasOwn(verbs, word);
}

/** Whatever goes wrong ends in one line for people, never in a stack trace. */
function explained(error: unknown): string {
  if (error instanceof UsageError) return error.message;
  if (error instanceof InputError) {
    const { place } = error;
    if (!place) return error.message;
    const at = [place.path, place.line, place.column]
      .filter((part) => part !== undefined)
      .join(":");
    return `${at}: ${error.message}`;
  }
  const message = error instanceof Error ? error.message : String(error);
  return `Something went wrong inside modelfile-lint: ${message.split("\n")[0]} Please report it with the file.`;
}

// A pager or `head` that closes the pipe has seen enough.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit();
  throw error;
});

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const { tell } = await import("./tell.js");
  tell(explained(error));
  process.exitCode = 2;
}

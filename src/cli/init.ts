import { writeFile } from "node:fs/promises";
import process from "node:process";
import { newestRelease } from "../facts/release.js";
import { InputError } from "../host.js";
import type { Options } from "./options.js";

const path = ".modelfile-lint.yaml";

/** The configuration with everything that most people set, each with a word on it. */
export const configuration = `# yaml-language-server: $schema=https://raw.githubusercontent.com/modelfile-lint/modelfile-lint/main/schema/config.schema.json

# The Ollama release that runs these files, or a range of them: ">=0.12 <0.30".
ollama: "${newestRelease.version}"

# The machine that runs them: a name that \`modelfile-lint machine\` lists, a file, or auto: the one that
# checks them. Without one nothing is said about memory.
# machine: rtx4090-64g

# Variables of the Ollama server, as Ollama spells them.
# server:
#   OLLAMA_NUM_PARALLEL: 2
#   OLLAMA_KV_CACHE_TYPE: q8_0

# What names in FROM mean, where nothing else can tell: a file, or a model of the same shape.
# models:
#   "acme/tuned": ./models/tuned.gguf
#   "acme/big:q2": { like: "deepseek-v3:671b", weights: 247588783616 }

# minimal: errors alone; recommended; strict: every rule, and what could be better is a warning.
extends: recommended

# Severities of single rules, which \`modelfile-lint rules\` lists: off, info, warning or error.
# rules:
#   context-unset: off

# Other settings for some files; later entries win, "!" takes files back.
# overrides:
#   - files: ["prod/**", "!prod/old/**"]
#     extends: strict

# Files that are not checked, even where they are named. Folders that are looked through also heed
# .gitignore and .modelfile-lint-ignore.
# ignore: ["vendor/**"]

# Findings that are known already: \`modelfile-lint --update-baseline\` writes them.
# baseline: .modelfile-lint-baseline.json
`;

/** Writes a configuration into this folder. Exit code 2 where there is one. */
export async function init(values: Options): Promise<number> {
  try {
    await writeFile(path, configuration, { flag: "wx" });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why =
      code === "EEXIST"
        ? `"${path}" is there already.`
        : `"${path}" cannot be written: ${message}.`;
    throw new InputError(why, { path });
  }
  if (!values.quiet) process.stdout.write(`Wrote ${path}.\n`);
  return 0;
}

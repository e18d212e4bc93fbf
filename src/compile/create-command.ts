import { instructionFact } from "../facts/instructions.js";
import { within } from "../facts/release.js";
import type { Source } from "./target.js";

/** What follows `ollama` to make the model of a Modelfile at that path. */
export function createWords({ name, commands, release }: Source, path: string): string[] {
  const flag = instructionFact("DRAFT")?.flag;
  const drafts = commands.some((command) => command.name === "draft");
  const flags = drafts && flag && within(release, flag) ? [flag.name] : [];
  return ["create", name, ...flags, "-f", path];
}

/** The Modelfile, to be written as UTF-8: of two byte order marks Ollama drops one. */
export function modelfileOf({ file }: Pick<Source, "file">): string {
  return file.text.startsWith("\ufeff") ? `\ufeff${file.text}` : file.text;
}

import { readTree } from "../grammar/ollama.js";
import { parseModelfile } from "../grammar/parser.js";
import type { Source } from "../src/compile/target.js";
import { settingsOf } from "../src/lint.js";
import type { Machine } from "../src/machines/machine.js";
import { makePlan } from "../src/plan/make-plan.js";
import { releaseOf } from "./loads.js";

interface Around extends Partial<Pick<Source, "model" | "files" | "name">> {
  machine?: Machine;
  server?: Record<string, string>;
}

/** A Modelfile as a target gets it, with the plan where model and machine are there. */
export function sourceOf(text: string, ollama: string, around: Around = {}): Source {
  const release = releaseOf(ollama);
  const file = parseModelfile(text);
  const reading = readTree(file, release);
  if (!reading.ok) throw new Error(reading.error);
  const { model, machine, server = {}, name = "test", ...rest } = around;
  const plan =
    model && machine
      ? makePlan({ model, machine, server, release, settings: settingsOf(file) })
      : undefined;
  return {
    file,
    commands: reading.commands,
    release,
    name,
    path: "Modelfile",
    server,
    ...(model && { model }),
    ...(machine && { machine }),
    ...(plan && { plan }),
    ...rest,
  };
}

import { isInstruction } from "../../grammar/create-request.js";
import { parseReference } from "../../grammar/model-name.js";
import { readTree, type Command } from "../../grammar/ollama.js";
import { parseModelfile } from "../../grammar/parser.js";
import type { Modelfile } from "../../grammar/tree.js";
import { isBlob } from "../../rules/blob-path.js";
import type { Release } from "../facts/release.js";
import { parameterValue } from "./from-values.js";
import { modelfileText } from "./modelfile-text.js";
import { noteOn } from "./notes.js";
import type { Compiled, Note, Refusal } from "./target.js";

/**
 * A Modelfile from what `ollama show --modelfile` prints (server/routes.go GetModelInfo, server/images.go
 * Model.String): paths of the store become the model's name, and what that name brings along goes.
 */
export function fromShow(text: string, release: Release): Compiled | Refusal {
  const file = parseModelfile(text);
  const reading = readTree(file, release);
  if (!reading.ok) {
    return {
      refused: `Ollama does not read what it printed: ${reading.error}. Values that begin with a quote or hold three of them come out so; mend the text first.`,
    };
  }
  const { commands } = reading;
  const blobs = commands.filter(({ name, args }) => name === "model" && isBlob(args));
  const shown = blobs.length > 0 ? nameAbove(file) : undefined;
  const kept: Command[] = shown === undefined ? [] : [{ name: "model", args: shown }];
  const notes: Note[] = [];
  for (const [index, command] of commands.entries()) {
    const say = (message: string) => notes.push(noteOn({ file }, index, message));
    if (shown !== undefined) {
      const reason = broughtBy(command, shown);
      if (reason === "") continue;
      if (reason !== undefined) {
        say(reason);
        continue;
      }
    } else if (isBlob(command.args) && isPath(command)) {
      say(
        "This is a file of one machine's model store, and no comment says which model it belongs to.",
      );
    }
    if (isInstruction(command.name)) {
      kept.push(command);
      continue;
    }
    const read = parameterValue(command.name, command.args, release);
    if ("problem" in read) say(read.problem);
    else {
      kept.push({ name: command.name, args: read.text });
      if (read.note !== undefined) say(read.note);
    }
  }
  const written = modelfileText(kept, release);
  return {
    texts: [{ path: "Modelfile", text: written.text }],
    notes: [...notes, ...written.notes],
  };
}

function isPath({ name }: Command): boolean {
  return name === "model" || name === "adapter" || name === "draft";
}

/** Why a line goes where FROM names the model that was shown; empty: nothing is to be said of it. */
function broughtBy(command: Command, shown: string): string | undefined {
  const { name, args } = command;
  if (isPath(command) && isBlob(args)) {
    return name === "model" ? "" : `FROM ${shown} brings its ${name} along; the line is left out.`;
  }
  if (name === "license") {
    return `FROM ${shown} brings its licence along, and ollama create would add this one again; the line is left out.`;
  }
  if (name === "template" && args === "{{ .Prompt }}") {
    return "ollama show prints this TEMPLATE for a model that has none; the line is left out.";
  }
  return undefined;
}

/** The name in the comment `# FROM llama3.2:latest`; undefined where it is no name, or there are several. */
function nameAbove({ nodes, text }: Modelfile): string | undefined {
  const names = nodes.flatMap(({ kind, start, end }) => {
    if (kind !== "comment") return [];
    const name = /^#\s*FROM\s+(\S+)\s*$/.exec(text.slice(start, end))?.[1];
    return name !== undefined && parseReference(name).ok ? [name] : [];
  });
  return names.length === 1 ? names[0] : undefined;
}

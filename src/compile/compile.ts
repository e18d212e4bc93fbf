import { createFromCommands, type CreateRequest } from "../../grammar/create-request.js";
import { readTree, type Command } from "../../grammar/ollama.js";
import { isValidName, parseName, parseReference } from "../../grammar/model-name.js";
import { parseModelfile } from "../../grammar/parser.js";
import { findOut, type Surroundings } from "../context.js";
import { parserGeneration } from "../facts/instructions.js";
import type { Release } from "../facts/release.js";
import { InputError } from "../host.js";
import type { Compiled, Refusal, Source, Target } from "./target.js";

/** How what comes of a Modelfile is called. */
export interface Naming {
  name: string;
  /** Of the Modelfile itself. */
  path: string;
}

/** What a target is made from, and why no model is known where it could have been. */
export interface Looked {
  source: Source;
  /** Why there is no model. */
  unknownModel?: string;
  /** A model's file that cannot be read. */
  broken?: InputError;
}

/** Reads a Modelfile as the release does, and finds out what it names. A refusal holds Ollama's own error. */
export async function lookInto(
  text: string,
  { name, path }: Naming,
  release: Release,
  setup: Surroundings,
): Promise<Looked | Refusal> {
  const { trimsValues } = parserGeneration(release);
  const file = parseModelfile(text, { trimsValues });
  const reading = readTree(file, release);
  if (!reading.ok) return refusedBy(release, reading.error);
  const { contextOf, model, unknownModel, broken } = await findOut(file, setup);
  const { plan, files } = contextOf(release);
  const { machine } = setup;
  const source: Source = {
    file,
    commands: reading.commands,
    release,
    name,
    path,
    server: { ...machine?.server, ...setup.server },
    ...(model && { model }),
    ...(machine && { machine }),
    ...(plan && { plan }),
    ...(files && { files }),
  };
  return {
    source,
    ...(unknownModel !== undefined && { unknownModel }),
    ...(broken && { broken }),
  };
}

/** What a target makes of a Modelfile. Throws InputError where it needs a model or a machine and there is none. */
export function compileTo(
  target: Target,
  { source, unknownModel, broken }: Looked,
): Compiled | Refusal {
  const { needs, id } = target;
  if (needs !== undefined && !source.model) {
    if (broken) throw broken;
    const why = unknownModel === undefined ? "" : ` ${unknownModel}`;
    throw new InputError(
      `${id} needs the model that FROM names.${why} --model REF=PATH says where it lies.`,
    );
  }
  if (needs === "plan" && !source.plan) {
    throw new InputError(`${id} needs a machine: --machine NAME, FILE or auto.`);
  }
  const request = requestOf({ ...source, commands: source.commands.filter(isHere(source)) });
  return "refused" in request ? request : target.compile(source);
}

/** Whether a command can be judged here: a path that the configuration says the meaning of lies elsewhere. */
function isHere({ model }: Source): (command: Command) => boolean {
  return ({ name, args }) => name !== "model" || model === undefined || parseReference(args).ok;
}

/** Commands whose text names something on disk: the client sends the files, and no name. */
export function isLocal({ name, args }: Command, { files }: Pick<Source, "files">): boolean {
  const kind = files?.get(args)?.kind;
  return name === "model" && (kind === "file" || kind === "folder");
}

/** What `ollama create` of the release would send, local files aside, or its own error. */
export function requestOf(
  source: Pick<Source, "commands" | "release" | "files">,
): CreateRequest | Refusal {
  const { commands, release } = source;
  const request = createFromCommands(
    commands.filter((command) => !isLocal(command, source)),
    release,
  );
  if (!request.ok) return refusedBy(release, request.error);
  if (request.request_json_error !== undefined) {
    return refusedBy(release, request.request_json_error);
  }
  return request.server.ok ? request : refusedBy(release, request.server.error);
}

export function refusedBy({ version }: Release, error: string): Refusal {
  return { refused: `Ollama ${version} refuses the file: ${error}` };
}

/** A name that Ollama takes, from one that a folder has: "My Model (2)" becomes "my-model-2". */
export function nameFor(folder: string): string {
  const plain = folder
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll(/[^a-z0-9_.-]+/g, "-")
    .replaceAll(/^[^a-z0-9_]+|[^a-z0-9_]+$/g, "")
    .slice(0, 80);
  return isValidName(parseName(plain)) ? plain : "model";
}

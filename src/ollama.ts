import "./compat.js";
import { createFromCommands, readParameters } from "../grammar/create-request.js";
import type { CreateError, CreateRequest, ParameterRecord } from "../grammar/create-request.js";
import {
  displayName,
  isValidName,
  parseBareName,
  parseName,
  parseReference,
  printName,
  type NameParts,
} from "../grammar/model-name.js";
import { printCommands, readBytes, type Command, type Reading } from "../grammar/ollama.js";
import { newestRelease, parseRelease, since } from "./facts/release.js";

/*
 * Ollama's own behaviour as plain data, so that anyone can hold us against Ollama. Nothing here reads
 * a file or the network.
 */

export type { Command, CreateError, CreateRequest, NameParts, ParameterRecord, Reading };

/**
 * What Ollama reads in a Modelfile. `version` is a release from 0.1.44 on; the newest known without it.
 * Throws RangeError for a version that is none or older: those parsers are not reproduced.
 */
export function readModelfile(bytes: Uint8Array, version?: string): Reading {
  const release = version === undefined ? newestRelease : parseRelease(version);
  if (!release || !since(release, "0.1.44")) {
    throw new RangeError(`"${version}" is no Ollama release from 0.1.44 on.`);
  }
  return readBytes(bytes, release);
}

/** Modelfile.String(): what `ollama show --modelfile` prints. */
export function printModelfile(commands: readonly Command[]): string {
  return printCommands(commands);
}

/**
 * Every parameter by itself, and what `ollama create` of the newest known release would send or refuse.
 * Both are missing where the file does not parse. TEMPLATE is not checked here.
 */
export function createRequest(bytes: Uint8Array): {
  parse: Reading;
  params?: ParameterRecord[];
  create?: CreateRequest | CreateError;
} {
  const parse = readBytes(bytes, newestRelease);
  if (!parse.ok) return { parse };
  return {
    parse,
    params: readParameters(parse.commands),
    create: createFromCommands(parse.commands),
  };
}

/** A model name: its parts, whether Ollama takes it, and what the server makes of it in FROM. */
export function parseModelName(text: string) {
  const name = parseName(text);
  const bare = parseBareName(text);
  const valid = isValidName(name);
  const reference = parseReference(text);
  return {
    name,
    valid,
    string: printName(name),
    ...(valid && {
      display: displayName(name),
      filepath: [name.host, name.namespace, name.model, name.tag].join("/"),
    }),
    bare,
    bare_valid: isValidName(bare),
    bare_string: printName(bare),
    ref: reference.ok
      ? {
          ok: true,
          base: reference.base,
          source: reference.source,
          display: displayName(reference.name),
          string: printName(reference.name),
        }
      : reference,
  };
}

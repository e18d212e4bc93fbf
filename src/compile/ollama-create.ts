import { printCommands, readText, type Command } from "../../grammar/ollama.js";
import type { CreateRequest, RequestParameter } from "../../grammar/create-request.js";
import { instructionFact } from "../facts/instructions.js";
import { since, within } from "../facts/release.js";
import { isLocal, refusedBy, requestOf } from "./compile.js";
import { jsonText, type Json } from "./json-text.js";
import { createScript, type Upload } from "./create-script.js";
import { takenNames } from "./model-folder.js";
import { droppedNotes, noteOn } from "./notes.js";
import type { Compiled, Note, Refusal, Source, Target } from "./target.js";

/**
 * The body of POST /api/create as the release's own client builds it (parser/parser.go CreateRequest,
 * cmd/cmd.go CreateHandler; before 0.5.5 cmd/cmd.go alone), without the fields that Go's encoder writes empty.
 */
export const ollamaCreate: Target = {
  id: "ollama-create",
  summary: "what ollama create posts to /api/create, and a script that does the same",
  compile,
};

/** A file that the client sends. */
interface Sent {
  /** The path as the user's shell finds it from the Modelfile's folder. */
  path: string;
  /** Where it lies for certain. */
  absolute: string;
  digest?: string;
}

/** Everything that one command sends. */
interface Sending {
  command: Command;
  at: number;
  files: readonly Sent[];
  isFolder: boolean;
}

function compile(source: Source): Compiled | Refusal {
  const request = requestOf(source);
  if ("refused" in request) return request;
  const sendings: Sending[] = [];
  for (const [at, command] of source.commands.entries()) {
    const sending = sendingOf(command, at, source);
    if (sending && "refused" in sending) return sending;
    if (sending) sendings.push(sending);
  }
  const refusal = whyNot(source, sendings);
  if (refusal) return refusal;
  const notes = [...droppedNotes(source), ...digestNotes(source, sendings)];
  const made = since(source.release, "0.5.5")
    ? withFields(source, request, sendings)
    : withModelfile(source, sendings);
  if ("refused" in made) return made;
  const text = jsonText(made.body);
  const uploads = sendings.flatMap(({ files }) => files.flatMap(uploadOf));
  const zips = !since(source.release, "0.5.5") && sendings.some(({ isFolder }) => isFolder);
  const complete =
    !zips && sendings.every(({ files }) => files.every(({ digest }) => digest !== undefined));
  return {
    texts: [
      { path: "create.json", text },
      ...(complete
        ? [{ path: "create.sh", text: createScript(text, uploads, source.release) }]
        : []),
    ],
    notes: [...notes, ...made.notes],
  };
}

function uploadOf({ path, digest }: Sent): Upload[] {
  return digest === undefined ? [] : [{ path, digest }];
}

/** What the client reads from disk for a command; undefined where it takes the text for a name. */
function sendingOf(command: Command, at: number, source: Source): Sending | Refusal | undefined {
  const { name, args } = command;
  const sends = isLocal(command, source) || name === "adapter" || name === "draft";
  if (!sends) return undefined;
  const facts = source.files?.get(args);
  if (facts?.kind === "missing") {
    return refusedBy(source.release, `stat ${args}: no such file or directory`);
  }
  if (facts?.kind !== "folder") {
    const digest = source.digests?.get(args);
    const absolute = facts?.path ?? args;
    const file = {
      path: pathFor(args, absolute),
      absolute,
      ...(digest !== undefined && { digest }),
    };
    return { command, at, files: [file], isFolder: false };
  }
  const prefix = args.endsWith("/") ? args : `${args}/`;
  const digests = [...(source.digests ?? [])].filter(([text]) => text.startsWith(prefix));
  const names = takenNames(facts.names, source.release);
  if (names.length === 0) {
    return refusedBy(source.release, "no Modelfile or safetensors files found");
  }
  const inside: [string, string?][] =
    digests.length > 0
      ? digests.map(([text, digest]) => [text.slice(prefix.length), digest])
      : names.map((one) => [one]);
  const files = inside.map(([one, digest]) => ({
    path: pathFor(prefix + one, `${facts.path}/${one}`),
    absolute: `${facts.path}/${one}`,
    ...(digest !== undefined && { digest }),
  }));
  return { command, at, files, isFolder: true };
}

/** A quoted "~" is no home folder for a shell, and a leading "-" an option. */
function pathFor(text: string, absolute: string): string {
  if (text.startsWith("~")) return absolute;
  return text.startsWith("-") ? `./${text}` : text;
}

/** Refusals that the files decide (parser/parser.go rejectMatchingLocalPath, cmd/cmd.go). */
function whyNot(source: Source, sendings: readonly Sending[]): Refusal | undefined {
  const { release } = source;
  const drafts = sendings.filter(({ command }) => command.name === "draft");
  const flag = instructionFact("DRAFT")?.flag;
  if (drafts.length > 0 && flag && within(release, flag)) {
    return {
      refused: `Ollama ${release.version} takes DRAFT with ${flag.name} alone, and then makes the model without /api/create.`,
    };
  }
  const models = sendings.filter(({ command }) => command.name === "model");
  for (const { files } of drafts) {
    const same = files.find(({ absolute }) =>
      models.some((model) => model.files.some((file) => file.absolute === absolute)),
    );
    if (same) {
      return refusedBy(
        release,
        `DRAFT must not reference the same local path as FROM: ${same.path}`,
      );
    }
  }
  return undefined;
}

/** The request since 0.5.5. */
function withFields(
  source: Source,
  request: CreateRequest,
  sendings: readonly Sending[],
): { body: Json; notes: Note[] } {
  const { release, name } = source;
  const named = (keyword: string) => sendings.filter(({ command }) => command.name === keyword);
  // 0.5.5 and 0.5.6 kept the files of the last FROM alone.
  const models = within(release, { from: "0.5.5", to: "0.5.6" })
    ? named("model").slice(-1)
    : named("model");
  const groups = {
    files: models,
    adapters: named("adapter").slice(-1),
    draft_files: named("draft"),
  };
  const notes: Note[] = [];
  const fields: Record<string, Json | undefined> = {};
  for (const [field, group] of Object.entries(groups)) {
    const files = group.flatMap((sending) => sending.files);
    if (files.length === 0) continue;
    const names = sentNames(files, since(release, "0.30.0"));
    if (new Set(names).size < names.length) {
      const message = `Two files have the same name, and Ollama ${release.version} sends one of them.`;
      notes.push(noteOn(source, group[0]!.at, message));
    }
    fields[field] = Object.fromEntries(
      files.map(({ path, digest }, index) => [
        names[index]!,
        digest === undefined ? path : `sha256:${digest}`,
      ]),
    );
  }
  const { from, template, license, system, parameters, messages, renderer, parser, requires } =
    request;
  // In the order of Ollama's own struct (api/types.go CreateRequest).
  const body: Json = {
    model: name,
    from,
    ...fields,
    template,
    license,
    system,
    parameters: parameters && parametersJson(parameters),
    messages: messages?.map(({ role, content }) => ({ role, content })),
    renderer,
    parser,
    requires,
  };
  return { body, notes };
}

/** Values in the types that Ollama gives them. */
export function parametersJson(
  parameters: Readonly<Record<string, RequestParameter>>,
): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(parameters).map(([name, { type, value, json }]) => {
      if (typeof value !== "string") return [name, value];
      return [name, type === "*bool" ? value === "true" : { digits: json ?? value }];
    }),
  );
}

/**
 * The keys of `files`: names without their folders; since 0.30 (cmd/cmd.go createRequestFileNames) the paths
 * of several from the folder that holds them all.
 */
function sentNames(files: readonly Sent[], keepsFolders: boolean): string[] {
  const parts = files.map(({ absolute }) => absolute.split(/[\\/]/));
  let common = 0;
  const [first = []] = parts;
  const isCommon = (index: number) =>
    parts.every((one) => index < one.length - 1 && one[index] === first[index]);
  if (keepsFolders && files.length > 1) while (isCommon(common)) common++;
  return parts.map((one) => (common > 0 ? one.slice(common).join("/") : one.at(-1)!));
}

/** The request up to 0.5.4: the server reads the Modelfile again, with digests where files were. */
function withModelfile(
  source: Source,
  sendings: readonly Sending[],
): { body: Json; notes: Note[] } | Refusal {
  const { commands, name, release } = source;
  const sent = commands.map((command, at) => {
    const file = sendings.find((sending) => sending.at === at);
    const digest = file && !file.isFolder ? file.files[0]?.digest : undefined;
    return digest === undefined ? command : { ...command, args: `@sha256:${digest}` };
  });
  const modelfile = printCommands(sent);
  const notes: Note[] = sendings
    .filter(({ isFolder }) => isFolder)
    .map(({ at }) =>
      noteOn(
        source,
        at,
        `Ollama ${release.version} sends this folder as one ZIP archive, whose digest is known only once it is made.`,
      ),
    );
  const again = readText(modelfile, release);
  if (!again.ok) return refusedBy(release, again.error);
  if (JSON.stringify(again.commands) !== JSON.stringify(sent)) {
    notes.push({
      message: `Ollama ${release.version} prints the Modelfile anew for the request, and its server reads that text differently: a value begins with a quote, or a blank stands at an end.`,
    });
  }
  return { body: { name, modelfile }, notes };
}

function digestNotes(source: Source, sendings: readonly Sending[]): Note[] {
  const isOld = !since(source.release, "0.5.5");
  return sendings.flatMap((sending) => {
    const lacking = sending.files.some(({ digest }) => digest === undefined);
    if (!lacking || (isOld && sending.isFolder)) return [];
    const what = isOld ? "the path" : "its path";
    const message = `The request holds ${what} where /api/create takes the digest of an uploaded file. --digests computes it.`;
    return [noteOn(source, sending.at, message)];
  });
}

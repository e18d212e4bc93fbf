import { displayName, parseName } from "../../grammar/model-name.js";
import { InputError, type Host } from "../host.js";
import { quoted } from "../yaml.js";
import { smallLayers } from "./catalogue-entry.js";
import { quantisationIn, shapeIn, tokenizerIn } from "./header-facts.js";
import { numberAt, type Header, type KeyValue, type TensorInfo } from "./header.js";
import { array, count, parsed, record, text, texts, type JsonRecord } from "./json.js";
import { licenceName } from "./licence.js";
import type { Model, Origin, Resolution, Shape } from "./model.js";
import { fileTypes, tensorTypes } from "./tensor-types.js";
import { scaledWeights, weightsOf } from "./weights.js";

/** What runs on a server now. */
export interface ServerState {
  /** "0.32.15"; "0.0.0" for a build of one's own. */
  version: string;
  loaded: readonly LoadedModel[];
}

export interface LoadedModel {
  /** With its tag. */
  name: string;
  /** Bytes in all memories, and of these in those of GPUs. */
  size: number;
  sizeVram: number;
  /** Tokens of one sequence; releases before 0.10.0 do not say it. */
  contextLength?: number;
}

/** Bytes. With all its arrays, a description has the vocabulary several times over. */
const longestDescription = 64 * 2 ** 20;
const longestList = 8 * 2 ** 20;

/** As many elements as gguf-header.ts keeps of an array. */
const longestArray = 4096;

/**
 * What a running Ollama knows of the model (GetModelInfo in its server/routes.go); undefined where it
 * has none of that name, or the host has no network. Throws InputError where no Ollama answers.
 */
export async function servedModel(name: string, host: Host): Promise<Resolution | undefined> {
  const server = serverOf(host);
  if (!server) return undefined;
  let shown = await described(server, name, false);
  if (!shown) return undefined;
  const details = record(shown["details"]) ?? {};
  if (text(shown["remote_model"]) !== undefined) {
    return { unknown: `${quoted(name)} runs in Ollama's cloud, not on this machine.` };
  }
  if (details["format"] === "safetensors") {
    const problem = `${quoted(name)} lies on ${server.address} as safetensors, which it says little of`;
    return { unknown: `${problem}. Describe it under models: in the configuration.` };
  }

  // Arrays are left out of the short answer; those of the vocabulary are not missed.
  if (lacksArrays(shown)) shown = (await described(server, name, true)) ?? shown;
  const header = headerOf(shown);
  const shape = shapeOf(header);
  if (!shape) {
    const problem = `Ollama's server at ${server.address} does not say how ${quoted(name)} is built`;
    return { unknown: `${problem}. Update it to 0.6.1 or later.` };
  }
  const total = await totalBytes(server, name);
  const projector = projectorBytes(shown);
  const sizes = sizesOf(header, shape, total && total - (projector ?? 0) - smallLayers);
  if (!sizes) {
    const problem = `Ollama's server at ${server.address} does not say how large ${quoted(name)} is`;
    return { unknown: `${problem}. Update it to 0.6.1 or later.` };
  }

  const tokenizer = tokenizerIn(header);
  const own: Partial<Model> = {
    ...(tokenizer && { tokenizer }),
    ...(await layersOf(shown)),
    capabilities: capabilitiesOf(shown, header, shape, projector),
    ...quantisationOf(details, header),
    ...(projector !== undefined && { projectorBytes: projector }),
  };
  const from = `/api/show of ${server.address}`;
  const facts = Object.keys(own).filter((fact) => fact !== "projectorBytes");
  const origins: Origin[] = [
    { facts: [...facts, "keys"], from, exact: true },
    { facts: ["tensors"], from, exact: sizes.exact },
    ...(projector === undefined ? [] : [{ facts: ["projector"], from, exact: false }]),
    ...(total === undefined
      ? []
      : [{ facts: ["file"], from: `/api/tags of ${server.address}`, exact: false }]),
  ];
  return {
    model: {
      name,
      source: "api",
      shape,
      ...sizes,
      ...own,
      // Without its types a table of tensors is none.
      ...(sizes.exact && { header }),
      origins,
    },
  };
}

/**
 * Version and loaded models of the server that OLLAMA_HOST names; undefined where the host has no
 * network. Throws InputError where no Ollama answers.
 */
export async function serverState(host: Host): Promise<ServerState | undefined> {
  const server = serverOf(host);
  if (!server) return undefined;
  const { value } = await ask(server, "/api/version", longestList);
  const version = text(value["version"]);
  if (version === undefined) throw noOllama(server);
  const running = await ask(server, "/api/ps", longestList);
  const loaded = array(running.value["models"]).flatMap((one): LoadedModel[] => {
    const model = record(one);
    const name = text(model?.["name"]);
    const size = count(model?.["size"]);
    if (!model || name === undefined || size === undefined) return [];
    const contextLength = count(model["context_length"]);
    return [
      {
        name,
        size,
        sizeVram: count(model["size_vram"]) ?? 0,
        ...(contextLength && { contextLength }),
      },
    ];
  });
  return { version, loaded };
}

/**
 * The address that OLLAMA_HOST's text stands for, read as Host and ConnectableHost in Ollama's
 * envconfig/config.go read it: "127.0.0.1", ":11434", "https://example.com/ollama".
 */
export function serverAddress(variable = ""): string {
  const given = variable
    .trim()
    .replace(/^["']+|["']+$/g, "")
    .trim();
  const [, named, rest = ""] = /^(?:(.*?):\/\/)?(.*)$/s.exec(given)!;
  const cloud = named === undefined && rest === "ollama.com";
  const scheme = named ?? (cloud ? "https" : "http");
  const usual = named === "http" ? "80" : named === "https" || cloud ? "443" : "11434";
  const [, place = "", path = ""] = /^([^/]*)\/?(.*)$/s.exec(rest)!;
  // net.SplitHostPort: of several colons without brackets none is a port's.
  const split = /^(?:\[([^\]]*)\]|([^:]*)):([^:]*)$/.exec(place);
  const name = split ? (split[1] ?? split[2]!) : place.replace(/^\[(.*)\]$/, "$1");
  const port =
    split && /^\d{1,5}$/.test(split[3]!) && Number(split[3]) < 65536 ? Number(split[3]) : usual;
  const host = name === "" || name === "0.0.0.0" ? "127.0.0.1" : name === "::" ? "::1" : name;
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${port}${path && `/${path.replace(/\/+$/, "")}`}`;
}

interface Server {
  address: string;
  request: NonNullable<Host["request"]>;
}

function serverOf(host: Host): Server | undefined {
  if (!host.request) return undefined;
  const variable = host.variable("OLLAMA_HOST");
  const address = serverAddress(variable);
  // Whatever else an address can hold may be a secret, and this one is printed.
  if (!URL.canParse(address) || /[@?#]/.test(variable ?? "")) {
    throw new InputError(
      "OLLAMA_HOST is no address of a server. Write it like 127.0.0.1:11434, without a password.",
    );
  }
  return { address, request: host.request.bind(host) };
}

async function ask(
  server: Server,
  path: string,
  most: number,
  body?: JsonRecord,
): Promise<{ status: number; value: JsonRecord }> {
  const url = server.address + path;
  const { status, body: bytes } = await server
    .request(url, { most, ...(body && { method: "POST", body }) })
    .catch((error: unknown) => {
      if (!(error instanceof InputError)) throw error;
      const help = "Start it with `ollama serve`, or set OLLAMA_HOST.";
      throw new InputError(`Ollama's server cannot be asked: ${error.message} ${help}`);
    });
  const value = record(parsed(new TextDecoder().decode(bytes)));
  if (!value) throw noOllama(server);
  if (status === 200 || status === 404) return { status, value };
  const said = text(value["error"]);
  throw new InputError(
    `Ollama's server at ${server.address} answers ${path} with status ${status}${said === undefined ? "" : `: ${quoted(said)}`}.`,
  );
}

function noOllama({ address }: Server): InputError {
  return new InputError(`What answers at ${address} is no Ollama server. Check OLLAMA_HOST.`);
}

/** Undefined where the server has no such model. */
async function described(
  server: Server,
  model: string,
  verbose: boolean,
): Promise<JsonRecord | undefined> {
  const body = { model, ...(verbose && { verbose }) };
  const { status, value } = await ask(server, "/api/show", longestDescription, body);
  if (status === 404) return undefined;
  if (!record(value["details"])) throw noOllama(server);
  return value;
}

/** Bytes of all layers of a model. */
async function totalBytes(server: Server, name: string): Promise<number | undefined> {
  const { value } = await ask(server, "/api/tags", longestList);
  const same = (other: string | undefined) =>
    other !== undefined &&
    displayName(parseName(other)).toLowerCase() === displayName(parseName(name)).toLowerCase();
  const found = array(value["models"])
    .map(record)
    .find((one) => same(text(one?.["name"])));
  return count(found?.["size"]);
}

/** Whether something is missing that memory depends on: values per block, or the vocabulary's length. */
function lacksArrays(shown: JsonRecord): boolean {
  const info = record(shown["model_info"]) ?? {};
  const prefix = `${text(info["general.architecture"])}.`;
  const own = Object.entries(info).filter(([key]) => key.startsWith(prefix));
  const missing = own.some(([, value]) => value === null || isEmpty(value));
  return missing || (own.length > 0 && array(shown["tensors"]).length === 0);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

function headerOf(shown: JsonRecord): Header {
  const keys = new Map<string, KeyValue>();
  for (const [key, value] of Object.entries(record(shown["model_info"]) ?? {})) {
    const kept = keyValue(value);
    if (kept !== undefined) keys.set(key, kept);
  }
  const architecture = text(keys.get("general.architecture"));
  const tensors = tensorsOf(shown, count(keys.get(`${architecture}.embedding_length`)));
  const rows = tensors.find(({ name }) => name === tokenTable)?.dims[1];
  if (rows !== undefined && !keys.has(tokenList)) keys.set(tokenList, { length: rows });
  return { keys, tensors };
}

const tokenTable = "token_embd.weight";
const tokenList = "tokenizer.ggml.tokens";

function keyValue(value: unknown): KeyValue | undefined {
  if (typeof value === "number" || typeof value === "boolean" || typeof value === "string") {
    return value;
  }
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const kind = typeof value[0];
  const plain =
    (kind === "number" || kind === "boolean") && value.every((one) => typeof one === kind);
  if (!plain || value.length > longestArray) return { length: value.length };
  return value as number[] | boolean[];
}

/** Bytes are NaN where the server does not know the type ("unknown") or the shape makes no sense. */
function tensorsOf(shown: JsonRecord, embedding: number | undefined): readonly TensorInfo[] {
  const tensors = array(shown["tensors"]).flatMap((one) => {
    const tensor = record(one);
    const name = text(tensor?.["name"]);
    const dims = array(tensor?.["shape"]).map(count);
    if (name === undefined || dims.length === 0 || dims.includes(undefined)) return [];
    return [{ name, type: text(tensor?.["type"]) ?? "unknown", dims: dims.map(Number) }];
  });
  // Ollama hands on the order of the file, the row length first; some that speak its API reverse it.
  const table = tensors.find(({ name }) => name === tokenTable)?.dims;
  const reversed = table?.length === 2 && table[0] !== embedding && table[1] === embedding;
  return tensors.map(({ dims, ...tensor }) => {
    const ordered = reversed ? dims.toReversed() : dims;
    return { ...tensor, dims: ordered, bytes: bytesOf(tensor.type, ordered) };
  });
}

function bytesOf(name: string, dims: readonly number[]): number {
  const type = tensorTypes.find((one) => one.name === name);
  if (type?.blockSize === undefined || type.typeSize === undefined) return Number.NaN;
  const bytes = (elementsOf(dims) / type.blockSize) * type.typeSize;
  return Number.isSafeInteger(bytes) ? bytes : Number.NaN;
}

function elementsOf(dims: readonly number[]): number {
  return dims.reduce((product, length) => product * length, 1);
}

/** Undefined where a number is missing that no model can do without. */
/** Undefined where the server does not say enough. */
function shapeOf(header: Header): Shape | undefined {
  try {
    return shapeIn(header, (problem) => {
      throw new Unusable(problem);
    });
  } catch (error) {
    if (error instanceof Unusable) return undefined;
    throw error;
  }
}

class Unusable extends Error {}

type Sizes = Pick<Model, "exact" | "weights" | "fileBytes">;

/**
 * The tensors' own bytes; where types or the whole table are missing, shares of the file's by elements.
 * Undefined where the file's are not known then either.
 */
function sizesOf(header: Header, shape: Shape, fileBytes: number | undefined): Sizes | undefined {
  const tensors = header.tensors.length > 0 ? header.tensors : roughTensors(header, shape);
  const lacking = tensors.filter(({ bytes }) => Number.isNaN(bytes));
  const known = tensors.filter(({ bytes }) => !Number.isNaN(bytes));
  const certain = known.reduce((sum, { bytes }) => sum + bytes, 0);
  if (tensors.length > 0 && lacking.length === 0) {
    const weights = weightsOf(tensors, shape.blocks);
    return { exact: true, weights, fileBytes: Math.max(fileBytes ?? 0, weights.total) };
  }
  const all = lacking.reduce((sum, { dims }) => sum + elementsOf(dims), 0);
  if (fileBytes === undefined || fileBytes <= certain || all === 0) return undefined;
  const each = (fileBytes - certain) / all;
  const guessed = lacking.map((one) => ({ ...one, bytes: elementsOf(one.dims) * each }));
  const weights = weightsOf([...known, ...guessed], shape.blocks);
  return { exact: false, weights: scaledWeights(weights, fileBytes), fileBytes };
}

/**
 * Releases before 0.6.1 do not list tensors. What is known is the table of tokens and, counted by
 * Ollama, all elements; blocks are much alike.
 */
function roughTensors(
  header: Header,
  { blocks, embedding, vocabulary }: Shape,
): readonly TensorInfo[] {
  const table = embedding * vocabulary;
  const rest = (numberAt(header, "general.parameter_count") ?? 0) - table;
  if (rest <= 0 || blocks === 0) return [];
  const rough = { type: "unknown", bytes: Number.NaN };
  return [
    { ...rough, name: tokenTable, dims: [embedding, vocabulary] },
    ...Array.from({ length: blocks }, (_, block) => ({
      ...rough,
      name: `blk.${block}.weight`,
      dims: [rest / blocks],
    })),
  ];
}

/** From the number of its parameters: the server does not list a projector's tensors. */
function projectorBytes(shown: JsonRecord): number | undefined {
  const info = record(shown["projector_info"]);
  const parameters = count(info?.["general.parameter_count"]);
  if (!info || parameters === undefined) return undefined;
  const stored = fileTypes.find(({ id }) => id === info["general.file_type"])?.tensorType ?? "F16";
  const { blockSize = 1, typeSize = 2 } = tensorTypes.find(({ name }) => name === stored) ?? {};
  return Math.round((parameters / blockSize) * typeSize);
}

/** What Ollama keeps beside the model's file. */
async function layersOf(shown: JsonRecord): Promise<Partial<Model>> {
  const template = text(shown["template"]);
  const system = text(shown["system"]);
  const licence = licenceName(text(shown["license"]) ?? "");
  const minOllama = text(shown["requires"]);
  const parameters = parametersOf(text(shown["parameters"]) ?? "");
  return {
    stop: texts(parameters["stop"]),
    // From 0.30.0 on it may be the one in the model's header, and no text of Go's has these brackets.
    ...(template !== undefined && {
      template: { text: template, language: template.includes("{%") ? "jinja" : "go" },
    }),
    ...(system !== undefined && { system }),
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...(licence !== undefined && { licence }),
    ...(minOllama !== undefined && { minOllama }),
    ...(await codeNames(text(shown["modelfile"]) ?? "")),
  };
}

/** Lines of a name and a value as Go's %#v prints it; several of one name make a list. */
function parametersOf(lines: string): JsonRecord {
  const parameters: Record<string, unknown> = {};
  const lists = new Map<string, unknown[]>();
  for (const line of lines.split("\n")) {
    const [, name, written] = /^([a-z_]\w*)\s+(.+?)\s*$/.exec(line) ?? [];
    if (name === undefined || written === undefined) continue;
    const value = parsed(jsonString(written)) ?? written;
    const list = lists.get(name) ?? [];
    lists.set(name, [...list, value]);
    parameters[name] = name === "stop" || list.length > 0 ? lists.get(name) : value;
  }
  return parameters;
}

/** Go's strconv.Quote has escapes that JSON has not. */
function jsonString(written: string): string {
  return written.replace(
    /\\(?:x([0-9a-f]{2})|U([0-9a-f]{8})|(.))/g,
    (whole, byte?: string, point?: string, letter?: string) => {
      if (byte !== undefined) return `\\u00${byte}`;
      if (point !== undefined) return String.fromCodePoint(Number.parseInt(point, 16));
      if (letter === "a") return "\\u0007";
      return letter === "v" ? "\\u000b" : whole;
    },
  );
}

/** Renderer and parser: the answer has fields for them which Ollama leaves empty. */
async function codeNames(modelfile: string): Promise<Pick<Model, "renderer" | "parser">> {
  if (!/^(?:RENDERER|PARSER)\s/m.test(modelfile)) return {};
  const [{ readText }, { newestRelease }] = await Promise.all([
    import("../../grammar/ollama.js"),
    import("../facts/release.js"),
  ]);
  const reading = readText(modelfile, newestRelease);
  const last = (name: string) =>
    reading.ok ? reading.commands.findLast((command) => command.name === name)?.args : undefined;
  const [renderer, parser] = [last("renderer"), last("parser")];
  return { ...(renderer !== undefined && { renderer }), ...(parser !== undefined && { parser }) };
}

/** The server's own list; releases before 0.6.4 have none. */
function capabilitiesOf(
  shown: JsonRecord,
  { keys }: Header,
  { architecture, embeddingOnly }: Shape,
  projector: number | undefined,
): readonly string[] {
  const listed = texts(shown["capabilities"]);
  if (listed.length > 0) return listed;
  const sees = projector !== undefined || keys.has(`${architecture}.vision.block_count`);
  return [embeddingOnly ? "embedding" : "completion", ...(sees ? ["vision"] : [])];
}

function quantisationOf(details: JsonRecord, header: Header): Pick<Model, "quantisation"> {
  const named = text(details["quantization_level"]);
  if (named !== undefined && named !== "unknown") return { quantisation: named };
  const quantisation = quantisationIn(header);
  return quantisation === undefined ? {} : { quantisation };
}

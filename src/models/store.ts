import { isValidName, parseName, type NameParts } from "../../grammar/model-name.js";
import { InputError, type Host } from "../host.js";
import { formatBytes } from "../machines/sizes.js";
import { quoted } from "../yaml.js";
import { modelIn, readAdapter, type GgufFile } from "./gguf.js";
import { headerOnce } from "./kept-header.js";
import { array, parsed, record, text, texts, type JsonRecord } from "./json.js";
import { licenceName } from "./licence.js";
import type { Adapter, Model, Origin, Resolution } from "./model.js";

/** One of Ollama's folders of models. */
export interface Store {
  folder: string;
  /** Nobody named it, and somebody else's: what cannot be read there is as good as absent. */
  foreign: boolean;
}

/** What a manifest names; Layer in Ollama's manifest/layer.go. */
interface Layer {
  /** "model", "template": what follows "application/vnd.ollama.image." in its media type. */
  kind: string;
  digest: string;
}

interface Manifest {
  config?: Layer;
  layers: readonly Layer[];
}

/** What Ollama's config layer says of a model, as far as it is used; ConfigV2 in types/model/config.go. */
interface Config {
  model_format?: unknown;
  file_type?: unknown;
  renderer?: unknown;
  parser?: unknown;
  requires?: unknown;
  capabilities?: unknown;
  remote_model?: unknown;
}

/** Bytes. A model of single tensors has a layer for each of them. */
const longestManifest = 16 * 2 ** 20;
const longestJson = 2 ** 20;
const longestText = 4 * 2 ** 20;

const imageType = "application/vnd.ollama.image.";
const listType = "application/vnd.ollama.manifest.list.v2+json";

/**
 * The model of that name in Ollama's own files, read as Ollama's server/images.go reads it: manifest,
 * configuration, small layers, and the header of the GGUF file. Undefined where no store has the name.
 * Throws InputError where the store has it, but damaged or in part.
 */
export async function storedModel(name: string, host: Host): Promise<Resolution | undefined> {
  const parts = parseName(name);
  if (!isValidName(parts)) return undefined;
  for (const store of stores(host)) {
    if ((await host.stat(store.folder))?.kind !== "folder") continue;
    const path = await manifestPath(store, parts, host);
    if (path !== undefined) return readStored({ name, path, folder: store.folder, host });
  }
  return undefined;
}

/**
 * Where models lie: envconfig.Models in Ollama's envconfig/config.go, and the home that its Linux
 * installer gives the service (scripts/install.sh).
 */
export function stores(host: Host): Store[] {
  const chosen = host
    .variable("OLLAMA_MODELS")
    ?.trim()
    .replace(/^["']+|["']+$/g, "");
  if (chosen) return [{ folder: host.resolve(".", chosen), foreign: false }];
  return [
    { folder: host.resolve(".", "~/.ollama/models"), foreign: false },
    { folder: host.resolve(".", "/usr/share/ollama/.ollama/models"), foreign: true },
  ];
}

/**
 * The file of a name's manifest. Newer releases keep them in a folder of its own, where the public
 * registry has its new name (Ollama's manifest/paths.go).
 */
async function manifestPath(
  { folder, foreign }: Store,
  { host: registry, namespace, model, tag }: NameParts,
  host: Host,
): Promise<string | undefined> {
  const isPublic = publicRegistries.includes(registry.toLowerCase());
  const places = [
    ["manifests-v2", isPublic ? "ollama.com" : registry, namespace, model, tag],
    ...(isPublic ? publicRegistries : [registry]).map((spelling) => {
      return ["manifests", spelling, namespace, model, tag];
    }),
  ];
  for (const place of places) {
    const exact = host.resolve(folder, place.join("/"));
    if ((await host.stat(exact))?.kind === "file") return exact;
  }
  try {
    for (const place of places) {
      const found = await spelledOtherwise(folder, place, host);
      if (found !== undefined) return found;
    }
  } catch (error) {
    if (!foreign) throw error;
  }
  return undefined;
}

const publicRegistries = ["registry.ollama.ai", "ollama.com"];

/** Ollama finds names whatever their case (getExistingName in its server/routes.go). */
async function spelledOtherwise(
  path: string,
  [name, ...rest]: readonly string[],
  host: Host,
): Promise<string | undefined> {
  const kind = (await host.stat(path))?.kind;
  if (name === undefined) return kind === "folder" ? undefined : path;
  if (kind !== "folder") return undefined;
  const names = await host.list(path).catch(() => {
    throw new InputError(`Ollama's store cannot be read. Check the permissions of this folder.`, {
      path,
    });
  });
  const same = names.filter((other) => other.toLowerCase() === name.toLowerCase());
  for (const other of same.sort()) {
    const found = await spelledOtherwise(host.resolve(path, other), rest, host);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** A name whose manifest was found. */
interface Stored {
  /** As FROM writes it. */
  name: string;
  /** Of the manifest. */
  path: string;
  folder: string;
  host: Host;
}

async function readStored(stored: Stored): Promise<Resolution> {
  const { name } = stored;
  const manifest = await readManifest(stored);
  if (manifest === undefined) return { unknown: notRead(name) };
  const { layers } = manifest;
  const config: Config = manifest.config
    ? await readJson(stored, manifest.config, "configuration")
    : {};
  if (text(config.remote_model) !== undefined) {
    return { unknown: `${quoted(name)} runs in Ollama's cloud, not on this machine.` };
  }
  if (config.model_format === "safetensors" || layers.some(({ kind }) => kind === "tensor")) {
    return { unknown: notRead(name) };
  }

  const last = (...kinds: string[]) => layers.findLast(({ kind }) => kinds.includes(kind));
  const all = (wanted: string) => layers.filter(({ kind }) => kind === wanted);
  const file = await readWeights(stored, all("model"));
  // llama-server gets the first of them alone (llm/llama_server.go in Ollama).
  const projector = all("projector")[0];
  const template = last("template", "prompt");
  const system = last("system");
  const params = last("params");
  const parameters = params && (await readJson(stored, params, "parameters"));
  const goTemplate = template && (await readText(stored, template, "template"));

  const own: Partial<Model> = {
    stop: texts(parameters?.["stop"]),
    ...(projector && {
      projectorBytes: (await blob(stored, projector, "projector")).size,
    }),
    ...(goTemplate !== undefined && { template: { text: goTemplate, language: "go" } }),
    ...(system && { system: await readText(stored, system, "system message") }),
    ...(parameters && { parameters }),
    ...defined("licence", await licenceOf(stored, all("license"))),
    ...defined("adapters", await adaptersOf(stored, all("adapter"))),
    ...defined("renderer", text(config.renderer)),
    ...defined("parser", text(config.parser)),
    ...defined("minOllama", text(config.requires)),
  };
  const capabilities = capabilitiesOf(config, { ...file, ...own });
  const place = `of ${name} in Ollama's store`;
  const origins: Origin[] = [
    {
      facts: [...Object.keys(own).map((key) => key.replace("Bytes", "")), "capabilities"],
      from: `manifest ${place}`,
      exact: true,
    },
    ...(file.origins ?? [{ facts: ["tensors"], exact: file.exact }]).map((origin) => ({
      ...origin,
      from: `model file ${place}`,
    })),
  ];
  const quantisation = defined("quantisation", file.quantisation ?? fileType(config));
  return { model: { ...file, ...own, ...quantisation, source: "store", capabilities, origins } };
}

function notRead(name: string): string {
  const problem = `${quoted(name)} lies in Ollama's store as safetensors, which are not read there`;
  return `${problem}. Describe it under models: in the configuration.`;
}

function fail(path: string, problem: string, name: string): never {
  throw new InputError(`${problem}. Run \`ollama pull ${name}\` again.`, { path });
}

/** Undefined where the manifest is a list of others, and none of them is of a GGUF file. */
async function readManifest(stored: Stored): Promise<Manifest | undefined> {
  const { name, path, host } = stored;
  const whose = `The manifest of ${quoted(name)} in Ollama's store`;
  const damaged = () => fail(path, `${whose} is damaged`, name);
  // A link that leads nowhere.
  if ((await host.stat(path))?.kind !== "file") damaged();
  const value = parsed(await readSmall(stored, path, whose, longestManifest));
  const list = record(value);
  if (list?.["mediaType"] !== listType) {
    return manifestOf(value) ?? damaged();
  }
  // selectManifest in Ollama's manifest/manifest.go; on Apple's machines it prefers "mlx".
  const children = array(list["manifests"]).map(record);
  const child = ["ollama", "llamacpp"]
    .map((runner) => children.find((one) => text(one?.["runner"])?.toLowerCase() === runner))
    .find((one) => one !== undefined);
  if (!child) return undefined;
  const digest = text(child["digest"]);
  if (digest === undefined) return manifestOf(child) ?? damaged();
  const layer = layerOf({ mediaType: "", digest }) ?? damaged();
  return manifestOf(await readJson(stored, layer, "manifest", longestManifest)) ?? damaged();
}

function manifestOf(value: unknown): Manifest | undefined {
  const manifest = record(value);
  if (!manifest || !Array.isArray(manifest["layers"])) return undefined;
  const layers = array(manifest["layers"]).map(layerOf);
  const given = record(manifest["config"]);
  // The oldest manifests have a configuration without a digest.
  const config = given && text(given["digest"]) !== undefined ? layerOf(given) : null;
  if (config === undefined || layers.includes(undefined)) return undefined;
  return { layers: layers.filter((layer) => layer !== undefined), ...(config && { config }) };
}

/** Undefined where the digest is none: it becomes part of a path (BlobsPath in manifest/paths.go). */
function layerOf(value: unknown): Layer | undefined {
  const layer = record(value);
  const digest = text(layer?.["digest"]);
  if (digest === undefined || !/^sha256[:-][0-9a-f]{64}$/i.test(digest)) return undefined;
  const type = text(layer?.["mediaType"]) ?? "";
  return { digest, kind: type.startsWith(imageType) ? type.slice(imageType.length) : type };
}

/** Where a layer lies, and its bytes. `what` is what messages call it. */
async function blob(
  { name, path, folder, host }: Stored,
  { digest }: Layer,
  what: string,
): Promise<{ at: string; size: number }> {
  const hash = digest.slice("sha256:".length);
  // Releases before 0.1.30 had the colon in names of files.
  for (const spelling of [`sha256-${hash}`, `sha256:${hash}`]) {
    const at = host.resolve(folder, `blobs/${spelling}`);
    const entry = await host.stat(at);
    if (entry?.kind === "file") return { at, size: entry.size };
  }
  return fail(path, `${quoted(name)} lacks its ${what} in Ollama's store`, name);
}

/** The text of a file; `whose` begins the sentence that says what is wrong with it. */
async function readSmall(
  { name, host }: Stored,
  path: string,
  whose: string,
  most: number,
): Promise<string> {
  const size = (await host.stat(path))?.size ?? 0;
  if (size > most) fail(path, `${whose} has more than ${formatBytes(most)}`, name);
  const bytes = await host.read(path, 0, size).catch(() => {
    throw new InputError(`${whose} cannot be read. Check its permissions.`, { path });
  });
  return new TextDecoder().decode(bytes);
}

async function readText(
  stored: Stored,
  layer: Layer,
  what: string,
  most = longestText,
): Promise<string> {
  const { at } = await blob(stored, layer, what);
  return readSmall(stored, at, `The ${what} of ${quoted(stored.name)} in Ollama's store`, most);
}

async function readJson(
  stored: Stored,
  layer: Layer,
  what: string,
  most = longestJson,
): Promise<JsonRecord> {
  const { name, path } = stored;
  return (
    record(parsed(await readText(stored, layer, what, most))) ??
    fail(path, `The ${what} of ${quoted(name)} in Ollama's store is damaged`, name)
  );
}

/** The model in its layers: one, or the parts of a split file in their order. */
async function readWeights(stored: Stored, layers: readonly Layer[]): Promise<Model> {
  const { name, path, host } = stored;
  const part = (at: number) =>
    layers.length === 1 ? "model" : `model-${digits(at + 1)}-of-${digits(layers.length)}.gguf`;
  const file = async (at: number): Promise<GgufFile> => {
    const { at: place, size } = await blob(stored, layers[at]!, "model file");
    const fail = (problem: string): never => {
      // Nobody downloads these by hand.
      const remedy = problem.replace(
        /Download (?:it|them) again\.$/,
        `Run \`ollama pull ${name}\` again.`,
      );
      throw new InputError(`The model file of ${quoted(name)} in Ollama's store ${remedy}`, {
        path: place,
      });
    };
    return {
      name: part(at),
      size,
      fail,
      // A file that is still being written has its digest already.
      once: (read) => headerOnce(host, `${layers[at]!.digest} ${size}`, read),
      read: async (start, end) => {
        const bytes = await host
          .read(place, start, end)
          .catch(() => fail("cannot be read. Check its permissions."));
        return bytes.length < end - start ? fail("ends too early. Download it again.") : bytes;
      },
      beside: async (other) => {
        const next = layers.findIndex((_, index) => part(index) === other);
        return next < 0 ? undefined : file(next);
      },
    };
  };
  if (layers.length === 0) fail(path, `${quoted(name)} has no model file in its manifest`, name);
  return modelIn(await file(0), name);
}

function digits(number: number): string {
  return String(number).padStart(5, "0");
}

async function licenceOf(stored: Stored, layers: readonly Layer[]): Promise<string | undefined> {
  const names = new Set<string>();
  for (const layer of layers) {
    const name = licenceName(await readText(stored, layer, "licence"));
    if (name !== undefined) names.add(name);
  }
  return names.size > 0 ? [...names].join(", ") : undefined;
}

async function adaptersOf(
  stored: Stored,
  layers: readonly Layer[],
): Promise<readonly Adapter[] | undefined> {
  if (layers.length === 0) return undefined;
  const adapters: Adapter[] = [];
  for (const layer of layers) {
    const { at, size } = await blob(stored, layer, "adapter");
    adapters.push(
      await readAdapter(at, stored.host).then(
        ({ header, fileBytes }) => ({ bytes: fileBytes, header }),
        // llama.cpp refuses it; how much it would take is known all the same.
        () => ({ bytes: size }),
      ),
    );
  }
  return adapters;
}

/** As Model.Capabilities in Ollama's server/images.go, without what its parsers add. */
function capabilitiesOf(
  config: Config,
  { capabilities = [], projectorBytes, template }: Model,
): readonly string[] {
  const go = template?.language === "go" ? template.text : "";
  const found = [...texts(config.capabilities), ...capabilities];
  if (projectorBytes !== undefined) found.push("vision");
  if (go.includes(".Tools")) found.push("tools");
  if (go.includes(".Suffix")) found.push("insert");
  return [...new Set(found)];
}

/** What the configuration calls the quantisation. */
function fileType({ file_type }: Config): string | undefined {
  const name = text(file_type);
  return name === "unknown" ? undefined : name;
}

function defined<K extends keyof Model>(key: K, value: Model[K] | undefined): Partial<Model> {
  return value === undefined ? {} : { [key]: value };
}

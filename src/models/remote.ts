import { parseReference, type NameParts } from "../../grammar/model-name.js";
import { InputError, type Answer, type Host, type RequestOptions } from "../host.js";
import { formatBytes } from "../machines/sizes.js";
import { quoted } from "../yaml.js";
import { firstPiece } from "./gguf-header.js";
import { called, modelIn, type GgufFile } from "./gguf.js";
import { count, parsed, record, text, texts } from "./json.js";
import { licenceName } from "./licence.js";
import type { Model } from "./model.js";

/** Asks a server; the bytes of all its answers together are limited. */
type Ask = (url: string, options: RequestOptions) => Promise<Answer>;

/** Bytes for one model: the longest header, and what is read beyond the headers of many parts. */
const mostInAll = 128 * 2 ** 20;
/** Bytes of a manifest, and of a template or a licence that it names. */
const mostText = 2 ** 20;

/**
 * The model behind the address of a GGUF file, or in a repository of Hugging Face that Ollama would pull
 * it from ("hf.co/user/repo:Q4_K_M"). Only headers are fetched. Undefined where the host has no network
 * or `reference` is neither. Throws InputError where nothing usable lies there.
 */
export async function remoteModel(reference: string, host: Host): Promise<Model | undefined> {
  if (!host.request) return undefined;
  const ask = limited(host);
  const url = fileUrl(reference);
  if (url) {
    const file = await remoteFile(url, ask);
    if (!file) throw new InputError(`${called(shown(url))} does not exist. Check the address.`);
    return modelIn(file, shown(url));
  }
  const named = parseReference(reference);
  if (!named.ok || !/^(?:hf\.co|huggingface\.co)$/i.test(named.name.host)) return undefined;
  return huggingFaceModel(named.name, reference, ask);
}

function limited(host: Host): Ask {
  let left = mostInAll;
  return async (url, options) => {
    if (options.most > left) {
      const most = formatBytes(mostInAll);
      throw new InputError(`The headers of this model take more than ${most}. Download its file.`);
    }
    const answer = await host.request!(url, options);
    left -= answer.body.length;
    return answer;
  };
}

/** The address of a GGUF file; undefined for everything else. */
function fileUrl(reference: string): URL | undefined {
  if (!/^https?:\/\//i.test(reference) || !URL.canParse(reference)) return undefined;
  const url = new URL(reference);
  if (!/\.gguf$/i.test(url.pathname)) return undefined;
  const address = called(shown(url));
  if (url.username !== "" || url.password !== "") {
    throw new InputError(`${address} is given with a name or password. Leave them out.`);
  }
  if (url.protocol === "http:" && !/^(?:localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname)) {
    throw new InputError(`${address} is not read without encryption. Write https.`);
  }
  return url;
}

/** Without user, password and query, which may be secrets. */
function shown(url: URL): string {
  return url.origin + url.pathname;
}

/** The file at the address, its first bytes fetched; undefined where there is none. */
async function remoteFile(url: URL, ask: Ask): Promise<GgufFile | undefined> {
  const fail = (problem: string): never => {
    throw new InputError(`${called(shown(url))} ${problem}`);
  };
  const fetch = (start: number, end: number) =>
    ask(url.href, { range: { start, end }, most: end - start });
  const { status, body: first, total } = await fetch(0, firstPiece);
  if (status === 404 || status === 410) return undefined;
  if (status === 401 || status === 403) fail("is not for everyone. Download the file yourself.");
  // No byte of an empty file can be had: 416.
  if (![200, 206, 416].includes(status)) {
    fail(`cannot be had: the server answers status ${status}. Try again later.`);
  }
  // 200 means that the server knows no ranges, and yet the whole file was short enough.
  const size = status === 206 ? total : first.length;
  if (size === undefined || (status === 206 && first.length !== Math.min(size, firstPiece))) {
    return fail("comes from a server that sends no parts of files. Download the file.");
  }
  return {
    name: decoded(url.pathname.slice(url.pathname.lastIndexOf("/") + 1)),
    size,
    fail,
    read: async (start, end) => {
      if (end <= first.length) return first.subarray(start, end);
      const { status, body } = await fetch(start, end);
      if (status !== 206 || body.length !== end - start) {
        fail("comes from a server that sends no parts of files. Download the file.");
      }
      return body;
    },
    beside: (other) => {
      const there = new URL(url);
      const folder = there.pathname.slice(0, there.pathname.lastIndexOf("/") + 1);
      there.pathname = folder + encodeURIComponent(other);
      return remoteFile(there, ask);
    },
  };
}

/** A name in an address may hold escapes that mean nothing. */
function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

/** A layer of a manifest: a file, and what it is to Ollama. */
interface Layer {
  /** The end of its media type, behind "application/vnd.ollama.image.": "model". */
  kind: string;
  digest: string;
  /** Bytes. */
  size: number;
}

/** What `ollama pull` gets from Hugging Face, which makes template and parameters from the GGUF file. */
async function huggingFaceModel(
  { namespace, model, tag }: NameParts,
  reference: string,
  ask: Ask,
): Promise<Model> {
  const repository = `https://huggingface.co/v2/${namespace}/${model}`;
  const answer = await ask(`${repository}/manifests/${tag}`, { most: mostText });
  const layers = layersOf(answer, reference);
  // The last model and the first projector are those that Ollama loads (server/images.go, GetModel).
  const weights = layers.findLast(({ kind }) => kind === "model");
  const projector = layers.find(({ kind }) => kind === "projector");
  if (!weights) throw new InputError(`${quoted(reference)} has no GGUF file on Hugging Face.`);
  const blob = ({ digest }: Layer) => new URL(`${repository}/blobs/${digest}`);

  const file = await remoteFile(blob(weights), ask);
  const subject = quoted(reference);
  if (!file) throw new InputError(`${subject} is gone from Hugging Face. Try again later.`);
  const found = await modelIn(
    {
      ...file,
      name: reference,
      fail: (problem) => {
        throw new InputError(`${subject} on Hugging Face ${problem}`);
      },
    },
    reference,
  );

  const small = async (kind: string): Promise<string | undefined> => {
    const layer = layers.findLast((layer) => layer.kind === kind);
    if (!layer || layer.size > mostText) return undefined;
    const { status, body } = await ask(blob(layer).href, { most: mostText });
    return status === 200 ? new TextDecoder().decode(body) : undefined;
  };
  const template = await small("template");
  const parameters = record(parsed((await small("params")) ?? ""));
  const licence = licenceName((await small("license")) ?? "");
  const capabilities = new Set(found.capabilities);
  if (projector) capabilities.add("vision");
  const own = {
    ...(projector && { projectorBytes: projector.size }),
    ...(parameters && { parameters, stop: texts(parameters["stop"]) }),
    ...(template !== undefined && { template: { text: template, language: "go" as const } }),
    ...(licence !== undefined && { licence }),
    capabilities: [...capabilities],
  };
  const from = `manifest of ${reference} on Hugging Face`;
  const origins = [{ facts: Object.keys(own), from, exact: true }, ...(found.origins ?? [])];
  return { ...found, ...own, origins };
}

/** The layers of the manifest in an answer. Throws InputError where there are none. */
function layersOf({ status, body }: Answer, reference: string): Layer[] {
  const written = quoted(reference);
  const answered = new TextDecoder().decode(body);
  if (status === 400 && /sharded/i.test(answered)) {
    const remedy = "Download them, and name the first.";
    throw new InputError(`${written} is split in parts, which Ollama cannot pull. ${remedy}`);
  }
  if (status === 400) {
    const remedy = "Check the tag behind the colon.";
    throw new InputError(`Hugging Face has no GGUF file for ${written}. ${remedy}`);
  }
  // A repository that does not exist is answered like one that is private.
  if (status === 401 || status === 403 || status === 404) {
    throw new InputError(`Hugging Face has no ${written} that is for everyone. Check its name.`);
  }
  if (status !== 200) {
    throw new InputError(`Hugging Face answers status ${status} to ${written}. Try again later.`);
  }
  const layers = record(parsed(answered))?.["layers"];
  if (!Array.isArray(layers)) {
    throw new InputError(`Hugging Face answers no manifest to ${written}. Try again later.`);
  }
  return layers.flatMap((value: unknown) => {
    const layer = record(value);
    const type = /^application\/vnd\.ollama\.image\.(\w+)$/.exec(text(layer?.["mediaType"]) ?? "");
    // It becomes part of an address.
    const digest = /^sha256:[0-9a-f]{64}$/.exec(text(layer?.["digest"]) ?? "");
    const size = count(layer?.["size"]);
    return type && digest && size !== undefined
      ? [{ kind: type[1]!, digest: digest[0], size }]
      : [];
  });
}

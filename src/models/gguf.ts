import { InputError, type Host } from "../host.js";
import { readHeader, type ByteSource, type GgufHeader } from "./gguf-header.js";
import { quantisationIn, shapeIn, tokenizerIn, wholeNumber } from "./header-facts.js";
import { headerOnce } from "./kept-header.js";
import { numberAt, textAt, type Header } from "./header.js";
import type { Model } from "./model.js";
import { weightsOf } from "./weights.js";

/** A GGUF file, wherever it lies. */
export interface GgufFile extends ByteSource {
  /** As messages call it, without folders. */
  name: string;
  /** Another file in the same place; undefined where there is none. */
  beside(name: string): Promise<GgufFile | undefined>;
  /** Answers with the header that was read before of this content, where it is known. */
  once?(read: () => Promise<GgufHeader>): Promise<GgufHeader>;
}

function headerOf(file: GgufFile): Promise<GgufHeader> {
  const read = () => readHeader(file);
  return file.once ? file.once(read) : read();
}

/** The largest models come in a few hundred. */
const mostParts = 1000;

/**
 * The model in a GGUF file, or in the file and the other parts beside it where it is split. Only the
 * header is read, so the tensors' data may be missing: `fileBytes` is then what the header says.
 * `name` is the model's. Throws InputError where the file is missing, unreadable, damaged or no model.
 */
export async function readGguf(path: string, host: Host, name: string): Promise<Model> {
  return modelIn(await localFile(path, host), name);
}

/** As `readGguf`, of a file that lies anywhere. */
export async function modelIn(file: GgufFile, name: string): Promise<Model> {
  const first = await headerOf(file);
  checkKind(file, first.header);
  const others = await otherParts(file, first.header);
  const parts = [{ file, ...first }, ...others];
  const header = { keys: first.header.keys, tensors: parts.flatMap((part) => part.header.tensors) };
  const { tensors } = header;
  if (tensors.length === 0) file.fail("holds no tensors. Name the file with the weights.");
  if (new Set(tensors.map((tensor) => tensor.name)).size < tensors.length) {
    file.fail("and its other parts hold a tensor twice. Download them again.");
  }
  const shape = shapeIn(header, file.fail);
  const fileBytes = sum(parts.map((part) => part.fileBytes));
  const actual = sum(parts.map((part) => part.file.size));
  const quantisation = quantisationIn(header);
  const tokenizer = tokenizerIn(header);
  const template = textAt(header, "tokenizer.chat_template");
  const licence = textAt(header, "general.license");
  return {
    name,
    source: "gguf",
    exact: true,
    shape,
    weights: weightsOf(tensors, shape.blocks),
    fileBytes,
    ...(parts.some((part) => part.truncated) && { truncated: { expected: fileBytes, actual } }),
    ...(quantisation !== undefined && { quantisation }),
    capabilities: capabilitiesOf(header),
    header,
    ...(tokenizer && { tokenizer }),
    ...(template && { template: { text: template, language: "jinja" } }),
    ...(licence && { licence }),
    origins: [
      {
        facts: [
          "keys",
          "tensors",
          "capabilities",
          ...(tokenizer ? ["tokenizer"] : []),
          ...(template ? ["template"] : []),
          ...(licence ? ["licence"] : []),
        ],
        from: `GGUF header of ${file.name}`,
        exact: true,
      },
    ],
  };
}

/**
 * The header of a projector, which turns images or sound into what a model understands. `fileBytes` are
 * those of the file, with all its tensors. Throws InputError, also where it is a model or an adapter.
 */
export async function readProjector(
  path: string,
  host: Host,
): Promise<{ header: Header; fileBytes: number }> {
  const file = await localFile(path, host);
  const { header, fileBytes } = await headerOf(file);
  if (!isProjector(header)) file.fail("is no projector. Name the model's mmproj file.");
  return { header, fileBytes };
}

/**
 * The header of a LoRA adapter; `alpha` over an adapter's rank is what it is scaled by, where the file
 * says it. Throws InputError, also where it is a model.
 */
export async function readAdapter(
  path: string,
  host: Host,
): Promise<{ header: Header; fileBytes: number; alpha?: number }> {
  const file = await localFile(path, host);
  const { header, fileBytes } = await headerOf(file);
  if (!isAdapter(header)) file.fail("is no adapter. Name what convert_lora_to_gguf.py made.");
  const alpha = numberAt(header, "adapter.lora.alpha");
  return { header, fileBytes, ...(alpha !== undefined && { alpha }) };
}

/** The file at `path`. Throws InputError where it is missing or none. */
async function localFile(path: string, host: Host): Promise<GgufFile> {
  const name = fileName(path);
  // Every problem is told about the whole name, since the parts of a split model differ only at its end.
  const fail = (problem: string): never => {
    throw new InputError(`${called(name)} ${problem}`, { path });
  };
  const entry = await host.stat(path);
  if (!entry) return fail("does not exist.");
  if (entry.kind === "folder") fail("is a folder. Name the GGUF file in it.");
  if (entry.kind !== "file") fail("is no regular file.");
  const { size, changed } = entry;
  const content = `${path} ${size} ${changed}`;
  return {
    name,
    size,
    fail,
    ...(changed !== undefined && { once: (read) => headerOnce(host, content, read) }),
    read: async (start, end) => {
      const bytes = await host.read(path, start, end).catch((error: unknown) => {
        // A host that knows why says so.
        if (error instanceof InputError) throw error;
        return fail("cannot be read. Check its permissions.");
      });
      return bytes.length < end - start
        ? fail("ends inside its header. Download it again.")
        : bytes;
    },
    beside: async (other) => {
      const there = host.resolve(host.resolve(path, ".."), other);
      return (await host.stat(there)) && localFile(there, host);
    },
  };
}

function fileName(path: string): string {
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

/** A file's name in a message, which has no control characters. */
export function called(name: string): string {
  return `"${name.replace(/[\0-\x1f\x7f-\x9f\u2028\u2029]/g, "?")}"`;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** Before a model's keys are missed: what else GGUF files hold. */
function checkKind(file: GgufFile, header: Header): void {
  if (isProjector(header)) {
    file.fail("is a projector for images or sound. Name the model's own file first.");
  }
  if (isAdapter(header)) file.fail("is an adapter and no model. Name it in ADAPTER.");
  if (textAt(header, "general.type") === "imatrix") {
    file.fail("is an importance matrix and no model. Name the model's own file.");
  }
}

/** isProjectorGGUF in Ollama's server/create.go. */
function isProjector(header: Header): boolean {
  const architecture = textAt(header, "general.architecture");
  const type = textAt(header, "general.type");
  if (architecture === "clip" || type === "mmproj" || type === "projector") return true;
  return (
    (numberAt(header, `${architecture}.block_count`) ?? 0) === 0 &&
    (numberAt(header, `${architecture}.vision.block_count`) ?? 0) > 0
  );
}

function isAdapter(header: Header): boolean {
  return textAt(header, "general.type") === "adapter";
}

/**
 * What Ollama finds in the header (server/images.go, Capabilities). Its releases before 0.30.0 asked its
 * own template, not this one, about tools and thinking.
 */
function capabilitiesOf(header: Header): string[] {
  const { keys } = header;
  const architecture = textAt(header, "general.architecture");
  const has = (key: string) => keys.has(`${architecture}.${key}`);
  const template = textAt(header, "tokenizer.chat_template") ?? "";
  return [
    has("pooling_type") ? "embedding" : "completion",
    ...(has("vision.block_count") ? ["vision"] : []),
    ...(has("audio.block_count") ? ["audio"] : []),
    ...(/tools|tool_call/.test(template) ? ["tools"] : []),
    ...(thinks(template) ? ["thinking"] : []),
  ];
}

/** llama.cpp also takes thoughts out for templates that only cut them off (common/chat-diff-analyzer.cpp). */
function thinks(template: string): boolean {
  if (template.includes("<think>") && template.includes("</think>")) return true;
  const cuts = /content\.split\((?:'<\/think>'|"<\/think>")\)/.test(template);
  return cuts && !/reasoning_content|<SPECIAL_12>/.test(template);
}

/**
 * The second and further parts of a split model. They lie beside the first and are called as
 * llama_split_path in llama.cpp calls them: "x-00002-of-00003.gguf". llama.cpp wants to be given the
 * first, since it alone has all keys.
 */
async function otherParts(
  file: GgufFile,
  header: Header,
): Promise<(GgufHeader & { file: GgufFile })[]> {
  const { name } = file;
  const [, stem = "", number, total] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(name) ?? [];
  const count = wholeNumber(header.keys.get("split.count")) ?? Number(total ?? 1);
  if (count <= 1) return [];
  if (count > mostParts) {
    file.fail(`says it has ${count} parts, and no model has as many. Download it again.`);
  }
  const part = (at: number) => `${stem}-${fiveDigits(at)}-of-${fiveDigits(count)}.gguf`;
  if (Number(total) !== count) {
    const end = part(1 + (wholeNumber(header.keys.get("split.no")) ?? 0)).slice(stem.length);
    file.fail(`is one of ${count} parts, which its name hides. Let it end in ${called(end)}.`);
  }
  if (Number(number) !== 1) {
    file.fail(`is part ${Number(number)} of ${count}. Name the first: ${called(part(1))}.`);
  }

  const others: (GgufHeader & { file: GgufFile })[] = [];
  for (let at = 2; at <= count; at++) {
    const other = await file.beside(part(at));
    if (!other) {
      const parts = `Keep all ${count} parts in one folder.`;
      return file.fail(`needs ${called(part(at))}, which is missing beside it. ${parts}`);
    }
    others.push({ file: other, ...(await headerOf(other)) });
  }
  return others;
}

function fiveDigits(number: number): string {
  return String(number).padStart(5, "0");
}

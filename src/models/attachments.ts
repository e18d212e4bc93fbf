import { InputError, type Host } from "../host.js";
import { readAdapter, readGguf, readProjector } from "./gguf.js";
import type { Adapter, Model } from "./model.js";

/** What a Modelfile names beside its model, as written. */
export interface Beside {
  /** FROM lines that do not decide the model. */
  files: readonly string[];
  adapters: readonly string[];
  drafts: readonly string[];
}

/**
 * The model with what other lines load beside it: a projector from a further FROM, adapters, a draft.
 * What does not exist, and folders, are left out. Throws InputError where a file is damaged or of
 * another kind.
 */
export async function withAttachments(
  model: Model,
  { files, adapters, drafts }: Beside,
  folder: string,
  host: Host,
): Promise<Model> {
  const existing = async (texts: readonly string[]): Promise<string[]> => {
    const paths = texts.map((text) => host.resolve(folder, text));
    const kinds = await Promise.all(paths.map((path) => host.stat(path)));
    return paths.filter((_, index) => kinds[index]?.kind === "file");
  };
  let projectorBytes = model.projectorBytes ?? 0;
  // Files add up where the model is one; beside a model's name Ollama drops them.
  for (const path of model.source === "gguf" ? await existing(files) : []) {
    projectorBytes += await projectorBytesOf(path, host);
  }
  const loaded: Adapter[] = [];
  for (const name of adapters) {
    const [path] = await existing([name]);
    if (path === undefined || /\.safetensors$/i.test(path)) continue;
    // What a layer is follows from the file and not from its line, beside a name as well.
    const bytes = await projectorBytesOf(path, host);
    projectorBytes += bytes;
    if (bytes > 0) continue;
    const { header, fileBytes } = await readAdapter(path, host);
    loaded.push({ name, header, bytes: fileBytes });
  }
  const [draft] = await existing(drafts);
  const all = [...(model.adapters ?? []), ...loaded];
  return {
    ...model,
    ...(projectorBytes > 0 && { projectorBytes }),
    ...(all.length > 0 && { adapters: all }),
    ...(draft !== undefined && { draft: await readGguf(draft, host, draft) }),
  };
}

/** 0 where the file is another model: which of the two Ollama takes is a rule's matter. */
async function projectorBytesOf(path: string, host: Host): Promise<number> {
  try {
    return (await readProjector(path, host)).fileBytes;
  } catch (error) {
    if (error instanceof InputError) return 0;
    throw error;
  }
}

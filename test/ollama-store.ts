import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

export interface StoredLayer {
  /** "model", "template": what follows "application/vnd.ollama.image." in the media type. */
  kind: string;
  content: Uint8Array | string;
}

export interface ModelInStore {
  /** What the configuration says. */
  config?: Readonly<Record<string, unknown>>;
  layers: readonly StoredLayer[];
}

const manifestType = "application/vnd.docker.distribution.manifest.v2+json";

/** Writes a blob as Ollama does, and returns its digest. */
export async function writeBlob(store: string, content: Uint8Array | string): Promise<string> {
  const hash = createHash("sha256").update(content).digest("hex");
  await mkdir(join(store, "blobs"), { recursive: true });
  await writeFile(blobPath(store, hash), content);
  return `sha256:${hash}`;
}

export function blobPath(store: string, digest: string): string {
  return join(store, "blobs", `sha256-${digest.replace("sha256:", "")}`);
}

/** Writes layers and configuration as blobs, and returns their manifest. */
export async function manifestFor(store: string, { config = {}, layers }: ModelInStore) {
  const entry = async (mediaType: string, content: Uint8Array | string) => ({
    mediaType,
    digest: await writeBlob(store, content),
    size: content.length,
  });
  return {
    schemaVersion: 2,
    mediaType: manifestType,
    config: await entry("application/vnd.docker.container.image.v1+json", JSON.stringify(config)),
    layers: await Promise.all(
      layers.map(({ kind, content }) => entry(`application/vnd.ollama.image.${kind}`, content)),
    ),
  };
}

/** Writes a file below the store's folder; other values than texts as JSON. Returns its path. */
export async function writeManifest(
  store: string,
  path: string,
  content: unknown,
): Promise<string> {
  const at = join(store, path);
  await mkdir(dirname(at), { recursive: true });
  await writeFile(at, typeof content === "string" ? content : JSON.stringify(content));
  return at;
}

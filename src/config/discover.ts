import type { Host } from "../host.js";

/** The key of a package.json that holds a configuration. */
export const packageKey = "modelfile-lint";

const names = [".modelfile-lint.yaml", ".modelfile-lint.yml", ".modelfile-lint.json"];

/**
 * The configuration in a folder: .modelfile-lint.yaml, .yml or .json, or a package.json with the key
 * modelfile-lint. Only looks for it: reading takes the YAML library, and most folders have none.
 */
export async function configIn(folder: string, host: Host): Promise<string | undefined> {
  for (const name of names) {
    const path = host.resolve(folder, name);
    if ((await host.stat(path))?.kind === "file") return path;
  }
  const path = host.resolve(folder, "package.json");
  if ((await host.stat(path))?.kind !== "file") return undefined;
  // A package file that cannot be read is for others to complain about.
  const bytes = await host.read(path).catch(() => new Uint8Array());
  return hasKey(new TextDecoder().decode(bytes)) ? path : undefined;
}

/** Whether a package.json configures us; a broken one that names us is to be told of. */
function hasKey(text: string): boolean {
  if (!text.includes(`"${packageKey}"`)) return false;
  try {
    return Object.hasOwn(Object(JSON.parse(text)), packageKey);
  } catch {
    return new RegExp(`"${packageKey}"\\s*:\\s*\\{`).test(text);
  }
}

/** The nearest configuration from a folder upwards, where each folder is looked into once. */
export function configFinder(host: Host): (folder: string) => Promise<string | undefined> {
  const found = new Map<string, Promise<string | undefined>>();
  const find = (folder: string, depth = 0): Promise<string | undefined> => {
    let path = found.get(folder);
    if (!path) found.set(folder, (path = look(folder, depth)));
    return path;
  };
  const look = async (folder: string, depth: number): Promise<string | undefined> => {
    const here = await configIn(folder, host);
    const above = host.resolve(folder, "..");
    // A host that never reaches its root must not keep us here.
    return here ?? (above === folder || depth > 255 ? undefined : find(above, depth + 1));
  };
  return (folder) => find(folder);
}

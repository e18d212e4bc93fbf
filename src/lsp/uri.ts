/** How a host's paths are written as addresses, and the other way round. */
export interface Addresses {
  /** Undefined for what lies in no folder of the host. */
  pathOf(uri: string): string | undefined;
  uriOf(path: string): string;
}

/**
 * The host's path of a file's address, or undefined for what lies in no folder of the host, as
 * "untitled:Untitled-1" does. "file:///c%3A/x" is "c:/x", which Node takes on Windows.
 */
export function pathOf(uri: string): string | undefined {
  const match = /^file:\/\/([^/?#]*)(\/[^?#]*)/i.exec(uri);
  if (!match) return undefined;
  const [, host = "", encoded = ""] = match;
  try {
    const path = decodeURIComponent(encoded);
    if (path.includes("\0")) return undefined;
    if (host !== "" && host !== "localhost") return `//${host}${path}`;
    return /^\/[a-z]:/i.test(path) ? path.slice(1) : path;
  } catch {
    // A per cent sign that encodes nothing.
    return undefined;
  }
}

/** The address of a path as `pathOf` or a host's `resolve` gives it. */
export function uriOf(path: string): string {
  const slashes = path.replaceAll("\\", "/");
  const encoded = slashes.split("/").map(encodeURIComponent).join("/");
  if (slashes.startsWith("//")) return `file:${encoded}`;
  return slashes.startsWith("/") ? `file://${encoded}` : `file:///${encoded}`;
}

export const fileAddresses: Addresses = { pathOf, uriOf };

/** Whether two addresses are the same file: clients encode more or less of it. */
export function isSame(one: string, other: string): boolean {
  if (one === other) return true;
  const path = pathOf(one);
  return path !== undefined && normal(path) === normal(pathOf(other) ?? "");
}

function normal(path: string): string {
  return path.replaceAll("\\", "/").replace(/^[a-z]:/, (drive) => drive.toUpperCase());
}

/** The last part of an address's path; "untitled:Modelfile" has one part. */
export function nameIn(uri: string): string {
  const path = pathOf(uri) ?? uri.replace(/^[a-z][a-z\d+.-]*:|[?#].*$/gis, "");
  return path.slice(Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\")) + 1);
}

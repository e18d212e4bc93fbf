import { fingerprint } from "./fingerprint.js";

/** Bytes of a label of DNS (RFC 1123). */
const longest = 63;

/**
 * A name for an object: a prefix, what is left of a text, and a fingerprint of all that the object is, so that
 * another content is another object.
 */
export function objectName(prefix: string, text: string, content: string): string {
  const end = `-${fingerprint(content)}`;
  const middle = text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, longest - prefix.length - 1 - end.length)
    .replaceAll(/^-+|-+$/g, "");
  return `${prefix}${middle === "" ? "" : `-${middle}`}${end}`;
}

/** The value that GPU feature discovery makes of a name: blanks become hyphens, and what labels forbid goes. */
export function labelValue(name: string): string {
  return name
    .replaceAll(" ", "-")
    .replaceAll(/[^\w.-]/g, "")
    .slice(0, longest)
    .replaceAll(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, "");
}

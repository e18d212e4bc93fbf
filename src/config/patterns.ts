/** What a list means for files that none of its patterns is for, where it begins with one that takes back. */
export type Beginning = "all" | "none";

/**
 * Whether a configuration's patterns are for a file: those in `folder`, by its path from there or by its
 * name alone. Later patterns win, and one that begins with "!" takes files back. A folder's name, with or
 * without a "/" behind it, is for everything below that folder.
 */
export async function isFor(
  path: string,
  patterns: readonly string[],
  folder: string,
  beginning: Beginning = "none",
): Promise<boolean> {
  if (patterns.length === 0) return false;
  const { default: picomatch } = await import("picomatch");
  const name = pathFrom(folder, path);
  const last = name.slice(name.lastIndexOf("/") + 1);
  const matches = (written: string): boolean => {
    const pattern = written.replace(/^\.\//, "");
    const below = pattern.endsWith("/") ? `${pattern}**` : `${pattern}/**`;
    const whole = isPlain(pattern) || pattern.endsWith("/") ? [pattern, below] : pattern;
    const match = picomatch(whole, { dot: true });
    return match(name) || match(last);
  };
  let found = beginning === "all" && patterns[0]!.startsWith("!");
  for (const pattern of patterns) {
    const back = pattern.startsWith("!") && !pattern.startsWith("!(");
    const written = back ? pattern.slice(1) : pattern;
    if (found === back && written !== "" && matches(written)) found = !back;
  }
  return found;
}

/** A path from a folder, with "/" between its parts; as it is where it lies outside. */
function pathFrom(folder: string, path: string): string {
  const from = folder.replaceAll("\\", "/").replace(/\/*$/, "/");
  const name = path.replaceAll("\\", "/");
  return name.startsWith(from) ? name.slice(from.length) : name;
}

/** Without anything that stands for other characters. */
function isPlain(pattern: string): boolean {
  return !/[*?[\]{}()!+@\\]/.test(pattern);
}

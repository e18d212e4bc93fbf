import { InputError } from "./host.js";
import { sizeProblem } from "./machines/sizes.js";
import { nearest } from "./nearest.js";
import { quoted, type Locate } from "./yaml.js";

/** One way in which a value differs from its schema, as the compiled validators report it. */
export interface Violation {
  keyword: string;
  /** JSON pointer into the value. */
  instancePath: string;
  /** JSON pointer into the schema. */
  schemaPath: string;
  params: {
    additionalProperty?: string;
    missingProperty?: string;
    allowedValues?: readonly unknown[];
    limit?: number;
    type?: string | readonly string[];
  };
  /** The key whose name is at fault, below `propertyNames`. */
  propertyName?: string;
}

/** A compiled schema for values of type T: what the generated `*.validate.js` files export. */
export interface Schema<T> {
  validate: { (value: unknown): value is T; errors?: readonly Violation[] | null };
  /** What messages need to know of the schema, by JSON pointer into it. */
  names: {
    /** The keys of a mapping that takes no others. */
    keys: Readonly<Record<string, readonly string[]>>;
    /** What a value is called. */
    titles: Readonly<Record<string, string>>;
    /** How a value is written. */
    examples: Readonly<Record<string, string>>;
  };
}

/**
 * The value, once it is known to fit `schema`. Throws InputError for the first thing that does not,
 * with its place in `file`. `whole` is what messages call the value itself: "profile".
 */
export function checked<T>(
  { validate, names }: Schema<T>,
  value: unknown,
  { locate, file, whole }: { locate: Locate; file: string; whole: string },
): T {
  if (validate(value)) return value;
  const all = validate.errors ?? [];
  const choices = new Set(all.filter(({ keyword }) => keyword === "anyOf").map(identity));

  const complaints = all
    // A choice speaks for its branches, and the rule for key names says which part of it is broken.
    .filter((one) => !choices.has(choiceOf(one)) && one.keyword !== "propertyNames")
    .map((violation) => {
      const path = segments(violation.instancePath);
      const key = violation.params.additionalProperty ?? violation.propertyName;
      const place = typeof key === "string" ? locate([...path, key], "key") : locate(path);
      return { violation, path, place, rank: rank(violation.keyword) };
    });
  complaints.sort(
    (a, b) =>
      a.rank - b.rank ||
      (a.place?.line ?? 0) - (b.place?.line ?? 0) ||
      (a.place?.column ?? 0) - (b.place?.column ?? 0),
  );
  const { violation, path, place } = complaints[0]!;
  const found = path.reduce<unknown>(member, value);
  const branches = all.filter((other) => choiceOf(other) === identity(violation));
  const message = describe(violation, { names, found, label: labelOf(path), whole, branches });
  throw new InputError(message, { path: file, ...place });
}

function identity({ schemaPath, instancePath }: Violation): string {
  return `${schemaPath} ${instancePath}`;
}

/** The identity of the choice that this violation would be a branch of. */
function choiceOf({ schemaPath, instancePath }: Violation): string {
  const [, choice] = /^(.*)\/\d+\/type$/.exec(schemaPath) ?? [];
  return `${choice ?? ""} ${instancePath}`;
}

/** A mistyped key explains a missing one, so it comes first. */
function rank(keyword: string): number {
  if (keyword === "additionalProperties") return 0;
  return keyword === "required" ? 2 : 1;
}

function describe(
  { keyword, schemaPath, params, propertyName }: Violation,
  {
    names,
    found,
    label = "",
    whole,
    branches,
  }: {
    names: Schema<unknown>["names"];
    found: unknown;
    label: string | undefined;
    whole: string;
    branches: readonly Violation[];
  },
): string {
  const owner = schemaPath.slice(0, schemaPath.lastIndexOf("/"));
  const title = names.titles[owner] ?? "value that fits here";
  const example = names.examples[owner];
  if (title === "size" && (typeof found === "string" || typeof found === "number")) {
    return `${label}: ${sizeProblem(found)}`;
  }
  if (keyword !== "required" && found === null) return `${label} has no value.`;
  switch (keyword) {
    case "additionalProperties": {
      const key = String(params.additionalProperty);
      const known = names.keys[owner] ?? [];
      const guess = nearest(key, known);
      const hint = guess ? `Did you mean "${guess}"?` : `Known: ${known.join(", ")}.`;
      return `Unknown key ${quoted(key)}. ${hint}`;
    }
    case "required": {
      const key = String(params.missingProperty);
      const how = names.examples[`${owner}/properties/${key}`];
      return `${key} is missing.${how ? ` Add ${key}: ${how}.` : ""}`;
    }
    case "enum": {
      const valid = (params.allowedValues ?? []).join(", ");
      return `${shown(found)} is no ${title}. Valid: ${valid}.`;
    }
    case "pattern": {
      const text = propertyName ?? String(found);
      return `${quoted(text)} is no ${title}.${example ? ` Write it like ${example}.` : ""}`;
    }
    case "minimum":
      return `${label} is ${shown(found)}, less than ${String(params.limit)}.`;
    case "maximum":
      return `${label} is ${shown(found)}, more than ${String(params.limit)}.`;
    case "minItems":
      return `${label} is an empty list.`;
    case "maxItems":
      return `${label} has more than ${String(params.limit)} items.`;
    default: {
      const types = branches.length > 0 ? branches.map(({ params }) => params.type) : params.type;
      if (title === "size") return `${label} takes a size such as 16GiB, not ${shown(found)}.`;
      const expected = [types].flat().filter((type) => type !== undefined);
      if (label === "") return `A ${whole} is ${typeNames(expected)}, not ${shown(found)}.`;
      return `${label} takes ${typeNames(expected)}, not ${shown(found)}.`;
    }
  }
}

function typeNames(types: readonly unknown[]): string {
  const names = types.map((type) => typeWords.get(type) ?? "something else");
  const last = names.pop();
  return names.length > 0 ? `${names.join(", ")} or ${last}` : (last ?? "something else");
}

const typeWords: ReadonlyMap<unknown, string> = new Map([
  ["object", "a mapping"],
  ["array", "a list"],
  ["string", "a text"],
  ["integer", "a whole number"],
  ["number", "a number"],
  ["boolean", "true or false"],
]);

function shown(value: unknown): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "number":
    case "boolean":
      return String(value);
    default:
      if (Array.isArray(value)) return "a list";
      return value ? "a mapping" : "nothing";
  }
}

function member(value: unknown, key: string): unknown {
  return typeof value === "object" && value
    ? Object.getOwnPropertyDescriptor(value, key)?.value
    : undefined;
}

/** "gpus[1]" or "memory": the key that messages speak of; undefined for the whole value. */
function labelOf(path: readonly string[]): string | undefined {
  const last = path.findLastIndex((segment) => !/^\d+$/.test(segment));
  if (last < 0) return undefined;
  const key = /^[\w.$-]{1,60}$/.test(path[last]!) ? path[last]! : quoted(path[last]!);
  return (
    key +
    path
      .slice(last + 1)
      .map((index) => `[${index}]`)
      .join("")
  );
}

function segments(pointer: string): string[] {
  const parts = pointer.split("/").slice(1);
  return parts.map((part) => part.replaceAll("~1", "/").replaceAll("~0", "~"));
}

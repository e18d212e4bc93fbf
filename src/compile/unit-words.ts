import { fingerprint } from "./fingerprint.js";

/** A word of Environment= that stands for exactly this text (systemd.syntax, systemd.exec). No NUL can be in it. */
export function environmentWord(text: string): string {
  return `"${escaped(text)}"`;
}

/** A word of ExecStart=, where a dollar sign besides names a variable (systemd.service, "Command lines"). */
export function commandWord(text: string): string {
  if (/^[\w/.:@+-]+$/.test(text)) return text;
  return `"${escaped(text).replaceAll("$", "$$$$")}"`;
}

/** Percent signs are specifiers; what breaks lines for somebody is escaped as C does. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\\"]/g, String.raw`\$&`)
    .replaceAll("%", "%%")
    .replaceAll("\n", String.raw`\n`)
    .replaceAll("\t", String.raw`\t`)
    .replaceAll(/\p{Cs}/gu, "\ufffd")
    .replaceAll(/[\x01-\x1f\x7f-\x9f\u2028\u2029\ufeff]/g, (character) => {
      const code = character.codePointAt(0)!;
      return String.raw`\u` + code.toString(16).padStart(4, "0");
    });
}

/** A comment of a unit file, a line each. A backslash at an end would hide the line below. */
export function unitComment(text: string): string {
  return `# ${text.replaceAll(/[\p{Cc}\p{Cs}\p{Zl}\p{Zp}]+/gu, " ").replace(/[\s\\]+$/, "")}`;
}

/** Bytes of a unit's name, ".service" included (UNIT_NAME_MAX). */
const longest = 255;

/**
 * A name of a unit from a prefix and a text. What no file's name holds everywhere, and what systemd-escape would
 * turn into backslashes, becomes a hyphen; a fingerprint then tells such names apart.
 */
export function serviceName(prefix: string, text: string): string {
  const plain = text.replaceAll(/[^A-Za-z0-9_.-]+/g, "-");
  const end = ".service";
  const room = longest - prefix.length - end.length;
  if (plain === text && text.length <= room) return prefix + text + end;
  const mark = `-${fingerprint(text)}`;
  return prefix + plain.slice(0, room - mark.length) + mark + end;
}

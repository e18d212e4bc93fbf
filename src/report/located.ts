import { lineIndex, type Place } from "../../grammar/places.js";
import type { Finding } from "../finding.js";
import type { FileResult } from "./result.js";
import { oneLine } from "./terminal.js";
import { whenHeld } from "./when.js";

/** A finding with what most reports say of it. */
export interface Located extends Finding {
  path: string;
  machine: string | null;
  ollama: string;
  from: Place;
  /** Where it ends: the first place behind it. */
  to: Place;
  /** The last line that it covers: a line of which it has only the beginning is none. */
  lastLine: number;
  /** The text that it speaks of, to the end of its first line. */
  code: string;
  /** Message, the releases that it holds for where not for all, and help. */
  sentence: string;
}

/** The findings of all files, in their order. */
export function located(results: readonly FileResult[]): Located[] {
  return results.flatMap(({ path, machine, ollama, releases, text, findings }) => {
    const lines = lineIndex(text);
    return findings.map((finding) => {
      const [from, to] = [lines.at(finding.at.start), lines.at(finding.at.end)];
      const [code = ""] = text.slice(finding.at.start, finding.at.end).split(/[\r\n]/, 1);
      return {
        ...finding,
        path,
        machine,
        ollama,
        from,
        to,
        lastLine: to.column === 1 && to.line > from.line ? to.line - 1 : to.line,
        code,
        sentence: [finding.message, ...(releases ? whenHeld(finding, releases) : []), finding.help]
          .filter(Boolean)
          .join(" "),
      };
    });
  });
}

/** Where a finding comes from, for reports that show several machines' findings beside each other. */
export function onMachine({ machine }: Pick<Located, "machine">): string {
  return machine === null ? "" : ` (${machine})`;
}

/** Lines as one, and nothing in it that steers a terminal. */
export function joined(text: string): string {
  const lines = text.split(/[\r\n]+/).map((line) => line.trim());
  return oneLine(lines.join(" ").trim());
}

/** What a report names where a problem has no file. */
export const ownName = "modelfile-lint";

/** Tells apart what has the same name: the second one gets " (2)", and so on. */
export function counted(): (name: string) => string {
  const taken = new Set<string>();
  return (given) => {
    // Half a surrogate pair cannot be written: all of them come out the same.
    const name = given.replaceAll(/\p{Surrogate}/gu, "\ufffd");
    let own = name;
    for (let count = 2; taken.has(own); count++) own = `${name} (${count})`;
    taken.add(own);
    return own;
  };
}

/**
 * What tells one finding from another and stays the same when lines move, as a SHA-256: the file, the
 * rule, the machine, the text that it speaks of, and which of several alike it is.
 */
export function fingerprints(findings: readonly Located[]): Promise<string[]> {
  const distinct = counted();
  const keys = findings.map(({ path, rule, machine, code }) =>
    distinct([path, rule, machine ?? "", code].join("\n")),
  );
  return Promise.all(keys.map(fingerprint));
}

/** SHA-256 in hexadecimal. */
export async function fingerprint(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
